//! Revocation: sessions, subjects, tokens and keys whose tokens are rejected before they expire.
//!
//! Every verification checks the list, also of a cached token, without I/O. A cached token is looked
//! up only once after each change of the list: otherwise the check compares one number.

mod config;
mod hash;
mod list;
mod source;
mod table;
mod token_state;
mod value;

pub use self::{
    config::RevocationConfig,
    list::Revocations,
    source::{RevocationSource, RevocationUpdate},
    value::{Revocation, RevocationKind},
};
pub(crate) use self::{list::RevocationChecker, token_state::TokenRevocationState};

/// Why a revocation was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// The list is full. No entry is removed before it expires, so the revocation is not in force.
    #[error("the revocation list is full: it has {max_entries} entries that have not expired")]
    Full {
        /// The limit of all lists of the verifier; see [`RevocationConfig::max_entries`].
        max_entries: usize,
    },
    /// `issued_before` of a subject is in the future by more than 5 minutes, the maximum of
    /// [`Issuer::leeway`](crate::Issuer::leeway). It would reject tokens of future sign-ins.
    #[error("a subject cannot be revoked for tokens that will be issued in the future")]
    IssuedInFuture,
}
