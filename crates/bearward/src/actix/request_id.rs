//! The id under which a request is found again in every log that it passed through.

use std::{fmt, sync::Arc};

use actix_web::{HttpMessage, HttpRequest};

/// Lives in the request's extensions, and goes back in the [`HEADER`](Self::HEADER) and in the
/// error envelope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Where an inbound id is read and the effective one is echoed.
    pub const HEADER: &str = "x-request-id";

    /// Takes an id that came from outside: 1 to 64 of letters, digits, `.`, `_` and `-`. None for
    /// anything else, because the id is written to logs and headers.
    pub fn accept(inbound: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let well_formed = (1..=64).contains(&inbound.len()) && inbound.bytes().all(fits);
        well_formed.then(|| Self(inbound.into()))
    }

    /// The id of a request, once the telemetry has given it one.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// The id's text, safe in a header and in a log.
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
    fn an_inbound_id_is_1_to_64_plain_characters() {
        for id in [
            "a",
            "0198f3a2-7c1e-7abc-8def-0123456789ab",
            "A.b_c-1",
            &"x".repeat(64),
        ] {
            assert_eq!(
                RequestId::accept(id).as_ref().map(RequestId::as_str),
                Some(id)
            );
        }
        for id in ["", "a b", "a\nb", "a;b", "ä", "<x>", &"x".repeat(65)] {
            assert_eq!(RequestId::accept(id), None, "{id:?}");
        }
    }
}
