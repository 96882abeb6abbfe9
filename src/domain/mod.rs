//! Domain types. Their constructors validate, so every value is valid.

mod api_key;
mod page;
mod profile;
mod revocation;
mod status_check;
mod subject_hash;
mod validation;

pub use self::{
    api_key::Provider,
    page::{Cursor, InvalidLimit, Page, PageRequest},
    profile::{IdpProfile, Profile, ProfileChange},
    revocation::{RevocationEntry, RevocationReason},
    status_check::{ClientName, IdempotencyKey, StatusCheck},
    subject_hash::{Administrator, Owner, SessionHash, SubjectHash, UserId},
    validation::ValidationError,
};
