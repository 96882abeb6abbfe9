//! Comparison routes, all in one process with one worker. The alternatives are straightforward
//! implementations.

use std::{
    fs,
    future::{Ready, ready},
    io::Write,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_web::{
    App, Error, FromRequest, HttpRequest, HttpResponse, HttpServer, dev::Payload,
    error::ErrorUnauthorized, http::header, web,
};
use aws_lc_rs::{
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64_simd::URL_SAFE_NO_PAD;
use bearward::Principal;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};

use crate::support;

/// Argument with which the parent process starts this server.
pub const COMMAND: &str = "serve-routes";

/// Capacity for every token that the benchmark sends.
const CACHE_CAPACITY: usize = 40_000;

#[derive(Serialize)]
struct Whoami<'a> {
    user_id: &'a str,
    email: Option<&'a str>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    email: Option<String>,
    exp: u64,
}

/// State of the alternatives to bearward.
struct Alternatives {
    parsed: ParsedPublicKey,
    decoding: DecodingKey,
    validation: Validation,
    cache: quick_cache::sync::Cache<Box<str>, Arc<Claims>>,
}

struct SignatureOnly;
struct JsonwebtokenDecode(Claims);
struct NaiveCache(Arc<Claims>);

/// Serves until killed. Prints the address on the first line of output.
pub fn serve(jwks_file: &str) {
    let jwks = fs::read_to_string(jwks_file).unwrap();
    let (cached, uncached) = (
        support::verifier(&jwks, CACHE_CAPACITY),
        support::verifier(&jwks, 0),
    );
    let alternatives = web::Data::new(Alternatives::new(&jwks));
    let app =
        move || {
            let route = |path: &str| web::resource(path).app_data(alternatives.clone());
            App::new()
                .service(route("/decode").to(async |claims: JsonwebtokenDecode| {
                    whoami(&claims.0.sub, claims.0.email.as_deref())
                }))
                .service(route("/rsa").to(async |_: SignatureOnly| constant()))
                .service(route("/none").to(async || constant()))
                .service(route("/quick").to(async |claims: NaiveCache| {
                    whoami(&claims.0.sub, claims.0.email.as_deref())
                }))
                .service(route("/off").app_data(uncached.clone()).to(protected))
                .service(route("/cached").app_data(cached.clone()).to(protected))
        };
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(app).workers(1).bind("127.0.0.1:0").unwrap();
        println!("listens on {}", server.addrs()[0]);
        std::io::stdout().flush().unwrap();
        server.run().await.unwrap();
    });
}

async fn protected(user: Principal) -> HttpResponse {
    whoami(user.subject(), user.email())
}

fn constant() -> HttpResponse {
    whoami(
        "11111111-2222-4333-8444-000000000001",
        Some("user1@example.com"),
    )
}

fn whoami(user_id: &str, email: Option<&str>) -> HttpResponse {
    HttpResponse::Ok().json(Whoami { user_id, email })
}

impl Alternatives {
    fn new(jwks: &str) -> Self {
        let jwks: serde_json::Value = serde_json::from_str(jwks).unwrap();
        let member = |name| {
            URL_SAFE_NO_PAD
                .decode_to_vec(jwks["keys"][0][name].as_str().unwrap())
                .unwrap()
        };
        let (n, e) = (member("n"), member("e"));
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["authenticated"]);
        validation.set_issuer(&[support::ISSUER]);
        let decoding = DecodingKey::from_rsa_raw_components(&n, &e);
        let parsed = PublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .unwrap();
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        Self {
            parsed,
            decoding,
            validation,
            cache: quick_cache::sync::Cache::new(CACHE_CAPACITY),
        }
    }

    fn signature_only(&self, token: &str) -> Option<SignatureOnly> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).ok()?;
        self.parsed
            .verify_sig(signed.as_bytes(), &signature)
            .ok()
            .map(|()| SignatureOnly)
    }

    fn decode(&self, token: &str) -> Option<Claims> {
        jsonwebtoken::decode(token, &self.decoding, &self.validation)
            .ok()
            .map(|data| data.claims)
    }

    fn cached(&self, token: &str) -> Option<Arc<Claims>> {
        if let Some(claims) = self.cache.get(token) {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs();
            return (now < claims.exp).then_some(claims);
        }
        let claims = Arc::new(self.decode(token)?);
        self.cache.insert(token.into(), Arc::clone(&claims));
        Some(claims)
    }
}

/// A minimal extractor: reads the bearer token from one header and calls `check`.
fn extract<T>(
    request: &HttpRequest,
    check: impl Fn(&Alternatives, &str) -> Option<T>,
) -> Ready<Result<T, Error>> {
    let alternatives = request.app_data::<web::Data<Alternatives>>().unwrap();
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    ready(
        token
            .and_then(|token| check(alternatives, token))
            .ok_or_else(|| ErrorUnauthorized("no")),
    )
}

impl FromRequest for SignatureOnly {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, Alternatives::signature_only)
    }
}

impl FromRequest for JsonwebtokenDecode {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, |alternatives, token| {
            alternatives.decode(token).map(Self)
        })
    }
}

impl FromRequest for NaiveCache {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, |alternatives, token| {
            alternatives.cached(token).map(Self)
        })
    }
}
