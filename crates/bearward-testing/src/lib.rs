//! Test kit for [`bearward`]: a mock identity provider, valid and invalid tokens, and a test clock.
//!
//! ```
//! use bearward::Bearward;
//! use bearward_testing::MockIdp;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let idp = MockIdp::start().await;
//! let auth = Bearward::builder().issuer(idp.as_issuer()).build().await?;
//!
//! let token = idp.token().sub("ada").role("admin").sign();
//! assert_eq!(auth.verify(&token).await?.subject(), "ada");
//! assert!(auth.verify(&idp.token().tampered()).await.is_err());
//! # Ok(()) }
//! ```
//!
//! [`MockIdp`] also rotates and revokes keys and simulates failures of the JWKS endpoint.
//! [`principal`] and [`service`](service()) create a caller for the unit test of a handler. The guide `docs/testing.md` in the
//! repository compares the ways to test; `examples/testing_your_routes.rs` tests the routes of an
//! application.
//!
//! Tokens are signed by [`jsonwebtoken`], so that the verifier is tested with tokens of an
//! independent implementation. Nothing here is meant for production.
#![allow(clippy::missing_panics_doc)]

#[doc(hidden)]
pub mod challenge;
mod clock;
#[doc(hidden)]
pub mod endpoint;
mod faults;
mod mock_idp;
mod principal;
mod proof;
mod service;
pub mod signing;
mod token;

pub use self::{
    clock::TestClock,
    endpoint::RecordedRequest,
    faults::Faults,
    mock_idp::{MockIdp, StandIn},
    principal::{PrincipalBuilder, principal},
    proof::{PROOF_FORGERIES, ProofBuilder, ProofKey},
    service::{ServiceBuilder, service},
    token::TokenBuilder,
};
pub use crate::signing::{
    FORGERIES, KeyPair, KeyRing, Token, der_signature, encode, hmac_sha256, tamper,
};

/// Compiles and runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
