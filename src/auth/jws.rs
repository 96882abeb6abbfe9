//! The compact form and the protected header of a JWS, read strictly and not yet believed.

use super::{
    algorithm::Algorithm,
    error::{Excerpt, FormError, HeaderError, Rejection},
    object::{Object, string},
};

/// Longer key ids than any issuer uses would only serve to fill caches.
const MAX_KID: usize = 256;

/// A signature of the largest key that is verified: RSA with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

/// The three parts of a compact JWS (RFC 7515 §7.1), decoded. Nothing here has been verified.
pub(crate) struct UnverifiedJws<'t> {
    /// What the signature covers: the first two parts as they were received.
    pub(crate) signed: &'t [u8],
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The members of the protected header that decide something.
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Box<str>>,
    pub(crate) typ: Option<Box<str>>,
}

impl<'t> UnverifiedJws<'t> {
    /// Rules 4 and 5: form first, then the header; the payload is decoded, not parsed.
    pub(crate) fn parse(token: &'t str) -> Result<Self, Rejection> {
        let [header, payload, signature] = parts(token).map_err(|error| {
            // supabase-js sends its API key as the bearer token while nobody is signed in.
            if is_api_key(token) { Rejection::ApiKey } else { Rejection::Form(error) }
        })?;
        let decoded_header = decode(header)?;
        let payload_bytes = decode(payload)?;
        let signature = decode(signature)?;
        if signature.len() > MAX_SIGNATURE {
            return Err(Rejection::Form(FormError::Base64));
        }
        let header_object = Object::parse(&decoded_header).map_err(|error| Rejection::Header(HeaderError::Object(error)))?;
        let signed = &token.as_bytes()[..header.len() + 1 + payload.len()];
        Ok(Self { signed, header: Header::read(&header_object)?, payload: payload_bytes, signature })
    }
}

impl Header {
    fn read(object: &Object<'_>) -> Result<Self, Rejection> {
        let mut algorithm = None;
        let mut kid = None;
        let mut typ = None;
        for (name, value) in object.members() {
            match name {
                "alg" => algorithm = Some(string(value).ok_or(Rejection::Header(HeaderError::NotAString("alg")))?),
                "kid" => kid = Some(string(value).ok_or(Rejection::Header(HeaderError::NotAString("kid")))?),
                "typ" => typ = Some(string(value).ok_or(Rejection::Header(HeaderError::NotAString("typ")))?),
                "crit" => return Err(Rejection::Header(HeaderError::Critical)),
                "b64" => return Err(Rejection::Header(HeaderError::Unencoded)),
                // RFC 7515 §4: unknown members are ignored; `jwk`, `jku`, `x5u` and `x5c` are among them on purpose.
                _ => {}
            }
        }
        if kid.as_ref().is_some_and(|kid| kid.len() > MAX_KID) {
            return Err(Rejection::Header(HeaderError::LongKid));
        }
        let name = algorithm.ok_or(Rejection::Header(HeaderError::NotAString("alg")))?;
        let algorithm =
            name.parse().map_err(|_| Rejection::AlgorithmNotAllowed { found: Excerpt::of(&name), allowed: Vec::new() })?;
        Ok(Self { algorithm, kid: kid.map(|kid| kid.into_owned().into()), typ: typ.map(|typ| typ.into_owned().into()) })
    }
}

/// Splits without allocating, and looks no further than the sixth part.
pub(crate) fn parts(token: &str) -> Result<[&str; 3], FormError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(match token.splitn(6, '.').count() {
            5 => FormError::Encrypted,
            count => FormError::Parts(count),
        });
    };
    if header.is_empty() || payload.is_empty() || signature.is_empty() {
        Err(FormError::Empty)
    } else {
        Ok([header, payload, signature])
    }
}

/// RFC 7515 §2: the URL-safe alphabet, no padding, no white space; trailing bits are zero, so that one signature has one spelling.
pub(crate) fn decode(part: &str) -> Result<Vec<u8>, Rejection> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).map_err(|_| Rejection::Form(FormError::Base64))
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
        for wrong in ["AB", "A", "AA=", "AA==", "A+", "A/", "A A", "AA\n", "A\u{e4}", "AAB"] {
            assert_eq!(decode(wrong), Err(Rejection::Form(FormError::Base64)), "{wrong:?}");
        }
    }
}
