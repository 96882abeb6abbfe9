//! The actix-web integration: extractors, the guard, and error responses.

mod async_requirement;
mod caller;
mod credential;
mod dpop_nonce;
mod early;
mod extract;
mod guard;
mod metadata;
mod methods;
mod principal;
mod rejection;
mod require;
mod scope;
mod service;

pub use self::{
    async_requirement::{AsyncRequirement, RequireAsync},
    caller::Caller,
    credential::OriginalRequest,
    dpop_nonce::renew_dpop_nonce,
    extract::ExtractFuture,
    guard::{Guard, GuardService},
    methods::{allow_methods, get_or_head},
    principal::{MaybePrincipal, Principal},
    rejection::{AuthRejection, RejectionLog},
    require::Require,
};
