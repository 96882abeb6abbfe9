//! The proof that a token was verified: only the verifier creates it.

use std::{fmt, sync::Arc};

use super::{
    algorithm::Algorithm,
    claim_rule::ClaimRule,
    claims::{Claims, CustomClaims, NoCustomClaims},
    client_certificate::ClientCertificate,
    confirmation::Confirmation,
    dpop::{KeyThumbprint, Scheme},
    error::{AuthError, AuthFailure, CertificateProblem},
    jws,
    revocation::TokenRevocationState,
    service_key::Service,
};

/// A verified token: the registered and mapped claims, and custom claims of type `C`.
///
/// There is no public constructor, so a value proves that a token passed the whole pipeline. It is
/// cheap to clone.
///
/// ```
/// use bearward::{Bearward, Verified};
///
/// async fn subject(auth: &Bearward, token: &str) -> Option<String> {
///     let user: Verified = auth.verify(token).await.ok()?;
///     Some(user.subject().to_owned())
/// }
/// ```
///
/// ```compile_fail
/// let forged = bearward::Verified { token: todo!(), custom: bearward::NoCustomClaims };
/// ```
///
/// # Security
/// The token was valid when it was verified. The user may have been deleted or signed out since:
/// the issuer is not asked. See [`Revocations`](crate::Revocations).
pub struct Verified<C = NoCustomClaims> {
    pub(super) token: Arc<VerifiedToken>,
    pub(super) custom: C,
}

/// The data of a verified token, shared by all requests that send it.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedToken {
    pub(super) claims: Claims,
    /// What the sender must prove to possess; `None` for a bearer token.
    pub(super) confirmation: Option<Confirmation>,
    /// Whether the token is accepted without any proof: it is not bound, and need not be.
    pub(super) is_bearer: bool,
    /// Whether the issuer requires tokens that are bound to a key.
    pub(super) requires_proof: bool,
    /// The token as it was sent.
    pub(super) raw: RawToken,
    /// The first accepted spelling of the issuer.
    pub(super) canonical_issuer: Arc<str>,
    /// `iss`: one of the issuer's accepted spellings.
    pub(super) issuer: Arc<str>,
    /// The issuer's configured name.
    pub(super) issuer_name: Arc<str>,
    /// The issuer's index in the verifier.
    pub(super) issuer_index: usize,
    /// The header's `kid`.
    pub(super) kid: Option<Box<str>>,
    /// The id of the key that verified the signature, if the header has none.
    pub(super) unnamed_kid: Option<Box<str>>,
    pub(super) algorithm: Algorithm,
    /// The index of the key set that verified the token in the issuer's list.
    pub(super) key_set: usize,
    /// The generation of that key set.
    pub(super) generation: u64,
    pub(super) revocation: TokenRevocationState,
}

impl VerifiedToken {
    /// Returns the id of the key that verified the signature. The header need not name it.
    pub(crate) fn verified_by_kid(&self) -> Option<&str> {
        self.kid.as_deref().or(self.unnamed_kid.as_deref())
    }
}

impl VerifiedToken {
    /// Checks that the sender possesses what the token is bound to. A token that is bound to a key is
    /// accepted only with the scheme `DPoP`, whose proof is checked later (RFC 9449 §7.2), and any
    /// other only without. `certificate` is not called for bearer tokens.
    #[inline]
    pub(super) fn check_possession(
        &self,
        scheme: Scheme,
        certificate: impl FnOnce() -> Option<ClientCertificate>,
    ) -> Result<(), AuthError> {
        if self.is_bearer && scheme == Scheme::Bearer {
            Ok(())
        } else {
            self.check_confirmation(scheme, certificate())
        }
    }

    fn check_confirmation(
        &self,
        scheme: Scheme,
        certificate: Option<ClientCertificate>,
    ) -> Result<(), AuthError> {
        if let Some(confirmation) = &self.confirmation {
            confirmation.check_certificate(certificate)?;
        }
        let key = self
            .confirmation
            .and_then(|confirmation| confirmation.key());
        match (key, scheme) {
            (Some(_), Scheme::Dpop) => Ok(()),
            (Some(_), Scheme::Bearer) => Err(AuthError::InvalidClaim {
                name: "cnf".into(),
                problem: "names a key (jkt); use the scheme DPoP and send a proof",
            }),
            (None, Scheme::Bearer) if !self.requires_proof => Ok(()),
            (None, _) => Err(AuthError::MissingClaim("cnf".into())),
        }
    }
}

/// The text of a token, redacted in `Debug`.
#[derive(Clone)]
pub(crate) struct RawToken(pub(crate) Arc<str>);

impl fmt::Debug for RawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<C> Verified<C> {
    /// Returns the caller's identifier, unique within the [`issuer`](Self::issuer): `sub`, or the
    /// claim that [`Issuer::subject_from`](crate::Issuer::subject_from) selects.
    pub fn subject(&self) -> &str {
        self.token.claims.subject()
    }

    /// Returns `iss`: one of the issuer's accepted spellings. See
    /// [`canonical_issuer`](Self::canonical_issuer) for database keys.
    pub fn issuer(&self) -> &str {
        &self.token.issuer
    }

    /// Returns the configured name of the issuer; see [`Issuer::name`](crate::Issuer::name).
    pub fn issuer_name(&self) -> &str {
        &self.token.issuer_name
    }

    /// Returns whether the caller is a client itself and not a user; see [`Claims::is_machine`].
    ///
    /// ```
    /// use bearward::Verified;
    ///
    /// fn greeting(caller: &Verified) -> String {
    ///     let kind = if caller.is_machine() { "service" } else { "user" };
    ///     format!("{kind} {}", caller.subject())
    /// }
    /// ```
    pub fn is_machine(&self) -> bool {
        self.token.claims.is_machine()
    }

    /// Returns the first accepted `iss` of the issuer that signed the token.
    ///
    /// Use it with the subject as the key of database rows: it is the same for all spellings that
    /// an issuer uses. If the issuer has a placeholder, it is the token's `iss`, so that two tenants
    /// never share a row.
    pub fn canonical_issuer(&self) -> &str {
        &self.token.canonical_issuer
    }

    /// Returns the token, to call another service on behalf of the user.
    ///
    /// ```
    /// use bearward::Verified;
    ///
    /// fn authorization(user: &Verified) -> String {
    ///     format!("Bearer {}", user.token())
    /// }
    /// ```
    ///
    /// # Security
    /// A holder of the token can act as the user until it expires. Do not log it, and send it only
    /// to services that its `aud` names. `Debug` does not print it.
    pub fn token(&self) -> &str {
        &self.token.raw.0
    }

    /// Returns the payload of the token as JSON text, as the issuer signed it: every claim, for
    /// example for `request.jwt.claims` of `PostgREST` and row level security.
    ///
    /// Each call decodes the payload.
    ///
    /// ```
    /// use bearward::Verified;
    ///
    /// fn department(user: &Verified) -> Option<String> {
    ///     let claims: serde_json::Value = serde_json::from_str(&user.claims_json()).ok()?;
    ///     Some(claims["department"].as_str()?.to_owned())
    /// }
    /// ```
    pub fn claims_json(&self) -> String {
        // A verified token has three parts, and its payload is a JSON object in UTF-8.
        jws::decode_payload(self.token())
            .ok()
            .and_then(|payload| String::from_utf8(payload).ok())
            .unwrap_or_else(|| "{}".to_owned())
    }

    /// Returns the registered and mapped claims.
    pub fn claims(&self) -> &Claims {
        &self.token.claims
    }

    /// Returns the email address; see [`Claims::email`].
    pub fn email(&self) -> Option<&str> {
        self.token.claims.email()
    }

    /// Returns the custom claims.
    pub fn custom(&self) -> &C {
        &self.custom
    }

    /// Returns the custom claims and drops the rest.
    pub fn into_custom(self) -> C {
        self.custom
    }

    /// Returns the id of the key that verified the token; `None` if the token has no `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.token.kid.as_deref()
    }

    /// Returns the algorithm of the signature.
    pub fn algorithm(&self) -> Algorithm {
        self.token.algorithm
    }

    /// Returns the key that the token is bound to; `None` for a bearer token. A bound token is
    /// accepted only with a proof of that key (RFC 9449).
    pub fn bound_key(&self) -> Option<KeyThumbprint> {
        self.token
            .confirmation
            .and_then(|confirmation| confirmation.key())
    }

    /// Requires the token to be bound to a key of the client and sent with a proof (RFC 9449).
    ///
    /// ```
    /// use bearward::{AuthError, Verified};
    ///
    /// fn may_pay(user: &Verified) -> Result<(), AuthError> {
    ///     user.require_dpop()?;
    ///     user.require_scope("payments:write")
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::MissingClaim`] (401) for a bearer token.
    pub fn require_dpop(&self) -> Result<(), AuthError> {
        match self.bound_key() {
            Some(_) => Ok(()),
            None => Err(AuthError::MissingClaim("cnf".into())),
        }
    }

    /// Returns whether the user has a role. The comparison is case-sensitive.
    pub fn has_role(&self, role: &str) -> bool {
        self.claims().roles().any(|held| held == role)
    }

    /// Returns whether the token has a scope. The comparison is case-sensitive.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.claims().scopes().any(|held| held == scope)
    }

    /// Requires a role. The comparison is case-sensitive.
    ///
    /// Roles are read from `/app_metadata/roles` unless the issuer's
    /// [`ClaimMapping`](crate::ClaimMapping) says otherwise. Supabase's `role` claim is
    /// [`Claims::role`], which this method does not read.
    ///
    /// # Errors
    /// [`AuthError::InsufficientRole`] (403).
    pub fn require_role(&self, role: &str) -> Result<(), AuthError> {
        if self.has_role(role) {
            Ok(())
        } else {
            Err(AuthError::InsufficientRole {
                required: role.into(),
            })
        }
    }

    /// Requires all of the space-separated `scopes`. The comparison is case-sensitive.
    ///
    /// Scopes are read from `/scope` unless the issuer's [`ClaimMapping`](crate::ClaimMapping) says
    /// otherwise.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] (403) if one of them is missing.
    pub fn require_scope(&self, scopes: &str) -> Result<(), AuthError> {
        if scopes.split(' ').all(|scope| self.has_scope(scope)) {
            Ok(())
        } else {
            Err(AuthError::InsufficientScope {
                required: scopes.into(),
            })
        }
    }

    /// Requires a claim to have a value, beyond the rules of the issuer. Each call decodes the
    /// payload.
    ///
    /// ```
    /// use bearward::{AuthError, ClaimRule, Verified};
    ///
    /// /// `rule` is for example `ClaimRule::new("department", ["sales", "support"])?`.
    /// fn check(user: &Verified, rule: &ClaimRule) -> Result<(), AuthError> {
    ///     user.require_claim(rule)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::UnexpectedClaim`] (401) if the claim is absent or has another value.
    pub fn require_claim(&self, rule: &ClaimRule) -> Result<(), AuthError> {
        rule.check_verified(self)
    }

    /// Requires an authenticator assurance level, so that a frontend can ask for a second factor.
    ///
    /// The levels `aal1`, `aal2` and `aal3` are ordered: `aal2` is met by `aal2` and `aal3`. A level
    /// with another name is met only by exactly that level.
    ///
    /// # Errors
    /// [`AuthError::StepUpRequired`] (401, RFC 9470) if the level is lower or absent.
    pub fn require_aal(&self, level: &str) -> Result<(), AuthError> {
        let rank = |level: &str| {
            ["aal1", "aal2", "aal3"]
                .iter()
                .position(|known| *known == level)
        };
        let held = self.claims().aal();
        let is_met = match (held.and_then(rank), rank(level)) {
            (Some(held), Some(required)) => held >= required,
            // The order of levels with other names is unknown.
            _ => held == Some(level),
        };
        if is_met {
            Ok(())
        } else {
            Err(AuthError::StepUpRequired {
                required: level.into(),
            })
        }
    }

    /// Returns the client certificate that the token is bound to (RFC 8705), which the sender of the
    /// request has proven to hold; `None` for a bearer token.
    pub fn client_certificate(&self) -> Option<ClientCertificate> {
        self.token
            .confirmation
            .and_then(|confirmation| confirmation.certificate())
    }

    /// Requires a token that is bound to a client certificate: a stolen one is useless without the
    /// private key.
    ///
    /// ```
    /// use bearward::{AuthError, NoCustomClaims, Requirement, Verified};
    ///
    /// /// Payments, as the security profile FAPI requires them.
    /// struct Payments;
    ///
    /// impl Requirement for Payments {
    ///     type Claims = NoCustomClaims;
    ///     fn check(user: &Verified) -> Result<(), AuthError> {
    ///         user.require_certificate()?;
    ///         user.require_scope("payments")
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::CertificateMismatch`] (401) for a bearer token.
    pub fn require_certificate(&self) -> Result<(), AuthError> {
        match self.client_certificate() {
            Some(_) => Ok(()),
            None => Err(AuthError::CertificateMismatch(CertificateProblem::NotBound)),
        }
    }

    /// Requires a condition of the application, for example on [`custom`](Self::custom) claims.
    ///
    /// # Errors
    /// [`AuthError::RequirementNotMet`] (403) unless `is_met`. The response contains `required`,
    /// the description of the condition.
    pub fn require_that(&self, is_met: bool, required: &str) -> Result<(), AuthError> {
        if is_met {
            Ok(())
        } else {
            Err(AuthError::RequirementNotMet {
                required: required.into(),
            })
        }
    }

    /// Adds the issuer and key id of this token to an error, for logs and metrics.
    pub fn failure(&self, error: AuthError) -> AuthFailure {
        AuthFailure::new(error, Some(Arc::clone(&self.token.issuer_name)), self.kid())
    }

    /// Deserializes the payload of the token as custom claims of another type.
    ///
    /// ```
    /// use bearward::{AuthFailure, Verified};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Plan {
    ///     plan: String,
    /// }
    ///
    /// fn plan(user: Verified) -> Result<String, AuthFailure> {
    ///     Ok(user.with_custom_claims::<Plan>()?.into_custom().plan)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`AuthError::CustomClaimsMismatch`] if the payload does not match `D`.
    pub fn with_custom_claims<D: CustomClaims>(self) -> Result<Verified<D>, AuthFailure> {
        match D::from_verified(self.token()) {
            Ok(custom) => Ok(Verified {
                custom,
                token: self.token,
            }),
            Err(error) => Err(self.failure(error)),
        }
    }
}

impl<C: Clone> Clone for Verified<C> {
    fn clone(&self) -> Self {
        Self {
            token: Arc::clone(&self.token),
            custom: self.custom.clone(),
        }
    }
}

/// Prints the subject, the issuer and whether the caller is a client, and no other claim.
impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .field("is_machine", &self.is_machine())
            .finish_non_exhaustive()
    }
}

/// A named requirement that a route has for a verified token.
///
/// With the feature `actix`, a handler requires it with a [`Require<R>`](crate::Require) parameter,
/// and a scope with [`Bearward::require`](crate::Bearward::require).
///
/// ```
/// use bearward::{AuthError, NoCustomClaims, Requirement, Verified};
///
/// /// Administrators who signed in with a second factor.
/// struct Admin;
///
/// impl Requirement for Admin {
///     type Claims = NoCustomClaims;
///     fn check(user: &Verified) -> Result<(), AuthError> {
///         user.require_role("admin")?;
///         user.require_aal("aal2")
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a requirement",
    label = "does not say what it requires",
    note = "implement `bearward::Requirement` for it, with `type Claims = bearward::NoCustomClaims;` and a `check` that calls `user.require_role(\"..\")` or the like",
    note = "if it implements `bearward::AsyncRequirement`, use `bearward::RequireAsync` or `auth.require_async::<..>()`"
)]
pub trait Requirement: 'static {
    /// The custom claims that [`check`](Self::check) reads; [`NoCustomClaims`] if roles, scopes and
    /// the assurance level suffice.
    type Claims: CustomClaims;

    /// The scopes that a token needs for the route, separated by spaces. The challenges name them
    /// (RFC 6750 §3), so that a client knows what to request before and after its first request; MCP
    /// clients rely on it. [`check`](Self::check) must require them itself.
    ///
    /// ```
    /// use bearward::{AuthError, NoCustomClaims, Requirement, Verified};
    ///
    /// struct ReadsNotes;
    ///
    /// impl Requirement for ReadsNotes {
    ///     type Claims = NoCustomClaims;
    ///     const SCOPES: &'static str = "notes:read";
    ///     fn check(user: &Verified) -> Result<(), AuthError> {
    ///         user.require_scope(Self::SCOPES)
    ///     }
    /// }
    /// ```
    const SCOPES: &'static str = "";

    /// Checks a verified token.
    ///
    /// # Errors
    /// The reason for the rejection, which determines the response. The `require_…` methods of
    /// [`Verified`] return suitable errors.
    fn check(user: &Verified<Self::Claims>) -> Result<(), AuthError>;

    /// Checks a verified service key, for routes that accept services:
    /// [`Require<R, Service>`](crate::Require), [`Require<R, Caller>`](crate::Require) and
    /// [`Guard::services`](crate::Guard::services). By default, every service is rejected.
    ///
    /// ```
    /// use bearward::{AuthError, NoCustomClaims, Requirement, Service, Verified};
    ///
    /// /// Users and services with the scope `reports:write`.
    /// struct WriteReports;
    ///
    /// impl Requirement for WriteReports {
    ///     type Claims = NoCustomClaims;
    ///     fn check(user: &Verified) -> Result<(), AuthError> {
    ///         user.require_scope("reports:write")
    ///     }
    ///     fn check_service(service: &Service) -> Result<(), AuthError> {
    ///         service.require_scope("reports:write")
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The reason for the rejection; [`AuthError::UserRequired`] (403) by default.
    fn check_service(_service: &Service) -> Result<(), AuthError> {
        Err(AuthError::UserRequired)
    }
}

/// A requirement that is met by every verified token; the default of [`Bound`].
#[derive(Debug, Clone, Copy)]
pub enum AnyCaller {}

impl Requirement for AnyCaller {
    type Claims = NoCustomClaims;

    fn check(_user: &Verified) -> Result<(), AuthError> {
        Ok(())
    }
}

/// A requirement for a token that is bound to a key of the client and sent with a proof (RFC 9449),
/// and that meets `R`; see [`Verified::require_dpop`].
///
/// ```
/// # #[cfg(feature = "actix")] mod example {
/// use actix_web::{Responder, post};
/// use bearward::{Bound, Require};
///
/// #[post("/payments")]
/// async fn pay(user: Require<Bound>) -> impl Responder {
///     format!("paid by {}", user.subject())
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Bound<R = AnyCaller>(std::marker::PhantomData<R>);

impl<R: Requirement> Requirement for Bound<R> {
    type Claims = R::Claims;

    fn check(user: &Verified<R::Claims>) -> Result<(), AuthError> {
        user.require_dpop()?;
        R::check(user)
    }
}
