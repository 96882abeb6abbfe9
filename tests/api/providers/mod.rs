//! The pages in `docs/providers`: each configuration is loaded, and the server accepts and refuses
//! the tokens of the page with the responses and explanations that the page quotes.

mod calls;
mod index;
mod mock_provider;
mod page;

use std::{collections::BTreeMap, fs, path::Path};

use bearward::{Bearward, Issuer, KeySource, TokenUse, Verified};
use bearward_server::settings::{Config, Sources};
use bearward_testing::TestClock;
use reqwest::{Client, RequestBuilder};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{TEST_TIMEOUT, database};

use self::{
    mock_provider::{FETCH_TOKEN, MockProvider},
    page::{Example, Recipe},
};
use super::test_app::{self, JsonBody, send};

#[rstest]
#[case::ad_fs("ad-fs")]
#[case::apple("apple")]
#[case::auth0("auth0")]
#[case::clerk("clerk")]
#[case::cloudflare_access("cloudflare-access")]
#[case::cognito("cognito")]
#[case::duende_identityserver("duende-identityserver")]
#[case::entra("entra")]
#[case::firebase("firebase")]
#[case::fusionauth("fusionauth")]
#[case::github_actions("github-actions")]
#[case::gitlab_ci("gitlab-ci")]
#[case::google("google")]
#[case::google_iap("google-iap")]
#[case::keycloak("keycloak")]
#[case::kubernetes("kubernetes")]
#[case::logto("logto")]
#[case::okta("okta")]
#[case::ory_hydra("ory-hydra")]
#[case::rauthy("rauthy")]
#[case::salesforce("salesforce")]
#[case::supabase("supabase")]
#[case::workos("workos")]
#[case::zitadel("zitadel")]
#[tokio::test]
async fn the_recipes_of_a_page_do_what_it_says(#[case] page: &str) {
    let recipes = page::recipes(&page::text(page));
    assert!(!recipes.is_empty());
    for recipe in recipes {
        assert_same_in_all_notations(&recipe);
        assert!(!recipe.accepted.is_empty(), "an accepted token");
        assert!(!recipe.refused.is_empty(), "a refused token");
        let server = Server::start(&recipe).await;
        for example in &recipe.accepted {
            server.assert_accepted(example).await;
        }
        let accepted = &recipe.accepted[0].token;
        for example in &recipe.refused {
            server.assert_refused(accepted, example).await;
        }
        assert!(
            server
                .auth
                .key_set_statuses()
                .iter()
                .all(|set| set.last_error.is_none())
        );
    }
}

/// The configuration of a recipe. The name of its section and the issuer are the only ones.
fn load(recipe: &Recipe) -> (Config, String, Issuer) {
    let dir = folder(&recipe.toml);
    let config = Config::load(&sources(Some(dir.path()), Vec::new())).unwrap();
    let (name, issuer) = config.issuers.iter().next().expect("an issuer");
    let (name, issuer) = (name.clone(), issuer.clone());
    (config, name, issuer)
}

/// The sources of a recipe, without the certificate authority of a Kubernetes pod.
fn sources(dir: Option<&Path>, variables: Vec<(String, String)>) -> Sources {
    Sources::new(dir.map(Path::to_owned), variables).with("jwks.ca_file", "")
}

fn folder(toml: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("default.toml"), toml).unwrap();
    dir
}

fn assert_same_in_all_notations(recipe: &Recipe) {
    assert!(recipe.toml.lines().count() <= 6, "{}", recipe.toml);
    let (config, _, issuer) = load(recipe);
    let by_variables = Config::load(&sources(None, recipe.variables.clone())).unwrap();
    assert_eq!(by_variables.issuers, config.issuers);
    assert_eq!(by_variables.tokens.header, config.tokens.header);
    let by_call = calls::issuer(&recipe.call);
    assert_eq!(by_call.name("same"), issuer.name("same"));
}

/// A server with the configuration of a recipe, and a verifier with the same configuration.
struct Server {
    url: String,
    auth: Bearward,
    provider: MockProvider,
    header: Option<String>,
    is_credential: bool,
    client: Client,
    _files: TempDir,
}

impl Server {
    /// Starts the server. Only the URLs of documents are replaced with those of a mock.
    async fn start(recipe: &Recipe) -> Self {
        let (_, name, issuer) = load(recipe);
        let files = folder(&recipe.toml);
        let has_token_file = !issuer.key_credentials().is_empty();
        let provider = MockProvider::start(issuer.iss(), &recipe.jwks, has_token_file).await;
        let mut settings = BTreeMap::new();
        let key = |key: &str| format!("issuers.{name}.{key}");
        match issuer.key_source() {
            KeySource::Discovery | KeySource::DiscoveryUrl(_) => {
                settings.insert(key("discovery_url"), provider.url("/discovery"));
            }
            KeySource::Url(_) => {
                settings.insert(key("jwks_url"), provider.url("/jwks/0"));
            }
            KeySource::Urls(urls) => {
                let urls: Vec<String> = (0..urls.len())
                    .map(|index| provider.url(&format!("/jwks/{index}")))
                    .collect();
                settings.insert(key("jwks_url"), urls.join(","));
            }
            KeySource::Fixed(_) => panic!("the keys of a provider are fetched"),
        }
        if has_token_file {
            let path = files.path().join("token");
            fs::write(&path, FETCH_TOKEN).unwrap();
            settings.insert(key("jwks_token_file"), path.display().to_string());
        }
        let mut sources = sources(Some(files.path()), Vec::new());
        for (key, value) in settings {
            sources = sources.with(key, value);
        }
        let config = Config::load(&sources).unwrap();
        let builder = config
            .issuers
            .values()
            .cloned()
            .fold(Bearward::builder(), bearward::Builder::issuer);
        let auth = builder.build().await.unwrap();
        auth.wait_for_initial_fetch().await;
        let database = database::create().await;
        let address = test_app::serve(sources, &database, &TestClock::new(), &[]).await;
        Self {
            url: format!("http://{address}"),
            auth,
            provider,
            header: config.tokens.header,
            is_credential: issuer.has_token_use(TokenUse::IdToken),
            client: Client::builder()
                .no_proxy()
                .timeout(TEST_TIMEOUT)
                .build()
                .unwrap(),
            _files: files,
        }
    }

    fn request(&self, token: &str) -> RequestBuilder {
        if self.is_credential {
            let sign_in = self.client.post(format!("{}/api/auth/google", self.url));
            return sign_in.json_body(&json!({ "credential": token }));
        }
        let request = self.client.get(format!("{}/protected", self.url));
        match &self.header {
            Some(header) => request.header(header, token),
            None => request.bearer_auth(token),
        }
    }

    async fn assert_accepted(&self, example: &Example) {
        let token = self.provider.sign(&example.token);
        let response = send(self.request(&token)).await;
        assert_eq!(response.status, 200, "{response:?}: {:#}", example.token);
        let verified = if self.is_credential {
            self.auth.verify_credential(&token).await
        } else {
            self.auth.verify(&token).await
        };
        let read = format!("Read as: {}", describe(&verified.unwrap()));
        assert_eq!(example.sentence, read, "{:#}", example.token);
    }

    async fn assert_refused(&self, accepted: &Value, example: &Example) {
        let token = self.provider.sign(&changed(accepted, &example.token));
        let response = send(self.request(&token)).await;
        let error = response.json()["error"].take();
        let [code, message] = ["code", "message"].map(|name| error[name].as_str().unwrap());
        let response = format!("{} `{code}`: {message}.", response.status);
        let sentence = if self.is_credential {
            response
        } else {
            let explanation = self.auth.explain(&token).await;
            let next_step = explanation.next_step.expect("the token is refused");
            format!("{response} `bearward explain`: {next_step}.")
        };
        assert_eq!(example.sentence, sentence, "{:#}", example.token);
    }
}

/// Applies a change to a token. A change with the claim `exp` has all claims.
fn changed(accepted: &Value, change: &Value) -> Value {
    let mut token = accepted.clone();
    if change["claims"]["exp"].is_number() {
        token["claims"] = json!({});
    }
    for part in ["header", "claims"] {
        let members = token[part].as_object_mut().unwrap();
        for (name, value) in change[part].as_object().into_iter().flatten() {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
    }
    token
}

/// Describes what was read from a token, as the pages write it.
fn describe(verified: &Verified) -> String {
    let claims = verified.claims();
    let list = |values: Vec<&str>| {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        values.join(", ")
    };
    let fields = [
        ("subject", list(vec![claims.subject()])),
        ("roles", list(claims.roles().collect())),
        ("scopes", list(claims.scopes().collect())),
        ("tenant", list(claims.tenant().into_iter().collect())),
        ("client", list(claims.client_id().into_iter().collect())),
    ];
    let mut parts: Vec<String> = fields
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {values}"))
        .collect();
    if claims.is_machine() {
        parts.push("machine".to_owned());
    }
    parts.join("; ")
}

#[rstest]
#[case("auth0", "opaque-token")]
#[case("google", "")]
#[tokio::test]
async fn the_notes_quote_the_explanation(#[case] page: &str, #[case] token: &str) {
    let text = page::text(page);
    let recipe = &page::recipes(&text)[0];
    let server = Server::start(recipe).await;
    // The ID token of Google is sent as a bearer token.
    let id_token = server.provider.sign(&recipe.accepted[0].token);
    let token = if token.is_empty() { &id_token } else { token };
    let next_step = server.auth.explain(token).await.next_step.unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&next_step), "{next_step}");
}

#[test]
fn every_page_is_tested() {
    let source = include_str!("mod.rs");
    for name in page::names() {
        assert!(source.contains(&format!("({name:?})]")), "{name}");
    }
}
