//! Registered OAuth clients.

use aws_lc_rs::digest::{SHA256, digest};
use bearward::{Timestamp, keys::is_loopback};
use bearward_testing::signing::encode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::auth::random;

/// A client that registered itself (RFC 7591).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct OAuthClient {
    pub(crate) id: Uuid,
    /// SHA-256 of the client secret; public clients have none.
    secret_hash: Option<String>,
    pub(crate) metadata: ClientMetadata,
    created_at: i64,
}

/// The validated metadata of a client (RFC 7591 §2).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ClientMetadata {
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) auth_method: ClientAuthMethod,
    pub(crate) grant_types: Vec<GrantType>,
    pub(crate) name: Option<String>,
    pub(crate) client_uri: Option<String>,
    pub(crate) logo_uri: Option<String>,
    pub(crate) scope: Option<String>,
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuthMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
}

/// The grants that a client may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GrantType {
    AuthorizationCode,
    RefreshToken,
}

impl ClientAuthMethod {
    pub(crate) const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl GrantType {
    pub(crate) const ALL: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
    }
}

impl OAuthClient {
    /// Creates a client, and a secret unless it is public.
    pub(crate) fn new(metadata: ClientMetadata, now: Timestamp) -> (Self, Option<String>) {
        let secret = (metadata.auth_method != ClientAuthMethod::None).then(random::secret::<32>);
        let client = Self {
            id: Uuid::new_v4(),
            secret_hash: secret.as_deref().map(hash),
            metadata,
            created_at: now.millis(),
        };
        (client, secret)
    }

    pub(crate) fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Returns the name for people; the id if the client has none.
    pub(crate) fn name(&self) -> String {
        let name = self.metadata.name.clone();
        name.unwrap_or_else(|| self.id.to_string())
    }

    pub(crate) fn has_grant(&self, grant: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant)
    }

    /// Whether the secret is right. Compares hashes in constant time.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        self.secret_hash
            .as_deref()
            .is_some_and(|expected| random::constant_time_eq(&hash(secret), expected))
    }

    /// Returns the redirect target if it is registered: the same string, or an `http` URL at a
    /// loopback host that differs only in its port (RFC 8252 §7.3).
    pub(crate) fn redirect(&self, requested: &str) -> Option<Url> {
        let url = Url::parse(requested).ok()?;
        let without_port = |url: &Url| {
            let mut url = url.clone();
            (url.scheme() == "http" && is_loopback(&url) && url.set_port(None).is_ok())
                .then_some(url)
        };
        let is_registered = |registered: &String| {
            registered == requested
                || Url::parse(registered).is_ok_and(|registered| {
                    let registered = without_port(&registered);
                    registered.is_some() && registered == without_port(&url)
                })
        };
        self.metadata
            .redirect_uris
            .iter()
            .any(is_registered)
            .then_some(url)
    }

    /// Returns the client information response without a secret (RFC 7591 §3.2.1).
    pub(crate) fn json(&self) -> Value {
        let metadata = &self.metadata;
        let is_public = metadata.auth_method == ClientAuthMethod::None;
        let grants: Vec<&str> = metadata
            .grant_types
            .iter()
            .map(|grant| grant.name())
            .collect();
        let mut client = json!({
            "client_id": self.id,
            "client_id_issued_at": Timestamp::from_millis(self.created_at).unix(),
            "client_type": if is_public { "public" } else { "confidential" },
            "registration_type": "dynamic",
            "redirect_uris": metadata.redirect_uris,
            "token_endpoint_auth_method": metadata.auth_method.name(),
            "grant_types": grants,
            "response_types": ["code"],
        });
        let optional = [
            ("client_name", &metadata.name),
            ("client_uri", &metadata.client_uri),
            ("logo_uri", &metadata.logo_uri),
            ("scope", &metadata.scope),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                client[name] = value.clone().into();
            }
        }
        client
    }
}

fn hash(secret: &str) -> String {
    encode(digest(&SHA256, secret.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{
        session::ClientGrant,
        state::{AuthState, MAX_CLIENTS},
    };

    fn client(redirect_uri: &str) -> OAuthClient {
        let metadata = ClientMetadata {
            redirect_uris: vec![redirect_uri.to_owned()],
            auth_method: ClientAuthMethod::ClientSecretBasic,
            grant_types: GrantType::ALL.to_vec(),
            name: None,
            client_uri: None,
            logo_uri: None,
            scope: None,
        };
        OAuthClient::new(metadata, Timestamp::from_unix(1_800_000_000)).0
    }

    #[test]
    fn redirect_must_be_the_registered_string() {
        let client = client("https://app.example/callback");
        assert!(client.redirect("https://app.example/callback").is_some());
        for other in [
            "https://app.example/callback/",
            "https://app.example/callback?x=1",
            "https://app.example:8443/callback",
            "https://APP.example/callback",
            "http://app.example/callback",
            "callback",
        ] {
            assert!(client.redirect(other).is_none(), "{other}");
        }
    }

    #[test]
    fn port_of_a_loopback_redirect_may_differ() {
        let client = client("http://127.0.0.1/callback");
        for port in ["", ":3000", ":65535"] {
            assert!(
                client
                    .redirect(&format!("http://127.0.0.1{port}/callback"))
                    .is_some(),
                "{port}"
            );
        }
        for other in [
            "http://127.0.0.1:3000/other",
            "http://127.0.0.1:3000/callback?x=1",
            "http://localhost:3000/callback",
            "https://127.0.0.1:3000/callback",
            "http://user@127.0.0.1/callback",
        ] {
            assert!(client.redirect(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_oldest_of_too_many_clients_is_removed_with_its_sessions() {
        let mut state = AuthState::default();
        let metadata = client("https://app.example/").metadata;
        let at = |second: usize| Timestamp::from_unix(i64::try_from(second).unwrap());
        let add = |state: &mut AuthState, second| {
            let (client, _) = OAuthClient::new(metadata.clone(), at(second));
            let id = client.id;
            state.add_client(client);
            id
        };
        let (first, second) = (add(&mut state, 0), add(&mut state, 1));
        let grant = |client_id| ClientGrant {
            client_id,
            scope: String::new(),
            resource: None,
            jkt: None,
        };
        let sessions = [first, second]
            .map(|id| state.create_client_session(Uuid::new_v4(), "", grant(id), at(1)));
        for second in 2..MAX_CLIENTS {
            add(&mut state, second);
        }
        assert!(state.client(first).is_some());
        add(&mut state, MAX_CLIENTS);
        assert!(state.client(first).is_none() && state.session(sessions[0]).is_none());
        assert!(state.client(second).is_some() && state.session(sessions[1]).is_some());
    }

    #[test]
    fn only_its_own_secret_matches() {
        let metadata = client("https://app.example/").metadata;
        let (client, secret) = OAuthClient::new(metadata, Timestamp::from_unix(0));
        assert!(client.has_secret(&secret.unwrap()));
        assert!(!client.has_secret("") && !client.has_secret("other"));
    }
}
