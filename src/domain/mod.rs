//! What the server keeps for its users, as types that cannot hold anything else.

mod api_key;
mod page;
mod profile;
mod status_check;
mod subject_hash;
mod validation;

pub use self::{
    api_key::Provider,
    page::{Cursor, OutOfRange, Page, PageRequest},
    profile::{IdpProfile, Profile, ProfileChange},
    status_check::{ClientName, IdempotencyKey, StatusCheck},
    subject_hash::{Administrator, Owner, Session, SubjectHash, UserId},
    validation::ValidationError,
};
