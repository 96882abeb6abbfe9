//! Rule 1, cookie: read only if configured; unsafe methods require an allowed origin.

use bearward::{Bearward, CookieError, CookieSource};
use test_support::raw_http::{Request, get, request};

use crate::{
    test_app::TestApp,
    test_server::{Response, TestServer},
};

const APP: &str = "https://app.example.com";

async fn app_with_cookie() -> (TestApp, TestServer, String) {
    let test_app = TestApp::start_with(|builder| {
        builder.cookie(CookieSource::new("session", [APP, "http://localhost:3000"]))
    })
    .await;
    let (server, valid_token) = (test_app.serve_default(), test_app.valid_token());
    (test_app, server, valid_token)
}

fn with_cookie(request: Request, token: &str) -> Request {
    request.header("cookie", format!("session={token}"))
}

fn assert_origin_refused(response: &Response) {
    assert_eq!(response.error(), (403, "ORIGIN_REFUSED".to_owned()));
    assert_eq!(
        response.challenge(),
        None,
        "no challenge, because another token would not help"
    );
}

#[actix_web::test]
async fn a_cookie_is_read_only_if_configured() {
    let (_world, server, valid_token) = app_with_cookie().await;
    assert_eq!(
        server
            .send(with_cookie(get("/me"), &valid_token))
            .await
            .body,
        "ada"
    );

    let unconfigured = TestApp::start().await;
    let (server, valid_token) = (unconfigured.serve_default(), unconfigured.valid_token());
    assert_eq!(
        server
            .send(with_cookie(get("/me"), &valid_token))
            .await
            .error(),
        (401, "MISSING_TOKEN".to_owned())
    );
    assert_eq!(
        server
            .send(with_cookie(get("/maybe"), &valid_token))
            .await
            .body,
        "anonymous"
    );
    assert_eq!(
        server
            .send(with_cookie(get("/me"), "x").bearer(&valid_token))
            .await
            .status,
        200,
        "the cookie does not count as a second credential"
    );
}

#[actix_web::test]
async fn the_cookie_is_found_by_its_exact_name() {
    let (_world, server, valid_token) = app_with_cookie().await;
    let accepted = [
        format!("a=1; session={valid_token}; b=2"),
        format!("a=1;session={valid_token}"),
        format!("  session={valid_token} ; b=2"),
        format!("a; =; ;; session={valid_token}"),
        format!("session=\"{valid_token}\""),
        format!("mysession=x; session2=x; SESSION=x; session={valid_token}"),
    ];
    for cookies in accepted {
        assert_eq!(
            server
                .send(get("/me").header("cookie", &cookies))
                .await
                .body,
            "ada",
            "{cookies}"
        );
    }
    for cookies in [
        format!("Session={valid_token}"),
        format!("session2={valid_token}"),
        format!("my-session={valid_token}"),
        format!("a=\"; session2={valid_token}\""),
    ] {
        assert_eq!(
            server
                .send(get("/maybe").header("cookie", &cookies))
                .await
                .body,
            "anonymous",
            "{cookies}"
        );
    }
}

#[actix_web::test]
async fn invalid_bytes_in_other_cookies_are_ignored() {
    let (_world, server, valid_token) = app_with_cookie().await;
    let cookies = [
        b"theme=\xe4\xff; session=",
        valid_token.as_bytes(),
        b"; name=M\xc3\xbcller",
    ]
    .concat();
    assert_eq!(
        server
            .send(get("/me").header("cookie", &cookies))
            .await
            .body,
        "ada"
    );
}

#[actix_web::test]
async fn several_cookie_headers_are_combined() {
    // RFC 9113 §8.2.3: HTTP/2 may split the field.
    let (_world, server, valid_token) = app_with_cookie().await;
    let response = server
        .send(
            get("/me")
                .header("cookie", "a=1")
                .header("cookie", format!("session={valid_token}"))
                .header("cookie", "b=2"),
        )
        .await;
    assert_eq!(response.body, "ada");
}

#[actix_web::test]
async fn an_invalid_cookie_is_rejected() {
    let (test_app, server, valid_token) = app_with_cookie().await;
    for value in [
        test_app.token().expired().sign(),
        test_app.token().tampered(),
        "x".to_owned(),
        format!("{valid_token}x"),
        format!("Bearer {valid_token}"),
    ] {
        for path in ["/me", "/maybe"] {
            let response = server.send(with_cookie(get(path), &value)).await;
            assert_eq!(response.status, 401, "{path}: {value}");
            assert_eq!(
                response.challenge().unwrap().parameter("error"),
                Some("invalid_token")
            );
        }
    }
    let response = server
        .send(get("/maybe").header(
            "cookie",
            [b"session=", valid_token.as_bytes(), b"\xff"].concat(),
        ))
        .await;
    assert_eq!(response.error(), (401, "MALFORMED_TOKEN".to_owned()));
}

#[actix_web::test]
async fn an_empty_cookie_is_ignored() {
    let (_world, server, valid_token) = app_with_cookie().await;
    for cookie in ["session=", "session=\"\"", "session= ", "session"] {
        assert_eq!(
            server
                .send(get("/maybe").header("cookie", cookie))
                .await
                .body,
            "anonymous",
            "{cookie}"
        );
        let response = server.send(get("/me").header("cookie", cookie)).await;
        assert_eq!(
            response.error(),
            (401, "MISSING_TOKEN".to_owned()),
            "{cookie}"
        );
        assert_eq!(
            server
                .send(get("/me").header("cookie", cookie).bearer(&valid_token))
                .await
                .status,
            200,
            "{cookie}"
        );
    }
}

#[actix_web::test]
async fn header_and_cookie_together_are_rejected() {
    let (_world, server, valid_token) = app_with_cookie().await;
    for value in [valid_token.as_str(), "x"] {
        let response = server
            .send(with_cookie(get("/maybe"), value).bearer(&valid_token))
            .await;
        assert_eq!(response.error(), (400, "INVALID_REQUEST".to_owned()));
    }
    let response = server
        .send(with_cookie(get("/me"), &valid_token).header("authorization", "Basic YTpi"))
        .await;
    assert_eq!(
        response.status, 200,
        "another scheme does not count as a second credential"
    );
    let response = server
        .send(with_cookie(get("/me"), &valid_token).header("authorization", "Bearer"))
        .await;
    assert_eq!(response.error(), (401, "MALFORMED_TOKEN".to_owned()));
}

#[actix_web::test]
async fn duplicate_cookies_are_rejected() {
    let (_world, server, valid_token) = app_with_cookie().await;
    for other in [valid_token.as_str(), "x", "", "\"\""] {
        let response = server
            .send(get("/maybe").header("cookie", format!("session={valid_token}; session={other}")))
            .await;
        assert_eq!(
            response.error(),
            (400, "INVALID_REQUEST".to_owned()),
            "{other}"
        );
        let response = server
            .send(
                get("/me")
                    .header("cookie", format!("session={other}"))
                    .header("cookie", format!("session={valid_token}")),
            )
            .await;
        assert_eq!(
            response.error(),
            (400, "INVALID_REQUEST".to_owned()),
            "{other}"
        );
    }
    let response = server
        .send(get("/me").header(
            "cookie",
            [b"session=\xff; session=", valid_token.as_bytes()].concat(),
        ))
        .await;
    assert_eq!(response.error(), (400, "INVALID_REQUEST".to_owned()));
}

#[actix_web::test]
async fn safe_methods_need_no_origin() {
    let (_world, server, valid_token) = app_with_cookie().await;
    for method in ["GET", "OPTIONS", "TRACE"] {
        assert_eq!(
            server
                .send(with_cookie(request(method, "/me"), &valid_token))
                .await
                .status,
            200,
            "{method}"
        );
        let cross_site = with_cookie(request(method, "/me"), &valid_token)
            .header("origin", "https://evil.example");
        assert_eq!(
            server.send(cross_site).await.status,
            200,
            "{method}: CORS prevents reading the response"
        );
    }
}

#[actix_web::test]
async fn unsafe_methods_need_an_allowed_origin() {
    let (_world, server, valid_token) = app_with_cookie().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        for origin in [APP, "http://localhost:3000"] {
            let response = server
                .send(with_cookie(request(method, "/me"), &valid_token).header("origin", origin))
                .await;
            assert_eq!(response.status, 200, "{method} {origin}");
        }
        assert_origin_refused(
            &server
                .send(with_cookie(request(method, "/me"), &valid_token))
                .await,
        );
        assert_origin_refused(
            &server
                .send(with_cookie(request(method, "/maybe"), &valid_token))
                .await,
        );
        for origin in [
            "",
            "null",
            "https://evil.example",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com:443",
            "https://app.example.com.evil.example",
            "https://evil.example/https://app.example.com",
            "https://sub.app.example.com",
            "https://app.example.com/",
            "https://APP.example.com",
            "https://app.example.com https://evil.example",
            "https://app.example.com, https://app.example.com",
            "http://localhost",
            "http://localhost:30000",
            "http://127.0.0.1:3000",
        ] {
            assert_origin_refused(
                &server
                    .send(
                        with_cookie(request(method, "/me"), &valid_token).header("origin", origin),
                    )
                    .await,
            );
        }
    }
}

#[actix_web::test]
async fn two_origin_headers_are_rejected() {
    let (_world, server, valid_token) = app_with_cookie().await;
    let base = with_cookie(request("POST", "/me"), &valid_token);
    assert_origin_refused(
        &server
            .send(base.clone().header("origin", APP).header("origin", APP))
            .await,
    );
    assert_origin_refused(
        &server
            .send(
                base.clone()
                    .header("origin", APP)
                    .header("origin", "https://evil.example"),
            )
            .await,
    );
    assert_origin_refused(
        &server
            .send(
                base.header("origin", "https://evil.example")
                    .header("origin", APP),
            )
            .await,
    );
}

#[actix_web::test]
async fn no_other_header_replaces_the_origin() {
    let (_world, server, valid_token) = app_with_cookie().await;
    let base = with_cookie(request("POST", "/me"), &valid_token);
    for (name, value) in [
        ("referer", "https://app.example.com/"),
        ("sec-fetch-site", "same-origin"),
        ("x-forwarded-host", "app.example.com"),
    ] {
        assert_origin_refused(&server.send(base.clone().header(name, value)).await);
    }
    assert_origin_refused(
        &server
            .send(base.header("x-http-method-override", "GET"))
            .await,
    );
}

#[actix_web::test]
async fn a_websocket_handshake_needs_an_allowed_origin() {
    let (_world, server, valid_token) = app_with_cookie().await;
    let handshake = || with_cookie(get("/me"), &valid_token).header("upgrade", "websocket");
    assert_origin_refused(&server.send(handshake()).await);
    assert_origin_refused(
        &server
            .send(handshake().header("origin", "https://evil.example"))
            .await,
    );
    assert_eq!(
        server.send(handshake().header("origin", APP)).await.status,
        200
    );
}

#[actix_web::test]
async fn a_token_in_the_header_needs_no_origin() {
    let (_world, server, valid_token) = app_with_cookie().await;
    for origin in ["https://evil.example", "null"] {
        assert_eq!(
            server
                .send(
                    request("POST", "/me")
                        .bearer(&valid_token)
                        .header("origin", origin)
                )
                .await
                .status,
            200
        );
    }
    assert_eq!(
        server
            .send(request("POST", "/me").bearer(&valid_token))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn the_origin_is_checked_before_the_token() {
    // A cross-site page learns nothing about the state of the session.
    let (test_app, server, _good) = app_with_cookie().await;
    for token in [test_app.token().expired().sign(), "x".to_owned()] {
        assert_origin_refused(
            &server
                .send(with_cookie(request("POST", "/me"), &token))
                .await,
        );
    }
}

#[actix_web::test]
async fn an_invalid_cookie_configuration_is_a_build_error() {
    let test_app = TestApp::start().await;
    let build = |cookie| {
        Bearward::builder()
            .issuer(test_app.idp.as_issuer())
            .cookie(cookie)
            .build()
    };
    assert!(build(CookieSource::new("session", [APP])).await.is_ok());
    let error = build(CookieSource::new(
        "session",
        [APP, "https://app.example.com/"],
    ))
    .await
    .unwrap_err();
    let expected = CookieError::Origin("https://app.example.com/".to_owned());
    assert!(
        matches!(&error, bearward::BuildError::Cookie(found) if *found == expected),
        "{error}"
    );
    let error = build(CookieSource::new("my session", [APP]))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        bearward::BuildError::Cookie(CookieError::Name(_))
    ));
}
