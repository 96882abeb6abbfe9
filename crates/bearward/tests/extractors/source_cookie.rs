//! Rule 1 of verification, the cookie: read only where it is configured, and used for changes only
//! by a listed origin.

use {Bearward, CookieError, CookieSource};

use crate::{
    wire::{Answer, Request, Server, get, request},
    world::{World, world, world_with},
};

const APP: &str = "https://app.example.com";

async fn world_with_cookie() -> (World, Server, String) {
    let world = world_with(|builder| {
        builder.cookie(CookieSource::new("session", [APP, "http://localhost:3000"]))
    })
    .await;
    let (server, good) = (world.plain(), world.good());
    (world, server, good)
}

fn with_cookie(request: Request, token: &str) -> Request {
    request.header("cookie", format!("session={token}"))
}

fn origin_refused(answer: &Answer) {
    assert_eq!(answer.refusal(), (403, "ORIGIN_REFUSED".to_owned()));
    assert_eq!(answer.challenge(), None, "another token would not help");
}

#[actix_web::test]
async fn a_cookie_is_read_only_where_it_is_configured() {
    let (_world, server, good) = world_with_cookie().await;
    assert_eq!(
        server.send(with_cookie(get("/me"), &good)).await.body,
        "ada"
    );

    let without = world().await;
    let (server, good) = (without.plain(), without.good());
    assert_eq!(
        server.send(with_cookie(get("/me"), &good)).await.refusal(),
        (401, "MISSING_TOKEN".to_owned())
    );
    assert_eq!(
        server.send(with_cookie(get("/maybe"), &good)).await.body,
        "nobody"
    );
    assert_eq!(
        server
            .send(with_cookie(get("/me"), "x").bearer(&good))
            .await
            .status,
        200,
        "it is no second credential either"
    );
}

#[actix_web::test]
async fn the_cookie_is_found_among_others_by_its_exact_name() {
    let (_world, server, good) = world_with_cookie().await;
    let accepted = [
        format!("a=1; session={good}; b=2"),
        format!("a=1;session={good}"),
        format!("  session={good} ; b=2"),
        format!("a; =; ;; session={good}"),
        format!("session=\"{good}\""),
        format!("mysession=x; session2=x; SESSION=x; session={good}"),
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
        format!("Session={good}"),
        format!("session2={good}"),
        format!("my-session={good}"),
        format!("a=\"; session2={good}\""),
    ] {
        assert_eq!(
            server
                .send(get("/maybe").header("cookie", &cookies))
                .await
                .body,
            "nobody",
            "{cookies}"
        );
    }
}

#[actix_web::test]
async fn what_another_cookie_holds_does_not_hide_the_session() {
    let (_world, server, good) = world_with_cookie().await;
    let cookies = [
        b"theme=\xe4\xff; session=",
        good.as_bytes(),
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
async fn several_cookie_headers_are_read_as_one() {
    // RFC 9113 §8.2.3: HTTP/2 may split the header.
    let (_world, server, good) = world_with_cookie().await;
    let answer = server
        .send(
            get("/me")
                .header("cookie", "a=1")
                .header("cookie", format!("session={good}"))
                .header("cookie", "b=2"),
        )
        .await;
    assert_eq!(answer.body, "ada");
}

#[actix_web::test]
async fn a_bad_cookie_is_refused_and_not_overlooked() {
    let (world, server, good) = world_with_cookie().await;
    for value in [
        world.token().expired().sign(),
        world.token().tampered(),
        "x".to_owned(),
        format!("{good}x"),
        format!("Bearer {good}"),
    ] {
        for path in ["/me", "/maybe"] {
            let answer = server.send(with_cookie(get(path), &value)).await;
            assert_eq!(answer.status, 401, "{path}: {value}");
            assert_eq!(
                answer.challenge().unwrap().attribute("error"),
                Some("invalid_token")
            );
        }
    }
    let answer = server
        .send(get("/maybe").header("cookie", [b"session=", good.as_bytes(), b"\xff"].concat()))
        .await;
    assert_eq!(answer.refusal(), (401, "MALFORMED_TOKEN".to_owned()));
}

#[actix_web::test]
async fn an_empty_cookie_is_no_token() {
    let (_world, server, good) = world_with_cookie().await;
    for cookie in ["session=", "session=\"\"", "session= ", "session"] {
        assert_eq!(
            server
                .send(get("/maybe").header("cookie", cookie))
                .await
                .body,
            "nobody",
            "{cookie}"
        );
        let answer = server.send(get("/me").header("cookie", cookie)).await;
        assert_eq!(
            answer.refusal(),
            (401, "MISSING_TOKEN".to_owned()),
            "{cookie}"
        );
        assert_eq!(
            server
                .send(get("/me").header("cookie", cookie).bearer(&good))
                .await
                .status,
            200,
            "{cookie}"
        );
    }
}

#[actix_web::test]
async fn header_and_cookie_together_are_refused() {
    let (_world, server, good) = world_with_cookie().await;
    for value in [good.as_str(), "x"] {
        let answer = server
            .send(with_cookie(get("/maybe"), value).bearer(&good))
            .await;
        assert_eq!(answer.refusal(), (400, "INVALID_REQUEST".to_owned()));
    }
    let answer = server
        .send(with_cookie(get("/me"), &good).header("authorization", "Basic YTpi"))
        .await;
    assert_eq!(
        answer.status, 200,
        "a header of another scheme is no second token"
    );
    let answer = server
        .send(with_cookie(get("/me"), &good).header("authorization", "Bearer"))
        .await;
    assert_eq!(answer.refusal(), (401, "MALFORMED_TOKEN".to_owned()));
}

#[actix_web::test]
async fn two_cookies_of_that_name_are_refused() {
    let (_world, server, good) = world_with_cookie().await;
    for other in [good.as_str(), "x", "", "\"\""] {
        let answer = server
            .send(get("/maybe").header("cookie", format!("session={good}; session={other}")))
            .await;
        assert_eq!(
            answer.refusal(),
            (400, "INVALID_REQUEST".to_owned()),
            "{other}"
        );
        let answer = server
            .send(
                get("/me")
                    .header("cookie", format!("session={other}"))
                    .header("cookie", format!("session={good}")),
            )
            .await;
        assert_eq!(
            answer.refusal(),
            (400, "INVALID_REQUEST".to_owned()),
            "{other}"
        );
    }
    let answer = server
        .send(get("/me").header(
            "cookie",
            [b"session=\xff; session=", good.as_bytes()].concat(),
        ))
        .await;
    assert_eq!(answer.refusal(), (400, "INVALID_REQUEST".to_owned()));
}

#[actix_web::test]
async fn a_method_that_changes_nothing_needs_no_origin() {
    let (_world, server, good) = world_with_cookie().await;
    for method in ["GET", "OPTIONS", "TRACE"] {
        assert_eq!(
            server
                .send(with_cookie(request(method, "/me"), &good))
                .await
                .status,
            200,
            "{method}"
        );
        let from_elsewhere =
            with_cookie(request(method, "/me"), &good).header("origin", "https://evil.example");
        assert_eq!(
            server.send(from_elsewhere).await.status,
            200,
            "{method}: reading the answer is CORS's to forbid"
        );
    }
}

#[actix_web::test]
async fn any_other_method_needs_a_listed_origin() {
    let (_world, server, good) = world_with_cookie().await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
        for origin in [APP, "http://localhost:3000"] {
            let answer = server
                .send(with_cookie(request(method, "/me"), &good).header("origin", origin))
                .await;
            assert_eq!(answer.status, 200, "{method} {origin}");
        }
        origin_refused(
            &server
                .send(with_cookie(request(method, "/me"), &good))
                .await,
        );
        origin_refused(
            &server
                .send(with_cookie(request(method, "/maybe"), &good))
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
            origin_refused(
                &server
                    .send(with_cookie(request(method, "/me"), &good).header("origin", origin))
                    .await,
            );
        }
    }
}

#[actix_web::test]
async fn two_origins_are_no_origin() {
    let (_world, server, good) = world_with_cookie().await;
    let base = with_cookie(request("POST", "/me"), &good);
    origin_refused(
        &server
            .send(base.clone().header("origin", APP).header("origin", APP))
            .await,
    );
    origin_refused(
        &server
            .send(
                base.clone()
                    .header("origin", APP)
                    .header("origin", "https://evil.example"),
            )
            .await,
    );
    origin_refused(
        &server
            .send(
                base.header("origin", "https://evil.example")
                    .header("origin", APP),
            )
            .await,
    );
}

#[actix_web::test]
async fn no_other_header_stands_in_for_the_origin() {
    let (_world, server, good) = world_with_cookie().await;
    let base = with_cookie(request("POST", "/me"), &good);
    for (name, value) in [
        ("referer", "https://app.example.com/"),
        ("sec-fetch-site", "same-origin"),
        ("x-forwarded-host", "app.example.com"),
    ] {
        origin_refused(&server.send(base.clone().header(name, value)).await);
    }
    origin_refused(
        &server
            .send(base.header("x-http-method-override", "GET"))
            .await,
    );
}

#[actix_web::test]
async fn a_websocket_handshake_needs_a_listed_origin_though_it_is_a_get() {
    let (_world, server, good) = world_with_cookie().await;
    let handshake = || with_cookie(get("/me"), &good).header("upgrade", "websocket");
    origin_refused(&server.send(handshake()).await);
    origin_refused(
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
    let (_world, server, good) = world_with_cookie().await;
    for origin in ["https://evil.example", "null"] {
        assert_eq!(
            server
                .send(
                    request("POST", "/me")
                        .bearer(&good)
                        .header("origin", origin)
                )
                .await
                .status,
            200
        );
    }
    assert_eq!(
        server
            .send(request("POST", "/me").bearer(&good))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn the_origin_is_looked_at_before_the_token() {
    // Somebody else's page learns nothing about the session that it rides on.
    let (world, server, _good) = world_with_cookie().await;
    for token in [world.token().expired().sign(), "x".to_owned()] {
        origin_refused(
            &server
                .send(with_cookie(request("POST", "/me"), &token))
                .await,
        );
    }
}

#[actix_web::test]
async fn a_cookie_that_could_never_work_is_refused_when_the_verifier_is_built() {
    let world = world().await;
    let build = |cookie| {
        Bearward::builder()
            .issuer(world.idp.as_issuer())
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
