//! An identity provider that cannot be reached is 503 and never 401: the token may well be good.

use std::time::Duration;

use {Algorithm, CookieSource, JwksCacheConfig};
use bearward_testing::{Faults, MockIdp};

use crate::{
    requirements::routes,
    wire::get,
    world::{World, cold_world_of, world},
};

async fn world_without_keys(faults: Faults) -> World {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.set_faults(faults);
    // A request may wait for the next attempt; that patience is another test's matter.
    let policy = JwksCacheConfig::default().wait_timeout(Duration::from_millis(50));
    let cookie = CookieSource::new("session", ["https://app.example.com"]);
    let world = cold_world_of(idp, |builder| builder.cookie(cookie).jwks_cache(policy)).await;
    world.auth.wait_for_initial_fetch().await;
    world
}

#[actix_web::test]
async fn without_keys_a_token_is_answered_with_503_and_when_to_try_again() {
    let faults = [
        Faults::outage(),
        Faults::body("<html>"),
        Faults::body("{\"keys\":[]}"),
        Faults::redirect("http://127.0.0.1:1/keys"),
    ];
    let cases = faults.map(|faults| async move {
        let world = world_without_keys(faults).await;
        let server = world.serve(routes);
        let (good, admin) = (world.good(), world.token().role("admin").sign());
        for request in [
            get("/me").bearer(&good),
            get("/maybe").bearer(&good),
            get("/me").header("cookie", format!("session={good}")),
            get("/admin").bearer(&admin),
            get("/me").bearer(&world.token().tampered()),
            get("/me").bearer(&world.token().kid("unheard-of").sign()),
        ] {
            let answer = server.send(request).await;
            assert_eq!(answer.refusal(), (503, "KEYS_UNAVAILABLE".to_owned()));
            assert_eq!(answer.challenge(), None, "another token would not help");
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=600).contains(&seconds), "{seconds}");
        }
    });
    futures_util::future::join_all(cases).await;
}

#[actix_web::test]
async fn what_needs_no_key_is_answered_as_ever() {
    let world = world_without_keys(Faults::outage()).await;
    let server = world.plain();
    assert_eq!(server.send(get("/maybe")).await.body, "nobody");
    for (request, code) in [
        (get("/me"), "MISSING_TOKEN"),
        (get("/me").bearer("x"), "MALFORMED_TOKEN"),
        (
            get("/me").bearer(&world.token().expired().sign()),
            "TOKEN_EXPIRED",
        ),
        (
            get("/me").bearer(&world.token().issuer("https://elsewhere.example").sign()),
            "UNKNOWN_ISSUER",
        ),
        (
            get("/me").bearer(&world.token().alg_none()),
            "MALFORMED_TOKEN",
        ),
    ] {
        assert_eq!(server.send(request).await.refusal(), (401, code.to_owned()));
    }
}

#[actix_web::test]
async fn an_outage_after_the_keys_were_fetched_goes_unnoticed() {
    let world = world().await;
    let server = world.plain();
    world.idp.outage();
    for subject in ["ada", "grace", "ada"] {
        assert_eq!(
            server
                .send(get("/me").bearer(&world.token().sub(subject).sign()))
                .await
                .body,
            subject
        );
    }
}
