//! Key pairs and tokens, valid and invalid, for tests and the development IdP.
//!
//! Invalid arguments panic.
#![allow(clippy::missing_panics_doc)]

mod key_pair;
mod key_ring;
mod token;

pub use self::{
    key_pair::{KeyPair, hmac_sha256},
    key_ring::KeyRing,
    token::{FORGERIES, Token, der_signature, encode, forge, tamper},
};
