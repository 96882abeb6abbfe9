//! Entities of the object-relational mapper, one per table.
#![allow(unreachable_pub, reason = "the derive macros generate public items")]

pub(super) mod api_keys;
pub(super) mod status_checks;
pub(super) mod users;
