//! The core: a bearer token in, evidence or one named reason out. No web framework, no database.

pub mod algorithm;
pub mod claim_map;
pub mod claims;
pub mod clock;
pub(crate) mod counters;
pub mod error;
pub mod explain;
pub mod issuer;
mod judge;
mod jws;
pub mod keys;
mod object;
pub mod pointer;
mod token_cache;
pub mod verified;
pub mod verifier;
