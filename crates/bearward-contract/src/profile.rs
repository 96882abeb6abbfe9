//! The shape of tokens and keys: that of the access tokens of an identity provider.

use std::{fmt, str::FromStr};

use bearward_testing::TokenBuilder;
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The identity provider whose access tokens the tokens of the suite resemble.
///
/// A profile changes the claims, the header and the members of the keys. The issuer stays that of
/// the mock IdP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Supabase Auth: `role`, `session_id`, `app_metadata` and `user_metadata`.
    #[default]
    Supabase,
    /// Auth0: an `aud` with the userinfo endpoint, `azp`, `scope` and `permissions`.
    Auth0,
    /// Microsoft Entra ID, version 2.0: `tid`, `oid`, `scp` and `roles`, and keys without `alg`.
    Entra,
    /// Amazon Cognito: `client_id` and `token_use` instead of `aud`, and no `typ`.
    Cognito,
    /// Keycloak: `realm_access`, `resource_access` and `azp`, and a key for encryption.
    Keycloak,
    /// A server of the Model Context Protocol over HTTP, with the tokens of Supabase Auth. Requests
    /// are `initialize` messages, and the group `mcp` tests the authorization rules of the protocol.
    Mcp,
}

/// The client of tokens, if none is configured.
const CLIENT_ID: &str = "bearward-contract";

/// The claims of Supabase access tokens that other providers do not write.
const SUPABASE_CLAIMS: [&str; 10] = [
    "aal",
    "amr",
    "app_metadata",
    "email",
    "is_anonymous",
    "phone",
    "role",
    "session_id",
    "user_metadata",
    "nbf",
];

/// The tenant of Entra tokens.
const ENTRA_TENANT: &str = "6f4c2a0e-5d0b-4f0c-9d37-0a5b8a1f3c21";

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 6] = [
        Self::Supabase,
        Self::Auth0,
        Self::Entra,
        Self::Cognito,
        Self::Keycloak,
        Self::Mcp,
    ];

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Supabase => "supabase",
            Self::Auth0 => "auth0",
            Self::Entra => "entra",
            Self::Cognito => "cognito",
            Self::Keycloak => "keycloak",
            Self::Mcp => "mcp",
        }
    }

    /// Returns the method of the usual request.
    pub(super) fn method(self) -> Method {
        match self {
            Self::Mcp => Method::POST,
            _ => Method::GET,
        }
    }

    /// Whether the tokens have the claim `aud`.
    pub fn has_audience(self) -> bool {
        self != Self::Cognito
    }

    /// Whether the keys have the member `alg`.
    pub fn has_key_algorithm(self) -> bool {
        self != Self::Entra
    }

    /// Gives a Supabase token the shape of this provider's tokens.
    pub(super) fn shape(self, token: TokenBuilder, issuer: &str, audience: &str) -> TokenBuilder {
        if matches!(self, Self::Supabase | Self::Mcp) {
            return token;
        }
        let claim = |name: &str| token.claims().get(name).cloned().unwrap_or_default();
        let (subject, issued_at) = (claim("sub"), claim("iat"));
        let claims = self.claims(issuer, audience, &subject, &issued_at);
        let token = SUPABASE_CLAIMS
            .iter()
            .fold(token, |token, name| token.without(name));
        let token = claims.into_iter().fold(token, |token, (name, value)| {
            if value.is_null() {
                token.without(&name)
            } else {
                token.claim(&name, value)
            }
        });
        if self == Self::Cognito {
            token.without_header("typ")
        } else {
            token
        }
    }

    /// Returns the claims to add; null removes one.
    fn claims(
        self,
        issuer: &str,
        audience: &str,
        subject: &Value,
        issued_at: &Value,
    ) -> Map<String, Value> {
        let id = || Uuid::new_v4().to_string();
        let claims = match self {
            Self::Supabase | Self::Mcp => json!({}),
            Self::Auth0 => json!({
                "aud": [audience, format!("{issuer}/userinfo")],
                "azp": CLIENT_ID,
                "scope": "openid profile email",
                "permissions": [],
            }),
            Self::Entra => json!({
                "aio": id(),
                "azp": CLIENT_ID,
                "azpacr": "1",
                "jti": null,
                "name": "Ada Example",
                "nbf": issued_at,
                "oid": subject,
                "preferred_username": "ada@example.com",
                "rh": id(),
                "scp": "access_as_user",
                "tid": ENTRA_TENANT,
                "uti": id(),
                "ver": "2.0",
            }),
            Self::Cognito => json!({
                "aud": null,
                "auth_time": issued_at,
                "client_id": CLIENT_ID,
                "event_id": id(),
                "origin_jti": id(),
                "scope": "aws.cognito.signin.user.admin",
                "token_use": "access",
                "username": subject,
            }),
            Self::Keycloak => json!({
                "acr": "1",
                "allowed-origins": ["http://127.0.0.1:3000"],
                "auth_time": issued_at,
                "azp": CLIENT_ID,
                "email_verified": true,
                "preferred_username": "ada",
                "realm_access": { "roles": ["default-roles-test", "offline_access"] },
                "resource_access": { "account": { "roles": ["view-profile"] } },
                "scope": "openid profile email",
                "sid": id(),
                "typ": "Bearer",
            }),
        };
        match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        }
    }

    /// Gives a key the shape of this provider's keys. Only the regular keys are shaped: the unusual
    /// ones are about the member.
    pub(super) fn shape_key(self, mut jwk: Map<String, Value>) -> Map<String, Value> {
        if !self.has_key_algorithm() {
            jwk.remove("alg");
        }
        jwk
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == text);
        known.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|profile| profile.name()).collect();
            format!(
                "unknown profile {text:?}; expected one of {}",
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_and_an_unknown_one_lists_them() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        let error = "okta".parse::<Profile>().unwrap_err();
        assert!(error.contains("supabase, auth0, entra"), "{error}");
    }
}
