//! Request bodies of the admin API: strict JSON with errors per member.

use serde_json::json;

use crate::fixture::{JSON, TestIdp};

#[tokio::test]
async fn unknown_members_are_rejected_with_the_known_ones() {
    let idp = TestIdp::start();
    for (line, body, field, right) in [
        (
            "POST /admin/tokens",
            r#"{"claim": {}}"#,
            "claim",
            "`claims`",
        ),
        (
            "POST /admin/tokens",
            r#"{"expiresIn": 5}"#,
            "expiresIn",
            "`expires_in`",
        ),
        (
            "POST /admin/keys/rotate",
            r#"{"alg": "ES256"}"#,
            "alg",
            "`algorithm`",
        ),
        (
            "POST /admin/keys/standby",
            r#"{"algoritm": "ES256"}"#,
            "algoritm",
            "`algorithm`",
        ),
        (
            "PUT /admin/faults",
            r#"{"statsu": 503}"#,
            "statsu",
            "`status`",
        ),
    ] {
        let response = idp.send_json(line, body).await;
        assert_eq!(
            response.error(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{line} {body}"
        );
        let detail = &response.json()["error"]["details"][0];
        assert_eq!(detail["field"], field);
        assert!(
            detail["problem"].as_str().unwrap().contains(right),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn wrong_types_are_rejected_with_the_expected_one() {
    let idp = TestIdp::start();
    for (line, body, field, right) in [
        (
            "POST /admin/tokens",
            r#"{"expires_in": "1h"}"#,
            "expires_in",
            "i64",
        ),
        ("POST /admin/tokens", r#"{"claims": []}"#, "claims", "map"),
        (
            "POST /admin/tokens",
            r#"{"header": "kid"}"#,
            "header",
            "map",
        ),
        ("POST /admin/tokens", r#"{"forge": 5}"#, "forge", "string"),
        (
            "POST /admin/tokens",
            r#"{"forge": "tampred"}"#,
            "forge",
            "tampered, signed_by_stranger",
        ),
        (
            "POST /admin/keys/rotate",
            r#"{"algorithm": "HS256"}"#,
            "algorithm",
            "RS256",
        ),
        (
            "POST /admin/keys/rotate",
            r#"{"algorithm": 256}"#,
            "algorithm",
            "string",
        ),
        ("PUT /admin/faults", r#"{"hang": "yes"}"#, "hang", "boolean"),
        (
            "PUT /admin/faults",
            r#"{"status": 199}"#,
            "status",
            "200 to 599",
        ),
        (
            "PUT /admin/faults",
            r#"{"status": 600}"#,
            "status",
            "200 to 599",
        ),
        ("PUT /admin/faults", r#"{"status": 70000}"#, "status", "u16"),
        (
            "PUT /admin/faults",
            r#"{"redirect_to": "a\nb"}"#,
            "redirect_to",
            "control characters",
        ),
        (
            "PUT /admin/faults",
            r#"{"cache_control": "a\u0000b"}"#,
            "cache_control",
            "control characters",
        ),
        (
            "PUT /admin/faults",
            r#"{"padding_bytes": 16777217}"#,
            "padding_bytes",
            "16777216",
        ),
    ] {
        let response = idp.send_json(line, body).await;
        assert_eq!(
            response.error(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{line} {body}"
        );
        let detail = &response.json()["error"]["details"][0];
        assert_eq!(detail["field"], field, "{body}");
        assert!(
            detail["problem"].as_str().unwrap().contains(right),
            "{detail}"
        );
    }
    assert_eq!(
        idp.send_json(
            "PUT /admin/faults",
            r#"{"status": 200, "padding_bytes": 16777216}"#
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn all_invalid_members_are_reported_together() {
    let idp = TestIdp::start();
    let response = idp
        .send_json(
            "POST /admin/tokens",
            r#"{"claim": {}, "expires_in": "1h", "forge": "tampered"}"#,
        )
        .await
        .json();
    let fields: Vec<_> = response["error"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| &detail["field"])
        .collect();
    assert_eq!(fields, ["claim", "expires_in"]);
}

#[tokio::test]
async fn invalid_json_is_400_and_non_objects_are_422() {
    let idp = TestIdp::start();
    for line in [
        "POST /admin/tokens",
        "POST /admin/keys/rotate",
        "POST /admin/keys/standby",
        "PUT /admin/faults",
    ] {
        for body in ["{", "claims=x", "{} {}", "\u{1}"] {
            assert_eq!(
                idp.send_json(line, body).await.error(),
                (400, "INVALID_REQUEST".to_owned()),
                "{line} {body}"
            );
        }
        // serde would deserialize the struct from an array.
        for body in ["[]", "null", "\"tampered\"", "5"] {
            assert_eq!(
                idp.send_json(line, body).await.error(),
                (422, "VALIDATION_FAILED".to_owned()),
                "{line} {body}"
            );
        }
    }
}

#[tokio::test]
async fn repeated_members_are_rejected() {
    let idp = TestIdp::start();
    let body = r#"{"claims": {"sub": "a"}, "claims": {"sub": "b"}}"#;
    let response = idp.send_json("POST /admin/tokens", body).await;
    assert_eq!(response.error(), (422, "VALIDATION_FAILED".to_owned()));
    assert_eq!(
        response.json()["error"]["details"],
        json!([{ "field": "claims", "problem": "is repeated" }])
    );
}

#[tokio::test]
async fn other_content_types_are_415() {
    let idp = TestIdp::start();
    let types = [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
    ];
    for line in [
        "POST /admin/tokens",
        "POST /admin/keys/rotate",
        "PUT /admin/faults",
    ] {
        for content_type in types {
            let headers: Vec<_> = content_type
                .map(|value| ("content-type", value))
                .into_iter()
                .collect();
            let response = idp.send(line, &headers, "{}").await;
            assert_eq!(
                response.error(),
                (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()),
                "{line} {content_type:?}"
            );
        }
        for content_type in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON",
        ] {
            assert_eq!(
                idp.send(line, &[("content-type", content_type)], "{}")
                    .await
                    .status,
                200,
                "{line} {content_type}"
            );
        }
    }
}

#[tokio::test]
async fn large_bodies_are_413() {
    let idp = TestIdp::start();
    let request = |size: usize| format!(r#"{{"claims": {{"x": "{}"}}}}"#, "x".repeat(size));
    let response = idp
        .send("POST /admin/tokens", &[JSON], &request(300_000))
        .await;
    assert_eq!(response.error(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    assert_eq!(
        idp.send_json("POST /admin/tokens", &request(200_000))
            .await
            .status,
        200
    );
    assert_eq!(idp.get("/health").await.status, 200);
}
