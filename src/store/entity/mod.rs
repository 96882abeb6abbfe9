//! Entities of the object-relational mapper, one per table. Their schema is a placeholder that
//! [`Namespace`](super::schema::Namespace) replaces by the configured one.
#![allow(unreachable_pub, reason = "the derive macros generate public items")]

pub(super) mod api_keys;
pub(super) mod migrations;
pub(super) mod revocations;
pub(super) mod status_checks;
pub(super) mod user_sessions;
pub(super) mod users;
