//! Multi-factor authentication: limits, error cases and persistence. `tests/supabase_js` covers the
//! usual flow.

use aws_lc_rs::hmac;
use bearward::Clock;
use bearward_testing::TestClock;
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

use super::data_file::{restart, start};
use crate::fixture::{self, JSON, PASSWORD, TestIdp, TestResponse, text};

/// Computes the code of a secret at a time (RFC 6238).
fn code_at(secret: &str, unix_seconds: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(unix_seconds / 30).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 0xf);
    let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap());
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

async fn send(idp: &TestIdp, line: &str, session: &Value, body: Value) -> TestResponse {
    let bearer = format!("Bearer {}", text(session, "access_token"));
    let (method, path) = line.split_once(' ').unwrap();
    let line = format!("{method} /auth/v1{path}");
    let headers = [JSON, ("authorization", bearer.as_str())];
    idp.send(&line, &headers, &body.to_string()).await
}

async fn enroll(idp: &TestIdp, session: &Value, name: &str) -> Value {
    let body = json!({ "factor_type": "totp", "friendly_name": name });
    let response = send(idp, "POST /factors", session, body).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

async fn challenge(idp: &TestIdp, session: &Value, factor: &Value) -> Value {
    let line = format!("POST /factors/{}/challenge", text(factor, "id"));
    let response = send(idp, &line, session, json!({})).await;
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

async fn verify(
    idp: &TestIdp,
    session: &Value,
    factor: &Value,
    challenge: &Value,
    code: &str,
) -> TestResponse {
    let line = format!("POST /factors/{}/verify", text(factor, "id"));
    let body = json!({ "challenge_id": challenge["id"], "code": code });
    send(idp, &line, session, body).await
}

/// Enrolls a factor, verifies it, and returns the factor and the session with AAL2.
async fn enrolled(idp: &TestIdp, session: &Value, unix_seconds: i64) -> (Value, Value) {
    let factor = enroll(idp, session, "phone").await;
    let code = code_at(text(&factor["totp"], "secret"), unix_seconds);
    let challenge = challenge(idp, session, &factor).await;
    let response = verify(idp, session, &factor, &challenge, &code).await;
    assert_eq!(response.status, 200, "{}", response.body);
    (factor, response.json())
}

fn claims(session: &Value) -> Value {
    let payload = text(session, "access_token").split('.').nth(1).unwrap();
    let payload = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes());
    serde_json::from_slice(&payload.unwrap()).unwrap()
}

fn with_clock() -> (TestIdp, TestClock) {
    TestIdp::with_auth(fixture::auth_options())
}

#[tokio::test]
async fn verified_code_raises_the_session_to_aal2() {
    let (idp, clock) = with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let other = json!({ "email": "ada@example.com", "password": PASSWORD });
    let other = idp
        .auth_post("/token?grant_type=password", other)
        .await
        .json();
    let abandoned = enroll(&idp, &session, "abandoned").await;
    let (factor, raised) = enrolled(&idp, &session, clock.now().unix()).await;
    let found = claims(&raised);
    assert_eq!(found["aal"], "aal2");
    assert_eq!(found["session_id"], claims(&session)["session_id"]);
    let sessions = idp.get("/admin/sessions").await.json();
    assert_eq!(sessions["sessions"][0]["aal"], "aal2");
    let methods: Vec<&str> = found["amr"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(it, "method"))
        .collect();
    assert_eq!(methods, ["totp", "password"], "newest first");
    let factors = raised["user"]["factors"].as_array().unwrap();
    assert_eq!(factors.len(), 1, "the abandoned enrollment is removed");
    assert_eq!(
        (text(&factors[0], "id"), text(&factors[0], "status")),
        (text(&factor, "id"), "verified")
    );
    assert!(factors[0].get("secret").is_none());
    let gone = format!("POST /factors/{}/challenge", text(&abandoned, "id"));
    assert_eq!(
        send(&idp, &gone, &raised, json!({})).await.auth_error(),
        (404, "mfa_factor_not_found".to_owned())
    );
    assert_eq!(
        idp.user(&other).await.auth_error(),
        (403, "session_not_found".to_owned()),
        "sessions with AAL1 end"
    );
    let refreshed = idp.refresh(text(&raised, "refresh_token")).await.json();
    assert_eq!(
        claims(&refreshed)["aal"],
        "aal2",
        "a refresh keeps the level"
    );
    clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(
        idp.refresh(text(&session, "refresh_token"))
            .await
            .auth_error(),
        (400, "refresh_token_already_used".to_owned())
    );
}

#[tokio::test]
async fn wrong_codes_and_used_or_expired_challenges_are_rejected() {
    let (idp, clock) = with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let factor = enroll(&idp, &session, "").await;
    let secret = text(&factor["totp"], "secret").to_owned();
    let code = code_at(&secret, clock.now().unix());
    let first = challenge(&idp, &session, &factor).await;
    let failed = (422, "mfa_verification_failed".to_owned());
    let response = verify(&idp, &session, &factor, &first, wrong(&code)).await;
    assert_eq!(response.auth_error(), failed);
    let response = verify(&idp, &session, &factor, &first, "").await;
    assert_eq!(response.auth_error(), (400, "validation_failed".to_owned()));
    let unknown = json!({ "id": "00000000-0000-4000-8000-000000000000" });
    let response = verify(&idp, &session, &factor, &unknown, &code).await;
    assert_eq!(
        response.auth_error(),
        (422, "mfa_factor_not_found".to_owned())
    );
    let response = verify(&idp, &session, &factor, &json!({ "id": "x" }), &code).await;
    assert_eq!(response.auth_error(), (400, "bad_json".to_owned()));

    let raised = verify(&idp, &session, &factor, &first, &code).await.json();
    let replayed = verify(&idp, &raised, &factor, &first, &code).await;
    assert_eq!(
        replayed.auth_error(),
        (422, "mfa_ip_address_mismatch".to_owned()),
        "a challenge is used once"
    );
    let late = challenge(&idp, &raised, &factor).await;
    clock.advance(std::time::Duration::from_secs(301));
    let now = code_at(&secret, clock.now().unix());
    let response = verify(&idp, &raised, &factor, &late, &now).await;
    assert_eq!(
        response.auth_error(),
        (422, "mfa_challenge_expired".to_owned())
    );
    let fresh = challenge(&idp, &raised, &factor).await;
    assert_eq!(
        verify(&idp, &raised, &factor, &fresh, &code)
            .await
            .auth_error(),
        failed,
        "an old code"
    );
    assert_eq!(
        verify(&idp, &raised, &factor, &fresh, &now).await.status,
        200
    );
}

#[tokio::test]
async fn enrollment_is_limited() {
    let (idp, clock) = with_clock();
    let session = idp.sign_up("ada@example.com").await;
    for (body, expected) in [
        (json!({}), (400, "validation_failed")),
        (json!({ "factor_type": "sms" }), (400, "validation_failed")),
        (
            json!({ "factor_type": "phone" }),
            (422, "mfa_phone_enroll_not_enabled"),
        ),
        (
            json!({ "factor_type": "webauthn" }),
            (422, "mfa_webauthn_enroll_not_enabled"),
        ),
        (
            json!({ "factor_type": "totp", "issuer": "x".repeat(5000) }),
            (400, "validation_failed"),
        ),
    ] {
        let (status, code) = send(&idp, "POST /factors", &session, body)
            .await
            .auth_error();
        assert_eq!((status, code.as_str()), expected);
    }
    for number in 0..10 {
        enroll(&idp, &session, &number.to_string()).await;
    }
    let enrolling = |name: &str| json!({ "factor_type": "totp", "friendly_name": name });
    let response = send(&idp, "POST /factors", &session, enrolling("3")).await;
    assert_eq!(
        response.auth_error(),
        (422, "mfa_factor_name_conflict".to_owned())
    );
    let response = send(&idp, "POST /factors", &session, enrolling("eleven")).await;
    assert_eq!(
        response.auth_error(),
        (422, "too_many_enrolled_mfa_factors".to_owned())
    );
    clock.advance(std::time::Duration::from_secs(301));
    enroll(&idp, &session, "3").await;

    let anonymous = idp.auth_post("/signup", json!({})).await.json();
    let response = send(&idp, "POST /factors", &anonymous, enrolling("x")).await;
    assert_eq!(response.auth_error(), (403, "no_authorization".to_owned()));
    for (line, expected) in [
        ("DELETE /factors/x", (404, "validation_failed")),
        ("GET /factors", (405, "method_not_allowed")),
        ("GET /factors/x", (405, "method_not_allowed")),
    ] {
        let (status, code) = send(&idp, line, &session, json!({})).await.auth_error();
        assert_eq!((status, code.as_str()), expected, "{line}");
    }
    let response = idp.send_json("POST /auth/v1/factors", "{}").await;
    assert_eq!(response.auth_error(), (401, "no_authorization".to_owned()));
}

#[tokio::test]
async fn factors_of_other_users_are_not_found() {
    let (idp, _) = with_clock();
    let ada = idp.sign_up("ada@example.com").await;
    let mallory = idp.sign_up("mallory@example.com").await;
    let factor = enroll(&idp, &ada, "phone").await;
    for line in [
        "POST /factors/ID/challenge",
        "POST /factors/ID/verify",
        "DELETE /factors/ID",
    ] {
        let line = line.replace("ID", text(&factor, "id"));
        let response = send(&idp, &line, &mallory, json!({ "code": "123456" })).await;
        assert_eq!(
            response.auth_error(),
            (404, "mfa_factor_not_found".to_owned()),
            "{line}"
        );
    }
}

#[tokio::test]
async fn verified_factor_is_required_for_sensitive_changes() {
    let (idp, clock) = with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let (factor, raised) = enrolled(&idp, &session, clock.now().unix()).await;
    let credentials = json!({ "email": "ada@example.com", "password": PASSWORD });
    let low = idp
        .auth_post("/token?grant_type=password", credentials)
        .await
        .json();
    assert_eq!(claims(&low)["aal"], "aal1");
    let line = format!("DELETE /factors/{}", text(&factor, "id"));
    for (line, body, expected) in [
        (
            "PUT /user",
            json!({ "password": "another horse" }),
            (401, "insufficient_aal"),
        ),
        (
            "PUT /user",
            json!({ "email": "new@example.com" }),
            (401, "insufficient_aal"),
        ),
        (
            "POST /factors",
            json!({ "factor_type": "totp", "friendly_name": "x" }),
            (403, "insufficient_aal"),
        ),
        (line.as_str(), json!({}), (422, "insufficient_aal")),
    ] {
        let (status, code) = send(&idp, line, &low, body).await.auth_error();
        assert_eq!((status, code.as_str()), expected, "{line}");
    }
    let body = json!({ "email": "ada@example.com", "data": { "theme": "dark" } });
    assert_eq!(send(&idp, "PUT /user", &low, body).await.status, 200);
    let removed = send(&idp, &line, &raised, json!({})).await;
    assert_eq!(removed.json(), json!({ "id": factor["id"] }));
    let lowered = idp.refresh(text(&raised, "refresh_token")).await.json();
    let found = claims(&lowered);
    assert_eq!(
        (text(&found, "aal"), found["amr"].as_array().unwrap().len()),
        ("aal1", 1)
    );
    assert!(lowered["user"].get("factors").is_none());
    let body = json!({ "password": "another horse" });
    assert_eq!(send(&idp, "PUT /user", &low, body).await.status, 200);
}

#[tokio::test]
async fn factors_and_levels_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    let session = idp.sign_up("ada@example.com").await;
    let now = || bearward::SystemClock::new().now().unix();
    let (factor, raised) = enrolled(&idp, &session, now()).await;
    let idp = restart(idp, &file);
    let raised = idp.refresh(text(&raised, "refresh_token")).await.json();
    assert_eq!(claims(&raised)["aal"], "aal2");
    let challenge = challenge(&idp, &raised, &factor).await;
    let code = code_at(text(&factor["totp"], "secret"), now());
    assert_eq!(
        verify(&idp, &raised, &factor, &challenge, &code)
            .await
            .status,
        200
    );
}
