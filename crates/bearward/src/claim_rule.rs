//! Rules on the values of claims: what an issuer's tokens must say, beyond the registered claims.

use std::{fmt, sync::Arc};

use serde_json::value::RawValue;

use super::{
    error::AuthError,
    json_pointer::{JsonPointer, JsonPointerError},
    jws,
    strict_object::{StrictObject, parse_string},
    verified::Verified,
};

/// The value that a claim must have. See [`Issuer::require_claim`](crate::Issuer::require_claim).
///
/// ```
/// use bearward::ClaimValue;
///
/// assert_eq!(ClaimValue::from("access"), ClaimValue::Text("access".to_owned()));
/// assert_eq!(ClaimValue::from(["a", "b"]), ClaimValue::AnyOf(vec!["a".into(), "b".into()]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimValue {
    /// A string; with a trailing `*`, a string that begins with the text before it.
    Text(String),
    /// `true` or `false`. The string `"true"` is another value.
    Boolean(bool),
    /// A whole number. The string `"1"` and the number `1.0` are other values.
    Integer(i64),
    /// At least one of several values.
    AnyOf(Vec<ClaimValue>),
}

impl From<&str> for ClaimValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ClaimValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for ClaimValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<V: Into<ClaimValue>> From<Vec<V>> for ClaimValue {
    fn from(values: Vec<V>) -> Self {
        Self::AnyOf(values.into_iter().map(Into::into).collect())
    }
}

impl<V: Into<ClaimValue>, const N: usize> From<[V; N]> for ClaimValue {
    fn from(values: [V; N]) -> Self {
        Self::AnyOf(values.into_iter().map(Into::into).collect())
    }
}

/// The reason why a rule on a claim's value is invalid.
///
/// `Debug` prints the message too, because a `main` that returns an error prints its `Debug` form.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimRuleError {
    /// The claim is neither a name nor a JSON pointer.
    #[error(transparent)]
    Pointer(#[from] JsonPointerError),
    /// There is no value, so no token would be accepted.
    #[error("the list of values is empty")]
    NoValue,
    /// A value is empty, or is only `*`.
    #[error("a required value is not empty; require only the presence of the claim otherwise")]
    EmptyValue,
    /// `*` is not the last character.
    #[error("\"*\" is accepted only as the last character, where it matches any text")]
    Wildcard,
    /// A list contains a list.
    #[error("a list of values contains no lists")]
    Nested,
}

impl fmt::Debug for ClaimRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A claim and the values of which it must have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim as it was configured.
    claim: Box<str>,
    pointer: JsonPointer,
    accepted: Box<[Pattern]>,
    /// The accepted values in words.
    description: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Text(Box<str>),
    Prefix(Box<str>),
    Boolean(bool),
    Integer(i64),
}

impl ClaimRule {
    /// Compiles a rule. `claim` is the name of a top-level claim, or a JSON pointer.
    ///
    /// # Errors
    /// [`ClaimRuleError`]
    pub fn new(claim: &str, value: impl Into<ClaimValue>) -> Result<Self, ClaimRuleError> {
        let accepted = match value.into() {
            ClaimValue::AnyOf(values) => values
                .into_iter()
                .map(Pattern::new)
                .collect::<Result<Box<[_]>, _>>()?,
            value => Box::new([Pattern::new(value)?]),
        };
        if accepted.is_empty() {
            return Err(ClaimRuleError::NoValue);
        }
        Ok(Self {
            claim: claim.into(),
            pointer: JsonPointer::from_pointer_or_name(claim)?,
            description: describe(&accepted).into(),
            accepted,
        })
    }

    /// Checks the claim in the payload of a token.
    ///
    /// # Errors
    /// [`AuthError::UnexpectedClaim`] if it is absent or has another value.
    pub(crate) fn check(&self, payload: &StrictObject<'_>) -> Result<(), AuthError> {
        let found = payload.resolve(&self.pointer);
        if found.is_some_and(|json| self.is_met_by(json)) {
            Ok(())
        } else {
            Err(AuthError::UnexpectedClaim {
                name: self.claim.clone(),
                expected: Arc::clone(&self.description),
            })
        }
    }

    /// Checks the claim of a verified token.
    pub(crate) fn check_verified<C>(&self, user: &Verified<C>) -> Result<(), AuthError> {
        let payload = jws::decode_payload(user.token())?;
        let payload = StrictObject::parse(&payload).map_err(AuthError::Payload)?;
        self.check(&payload)
    }

    /// Returns the claim as it was configured.
    pub(crate) fn claim(&self) -> &str {
        &self.claim
    }

    /// An array meets the rule if one of its elements does.
    fn is_met_by(&self, json: &str) -> bool {
        if json.starts_with('[') {
            serde_json::from_str::<Vec<&RawValue>>(json).is_ok_and(|elements| {
                elements
                    .iter()
                    .any(|element| self.is_met_by_scalar(element.get()))
            })
        } else {
            self.is_met_by_scalar(json)
        }
    }

    fn is_met_by_scalar(&self, json: &str) -> bool {
        match json.as_bytes().first() {
            Some(b'"') => parse_string(json).is_some_and(|text| {
                self.accepted.iter().any(|accepted| match accepted {
                    Pattern::Text(expected) => **expected == *text,
                    Pattern::Prefix(prefix) => text.starts_with(&**prefix),
                    Pattern::Boolean(_) | Pattern::Integer(_) => false,
                })
            }),
            Some(b't') => self.accepted.contains(&Pattern::Boolean(true)),
            Some(b'f') => self.accepted.contains(&Pattern::Boolean(false)),
            Some(b'-' | b'0'..=b'9') => json
                .parse()
                .is_ok_and(|number| self.accepted.contains(&Pattern::Integer(number))),
            _ => false,
        }
    }
}

/// `claim must be value`, for reports.
impl fmt::Display for ClaimRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.claim, self.description)
    }
}

impl Pattern {
    fn new(value: ClaimValue) -> Result<Self, ClaimRuleError> {
        Ok(match value {
            ClaimValue::Text(text) => match text.strip_suffix('*') {
                Some(prefix) => Self::Prefix(literal(prefix)?),
                None => Self::Text(literal(&text)?),
            },
            ClaimValue::Boolean(value) => Self::Boolean(value),
            ClaimValue::Integer(value) => Self::Integer(value),
            ClaimValue::AnyOf(_) => return Err(ClaimRuleError::Nested),
        })
    }
}

fn literal(text: &str) -> Result<Box<str>, ClaimRuleError> {
    if text.is_empty() {
        Err(ClaimRuleError::EmptyValue)
    } else if text.contains('*') {
        Err(ClaimRuleError::Wildcard)
    } else {
        Ok(text.into())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Prefix(prefix) => write!(f, "{:?}", format!("{prefix}*")),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
        }
    }
}

fn describe(accepted: &[Pattern]) -> String {
    accepted
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_rules_are_errors() {
        let error = |value: ClaimValue| ClaimRule::new("claim", value).unwrap_err();
        assert_eq!(error("".into()), ClaimRuleError::EmptyValue);
        assert_eq!(error("*".into()), ClaimRuleError::EmptyValue);
        assert_eq!(error("a*b".into()), ClaimRuleError::Wildcard);
        assert_eq!(error("a**".into()), ClaimRuleError::Wildcard);
        assert_eq!(error(ClaimValue::AnyOf(vec![])), ClaimRuleError::NoValue);
        assert_eq!(error(vec![vec!["a"]].into()), ClaimRuleError::Nested);
        assert_eq!(
            ClaimRule::new("", "a").unwrap_err(),
            JsonPointerError::NoClaim.into()
        );
    }

    #[test]
    fn rules_are_described_as_they_are_written() {
        let rule = ClaimRule::new("sub", ["repo:octo/*", "x"]).unwrap();
        assert_eq!(rule.to_string(), r#"sub "repo:octo/*" or "x""#);
        let values = vec![ClaimValue::from(true), ClaimValue::from(7)];
        let rule = ClaimRule::new("/a/b", values).unwrap();
        assert_eq!(rule.to_string(), "/a/b true or 7");
    }
}
