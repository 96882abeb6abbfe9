//! The claims that bearward understands, typed; and the door for a team's own.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use smallvec::SmallVec;

use super::{
    claim_lookup::ClaimLookup,
    claim_mapping::ClaimMapping,
    clock::Timestamp,
    error::AuthError,
    jws,
    strict_object::{StrictObject, string, strings},
};

/// The registered and mapped claims of a verified token (RFC 7519 §4.1, RFC 9068 §2.2).
///
/// Roles, scopes, tenant and the rest come from where the issuer's [`ClaimMapping`] points. A
/// mapped claim of another type than expected counts as absent: it grants nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Every text of the claims below, one after the other: one allocation for a token that may be
    /// cached ten thousand times.
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

/// A piece of [`Claims::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StrRange {
    start: u32,
    end: u32,
}

/// The claims of one token while they are judged.
pub(super) struct RegisteredClaims<'a> {
    pub(super) subject: Cow<'a, str>,
    pub(super) expires_at: Timestamp,
    pub(super) not_before: Option<Timestamp>,
    pub(super) issued_at: Option<Timestamp>,
}

impl Claims {
    /// Takes the mapped claims from where the profile says that they are.
    pub(super) fn mapped(
        payload: &StrictObject<'_>,
        map: &ClaimMapping,
        judged: &RegisteredClaims<'_>,
    ) -> Self {
        let mut places = ClaimLookup::of(payload);
        let mut texts = StringArena(String::with_capacity(256));
        Self {
            subject: texts.push(&judged.subject),
            email: texts.text(places.find(&map.email)),
            role: texts.text(places.find(&map.role)),
            roles: texts.list(places.find(&map.roles), None),
            scopes: texts.list(places.find(&map.scopes), Some(' ')),
            aal: texts.text(places.find(&map.aal)),
            session_id: texts.text(places.find(&map.session_id)),
            tenant: texts.text(places.find(&map.tenant)),
            expires_at: judged.expires_at,
            not_before: judged.not_before,
            issued_at: judged.issued_at,
            text: texts.0.into(),
        }
    }

    fn at(&self, span: StrRange) -> &str {
        // Spans are cut where whole texts were appended: always within, always between characters.
        self.text
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// `sub`: who this is, unique within the issuer. 1 to 255 bytes, no control characters.
    pub fn subject(&self) -> &str {
        self.at(self.subject)
    }

    /// The e-mail address, when it is a string that is not empty. It identifies nobody: use the
    /// subject.
    pub fn email(&self) -> Option<&str> {
        self.email.map(|span| self.at(span))
    }

    /// The single role claim: with Supabase the database role, `authenticated`. Authorise on
    /// [`roles`](Self::roles).
    pub fn role(&self) -> Option<&str> {
        self.role.map(|span| self.at(span))
    }

    /// The application roles.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &str> {
        self.roles.iter().map(|span| self.at(*span))
    }

    /// The scopes (RFC 8693 §4.2: one string, separated by spaces; an array is accepted too).
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(|span| self.at(*span))
    }

    /// The authenticator assurance level, `aal1`, `aal2` or `aal3`.
    pub fn aal(&self) -> Option<&str> {
        self.aal.map(|span| self.at(span))
    }

    /// The session that the token belongs to.
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.map(|span| self.at(span))
    }

    /// The tenant.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.map(|span| self.at(span))
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

/// Texts, one after the other.
struct StringArena(String);

impl StringArena {
    fn push(&mut self, text: &str) -> StrRange {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let start = place(self.0.len());
        self.0.push_str(text);
        StrRange {
            start,
            end: place(self.0.len()),
        }
    }

    /// A string that is not empty.
    fn text(&mut self, json: Option<&str>) -> Option<StrRange> {
        let text = json.and_then(string).filter(|text| !text.is_empty())?;
        Some(self.push(&text))
    }

    /// A string, which a separator may divide, or an array of strings.
    fn list(&mut self, json: Option<&str>, separator: Option<char>) -> SmallVec<[StrRange; 2]> {
        let Some(json) = json else {
            return SmallVec::new();
        };
        match (string(json), separator) {
            (Some(words), Some(separator)) => words
                .split(separator)
                .filter(|word| !word.is_empty())
                .map(|word| self.push(word))
                .collect(),
            (Some(word), None) => smallvec::smallvec![self.push(&word)],
            (None, _) => strings(json)
                .unwrap_or_default()
                .iter()
                .map(|word| self.push(word))
                .collect(),
        }
    }
}

/// A type that a verified token's payload can become: [`NoCustomClaims`], or any type that serde
/// can deserialize.
///
/// # Errors
/// A payload that does not fit is a refusal ([`AuthError::CustomClaimsMismatch`]), not a server
/// error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a token's claims",
    label = "not a claims type",
    note = "derive `serde::Deserialize` for it: `#[derive(serde::Deserialize)] struct MyClaims {{ .. }}`; it must own its data (`String`, not `&str`)",
    note = "a role, a scope or a level that a route asks for is not a claims type: that is `bearward::Require<Admin>`"
)]
pub trait CustomClaims: Sized + 'static {
    /// Reads the payload of a token whose signature and claims have already been judged.
    #[doc(hidden)]
    fn from_verified(token: &str) -> Result<Self, AuthError>;
}

/// No claims of one's own: what [`Claims`] offers is enough, and nothing more is parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoCustomClaims;

impl CustomClaims for NoCustomClaims {
    fn from_verified(_token: &str) -> Result<Self, AuthError> {
        Ok(Self)
    }
}

// Without this line a type that lacks `Deserialize` is answered with serde's advice instead of the
// trait's own.
#[diagnostic::do_not_recommend]
impl<C: DeserializeOwned + 'static> CustomClaims for C {
    fn from_verified(token: &str) -> Result<Self, AuthError> {
        let [_, payload, _] = jws::parts(token).map_err(AuthError::Form)?;
        serde_json::from_slice(&jws::decode(payload)?).map_err(|error| {
            // Of serde's text only what comes from the type: the rest may quote a claim's value.
            let text = error.to_string();
            let missing = text
                .strip_prefix("missing field ")
                .and_then(|rest| rest.split(' ').next());
            let column = error.column();
            tracing::debug!(
                missing,
                column,
                "a verified token's payload does not fit {}",
                std::any::type_name::<C>()
            );
            AuthError::CustomClaimsMismatch
        })
    }
}
