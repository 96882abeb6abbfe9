//! `?role=`, `?scope=` and `?aal=`: what a place asks for beyond a good token.

use bearward_testing::TokenBuilder;

use crate::stand::{Answer, Bearward};

/// A user with the roles a and b, the scopes read and write, and the level aal2.
fn user(bearward: &Bearward) -> TokenBuilder {
    bearward
        .token()
        .roles(["a", "b"])
        .scope("read write")
        .aal("aal2")
}

async fn asked(query: &str) -> Answer {
    let bearward = Bearward::start(&[]).await;
    let token = user(&bearward).sign();
    bearward.verify(query, &token).await
}

#[actix_web::test]
async fn whoever_has_what_is_asked_for_passes() {
    let bearward = Bearward::start(&[]).await;
    let token = user(&bearward).sign();
    for query in [
        "?",
        "?role=a",
        "?role=a&role=b",
        "?scope=read",
        "?scope=write+read",
        "?scope=write%20%20read",
        "?scope=read&scope=write",
        "?aal=aal1",
        "?aal=aal2&aal=aal1",
        "?aal=aal2&scope=read&role=b",
    ] {
        assert_eq!(bearward.verify(query, &token).await.status, 200, "{query}");
    }
}

#[actix_web::test]
async fn every_role_that_is_named_is_needed() {
    for query in [
        "?role=c",
        "?role=a&role=c",
        "?role=c&role=a",
        "?role=A",
        "?role=a+b",
        "?role=a,b",
    ] {
        let answer = asked(query).await;
        assert_eq!(
            answer.refusal(),
            (403, "INSUFFICIENT_ROLE".to_owned()),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn every_scope_that_is_named_is_needed_and_the_challenge_names_them() {
    for (query, scope) in [
        ("?scope=admin", "admin"),
        ("?scope=read+admin", "read admin"),
        ("?scope=admin&scope=read", "admin read"),
        ("?scope=READ", "READ"),
    ] {
        let answer = asked(query).await;
        assert_eq!(
            answer.refusal(),
            (403, "INSUFFICIENT_SCOPE".to_owned()),
            "{query}"
        );
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"insufficient_scope\""),
            "{challenge}"
        );
        assert!(
            challenge.contains(&format!("scope=\"{scope}\"")),
            "{challenge}"
        );
        assert!(challenge.contains("resource_metadata="), "{challenge}");
    }
}

#[actix_web::test]
async fn a_level_that_is_too_low_is_a_challenge_to_sign_in_again() {
    for query in ["?aal=aal3", "?aal=aal1&aal=aal3", "?role=a&aal=aal3"] {
        let answer = asked(query).await;
        assert_eq!(
            answer.refusal(),
            (401, "STEP_UP_REQUIRED".to_owned()),
            "{query}"
        );
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"insufficient_user_authentication\""),
            "{challenge}"
        );
        assert!(challenge.contains("acr_values=\"aal3\""), "{challenge}");
    }
    assert_eq!(
        asked("?aal=aal3&role=c").await.refusal().1,
        "INSUFFICIENT_ROLE",
        "another sign-in would not help"
    );
}

#[actix_web::test]
async fn a_parameter_that_is_not_understood_is_refused_by_its_name() {
    for (query, field) in [
        ("?roles=a", "roles"),
        ("?role=a&tenant=x", "tenant"),
        ("?Role=a", "Role"),
        ("?role", "role"),
        ("?role=", "role"),
        ("?scope=+", "scope"),
        ("?aal=2", "aal"),
        ("?aal=aal4", "aal"),
    ] {
        let answer = asked(query).await;
        assert_eq!(
            answer.refusal(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{query}"
        );
        assert_eq!(
            answer.json()["error"]["details"][0]["field"],
            field,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn authentication_comes_first() {
    let bearward = Bearward::start(&[]).await;
    let answer = bearward
        .verify("?tenant=x", &bearward.token().tampered())
        .await;
    assert_eq!(answer.refusal(), (401, "INVALID_SIGNATURE".to_owned()));
}
