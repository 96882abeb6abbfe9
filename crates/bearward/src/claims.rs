//! Typed claims of a verified token, and the trait for custom claim types.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use super::{
    claim_lookup::ClaimLookup,
    claim_mapping::ClaimMapping,
    clock::Timestamp,
    error::AuthError,
    jws,
    strict_object::{StrictObject, parse_string, parse_string_array},
};

/// The registered and mapped claims of a verified token (RFC 7519 §4.1, RFC 9068 §2.2).
///
/// Roles, scopes, tenant and the other mapped claims are read as the issuer's [`ClaimMapping`]
/// says. A mapped claim with an unexpected type counts as absent, so it grants nothing.
///
/// ```
/// use bearward::Verified;
///
/// fn may_edit(user: &Verified) -> bool {
///     let claims = user.claims();
///     claims.tenant() == Some("acme") && claims.roles().any(|role| role == "editor")
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The strings of all claims below, concatenated: one allocation for each cached token.
    text: Box<str>,
    subject: StrRange,
    email: Option<StrRange>,
    role: Option<StrRange>,
    roles: SmallVec<[StrRange; 2]>,
    scopes: SmallVec<[StrRange; 2]>,
    aal: Option<StrRange>,
    session_id: Option<StrRange>,
    tenant: Option<StrRange>,
    expires_at: Timestamp,
    not_before: Option<Timestamp>,
    issued_at: Option<Timestamp>,
}

/// A range of bytes in [`Claims::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StrRange {
    start: u32,
    end: u32,
}

/// The registered claims of a token that is being validated.
pub(super) struct RegisteredClaims<'a> {
    pub(super) subject: Cow<'a, str>,
    pub(super) expires_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) issued_at: Option<Timestamp>,
}

impl Claims {
    /// Collects the registered claims and the claims that the mapping points to.
    pub(super) fn from_payload(
        payload: &StrictObject<'_>,
        mapping: &ClaimMapping,
        registered: &RegisteredClaims<'_>,
    ) -> Self {
        let mut lookup = ClaimLookup::new(payload);
        let mut arena = StringArena(String::with_capacity(256));
        Self {
            subject: arena.push(&registered.subject),
            email: arena.push_string(lookup.resolve(&mapping.email)),
            role: arena.push_string(lookup.resolve(&mapping.role)),
            roles: arena.push_list(lookup.resolve(&mapping.roles), None),
            scopes: arena.push_list(lookup.resolve(&mapping.scopes), Some(' ')),
            aal: arena.push_string(lookup.resolve(&mapping.aal)),
            session_id: arena.push_string(lookup.resolve(&mapping.session_id)),
            tenant: arena.push_string(lookup.resolve(&mapping.tenant)),
            expires_at: registered.expires_at,
            not_before: registered.not_before,
            issued_at: registered.issued_at,
            text: arena.0.into(),
        }
    }

    fn str(&self, range: StrRange) -> &str {
        // A range covers a whole string that was appended, so it is within bounds and starts and
        // ends on a character boundary.
        self.text
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    /// Returns `sub`: the user's identifier, unique within the issuer. It has 1 to 255 bytes and no
    /// control characters.
    pub fn subject(&self) -> &str {
        self.str(self.subject)
    }

    /// Returns the email address; `None` if it is absent or empty.
    ///
    /// # Security
    /// An address can be unverified, can change and can be reassigned. Identify users by issuer and
    /// [`subject`](Self::subject).
    pub fn email(&self) -> Option<&str> {
        self.email.map(|range| self.str(range))
    }

    /// Returns the `role` claim, with Supabase the database role `authenticated`. Authorization
    /// checks use [`roles`](Self::roles) instead.
    pub fn role(&self) -> Option<&str> {
        self.role.map(|range| self.str(range))
    }

    /// Returns the application roles.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &str> {
        self.roles.iter().map(|range| self.str(*range))
    }

    /// Returns the scopes (RFC 8693 §4.2: one space-separated string; an array is accepted too).
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(|range| self.str(*range))
    }

    /// Returns the authenticator assurance level, for example `aal1`, `aal2` or `aal3`.
    pub fn aal(&self) -> Option<&str> {
        self.aal.map(|range| self.str(range))
    }

    /// Returns the identifier of the session that the token belongs to.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.map(|range| self.str(range))
    }

    /// Returns the tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.map(|range| self.str(range))
    }

    /// Returns `exp`, without the leeway.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns `nbf`.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// Returns `iat`.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }
}

/// Concatenates strings and returns their ranges.
struct StringArena(String);

impl StringArena {
    fn push(&mut self, text: &str) -> StrRange {
        let offset = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let start = offset(self.0.len());
        self.0.push_str(text);
        StrRange {
            start,
            end: offset(self.0.len()),
        }
    }

    /// Appends a JSON string unless it is empty.
    fn push_string(&mut self, json: Option<&str>) -> Option<StrRange> {
        let text = json
            .and_then(parse_string)
            .filter(|text| !text.is_empty())?;
        Some(self.push(&text))
    }

    /// Appends a JSON string, split at the separator if there is one, or the strings of an array.
    fn push_list(
        &mut self,
        json: Option<&str>,
        separator: Option<char>,
    ) -> SmallVec<[StrRange; 2]> {
        let Some(json) = json else {
            return SmallVec::new();
        };
        match (parse_string(json), separator) {
            (Some(list), Some(separator)) => list
                .split(separator)
                .filter(|element| !element.is_empty())
                .map(|element| self.push(element))
                .collect(),
            (Some(element), None) => smallvec::smallvec![self.push(&element)],
            (None, _) => parse_string_array(json)
                .unwrap_or_default()
                .iter()
                .map(|element| self.push(element))
                .collect(),
        }
    }
}

/// A type that the payload of a verified token can be deserialized into.
///
/// It is implemented for [`NoCustomClaims`] and for every type that implements
/// [`serde::Deserialize`] and owns its data. A payload that does not match is rejected with
/// [`AuthError::CustomClaimsMismatch`] (401); the log names the missing field at level `debug`.
///
/// ```
/// use bearward::{AuthError, Requirement, Verified};
///
/// #[derive(serde::Deserialize)]
/// struct Plan {
///     plan: String,
/// }
///
/// /// Customers with the plan "pro".
/// struct Pro;
///
/// impl Requirement for Pro {
///     type Claims = Plan;
///     fn check(user: &Verified<Plan>) -> Result<(), AuthError> {
///         user.require_that(user.custom().plan == "pro", "the plan \"pro\"")
///     }
/// }
/// ```
///
/// # Security
/// The type is checked by serde only. Members that the type does not name are ignored, and no value
/// is checked beyond its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a token's claims",
    label = "not a claims type",
    note = "derive `serde::Deserialize` for it: `#[derive(serde::Deserialize)] struct MyClaims {{ .. }}`; it must own its data (`String`, not `&str`)",
    note = "a role, scope or assurance level that a route requires is not a claims type: use `bearward::Require<Admin>`"
)]
pub trait CustomClaims: Sized + 'static {
    /// Deserializes the payload of a token that has been verified.
    #[doc(hidden)]
    fn from_verified(token: &str) -> Result<Self, AuthError>;
}

/// No custom claims: nothing beyond [`Claims`] is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoCustomClaims;

impl CustomClaims for NoCustomClaims {
    fn from_verified(_token: &str) -> Result<Self, AuthError> {
        Ok(Self)
    }
}

// Without this attribute, the compiler shows serde's diagnostic for a type without `Deserialize`
// instead of the one of this trait.
#[diagnostic::do_not_recommend]
impl<C: DeserializeOwned + 'static> CustomClaims for C {
    fn from_verified(token: &str) -> Result<Self, AuthError> {
        let [_, payload, _] = jws::split(token).map_err(AuthError::Format)?;
        serde_json::from_slice(&jws::decode_base64url(payload)?).map_err(|error| {
            // Only the parts of serde's message that come from the type are logged: the rest may
            // contain a claim's value.
            let text = error.to_string();
            let missing = text
                .strip_prefix("missing field ")
                .and_then(|rest| rest.split(' ').next());
            let column = error.column();
            tracing::debug!(
                missing,
                column,
                "the payload of a verified token does not match {}",
                std::any::type_name::<C>()
            );
            AuthError::CustomClaimsMismatch
        })
    }
}
