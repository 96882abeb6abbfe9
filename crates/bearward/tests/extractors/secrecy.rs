//! Responses and log lines contain no tokens, parts of tokens, or claim values, even for hostile
//! values.

use actix_web::{
    App,
    test::{TestRequest, call_service, init_service},
    web::{self, ServiceConfig},
};
use bearward::{CookieSource, Require};
use bearward_testing::{KeyPair, Token};
use serde_json::{Value, json};
use test_support::{log_capture::LogCapture, raw_http::get};

use crate::{
    requirements::{Admin, routes},
    test_app::{TestApp, me},
    test_server::Response,
};

/// Injection attempts for headers, quoted strings, JSON, HTML and terminals.
const HOSTILE_VALUES: [&str; 6] = [
    "EVIL\r\nX-Injected: yes\r\n\r\n<html>",
    "EVIL\", error=\"none\", realm=\"EVIL",
    "EVIL\\\",\"success\":true,\"x\":\"",
    "<script>EVIL</script>",
    "\u{1b}[31mEVIL\u{0}\u{7f}",
    "\u{202e}EVIL\u{1f43b}\u{e4}",
];

/// Returns tokens with `evil` in every member that is compared, mapped, or logged, with valid and
/// invalid signatures.
fn hostile_tokens(test_app: &TestApp, evil: &str) -> Vec<String> {
    let token = || test_app.token();
    let key = test_app.idp.key();
    let mut tokens = vec![
        token().header("x", evil).issuer(evil).sign(),
        token().header("typ", evil).sign(),
        token().header("alg", evil).sign(),
        token().header("crit", json!([evil])).sign(),
        token()
            .header("jku", evil)
            .header("x5u", evil)
            .audience("elsewhere")
            .sign(),
        token()
            .header(evil, evil)
            .claim(evil, evil)
            .audience("elsewhere")
            .sign(),
        token().kid(evil).sign(),
        token().claim("aud", json!([evil, evil])).sign(),
        token().claim("exp", evil).sign(),
        token().claim("nbf", evil).sign(),
        token().claim("iat", json!({ evil: evil })).sign(),
        token().sub(&format!("{evil}{}", "x".repeat(300))).sign(),
        token().sub(&format!("{evil}\n")).sign(),
        token().claim("cnf", evil).sign(),
        // Accepted by the verifier, rejected by the requirements of the routes.
        token()
            .email(evil)
            .role(evil)
            .scope(evil)
            .aal(evil)
            .claim("plan", evil)
            .sign(),
        token()
            .claim("session_id", evil)
            .claim("role", evil)
            .claim("plan", json!({ evil: evil }))
            .sign(),
        token()
            .claim("scope", json!([evil]))
            .claim("plan", evil)
            .claim("seats", evil)
            .sign(),
        evil.to_owned(),
        format!("{evil}.{evil}.{evil}"),
    ];
    for raw in [
        format!("{{\"alg\": \"{evil}"),
        "{\"alg\":\"ES256\",\"alg\":\"EVIL\"}".to_owned(),
    ] {
        tokens.push(Token::raw(raw, evil).sign(&key));
    }
    tokens.push(
        Token::raw(
            Value::from(token().header_members().clone()).to_string(),
            format!("{{\"iss\": {evil}"),
        )
        .sign(&key),
    );
    let mut unsigned = vec![token().issuer(evil), token().email(evil), token().kid(evil)];
    tokens.extend(unsigned.drain(..).flat_map(|token| {
        [
            token.clone().signed_by_stranger(),
            token.clone().alg_none(),
            token.unsigned(),
        ]
    }));
    tokens
}

fn assert_no_leak(response: &Response, token: &str) {
    let raw = String::from_utf8_lossy(&response.raw);
    assert!(response.status >= 400, "{response:?}");
    assert!(
        !raw.to_lowercase().contains("evil") && !raw.to_lowercase().contains("injected"),
        "{response:?}"
    );
    for part in token.split('.').filter(|part| part.len() > 3) {
        assert!(!raw.contains(part), "{response:?} contains {part:?}");
    }
    assert!(response.body.is_ascii(), "{response:?}");
}

fn requiring_routes(config: &mut ServiceConfig) {
    config.configure(routes);
}

#[actix_web::test]
async fn responses_contain_no_token_or_claim() {
    let test_app = TestApp::start_with(|builder| {
        builder
            .cookie(CookieSource::new("session", ["https://app.example.com"]))
            .resource("https://api.example.com/orders".parse().unwrap())
    })
    .await;
    let auth = test_app.auth.clone();
    let server = test_app.serve(move |config| {
        requiring_routes(config);
        config.service(
            web::scope("/guarded")
                .wrap(auth.require::<Admin>())
                .route("", web::get().to(me)),
        );
    });
    let mut responses = 0;
    for evil in HOSTILE_VALUES {
        for token in hostile_tokens(&test_app, evil) {
            let is_field = token
                .bytes()
                .all(|byte| byte == b'\t' || byte > 31 && byte != 127);
            for path in ["/admin", "/reader", "/two-factors", "/paying", "/guarded"] {
                if is_field {
                    assert_no_leak(&server.send(get(path).bearer(&token)).await, &token);
                    responses += 1;
                }
            }
            if is_field && !token.contains(';') {
                assert_no_leak(
                    &server
                        .send(get("/admin").header("cookie", format!("session={token}")))
                        .await,
                    &token,
                );
            }
        }
    }
    assert!(responses > 500, "{responses}");
}

#[actix_web::test]
async fn responses_do_not_echo_request_headers() {
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
    for request in [
        get("/me?EVIL=EVIL#EVIL")
            .header("x-request-id", "EVIL")
            .header("origin", "https://EVIL.example")
            .header("user-agent", "EVIL"),
        get("/me").header("authorization", "EVIL EVIL"),
        get("/me").header("authorization", "Bearer EVIL EVIL"),
        get("/me")
            .header("authorization", "Basic EVIL")
            .header("authorization", "Basic EVIL"),
    ] {
        assert_no_leak(&server.send(request).await, "EVIL");
    }
}

#[actix_web::test]
async fn the_log_contains_no_token_or_claim() {
    let test_app = TestApp::start().await;
    let log = LogCapture::start("bearward");
    let app = init_service(App::new().app_data(test_app.auth.clone()).configure(routes)).await;
    let mut tokens: Vec<String> = HOSTILE_VALUES
        .iter()
        .flat_map(|evil| hostile_tokens(&test_app, evil))
        .collect();
    tokens.push(
        test_app
            .token()
            .claim("plan", 7)
            .claim("EVIL", "EVIL")
            .sign(),
    );
    tokens.push(
        test_app
            .token()
            .key(KeyPair::foreign_key(&test_app.idp.key()))
            .email("EVIL@example.com")
            .sign(),
    );
    for token in &tokens {
        for path in ["/admin", "/reader", "/two-factors", "/paying"] {
            let request = TestRequest::get().uri(path);
            let Ok(value) =
                actix_web::http::header::HeaderValue::try_from(format!("Bearer {token}"))
            else {
                continue;
            };
            let request = request.insert_header(("authorization", value)).to_request();
            let status = call_service(&app, request).await.status();
            // 503 if the rate limit prevents the lookup of an unknown key.
            assert!(status.is_client_error() || status == 503, "{status}");
        }
    }
    let lines = log.lines();
    assert!(
        lines.iter().any(|line| line.contains("does not match")),
        "nothing was captured: {lines:?}"
    );
    for line in lines {
        assert!(!line.contains("EVIL"), "{line}");
        assert!(
            !tokens
                .iter()
                .flat_map(|token| token.split('.'))
                .any(|part| part.len() > 8 && line.contains(part)),
            "{line}"
        );
    }
}

#[actix_web::test]
async fn debug_output_of_a_rejection_contains_no_token() {
    use actix_web::FromRequest;
    let test_app = TestApp::start().await;
    for token in hostile_tokens(&test_app, "EVIL")
        .into_iter()
        .filter(|token| token.len() > 100)
    {
        let request = TestRequest::get()
            .app_data(test_app.auth.clone())
            .insert_header(("authorization", format!("Bearer {token}")));
        let Err(rejection) = Require::<Admin>::extract(&request.to_http_request()).await else {
            panic!("accepted")
        };
        let printed = format!("{rejection:?} {rejection}");
        assert!(
            !token
                .split('.')
                .any(|part| part.len() > 8 && printed.contains(part)),
            "{printed}"
        );
    }
}
