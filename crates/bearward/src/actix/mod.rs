//! The actix-web integration: extractors, the guard, and error responses.

mod bearer;
mod challenge;
mod error_body;
mod extract;
mod guard;
mod principal;
mod request_id;
mod require;

pub use self::{
    bearer::parse_authorization,
    challenge::{AuthRejection, RejectionLog, invalid_token_challenge},
    error_body::ErrorBody,
    extract::{ExtractFuture, ScopeAuthentication, reject},
    guard::{Guard, GuardService},
    principal::{MaybePrincipal, Principal},
    request_id::RequestId,
    require::Require,
};
