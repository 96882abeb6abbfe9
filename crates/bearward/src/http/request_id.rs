//! The request id, which connects a response with the logs of all services that the request passed.

use std::{fmt, sync::Arc};

/// The id of a request: 1 to 64 letters, digits, `.`, `_` or `-`.
///
/// A middleware stores it in the request's extensions. It is sent back in the
/// [`HEADER`](Self::HEADER) and in the [`ErrorBody`](crate::ErrorBody).
///
/// ```
/// use bearward::RequestId;
///
/// let id = RequestId::parse("0198f3a2-7c1e").unwrap();
/// assert_eq!(id.as_str(), "0198f3a2-7c1e");
/// assert!(RequestId::parse("two words").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The request and response header.
    pub const HEADER: &str = "x-request-id";

    const MAX_BYTES: usize = 64;

    /// Parses an id from a client. Returns `None` if it has another form, because the id is written
    /// to logs and headers.
    pub fn parse(id: &str) -> Option<Self> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let is_valid = (1..=Self::MAX_BYTES).contains(&id.len()) && id.bytes().all(is_allowed);
        is_valid.then(|| Self(id.into()))
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_1_to_64_plain_characters() {
        for id in [
            "a",
            "0198f3a2-7c1e-7abc-8def-0123456789ab",
            "A.b_c-1",
            &"x".repeat(64),
        ] {
            assert_eq!(
                RequestId::parse(id).as_ref().map(RequestId::as_str),
                Some(id)
            );
        }
        for id in ["", "a b", "a\nb", "a;b", "ä", "<x>", &"x".repeat(65)] {
            assert_eq!(RequestId::parse(id), None, "{id:?}");
        }
    }
}
