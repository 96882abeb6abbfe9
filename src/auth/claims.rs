//! The claims that bearward understands, typed; and the door for a team's own.

use serde::de::DeserializeOwned;

use super::{clock::Timestamp, error::Rejection, jws};

/// The registered and mapped claims of a verified token (RFC 7519 §4.1, RFC 9068 §2.2).
///
/// Roles, scopes, tenant and the rest come from where the issuer's [`ClaimMap`](super::issuer::ClaimMap) points. A mapped claim of another
/// type than expected counts as absent: it grants nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub(crate) subject: Box<str>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) role: Option<Box<str>>,
    pub(crate) roles: Box<[Box<str>]>,
    pub(crate) scopes: Box<[Box<str>]>,
    pub(crate) aal: Option<Box<str>>,
    pub(crate) session_id: Option<Box<str>>,
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) expires_at: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) issued_at: Option<Timestamp>,
}

impl Claims {
    /// `sub`: who this is, unique within the issuer. 1 to 255 bytes, no control characters.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The e-mail address, when it is a string that is not empty. It identifies nobody: use the subject.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// The single role claim: with Supabase the database role, `authenticated`. Authorise on [`roles`](Self::roles).
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// The application roles.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &str> {
        self.roles.iter().map(AsRef::as_ref)
    }

    /// The scopes (RFC 8693 §4.2: one string, separated by spaces; an array is accepted too).
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(AsRef::as_ref)
    }

    /// The authenticator assurance level, `aal1`, `aal2` or `aal3`.
    pub fn aal(&self) -> Option<&str> {
        self.aal.as_deref()
    }

    /// The session that the token belongs to.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// The tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// `exp`, without the leeway.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// `nbf`.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// `iat`.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }
}

/// A type that a verified token's payload can become: [`Standard`], or any type that serde can deserialize.
///
/// # Errors
/// A payload that does not fit is a refusal ([`Rejection::UnfitClaims`]), not a server error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a token's claims",
    label = "not a claims type",
    note = "derive `serde::Deserialize` for it: `#[derive(serde::Deserialize)] struct MyClaims {{ .. }}`; it must own its data (`String`, not `&str`)",
    note = "a role, a scope or a level that a route asks for is not a claims type: that is `bearward::Require<Admin>`"
)]
pub trait OwnClaims: Sized + 'static {
    /// Reads the payload of a token whose signature and claims have already been judged.
    #[doc(hidden)]
    fn from_verified(token: &str) -> Result<Self, Rejection>;
}

/// No claims of one's own: what [`Claims`] offers is enough, and nothing more is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standard;

impl OwnClaims for Standard {
    fn from_verified(_token: &str) -> Result<Self, Rejection> {
        Ok(Self)
    }
}

// Without this line a type that lacks `Deserialize` is answered with serde's advice instead of the trait's own.
#[diagnostic::do_not_recommend]
impl<C: DeserializeOwned + 'static> OwnClaims for C {
    fn from_verified(token: &str) -> Result<Self, Rejection> {
        let [_, payload, _] = jws::parts(token).map_err(Rejection::Form)?;
        serde_json::from_slice(&jws::decode(payload)?).map_err(|error| {
            // Of serde's text only what comes from the type: the rest may quote a claim's value.
            let text = error.to_string();
            let missing = text.strip_prefix("missing field ").and_then(|rest| rest.split(' ').next());
            let column = error.column();
            tracing::debug!(missing, column, "a verified token's payload does not fit {}", std::any::type_name::<C>());
            Rejection::UnfitClaims
        })
    }
}
