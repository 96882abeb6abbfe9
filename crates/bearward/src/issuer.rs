//! An issuer's profile: who signs, for whom, with what, and where its claims stand.

use std::{fmt, sync::Arc, time::Duration};

use url::Url;

use super::{
    algorithm::Algorithm,
    claim_mapping::{ClaimMapError, ClaimMapping},
};

/// The most that a profile may forgive a clock.
pub const MAX_LEEWAY: Duration = Duration::from_mins(5);

/// One trusted issuer. Issuer and audience are arguments, not options; everything else has a strict
/// default.
///
/// ```
/// use bearward::{Algorithm, Issuer};
///
/// # fn main() -> Result<(), bearward::IssuerError> {
/// let supabase = Issuer::supabase("https://abc.supabase.co")?;
/// let other = Issuer::new("https://id.example.com/", "https://api.example.com")?.algorithms([Algorithm::ES256])?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Issuer {
    pub(crate) name: Arc<str>,
    pub(crate) accepted_issuers: Vec<Box<str>>,
    pub(crate) audiences: Audiences,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) token_type: TypRule,
    pub(crate) leeway: Duration,
    pub(crate) required_claims: Vec<Box<str>>,
    pub(crate) usage: TokenUse,
    pub(crate) claims: ClaimMapping,
    pub(crate) keys: KeySource,
}

/// Whom a token must be meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audiences {
    /// One of these.
    OneOf(Arc<[Box<str>]>),
    /// The written way to opt out.
    Any,
}

/// What `typ` must say (RFC 8725 §3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TypRule {
    /// Absent, `JWT` or `at+jwt`, in any case, with or without `application/`.
    #[default]
    Jwt,
    /// `at+jwt` alone, and the claims that RFC 9068 §2.2 requires: `client_id`, `iat`, `jti`.
    AtJwt,
}

/// Where tokens of this issuer may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenUse {
    /// As bearer tokens of requests.
    #[default]
    AccessToken,
    /// As credentials handed over in a request's body, such as Google ID tokens; never as bearer
    /// tokens.
    IdToken,
}

/// Where the public keys come from.
///
/// `Debug` says what [`describe`](Self::describe) says: a query and a private key published by
/// mistake stay out of logs.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The `jwks_uri` of `{issuer}/.well-known/openid-configuration`, whose `issuer` must equal the
    /// configured one.
    Discovery,
    /// A JWK Set at this address.
    Url(Url),
    /// A JWK Set that never changes, as JSON.
    Fixed(String),
}

/// A profile that would not be safe, or that cannot work. `Debug` is the message too, because a
/// `main` that returns it prints that.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The issuer is empty.
    #[error("the issuer is empty; it is the exact \"iss\" of the tokens")]
    EmptyIssuer,
    /// No audience, or an empty one.
    #[error(
        "the audience is empty; it is the \"aud\" of the tokens, or `.dangerous_any_audience()` where there is none to check"
    )]
    EmptyAudience,
    /// No algorithm.
    #[error("the list of algorithms is empty")]
    NoAlgorithm,
    /// More than [`MAX_LEEWAY`].
    #[error("the leeway is over 300 s")]
    Leeway,
    /// Not a project's address.
    #[error(
        "not a Supabase project's address, such as https://abc.supabase.co or http://127.0.0.1:54321: {0}"
    )]
    NotAProject(&'static str),
    /// A claim cannot be looked for there.
    #[error(transparent)]
    Claims(#[from] ClaimMapError),
}

impl fmt::Debug for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Issuer {
    /// An issuer whose keys are found by OIDC discovery. `issuer` is compared with `iss` byte by
    /// byte.
    ///
    /// # Errors
    /// When either is empty.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, IssuerError> {
        let issuer = issuer.into();
        if issuer.is_empty() {
            return Err(IssuerError::EmptyIssuer);
        }
        let new = Self {
            name: issuer.as_str().into(),
            accepted_issuers: vec![issuer.into()],
            audiences: Audiences::OneOf(Arc::default()),
            algorithms: Algorithm::DEFAULT.to_vec(),
            token_type: TypRule::default(),
            leeway: Duration::from_secs(30),
            required_claims: Vec::new(),
            usage: TokenUse::default(),
            claims: ClaimMapping::default(),
            keys: KeySource::Discovery,
        };
        new.audience(audience)
    }

    /// A Supabase project: issuer `{project}/auth/v1`, its JWKS, audience `authenticated`.
    ///
    /// # Errors
    /// When `project` is not an http or https origin, with or without `/auth/v1`. Plain http to
    /// another host than this machine is refused later, by `build`.
    pub fn supabase(project: &str) -> Result<Self, IssuerError> {
        let url = Url::parse(project).map_err(|_| IssuerError::NotAProject("it is no URL"))?;
        if !matches!(url.scheme(), "https" | "http")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(IssuerError::NotAProject(
                "it must be https://, or http:// on this machine, without a password",
            ));
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !matches!(url.path().trim_end_matches('/'), "" | "/auth/v1")
        {
            return Err(IssuerError::NotAProject(
                "nothing may follow the host but /auth/v1",
            ));
        }
        let issuer = format!("{}/auth/v1", url.origin().ascii_serialization());
        let keys = format!("{issuer}/.well-known/jwks.json")
            .parse()
            .map_err(|_| IssuerError::NotAProject("it is no URL"))?;
        Ok(Self::new(issuer, "authenticated")?
            .name("supabase")
            .keys(KeySource::Url(keys)))
    }

    /// Google's ID tokens for one OAuth client, as credentials: both documented spellings of `iss`.
    ///
    /// # Errors
    /// When `client_id` is empty.
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

    /// The first spelling of `iss`.
    pub fn iss(&self) -> &str {
        self.accepted_issuers.first().map_or("", AsRef::as_ref)
    }

    /// Where its keys come from.
    pub fn key_source(&self) -> &KeySource {
        &self.keys
    }

    /// Whether its tokens may come from there.
    pub fn has_token_use(&self, usage: TokenUse) -> bool {
        self.usage == usage
    }

    /// The name in logs, metrics and `/health`; the issuer itself unless set.
    #[must_use]
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// One more accepted spelling of `iss`, for an issuer that signs under two names.
    #[must_use]
    pub fn issuer_alias(mut self, issuer: impl Into<String>) -> Self {
        self.accepted_issuers.push(issuer.into().into());
        self
    }

    /// One more accepted audience.
    ///
    /// # Errors
    /// When it is empty.
    pub fn audience(mut self, audience: impl Into<String>) -> Result<Self, IssuerError> {
        let audience = audience.into();
        if audience.is_empty() {
            return Err(IssuerError::EmptyAudience);
        }
        let known: &[Box<str>] = match &self.audiences {
            Audiences::OneOf(known) => known,
            Audiences::Any => &[],
        };
        self.audiences = Audiences::OneOf(known.iter().cloned().chain([audience.into()]).collect());
        Ok(self)
    }

    /// Accepts tokens that are meant for somebody else: **any** service that trusts this issuer can
    /// then replay here what it was sent.
    #[must_use]
    pub fn dangerous_any_audience(mut self) -> Self {
        self.audiences = Audiences::Any;
        self
    }

    /// The accepted algorithms, instead of [`Algorithm::DEFAULT`].
    ///
    /// # Errors
    /// When there is none.
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

    /// What `typ` must say; [`TypRule::Jwt`] unless set.
    #[must_use]
    pub fn token_type(mut self, token_type: TypRule) -> Self {
        self.token_type = token_type;
        self
    }

    /// How far apart the two clocks may be; 30 s unless set.
    ///
    /// # Errors
    /// When over [`MAX_LEEWAY`].
    pub fn leeway(mut self, leeway: Duration) -> Result<Self, IssuerError> {
        self.leeway = leeway;
        if leeway > MAX_LEEWAY {
            Err(IssuerError::Leeway)
        } else {
            Ok(self)
        }
    }

    /// A top-level claim that must be there and not be null.
    #[must_use]
    pub fn require_claim(mut self, name: impl Into<String>) -> Self {
        self.required_claims.push(name.into().into());
        self
    }

    /// Where its tokens may come from; [`TokenUse::AccessToken`] unless set.
    #[must_use]
    pub fn token_use(mut self, usage: TokenUse) -> Self {
        self.usage = usage;
        self
    }

    /// Where its claims stand.
    #[must_use]
    pub fn claims(mut self, claims: ClaimMapping) -> Self {
        self.claims = claims;
        self
    }

    /// Where its keys come from; [`KeySource::Discovery`] unless set.
    #[must_use]
    pub fn keys(mut self, keys: KeySource) -> Self {
        self.keys = keys;
        self
    }
}
