//! Rate limits as clients meet them, through a real socket and by a clock that the tests move: each just inside and just outside.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test says by a panic that something is not as it says")]

mod stand;

mod address;
mod refusals;
mod switched_off;
mod users;
