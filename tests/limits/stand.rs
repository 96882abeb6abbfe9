//! The server's routes and two of a team's, behind a proxy that is trusted and so may be many clients.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpServer, Responder,
    dev::ServerHandle,
    middleware::from_fn,
    web::{self, Data},
};
use bearward::{
    Algorithm, Bearward, Principal,
    api::{self, Health, Limits, Metadata, Problem, RateLimits},
    config::{Config, Sources},
    testing::{MockIdp, MovableClock},
};
use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use uuid::Uuid;

pub struct Stand {
    pub idp: MockIdp,
    pub clock: MovableClock,
    address: SocketAddr,
    client: reqwest::Client,
    handle: ServerHandle,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// Six a minute, three at once: one every ten seconds.
const NUMBERS: [(&str, &str); 4] = [
    ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "6"),
    ("BEARWARD_RATE_LIMIT__PER_USER", "6"),
    ("BEARWARD_RATE_LIMIT__BURST", "3"),
    ("BEARWARD_SERVER__TRUSTED_PROXIES", "127.0.0.1"),
];
pub const BURST: usize = 3;
pub const INTERVAL: Duration = Duration::from_secs(10);

impl Stand {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With these variables over the numbers above.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        let variables = NUMBERS.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::load(&Sources::new(None, variables.collect::<Vec<_>>())).unwrap();
        let idp = MockIdp::start_with(Algorithm::ES256).await.with_movable_clock();
        let clock = idp.clock();
        let auth = Bearward::builder().issuer(idp.as_issuer()).clock(std::sync::Arc::new(clock.clone())).build().await.unwrap();
        auth.first_attempts().await;
        let health = Data::new(Health::new(auth.clone(), None));
        let metadata = Data::new(Metadata::new("https://api.example.com", &auth));
        let rates = Data::new(RateLimits::new(&config.rate_limit, &config.server, auth.clock()));
        let limits = Limits { body: 1024, time: Duration::from_secs(30) };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let app = move || {
            let sign_in = web::resource("/sign-in").route(web::post().to(sign_in)).wrap(from_fn(api::limit_address));
            App::new()
                .app_data(auth.clone())
                .app_data(health.clone())
                .app_data(metadata.clone())
                .app_data(rates.clone())
                .wrap(from_fn(api::as_forwarded))
                .configure(|routes| api::metrics(routes, limits))
                .configure(|routes| api::routes(routes, limits))
                .service(sign_in)
                .route("/mine", web::get().to(mine))
        };
        let server = HttpServer::new(app).workers(2).disable_signals().shutdown_timeout(0).listen(listener).unwrap().run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        Self { idp, clock, address, client, handle }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("http://{}{path}", self.address))
    }

    /// A request to /protected from this address, with this token.
    pub async fn ask(&self, from: &str, token: &str) -> Answer {
        send(self.get("/protected").header("x-forwarded-for", from).bearer_auth(token)).await
    }

    pub fn good(&self) -> String {
        self.idp.token().sub("ada").sign()
    }

    pub fn bad(&self) -> String {
        self.idp.token().tampered()
    }

    /// Has refused as many tokens of this address as it may.
    pub async fn used_up(&self, from: &str) {
        let bad = self.bad();
        for _ in 0..BURST {
            assert_eq!(self.ask(from, &bad).await.refusal(), (401, "INVALID_SIGNATURE".to_owned()));
        }
        assert_eq!(self.ask(from, &bad).await.status, 429);
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn sign_in(body: web::Bytes) -> impl Responder {
    format!("{} bytes", body.len())
}

/// Counts a user under a digest when the subject is no UUID.
async fn mine(user: Principal, request: HttpRequest, limits: Data<RateLimits>) -> Result<String, Problem> {
    match Uuid::parse_str(user.subject()) {
        Ok(id) => limits.count_user(&request, id)?,
        Err(_) => limits.count_user(&request, [user.subject().as_bytes()[0]; 32])?,
    }
    Ok("yours".to_owned())
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.unwrap() }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status and the envelope's code.
    pub fn refusal(&self) -> (u16, String) {
        let envelope: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        (self.status, envelope["error"]["code"].as_str().unwrap().to_owned())
    }

    /// A 429 of the contract, after so many seconds again.
    #[track_caller]
    pub fn is_limited(&self, retry_after: u64) {
        assert_eq!(self.refusal(), (StatusCode::TOO_MANY_REQUESTS.as_u16(), "RATE_LIMITED".to_owned()));
        assert_eq!(self.header("retry-after"), Some(&*retry_after.to_string()));
        assert_eq!(self.header("www-authenticate"), None, "no other token would help");
    }
}
