//! Proofs of possession (`DPoP`, RFC 9449): the checks, replays, nonces, schemes and challenges.

#![allow(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod challenges;
mod fixture;
mod nonces;
mod proof_checks;
mod replays;
mod request_urls;
mod routes;
mod schemes;
