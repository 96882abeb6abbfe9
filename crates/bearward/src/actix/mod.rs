//! The actix-web integration: extractors, the guard, and error responses.

mod bearer;
mod challenge;
mod early;
mod error_body;
mod extract;
mod guard;
mod json_members;
mod methods;
mod principal;
mod request_id;
mod require;

pub use self::{
    bearer::parse_authorization,
    challenge::{AuthRejection, RejectionLog, invalid_token_challenge},
    error_body::ErrorBody,
    extract::{ExtractFuture, ScopeAuthentication, reject},
    guard::{Guard, GuardService},
    json_members::JsonMembers,
    methods::{allow_methods, get_or_head},
    principal::{MaybePrincipal, Principal},
    request_id::RequestId,
    require::Require,
};
