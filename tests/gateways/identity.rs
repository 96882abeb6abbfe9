//! What the endpoint says about whoever holds a good token.

use reqwest::Method;

use crate::stand::{Answer, Bearward};

const NAMES: [&str; 5] = [
    "x-auth-subject",
    "x-auth-issuer",
    "x-auth-email",
    "x-auth-role",
    "x-auth-scopes",
];

fn identity(answer: &Answer) -> [&str; 5] {
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, ""),
        "{answer:?}"
    );
    NAMES.map(|name| {
        answer
            .header(name)
            .unwrap_or_else(|| panic!("{name}: {answer:?}"))
    })
}

#[actix_web::test]
async fn a_good_token_is_answered_with_200_no_body_and_who_it_is() {
    let bearward = Bearward::start(&[]).await;
    let token = bearward
        .token()
        .email("ada@example.com")
        .role("authenticated")
        .scope("orders:read orders:write")
        .sign();
    let answer = bearward.verify("", &token).await;
    let issuer = bearward.idp.issuer();
    assert_eq!(
        identity(&answer),
        [
            "ada",
            &issuer,
            "ada@example.com",
            "authenticated",
            "orders:read orders:write"
        ]
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-length"), Some("0"));
    assert!(answer.header("x-request-id").is_some());
}

#[actix_web::test]
async fn a_claim_that_the_token_lacks_is_an_empty_header_and_not_an_absent_one() {
    let bearward = Bearward::start(&[]).await;
    let token = bearward
        .token()
        .without("email")
        .without("role")
        .without("scope")
        .sign();
    let answer = bearward.verify("", &token).await;
    assert_eq!(identity(&answer)[2..], ["", "", ""]);
}

#[actix_web::test]
async fn a_claim_of_any_characters_is_one_header_that_can_be_read_back() {
    let bearward = Bearward::start(&[]).await;
    let token = bearward
        .token()
        .sub("Zoë 100%")
        .email("a\r\nX-Auth-Role: admin")
        .claim("scope", ["a b", "", "c,d"])
        .sign();
    let answer = bearward.verify("", &token).await;
    let [subject, _, email, role, scopes] = identity(&answer);
    assert_eq!(subject, "Zo%C3%AB%20100%25");
    assert_eq!(email, "a%0D%0AX-Auth-Role:%20admin");
    assert_eq!(scopes, "a%20b c,d");
    assert_ne!(role, "admin");
}

#[actix_web::test]
async fn any_method_is_answered_and_a_body_is_not_read() {
    let bearward = Bearward::start(&[("BEARWARD_SERVER__BODY_LIMIT", "1KiB")]).await;
    let token = bearward.token().sign();
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let body = "not JSON and longer than the limit ".repeat(100);
        let answer = bearward
            .send(method.clone(), "/api/auth/verify", |request| {
                request.bearer_auth(&token).body(body)
            })
            .await;
        assert_eq!(identity(&answer)[0], "ada", "{method}");
        let nobody = bearward
            .send(method.clone(), "/api/auth/verify", |request| request)
            .await;
        assert_eq!(nobody.status, 401, "{method}");
    }
}

#[actix_web::test]
async fn a_refusal_is_that_of_every_route() {
    let bearward = Bearward::start(&[]).await;
    for token in [
        bearward.token().expired().sign(),
        bearward.token().tampered(),
        bearward.token().alg_none(),
    ] {
        let here = bearward.verify("", &token).await;
        let there = bearward
            .send(Method::GET, "/protected", |request| {
                request.bearer_auth(&token)
            })
            .await;
        assert_eq!(here.refusal(), there.refusal());
        assert_eq!(
            here.header("www-authenticate"),
            there.header("www-authenticate")
        );
        assert!(
            NAMES.iter().all(|name| here.header(name).is_none()),
            "{here:?}"
        );
    }
    let twice = bearward
        .send(Method::GET, "/api/auth/verify", |request| {
            request.bearer_auth("a").bearer_auth("b")
        })
        .await;
    assert_eq!(twice.refusal(), (400, "INVALID_REQUEST".to_owned()));
}
