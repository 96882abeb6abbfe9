//! Finds the flaws of requests with a token that is bound to a client certificate (RFC 8705).

use std::net::{IpAddr, Ipv4Addr};

use actix_web::{HttpRequest, http::header::HeaderValue};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use bearward_testing::encode;
use serde_json::{Value, json};

use super::{Flaw, Flaws, Observations, token::lenient};

/// The header with the certificate, as in RFC 9440.
pub(crate) const HEADER: &str = "client-cert";

/// Returns the flaws of a token with those of the certificate.
pub(super) fn analyze(
    request: &HttpRequest,
    token: Option<&str>,
    mut flaws: Flaws,
    found: &mut Observations,
) -> Flaws {
    let certificates: Vec<&[u8]> = request
        .headers()
        .get_all(HEADER)
        .map(HeaderValue::as_bytes)
        .collect();
    let payload = token.unwrap_or_default().split('.').nth(1);
    let claims = lenient(payload.unwrap_or_default());
    let Some(thumbprint) = claims["cnf"].get("x5t#S256") else {
        if !certificates.is_empty() && flaws.is_empty() {
            found.traits.insert("mtls.unbound");
        }
        return flaws;
    };
    flaws.remove("claims.cnf");
    let is_trusted = request
        .peer_addr()
        .is_some_and(|peer| peer.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST));
    if !is_trusted && !certificates.is_empty() {
        flaws.insert("mtls.untrusted-peer");
    }
    if certificates.len() > 1 {
        flaws.insert("mtls.two-headers");
    }
    let flaw = match certificates.first() {
        None => Some(missing(thumbprint)),
        Some(value) => mismatch(value, thumbprint),
    };
    flaws.extend(flaw);
    if flaws.is_empty() {
        found.traits.insert("mtls.valid");
    }
    flaws
}

/// Returns the flaw of a bound token without a certificate.
fn missing(thumbprint: &Value) -> Flaw {
    if thumbprint.is_null() {
        "mtls.thumbprint.null"
    } else if *thumbprint == json!(sha256(b"")) {
        "mtls.thumbprint.of-nothing"
    } else {
        "mtls.no-certificate"
    }
}

/// Returns the flaw of a thumbprint that is not that of the certificate.
fn mismatch(value: &[u8], thumbprint: &Value) -> Option<Flaw> {
    let base64 = value.strip_prefix(b":").and_then(|v| v.strip_suffix(b":"));
    let der = base64_simd::STANDARD
        .decode_to_vec(base64.unwrap_or_default())
        .unwrap_or_default();
    if der.first() != Some(&0x30) {
        return Some("mtls.malformed-certificate");
    }
    let expected = sha256(&der);
    if *thumbprint == json!(expected) {
        return None;
    }
    let sha1 = encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der).as_ref());
    let known = [
        (json!(""), "mtls.thumbprint.empty"),
        (json!(expected[..22]), "mtls.thumbprint.prefix"),
        (json!(expected.to_ascii_lowercase()), "mtls.thumbprint.case"),
        (json!(sha1), "mtls.thumbprint.sha1"),
        (json!([expected]), "mtls.thumbprint.array"),
    ];
    let known = known.into_iter().find(|(value, _)| value == thumbprint);
    Some(known.map_or("mtls.other-certificate", |(_, flaw)| flaw))
}

fn sha256(bytes: &[u8]) -> String {
    encode(digest(&SHA256, bytes).as_ref())
}
