//! actix-web: where the token is, who it makes of a request, and what a refusal looks like on the wire.

pub mod bearer;
pub mod challenge;
pub mod envelope;
mod extract;
pub mod guard;
pub mod principal;
pub mod request_id;

pub use self::{
    challenge::{RefusalNote, Refused},
    envelope::Envelope,
    extract::Extracting,
    guard::Guard,
    principal::{MaybePrincipal, Principal, Require},
    request_id::RequestId,
};
