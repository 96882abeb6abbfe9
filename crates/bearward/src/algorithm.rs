//! Signature algorithms. HMAC and `none` are not represented, so no key can verify a token that
//! asks for them.

use std::{fmt, str::FromStr};

/// An asymmetric JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
///
/// ```
/// use bearward::Algorithm;
///
/// assert_eq!("ES256".parse(), Ok(Algorithm::ES256));
/// assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDSA));
/// assert!("HS256".parse::<Algorithm>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// Ed25519, under its name in RFC 8037 or its fully specified name `Ed25519` (RFC 9864 §2.2).
    /// Ed448 is not supported.
    EdDSA,
}

impl Algorithm {
    /// Every supported algorithm.
    pub const ALL: &'static [Self] = &[
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
    ];

    /// The algorithms that an issuer accepts by default.
    pub const DEFAULT: &'static [Self] = &[Self::RS256, Self::ES256, Self::EdDSA];

    /// Returns the name used in the JWS header, for example `RS256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
        }
    }
}

/// The fully specified name of [`Algorithm::EdDSA`] (RFC 9864 §2.2).
const ED25519: &str = "Ed25519";

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parses the name used in the JWS header, in JWKs and in the configuration. Names are
/// case-sensitive (RFC 7515 §4.1.1). `Ed25519` is a synonym of `EdDSA`.
impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let found = Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name);
        found
            .or_else(|| (name == ED25519).then_some(Self::EdDSA))
            .ok_or(UnknownAlgorithm)
    }
}

/// The error for a name that is not in [`Algorithm::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unsupported algorithm; supported are")?;
        Algorithm::ALL
            .iter()
            .try_for_each(|algorithm| write!(f, " {algorithm}"))
    }
}

impl std::error::Error for UnknownAlgorithm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_parsed_and_listed_in_the_error() {
        let message = UnknownAlgorithm.to_string();
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
            assert!(message.contains(algorithm.name()), "{message}");
        }
    }

    #[test]
    fn only_the_exact_synonym_is_eddsa() {
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDSA));
        for name in [
            "ed25519", "ED25519", "Ed448", "Ed25519 ", "ESP256", "ES256K",
        ] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }
}
