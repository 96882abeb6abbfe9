//! The reasons why a proof is rejected.

use crate::keys::IgnoreReason;

/// The reason why a proof is rejected (RFC 9449 §4.3). `Display` is the message for the client and
/// contains no value of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The request has no `DPoP` header field.
    #[error("the request has no DPoP header field with a proof")]
    Missing,
    /// The request has more than one `DPoP` header field.
    #[error("the request has more than one DPoP header field")]
    SeveralHeaders,
    /// The proof is longer than 8,192 bytes.
    #[error("the proof is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The proof is not one compact JWS whose header and payload are JSON objects with distinct
    /// names, or it has a header parameter that is not supported.
    #[error("the proof is not a well-formed compact JWS")]
    Malformed,
    /// `typ` is not `dpop+jwt`.
    #[error("typ of the proof must be dpop+jwt")]
    Type,
    /// `alg` is not an accepted asymmetric algorithm.
    #[error("alg of the proof is not accepted")]
    Algorithm,
    /// The header has no `jwk`, or it is not a public key that fits `alg`.
    #[error("jwk of the proof is not accepted: {0}")]
    Key(IgnoreReason),
    /// A claim is absent, empty, too long or of the wrong type.
    #[error("the claim {0:?} of the proof is missing or invalid")]
    Claim(&'static str),
    /// `htm` is not the method of the request.
    #[error("htm of the proof is not the method of the request")]
    Method,
    /// `htu` is not the URL of the request.
    #[error("htu of the proof is not the URL of the request")]
    Url,
    /// `iat` is further in the past than the maximum age.
    #[error("the proof is too old; create a new one for each request")]
    TooOld,
    /// `iat` is further in the future than the maximum age.
    #[error("iat of the proof is in the future; check the clock of the client")]
    InFuture,
    /// `ath` is not the hash of the access token.
    #[error("ath of the proof is not the hash of the access token")]
    TokenHash,
    /// The access token is bound to another key.
    #[error("the access token is bound to another key")]
    KeyMismatch,
    /// The signature is not valid under `jwk`.
    #[error("invalid signature of the proof")]
    Signature,
    /// A proof of this key with this `jti` was accepted before.
    #[error("the proof was used before; create a new one for each request")]
    Replayed,
    /// The proof has no nonce, or one that is not current. The response has a new one.
    #[error("the proof must contain the nonce from the DPoP-Nonce header field")]
    Nonce,
    /// The maximum number of proofs is remembered already. The client is not at fault.
    #[error("too many DPoP proofs at present; try again later")]
    ReplayMemoryFull,
}
