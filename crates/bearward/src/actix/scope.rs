//! What the guard of a scope leaves for the extractors inside the scope.

use std::rc::Rc;

use actix_web::{HttpMessage, HttpRequest};

use super::extract::Identity;
use crate::bearward::Bearward;

/// The authentication of a request by the guard of its scope, in the request's extensions.
///
/// Extractors use it instead of the request's headers, because a middleware inside the scope may
/// replace the `Authorization` header by one that was not verified.
#[derive(Clone)]
pub(super) struct ScopeAuthentication {
    /// The guard's verifier.
    pub(super) auth: Rc<Bearward>,
    pub(super) outcome: ScopeOutcome,
}

/// The result of a guard that let a request pass.
#[derive(Clone)]
pub(super) enum ScopeOutcome {
    /// The token or service key was verified.
    Verified(Identity),
    /// There is no token, and the guard is optional.
    Anonymous,
    /// The path is excepted, so the guard has not looked for a token.
    Excepted,
}

impl ScopeAuthentication {
    /// Returns the authentication of a request; `None` if it has passed no guard.
    pub(super) fn from_request(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}
