//! Configuration of one trusted issuer.

use std::{fmt, sync::Arc, time::Duration};

use url::Url;

use super::{
    algorithm::Algorithm,
    claim_mapping::{ClaimMapping, ClaimMappingError},
    setting::Setting,
};

/// A trusted issuer: which tokens are accepted from it, and where its keys are.
///
/// The issuer and the audience are required. Everything else has a strict default.
///
/// ```
/// use bearward::{Algorithm, Issuer};
///
/// # fn main() -> Result<(), bearward::IssuerError> {
/// let supabase = Issuer::supabase("https://abc.supabase.co")?;
/// let other = Issuer::new("https://id.example.com/", "https://api.example.com")?.algorithms([Algorithm::ES256])?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    pub(crate) name: Arc<str>,
    pub(crate) accepted_issuers: Vec<Box<str>>,
    pub(crate) audiences: Audiences,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) token_type: TypRule,
    pub(crate) leeway: Duration,
    pub(crate) required_claims: Vec<Box<str>>,
    pub(crate) token_use: TokenUse,
    pub(crate) claims: ClaimMapping,
    pub(crate) keys: KeySource,
}

/// The audiences that are accepted in `aud` (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audiences {
    /// `aud` must contain at least one of these.
    OneOf(Arc<[Box<str>]>),
    /// `aud` is not checked.
    ///
    /// # Security
    /// Any other service that trusts the issuer can replay the tokens it receives.
    Any,
}

impl Audiences {
    /// Creates a list of accepted audiences.
    pub fn one_of(audiences: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self::OneOf(audiences.into_iter().map(Into::into).collect())
    }
}

/// Which `typ` headers are accepted (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TypRule {
    /// Accepts no `typ`, `JWT` and `at+jwt`, in any case, with or without `application/`.
    #[default]
    Jwt,
    /// Accepts `at+jwt` only, and requires the claims of RFC 9068 §2.2: `client_id`, `iat`, `jti`.
    AtJwt,
}

/// How tokens of an issuer may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenUse {
    /// As the bearer token of a request.
    #[default]
    AccessToken,
    /// As a credential in a request body, such as a Google ID token. Such a token is rejected as a
    /// bearer token.
    IdToken,
}

/// The source of an issuer's public keys.
///
/// `Debug` prints the output of [`describe`](Self::describe), which contains neither the query of a
/// URL nor key material.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The `jwks_uri` in `{issuer}/.well-known/openid-configuration`. The `issuer` in that document
    /// must equal the configured one (OpenID Connect Discovery §4.3).
    Discovery,
    /// A JWK Set at this URL.
    Url(Url),
    /// A fixed JWK Set, as JSON text.
    Fixed(String),
}

/// An invalid issuer configuration.
///
/// `Debug` prints the message, so that a `main` that returns this error shows it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The issuer is empty.
    #[error("the issuer is empty; write the exact \"iss\" of its tokens")]
    EmptyIssuer,
    /// The audience is missing or empty.
    #[error(
        "the audience is empty; write the \"aud\" of the tokens, or call `.dangerous_any_audience()` if they have none"
    )]
    EmptyAudience,
    /// The list of algorithms is empty.
    #[error("the list of algorithms is empty")]
    NoAlgorithm,
    /// The leeway is above the maximum of [`Issuer::LEEWAY`].
    #[error("the leeway must be from 0s to {:?}", Issuer::LEEWAY.max)]
    Leeway,
    /// The URL is not that of a Supabase project.
    #[error(
        "not the URL of a Supabase project, such as https://abc.supabase.co or http://127.0.0.1:54321: {0}"
    )]
    NotAProject(&'static str),
    /// A claim mapping is invalid.
    #[error(transparent)]
    Claims(#[from] ClaimMappingError),
}

impl fmt::Debug for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Issuer {
    /// The allowed clock difference set by [`leeway`](Self::leeway): 30 seconds; 0 to 5 minutes.
    pub const LEEWAY: Setting<Duration> = Setting::new(
        Duration::from_secs(30),
        Duration::ZERO,
        Duration::from_secs(5 * 60),
    );

    /// Creates an issuer whose keys are found by OIDC discovery. `issuer` is compared with `iss`
    /// byte by byte.
    ///
    /// # Errors
    /// Returns an error if either argument is empty.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, IssuerError> {
        Self::with_audiences(issuer, Audiences::one_of([audience.into()]))
    }

    /// Creates an issuer that accepts these audiences. Like [`new`](Self::new) otherwise.
    ///
    /// # Errors
    /// Returns an error if the issuer, the list of audiences or one of the audiences is empty.
    pub fn with_audiences(
        issuer: impl Into<String>,
        audiences: Audiences,
    ) -> Result<Self, IssuerError> {
        let issuer = issuer.into();
        if issuer.is_empty() {
            return Err(IssuerError::EmptyIssuer);
        }
        if let Audiences::OneOf(audiences) = &audiences
            && (audiences.is_empty() || audiences.iter().any(|audience| audience.is_empty()))
        {
            return Err(IssuerError::EmptyAudience);
        }
        Ok(Self {
            name: issuer.as_str().into(),
            accepted_issuers: vec![issuer.into()],
            audiences,
            algorithms: Algorithm::DEFAULT.to_vec(),
            token_type: TypRule::default(),
            leeway: Self::LEEWAY.default,
            required_claims: Vec::new(),
            token_use: TokenUse::default(),
            claims: ClaimMapping::default(),
            keys: KeySource::Discovery,
        })
    }

    /// Creates the issuer of a Supabase project: issuer `{project}/auth/v1`, its JWKS, audience
    /// `authenticated`.
    ///
    /// # Errors
    /// Returns an error if `project` is not an http or https origin, with or without `/auth/v1`.
    /// Plain http to a host other than loopback is rejected later, by
    /// [`Builder::build`](crate::Builder::build).
    pub fn supabase(project: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(project).map_err(|_| IssuerError::NotAProject("it is not a URL"))?;
        if !matches!(url.scheme(), "https" | "http")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(IssuerError::NotAProject(
                "it must start with https:// (or http:// for a loopback host) and contain no password",
            ));
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !matches!(url.path().trim_end_matches('/'), "" | "/auth/v1")
        {
            return Err(IssuerError::NotAProject(
                "only /auth/v1 may follow the host",
            ));
        }
        let issuer = format!("{}/auth/v1", url.origin().ascii_serialization());
        let keys = format!("{issuer}/.well-known/jwks.json")
            .parse()
            .map_err(|_| IssuerError::NotAProject("it is not a URL"))?;
        Ok(Self::new(issuer, "authenticated")?
            .name("supabase")
            .keys(KeySource::Url(keys)))
    }

    /// Creates the issuer of Google's ID tokens for one OAuth client. Both documented values of
    /// `iss` are accepted, and the tokens are credentials ([`TokenUse::IdToken`]).
    ///
    /// # Errors
    /// Returns an error if `client_id` is empty.
    pub fn google(client_id: &str) -> Result<Self, IssuerError> {
        let keys = Url::parse("https://www.googleapis.com/oauth2/v3/certs")
            .map_or(KeySource::Discovery, KeySource::Url);
        let google = Self::new("https://accounts.google.com", client_id)?
            .issuer_alias("accounts.google.com");
        Ok(google
            .name("google")
            .algorithms([Algorithm::RS256])?
            .token_use(TokenUse::IdToken)
            .keys(keys))
    }

    /// Returns the canonical issuer, which is the first accepted value of `iss`.
    pub fn iss(&self) -> &str {
        self.accepted_issuers.first().map_or("", AsRef::as_ref)
    }

    /// Returns every accepted value of `iss`, the canonical one first.
    pub fn accepted_issuers(&self) -> impl Iterator<Item = &str> {
        self.accepted_issuers.iter().map(AsRef::as_ref)
    }

    /// Returns the accepted audiences.
    pub fn accepted_audiences(&self) -> &Audiences {
        &self.audiences
    }

    /// Returns the accepted signature algorithms.
    pub fn accepted_algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Returns the source of the keys.
    pub fn key_source(&self) -> &KeySource {
        &self.keys
    }

    /// Returns whether tokens of this issuer have this use.
    pub fn has_token_use(&self, token_use: TokenUse) -> bool {
        self.token_use == token_use
    }

    /// Sets the name in logs, metrics and `/health`. The default is the issuer itself.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Accepts one more value of `iss`, for a provider that uses several.
    #[must_use]
    pub fn issuer_alias(mut self, issuer: impl Into<String>) -> Self {
        self.accepted_issuers.push(issuer.into().into());
        self
    }

    /// Accepts one more audience.
    ///
    /// # Errors
    /// Returns an error if `audience` is empty.
    pub fn audience(mut self, audience: impl Into<String>) -> Result<Self, IssuerError> {
        let audience = audience.into();
        if audience.is_empty() {
            return Err(IssuerError::EmptyAudience);
        }
        let known: &[Box<str>] = match &self.audiences {
            Audiences::OneOf(known) => known,
            Audiences::Any => &[],
        };
        self.audiences = Audiences::one_of(known.iter().cloned().chain([audience.into()]));
        Ok(self)
    }

    /// Accepts tokens with any audience, or none.
    ///
    /// # Security
    /// Any other service that trusts this issuer can replay the tokens it receives.
    #[must_use]
    pub fn dangerous_any_audience(mut self) -> Self {
        self.audiences = Audiences::Any;
        self
    }

    /// Sets the accepted signature algorithms. The default is [`Algorithm::DEFAULT`].
    ///
    /// # Errors
    /// Returns an error if the list is empty.
    pub fn algorithms(
        mut self,
        algorithms: impl IntoIterator<Item = Algorithm>,
    ) -> Result<Self, IssuerError> {
        self.algorithms = algorithms.into_iter().collect();
        if self.algorithms.is_empty() {
            Err(IssuerError::NoAlgorithm)
        } else {
            Ok(self)
        }
    }

    /// Sets which `typ` headers are accepted. The default is [`TypRule::Jwt`].
    #[must_use]
    pub fn token_type(mut self, token_type: TypRule) -> Self {
        self.token_type = token_type;
        self
    }

    /// Sets how far the issuer's clock may differ from this machine's ([`LEEWAY`](Self::LEEWAY)).
    /// It applies to `exp`, `nbf` and `iat`.
    ///
    /// # Errors
    /// Returns an error if the value is above the maximum.
    pub fn leeway(mut self, leeway: Duration) -> Result<Self, IssuerError> {
        self.leeway = leeway;
        if Self::LEEWAY.range().contains(&leeway) {
            Ok(self)
        } else {
            Err(IssuerError::Leeway)
        }
    }

    /// Requires a top-level claim to be present and not null.
    #[must_use]
    pub fn require_claim(mut self, name: impl Into<String>) -> Self {
        self.required_claims.push(name.into().into());
        self
    }

    /// Sets how the tokens may be used. The default is [`TokenUse::AccessToken`].
    #[must_use]
    pub fn token_use(mut self, token_use: TokenUse) -> Self {
        self.token_use = token_use;
        self
    }

    /// Sets where roles, scopes and other mapped claims are found.
    #[must_use]
    pub fn claim_mapping(mut self, claims: ClaimMapping) -> Self {
        self.claims = claims;
        self
    }

    /// Sets the source of the keys. The default is [`KeySource::Discovery`].
    #[must_use]
    pub fn keys(mut self, keys: KeySource) -> Self {
        self.keys = keys;
        self
    }
}
