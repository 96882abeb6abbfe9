//! Authorization, consent, tokens and user information of the OAuth server.

use std::time::Duration;

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_testing::TestClock;
use serde_json::{Value, json};
use url::Url;

use super::{
    consent::{ConsentPage, FORM},
    oauth_clients::register,
};
use crate::fixture::{TestIdp, TestResponse, rejection_code, text};

/// The example of RFC 7636, Appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const REDIRECT: &str = "http://127.0.0.1:7777/callback";
const RESOURCE: &str = "http://127.0.0.1:8000/mcp";
const ADA: &[(&str, &str)] = &[("email", "ada@example.com")];

/// A registered client and its IdP.
pub(super) struct Client {
    pub(super) idp: TestIdp,
    pub(super) clock: TestClock,
    pub(super) id: String,
}

impl Client {
    pub(super) async fn new() -> Self {
        let (idp, clock) = TestIdp::with_clock();
        let metadata = json!({ "client_name": "Notes", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
        let id = text(&register(&idp, metadata).await, "client_id").to_owned();
        Self { idp, clock, id }
    }

    /// Returns the authorization URL; `changed` replaces parameters, an empty value removes one.
    pub(super) fn authorize_url(&self, changed: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", REDIRECT),
            ("scope", "notes:read"),
            ("state", "s t/1"),
            ("resource", RESOURCE),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ] {
            let replaced = changed.iter().find(|(changed, _)| *changed == name);
            query.append_pair(name, replaced.map_or(value, |(_, value)| value));
        }
        for (name, value) in changed {
            if matches!(*name, "nonce" | "dpop_jkt") {
                query.append_pair(name, value);
            }
        }
        format!("/auth/v1/oauth/authorize?{}", query.finish())
    }

    /// Allows the request on the consent page and returns the redirect.
    async fn allow(&self, changed: &[(&str, &str)], form: &[(&str, &str)]) -> Url {
        let page = ConsentPage::open(&self.idp, &self.authorize_url(changed)).await;
        let response = page.send(&self.idp, form).await;
        assert_eq!(response.status, 303, "{}", response.body);
        response.header("location").unwrap().parse().unwrap()
    }

    pub(super) async fn code(&self, changed: &[(&str, &str)]) -> String {
        let redirect = self.allow(changed, ADA).await;
        parameter(&redirect, "code").expect("a code")
    }

    /// Sends a token request; `changed` adds or replaces parameters, an empty value removes one.
    async fn token(&self, parameters: &[(&str, &str)], changed: &[(&str, &str)]) -> TestResponse {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters {
            if !changed.iter().any(|(changed, _)| changed == name) {
                form.append_pair(name, value);
            }
        }
        form.extend_pairs(changed);
        self.idp
            .send("POST /auth/v1/oauth/token", &[FORM], &form.finish())
            .await
    }

    async fn exchange(&self, code: &str, changed: &[(&str, &str)]) -> TestResponse {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("client_id", &self.id),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT),
            ("resource", RESOURCE),
        ];
        self.token(&parameters, changed).await
    }

    async fn refresh(&self, token: &str, changed: &[(&str, &str)]) -> TestResponse {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.id),
            ("refresh_token", token),
        ];
        self.token(&parameters, changed).await
    }

    /// Returns the token response of a whole flow.
    async fn tokens(&self, changed: &[(&str, &str)]) -> Value {
        let code = self.code(changed).await;
        let response = self.exchange(&code, &[]).await;
        assert_eq!(response.status, 200, "{}", response.body);
        assert_eq!(response.header("cache-control"), Some("no-store"));
        response.json()
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

/// Returns status and `error`.
fn oauth_error(response: &TestResponse) -> (u16, String) {
    let body = response.json();
    assert!(!text(&body, "error_description").is_empty());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    (response.status, text(&body, "error").to_owned())
}

async fn verifier(idp: &TestIdp, audience: &str, clock: &TestClock) -> Bearward {
    let issuer = Issuer::new(idp.issuer(), audience)
        .unwrap()
        .keys(KeySource::Url(idp.jwks_url().parse().unwrap()));
    Bearward::builder()
        .issuer(issuer.algorithms(Algorithm::ALL.iter().copied()).unwrap())
        .clock(std::sync::Arc::new(clock.clone()))
        .build()
        .await
        .unwrap()
}

#[tokio::test]
async fn access_token_is_for_the_resource_the_client_and_the_scope() {
    let client = Client::new().await;
    let redirect = client.allow(&[], ADA).await;
    assert_eq!(
        redirect.as_str().split('?').next(),
        Some(REDIRECT),
        "{redirect}"
    );
    assert_eq!(parameter(&redirect, "state").as_deref(), Some("s t/1"));
    assert_eq!(
        parameter(&redirect, "iss"),
        Some(client.idp.issuer()),
        "RFC 9207"
    );
    let code = parameter(&redirect, "code").unwrap();
    let tokens = client.exchange(&code, &[]).await.json();
    assert_eq!(text(&tokens, "token_type"), "bearer");
    assert_eq!(text(&tokens, "scope"), "notes:read");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(
        tokens.get("user"),
        None,
        "the client learns about the user from the scope only"
    );
    let auth = verifier(&client.idp, RESOURCE, &client.clock).await;
    let access_token = text(&tokens, "access_token");
    let verified = auth.verify(access_token).await.unwrap();
    assert!(verified.has_scope("notes:read") && !verified.has_scope("notes:write"));
    assert_eq!(verified.email(), Some("ada@example.com"));
    let claims: Value = serde_json::from_str(&verified.claims_json()).unwrap();
    assert_eq!(claims["aud"], RESOURCE);
    assert_eq!(claims["client_id"], client.id.as_str());
    assert_eq!(
        claims["amr"][0]["method"],
        "oauth_provider/authorization_code"
    );
    let own_app = verifier(&client.idp, "authenticated", &client.clock).await;
    assert_eq!(
        rejection_code(&own_app, access_token).await,
        "INVALID_AUDIENCE"
    );
}

#[tokio::test]
async fn without_a_resource_the_audience_is_that_of_sessions() {
    let client = Client::new().await;
    let code = client.code(&[("resource", ""), ("scope", "")]).await;
    let response = client.exchange(&code, &[("resource", "")]).await;
    let tokens = response.json();
    let auth = verifier(&client.idp, "authenticated", &client.clock).await;
    let verified = auth.verify(text(&tokens, "access_token")).await.unwrap();
    assert!(verified.has_scope("email"), "the default scope");
}

#[tokio::test]
async fn invalid_client_or_redirect_uri_does_not_redirect() {
    let client = Client::new().await;
    for changed in [
        ("client_id", ""),
        ("client_id", "00000000-0000-4000-8000-000000000000"),
        ("client_id", "<script>"),
        ("redirect_uri", ""),
        ("redirect_uri", "http://127.0.0.1:7777/other"),
        ("redirect_uri", "https://attacker.invalid/callback"),
    ] {
        let response = client.idp.get(&client.authorize_url(&[changed])).await;
        assert_eq!(response.status, 400, "{changed:?}");
        assert_eq!(response.header("location"), None);
        assert!(!response.body.contains("<script"), "{}", response.body);
    }
    let repeated = format!("{}&state=b", client.authorize_url(&[]));
    assert_eq!(client.idp.get(&repeated).await.status, 400);
    let other_port = client.authorize_url(&[("redirect_uri", "http://127.0.0.1:1/callback")]);
    assert_eq!(
        client.idp.get(&other_port).await.status,
        302,
        "RFC 8252 §7.3"
    );
}

#[tokio::test]
async fn other_errors_are_redirected() {
    let client = Client::new().await;
    let long = "s".repeat(4097);
    for (changed, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "too-short"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", "s256"), "invalid_request"),
        (("scope", "a\"b"), "invalid_scope"),
        (("resource", "mcp"), "invalid_target"),
        (("resource", "https://a.example/#b"), "invalid_target"),
        (("state", &long), "invalid_request"),
    ] {
        let response = client.idp.get(&client.authorize_url(&[changed])).await;
        assert_eq!(response.status, 302, "{changed:?}");
        let redirect: Url = response.header("location").unwrap().parse().unwrap();
        assert_eq!(
            parameter(&redirect, "error").as_deref(),
            Some(error),
            "{changed:?}"
        );
        assert_eq!(parameter(&redirect, "iss"), Some(client.idp.issuer()));
        assert!(parameter(&redirect, "state").is_some());
    }
}

#[tokio::test]
async fn consent_page_shows_what_is_granted() {
    let client = Client::new().await;
    let url = client.authorize_url(&[("scope", "notes:read notes:write")]);
    let page = ConsentPage::open(&client.idp, &url).await;
    for shown in [
        "Development only",
        "Notes",
        "notes:read",
        "notes:write",
        RESOURCE,
        REDIRECT,
        "data-email=\"ada@example.com\"",
        "id=\"deny\"",
    ] {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
    assert!(!page.text.contains("<script"));
    let other = ConsentPage::open(&client.idp, &url).await;
    let own_origin = format!("http://{}", client.idp.address());
    let cookie = Some(page.cookie.as_str());
    for (origin, cookie, csrf_token) in [
        ("https://attacker.invalid", cookie, page.csrf_token.as_str()),
        (&own_origin, None, &page.csrf_token),
        (&own_origin, Some(other.cookie.as_str()), &page.csrf_token),
        (&own_origin, cookie, &other.csrf_token),
        (&own_origin, cookie, ""),
    ] {
        let response = page
            .send_from(&client.idp, origin, cookie, csrf_token, ADA)
            .await;
        assert_eq!(response.status, 403, "{origin} {cookie:?} {csrf_token}");
    }
    let foreign_host = [("host", "attacker.invalid"), FORM];
    let line = format!("POST {}", page.path);
    let response = client.idp.send(&line, &foreign_host, "").await;
    assert_eq!(response.error(), (403, "ORIGIN_REFUSED".to_owned()));
    let invalid = page.send(&client.idp, &[("email", "ada")]).await;
    assert_eq!(invalid.status, 422);
    assert_eq!(page.send(&client.idp, ADA).await.status, 303);
    assert_eq!(
        page.send(&client.idp, ADA).await.status,
        404,
        "one consent, one code"
    );
}

#[tokio::test]
async fn denial_and_banned_users_are_reported_to_the_client() {
    let client = Client::new().await;
    let denied = client.allow(&[], &[("action", "deny")]).await;
    assert_eq!(
        parameter(&denied, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(parameter(&denied, "state").as_deref(), Some("s t/1"));
    let session = client.idp.sign_up("eve@example.com").await;
    let user = text(&session["user"], "id");
    client
        .idp
        .send_json(&format!("PATCH /admin/users/{user}"), "{\"banned\": true}")
        .await;
    let banned = client.allow(&[], &[("email", "eve@example.com")]).await;
    assert_eq!(
        parameter(&banned, "error").as_deref(),
        Some("access_denied")
    );
}

#[tokio::test]
async fn code_is_bound_to_its_request() {
    let client = Client::new().await;
    let metadata = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
    let other = register(&client.idp, metadata).await;
    let code = client.code(&[]).await;
    for (changed, error) in [
        (("code_verifier", ""), "invalid_grant"),
        (("code_verifier", CHALLENGE), "invalid_grant"),
        (
            ("redirect_uri", "http://127.0.0.1:1/callback"),
            "invalid_grant",
        ),
        (("client_id", text(&other, "client_id")), "invalid_grant"),
        (
            ("resource", "http://127.0.0.1:8000/other"),
            "invalid_target",
        ),
        (("code", "other"), "invalid_grant"),
        (("code", ""), "invalid_request"),
        (("grant_type", ""), "invalid_request"),
        (("grant_type", "password"), "unsupported_grant_type"),
    ] {
        let response = client.exchange(&code, &[changed]).await;
        assert_eq!(
            oauth_error(&response),
            (400, error.to_owned()),
            "{changed:?}"
        );
    }
    assert_eq!(client.exchange(&code, &[]).await.status, 200);
}

#[tokio::test]
async fn second_use_of_a_code_revokes_its_session() {
    let client = Client::new().await;
    let code = client.code(&[]).await;
    let tokens = client.exchange(&code, &[]).await.json();
    let again = client.exchange(&code, &[]).await;
    assert_eq!(oauth_error(&again), (400, "invalid_grant".to_owned()));
    let refreshed = client.refresh(text(&tokens, "refresh_token"), &[]).await;
    assert_eq!(oauth_error(&refreshed), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn code_expires_after_five_minutes() {
    let client = Client::new().await;
    let (in_time, late) = (client.code(&[]).await, client.code(&[]).await);
    client.clock.advance(Duration::from_secs(300));
    assert_eq!(client.exchange(&in_time, &[]).await.status, 200);
    client.clock.advance(Duration::from_millis(1));
    let response = client.exchange(&late, &[]).await;
    assert_eq!(oauth_error(&response), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn refresh_rotates_and_detects_reuse() {
    let client = Client::new().await;
    let tokens = client.tokens(&[]).await;
    let first = text(&tokens, "refresh_token").to_owned();
    let second = client
        .refresh(&first, &[("resource", RESOURCE)])
        .await
        .json();
    let second = text(&second, "refresh_token").to_owned();
    assert_ne!(first, second);
    client.clock.advance(Duration::from_secs(60));
    let third = client.refresh(&second, &[]).await.json();
    client.clock.advance(Duration::from_secs(11));
    let reused = client.refresh(&first, &[]).await;
    assert_eq!(oauth_error(&reused), (400, "invalid_grant".to_owned()));
    let revoked = client.refresh(text(&third, "refresh_token"), &[]).await;
    assert_eq!(oauth_error(&revoked), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn refresh_token_is_bound_to_client_resource_and_scope() {
    let client = Client::new().await;
    let metadata = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
    let other = register(&client.idp, metadata).await;
    let tokens = client.tokens(&[("scope", "notes:read notes:write")]).await;
    let token = text(&tokens, "refresh_token");
    for (changed, error) in [
        (("client_id", text(&other, "client_id")), "invalid_grant"),
        (
            ("resource", "http://127.0.0.1:8000/other"),
            "invalid_target",
        ),
        (("scope", "notes:read admin"), "invalid_scope"),
        (("refresh_token", "x"), "invalid_grant"),
        (("refresh_token", ""), "invalid_request"),
    ] {
        let response = client.refresh(token, &[changed]).await;
        assert_eq!(
            oauth_error(&response),
            (400, error.to_owned()),
            "{changed:?}"
        );
    }
    let of_the_app = client.idp.refresh(token).await;
    assert_eq!(
        of_the_app.auth_error(),
        (400, "refresh_token_not_found".to_owned()),
        "the token endpoint of the user's own app"
    );
    let app_session = client.idp.sign_up("grace@example.com").await;
    let of_the_client = client
        .refresh(text(&app_session, "refresh_token"), &[])
        .await;
    assert_eq!(
        oauth_error(&of_the_client),
        (400, "invalid_grant".to_owned())
    );
    let narrowed = client
        .refresh(token, &[("scope", "notes:read")])
        .await
        .json();
    assert_eq!(text(&narrowed, "scope"), "notes:read");
    let again = client
        .refresh(text(&narrowed, "refresh_token"), &[])
        .await
        .json();
    assert_eq!(text(&again, "scope"), "notes:read notes:write");
}

#[tokio::test]
async fn confidential_clients_authenticate_as_registered() {
    let client = Client::new().await;
    for (method, basic) in [("client_secret_basic", true), ("client_secret_post", false)] {
        let metadata = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": method });
        let registered = register(&client.idp, metadata).await;
        let (id, secret) = (
            text(&registered, "client_id"),
            text(&registered, "client_secret"),
        );
        let code = client.code(&[("client_id", id)]).await;
        let send = async |as_basic: bool, secret: &str| {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "authorization_code")
                .append_pair("code", &code)
                .append_pair("code_verifier", VERIFIER);
            let credentials = base64_simd::STANDARD.encode_to_string(format!("{id}:{secret}"));
            let authorization = format!("Basic {credentials}");
            let mut headers = vec![FORM];
            if as_basic {
                headers.push(("authorization", &authorization));
            } else {
                form.append_pair("client_id", id)
                    .append_pair("client_secret", secret);
            }
            client
                .idp
                .send("POST /auth/v1/oauth/token", &headers, &form.finish())
                .await
        };
        for response in [
            send(!basic, secret).await,
            send(basic, "wrong").await,
            send(basic, "").await,
        ] {
            assert_eq!(oauth_error(&response), (401, "invalid_client".to_owned()));
            assert!(response.header("www-authenticate").is_some());
        }
        assert_eq!(send(basic, secret).await.status, 200, "{method}");
    }
}

#[tokio::test]
async fn user_information_depends_on_the_scope() {
    let client = Client::new().await;
    let userinfo = async |token: &str| {
        let bearer = format!("Bearer {token}");
        client
            .idp
            .send(
                "GET /auth/v1/oauth/userinfo",
                &[("authorization", &bearer)],
                "",
            )
            .await
    };
    let tokens = client
        .tokens(&[("scope", "openid email profile"), ("nonce", "n-1")])
        .await;
    let info = userinfo(text(&tokens, "access_token")).await.json();
    assert_eq!(text(&info, "email"), "ada@example.com");
    assert_eq!(text(&info, "name"), "Ada Example");
    let minimal = client.tokens(&[]).await;
    let minimal = userinfo(text(&minimal, "access_token")).await.json();
    assert_eq!(minimal, json!({ "sub": info["sub"] }));

    let id_token = text(&tokens, "id_token");
    let auth = verifier(&client.idp, &client.id, &client.clock).await;
    let verified = auth.verify(id_token).await.unwrap();
    let claims: Value = serde_json::from_str(&verified.claims_json()).unwrap();
    assert_eq!(
        (&claims["nonce"], &claims["sub"]),
        (&json!("n-1"), &info["sub"])
    );
    for rejected in [id_token, "", "x"] {
        let response = userinfo(rejected).await;
        assert_eq!(oauth_error(&response), (401, "invalid_token".to_owned()));
        assert!(
            response
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer ")
        );
    }
}
