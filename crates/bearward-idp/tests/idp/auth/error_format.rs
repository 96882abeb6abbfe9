//! The two error formats of the auth API, and invalid bodies.

use serde_json::json;

use crate::fixture::{JSON, TestIdp};

const LINE: &str = "POST /auth/v1/token?grant_type=password";

#[tokio::test]
async fn version_header_selects_the_error_format() {
    let (idp, _) = TestIdp::with_clock();
    let body = r#"{"email": "ada@example.com", "password": "wrong horse"}"#;
    for version in ["2024-01-01", "2024-01-02", "2099-12-31"] {
        let response = idp
            .send(LINE, &[JSON, ("x-supabase-api-version", version)], body)
            .await;
        assert_eq!(
            response.json(),
            json!({ "code": "invalid_credentials", "message": "Invalid login credentials" })
        );
        assert_eq!(
            response.header("x-supabase-api-version"),
            Some("2024-01-01"),
            "the client shows no code without it"
        );
        assert_eq!(
            response.header("x-sb-error-code"),
            Some("invalid_credentials")
        );
    }
    for version in ["2023-12-31", "latest", "2024-1-1", "2024-01-01x", ""] {
        let response = idp
            .send(LINE, &[JSON, ("x-supabase-api-version", version)], body)
            .await;
        assert_eq!(
            response.auth_error(),
            (400, "invalid_credentials".to_owned()),
            "{version}"
        );
        assert_eq!(response.header("x-supabase-api-version"), None);
    }
}

#[tokio::test]
async fn weak_password_lists_reasons_in_both_formats() {
    let (idp, _) = TestIdp::with_clock();
    let body = r#"{"email": "ada@example.com", "password": "12345"}"#;
    for version in ["2024-01-01", ""] {
        let response = idp
            .send(
                "POST /auth/v1/signup",
                &[JSON, ("x-supabase-api-version", version)],
                body,
            )
            .await;
        assert_eq!(response.status, 422);
        assert_eq!(
            response.json()["weak_password"]["reasons"],
            json!(["length"])
        );
        assert!(!response.body.contains("12345"), "{}", response.body);
    }
}

#[tokio::test]
async fn invalid_and_oversized_bodies_are_rejected() {
    let (idp, _) = TestIdp::with_clock();
    for (headers, body, expected) in [
        (vec![JSON], "{", (400, "bad_json")),
        (vec![JSON], "[]", (400, "bad_json")),
        (vec![JSON], "", (400, "bad_json")),
        (vec![JSON], r#"{"email": 1}"#, (400, "bad_json")),
        (
            vec![("content-type", "text/plain")],
            "{}",
            (400, "bad_json"),
        ),
        (vec![], "{}", (400, "bad_json")),
    ] {
        let (status, code) = idp.send(LINE, &headers, body).await.auth_error();
        assert_eq!((status, &*code), expected, "{body}");
    }
    let fits = format!(r#"{{"email": "{}"}}"#, "x".repeat(1_048_576 - 13));
    assert_eq!(
        idp.send(LINE, &[JSON], &fits).await.auth_error(),
        (400, "invalid_credentials".to_owned())
    );
    assert_eq!(
        idp.send(LINE, &[JSON], &format!("{fits} "))
            .await
            .auth_error(),
        (413, "request_entity_too_large".to_owned())
    );
}

#[tokio::test]
async fn unknown_members_are_ignored_and_null_is_absent() {
    let (idp, _) = TestIdp::with_clock();
    let body = json!({
        "email": "ada@example.com", "password": "correct horse", "gotrue_meta_security": { "captcha_token": "x" }, "data": null,
        "code_challenge": null, "code_challenge_method": null,
    });
    assert_eq!(idp.auth_post("/signup", body).await.status, 200);
}

#[tokio::test]
async fn unsupported_grant_types_are_rejected() {
    let (idp, _) = TestIdp::with_clock();
    for path in [
        "/token",
        "/token?grant_type=",
        "/token?grant_type=client_credentials",
    ] {
        assert_eq!(
            idp.auth_post(path, json!({})).await.auth_error(),
            (400, "invalid_credentials".to_owned()),
            "{path}"
        );
    }
    assert_eq!(
        idp.auth_post("/token?grant_type=%ff", json!({}))
            .await
            .auth_error()
            .0,
        400
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_have_codes() {
    let (idp, _) = TestIdp::with_clock();
    for line in [
        "GET /auth/v1",
        "GET /auth/v1/",
        "GET /auth/v1/nothing",
        "POST /auth/v1/user/nothing",
        "GET /auth/v1/settings/",
    ] {
        let response = idp.send(line, &[], "").await;
        assert_eq!(
            response.auth_error(),
            (404, "not_found".to_owned()),
            "{line}"
        );
        let version = [("x-supabase-api-version", "2024-01-01")];
        let response = idp.send(line, &version, "").await.json();
        assert_eq!(response["code"], "not_found", "{line}");
    }
    for (line, allowed) in [
        ("POST /auth/v1/authorize", "GET"),
        ("PUT /auth/v1/callback", "GET, POST"),
        ("PUT /auth/v1/verify", "POST, GET"),
        ("GET /auth/v1/token", "POST"),
        ("GET /auth/v1/signup", "POST"),
        ("GET /auth/v1/logout", "POST"),
        ("DELETE /auth/v1/settings", "GET"),
        ("POST /auth/v1/health", "GET"),
        ("PUT /auth/v1/.well-known/jwks.json", "GET"),
        ("POST /auth/v1/.well-known/openid-configuration", "GET"),
    ] {
        let response = idp.send(line, &[], "").await;
        let found = (response.auth_error(), response.header("allow"));
        let expected = (405, "method_not_allowed".to_owned());
        assert_eq!(found, (expected, Some(allowed)), "{line}");
    }
    for path in ["settings", "health", ".well-known/jwks.json"] {
        let head = idp.send(&format!("HEAD /auth/v1/{path}"), &[], "").await;
        assert_eq!(
            (head.status, head.header("allow")),
            (405, Some("GET")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn disabled_features_have_the_codes_of_the_hosted_service() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    for (line, expected) in [
        ("POST /auth/v1/sso", (404, "saml_provider_disabled")),
        (
            "POST /auth/v1/passkeys/authentication/options",
            (404, "passkey_disabled"),
        ),
        ("POST /auth/v1/invite", (403, "not_admin")),
        ("GET /auth/v1/admin/users", (403, "not_admin")),
        (
            "POST /auth/v1/token?grant_type=web3",
            (422, "web3_provider_disabled"),
        ),
        ("DELETE /auth/v1/user", (405, "method_not_allowed")),
    ] {
        let headers = [JSON, ("authorization", bearer.as_str())];
        let (status, code) = idp.send(line, &headers, "{}").await.auth_error();
        assert_eq!((status, code.as_str()), expected, "{line}");
    }
    for line in ["GET /auth/v1/admin/users", "DELETE /auth/v1/user"] {
        let expected = (401, "no_authorization".to_owned());
        assert_eq!(
            idp.send(line, &[], "").await.auth_error(),
            expected,
            "{line}"
        );
    }
}
