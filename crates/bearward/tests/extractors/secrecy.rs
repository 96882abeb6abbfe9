//! No answer and no line of the log holds a token, a part of one, or the value of a claim, whatever
//! the claims are made of.

use actix_web::{
    App,
    test::{TestRequest, call_service, init_service},
    web::{self, ServiceConfig},
};
use bearward::{CookieSource, Require};
use bearward_testing::{KeyPair, Token};
use serde_json::{Value, json};

use crate::{
    log::Log,
    requirements::{Admin, routes},
    wire::{Answer, get},
    world::{World, me, world, world_with},
};

/// What a value would do in a header, in a quoted string, in JSON, in HTML and in a terminal.
const EVIL: [&str; 6] = [
    "EVIL\r\nX-Injected: yes\r\n\r\n<html>",
    "EVIL\", error=\"none\", realm=\"EVIL",
    "EVIL\\\",\"success\":true,\"x\":\"",
    "<script>EVIL</script>",
    "\u{1b}[31mEVIL\u{0}\u{7f}",
    "\u{202e}EVIL\u{1f43b}\u{e4}",
];

/// Tokens with `evil` in every place where something is compared, mapped, or told to operators:
/// rightly signed and not.
fn hostile_tokens(world: &World, evil: &str) -> Vec<String> {
    let token = || world.token();
    let key = world.idp.key();
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
        // Accepted by the verifier, refused by the routes' requirements.
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
    let mut others = vec![token().issuer(evil), token().email(evil), token().kid(evil)];
    tokens.extend(others.drain(..).flat_map(|token| {
        [
            token.clone().signed_by_stranger(),
            token.clone().alg_none(),
            token.unsigned(),
        ]
    }));
    tokens
}

fn tells_nothing(answer: &Answer, token: &str) {
    let raw = String::from_utf8_lossy(&answer.raw);
    assert!(answer.status >= 400, "{answer:?}");
    assert!(
        !raw.to_lowercase().contains("evil") && !raw.to_lowercase().contains("injected"),
        "{answer:?}"
    );
    for part in token.split('.').filter(|part| part.len() > 3) {
        assert!(!raw.contains(part), "{answer:?} holds {part:?}");
    }
    assert!(answer.body.is_ascii(), "{answer:?}");
}

fn requiring_routes(config: &mut ServiceConfig) {
    config.configure(routes);
}

#[actix_web::test]
async fn no_answer_holds_a_token_or_a_claim() {
    let world = world_with(|builder| {
        builder
            .cookie(CookieSource::new("session", ["https://app.example.com"]))
            .resource("https://api.example.com/orders".parse().unwrap())
    })
    .await;
    let auth = world.auth.clone();
    let server = world.serve(move |config| {
        requiring_routes(config);
        config.service(
            web::scope("/guarded")
                .wrap(auth.require::<Admin>())
                .route("", web::get().to(me)),
        );
    });
    let mut refused = 0;
    for evil in EVIL {
        for token in hostile_tokens(&world, evil) {
            let is_field = token
                .bytes()
                .all(|byte| byte == b'\t' || byte > 31 && byte != 127);
            for path in ["/admin", "/reader", "/two-factors", "/paying", "/guarded"] {
                if is_field {
                    tells_nothing(&server.send(get(path).bearer(&token)).await, &token);
                    refused += 1;
                }
            }
            if is_field && !token.contains(';') {
                tells_nothing(
                    &server
                        .send(get("/admin").header("cookie", format!("session={token}")))
                        .await,
                    &token,
                );
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[actix_web::test]
async fn no_answer_holds_what_other_headers_say() {
    let world = world().await;
    let server = world.plain();
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
        tells_nothing(&server.send(request).await, "EVIL");
    }
}

#[actix_web::test]
async fn no_line_of_the_log_holds_a_token_or_a_claim() {
    let world = world().await;
    let log = Log::listen_to("bearward");
    let app = init_service(App::new().app_data(world.auth.clone()).configure(routes)).await;
    let mut tokens: Vec<String> = EVIL
        .iter()
        .flat_map(|evil| hostile_tokens(&world, evil))
        .collect();
    tokens.push(world.token().claim("plan", 7).claim("EVIL", "EVIL").sign());
    tokens.push(
        world
            .token()
            .key(KeyPair::foreign_key(&world.idp.key()))
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
            assert!(
                call_service(
                    &app,
                    request.insert_header(("authorization", value)).to_request()
                )
                .await
                .status()
                .is_client_error()
            );
        }
    }
    let lines = log.lines();
    assert!(
        lines.iter().any(|line| line.contains("does not match")),
        "the listener hears nothing: {lines:?}"
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
async fn a_refusal_shows_no_token_when_it_is_debugged() {
    use actix_web::FromRequest;
    let world = world().await;
    for token in hostile_tokens(&world, "EVIL")
        .into_iter()
        .filter(|token| token.len() > 100)
    {
        let request = TestRequest::get()
            .app_data(world.auth.clone())
            .insert_header(("authorization", format!("Bearer {token}")));
        let Err(refused) = Require::<Admin>::extract(&request.to_http_request()).await else {
            panic!("accepted")
        };
        let shown = format!("{refused:?} {refused}");
        assert!(
            !token
                .split('.')
                .any(|part| part.len() > 8 && shown.contains(part)),
            "{shown}"
        );
    }
}
