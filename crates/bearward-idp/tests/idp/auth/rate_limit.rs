//! The simulated rate limit of the hosted service.

use serde_json::json;

use crate::fixture::{JSON, TestIdp};

const LIMITED: [&str; 13] = [
    "POST /signup",
    "POST /signup/",
    "POST //token?grant_type=password",
    "POST /recover",
    "POST /resend",
    "POST /magiclink",
    "POST /otp",
    "POST /verify",
    "GET /verify?token=x&type=signup",
    "PUT /user",
    "POST /factors/00000000-0000-4000-8000-000000000000/challenge",
    "POST /factors/00000000-0000-4000-8000-000000000000/verify",
    "POST /oauth/clients/register",
];

fn in_auth(line: &str) -> String {
    line.replacen(' ', " /auth/v1", 1)
}

#[tokio::test]
async fn limited_requests_are_429_until_it_is_switched_off() {
    let (idp, _) = TestIdp::with_clock();
    let session = idp.sign_up("ada@example.com").await;
    let line = "PUT /admin/rate-limit";
    let shown = idp.send_json(line, r#"{"reached": true}"#).await;
    assert_eq!(shown.json(), json!({ "reached": true }));
    for limited in LIMITED {
        let response = idp.send_json(&in_auth(limited), "{}").await;
        assert_eq!(
            response.auth_error(),
            (429, "over_request_rate_limit".to_owned()),
            "{limited}"
        );
    }
    let versioned = [JSON, ("x-supabase-api-version", "2024-01-01")];
    let response = idp.send(&in_auth(LIMITED[0]), &versioned, "{}").await;
    assert_eq!(
        response.json(),
        json!({ "code": "over_request_rate_limit", "message": "Request rate limit reached" })
    );
    assert_eq!(idp.user(&session).await.status, 200);
    for path in ["/auth/v1/settings", "/auth/v1/.well-known/jwks.json"] {
        assert_eq!(idp.get(path).await.status, 200, "{path}");
    }

    idp.send_json(line, r#"{"reached": false}"#).await;
    let anonymous = idp.send_json(&in_auth(LIMITED[0]), "{}").await;
    assert_eq!(anonymous.status, 200, "{}", anonymous.body);
}
