//! What a transaction uses of the request besides the verified claims.

use std::{fmt, sync::Arc};

use actix_web::HttpRequest;

use crate::jws;

/// The payload of the request's verified token, the method and the path. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RequestContext(Arc<Parts>);

struct Parts {
    /// Encoded as in the token; `None` if the request has no token.
    payload: Option<Box<str>>,
    method: Box<str>,
    path: Box<str>,
}

impl RequestContext {
    /// Captures the parts of a request. `token` must have been verified.
    pub(crate) fn new(request: &HttpRequest, token: Option<&str>) -> Self {
        let payload = token
            .and_then(|token| jws::split(token).ok())
            .map(|[_, payload, _]| payload.into());
        Self(Arc::new(Parts {
            payload,
            method: request.method().as_str().into(),
            path: request.path().into(),
        }))
    }

    /// Returns the payload of the token, in base64url.
    pub(super) fn payload(&self) -> Option<&str> {
        self.0.payload.as_deref()
    }

    pub(super) fn method(&self) -> &str {
        &self.0.method
    }

    pub(super) fn path(&self) -> &str {
        &self.0.path
    }
}

/// Prints no claim.
impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestContext")
    }
}
