//! actix-web: where the token is, who it makes of a request, and what a refusal looks like on the
//! wire.
//!
//! | a handler's parameter | the route serves | without a token | with a bad one |
//! |---|---|---|---|
//! | none of these | everybody | 200 | 200: nobody looks at it |
//! | [`MaybePrincipal`] | everybody, and knows who says who they are | 200 | 401 |
//! | [`Principal`] | everybody with a token | 401 | 401 |
//! | [`Require<R>`](Require) | everybody who meets `R` | 401 | 401; 403 for a good one that does not meet `R` |
//!
//! Each finds its [`Bearward`](crate::Bearward) in the `app_data` of the `App` or the scope.
//! [`Bearward::require`](crate::Bearward::require) makes a guard for a whole scope instead.

#[doc(hidden)]
pub mod bearer;
pub mod challenge;
pub mod error_body;
mod extract;
pub mod guard;
pub mod principal;
pub mod request_id;

#[doc(hidden)]
pub use self::extract::{ScopeAuthentication, refuse};
pub use self::{
    challenge::{AuthRejection, RejectionLog},
    error_body::ErrorBody,
    extract::ExtractFuture,
    guard::Guard,
    principal::{MaybePrincipal, Principal, Require},
    request_id::RequestId,
};
