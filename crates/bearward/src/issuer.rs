//! Configuration of one trusted issuer.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use url::Url;

use super::{
    algorithm::Algorithm,
    claim_mapping::{ClaimMapping, ClaimMappingError},
    keys::FetchCredentials,
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
    pub(crate) key_credentials: FetchCredentials,
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
    /// The `jwks_uri` in the issuer's metadata: `{issuer}/.well-known/openid-configuration` (OpenID
    /// Connect Discovery §4.1), or else `oauth-authorization-server` (RFC 8414 §3), before or after
    /// the path of the issuer. The `issuer` in that document must equal the configured one.
    Discovery,
    /// The `jwks_uri` in the metadata document at this URL, for issuers whose metadata is not at a
    /// well-known URL. The `issuer` in that document must equal the configured one.
    DiscoveryUrl(Url),
    /// A JWK Set at this URL.
    Url(Url),
    /// A JWK Set at each of these URLs, at most [`Issuer::MAX_JWKS_URLS`]. Each is fetched and
    /// cached independently, and the keys of all of them are tried.
    ///
    /// # Security
    /// Whoever controls one of the URLs can sign tokens as this issuer.
    Urls(Vec<Url>),
    /// A fixed JWK Set, as JSON text.
    Fixed(String),
}

/// The reason why the keys of an issuer cannot be obtained as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySourceError {
    /// The list of JWKS URLs is empty.
    #[error("the list of JWKS URLs is empty")]
    NoUrl,
    /// The list has more than [`Issuer::MAX_JWKS_URLS`] JWKS URLs.
    #[error("an issuer has at most {} JWKS URLs", Issuer::MAX_JWKS_URLS)]
    TooManyUrls,
    /// The list contains a JWKS URL more than once.
    #[error("the list of JWKS URLs contains a URL more than once")]
    DuplicateUrl,
    /// Credentials are configured, and the JWKS URLs have different origins.
    #[error(
        "the JWKS URLs have different origins, but credentials (jwks_token_file, jwks_headers_file) are sent to one origin only"
    )]
    SeveralOrigins,
    /// Credentials are configured, and the keys are fixed.
    #[error(
        "fixed keys are not fetched, so remove the credentials (jwks_token_file, jwks_headers_file)"
    )]
    UnusedCredentials,
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
        Duration::from_mins(5),
    );

    /// The maximum number of [`KeySource::Urls`]. A token that matches keys of every set costs up to
    /// three signature checks per set.
    pub const MAX_JWKS_URLS: usize = 8;

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
            key_credentials: FetchCredentials::default(),
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

    /// Checks that the source of the keys and the credentials for it fit together.
    /// [`Builder::build`](crate::Builder::build) calls it.
    ///
    /// # Errors
    /// Returns the first rule that is violated. The scheme of the URLs is not checked.
    pub fn check_key_source(&self) -> Result<(), KeySourceError> {
        let urls = match &self.keys {
            KeySource::Urls(urls) => urls.as_slice(),
            KeySource::Fixed(_) if !self.key_credentials.is_empty() => {
                return Err(KeySourceError::UnusedCredentials);
            }
            KeySource::Discovery
            | KeySource::DiscoveryUrl(_)
            | KeySource::Url(_)
            | KeySource::Fixed(_) => return Ok(()),
        };
        let Some((first, others)) = urls.split_first() else {
            return Err(KeySourceError::NoUrl);
        };
        if urls.len() > Self::MAX_JWKS_URLS {
            return Err(KeySourceError::TooManyUrls);
        }
        if (1..urls.len()).any(|index| urls[..index].contains(&urls[index])) {
            return Err(KeySourceError::DuplicateUrl);
        }
        let is_same_origin = others.iter().all(|url| url.origin() == first.origin());
        if !self.key_credentials.is_empty() && !is_same_origin {
            return Err(KeySourceError::SeveralOrigins);
        }
        Ok(())
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
    ///
    /// ```
    /// use bearward::{Issuer, KeySource};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let issuer = Issuer::new("https://id.example.com/", "https://api.example.com")?.keys(KeySource::Urls(vec![
    ///     "https://id.example.com/sign-in/keys".parse()?,
    ///     "https://id.example.com/sign-up/keys".parse()?,
    /// ]));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn keys(mut self, keys: KeySource) -> Self {
        self.keys = keys;
        self
    }

    /// Sends the token in this file as `Authorization: Bearer` when the issuer's keys are fetched,
    /// for example the service account token of a Kubernetes pod. The file is read at each fetch,
    /// so it may be replaced at any time; a file that cannot be read is a failed fetch.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://kubernetes.default.svc", "my-api")?
    ///     .jwks_token_file("/var/run/secrets/kubernetes.io/serviceaccount/token");
    /// # Ok(()) }
    /// ```
    ///
    /// # Security
    /// The token is sent to the origin of the configured URL only: of the JWKS, or of the metadata
    /// document. It is not sent to a `jwks_uri` with another origin, and redirects are not followed.
    #[must_use]
    pub fn jwks_token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_credentials.token_file = Some(path.into());
        self
    }

    /// Sends the header fields in this file when the issuer's keys are fetched: one `Name: value` on
    /// each line. Empty lines and lines that begin with `#` are ignored. The file is read at each
    /// fetch.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com/", "https://api.example.com")?
    ///     .jwks_headers_file("/run/secrets/jwks-headers");
    /// # Ok(()) }
    /// ```
    ///
    /// # Security
    /// The fields are sent to the same origin as the token of
    /// [`jwks_token_file`](Self::jwks_token_file), and never logged.
    #[must_use]
    pub fn jwks_headers_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_credentials.headers_file = Some(path.into());
        self
    }

    /// Returns the files with the credentials for the key fetch.
    pub fn key_credentials(&self) -> &FetchCredentials {
        &self.key_credentials
    }
}
