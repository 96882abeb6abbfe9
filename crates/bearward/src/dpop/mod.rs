//! Demonstrating Proof of Possession (`DPoP`, RFC 9449): access tokens that are bound to a key of
//! the client.
//!
//! A request with such a token has the scheme `DPoP` and the header field `DPoP` with a proof: a JWS
//! that the client signs for this request only. A stolen token is useless without the key.
//!
//! [`Issuer::dpop`](crate::Issuer::dpop) says whether an issuer's tokens may or must be bound, and
//! [`Builder::dpop`](crate::Builder::dpop) sets how proofs are checked. Extractors, guards and
//! [`Bearward::authenticate`](crate::Bearward::authenticate) then accept both schemes.
//! [`ProofVerifier`] checks proofs alone, for an authorization server.
//!
//! | module | contents |
//! |---|---|
//! | `config` | [`DpopConfig`]: limits, nonces, the URL of the service |
//! | `verifier` | [`ProofVerifier`]: the checks of RFC 9449 §4.3 |
//! | `proof` | parsing of a proof |
//! | `request` | [`ProofRequest`]: what a proof is compared with |
//! | `htu` | normalization of URLs (RFC 3986 §6.2) |
//! | `thumbprint` | [`KeyThumbprint`] (RFC 7638) |
//! | `replay` | the proofs that were accepted already |
//! | `nonce` | nonces of the server (RFC 9449 §8 and §9) |

mod config;
mod error;
mod htu;
mod nonce;
mod proof;
mod replay;
mod request;
mod thumbprint;
mod verifier;

pub(crate) use self::verifier::{BoundToken, token_hash};
pub use self::{
    config::{DpopConfig, DpopConfigError, ProxyHeaders},
    error::ProofError,
    request::ProofRequest,
    thumbprint::KeyThumbprint,
    verifier::ProofVerifier,
};

/// Whether the access tokens of an issuer may or must be bound to a key. Set by
/// [`Issuer::dpop`](crate::Issuer::dpop).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum DpopMode {
    /// Bound tokens are rejected, because no proof is checked.
    #[default]
    Off,
    /// Bound tokens are accepted with a proof, and others as bearer tokens.
    Accepted,
    /// Only bound tokens are accepted, with a proof.
    Required,
}

/// The authentication scheme of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Bearer, the configured scheme that replaces it, or another place of the token.
    Bearer,
    /// `DPoP` (RFC 9449 §7.1).
    Dpop,
}
