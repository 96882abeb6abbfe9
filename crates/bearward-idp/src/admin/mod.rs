//! The admin API: issue arbitrary tokens, manage keys and users, move the clock, simulate JWKS
//! failures and rate limits.

pub(crate) mod attached_api;
pub(crate) mod back_channel;
pub(crate) mod clock;
pub(crate) mod completions;
pub(crate) mod connect;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod keys;
pub(crate) mod rate_limit;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod users;
