//! Which pages of other origins may call the server, and how they are told.

use reqwest::Method;

use crate::world::{Answer, World, send};

const LISTED: &str = "http://localhost:3000";
const PATH: &str = "/api/status";

async fn preflight(world: &World, origin: &str, method: &str, headers: &str) -> Answer {
    let request = world
        .request(Method::OPTIONS, PATH)
        .header("origin", origin);
    send(
        request
            .header("access-control-request-method", method)
            .header("access-control-request-headers", headers),
    )
    .await
}

#[tokio::test]
async fn a_listed_origin_may_call_with_a_token_and_read_what_refusals_say() {
    let world = World::start().await;
    let asked = preflight(
        &world,
        LISTED,
        "POST",
        "authorization, content-type, idempotency-key",
    )
    .await;
    asked.expect(200);
    assert_eq!(asked.header("access-control-allow-origin"), LISTED);
    assert_eq!(
        asked.header("access-control-allow-credentials"),
        "",
        "no cookie opens anything"
    );
    let refused = send(world.request(Method::GET, PATH).header("origin", LISTED)).await;
    refused.refuses(401, "MISSING_TOKEN");
    assert_eq!(refused.header("access-control-allow-origin"), LISTED);
    let shown = refused.header("access-control-expose-headers");
    for name in [
        "www-authenticate",
        "x-request-id",
        "retry-after",
        "idempotency-replayed",
    ] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
}

#[tokio::test]
async fn a_preflight_that_is_refused_has_the_envelope() {
    let world = World::start().await;
    for origin in [
        "http://evil.example",
        "http://localhost:3001",
        "https://localhost:3000",
        "null",
    ] {
        let asked = preflight(&world, origin, "POST", "authorization").await;
        asked.refuses(403, "ORIGIN_REFUSED");
        assert_eq!(asked.header("access-control-allow-origin"), "", "{origin}");
    }
    preflight(&world, LISTED, "TRACE", "authorization")
        .await
        .refuses(400, "INVALID_REQUEST");
    preflight(&world, LISTED, "POST", "x-user-id")
        .await
        .refuses(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_page_of_another_origin_is_not_told_the_answer() {
    let world = World::start().await;
    let request = world
        .request(Method::GET, PATH)
        .bearer_auth(world.token("ada").sign())
        .header("origin", "http://evil.example");
    assert_eq!(
        send(request).await.header("access-control-allow-origin"),
        ""
    );
}

#[tokio::test]
async fn credentials_are_allowed_where_a_cookie_may_hold_a_token_and_to_the_origin_by_name() {
    let world = World::with(&[("tokens.cookie", "session")]).await;
    let asked = preflight(&world, LISTED, "POST", "content-type").await;
    assert_eq!(asked.header("access-control-allow-credentials"), "true");
    assert_eq!(asked.header("access-control-allow-origin"), LISTED);
}
