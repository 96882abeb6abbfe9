//! What a transaction uses of the request besides the verified claims.

use std::fmt;

use actix_web::{
    HttpRequest,
    http::{Method, Uri},
};

/// The method and the path of a request. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RequestContext {
    method: Method,
    uri: Uri,
}

impl RequestContext {
    pub(crate) fn new(request: &HttpRequest) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }

    pub(super) fn method(&self) -> &str {
        self.method.as_str()
    }

    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }
}

/// Prints nothing of the request.
impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestContext")
    }
}
