//! An unreachable identity provider is 503, not 401, because the token may be valid.

use std::time::Duration;

use bearward::{Algorithm, CookieSource, JwksCacheConfig};
use bearward_testing::{Faults, MockIdp};
use test_support::raw_http::get;

use crate::{requirements::routes, test_app::TestApp};

async fn app_without_keys(faults: Faults) -> TestApp {
    let idp = MockIdp::start_with(Algorithm::ES256).await;
    idp.set_faults(faults);
    // Requests wait only briefly for the next attempt.
    let config = JwksCacheConfig::default().wait_timeout(Duration::from_millis(50));
    let cookie = CookieSource::new("session", ["https://app.example.com"]);
    let test_app =
        TestApp::start_cold(idp, |builder| builder.cookie(cookie).jwks_cache(config)).await;
    test_app.auth.wait_for_initial_fetch().await;
    test_app
}

#[actix_web::test]
async fn without_keys_a_token_is_503_with_retry_after() {
    let faults = [
        Faults::outage(),
        Faults::body("<html>"),
        Faults::body("{\"keys\":[]}"),
        Faults::redirect("http://127.0.0.1:1/keys"),
    ];
    let cases = faults.map(|faults| async move {
        let test_app = app_without_keys(faults).await;
        let server = test_app.serve(routes);
        let (valid_token, admin) = (
            test_app.valid_token(),
            test_app.token().role("admin").sign(),
        );
        for request in [
            get("/me").bearer(&valid_token),
            get("/maybe").bearer(&valid_token),
            get("/me").header("cookie", format!("session={valid_token}")),
            get("/admin").bearer(&admin),
            get("/me").bearer(&test_app.token().tampered()),
            get("/me").bearer(&test_app.token().kid("unknown").sign()),
        ] {
            let response = server.send(request).await;
            assert_eq!(response.error(), (503, "KEYS_UNAVAILABLE".to_owned()));
            assert_eq!(
                response.challenge(),
                None,
                "no challenge, because another token would not help"
            );
            let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=600).contains(&seconds), "{seconds}");
        }
    });
    futures_util::future::join_all(cases).await;
}

#[actix_web::test]
async fn rejections_that_need_no_key_are_unaffected() {
    let test_app = app_without_keys(Faults::outage()).await;
    let server = test_app.serve_default();
    assert_eq!(server.send(get("/maybe")).await.body, "anonymous");
    for (request, code) in [
        (get("/me"), "MISSING_TOKEN"),
        (get("/me").bearer("x"), "MALFORMED_TOKEN"),
        (
            get("/me").bearer(&test_app.token().expired().sign()),
            "TOKEN_EXPIRED",
        ),
        (
            get("/me").bearer(&test_app.token().issuer("https://elsewhere.example").sign()),
            "UNKNOWN_ISSUER",
        ),
        (
            get("/me").bearer(&test_app.token().alg_none()),
            "MALFORMED_TOKEN",
        ),
    ] {
        assert_eq!(server.send(request).await.error(), (401, code.to_owned()));
    }
}

#[actix_web::test]
async fn an_outage_after_the_first_fetch_has_no_effect() {
    let test_app = TestApp::start().await;
    let server = test_app.serve_default();
    test_app.idp.outage();
    for subject in ["ada", "grace", "ada"] {
        assert_eq!(
            server
                .send(get("/me").bearer(&test_app.token().sub(subject).sign()))
                .await
                .body,
            subject
        );
    }
}
