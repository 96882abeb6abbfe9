//! The compact serialization and protected header of a JWS, parsed strictly. Nothing is verified
//! here.

use std::borrow::Cow;

use super::{
    algorithm::Algorithm,
    error::{AuthError, FormatError, HeaderError, SanitizedText},
    service_key::{KEY_PREFIX, ServiceKeyProblem},
    strict_object::{StrictObject, parse_string},
};

/// The longest `kid` that is accepted, in tokens and in key sets. Issuers use far shorter ones, and
/// key ids are stored in caches.
pub(crate) const MAX_KID_BYTES: usize = 256;

/// The signature size of the largest supported key, RSA with 8192 bits.
pub(crate) const MAX_SIGNATURE_BYTES: usize = 1024;

/// The parts of a compact JWS (RFC 7515 §7.1), decoded into one buffer.
pub(crate) struct CompactJws<'t> {
    /// The JWS signing input: the first two parts as received.
    signed: &'t [u8],
    /// Header, payload and signature, concatenated.
    bytes: Vec<u8>,
    header_end: usize,
    payload_end: usize,
}

/// A compact JWS with a valid header. Its signature and payload have not been verified.
pub(crate) struct UnverifiedJws<'d> {
    pub(crate) signed: &'d [u8],
    pub(crate) header: Header<'d>,
    pub(crate) payload: &'d [u8],
    pub(crate) signature: &'d [u8],
}

/// The members of the protected header that affect verification.
pub(crate) struct Header<'d> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Cow<'d, str>>,
    pub(crate) typ: Option<Cow<'d, str>>,
}

impl<'t> CompactJws<'t> {
    /// Splits and decodes a token.
    pub(crate) fn decode(token: &'t str) -> Result<Self, AuthError> {
        let [header, payload, signature] = split(token).map_err(|error| {
            // supabase-js sends its API key as the bearer token if no user is signed in.
            if is_api_key(token) {
                AuthError::ApiKey
            } else if token.starts_with(KEY_PREFIX) {
                // No service key is configured.
                AuthError::ServiceKey(ServiceKeyProblem::Unknown)
            } else {
                AuthError::Format(error)
            }
        })?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        let mut bytes = Vec::with_capacity(token.len() / 4 * 3 + 3);
        let header_end = decode_append(&mut bytes, header)?;
        let payload_end = decode_append(&mut bytes, payload)?;
        decode_append(&mut bytes, signature)?;
        Ok(Self {
            signed,
            bytes,
            header_end,
            payload_end,
        })
    }

    /// Parses the header and checks the rules that do not depend on the issuer. The payload is not
    /// parsed.
    pub(crate) fn parse_header(&self) -> Result<UnverifiedJws<'_>, AuthError> {
        self.parse_header_members().map(|(_, jws)| jws)
    }

    /// Parses the header like [`parse_header`](Self::parse_header), and returns all its members too.
    pub(crate) fn parse_header_members(
        &self,
    ) -> Result<(StrictObject<'_>, UnverifiedJws<'_>), AuthError> {
        let (header, rest) = self.bytes.split_at(self.header_end);
        let (payload, signature) = rest.split_at(self.payload_end - self.header_end);
        let members = StrictObject::parse(header)
            .map_err(|error| AuthError::Header(HeaderError::Object(error)))?;
        let header = Header::from_object(&members)?;
        // After the header: an unsupported algorithm, such as ML-DSA, may have longer signatures.
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(AuthError::Format(FormatError::LongSignature));
        }
        let jws = UnverifiedJws {
            signed: self.signed,
            header,
            payload,
            signature,
        };
        Ok((members, jws))
    }
}

/// The names that the tests of `keys` use.
#[cfg(test)]
impl<'t> CompactJws<'t> {
    pub(crate) fn of(token: &'t str) -> Result<Self, AuthError> {
        Self::decode(token)
    }

    pub(crate) fn read(&self) -> Result<UnverifiedJws<'_>, AuthError> {
        self.parse_header()
    }
}

impl<'d> Header<'d> {
    fn from_object(object: &StrictObject<'d>) -> Result<Self, AuthError> {
        let mut algorithm = None;
        let mut kid = None;
        let mut typ = None;
        for (name, value) in object.members() {
            match name {
                "alg" => algorithm = Some(string_member(value, "alg")?),
                "kid" => kid = Some(string_member(value, "kid")?),
                "typ" => typ = Some(string_member(value, "typ")?),
                "crit" => return Err(AuthError::Header(HeaderError::Critical)),
                "b64" => return Err(AuthError::Header(HeaderError::Unencoded)),
                // RFC 7515 §4: unknown members are ignored. `jwk`, `jku`, `x5u` and `x5c` must be
                // among them: a token must not choose its own key.
                _ => {}
            }
        }
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID_BYTES) {
            return Err(AuthError::Header(HeaderError::LongKid));
        }
        let name = algorithm.ok_or(AuthError::Header(HeaderError::NotAString("alg")))?;
        let algorithm = name.parse().map_err(|_| AuthError::AlgorithmNotAllowed {
            found: SanitizedText::new(&name),
            allowed: Vec::new(),
        })?;
        Ok(Self {
            algorithm,
            kid,
            typ,
        })
    }
}

fn string_member<'d>(json: &'d str, name: &'static str) -> Result<Cow<'d, str>, AuthError> {
    parse_string(json).ok_or(AuthError::Header(HeaderError::NotAString(name)))
}

/// Splits a token into its three parts, without allocating. Counting stops at the sixth part.
pub(crate) fn split(token: &str) -> Result<[&str; 3], FormatError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(match token.splitn(6, '.').count() {
            5 => FormatError::Encrypted,
            count => FormatError::Parts(count),
        });
    };
    if header.is_empty() || payload.is_empty() || signature.is_empty() {
        Err(FormatError::Empty)
    } else {
        Ok([header, payload, signature])
    }
}

/// Decodes the payload of a token, without verifying anything.
pub(crate) fn decode_payload(token: &str) -> Result<Vec<u8>, AuthError> {
    let [_, payload, _] = split(token).map_err(AuthError::Format)?;
    decode_base64url(payload)
}

/// Decodes base64url (RFC 7515 §2): no padding and no whitespace. Trailing bits must be zero, so
/// that each byte string has exactly one encoding.
pub(crate) fn decode_base64url(part: &str) -> Result<Vec<u8>, AuthError> {
    let mut bytes = Vec::new();
    decode_append(&mut bytes, part).map(|_| bytes)
}

/// Appends the decoded part to `bytes` and returns the new length.
fn decode_append(bytes: &mut Vec<u8>, part: &str) -> Result<usize, AuthError> {
    let base64 = base64_simd::URL_SAFE_NO_PAD;
    base64
        .decode_append(part, bytes)
        .map_err(|_| AuthError::Format(FormatError::Base64))?;
    Ok(bytes.len())
}

fn is_api_key(token: &str) -> bool {
    token.starts_with("sb_publishable_") || token.starts_with("sb_secret_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_decoded_strictly() {
        assert_eq!(decode_base64url("AA").unwrap(), [0]);
        for invalid in [
            "AB", "A", "AA=", "AA==", "A+", "A/", "A A", "AA\n", "A\u{e4}", "AAB",
        ] {
            assert_eq!(
                decode_base64url(invalid),
                Err(AuthError::Format(FormatError::Base64)),
                "{invalid:?}"
            );
        }
    }
}
