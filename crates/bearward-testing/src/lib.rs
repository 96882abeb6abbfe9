//! The test kit: a real identity provider on a free port, tokens right and wrong, a clock that
//! tests move.
//!
//! See [`MockIdp`] for an example, and `examples/testing_your_routes.rs` for how a team tests its
//! own routes with it.
#![allow(clippy::missing_panics_doc)]

mod clock;
#[doc(hidden)]
pub mod endpoint;
mod faults;
#[doc(hidden)]
pub mod methods;
mod mock_idp;
pub mod signing;
mod token;

pub use self::{
    clock::TestClock, endpoint::RecordedRequest, faults::Faults, mock_idp::MockIdp,
    token::TokenBuilder,
};
pub use crate::signing::{
    FORGERIES, KeyPair, KeyRing, Token, der_signature, encode, hmac_sha256, tamper,
};
