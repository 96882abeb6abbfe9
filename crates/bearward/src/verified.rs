//! The evidence that a token was verified: only the verifier can make it.

use std::{fmt, sync::Arc};

use super::{
    algorithm::Algorithm,
    claims::{Claims, CustomClaims, NoCustomClaims},
    error::{AuthError, AuthFailure, SanitizedText},
};

/// A token that passed the whole pipeline, with a team's own claims `C` beside the standard ones.
///
/// There is no constructor: to hold one is the proof.
///
/// ```compile_fail
/// let forged = bearward::Verified { evidence: todo!(), own: bearward::NoCustomClaims };
/// ```
pub struct Verified<C = NoCustomClaims> {
    pub(super) evidence: Arc<VerifiedToken>,
    pub(super) own: C,
}

/// What is kept of a verified token; shared by every request that sends it.
#[derive(Debug, Clone)]
pub(crate) struct VerifiedToken {
    pub(super) claims: Claims,
    /// `iss`, in the configured spelling that it equals.
    pub(super) issuer: Arc<str>,
    /// The issuer's configured name.
    pub(super) name: Arc<str>,
    /// Which of the verifier's issuers, by position.
    pub(super) place: usize,
    pub(super) kid: Option<Box<str>>,
    pub(super) algorithm: Algorithm,
    /// The key set's generation whose key verified it.
    pub(super) generation: u64,
}

impl<C> Verified<C> {
    /// `sub`: who this is, unique within [`issuer`](Self::issuer).
    pub fn subject(&self) -> &str {
        self.evidence.claims.subject()
    }

    /// `iss`, one of the configured spellings.
    pub fn issuer(&self) -> &str {
        &self.evidence.issuer
    }

    /// The standard and mapped claims.
    pub fn claims(&self) -> &Claims {
        &self.evidence.claims
    }

    /// The e-mail address, when it is a string that is not empty.
    pub fn email(&self) -> Option<&str> {
        self.evidence.claims.email()
    }

    /// The team's own claims.
    pub fn custom(&self) -> &C {
        &self.own
    }

    /// Gives up the evidence for the team's own claims.
    pub fn into_custom(self) -> C {
        self.own
    }

    /// The key that verified it, when the token names one.
    pub fn kid(&self) -> Option<&str> {
        self.evidence.kid.as_deref()
    }

    /// The algorithm that verified it.
    pub fn algorithm(&self) -> Algorithm {
        self.evidence.algorithm
    }

    /// Whether the roles hold `role`, letter for letter.
    pub fn has_role(&self, role: &str) -> bool {
        self.claims().roles().any(|held| held == role)
    }

    /// Whether the scopes hold `scope`, letter for letter.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.claims().scopes().any(|held| held == scope)
    }

    /// Refuses whoever does not hold `role`, letter for letter. Roles stand at
    /// `/app_metadata/roles` unless the issuer's
    /// [`ClaimMapping`](super::claim_mapping::ClaimMapping) says otherwise; Supabase's own
    /// claim `role` is [`Claims::role`] and no role in this sense.
    ///
    /// # Errors
    /// [`AuthError::InsufficientRole`] (403) without `role`.
    pub fn require_role(&self, role: &str) -> Result<(), AuthError> {
        if self.has_role(role) {
            Ok(())
        } else {
            Err(AuthError::InsufficientRole {
                required: role.into(),
            })
        }
    }

    /// Refuses whoever lacks one of `scopes`, which stand at `/scope` unless the issuer's
    /// [`ClaimMapping`](super::claim_mapping::ClaimMapping) says otherwise.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] (403) without every one of `scopes`, which are separated by
    /// spaces.
    pub fn require_scope(&self, scopes: &str) -> Result<(), AuthError> {
        let met = scopes.split(' ').all(|scope| self.has_scope(scope));
        if met {
            Ok(())
        } else {
            Err(AuthError::InsufficientScope {
                required: scopes.into(),
            })
        }
    }

    /// Refuses a weaker sign-in than `level`, so that the frontend can ask for a second factor.
    ///
    /// # Errors
    /// [`AuthError::StepUpRequired`] (401, RFC 9470) when the assurance level is under `level`, for
    /// example `aal2`, or unknown.
    pub fn require_aal(&self, level: &'static str) -> Result<(), AuthError> {
        let rank = |level: &str| {
            level
                .strip_prefix("aal")
                .and_then(|digits| digits.parse::<u8>().ok())
        };
        let held = self.claims().aal();
        let met = match (held.and_then(rank), rank(level)) {
            (Some(held), Some(required)) => held >= required,
            // Another vocabulary than aalN has no order that bearward could know.
            _ => held == Some(level),
        };
        if met {
            Ok(())
        } else {
            Err(AuthError::StepUpRequired { required: level })
        }
    }

    /// Refuses by a rule of the team's own, for example about [`own`](Self::custom) claims.
    ///
    /// # Errors
    /// [`AuthError::RequirementNotMet`] (403) unless `met`; `required` is told to the client.
    pub fn require(&self, met: bool, required: &'static str) -> Result<(), AuthError> {
        if met {
            Ok(())
        } else {
            Err(AuthError::RequirementNotMet { required })
        }
    }
}

impl<C: Clone> Clone for Verified<C> {
    fn clone(&self) -> Self {
        Self {
            evidence: Arc::clone(&self.evidence),
            own: self.own.clone(),
        }
    }
}

impl<C> Verified<C> {
    /// A refusal of this token after its verification.
    pub fn refusal(&self, rejection: AuthError) -> AuthFailure {
        let kid = self.kid().map(SanitizedText::of);
        AuthFailure {
            error: rejection,
            issuer: Some(Arc::clone(&self.evidence.name)),
            kid,
        }
    }

    /// Which of the verifier's issuers, by position.
    pub(crate) fn place(&self) -> usize {
        self.evidence.place
    }

    /// Reads the payload of the token that this is the evidence of as `Own`.
    pub fn with_custom_claims<Own: CustomClaims>(
        self,
        token: &str,
    ) -> Result<Verified<Own>, AuthFailure> {
        match Own::from_verified(token) {
            Ok(own) => Ok(Verified {
                own,
                evidence: self.evidence,
            }),
            Err(rejection) => Err(self.refusal(rejection)),
        }
    }
}

/// Names the subject and the issuer, no other claim.
impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("subject", &self.subject())
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

/// What a route asks of a verified token, under a name of its own.
///
/// ```
/// use bearward::{AuthError, Requirement, NoCustomClaims, Verified};
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
    note = "implement `bearward::Requirement` for it, with `type Claims = Standard;` and a `check` that calls `user.require_role(\"..\")` or the like"
)]
pub trait Requirement: 'static {
    /// The claims that [`check`](Self::check) looks at; [`NoCustomClaims`] when roles, scopes and
    /// level are enough.
    type Claims: CustomClaims;

    /// Accepts or refuses.
    ///
    /// # Errors
    /// The refusal that the client gets.
    fn check(user: &Verified<Self::Claims>) -> Result<(), AuthError>;
}
