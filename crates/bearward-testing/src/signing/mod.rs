//! Key pairs and tokens, right and wrong, for tests and the development IdP. Nothing in production
//! reaches this.
//!
//! It panics where a caller asks for what cannot be: it is a tool of tests.
#![allow(clippy::missing_panics_doc)]

mod key_pair;
mod key_ring;
mod token;

pub use self::{
    key_pair::{KeyPair, hmac_sha256},
    key_ring::KeyRing,
    token::{FORGERIES, Token, der_signature, encode, forge, tamper},
};
