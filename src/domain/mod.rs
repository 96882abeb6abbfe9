//! Domain types. Their constructors validate, so every value is valid.

mod api_key;
mod page;
mod profile;
mod revocation;
mod status_check;
mod subject_hash;
mod user_session;
mod validation;

pub(crate) use self::user_session::issued_at;
pub use self::{
    api_key::Provider,
    page::{Cursor, InvalidLimit, Page, PageRequest},
    profile::{IdpProfile, Profile, ProfileChange},
    revocation::{RevocationEntry, RevocationReason},
    status_check::{ClientName, IdempotencyKey, StatusCheck},
    subject_hash::{Administrator, Owner, SessionHash, SubjectHash, UserId},
    user_session::{SessionId, UserAgent, UserSession},
    validation::ValidationError,
};
