//! Which `typ` headers an issuer's tokens may have.

use std::{borrow::Cow, sync::Arc};

use super::IssuerError;
use crate::text::is_token_char;

/// Which `typ` headers are accepted (RFC 8725 §3.11). `logout+jwt` and `dpop+jwt` never are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TypRule {
    /// Accepts no `typ`, `JWT` and `at+jwt`, in any case, with or without `application/`.
    #[default]
    Jwt,
    /// Accepts `at+jwt` only, and requires the claims of RFC 9068 §2.2: `aud`, `client_id`, `iat`,
    /// `jti`.
    AtJwt,
    /// Accepts these media types, in any case, with or without `application/`. Created by
    /// [`one_of`](Self::one_of).
    OneOf(Arc<[Box<str>]>),
}

/// The types of tokens that are not access tokens (OpenID Connect Back-Channel Logout §2.4, RFC
/// 9449 §4.2).
const NEVER_ACCESS_TOKENS: [&str; 2] = ["logout+jwt", "dpop+jwt"];

impl TypRule {
    /// Accepts a list of media types. `jwt` in the list also accepts what [`TypRule::Jwt`] accepts:
    /// no `typ`, and `at+jwt`.
    ///
    /// ```
    /// use bearward::{Issuer, TypRule};
    ///
    /// # fn main() -> Result<(), bearward::IssuerError> {
    /// let okta = Issuer::new("https://example.okta.com/oauth2/default", "api")?
    ///     .token_type(TypRule::one_of(["application/okta-internal-at+jwt"])?);
    /// assert!(TypRule::one_of(["logout+jwt"]).is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`IssuerError::MediaType`] if the list is empty, or if an element is not a media type,
    /// `logout+jwt` or `dpop+jwt`.
    ///
    /// # Security
    /// The claims of RFC 9068 are not required: use [`TypRule::AtJwt`] for that.
    pub fn one_of(
        media_types: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, IssuerError> {
        let media_types = media_types
            .into_iter()
            .map(|media_type| {
                let text = without_application(media_type.as_ref());
                let is_valid = !text.is_empty()
                    && text.bytes().all(|byte| byte == b'/' || is_token_char(byte))
                    && !NEVER_ACCESS_TOKENS
                        .iter()
                        .any(|never| text.eq_ignore_ascii_case(never));
                if is_valid {
                    Ok(text.into())
                } else {
                    Err(IssuerError::MediaType(media_type.as_ref().into()))
                }
            })
            .collect::<Result<Arc<[Box<str>]>, _>>()?;
        if media_types.is_empty() {
            return Err(IssuerError::MediaType(Box::default()));
        }
        Ok(Self::OneOf(media_types))
    }

    /// Returns whether a `typ` is accepted.
    pub(crate) fn accepts(&self, typ: Option<&str>) -> bool {
        let typ = typ.map(without_application);
        let is = |accepted: &str| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(accepted));
        let is_jwt = || typ.is_none() || is("jwt") || is("at+jwt");
        !NEVER_ACCESS_TOKENS.iter().any(|never| is(never))
            && match self {
                Self::Jwt => is_jwt(),
                Self::AtJwt => is("at+jwt"),
                Self::OneOf(media_types) => media_types.iter().any(|accepted| {
                    is(accepted) || (accepted.eq_ignore_ascii_case("jwt") && is_jwt())
                }),
            }
    }

    /// Describes the accepted types.
    pub(crate) fn describe(&self) -> Cow<'static, str> {
        const JWT: &str = "absent, JWT or at+jwt";
        match self {
            Self::Jwt => JWT.into(),
            Self::AtJwt => "at+jwt".into(),
            Self::OneOf(media_types) => media_types
                .iter()
                .map(|accepted| {
                    if accepted.eq_ignore_ascii_case("jwt") {
                        JWT
                    } else {
                        accepted
                    }
                })
                .collect::<Vec<_>>()
                .join(" or ")
                .into(),
        }
    }
}

/// Removes the prefix that may be omitted (RFC 7515 §4.1.9).
pub(crate) fn without_application(typ: &str) -> &str {
    match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    }
}
