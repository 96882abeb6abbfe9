//! Finds the flaws of requests with a token that is bound to a client certificate (RFC 8705).

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr},
    sync::Mutex,
};

use actix_web::{HttpRequest, http::header::HeaderValue};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use bearward_testing::encode;
use serde_json::{Value, json};

use super::{Flaw, Flaws, Observations, State, token::lenient};

/// The header with the certificate, as in RFC 9440.
pub(crate) const HEADER: &str = "client-cert";

/// What earlier requests contained, which decides whether a later one shows a flaw.
#[derive(Default)]
pub(super) struct BoundTokens {
    /// The certificates by their thumbprint.
    certificates: Mutex<HashMap<String, Vec<u8>>>,
    /// The tokens that came with their certificate.
    used: Mutex<BTreeSet<String>>,
}

/// Returns the flaws of a token with those of the certificate.
pub(super) fn analyze(
    state: &State,
    request: &HttpRequest,
    token: Option<&str>,
    mut flaws: Flaws,
    found: &mut Observations,
) -> Flaws {
    let forwarded: Vec<&[u8]> = request
        .headers()
        .get_all(HEADER)
        .map(HeaderValue::as_bytes)
        .collect();
    let chain = chain(state, request, &forwarded);
    let token = token.unwrap_or_default();
    let claims = lenient(token.split('.').nth(1).unwrap_or_default());
    let Some(thumbprint) = claims["cnf"].get("x5t#S256") else {
        if !forwarded.is_empty() && flaws.is_empty() {
            found.traits.insert("mtls.unbound");
        }
        return flaws;
    };
    flaws.remove("claims.cnf");
    if state.client_chains.is_none() {
        let is_trusted = request
            .peer_addr()
            .is_some_and(|peer| peer.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST));
        if !is_trusted && !forwarded.is_empty() {
            flaws.insert("mtls.untrusted-peer");
        }
        if forwarded.len() > 1 {
            flaws.insert("mtls.two-headers");
        }
    }
    let flaw = match chain.split_first() {
        None => Some(missing(thumbprint)),
        Some((certificate, issuers)) => {
            let matches = |der: &Vec<u8>| *thumbprint == json!(sha256(der));
            if matches(certificate) {
                None
            } else if issuers.iter().any(matches) {
                Some("mtls.chain")
            } else if state.client_chains.is_some() && !forwarded.is_empty() {
                Some("mtls.client-header")
            } else if state.bound_tokens.used.lock().unwrap().contains(token) {
                Some("mtls.used-token")
            } else {
                Some(mismatch(state, certificate, thumbprint))
            }
        }
    };
    if let Some(certificate) = chain.first() {
        let mut known = state.bound_tokens.certificates.lock().unwrap();
        known.insert(sha256(certificate), certificate.clone());
    }
    flaws.extend(flaw);
    if flaws.is_empty() {
        found.traits.insert("mtls.valid");
        let mut used = state.bound_tokens.used.lock().unwrap();
        used.insert(token.to_owned());
    }
    flaws
}

/// Returns the certificates of the client, its own first: those of its TLS connection, or the one in
/// the first header. Text that is no certificate is empty.
fn chain(state: &State, request: &HttpRequest, forwarded: &[&[u8]]) -> Vec<Vec<u8>> {
    if let Some(chains) = &state.client_chains {
        let peer = request.peer_addr().unwrap();
        return chains.lock().unwrap().get(&peer).cloned().unwrap();
    }
    let decode = |value: &&[u8]| {
        let base64 = value.strip_prefix(b":").and_then(|v| v.strip_suffix(b":"));
        let der = base64_simd::STANDARD.decode_to_vec(base64.unwrap_or_default());
        der.unwrap_or_default()
    };
    forwarded.first().map(decode).into_iter().collect()
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
fn mismatch(state: &State, der: &[u8], thumbprint: &Value) -> Flaw {
    if der.first() != Some(&0x30) {
        return "mtls.malformed-certificate";
    }
    let expected = sha256(der);
    let sha1 = encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
    let known = [
        (json!(""), "mtls.thumbprint.empty"),
        (json!(expected[..22]), "mtls.thumbprint.prefix"),
        (json!(expected.to_ascii_lowercase()), "mtls.thumbprint.case"),
        (json!(sha1), "mtls.thumbprint.sha1"),
        (json!([expected]), "mtls.thumbprint.array"),
    ];
    if let Some((_, flaw)) = known.into_iter().find(|(value, _)| value == thumbprint) {
        return flaw;
    }
    let certificates = state.bound_tokens.certificates.lock().unwrap();
    let own = certificates.get(thumbprint.as_str().unwrap_or_default());
    match own {
        Some(own) if public_key(own) == public_key(der) => "mtls.renewed-certificate",
        Some(_) if contains(der, b"client.example") => "mtls.same-subject",
        _ => "mtls.other-certificate",
    }
}

/// Returns the public key of a certificate with an elliptic curve key: the bytes after the object
/// identifier `id-ecPublicKey`.
fn public_key(der: &[u8]) -> &[u8] {
    const ID: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let at = der.windows(ID.len()).position(|window| window == ID);
    &der[at.unwrap()..][..87]
}

fn contains(der: &[u8], text: &[u8]) -> bool {
    der.windows(text.len()).any(|window| window == text)
}

fn sha256(bytes: &[u8]) -> String {
    encode(digest(&SHA256, bytes).as_ref())
}
