//! Issuers that are added and removed at run time, and checks of connections that stay open.

use std::time::Duration;

use bearward::{AuthError, BuildError};
use bearward_testing::MockIdp;
use test_support::raw_http::get;

use crate::test_app::TestApp;

#[actix_web::test]
async fn an_added_issuer_is_accepted_by_running_servers() {
    let (app, tenant) = (TestApp::start().await, MockIdp::start().await);
    let server = app.serve_default();
    let (own, other) = (app.valid_token(), tenant.token().sub("bob").sign());
    assert_eq!(server.send(get("/me").bearer(&own)).await.status, 200);
    let rejected = server.send(get("/me").bearer(&other)).await;
    assert_eq!(rejected.error(), (401, "UNKNOWN_ISSUER".to_owned()));

    app.auth
        .add_issuer(tenant.as_issuer().name("tenant"))
        .unwrap();
    assert_eq!(server.send(get("/me").bearer(&other)).await.body, "bob");
    assert_eq!(server.send(get("/me").bearer(&own)).await.body, "ada");
    assert_eq!(app.idp.fetches(), 1, "the other issuer keeps its keys");
}

#[actix_web::test]
async fn cached_tokens_of_a_removed_issuer_are_rejected() {
    let (app, tenant) = (TestApp::start().await, MockIdp::start().await);
    app.auth
        .add_issuer(tenant.as_issuer().name("tenant"))
        .unwrap();
    let server = app.serve_default();
    let other = tenant.token().sub("bob").sign();
    // Several times, so that each level of the cache holds the token.
    for _ in 0..4 {
        assert_eq!(server.send(get("/me").bearer(&other)).await.status, 200);
    }
    let user = app.auth.verify(&other).await.unwrap();
    app.auth.replace_issuers([app.idp.as_issuer()]).unwrap();
    let rejected = server.send(get("/me").bearer(&other)).await;
    assert_eq!(rejected.error(), (401, "UNKNOWN_ISSUER".to_owned()));
    let failure = app.auth.recheck(&user).await.unwrap_err();
    assert_eq!(failure.error.code(), "UNKNOWN_ISSUER");
    let own = app.valid_token();
    assert_eq!(server.send(get("/me").bearer(&own)).await.status, 200);
    assert_eq!(app.idp.fetches(), 1);
    assert_eq!(app.auth.issuers().len(), 1);
}

#[actix_web::test]
async fn an_invalid_change_leaves_the_issuers_unchanged() {
    let app = TestApp::start().await;
    let doubled = app.auth.add_issuer(app.idp.as_issuer().name("again"));
    assert!(matches!(doubled, Err(BuildError::DoubledIssuer(_))));
    assert!(matches!(
        app.auth.replace_issuers([]),
        Err(BuildError::NoIssuer)
    ));
    assert!(app.auth.verify(&app.valid_token()).await.is_ok());
}

#[actix_web::test]
async fn a_recheck_fails_once_the_token_has_expired() {
    let idp = MockIdp::start().await.with_movable_clock();
    let clock = idp.clock();
    let shared = std::sync::Arc::new(clock.clone());
    let app = TestApp::start_cold(idp, |builder| builder.clock(shared)).await;
    let token = app.token().expires_in(Duration::from_secs(60)).sign();
    let user = app.auth.verify(&token).await.unwrap();
    clock.advance(Duration::from_secs(89));
    assert_eq!(app.auth.recheck(&user).await, Ok(()));
    clock.advance(Duration::from_secs(1));
    let failure = app.auth.recheck(&user).await.unwrap_err();
    assert!(matches!(failure.error, AuthError::Expired { .. }));
}
