//! The compact form and the protected header of a JWS, read strictly and not yet believed.

use std::borrow::Cow;

use super::{
    algorithm::Algorithm,
    error::{AuthError, FormatError, HeaderError, SanitizedText},
    strict_object::{StrictObject, string},
};

/// Longer key ids than any issuer uses would only serve to fill caches.
const MAX_KID: usize = 256;

/// A signature of the largest key that is verified: RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

/// The parts of a compact JWS (RFC 7515 §7.1), decoded into one buffer.
pub(crate) struct CompactJws<'t> {
    /// What the signature covers: the first two parts as they were received.
    signed: &'t [u8],
    bytes: Vec<u8>,
    header: usize,
    payload: usize,
}

/// A compact JWS whose form and header are right. Nothing here has been verified.
pub(crate) struct UnverifiedJws<'d> {
    pub(crate) signed: &'d [u8],
    pub(crate) header: Header<'d>,
    pub(crate) payload: &'d [u8],
    pub(crate) signature: &'d [u8],
}

/// The members of the protected header that decide something.
pub(crate) struct Header<'d> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Cow<'d, str>>,
    pub(crate) typ: Option<Cow<'d, str>>,
}

impl<'t> CompactJws<'t> {
    /// Rule 4: the form.
    pub(crate) fn of(token: &'t str) -> Result<Self, AuthError> {
        let [header, payload, signature] = parts(token).map_err(|error| {
            // supabase-js sends its API key as the bearer token while nobody is signed in.
            if is_api_key(token) {
                AuthError::ApiKey
            } else {
                AuthError::Form(error)
            }
        })?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        let mut bytes = Vec::with_capacity(token.len() / 4 * 3 + 3);
        let header = append(&mut bytes, header)?;
        let payload = append(&mut bytes, payload)?;
        let end = append(&mut bytes, signature)?;
        if end - payload > MAX_SIGNATURE {
            Err(AuthError::Form(FormatError::Base64))
        } else {
            Ok(Self {
                signed,
                bytes,
                header,
                payload,
            })
        }
    }

    /// Rule 5, as far as no issuer decides it. The payload is not parsed.
    pub(crate) fn read(&self) -> Result<UnverifiedJws<'_>, AuthError> {
        let (header, rest) = self.bytes.split_at(self.header);
        let (payload, signature) = rest.split_at(self.payload - self.header);
        let header = StrictObject::parse(header)
            .map_err(|error| AuthError::Header(HeaderError::Object(error)))?;
        Ok(UnverifiedJws {
            signed: self.signed,
            header: Header::read(&header)?,
            payload,
            signature,
        })
    }
}

impl<'d> Header<'d> {
    fn read(object: &StrictObject<'d>) -> Result<Self, AuthError> {
        let mut algorithm = None;
        let mut kid = None;
        let mut typ = None;
        for (name, value) in object.members() {
            match name {
                "alg" => algorithm = Some(text(value, "alg")?),
                "kid" => kid = Some(text(value, "kid")?),
                "typ" => typ = Some(text(value, "typ")?),
                "crit" => return Err(AuthError::Header(HeaderError::Critical)),
                "b64" => return Err(AuthError::Header(HeaderError::Unencoded)),
                // RFC 7515 §4: unknown members are ignored; `jwk`, `jku`, `x5u` and `x5c` are among
                // them on purpose.
                _ => {}
            }
        }
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(AuthError::Header(HeaderError::LongKid));
        }
        let name = algorithm.ok_or(AuthError::Header(HeaderError::NotAString("alg")))?;
        let algorithm = name.parse().map_err(|_| AuthError::AlgorithmNotAllowed {
            found: SanitizedText::of(&name),
            allowed: Vec::new(),
        })?;
        Ok(Self {
            algorithm,
            kid,
            typ,
        })
    }
}

fn text<'d>(json: &'d str, name: &'static str) -> Result<Cow<'d, str>, AuthError> {
    string(json).ok_or(AuthError::Header(HeaderError::NotAString(name)))
}

/// Splits without allocating, and looks no further than the sixth part.
pub(crate) fn parts(token: &str) -> Result<[&str; 3], FormatError> {
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

/// RFC 7515 §2: the URL-safe alphabet, no padding, no white space; trailing bits are zero, so that
/// one signature has one spelling.
pub(crate) fn decode(part: &str) -> Result<Vec<u8>, AuthError> {
    let mut bytes = Vec::new();
    append(&mut bytes, part).map(|_| bytes)
}

/// Decodes to the end of `bytes`, and tells their new length.
fn append(bytes: &mut Vec<u8>, part: &str) -> Result<usize, AuthError> {
    let base64 = base64_simd::URL_SAFE_NO_PAD;
    base64
        .decode_append(part, bytes)
        .map_err(|_| AuthError::Form(FormatError::Base64))?;
    Ok(bytes.len())
}

fn is_api_key(token: &str) -> bool {
    token.starts_with("sb_publishable_") || token.starts_with("sb_secret_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict_in_alphabet_padding_and_trailing_bits() {
        assert_eq!(decode("AA").unwrap(), [0]);
        for wrong in [
            "AB", "A", "AA=", "AA==", "A+", "A/", "A A", "AA\n", "A\u{e4}", "AAB",
        ] {
            assert_eq!(
                decode(wrong),
                Err(AuthError::Form(FormatError::Base64)),
                "{wrong:?}"
            );
        }
    }
}
