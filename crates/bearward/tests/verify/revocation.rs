//! The revocation list: what each kind of entry rejects, and when.

use std::time::Duration;

use bearward::{
    Algorithm, AuthError, Revocation, RevocationConfig, RevocationError, RevocationKind,
    Revocations, Timestamp, VerificationStep, explain::Outcome,
};
use bearward_testing::{KeyPair, TokenBuilder};
use futures_util::FutureExt;
use serde_json::json;

use crate::fixture::{self, AUDIENCE, Fixture, ISSUER, NOW, assert_rejected, jwk_with, jwks_from};

const SESSION: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds)
}

fn fixture_with(config: RevocationConfig) -> Fixture {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    Fixture::with_builder(&key, |issuer| issuer, |builder| builder.revocation(config))
}

fn token(fixture: &Fixture) -> TokenBuilder {
    fixture
        .token()
        .sub("ada")
        .claim("session_id", SESSION)
        .claim("jti", "token-1")
}

fn is_revoked(fixture: &Fixture, token: &str) -> bool {
    match fixture.verify(token) {
        Ok(_) => false,
        Err(AuthError::Revoked { .. }) => true,
        Err(error) => panic!("{error:?}"),
    }
}

/// An entry of each kind that rejects [`token`].
fn entries(fixture: &Fixture) -> [(RevocationKind, Revocation); 4] {
    let kid = fixture
        .verify_ok(&token(fixture).sign())
        .kid()
        .unwrap()
        .to_owned();
    [
        (
            RevocationKind::Session,
            Revocation::session(ISSUER, SESSION),
        ),
        (
            RevocationKind::Subject,
            Revocation::subject(ISSUER, "ada", at(NOW)),
        ),
        (RevocationKind::Token, Revocation::token(ISSUER, "token-1")),
        (RevocationKind::Key, Revocation::key(ISSUER, &kid)),
    ]
}

#[test]
fn each_kind_rejects_new_and_cached_tokens() {
    for index in 0..4 {
        let fixture = Fixture::new();
        let (kind, entry) = entries(&fixture)[index].clone();
        let cached = token(&fixture).sign();
        // Three times, so that the thread-local cache has it too.
        (0..3).for_each(|_| drop(fixture.verify_ok(&cached)));
        assert_eq!(fixture.auth.cached_tokens(), 2);

        fixture.auth.revocations().add(&entry).unwrap();
        let new = token(&fixture).claim("nonce", "another").sign();
        for token in [&cached, &new, &cached] {
            assert_rejected!(fixture, token, "TOKEN_REVOKED", AuthError::Revoked { kind: found } if *found == kind);
        }

        assert!(fixture.auth.revocations().remove(&entry));
        fixture.verify_ok(&cached);
        assert!(!fixture.auth.revocations().remove(&entry));
    }
}

#[test]
fn each_kind_accepts_other_sessions_subjects_tokens_and_keys() {
    let fixture = Fixture::new();
    let accepted = token(&fixture).sign();
    let list = fixture.auth.revocations();
    for entry in [
        Revocation::session(ISSUER, "another"),
        Revocation::session(ISSUER, &SESSION.to_uppercase()),
        Revocation::session(ISSUER, ""),
        Revocation::subject(ISSUER, "Ada", at(NOW)),
        Revocation::subject(ISSUER, SESSION, at(NOW)),
        Revocation::token(ISSUER, "token-2"),
        Revocation::token(ISSUER, "ada"),
        Revocation::key(ISSUER, "another"),
        Revocation::session("https://id.example.com/auth/v1/", SESSION),
        Revocation::subject("https://other.example.com", "ada", at(NOW)),
    ] {
        list.add(&entry).unwrap();
        fixture.verify_ok(&accepted);
    }
    assert_eq!(list.len(), 10);
}

#[test]
fn rejection_is_401_invalid_token_without_the_value() {
    let fixture = Fixture::new();
    fixture
        .auth
        .revocations()
        .revoke_session(ISSUER, SESSION)
        .unwrap();
    let error = fixture.verify_err(&token(&fixture).sign());
    assert_eq!(
        (
            error.status(),
            error.code(),
            error.metric_label(),
            error.step()
        ),
        (
            401,
            "TOKEN_REVOKED",
            "revoked",
            VerificationStep::Revocation
        )
    );
    let challenge = error.challenge(&fixture.auth).unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(!challenge.contains(SESSION), "{challenge}");
}

#[test]
fn recheck_sees_a_revocation() {
    let fixture = Fixture::new();
    let user = fixture.verify_ok(&token(&fixture).sign());
    let recheck = || fixture.auth.recheck(&user).now_or_never().unwrap();
    assert_eq!(recheck(), Ok(()));
    fixture
        .auth
        .revocations()
        .revoke_session(ISSUER, SESSION)
        .unwrap();
    assert_eq!(recheck().unwrap_err().error.code(), "TOKEN_REVOKED");
}

#[test]
fn explain_has_a_step_for_revocation() {
    let fixture = Fixture::new();
    let token = token(&fixture).sign();
    let step = || {
        let explanation = fixture.auth.explain(&token).now_or_never().unwrap();
        let step = explanation
            .steps
            .into_iter()
            .find(|step| step.step == VerificationStep::Revocation);
        let step = step.unwrap();
        (step.outcome, step.found, explanation.next_step)
    };
    assert_eq!(step(), (Outcome::Passed, "no revocations".to_owned(), None));
    fixture
        .auth
        .revocations()
        .revoke_subject(ISSUER, "bob", at(NOW))
        .unwrap();
    assert_eq!(step(), (Outcome::Passed, "not revoked".to_owned(), None));
    fixture
        .auth
        .revocations()
        .revoke_subject(ISSUER, "ada", at(NOW))
        .unwrap();
    let (outcome, found, next_step) = step();
    assert_eq!(
        (outcome, found.as_str()),
        (Outcome::Failed, "subject revoked")
    );
    assert!(next_step.unwrap().contains("sign in again"));
}

#[test]
fn subject_is_revoked_up_to_the_second_of_the_revocation() {
    let fixture = Fixture::new();
    let list = fixture.auth.revocations();
    // In the middle of a second: `iat` has whole seconds.
    list.revoke_subject(
        ISSUER,
        "ada",
        Timestamp::from_millis((NOW - 10) * 1000 + 500),
    )
    .unwrap();
    let issued = |iat: serde_json::Value| token(&fixture).claim("iat", iat).sign();
    for iat in [
        json!(NOW - 3600),
        json!(NOW - 11),
        json!(NOW - 10),
        json!(1_799_999_990.9),
        json!(0),
        json!(-5),
    ] {
        assert!(is_revoked(&fixture, &issued(iat.clone())), "{iat}");
    }
    for iat in [json!(NOW - 9), json!(NOW)] {
        assert!(!is_revoked(&fixture, &issued(iat.clone())), "{iat}");
    }
    let without_iat = token(&fixture).without("iat").sign();
    assert!(is_revoked(&fixture, &without_iat));
}

#[test]
fn sign_in_after_the_second_of_the_revocation_is_accepted() {
    let fixture = Fixture::new();
    let old = token(&fixture).claim("iat", NOW).sign();
    fixture.verify_ok(&old);
    fixture
        .auth
        .revocations()
        .revoke_subject(ISSUER, "ada", at(NOW))
        .unwrap();
    assert!(is_revoked(&fixture, &old));
    fixture.clock.advance(Duration::from_secs(1));
    let new = token(&fixture).claim("iat", NOW + 1).sign();
    assert!(!is_revoked(&fixture, &new));
    assert!(is_revoked(&fixture, &old));
}

#[test]
fn excepted_session_stays_valid() {
    let fixture = Fixture::new();
    let own = token(&fixture).sign();
    let others = [
        token(&fixture).claim("session_id", "phone").sign(),
        token(&fixture).without("session_id").sign(),
    ];
    let entry = Revocation::subject(ISSUER, "ada", at(NOW)).except_session(SESSION);
    fixture.auth.revocations().add(&entry).unwrap();
    assert!(!is_revoked(&fixture, &own));
    assert!(others.iter().all(|token| is_revoked(&fixture, token)));

    // A later revocation of all sessions includes the excepted one.
    fixture
        .auth
        .revocations()
        .revoke_subject(ISSUER, "ada", at(NOW))
        .unwrap();
    assert!(is_revoked(&fixture, &own));
}

#[test]
fn exception_of_another_session_accepts_no_older_token_again() {
    let fixture = Fixture::new();
    let list = fixture.auth.revocations();
    let phone = |iat: i64| {
        token(&fixture)
            .claim("session_id", "phone")
            .claim("iat", iat)
            .sign()
    };
    // The laptop signs the phone out, then the phone signs the laptop out.
    list.add(&Revocation::subject(ISSUER, "ada", at(NOW - 100)).except_session(SESSION))
        .unwrap();
    list.add(&Revocation::subject(ISSUER, "ada", at(NOW - 50)).except_session("phone"))
        .unwrap();
    assert!(is_revoked(&fixture, &phone(NOW - 100)));
    assert!(!is_revoked(&fixture, &phone(NOW - 99)));
    assert!(is_revoked(
        &fixture,
        &token(&fixture).claim("iat", NOW - 50).sign()
    ));
    assert!(!is_revoked(
        &fixture,
        &token(&fixture).claim("iat", NOW - 49).sign()
    ));
}

#[test]
fn subject_cannot_be_revoked_for_the_future() {
    let fixture = Fixture::new();
    let list = fixture.auth.revocations();
    let revoke = |seconds| list.revoke_subject(ISSUER, "ada", at(NOW + seconds));
    assert_eq!(revoke(301), Err(RevocationError::IssuedInFuture));
    assert!(list.is_empty());
    assert_eq!(revoke(300), Ok(()));
    // A list that is loaded must not fail because of one entry: the time is limited.
    list.replace(&[Revocation::subject(ISSUER, "ada", at(NOW + 1_000_000))])
        .unwrap();
    fixture.clock.advance(Duration::from_secs(301));
    let new = token(&fixture).claim("iat", NOW + 301).sign();
    assert!(!is_revoked(&fixture, &new));
}

#[test]
fn key_is_revoked_for_tokens_that_do_not_name_it() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let other = KeyPair::cached(Algorithm::ES256, 1);
    let fixture = Fixture::with_jwks(
        &key,
        &jwks_from([
            jwk_with(&key, "kid", json!("a")),
            jwk_with(&other, "kid", json!("b")),
        ]),
    );
    let sign = |key: &KeyPair, kid: Option<&str>| {
        let token = token(&fixture).key(key.clone());
        match kid {
            Some(kid) => token.kid(kid),
            None => token.without_header("kid"),
        }
        .sign()
    };
    fixture.verify_ok(&sign(&key, None));
    fixture.auth.revocations().revoke_key(ISSUER, "a").unwrap();
    assert!(is_revoked(&fixture, &sign(&key, Some("a"))));
    assert!(is_revoked(&fixture, &sign(&key, None)));
    assert!(!is_revoked(&fixture, &sign(&other, Some("b"))));
    assert!(!is_revoked(&fixture, &sign(&other, None)));
}

#[test]
fn tenants_of_a_template_are_separate() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let issuer =
        fixture::issuer_with_jwks("https://id.example.com/{tenant}", &fixture::jwks([&key]))
            .tenants(["one", "two"])
            .unwrap();
    let clock = fixture::clock();
    let auth = fixture::build(bearward::Bearward::builder().issuer(issuer), &clock);
    let token = |tenant: &str| {
        let issuer = format!("https://id.example.com/{tenant}");
        TokenBuilder::new(&issuer, key.clone(), at(NOW))
            .claim("aud", AUDIENCE)
            .claim("tenant", tenant)
            .sub("ada")
            .sign()
    };
    auth.revocations()
        .revoke_subject("https://id.example.com/one", "ada", at(NOW))
        .unwrap();
    assert_eq!(
        fixture::verify(&auth, &token("one")).unwrap_err().code(),
        "TOKEN_REVOKED"
    );
    fixture::verify(&auth, &token("two")).unwrap();
}

#[test]
fn alias_of_an_issuer_is_the_canonical_issuer() {
    let key = KeyPair::cached(Algorithm::ES256, 0);
    let fixture = Fixture::with_key(&key, |issuer| {
        issuer.issuer_alias("https://alias.example.com")
    });
    let token = token(&fixture).issuer("https://alias.example.com").sign();
    fixture.verify_ok(&token);
    fixture
        .auth
        .revocations()
        .revoke_subject(ISSUER, "ada", at(NOW))
        .unwrap();
    assert!(is_revoked(&fixture, &token));
}

#[test]
fn entry_ends_at_its_expiry() {
    let fixture = Fixture::new();
    let list = fixture.auth.revocations();
    let entry = Revocation::token(ISSUER, "token-1").expires_at(at(NOW + 100));
    list.add(&entry).unwrap();
    list.add(&Revocation::token(ISSUER, "token-1").expires_at(at(NOW + 50)))
        .unwrap();
    let token = token(&fixture).expires_in(Duration::from_secs(3600)).sign();
    fixture.clock.advance(Duration::from_millis(99_999));
    assert!(is_revoked(&fixture, &token));
    fixture.clock.advance(Duration::from_millis(1));
    assert!(!is_revoked(&fixture, &token));
    assert_eq!((list.len(), list.purge_expired(), list.len()), (1, 1, 0));
    // An entry that has ended is not added.
    list.add(&entry).unwrap();
    assert!(list.is_empty());
}

#[test]
fn default_expiry_is_the_retention() {
    let fixture = fixture_with(RevocationConfig::default().retention(Duration::from_secs(60)));
    fixture
        .auth
        .revocations()
        .revoke_token(ISSUER, "token-1")
        .unwrap();
    let token = token(&fixture).expires_in(Duration::from_secs(3600)).sign();
    fixture.clock.advance(Duration::from_secs(59));
    assert!(is_revoked(&fixture, &token));
    fixture.clock.advance(Duration::from_secs(1));
    assert!(!is_revoked(&fixture, &token));
}

#[test]
fn full_list_refuses_entries_and_keeps_the_others() {
    let fixture = fixture_with(RevocationConfig::default().max_entries(2));
    let list = fixture.auth.revocations();
    let full = Err(RevocationError::Full { max_entries: 2 });
    let short = Revocation::session(ISSUER, "short").expires_at(at(NOW + 10));
    list.add(&short).unwrap();
    list.revoke_session(ISSUER, SESSION).unwrap();
    assert_eq!(list.revoke_token(ISSUER, "token-2"), full);
    assert_eq!(
        list.new_list().revoke_token(ISSUER, "token-2"),
        full,
        "one limit for all lists"
    );
    assert_eq!(list.len(), 2);
    assert!(is_revoked(&fixture, &token(&fixture).sign()));
    // An entry that exists can be extended.
    list.revoke_session(ISSUER, SESSION).unwrap();
    // The place of an expired entry is used.
    fixture.clock.advance(Duration::from_secs(10));
    assert_eq!(list.revoke_token(ISSUER, "token-2"), Ok(()));
    assert!(is_revoked(&fixture, &token(&fixture).sign()));
}

#[test]
fn replacing_a_list_keeps_the_entries_of_others() {
    let fixture = Fixture::new();
    let (one, two) = (
        fixture.auth.revocations(),
        fixture.auth.revocations().new_list(),
    );
    let session = |id: &str| token(&fixture).claim("session_id", id).sign();
    one.revoke_session(ISSUER, "a").unwrap();
    two.replace(&[
        Revocation::session(ISSUER, "b"),
        Revocation::session(ISSUER, "c"),
    ])
    .unwrap();
    let revoked = || ["a", "b", "c", "d"].map(|id| is_revoked(&fixture, &session(id)));
    assert_eq!(revoked(), [true, true, true, false]);
    two.replace(&[
        Revocation::session(ISSUER, "c"),
        Revocation::session(ISSUER, "d"),
    ])
    .unwrap();
    assert_eq!(revoked(), [true, false, true, true]);
    assert_eq!((one.len(), two.len()), (1, 2));
    drop(two);
    assert_eq!(revoked(), [true, false, true, true]);
}

#[test]
fn replaced_issuers_keep_the_list() {
    let fixture = Fixture::new();
    fixture
        .auth
        .revocations()
        .revoke_session(ISSUER, SESSION)
        .unwrap();
    fixture
        .auth
        .replace_issuers(fixture.auth.issuers())
        .unwrap();
    assert!(is_revoked(&fixture, &token(&fixture).sign()));
}

#[test]
fn settings_out_of_range_are_clamped() {
    let list =
        |config: RevocationConfig| -> Revocations { fixture_with(config).auth.revocations() };
    let config = RevocationConfig::default();
    assert_eq!(list(config.max_entries(0)).max_entries(), 1);
    assert_eq!(
        list(config.retention(Duration::ZERO)).retention(),
        Duration::from_secs(60)
    );
    assert_eq!(list(config).max_entries(), 1_000_000);
}
