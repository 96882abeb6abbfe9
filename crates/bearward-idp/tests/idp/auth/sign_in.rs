//! The authorization code flow: PKCE, codes and redirects.

use std::time::Duration;

use bearward_idp::AuthOptions;
use serde_json::json;
use url::Url;

use super::consent::{ConsentPage, deny, select_user};
use crate::fixture::{self, TestIdp, TestResponse};

/// The example of RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn authorize(more: &str) -> String {
    format!("/auth/v1/authorize?provider=google&redirect_to=http://localhost:3000/back{more}")
}

fn authorize_with_pkce() -> String {
    authorize(&format!(
        "&code_challenge={CHALLENGE}&code_challenge_method=s256"
    ))
}

async fn exchange(idp: &TestIdp, code: &str, verifier: &str) -> TestResponse {
    idp.auth_post(
        "/token?grant_type=pkce",
        json!({ "auth_code": code, "code_verifier": verifier }),
    )
    .await
}

fn code(address: &Url) -> String {
    let (_, code) = address
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap_or_else(|| panic!("no code in {address}"));
    code.into_owned()
}

#[tokio::test]
async fn code_is_valid_for_five_minutes_and_one_use() {
    let (idp, clock) = TestIdp::with_clock();
    let in_time = code(&select_user(&idp, &authorize_with_pkce(), "ada@example.com").await);
    clock.advance(Duration::from_secs(300));
    assert_eq!(exchange(&idp, &in_time, VERIFIER).await.status, 200);
    assert_eq!(
        exchange(&idp, &in_time, VERIFIER).await.auth_error(),
        (404, "flow_state_not_found".to_owned())
    );

    let late = code(&select_user(&idp, &authorize_with_pkce(), "ada@example.com").await);
    clock.advance(Duration::from_millis(300_001));
    assert_eq!(
        exchange(&idp, &late, VERIFIER).await.auth_error(),
        (422, "flow_state_expired".to_owned())
    );
}

#[tokio::test]
async fn wrong_verifier_does_not_invalidate_the_code() {
    let (idp, _) = TestIdp::with_clock();
    let code = code(&select_user(&idp, &authorize_with_pkce(), "ada@example.com").await);
    for wrong in [CHALLENGE, &VERIFIER[1..], "x"] {
        assert_eq!(
            exchange(&idp, &code, wrong).await.auth_error(),
            (400, "bad_code_verifier".to_owned())
        );
    }
    assert_eq!(
        exchange(&idp, &code, "").await.auth_error(),
        (400, "validation_failed".to_owned())
    );
    assert_eq!(exchange(&idp, &code, VERIFIER).await.status, 200);
}

#[tokio::test]
async fn challenge_requires_43_to_128_characters_and_method() {
    let (idp, _) = TestIdp::with_clock();
    let long = "x".repeat(128);
    for (challenge, method, status) in [
        (CHALLENGE, "s256", 302),
        (CHALLENGE, "S256", 302),
        (CHALLENGE, "plain", 302),
        (&*long, "plain", 302),
        (&CHALLENGE[1..], "s256", 400),
        (&*format!("{long}x"), "plain", 400),
        (&*CHALLENGE.replace('-', "*"), "s256", 400),
        (CHALLENGE, "s512", 400),
        (CHALLENGE, "", 400),
        ("", "s256", 400),
    ] {
        let response = idp
            .get(&authorize(&format!(
                "&code_challenge={challenge}&code_challenge_method={method}"
            )))
            .await;
        assert_eq!(
            response.status, status,
            "{challenge} {method}: {}",
            response.body
        );
        if status == 400 {
            assert_eq!(response.auth_error(), (400, "validation_failed".to_owned()));
        }
    }
}

#[tokio::test]
async fn plain_challenge_equals_the_verifier() {
    let (idp, _) = TestIdp::with_clock();
    let address = authorize(&format!(
        "&code_challenge={VERIFIER}&code_challenge_method=PLAIN"
    ));
    let code = code(&select_user(&idp, &address, "ada@example.com").await);
    assert_eq!(
        exchange(&idp, &code, &VERIFIER[1..]).await.auth_error(),
        (400, "bad_code_verifier".to_owned())
    );
    assert_eq!(exchange(&idp, &code, VERIFIER).await.status, 200);
}

#[tokio::test]
async fn consent_page_expires_after_five_minutes() {
    for (waited, found) in [(300_000, true), (300_001, false)] {
        let (idp, clock) = TestIdp::with_clock();
        let page = ConsentPage::open(&idp, &authorize_with_pkce()).await;
        clock.advance(Duration::from_millis(waited));
        assert_eq!(
            page.send(&idp, &[("email", "ada@example.com")])
                .await
                .status
                == 303,
            found,
            "{waited}"
        );
        assert_eq!(idp.get(&page.path).await.status == 200, found);
    }
}

#[tokio::test]
async fn denial_redirects_with_error_and_keeps_the_query() {
    let (idp, _) = TestIdp::with_clock();
    let address = deny(
        &idp,
        &authorize_with_pkce().replace("/back", "/back%3Fnext%3D%252Fa"),
    )
    .await;
    let pairs: Vec<_> = address.query_pairs().collect();
    assert!(pairs.contains(&("next".into(), "/a".into())), "{address}");
    assert!(
        pairs.contains(&("error".into(), "access_denied".into())),
        "{address}"
    );
    assert!(
        address
            .fragment()
            .is_some_and(|fragment| fragment.starts_with("error=access_denied&")),
        "{address}"
    );
}

#[tokio::test]
async fn redirects_go_only_to_allowed_addresses() {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        site_url: "http://localhost:4000/home".to_owned(),
        redirects: vec!["https://*.preview.example/**".to_owned()],
        ..fixture::auth_options()
    });
    for (requested, expected) in [
        (
            "https://pr-1.preview.example/x",
            "https://pr-1.preview.example/x",
        ),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
        ("https://attacker.invalid/", "http://localhost:4000/home"),
        (
            "https://preview.example.attacker.invalid/",
            "http://localhost:4000/home",
        ),
        (
            "https://a.preview.example%40attacker.invalid/x",
            "http://localhost:4000/home",
        ),
        (
            "https://attacker.invalid%5C%5C.preview.example/x",
            "http://localhost:4000/home",
        ),
        ("javascript:alert(1)", "http://localhost:4000/home"),
        ("//attacker.invalid", "http://localhost:4000/home"),
        ("", "http://localhost:4000/home"),
    ] {
        let address = format!("/auth/v1/authorize?provider=github&redirect_to={requested}");
        let mut back = deny(&idp, &address).await;
        back.set_query(None);
        back.set_fragment(None);
        assert_eq!(back.as_str(), expected, "{requested}");
    }
}

#[tokio::test]
async fn provider_sign_in_drops_an_unconfirmed_password() {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        confirm_email: true,
        ..fixture::auth_options()
    });
    let squatter = json!({ "email": "ada@example.com", "password": "squatter", "data": { "full_name": "Not Ada" } });
    assert_eq!(idp.auth_post("/signup", squatter.clone()).await.status, 200);
    let code = code(&select_user(&idp, &authorize_with_pkce(), "ada@example.com").await);
    let session = exchange(&idp, &code, VERIFIER).await.json();
    assert_eq!(
        session["user"]["app_metadata"],
        json!({ "provider": "google", "providers": ["google"] })
    );
    assert_ne!(session["user"]["user_metadata"]["full_name"], "Not Ada");
    let rejected = idp.auth_post("/token?grant_type=password", squatter).await;
    assert_eq!(
        rejected.auth_error(),
        (400, "invalid_credentials".to_owned())
    );
}

#[tokio::test]
async fn disabled_signup_redirects_with_the_error() {
    let (idp, _) = TestIdp::with_auth(AuthOptions {
        disable_signup: true,
        ..fixture::auth_options()
    });
    let back = select_user(&idp, &authorize_with_pkce(), "ada@example.com").await;
    assert!(
        back.as_str()
            .contains("error=access_denied&error_code=signup_disabled"),
        "{back}"
    );
}
