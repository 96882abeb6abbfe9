//! Protected resources and their metadata (RFC 9728).

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::HttpConfig;
use crate::{
    bearward::Bearward,
    error::{AuthError, AuthFailure},
    issuer::{Issuer, TokenUse},
    text::SanitizedText,
    verified::Verified,
};

/// A protected resource: a part of the application with its own URL, metadata and audience, for
/// example an MCP server.
///
/// Every request whose path is that of the resource, or below it, belongs to the resource; with
/// several, to the one with the longest path. Its challenges contain the URL of the resource's
/// metadata (RFC 9728 §5.1), and a token must have the URL of the resource in `aud` (RFC 8707 §2), in
/// addition to the checks of the issuer. [`Bearward::metadata_routes`] serves the metadata.
///
/// ```
/// use bearward::{Bearward, Issuer, ProtectedResource};
///
/// # async fn build() -> Result<Bearward, Box<dyn std::error::Error>> {
/// let mcp = ProtectedResource::new("https://api.example.com/mcp")?
///     .name("Notes")
///     .scopes(["notes:read", "notes:write"])
///     .documentation("https://example.com/docs".parse()?);
/// let issuer = Issuer::new("https://id.example.com/", "https://api.example.com/mcp")?;
/// let auth = Bearward::builder().issuer(issuer).protected_resource(mcp).build().await?;
/// # Ok(auth) }
/// ```
///
/// # Security
/// The extractors and guards for actix-web and [`Bearward::authenticate`] check the audience of the
/// resource. [`Bearward::verify`] has no request and checks only the audiences of the issuer.
#[derive(Debug, Clone)]
pub struct ProtectedResource {
    /// As it was configured: clients compare it exactly (RFC 9728 §3.3).
    resource: Box<str>,
    url: Url,
    name: Option<Box<str>>,
    scopes: Vec<Box<str>>,
    documentation: Option<Url>,
    authorization_servers: Option<Vec<Box<str>>>,
    requires_audience: bool,
}

/// The URL of a protected resource is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid protected resource {0:?}: must be an http or https URL without user name, query and fragment"
)]
pub struct InvalidResource(String);

impl ProtectedResource {
    /// Creates a resource from its public URL. The URL is published without normalization.
    ///
    /// Clients normalize it in the `resource` parameter. The only difference for a usual URL is the
    /// slash after a bare host, and a token is accepted with either form.
    ///
    /// # Errors
    /// [`InvalidResource`] unless it is an `http` or `https` URL without user name, query and
    /// fragment (RFC 9728 §1.2).
    pub fn new(resource: &str) -> Result<Self, InvalidResource> {
        let url = Url::parse(resource).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        Ok(Self {
            url: url.ok_or_else(|| InvalidResource(resource.to_owned()))?,
            resource: resource.into(),
            name: None,
            scopes: Vec::new(),
            documentation: None,
            authorization_servers: None,
            requires_audience: true,
        })
    }

    /// Sets the name for people: `resource_name`.
    #[must_use]
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the scopes that clients may request: `scopes_supported`. They are not required of a
    /// token: a [`Requirement`](crate::Requirement) does that.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the page for developers: `resource_documentation`.
    #[must_use]
    pub fn documentation(mut self, page: Url) -> Self {
        self.documentation = Some(page);
        self
    }

    /// Sets the issuers whose tokens are accepted: `authorization_servers`. The default is
    /// [`Bearward::authorization_servers`].
    #[must_use]
    pub fn authorization_servers(
        mut self,
        issuers: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Self {
        self.authorization_servers = Some(issuers.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts every token that the issuer's audiences allow, and does not require the URL of the
    /// resource in `aud`. For issuers without resource indicators, whose tokens always have the same
    /// audience.
    ///
    /// # Security
    /// Another service that accepts the same audience can replay the tokens that it receives. The
    /// MCP specification forbids this.
    #[must_use]
    pub fn dangerous_any_issuer_audience(mut self) -> Self {
        self.requires_audience = false;
        self
    }

    /// Returns the URL of the resource, as it was configured.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the metadata document (RFC 9728 §2).
    #[cfg_attr(
        not(feature = "actix"),
        allow(dead_code, reason = "served by actix-web")
    )]
    pub(crate) fn metadata(&self, auth: &Bearward) -> Value {
        let issuers = self.authorization_servers.clone().unwrap_or_else(|| {
            let issuers = auth.authorization_servers();
            issuers.into_iter().map(Into::into).collect()
        });
        let mut document = json!({
            "resource": self.resource,
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
        });
        if auth.http.dpop.accepts_dpop() {
            document["dpop_signing_alg_values_supported"] = json!(auth.dpop_algorithms());
            if !auth.http.dpop.accepts_bearer() {
                document["dpop_bound_access_tokens_required"] = json!(true);
            }
        }
        if !self.scopes.is_empty() {
            document["scopes_supported"] = json!(self.scopes);
        }
        if let Some(name) = &self.name {
            document["resource_name"] = json!(name);
        }
        if let Some(page) = &self.documentation {
            document["resource_documentation"] = json!(page.as_str());
        }
        document
    }

    fn contains(&self, path: &str) -> bool {
        let prefix = self.url.path().trim_end_matches('/');
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn check_audience(&self, user: &Verified) -> Result<(), AuthError> {
        if !self.requires_audience {
            return Ok(());
        }
        let accepted = [&*self.resource, self.url.as_str()];
        let found = audiences(user);
        if found.iter().any(|found| accepted.contains(&found.as_str())) {
            return Ok(());
        }
        let found = found.iter().take(8).map(|found| SanitizedText::new(found));
        Err(AuthError::WrongAudience {
            found: found.collect(),
            expected: [self.resource.clone()].into(),
        })
    }
}

/// The only claim that is read; the others may be nested more deeply than a [`Value`].
#[derive(Default, Deserialize)]
struct AudienceClaim {
    #[serde(default)]
    aud: Value,
}

/// Returns the elements of `aud`. The verified claims do not keep them, so this decodes the payload.
fn audiences(user: &Verified) -> Vec<String> {
    let claim: AudienceClaim = serde_json::from_str(&user.claims_json()).unwrap_or_default();
    let texts: Vec<&Value> = match &claim.aud {
        Value::Array(elements) => elements.iter().collect(),
        other => vec![other],
    };
    texts
        .into_iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

impl Bearward {
    /// Returns the issuers of access tokens that are URLs, in the order in which they were added:
    /// the `authorization_servers` of the metadata (RFC 9728 §2).
    ///
    /// An issuer with a placeholder is no URL of a server and is left out.
    pub fn authorization_servers(&self) -> Vec<String> {
        let issuers = self.issuers();
        let issuers = issuers
            .iter()
            .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken))
            .filter(|issuer| issuer.template_description().is_none());
        let is_url =
            |iss: &&str| Url::parse(iss).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        issuers
            .map(Issuer::iss)
            .filter(is_url)
            .map(str::to_owned)
            .collect()
    }
}

impl HttpConfig {
    /// Returns the resource of a path: the one with the longest path.
    fn resource_at(&self, path: &str) -> Option<&ProtectedResource> {
        let matching = self
            .resources
            .iter()
            .filter(|resource| resource.contains(path));
        matching.max_by_key(|resource| resource.url.path().trim_end_matches('/').len())
    }

    /// Checks that a token is for the resource of the path.
    pub(crate) fn check_resource(
        &self,
        path: &str,
        user: Verified,
    ) -> Result<Verified, AuthFailure> {
        let checked = match self.resource_at(path) {
            None => Ok(()),
            Some(resource) => resource.check_audience(&user),
        };
        match checked {
            Ok(()) => Ok(user),
            Err(error) => Err(Bearward::record_rejection(user.failure(error))),
        }
    }

    /// Returns the URL whose metadata the challenges contain: that of the resource of the path, else
    /// [`Builder::resource`](crate::Builder::resource), else the first resource.
    pub(crate) fn challenge_resource(&self, path: Option<&str>) -> Option<&Url> {
        path.and_then(|path| self.resource_at(path))
            .map(ProtectedResource::url)
            .or(self.resource.as_ref())
            .or_else(|| self.resources.first().map(ProtectedResource::url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(resources: &[&str]) -> HttpConfig {
        let mut config = HttpConfig::new();
        for resource in resources {
            let resource = ProtectedResource::new(resource).unwrap();
            config.resources.push(resource);
        }
        config
    }

    #[test]
    fn longest_path_decides() {
        let config = config(&[
            "https://api.example.com",
            "https://api.example.com/mcp",
            "https://api.example.com/mcp/admin/",
        ]);
        for (path, resource) in [
            ("/", "https://api.example.com"),
            ("/mcpx", "https://api.example.com"),
            ("/MCP", "https://api.example.com"),
            ("/mcp", "https://api.example.com/mcp"),
            ("/mcp/", "https://api.example.com/mcp"),
            ("/mcp/tools", "https://api.example.com/mcp"),
            ("/mcp/admin", "https://api.example.com/mcp/admin/"),
            ("/mcp/admin/x", "https://api.example.com/mcp/admin/"),
        ] {
            assert_eq!(
                config.resource_at(path).unwrap().resource(),
                resource,
                "{path}"
            );
        }
        let other = self::config(&["https://api.example.com/mcp"]);
        assert!(other.resource_at("/orders").is_none());
    }

    #[test]
    fn resource_must_be_a_plain_http_url() {
        for accepted in [
            "https://a.example",
            "http://127.0.0.1:8080/mcp",
            "https://a.example/b/",
        ] {
            assert!(ProtectedResource::new(accepted).is_ok(), "{accepted}");
        }
        for rejected in [
            "",
            "/mcp",
            "urn:example:mcp",
            "ftp://a.example/",
            "https://u@a.example/",
            "https://a.example/?q",
            "https://a.example/#f",
        ] {
            assert!(ProtectedResource::new(rejected).is_err(), "{rejected}");
        }
    }
}
