//! Instruction counts of requests to the complete application of the server, and to bare actix-web.
//! They are reproducible on busy machines. Needs valgrind and gungraun-runner.
//!
//! The connection is not measured: requests are passed to the application in the process. The
//! access log is formatted and passed to the thread that writes it.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../crates/bearward/benches/support/mod.rs"]
mod support;

use std::{any::Any, fs, hint::black_box, rc::Rc};

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    rt::Runtime,
    test::{TestRequest, init_service},
    web,
};
use aws_lc_rs::signature::ParsedPublicKey;
use base64_simd::URL_SAFE_NO_PAD;
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
    telemetry,
};
use futures_util::future::LocalBoxFuture;
use gungraun::{library_benchmark, library_benchmark_group, main};
use serde_json::json;
use support::{ISSUER, TokenFixture, split};

/// A request to an in-process application.
struct Call {
    runtime: Runtime,
    response: LocalBoxFuture<'static, StatusCode>,
    /// Keeps the application alive, so that dropping it is not measured.
    _service: Rc<dyn Any>,
}

impl Call {
    /// Sends a few requests and prepares another one.
    fn new<T, B>(runtime: Runtime, app: App<T>, path: &'static str, token: &str) -> Self
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let service = Rc::new(runtime.block_on(init_service(app)));
        let respond = || -> LocalBoxFuture<'static, StatusCode> {
            let request = TestRequest::with_uri(path)
                .peer_addr("127.0.0.1:4711".parse().unwrap())
                .insert_header((header::AUTHORIZATION, format!("Bearer {token}")))
                .to_request();
            let service = Rc::clone(&service);
            Box::pin(async move { service.call(request).await.unwrap().status() })
        };
        for _ in 0..3 {
            runtime.block_on(respond());
        }
        Self {
            response: respond(),
            runtime,
            _service: service,
        }
    }
}

/// A token by what is wrong with it.
fn token(fixture: &TokenFixture, fault: &str) -> String {
    let token = fixture.token(1);
    let (signed, _) = split(&token);
    match fault {
        "signature" => format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode_to_string(vec![1_u8; 256])
        ),
        "format" => format!("{token}="),
        _ => token,
    }
}

fn server(cache_entries: &str, path: &'static str, fault: &str) -> Call {
    let fixture = TokenFixture::new();
    let directory = tempfile::tempdir().unwrap();
    let jwks = directory.path().join("jwks");
    fs::write(&jwks, fixture.jwks()).unwrap();
    let sources = Sources::new(None, [])
        .with("issuers.bench.issuer", ISSUER)
        .with("issuers.bench.audiences", "authenticated")
        .with("issuers.bench.jwks_file", jwks.to_str().unwrap())
        .with("tokens.cache_entries", cache_entries)
        .with("rate_limit.per_address", "1000000")
        .with("rate_limit.burst", "1000000")
        .with("database.url", "sqlite::memory:");
    let config = Config::load(&sources).unwrap();
    telemetry::init(&config.telemetry, None).unwrap();
    let metrics = telemetry::install_metrics().unwrap();
    let runtime = Runtime::new().unwrap();
    let app = runtime
        .block_on(Application::in_process(&config, Some(metrics)))
        .unwrap();
    Call::new(runtime, app, path, &token(&fixture, fault))
}

/// Routes of bare actix-web: `/none` without authentication, `/rsa` with a check of the signature.
fn bare(path: &'static str, fault: &str) -> Call {
    let fixture = TokenFixture::new();
    let key = web::Data::new(fixture.parsed());
    let app = App::new()
        .app_data(key)
        .route("/none", web::get().to(async || whoami()))
        .route("/rsa", web::get().to(check_signature));
    let runtime = Runtime::new().unwrap();
    Call::new(runtime, app, path, &token(&fixture, fault))
}

async fn check_signature(request: HttpRequest, key: web::Data<ParsedPublicKey>) -> HttpResponse {
    let header = request.headers().get(header::AUTHORIZATION);
    let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let (signed, signature) = token.unwrap().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
    match key.verify_sig(signed.as_bytes(), &signature) {
        Ok(()) => whoami(),
        Err(_) => HttpResponse::Unauthorized().finish(),
    }
}

fn whoami() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "user_id": "11111111-2222-4333-8444-000000000001", "email": "user1@example.com",
    }))
}

#[library_benchmark]
#[bench::bare(args = ("/none", ""), setup = bare)]
#[bench::bare_signature(args = ("/rsa", ""), setup = bare)]
#[bench::bare_rejected(args = ("/rsa", "signature"), setup = bare)]
#[bench::livez(args = ("0", "/livez", ""), setup = server)]
#[bench::cached(args = ("100", "/protected", ""), setup = server)]
#[bench::cache_off(args = ("0", "/protected", ""), setup = server)]
#[bench::invalid_signature(args = ("0", "/protected", "signature"), setup = server)]
#[bench::malformed(args = ("0", "/protected", "format"), setup = server)]
fn request(mut call: Call) -> (StatusCode, Call) {
    let status = call.runtime.block_on(black_box(&mut call.response));
    (status, call)
}

library_benchmark_group!(name = requests, benchmarks = [request]);
main!(library_benchmark_groups = requests);
