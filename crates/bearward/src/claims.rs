//! Typed claims of a verified token, and the trait for custom claim types.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use super::{
    claim_list::for_each_element,
    claim_mapping::{ClaimMapping, ROLE_SEPARATORS, SCOPE_SEPARATORS},
    clock::Timestamp,
    error::AuthError,
    json_pointer::JsonPointer,
    jws,
    strict_object::{StrictObject, parse_string},
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
    token_id: Option<StrRange>,
    tenant: Option<StrRange>,
    client_id: Option<StrRange>,
    is_machine: bool,
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
    pub(super) client_id: Option<Cow<'a, str>>,
    pub(super) token_id: Option<Cow<'a, str>>,
    pub(super) is_machine: bool,
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
        let mut arena = StringArena(String::with_capacity(256));
        Self {
            subject: arena.push(&registered.subject),
            email: arena.push_first(payload, &mapping.email),
            role: arena.push_first(payload, &mapping.role),
            roles: arena.push_union(payload, &mapping.roles, ROLE_SEPARATORS),
            scopes: arena.push_union(payload, &mapping.scopes, SCOPE_SEPARATORS),
            aal: arena.push_first(payload, &mapping.aal),
            session_id: arena.push_first(payload, &mapping.session_id),
            token_id: registered.token_id.as_deref().map(|id| arena.push(id)),
            tenant: arena.push_first(payload, &mapping.tenant),
            client_id: registered.client_id.as_deref().map(|id| arena.push(id)),
            is_machine: registered.is_machine,
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

    /// Returns the caller's identifier, unique within the issuer: `sub`, or the claim that
    /// [`Issuer::subject_from`](crate::Issuer::subject_from) selects. It has 1 to 255 bytes and no
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

    /// Returns `jti`, the identifier of the token (RFC 7519 §4.1.7).
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.map(|range| self.str(range))
    }

    /// Returns the tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.map(|range| self.str(range))
    }

    /// Returns the client that the token was issued to: the first of `client_id` (RFC 9068 §2.2),
    /// `azp` (OpenID Connect Core §2), `appid` and `cid` that is a string and not empty.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.map(|range| self.str(range))
    }

    /// Returns whether the caller is a client itself and not a user, as with the client credentials
    /// grant (RFC 6749 §4.4): the subject is the token's client id, or is read from `common_name`,
    /// which has the client id in service tokens of Cloudflare Access.
    ///
    /// # Security
    /// Not every issuer uses the client id as the subject of such tokens, so `false` does not prove
    /// that the caller is a user.
    pub fn is_machine(&self) -> bool {
        self.is_machine
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

    /// Appends the first claim that is a string and not empty.
    fn push_first(
        &mut self,
        payload: &StrictObject<'_>,
        sources: &[JsonPointer],
    ) -> Option<StrRange> {
        for source in sources {
            // A member that its object has twice must not select the next claim.
            let found = payload.resolve_unambiguous(source).ok()?;
            let text = found.and_then(parse_string);
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                return Some(self.push(&text));
            }
        }
        None
    }

    /// Appends the elements of all lists, each once if there are several lists.
    fn push_union(
        &mut self,
        payload: &StrictObject<'_>,
        sources: &[JsonPointer],
        separators: &[char],
    ) -> SmallVec<[StrRange; 2]> {
        let mut elements = SmallVec::<[StrRange; 2]>::new();
        for json in sources.iter().filter_map(|source| payload.resolve(source)) {
            // A claim of another type grants nothing; `explain` names the problem.
            let _ = for_each_element(json, separators, |element| {
                let is_known = sources.len() > 1
                    && elements.iter().any(|range| {
                        self.0.get(range.start as usize..range.end as usize) == Some(element)
                    });
                if !is_known {
                    elements.push(self.push(element));
                }
            });
        }
        elements
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
        serde_json::from_slice(&jws::decode_payload(token)?).map_err(|error| {
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
