//! Configuration of one trusted issuer.

mod accepted_issuers;
mod audiences;
mod claims;
mod clients;
mod error;
mod key_source;
mod keys;
mod typ_rule;

use std::{sync::Arc, time::Duration};

pub use self::{
    audiences::Audiences,
    error::IssuerError,
    key_source::{KeySource, KeySourceError},
    typ_rule::TypRule,
};
pub(crate) use self::{clients::ClientRule, typ_rule::without_application};
use super::{
    algorithm::Algorithm, claim_mapping::ClaimMapping, claim_rule::ClaimRule, dpop::DpopMode,
    issuer_template::IssuerTemplate, json_pointer::JsonPointer, keys::FetchCredentials,
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
    /// Set if the only accepted issuer has a placeholder.
    pub(crate) template: Option<IssuerTemplate>,
    pub(crate) audiences: Audiences,
    /// The accepted clients; empty if the client is not checked.
    pub(crate) client_ids: Arc<[Box<str>]>,
    /// Further audiences of logout tokens.
    pub(crate) logout_audiences: Arc<[Box<str>]>,
    /// Whether tokens without `client_id` are accepted whatever `client_ids` says, and those with it
    /// only if it is listed.
    pub(crate) first_party: bool,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) token_type: TypRule,
    pub(crate) leeway: Duration,
    pub(crate) required_claims: Vec<Box<str>>,
    pub(crate) claim_rules: Vec<ClaimRule>,
    pub(crate) token_use: TokenUse,
    pub(crate) claims: ClaimMapping,
    /// The claims that the subject is read from; empty for a required `sub`.
    pub(crate) subject: Vec<JsonPointer>,
    pub(crate) keys: KeySource,
    pub(crate) key_credentials: FetchCredentials,
    pub(crate) dpop: DpopMode,
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

impl Issuer {
    /// The allowed clock difference set by [`leeway`](Self::leeway): 30 seconds; 0 to 5 minutes.
    pub const LEEWAY: Setting<Duration> = Setting::new(
        Duration::from_secs(30),
        Duration::ZERO,
        Duration::from_secs(5 * 60),
    );

    /// Creates an issuer whose keys are found by OIDC discovery. `issuer` is compared with `iss`
    /// byte by byte, except for one placeholder:
    ///
    /// An issuer such as `https://login.microsoftonline.com/{tid}/v2.0` accepts the tokens of all
    /// tenants whose `iss` has this form and whose claim `tid` has the same value as `iss` in place
    /// of the placeholder. A tenant has at most 128 letters, digits, `.` and `-`.
    /// [`tenants`](Self::tenants) restricts them. All tenants share one key set, whose URL is set
    /// with [`keys`](Self::keys); with a list of tenants it is also found by discovery at the first
    /// one.
    ///
    /// # Errors
    /// Returns an error if either argument is empty, or if the issuer has a brace and is not such a
    /// template.
    pub fn new(
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, IssuerError> {
        Self::with_audiences(issuer, Audiences::one_of([audience.into()]))
    }

    /// Creates an issuer that accepts these audiences. Like [`new`](Self::new) otherwise.
    ///
    /// # Errors
    /// Returns an error if the issuer, the list of audiences or one of the audiences is empty, or if
    /// the issuer has a brace and is not a template.
    pub fn with_audiences(
        issuer: impl Into<String>,
        audiences: Audiences,
    ) -> Result<Self, IssuerError> {
        let issuer = issuer.into();
        if issuer.is_empty() {
            return Err(IssuerError::EmptyIssuer);
        }
        let template = IssuerTemplate::parse(&issuer)?;
        let first_party = is_hosted_supabase(&issuer);
        if let Audiences::OneOf(audiences) = &audiences
            && (audiences.is_empty() || audiences.iter().any(|audience| audience.is_empty()))
        {
            return Err(IssuerError::EmptyAudience);
        }
        Ok(Self {
            name: issuer.as_str().into(),
            accepted_issuers: vec![issuer.into()],
            template,
            audiences,
            client_ids: Arc::default(),
            logout_audiences: Arc::default(),
            first_party,
            algorithms: Algorithm::DEFAULT.to_vec(),
            token_type: TypRule::default(),
            leeway: Self::LEEWAY.default,
            required_claims: Vec::new(),
            claim_rules: Vec::new(),
            token_use: TokenUse::default(),
            claims: ClaimMapping::default(),
            subject: Vec::new(),
            keys: KeySource::Discovery,
            key_credentials: FetchCredentials::default(),
            dpop: DpopMode::default(),
        })
    }

    /// Creates an issuer whose tokens are accepted by their client and need no `aud`, such as the
    /// access tokens of Amazon Cognito. Like [`new`](Self::new) otherwise.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc";
    /// let cognito = Issuer::with_client_ids(issuer, ["1example23456789"])?
    ///     .require_claim("token_use", "access")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the issuer, the list of client ids or one of the client ids is empty.
    ///
    /// # Security
    /// `aud` is not checked: see [`client_ids`](Self::client_ids).
    pub fn with_client_ids(
        issuer: impl Into<String>,
        client_ids: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        Self::with_audiences(issuer, Audiences::Any)?.client_ids(client_ids)
    }

    /// Returns which `typ` headers are accepted.
    pub fn typ_rule(&self) -> &TypRule {
        &self.token_type
    }

    /// Returns the accepted signature algorithms.
    pub fn accepted_algorithms(&self) -> &[Algorithm] {
        &self.algorithms
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

    /// Sets whether tokens may or must be bound to a key of the client (`DPoP`, RFC 9449). The
    /// default is [`DpopMode::Off`]: bound tokens are rejected.
    ///
    /// ```
    /// use bearward::{DpopMode, Issuer};
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com", "https://api.example.com")?
    ///     .dpop(DpopMode::Required);
    /// # Ok(()) }
    /// ```
    ///
    /// [`Builder::dpop`](crate::Builder::dpop) sets how proofs are checked.
    #[must_use]
    pub fn dpop(mut self, mode: DpopMode) -> Self {
        self.dpop = mode;
        self
    }

    /// Returns whether tokens may or must be bound to a key.
    pub fn dpop_mode(&self) -> DpopMode {
        self.dpop
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

    /// Sets how the tokens may be used. The default is [`TokenUse::AccessToken`].
    #[must_use]
    pub fn token_use(mut self, token_use: TokenUse) -> Self {
        self.token_use = token_use;
        self
    }
}

/// Returns whether an issuer is that of a project hosted by Supabase.
fn is_hosted_supabase(issuer: &str) -> bool {
    issuer
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_suffix(".supabase.co/auth/v1"))
        .is_some_and(|project| !project.contains('/'))
}
