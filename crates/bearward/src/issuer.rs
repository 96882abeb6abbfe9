//! Configuration of one trusted issuer.

mod error;
mod key_source;
mod typ_rule;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub(crate) use self::typ_rule::without_application;
pub use self::{
    error::IssuerError,
    key_source::{KeySource, KeySourceError},
    typ_rule::TypRule,
};
use super::{
    algorithm::Algorithm,
    claim_mapping::ClaimMapping,
    claim_rule::{ClaimRule, ClaimValue},
    dpop::DpopMode,
    issuer_template::{IssuerTemplate, TemplateError},
    json_pointer::{JsonPointer, JsonPointerError},
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

/// The audiences that are accepted in `aud` (RFC 7519 §4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audiences {
    /// `aud` must contain at least one of these.
    OneOf(Arc<[Box<str>]>),
    /// `aud` is not checked and may be absent, unless [`TypRule::AtJwt`] requires it.
    ///
    /// # Security
    /// Any other service that trusts the issuer can replay the tokens it receives, unless
    /// [`Issuer::client_ids`] or [`Issuer::require_claim`] restrict them.
    Any,
}

impl Audiences {
    /// Creates a list of accepted audiences.
    pub fn one_of(audiences: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self::OneOf(audiences.into_iter().map(Into::into).collect())
    }
}

/// How the client of a token is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientRule {
    /// It is not checked.
    Any,
    /// `client_id` is absent, or listed.
    AbsentOrListed,
    /// A client claim is present, and each that is present is listed.
    Listed,
}

/// Returns whether an issuer is that of a project hosted by Supabase.
fn is_hosted_supabase(issuer: &str) -> bool {
    issuer
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_suffix(".supabase.co/auth/v1"))
        .is_some_and(|project| !project.contains('/'))
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

    /// The maximum number of [`KeySource::Urls`]. A token that matches keys of every set costs up to
    /// three signature checks per set.
    pub const MAX_JWKS_URLS: usize = 8;

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

    /// Returns the canonical issuer, which is the first accepted value of `iss`, or the template if
    /// it has a placeholder.
    pub fn iss(&self) -> &str {
        self.accepted_issuers.first().map_or("", AsRef::as_ref)
    }

    /// Returns every accepted value of `iss`, the canonical one first.
    pub fn accepted_issuers(&self) -> impl Iterator<Item = &str> {
        self.accepted_issuers.iter().map(AsRef::as_ref)
    }

    /// Returns whether tokens with this `iss` belong to this issuer. A placeholder is bound to the
    /// claim of its name later, when the claims are checked.
    pub fn accepts_iss(&self, iss: &str) -> bool {
        match &self.template {
            Some(template) => template.accepts(iss),
            None => self
                .accepted_issuers
                .iter()
                .any(|accepted| **accepted == *iss),
        }
    }

    /// Describes which issuers a template accepts; `None` if the issuer has no placeholder.
    pub fn template_description(&self) -> Option<String> {
        self.template.as_ref().map(ToString::to_string)
    }

    /// Returns the accepted client ids; empty if the client is not checked.
    pub fn accepted_client_ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.client_ids.iter().map(AsRef::as_ref)
    }

    /// Returns whether only first-party tokens and listed clients are accepted, see
    /// [`first_party`](Self::first_party).
    pub fn is_first_party(&self) -> bool {
        self.first_party
    }

    /// Describes which clients' tokens are accepted; `None` if the client is not checked.
    pub fn client_description(&self) -> Option<String> {
        let listed = self.client_ids.join(" or ");
        match self.client_rule() {
            ClientRule::Any => None,
            ClientRule::AbsentOrListed if listed.is_empty() => {
                Some("client_id absent (first-party tokens)".to_owned())
            }
            ClientRule::AbsentOrListed => Some(format!("client_id absent or {listed}")),
            ClientRule::Listed => Some(format!("client {listed}")),
        }
    }

    /// Returns how the client of a token is checked.
    pub(crate) fn client_rule(&self) -> ClientRule {
        // Without an audience the clients are the only restriction.
        let replaces_audience =
            !self.client_ids.is_empty() && matches!(self.audiences, Audiences::Any);
        if self.first_party && !replaces_audience {
            ClientRule::AbsentOrListed
        } else if self.client_ids.is_empty() {
            ClientRule::Any
        } else {
            ClientRule::Listed
        }
    }

    /// Returns the rules on the values of claims.
    pub fn claim_rules(&self) -> &[ClaimRule] {
        &self.claim_rules
    }

    /// Returns the names of the claims that must be present, beside those that every token has.
    pub fn required_claims(&self) -> impl ExactSizeIterator<Item = &str> {
        self.required_claims.iter().map(AsRef::as_ref)
    }

    /// Returns which `typ` headers are accepted.
    pub fn typ_rule(&self) -> &TypRule {
        &self.token_type
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

    /// Replaces the accepted values of `iss`; the first is the canonical one. Discovery uses it.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let cluster = Issuer::kubernetes("orders", "prod")?
    ///     .replace_issuers(["https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"])?;
    /// assert_eq!(cluster.accepted_issuers().count(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the list is empty, its first element is empty, or an issuer has a brace
    /// and is not the only one that is a template.
    pub fn replace_issuers(
        mut self,
        issuers: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        self.accepted_issuers = issuers.into_iter().map(Into::into).collect();
        let Some(canonical) = self.accepted_issuers.first().filter(|iss| !iss.is_empty()) else {
            return Err(IssuerError::EmptyIssuer);
        };
        let mut issuers = self.accepted_issuers.iter();
        if issuers.len() > 1 && issuers.any(|issuer| issuer.contains(['{', '}'])) {
            return Err(TemplateError::Alias.into());
        }
        self.template = IssuerTemplate::parse(canonical)?;
        Ok(self)
    }

    /// Replaces the accepted audiences.
    ///
    /// # Errors
    /// Returns an error if the list or one of the audiences is empty.
    pub fn replace_audiences(mut self, audiences: Audiences) -> Result<Self, IssuerError> {
        if let Audiences::OneOf(listed) = &audiences
            && (listed.is_empty() || listed.iter().any(|audience| audience.is_empty()))
        {
            return Err(IssuerError::EmptyAudience);
        }
        self.audiences = audiences;
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

    /// Accepts only tokens that were issued to one of these clients (`azp` of OpenID Connect Core
    /// §2, `client_id` of RFC 9068 §2.2).
    ///
    /// At least one of the claims `client_id`, `azp`, `appid` and `cid` must be present, and each
    /// that is present must be a listed client id. The claim `aud` is checked in addition, unless
    /// the issuer was created with [`with_client_ids`](Self::with_client_ids). For issuers with
    /// [`first_party`](Self::first_party), tokens without `client_id` are accepted too.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com", "https://api.example.com")?
    ///     .client_ids(["web", "mobile"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the list or one of the client ids is empty.
    ///
    /// # Security
    /// A client id says who may use a token, not for which service it is meant: without an audience,
    /// every service that accepts the same client can replay the tokens it receives.
    pub fn client_ids(
        mut self,
        client_ids: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        self.client_ids = client_ids.into_iter().map(Into::into).collect();
        if self.client_ids.is_empty() || self.client_ids.iter().any(|id| id.is_empty()) {
            Err(IssuerError::EmptyClientId)
        } else {
            Ok(self)
        }
    }

    /// Adds audiences that logout tokens may have, besides the audiences and
    /// [client ids](Self::client_ids) of access tokens: `aud` of a logout token is the id of the
    /// client whose session has ended, which is often another one than the audience of this API. See
    /// [`Bearward::verify_logout_token`](crate::Bearward::verify_logout_token).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::new("https://id.example.com", "https://api.example.com")?
    ///     .logout_audiences(["web", "mobile"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if one of the audiences is empty.
    pub fn logout_audiences(
        mut self,
        audiences: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        self.logout_audiences = audiences.into_iter().map(Into::into).collect();
        if self.logout_audiences.iter().any(|id| id.is_empty()) {
            Err(IssuerError::EmptyAudience)
        } else {
            Ok(self)
        }
    }

    /// Sets whether the issuer's own applications are distinguished from OAuth clients of third
    /// parties by the claim `client_id`, as Supabase Auth does: tokens without it come from the
    /// project's own sign-in and are accepted, tokens with it are accepted only if
    /// [`client_ids`](Self::client_ids) lists its value. Other claims are not checked.
    ///
    /// The default is `true` for [`supabase`](Self::supabase) and for issuers at
    /// `https://*.supabase.co/auth/v1`, and `false` otherwise. It has no effect if client ids replace
    /// the audience ([`with_client_ids`](Self::with_client_ids)).
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let issuer = Issuer::supabase("https://abc.supabase.co")?.client_ids(["partner-app"])?;
    /// assert!(issuer.is_first_party());
    /// # Ok(()) }
    /// ```
    ///
    /// # Security
    /// With `false` and without client ids, every OAuth client to which a user has consented can use
    /// the whole API as that user.
    #[must_use]
    pub fn first_party(mut self, first_party: bool) -> Self {
        self.first_party = first_party;
        self
    }

    /// Accepts only these tenants of an issuer with a placeholder, such as
    /// `https://login.microsoftonline.com/{tid}/v2.0`. They are compared byte by byte.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let entra = Issuer::new("https://login.microsoftonline.com/{tid}/v2.0", "api://orders")?
    ///     .tenants(["8b1a9953-c461-4296-a827-abf8c47804d7"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the issuer has no placeholder, if the list is empty, or if a tenant has
    /// other characters than letters, digits, `.` and `-`.
    pub fn tenants(
        mut self,
        tenants: impl IntoIterator<Item = impl Into<Box<str>>>,
    ) -> Result<Self, IssuerError> {
        let template = self.template.take().ok_or(TemplateError::NotATemplate)?;
        let tenants = tenants.into_iter().map(Into::into).collect();
        self.template = Some(template.with_tenants(tenants)?);
        Ok(self)
    }

    /// Requires a top-level claim to be present and not null.
    #[must_use]
    pub fn require_claim_present(mut self, name: impl Into<String>) -> Self {
        self.required_claims.push(name.into().into());
        self
    }

    /// Requires a claim to have a value, or one of several.
    ///
    /// `claim` is the name of a top-level claim, or a JSON pointer (RFC 6901) that begins with `/`.
    /// Strings, booleans and whole numbers are compared by type and value; a trailing `*` accepts
    /// any text after the text before it. If the claim is an array, one of its elements must match.
    /// Rules on several claims must all be met.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let actions = Issuer::new("https://token.actions.githubusercontent.com", "deploy")?
    ///     .require_claim("repository_owner", "octo-org")?
    ///     .require_claim("ref", ["refs/heads/main", "refs/tags/v*"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the claim is not a name or pointer, the list or a text is empty, or `*`
    /// is not the last character of a text.
    ///
    /// # Security
    /// Use it where the caller chooses the audience: tokens of GitHub Actions and GitLab CI have any
    /// `aud` that the workflow asks for, so the audience is no restriction. End a prefix with the
    /// separator: `octo-org*` also matches `octo-org-evil`.
    pub fn require_claim(
        mut self,
        claim: &str,
        value: impl Into<ClaimValue>,
    ) -> Result<Self, IssuerError> {
        let rule = ClaimRule::new(claim, value).map_err(|source| IssuerError::ClaimRule {
            claim: claim.into(),
            source,
        })?;
        self.claim_rules.push(rule);
        Ok(self)
    }

    /// Requires a claim to have a value, in place of every earlier rule on the same claim. Like
    /// [`require_claim`](Self::require_claim) otherwise.
    ///
    /// # Errors
    /// As [`require_claim`](Self::require_claim).
    pub fn replace_claim_rule(
        mut self,
        claim: &str,
        value: impl Into<ClaimValue>,
    ) -> Result<Self, IssuerError> {
        self.claim_rules.retain(|rule| rule.claim() != claim);
        self.require_claim(claim, value)
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

    /// Reads one field from other claims, see [`ClaimMapping::set_any_of`]; the other fields are
    /// unchanged.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let auth0 = Issuer::auth0("acme.eu.auth0.com", "https://api.acme.example")?
    ///     .map_claim("roles", ["https://acme.example/roles"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the field is not one of [`ClaimMapping::NAMES`], or if a claim is invalid
    /// or there is none.
    pub fn map_claim(
        mut self,
        field: &str,
        claims: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, IssuerError> {
        self.claims = self.claims.set_any_of(field, claims)?;
        Ok(self)
    }

    /// Reads the subject from the first of these claims that is a string and not empty. The default
    /// is `sub`, which is then required. Each is the name of a top-level claim, or a JSON pointer.
    ///
    /// Use it for issuers whose machine-to-machine tokens have no `sub`, such as Duende
    /// `IdentityServer`; [`Verified::is_machine`](crate::Verified::is_machine) then distinguishes
    /// them.
    ///
    /// ```
    /// use bearward::Issuer;
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let duende = Issuer::new("https://id.example.com", "orders")?
    ///     .subject_from(["sub", "client_id"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns an error if the list is empty or a claim is neither a name nor a pointer.
    ///
    /// # Security
    /// The subject identifies accounts. List only claims that the issuer sets and that are never
    /// reassigned, and whose values cannot be equal to the `sub` of a user: an issuer that lets users
    /// choose client ids would let them choose whose account they use (RFC 9068 §5).
    pub fn subject_from(
        mut self,
        claims: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, IssuerError> {
        self.subject = claims
            .into_iter()
            .map(|claim| JsonPointer::from_pointer_or_name(claim.as_ref()))
            .collect::<Result<_, _>>()
            .map_err(IssuerError::Subject)?;
        if self.subject.is_empty() {
            return Err(IssuerError::Subject(JsonPointerError::NoClaim));
        }
        if let [only] = &*self.subject
            && only.name() == "sub"
        {
            self.subject.clear();
        }
        Ok(self)
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
