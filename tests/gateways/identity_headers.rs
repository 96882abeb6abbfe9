//! The `X-Auth-*` headers of the forward-auth endpoint.

use reqwest::Method;
use test_support::http::Response;

use crate::fixture::TestServer;

const NAMES: [&str; 8] = [
    "x-auth-subject",
    "x-auth-issuer",
    "x-auth-email",
    "x-auth-role",
    "x-auth-scopes",
    "x-auth-roles",
    "x-auth-tenant",
    "x-auth-client",
];

fn identity(response: &Response) -> [&str; 8] {
    assert_eq!(
        (response.status, response.body.as_str()),
        (200, ""),
        "{response:?}"
    );
    NAMES.map(|name| {
        response
            .header(name)
            .unwrap_or_else(|| panic!("{name}: {response:?}"))
    })
}

#[actix_web::test]
async fn valid_token_gives_200_with_identity_headers() {
    let server = TestServer::start(&[]).await;
    let token = server
        .token()
        .email("ada@example.com")
        .role("authenticated")
        .scope("orders:read orders:write")
        .claim(
            "app_metadata",
            serde_json::json!({"roles": ["reader", "a,b c"], "tenant_id": "acme"}),
        )
        .claim("azp", "web")
        .sign();
    let response = server.verify("", &token).await;
    let issuer = server.idp.issuer();
    assert_eq!(
        identity(&response),
        [
            "ada",
            &issuer,
            "ada@example.com",
            "authenticated",
            "orders:read orders:write",
            "reader,a%2Cb%20c",
            "acme",
            "web"
        ]
    );
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("content-length"), Some("0"));
    assert!(response.header("x-request-id").is_some());
}

#[actix_web::test]
async fn missing_claim_is_an_empty_header() {
    let server = TestServer::start(&[]).await;
    let token = server
        .token()
        .without("email")
        .without("role")
        .without("scope")
        .without("app_metadata")
        .sign();
    let response = server.verify("", &token).await;
    assert_eq!(identity(&response)[2..], [""; 6]);
}

#[actix_web::test]
async fn claim_values_are_percent_encoded() {
    let server = TestServer::start(&[]).await;
    let token = server
        .token()
        .sub("Zoë 100%")
        .email("a\r\nX-Auth-Role: admin")
        .claim("scope", ["a b", "", "c,d"])
        .sign();
    let response = server.verify("", &token).await;
    let [subject, _, email, role, scopes, ..] = identity(&response);
    assert_eq!(subject, "Zo%C3%AB%20100%25");
    assert_eq!(email, "a%0D%0AX-Auth-Role:%20admin");
    assert_eq!(scopes, "a%20b c,d");
    assert_ne!(role, "admin");
}

#[actix_web::test]
async fn any_method_is_accepted_and_the_body_is_ignored() {
    let server = TestServer::start(&[("BEARWARD_SERVER__BODY_LIMIT", "1KiB")]).await;
    let token = server.token().sign();
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let body = "not JSON and longer than the limit ".repeat(100);
        let response = server
            .send(method.clone(), "/api/auth/verify", |request| {
                request.bearer_auth(&token).body(body)
            })
            .await;
        assert_eq!(identity(&response)[0], "ada", "{method}");
        let without_token = server
            .send(method.clone(), "/api/auth/verify", |request| request)
            .await;
        assert_eq!(without_token.status, 401, "{method}");
    }
}

#[actix_web::test]
async fn rejections_match_other_routes() {
    let server = TestServer::start(&[]).await;
    for token in [
        server.token().expired().sign(),
        server.token().tampered(),
        server.token().alg_none(),
    ] {
        let forward_auth = server.verify("", &token).await;
        let protected = server
            .send(Method::GET, "/protected", |request| {
                request.bearer_auth(&token)
            })
            .await;
        assert_eq!(forward_auth.error(), protected.error());
        assert_eq!(
            forward_auth.header("www-authenticate"),
            protected.header("www-authenticate")
        );
        assert!(
            NAMES.iter().all(|name| forward_auth.header(name).is_none()),
            "{forward_auth:?}"
        );
    }
    let twice = server
        .send(Method::GET, "/api/auth/verify", |request| {
            request.bearer_auth("a").bearer_auth("b")
        })
        .await;
    assert_eq!(twice.error(), (400, "INVALID_REQUEST".to_owned()));
}
