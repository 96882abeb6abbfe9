//! What the server keeps for its users, as types that cannot hold anything else.

mod api_key;
mod identity;
mod page;
mod profile;
mod status_check;
mod text;

pub use self::{
    api_key::Provider,
    identity::{Administrator, Identity, Owner, Session, UserId},
    page::{Cursor, OutOfRange, Page, PageRequest},
    profile::{ClaimedProfile, Profile, ProfileChange},
    status_check::{ClientName, IdempotencyKey, StatusCheck},
    text::Unfit,
};
