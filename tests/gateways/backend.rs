//! The backend behind a gateway. It echoes each request as JSON.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde_json::{Value, json};

pub struct Backend {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
    handle: ServerHandle,
}

impl Backend {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let app = move || {
            let counter = Arc::clone(&counter);
            let echo = move |request: HttpRequest, body: web::Bytes| {
                counter.fetch_add(1, Ordering::SeqCst);
                std::future::ready(HttpResponse::Ok().json(echo(&request, &body)))
            };
            App::new()
                .app_data(web::PayloadConfig::new(1 << 22))
                .default_service(web::to(echo))
        };
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .shutdown_timeout(0)
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            address,
            requests,
            handle,
        }
    }

    /// Returns the number of requests received.
    pub fn request_count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn echo(request: &HttpRequest, body: &[u8]) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), text(value.as_bytes())))
        .collect();
    json!({ "method": request.method().as_str(), "target": request.uri().to_string(), "headers": headers, "body": text(body) })
}
