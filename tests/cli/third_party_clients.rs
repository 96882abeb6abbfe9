//! Tokens that the OAuth server of the development IdP issues to clients of third parties, at the
//! routes of the server: rejected unless the client is listed.

use reqwest::redirect::Policy;
use serde_json::{Value, json};
use test_support::http::{Response, client, client_builder, get_as, send};

use crate::dev::{address, start_at, start_in};

/// The example of RFC 7636, Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const REDIRECT: &str = "http://127.0.0.1/callback";

fn form(members: &[(&str, &str)]) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(members).finish()
}

/// Returns the location of a redirect.
fn location(response: &Response) -> &str {
    response.header("location").expect("a redirect")
}

/// Registers a client and returns its id.
async fn register(idp: &str) -> String {
    let metadata = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", "client_name": "Partner" });
    let request = client().post(format!("{idp}/auth/v1/oauth/clients/register"));
    let registered = send(
        request
            .header("content-type", "application/json")
            .body(metadata.to_string()),
    )
    .await
    .expect(201);
    registered["client_id"].as_str().unwrap().to_owned()
}

/// Signs in as Ada, allows the client, and returns its access token.
async fn access_token(idp: &str, client_id: &str) -> String {
    let browser = client_builder().redirect(Policy::none()).build().unwrap();
    let query = form(&[
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", REDIRECT),
        ("scope", "openid email"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let started = send(browser.get(format!("{idp}/auth/v1/oauth/authorize?{query}"))).await;
    let page = format!("{idp}{}", location(&started));
    let shown = send(browser.get(&page)).await;
    let csrf_token = shown.body.split("name=\"csrf_token\" value=\"").nth(1);
    let csrf_token = csrf_token.and_then(|rest| rest.split('"').next()).unwrap();
    let cookie = shown.header("set-cookie").unwrap();
    let allowed = send(
        browser
            .post(&page)
            .header("cookie", cookie.split(';').next().unwrap())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&[
                ("csrf_token", csrf_token),
                ("email", "ada@example.com"),
            ])),
    )
    .await;
    let back: url::Url = location(&allowed).parse().unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let issued = send(
        browser
            .post(format!("{idp}/auth/v1/oauth/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&[
                ("grant_type", "authorization_code"),
                ("client_id", client_id),
                ("code", &code),
                ("code_verifier", VERIFIER),
            ])),
    )
    .await
    .expect(200);
    issued["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn tokens_of_oauth_clients_are_accepted_only_for_listed_clients() {
    let folder = tempfile::tempdir().unwrap();
    let (first, printed) = start_in(folder.path(), &[], &[]);
    let (idp, api) = (address(&printed, "console"), address(&printed, "API"));
    let (listed, other) = (register(idp).await, register(idp).await);
    let tokens = [
        access_token(idp, &listed).await,
        access_token(idp, &other).await,
    ];
    for path in [
        "/protected",
        "/api/auth/me",
        "/api/auth/verify",
        "/api/status",
    ] {
        for token in &tokens {
            let response = get_as(&format!("{api}{path}"), token).await;
            assert_eq!(
                response.error(),
                (401, "CLIENT_NOT_ALLOWED".to_owned()),
                "{path}"
            );
        }
    }
    let own = send(client().post(format!("{idp}/admin/tokens")))
        .await
        .expect(200);
    let own = own["access_token"].as_str().unwrap();
    assert_eq!(get_as(&format!("{api}/api/auth/me"), own).await.status, 200);
    drop(first);

    // The addresses stay, because tokens contain the issuer.
    let bind = |url: &str| url.trim_start_matches("http://").to_owned();
    let (idp_bind, api_bind) = (bind(idp), bind(api));
    let arguments = ["--idp-bind", idp_bind.as_str(), "--bind", api_bind.as_str()];
    let variable = ("BEARWARD_ISSUERS__DEV__CLIENT_IDS", listed.as_str());
    let (_second, _) = start_at(folder.path(), &arguments, &[variable]);
    for path in [
        "/protected",
        "/api/auth/me",
        "/api/auth/verify",
        "/api/status",
    ] {
        let accepted = get_as(&format!("{api}{path}"), &tokens[0]).await;
        assert_eq!(accepted.status, 200, "{path}: {accepted:?}");
        let rejected = get_as(&format!("{api}{path}"), &tokens[1]).await;
        assert_eq!(
            rejected.error(),
            (401, "CLIENT_NOT_ALLOWED".to_owned()),
            "{path}"
        );
    }
    let user: Value = get_as(&format!("{api}/protected"), &tokens[0]).await.json();
    assert_eq!(user["email"], "ada@example.com");
}
