//! Rule 1 of verification: exactly one Authorization header, scheme Bearer in any case, one token;
//! the query and the body are never read.

use actix_web::{FromRequest, test::TestRequest};
use {AuthError, Principal};

use crate::{
    wire::{get, post, request},
    world::{World, world},
};

fn unauthorized(code: &str) -> (u16, String) {
    (401, code.to_owned())
}

#[actix_web::test]
async fn one_authorization_header_with_a_bearer_token_is_accepted() {
    let world = world().await;
    let answer = world.plain().send(get("/me").bearer(&world.good())).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ada"));
}

#[actix_web::test]
async fn two_authorization_headers_are_refused_even_when_they_are_equal() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for (first, second) in [
        (format!("Bearer {good}"), format!("Bearer {good}")),
        (format!("Bearer {good}"), "Basic YTpi".to_owned()),
        ("Basic YTpi".to_owned(), format!("Bearer {good}")),
        (format!("Bearer {good}"), String::new()),
        ("Basic YTpi".to_owned(), "Basic YTpi".to_owned()),
    ] {
        for path in ["/me", "/maybe"] {
            let answer = server
                .send(
                    get(path)
                        .header("authorization", &first)
                        .header("AUTHORIZATION", &second),
                )
                .await;
            assert_eq!(
                answer.refusal(),
                (400, "INVALID_REQUEST".to_owned()),
                "{path}: {first} {second}"
            );
            assert_eq!(
                answer.challenge().unwrap().attribute("error"),
                Some("invalid_request")
            );
        }
    }
}

#[actix_web::test]
async fn the_scheme_is_read_in_any_case() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for scheme in ["Bearer", "bearer", "BEARER", "BeArEr"] {
        let answer = server
            .send(get("/me").header("authorization", format!("{scheme} {good}")))
            .await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
}

#[actix_web::test]
async fn several_spaces_may_stand_between_scheme_and_token_but_no_tab() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for spaces in [" ", "  ", "          "] {
        let answer = server
            .send(get("/me").header("authorization", format!("Bearer{spaces}{good}")))
            .await;
        assert_eq!(answer.status, 200, "{} spaces", spaces.len());
    }
    for between in ["\t", " \t", "\t ", ":", ": ", "=", ",", ", "] {
        for path in ["/me", "/maybe"] {
            let answer = server
                .send(get(path).header("authorization", format!("Bearer{between}{good}")))
                .await;
            assert_eq!(
                answer.refusal(),
                unauthorized("MALFORMED_TOKEN"),
                "{path} {between:?}"
            );
        }
    }
}

#[actix_web::test]
async fn whitespace_around_a_field_value_is_no_part_of_it() {
    // RFC 9110 §5.5: the parser of HTTP/1.1 drops it before anybody sees the value.
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for (before, after) in [("", " "), ("", "\t"), ("   ", ""), ("\t", " \t ")] {
        let answer = server
            .send(get("/me").header("authorization", format!("{before}Bearer {good}{after}")))
            .await;
        assert_eq!(answer.status, 200, "{before:?} {after:?}");
    }
}

#[actix_web::test]
async fn a_value_that_still_ends_in_whitespace_is_refused() {
    // As HTTP/2 can bring it.
    let world = world().await;
    for end in [" ", "\t", " x"] {
        let value = format!("Bearer {}{end}", world.good());
        assert_eq!(
            rejection_of(&world, value.as_bytes()).await,
            AuthError::BadAuthorization,
            "{end:?}"
        );
    }
}

#[actix_web::test]
async fn anything_but_one_token_after_the_scheme_is_refused() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    let cases: [Vec<u8>; 12] = [
        b"Bearer".to_vec(),
        b"bearer".to_vec(),
        format!("Bearer {good} {good}").into_bytes(),
        format!("Bearer {good},{good}").into_bytes(),
        format!("Bearer {good}, Basic YTpi").into_bytes(),
        format!("Bearer {good},").into_bytes(),
        format!("Bearer ,{good}").into_bytes(),
        format!("Bearer {good}\t{good}").into_bytes(),
        format!("Bearer Bearer {good}").into_bytes(),
        format!("Bearer realm=\"x\", token={good}").into_bytes(),
        format!("Bearer \"{good}\"").into_bytes(),
        format!("Bearer <{good}>").into_bytes(),
    ];
    for value in cases {
        for path in ["/me", "/maybe"] {
            let answer = server.send(get(path).header("authorization", &value)).await;
            assert_eq!(
                answer.refusal(),
                unauthorized("MALFORMED_TOKEN"),
                "{path}: {}",
                String::from_utf8_lossy(&value)
            );
            assert_eq!(
                answer.challenge().unwrap().attribute("error"),
                Some("invalid_token")
            );
        }
    }
}

#[actix_web::test]
async fn bytes_outside_ascii_are_refused() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for strange in [
        "\u{e4}".as_bytes(),
        b"\xff",
        "\u{feff}".as_bytes(),
        "\u{a0}".as_bytes(),
    ] {
        for value in [
            [b"Bearer ", good.as_bytes(), strange].concat(),
            [b"Bearer ", strange, good.as_bytes()].concat(),
        ] {
            let answer = server
                .send(get("/maybe").header("authorization", &value))
                .await;
            assert_eq!(
                answer.refusal(),
                unauthorized("MALFORMED_TOKEN"),
                "{}",
                String::from_utf8_lossy(&value)
            );
        }
    }
    // No space of Unicode ends the scheme, and no letter of it is a `k` or an `r` in disguise.
    let answer = server
        .send(get("/maybe").header("authorization", format!("Bearer\u{a0}{good}")))
        .await;
    assert_eq!(answer.refusal(), unauthorized("MALFORMED_TOKEN"));
    let answer = server
        .send(get("/me").header("authorization", format!("B\u{435}arer {good}")))
        .await;
    assert_eq!(answer.refusal(), unauthorized("MISSING_TOKEN"));
}

#[actix_web::test]
async fn another_scheme_is_no_token() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for value in [
        "Basic YWRhOnNlY3JldA==".to_owned(),
        format!("DPoP {good}"),
        format!("Token {good}"),
        format!("Bearers {good}"),
        format!("Bearer-{good}"),
        format!("xBearer {good}"),
        "Negotiate".to_owned(),
        good.clone(),
        String::new(),
    ] {
        let answer = server
            .send(get("/me").header("authorization", &value))
            .await;
        assert_eq!(answer.refusal(), unauthorized("MISSING_TOKEN"), "{value}");
        assert_eq!(
            answer.challenge().unwrap().attribute("error"),
            None,
            "RFC 6750 §3.1: no error code"
        );
        let answer = server
            .send(get("/maybe").header("authorization", &value))
            .await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "nobody"),
            "{value}"
        );
    }
}

#[actix_web::test]
async fn a_token_in_the_query_is_never_read() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for name in ["access_token", "token", "bearer", "authorization"] {
        let answer = server.send(get(&format!("/me?{name}={good}"))).await;
        assert_eq!(answer.refusal(), unauthorized("MISSING_TOKEN"), "{name}");
        let answer = server.send(get(&format!("/maybe?{name}={good}"))).await;
        assert_eq!(answer.body, "nobody", "{name}");
        // Nor does it make two credentials of one.
        assert_eq!(
            server
                .send(get(&format!("/me?{name}={good}")).bearer(&good))
                .await
                .status,
            200,
            "{name}"
        );
    }
}

#[actix_web::test]
async fn a_token_in_a_form_body_is_never_read() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    let form = format!("access_token={good}");
    let answer = server
        .send(post("/me").body("application/x-www-form-urlencoded", &form))
        .await;
    assert_eq!(answer.refusal(), unauthorized("MISSING_TOKEN"));
    let answer = server
        .send(post("/maybe").body("application/x-www-form-urlencoded", &form))
        .await;
    assert_eq!(answer.body, "nobody");
    let answer = server
        .send(
            post("/me")
                .bearer(&good)
                .body("application/x-www-form-urlencoded", &form),
        )
        .await;
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn no_other_header_is_a_source() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for name in [
        "proxy-authorization",
        "x-authorization",
        "x-access-token",
        "authentication",
        "cookie",
        "apikey",
        "x-forwarded-authorization",
    ] {
        let answer = server
            .send(get("/me").header(name, format!("Bearer {good}")))
            .await;
        assert_eq!(answer.refusal(), unauthorized("MISSING_TOKEN"), "{name}");
    }
}

#[actix_web::test]
async fn every_method_is_asked_for_the_same() {
    let world = world().await;
    let (server, good) = (world.plain(), world.good());
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ] {
        assert_eq!(
            server
                .send(request(method, "/me").bearer(&good))
                .await
                .status,
            200,
            "{method}"
        );
        assert_eq!(
            server.send(request(method, "/me")).await.refusal(),
            unauthorized("MISSING_TOKEN"),
            "{method}"
        );
    }
}

async fn rejection_of(world: &World, authorization: &[u8]) -> AuthError {
    let value = actix_web::http::header::HeaderValue::from_bytes(authorization).unwrap();
    let request = TestRequest::get()
        .app_data(world.auth.clone())
        .insert_header(("authorization", value))
        .to_http_request();
    Principal::<bearward::NoCustomClaims>::extract(&request)
        .await
        .unwrap_err()
        .error()
        .clone()
}
