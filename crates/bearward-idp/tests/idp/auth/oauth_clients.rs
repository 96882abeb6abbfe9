//! Registration of OAuth clients (RFC 7591) and the metadata of the OAuth server (RFC 8414).

use serde_json::{Value, json};

use crate::fixture::{TestIdp, TestResponse, text};

const REGISTER: &str = "POST /auth/v1/oauth/clients/register";

/// Registers a client and returns the client information.
pub(super) async fn register(idp: &TestIdp, metadata: Value) -> Value {
    let response = send(idp, &metadata).await;
    assert_eq!(response.status, 201, "{}", response.body);
    response.json()
}

async fn send(idp: &TestIdp, metadata: &Value) -> TestResponse {
    idp.send_json(REGISTER, &metadata.to_string()).await
}

#[tokio::test]
async fn metadata_has_every_path_that_clients_try() {
    let idp = TestIdp::start();
    let issuer = idp.issuer();
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/auth/v1",
        "/auth/v1/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/auth/v1",
        "/auth/v1/.well-known/openid-configuration",
    ] {
        let response = idp
            .send(
                &format!("GET {path}"),
                &[("origin", "http://localhost:6274")],
                "",
            )
            .await;
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some("http://localhost:6274"),
            "{path}"
        );
        let document = response.json();
        assert_eq!(text(&document, "issuer"), issuer, "{path}");
        for (name, end) in [
            ("authorization_endpoint", "/oauth/authorize"),
            ("token_endpoint", "/oauth/token"),
            ("registration_endpoint", "/oauth/clients/register"),
            ("userinfo_endpoint", "/oauth/userinfo"),
            ("jwks_uri", "/.well-known/jwks.json"),
        ] {
            assert_eq!(text(&document, name), format!("{issuer}{end}"), "{path}");
        }
        assert_eq!(
            document["code_challenge_methods_supported"],
            json!(["S256"])
        );
        assert_eq!(document["response_types_supported"], json!(["code"]));
    }
    let preflight = [
        ("origin", "http://localhost:6274"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "mcp-protocol-version"),
    ];
    let line = "OPTIONS /auth/v1/.well-known/oauth-authorization-server";
    assert_eq!(idp.send(line, &preflight, "").await.status, 204);
}

#[tokio::test]
async fn public_client_has_no_secret() {
    let idp = TestIdp::start();
    let client = register(
        &idp,
        json!({
            "client_name": "Notes", "redirect_uris": ["http://127.0.0.1:7777/callback"],
            "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"], "scope": "notes:read notes:write", "software_id": "ignored",
        }),
    )
    .await;
    assert_eq!(client.get("client_secret"), None);
    assert_eq!(text(&client, "client_type"), "public");
    assert_eq!(text(&client, "client_name"), "Notes");
    assert_eq!(text(&client, "scope"), "notes:read notes:write");
    assert_eq!(
        client["grant_types"],
        json!(["authorization_code", "refresh_token"])
    );
}

#[tokio::test]
async fn default_client_is_confidential() {
    let idp = TestIdp::start();
    let client = register(&idp, json!({ "redirect_uris": ["https://app.example/"] })).await;
    assert_eq!(
        text(&client, "token_endpoint_auth_method"),
        "client_secret_basic"
    );
    assert_eq!(text(&client, "client_secret").len(), 43);
    assert_eq!(client["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn redirect_uris_are_validated() {
    let idp = TestIdp::start();
    let long = |bytes: usize| format!("https://app.example/{}", "a".repeat(bytes - 20));
    for accepted in [
        "https://app.example/callback?x=1",
        "http://localhost:3000/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:1/",
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        &long(2048),
    ] {
        let metadata = json!({ "redirect_uris": [accepted] });
        assert_eq!(send(&idp, &metadata).await.status, 201, "{accepted}");
    }
    for rejected in [
        "",
        "/callback",
        "app.example",
        "http://app.example/callback",
        "http://127.0.0.1.app.example/",
        "https://app.example/#fragment",
        "https://user@app.example/",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        &long(2049),
    ] {
        let response = send(&idp, &json!({ "redirect_uris": [rejected] })).await;
        assert_eq!(
            (response.status, text(&response.json(), "error")),
            (400, "invalid_redirect_uri"),
            "{rejected}"
        );
    }
    for (count, status) in [(0, 400), (1, 201), (10, 201), (11, 400)] {
        let uris = vec!["https://app.example/"; count];
        let response = send(&idp, &json!({ "redirect_uris": uris })).await;
        assert_eq!(response.status, status, "{count}");
    }
}

#[tokio::test]
async fn client_metadata_is_validated() {
    let idp = TestIdp::start();
    for invalid in [
        json!({ "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "token_endpoint_auth_method": "none", "client_type": "confidential" }),
        json!({ "client_type": "other" }),
        json!({ "grant_types": ["client_credentials"] }),
        json!({ "response_types": ["token"] }),
        json!({ "client_name": "n".repeat(1025) }),
        json!({ "client_uri": "app" }),
        json!({ "scope": "a\"b" }),
        json!({ "redirect_uris": "https://app.example/" }),
    ] {
        let mut metadata = json!({ "redirect_uris": ["https://app.example/"] });
        metadata
            .as_object_mut()
            .unwrap()
            .extend(invalid.as_object().unwrap().clone());
        let response = send(&idp, &metadata).await;
        assert_eq!(
            (response.status, text(&response.json(), "error")),
            (400, "invalid_client_metadata"),
            "{invalid}"
        );
    }
    let name =
        json!({ "redirect_uris": ["https://app.example/"], "client_name": "n".repeat(1024) });
    assert_eq!(send(&idp, &name).await.status, 201);
    let form = [("content-type", "text/plain")];
    let response = idp
        .send(
            REGISTER,
            &form,
            "{\"redirect_uris\": [\"https://app.example/\"]}",
        )
        .await;
    assert_eq!(
        text(&response.json(), "error"),
        "invalid_client_metadata",
        "a form of another site is rejected"
    );
}
