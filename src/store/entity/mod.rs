//! The tables as the mapper sees them.
#![allow(unreachable_pub, reason = "what the derives make is public")]

pub(super) mod api_keys;
pub(super) mod status_checks;
pub(super) mod users;
