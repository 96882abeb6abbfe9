//! Bodies are read strictly: a slip of the keyboard is answered, not passed over.

use crate::{
    http::{JSON, get, json, send},
    start,
};

#[tokio::test]
async fn a_member_that_nobody_knows_is_refused_with_those_that_are_known() {
    let idp = start();
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
        let answer = json(&idp, line, body).await;
        assert_eq!(
            answer.refusal(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{line} {body}"
        );
        let detail = &answer.json()["error"]["details"][0];
        assert_eq!(detail["field"], field);
        assert!(
            detail["problem"].as_str().unwrap().contains(right),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_refused_with_the_right_one() {
    let idp = start();
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
        let answer = json(&idp, line, body).await;
        assert_eq!(
            answer.refusal(),
            (422, "VALIDATION_FAILED".to_owned()),
            "{line} {body}"
        );
        let detail = &answer.json()["error"]["details"][0];
        assert_eq!(detail["field"], field, "{body}");
        assert!(
            detail["problem"].as_str().unwrap().contains(right),
            "{detail}"
        );
    }
    assert_eq!(
        json(
            &idp,
            "PUT /admin/faults",
            r#"{"status": 200, "padding_bytes": 16777216}"#
        )
        .await
        .status,
        200
    );
}

#[tokio::test]
async fn every_wrong_member_is_told_at_once() {
    let idp = start();
    let answer = json(
        &idp,
        "POST /admin/tokens",
        r#"{"claim": {}, "expires_in": "1h", "forge": "tampered"}"#,
    )
    .await
    .json();
    let fields: Vec<_> = answer["error"]["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|detail| &detail["field"])
        .collect();
    assert_eq!(fields, ["claim", "expires_in"]);
}

#[tokio::test]
async fn what_is_no_json_is_400_and_what_is_no_object_422() {
    let idp = start();
    for line in [
        "POST /admin/tokens",
        "POST /admin/keys/rotate",
        "POST /admin/keys/standby",
        "PUT /admin/faults",
    ] {
        for body in ["{", "claims=x", "{} {}", "\u{1}"] {
            assert_eq!(
                json(&idp, line, body).await.refusal(),
                (400, "INVALID_REQUEST".to_owned()),
                "{line} {body}"
            );
        }
        // serde would take the list for an order without wishes.
        for body in ["[]", "null", "\"tampered\"", "5"] {
            assert_eq!(
                json(&idp, line, body).await.refusal(),
                (422, "VALIDATION_FAILED".to_owned()),
                "{line} {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_called_json_is_415() {
    let idp = start();
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
            let answer = send(&idp, line, &headers, "{}").await;
            assert_eq!(
                answer.refusal(),
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
                send(&idp, line, &[("content-type", content_type)], "{}")
                    .await
                    .status,
                200,
                "{line} {content_type}"
            );
        }
    }
}

#[tokio::test]
async fn a_large_body_is_413_and_the_idp_lives_on() {
    let idp = start();
    let order = |size: usize| format!(r#"{{"claims": {{"x": "{}"}}}}"#, "x".repeat(size));
    let answer = send(&idp, "POST /admin/tokens", &[JSON], &order(300_000)).await;
    assert_eq!(answer.refusal(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    assert_eq!(
        json(&idp, "POST /admin/tokens", &order(200_000))
            .await
            .status,
        200
    );
    assert_eq!(get(&idp, "/health").await.status, 200);
}
