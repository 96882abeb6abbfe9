//! Rule 1, header: exactly one Authorization header with the scheme Bearer and one token. The query
//! and the body are not read.

use actix_web::test::TestRequest;
use bearward::{AuthError, Principal};
use test_support::raw_http::{get, post, request};

use crate::test_app::TestApp;

fn unauthorized(code: &str) -> (u16, String) {
    (401, code.to_owned())
}

#[actix_web::test]
async fn one_bearer_token_is_accepted() {
    let test_app = TestApp::start().await;
    let response = test_app
        .serve_default()
        .send(get("/me").bearer(&test_app.valid_token()))
        .await;
    assert_eq!((response.status, response.body.as_str()), (200, "ada"));
}

#[actix_web::test]
async fn two_authorization_headers_are_rejected() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for (first, second) in [
        (
            format!("Bearer {valid_token}"),
            format!("Bearer {valid_token}"),
        ),
        (format!("Bearer {valid_token}"), "Basic YTpi".to_owned()),
        ("Basic YTpi".to_owned(), format!("Bearer {valid_token}")),
        (format!("Bearer {valid_token}"), String::new()),
        ("Basic YTpi".to_owned(), "Basic YTpi".to_owned()),
    ] {
        for path in ["/me", "/maybe"] {
            let response = server
                .send(
                    get(path)
                        .header("authorization", &first)
                        .header("AUTHORIZATION", &second),
                )
                .await;
            assert_eq!(
                response.error(),
                (400, "INVALID_REQUEST".to_owned()),
                "{path}: {first} {second}"
            );
            assert_eq!(
                response.challenge().unwrap().parameter("error"),
                Some("invalid_request")
            );
        }
    }
}

#[actix_web::test]
async fn the_scheme_is_case_insensitive() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for scheme in ["Bearer", "bearer", "BEARER", "BeArEr"] {
        let response = server
            .send(get("/me").header("authorization", format!("{scheme} {valid_token}")))
            .await;
        assert_eq!(response.status, 200, "{scheme}");
    }
}

#[actix_web::test]
async fn scheme_and_token_are_separated_by_spaces_only() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for spaces in [" ", "  ", "          "] {
        let response = server
            .send(get("/me").header("authorization", format!("Bearer{spaces}{valid_token}")))
            .await;
        assert_eq!(response.status, 200, "{} spaces", spaces.len());
    }
    for between in ["\t", " \t", "\t ", ":", ": ", "=", ",", ", "] {
        for path in ["/me", "/maybe"] {
            let response = server
                .send(get(path).header("authorization", format!("Bearer{between}{valid_token}")))
                .await;
            assert_eq!(
                response.error(),
                unauthorized("MALFORMED_TOKEN"),
                "{path} {between:?}"
            );
        }
    }
}

#[actix_web::test]
async fn whitespace_around_the_field_value_is_ignored() {
    // RFC 9110 §5.5: the HTTP/1.1 parser removes it.
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for (before, after) in [("", " "), ("", "\t"), ("   ", ""), ("\t", " \t ")] {
        let response = server
            .send(get("/me").header(
                "authorization",
                format!("{before}Bearer {valid_token}{after}"),
            ))
            .await;
        assert_eq!(response.status, 200, "{before:?} {after:?}");
    }
}

#[actix_web::test]
async fn trailing_whitespace_in_the_value_is_rejected() {
    // HTTP/2 can transfer such a value.
    let test_app = TestApp::start().await;
    for end in [" ", "\t", " x"] {
        let value = format!("Bearer {}{end}", test_app.valid_token());
        assert_eq!(
            extraction_error(&test_app, value.as_bytes()).await,
            AuthError::BadAuthorization,
            "{end:?}"
        );
    }
}

#[actix_web::test]
async fn anything_but_one_token_is_rejected() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    let cases: [Vec<u8>; 12] = [
        b"Bearer".to_vec(),
        b"bearer".to_vec(),
        format!("Bearer {valid_token} {valid_token}").into_bytes(),
        format!("Bearer {valid_token},{valid_token}").into_bytes(),
        format!("Bearer {valid_token}, Basic YTpi").into_bytes(),
        format!("Bearer {valid_token},").into_bytes(),
        format!("Bearer ,{valid_token}").into_bytes(),
        format!("Bearer {valid_token}\t{valid_token}").into_bytes(),
        format!("Bearer Bearer {valid_token}").into_bytes(),
        format!("Bearer realm=\"x\", token={valid_token}").into_bytes(),
        format!("Bearer \"{valid_token}\"").into_bytes(),
        format!("Bearer <{valid_token}>").into_bytes(),
    ];
    for value in cases {
        for path in ["/me", "/maybe"] {
            let response = server.send(get(path).header("authorization", &value)).await;
            assert_eq!(
                response.error(),
                unauthorized("MALFORMED_TOKEN"),
                "{path}: {}",
                String::from_utf8_lossy(&value)
            );
            assert_eq!(
                response.challenge().unwrap().parameter("error"),
                Some("invalid_token")
            );
        }
    }
}

#[actix_web::test]
async fn non_ascii_bytes_are_rejected() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for bytes in [
        "\u{e4}".as_bytes(),
        b"\xff",
        "\u{feff}".as_bytes(),
        "\u{a0}".as_bytes(),
    ] {
        for value in [
            [b"Bearer ", valid_token.as_bytes(), bytes].concat(),
            [b"Bearer ", bytes, valid_token.as_bytes()].concat(),
        ] {
            let response = server
                .send(get("/maybe").header("authorization", &value))
                .await;
            assert_eq!(
                response.error(),
                unauthorized("MALFORMED_TOKEN"),
                "{}",
                String::from_utf8_lossy(&value)
            );
        }
    }
    // Unicode whitespace does not end the scheme, and similar letters are not folded.
    let response = server
        .send(get("/maybe").header("authorization", format!("Bearer\u{a0}{valid_token}")))
        .await;
    assert_eq!(response.error(), unauthorized("MALFORMED_TOKEN"));
    let response = server
        .send(get("/me").header("authorization", format!("B\u{435}arer {valid_token}")))
        .await;
    assert_eq!(response.error(), unauthorized("MISSING_TOKEN"));
}

#[actix_web::test]
async fn other_schemes_are_ignored() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for value in [
        "Basic YWRhOnNlY3JldA==".to_owned(),
        format!("DPoP {valid_token}"),
        format!("Token {valid_token}"),
        format!("Bearers {valid_token}"),
        format!("Bearer-{valid_token}"),
        format!("xBearer {valid_token}"),
        "Negotiate".to_owned(),
        valid_token.clone(),
        String::new(),
    ] {
        let response = server
            .send(get("/me").header("authorization", &value))
            .await;
        assert_eq!(response.error(), unauthorized("MISSING_TOKEN"), "{value}");
        assert_eq!(
            response.challenge().unwrap().parameter("error"),
            None,
            "RFC 6750 §3.1: no error code"
        );
        let response = server
            .send(get("/maybe").header("authorization", &value))
            .await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (200, "anonymous"),
            "{value}"
        );
    }
}

#[actix_web::test]
async fn a_token_in_the_query_is_never_read() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for name in ["access_token", "token", "bearer", "authorization"] {
        let response = server.send(get(&format!("/me?{name}={valid_token}"))).await;
        assert_eq!(response.error(), unauthorized("MISSING_TOKEN"), "{name}");
        let response = server
            .send(get(&format!("/maybe?{name}={valid_token}")))
            .await;
        assert_eq!(response.body, "anonymous", "{name}");
        // It does not count as a second credential.
        assert_eq!(
            server
                .send(get(&format!("/me?{name}={valid_token}")).bearer(&valid_token))
                .await
                .status,
            200,
            "{name}"
        );
    }
}

#[actix_web::test]
async fn a_token_in_a_form_body_is_never_read() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    let form = format!("access_token={valid_token}");
    let response = server
        .send(post("/me").body("application/x-www-form-urlencoded", &form))
        .await;
    assert_eq!(response.error(), unauthorized("MISSING_TOKEN"));
    let response = server
        .send(post("/maybe").body("application/x-www-form-urlencoded", &form))
        .await;
    assert_eq!(response.body, "anonymous");
    let response = server
        .send(
            post("/me")
                .bearer(&valid_token)
                .body("application/x-www-form-urlencoded", &form),
        )
        .await;
    assert_eq!(response.status, 200);
}

#[actix_web::test]
async fn other_headers_are_ignored() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for name in [
        "proxy-authorization",
        "x-authorization",
        "x-access-token",
        "authentication",
        "cookie",
        "apikey",
        "x-forwarded-authorization",
    ] {
        let response = server
            .send(get("/me").header(name, format!("Bearer {valid_token}")))
            .await;
        assert_eq!(response.error(), unauthorized("MISSING_TOKEN"), "{name}");
    }
}

#[actix_web::test]
async fn every_method_requires_a_token() {
    let test_app = TestApp::start().await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ] {
        assert_eq!(
            server
                .send(request(method, "/me").bearer(&valid_token))
                .await
                .status,
            200,
            "{method}"
        );
        assert_eq!(
            server.send(request(method, "/me")).await.error(),
            unauthorized("MISSING_TOKEN"),
            "{method}"
        );
    }
}

async fn extraction_error(test_app: &TestApp, authorization: &[u8]) -> AuthError {
    let value = actix_web::http::header::HeaderValue::from_bytes(authorization).unwrap();
    let request = TestRequest::get()
        .app_data(test_app.auth.clone())
        .insert_header(("authorization", value))
        .to_http_request();
    Principal::<bearward::NoCustomClaims>::extract(&request)
        .await
        .unwrap_err()
        .error()
        .clone()
}
