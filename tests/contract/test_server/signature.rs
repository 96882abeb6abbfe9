//! Verifies the signature, and if it is invalid, finds what a flawed server might accept.

use aws_lc_rs::{hmac, signature as lc};
use base64_simd::URL_SAFE_NO_PAD;
use bearward::Algorithm;
use bearward_testing::{KeyPair, encode};
use serde_json::Value;

use super::{
    Flaw, Flaws, Observations, State, UNNAMED,
    keys::{MissingKey, SkippedCheck},
    token::Parts,
};

/// The other name of `EdDSA` (RFC 9864).
const ED25519: &str = "Ed25519";

pub(super) async fn analyze(state: &State, parts: &Parts, found: &mut Observations) -> Flaws {
    let token = format!("{}.{}", parts.signing_input, encode(&parts.signature));
    if state.keys.has_cached_token(&token) {
        return Flaws::new();
    }
    let mut set = state.keys.current().await;
    let mut attempts = state.keys.attempts();
    let kid = parts.header["kid"].as_str();
    let is_known = |set: &[Value]| kid.is_some_and(|kid| set.iter().any(|key| key["kid"] == kid));
    let may_fetch = may_fetch(state, parts);
    if kid.is_some() && !is_known(&set) && may_fetch {
        state.keys.fetch(kid, attempts).await;
        set = state.keys.current().await;
        attempts = state.keys.attempts();
        if !is_known(&set) {
            found.missing_key = Some(if state.keys.last_fetch_failed() {
                MissingKey::Unavailable
            } else {
                MissingKey::Unknown
            });
        }
    }
    let mut flaws = verify(&set, parts, found, state);
    if !flaws.is_empty()
        && is_known(&set)
        && may_fetch
        && state.keys.cache().refetches_on_bad_signature
    {
        state.keys.fetch(kid, attempts).await;
        flaws = verify(&state.keys.current().await, parts, found, state);
    }
    if flaws.is_empty() {
        state.keys.cache_token(&token);
    }
    flaws
}

/// Whether the token passes all checks that do not need a key.
fn may_fetch(state: &State, parts: &Parts) -> bool {
    let is_skipped = |check: SkippedCheck| state.keys.cache().skipped_check == Some(check);
    let Ok(claims) = serde_json::from_slice::<Value>(&parts.payload) else {
        return is_skipped(SkippedCheck::Format);
    };
    let algorithm = parts.header["alg"].as_str().unwrap_or_default();
    let is_current = claims["exp"]
        .as_f64()
        .is_some_and(|exp| exp > super::now() - 60.0);
    (is_skipped(SkippedCheck::Issuer) || claims["iss"] == state.trust.issuer.as_str())
        && (is_skipped(SkippedCheck::Expiry) || is_current)
        && (is_skipped(SkippedCheck::Algorithm) || algorithm.parse::<Algorithm>().is_ok())
        && parts.header.get("crit").is_none()
}

fn verify(set: &[Value], parts: &Parts, found: &mut Observations, state: &State) -> Flaws {
    let (header, message, signature) = (
        &parts.header,
        parts.signing_input.as_bytes(),
        parts.signature.as_slice(),
    );
    let kid = header["kid"].as_str();
    let named = kid.and_then(|kid| set.iter().find(|key| key["kid"] == kid));
    let canary = KeyPair::cached(Algorithm::RS256, 1).jwk();
    if named.is_none() && verifying_algorithm(&canary.into(), message, signature).is_some() {
        // For a server that trusts the canary as an issuer the signature is valid; the flaw is then
        // one of the claims.
        let claims: Value = serde_json::from_slice(&parts.payload).unwrap_or_default();
        return if claims["iss"] == state.trust.issuer.as_str() {
            Flaws::from([canary_flaw(parts, &claims)])
        } else {
            Flaws::new()
        };
    }
    let verifies = |key: &&Value| verifying_algorithm(key, message, signature).is_some();
    let has_algorithm =
        |key: &&Value| verifying_algorithm(key, message, signature) == key["alg"].as_str();
    // Several keys may have the same kid.
    let signer = kid
        .and_then(|kid| set.iter().find(|key| key["kid"] == kid && verifies(key)))
        .or_else(|| set.iter().find(|key| verifies(key) && has_algorithm(key)))
        .or_else(|| set.iter().find(verifies));
    let Some(key) = signer else {
        return Flaws::from([invalid_signature(set, parts, named)]);
    };
    let algorithm = verifying_algorithm(key, message, signature).unwrap();
    let has_members = header.as_object().is_some_and(|header| !header.is_empty());
    let mut flaws = Flaws::new();
    flaws.extend(unsuitable_key(key, state));
    flaws.extend(algorithm_flaw(header, key, algorithm, has_members, state));
    if has_members {
        flaws.extend(kid_flaw(header.get("kid"), &key["kid"]));
    }
    found.traits.insert(match algorithm {
        "RS256" => "control.alg.rs256",
        "RS384" => "control.alg.rs384",
        "RS512" => "control.alg.rs512",
        "PS256" => "control.alg.ps256",
        "PS384" => "control.alg.ps384",
        "PS512" => "control.alg.ps512",
        "ES256" => "control.alg.es256",
        "ES384" => "control.alg.es384",
        "ES512" => "control.alg.es512",
        _ if header["alg"] == ED25519 => "control.alg.ed25519",
        _ => "control.alg.eddsa",
    });
    flaws
}

fn algorithm_flaw(
    header: &Value,
    key: &Value,
    algorithm: &str,
    has_members: bool,
    state: &State,
) -> Option<Flaw> {
    let is_synonym = algorithm == "EdDSA" && header["alg"] == ED25519;
    if has_members && header["alg"] != algorithm && !is_synonym {
        return Some(match header.get("alg") {
            None => "header.alg-missing",
            Some(Value::Null) => "header.alg-null",
            Some(Value::Number(_)) => "header.alg-number",
            Some(Value::Array(_)) => "header.alg-array",
            Some(Value::String(name)) => match name.as_str() {
                "" => "header.alg-empty",
                "rs256" => "header.alg-case",
                "RS256 " => "header.alg-space",
                "none" => "alg.none.rightly-signed",
                "RS384" => "alg.header-lies",
                "XS256" => "alg.unknown",
                "dir" => "alg.key-wrapping",
                "PBES2-HS256+A128KW" => "alg.pbes2",
                _ => UNNAMED,
            },
            Some(_) => UNNAMED,
        });
    }
    if key["alg"] != algorithm {
        return Some(match (key["alg"].as_str(), algorithm) {
            (Some("RS256"), "RS512") => "alg.swap.rs512",
            (Some("RS256"), "PS256") => "alg.swap.ps256",
            (Some("RS512"), "RS256") => "jwks.other-algorithm",
            _ => UNNAMED,
        });
    }
    if state
        .trust
        .algorithms
        .iter()
        .any(|known| known == algorithm)
    {
        return None;
    }
    Some(match algorithm {
        "RS256" => "alg.unlisted.rs256",
        "RS384" => "alg.unlisted.rs384",
        "RS512" => "alg.unlisted.rs512",
        "PS256" => "alg.unlisted.ps256",
        "PS384" => "alg.unlisted.ps384",
        "PS512" => "alg.unlisted.ps512",
        "ES256" => "alg.unlisted.es256",
        "ES384" => "alg.unlisted.es384",
        "ES512" => "alg.unlisted.es512",
        _ => "alg.unlisted.eddsa",
    })
}

fn kid_flaw(found: Option<&Value>, expected: &Value) -> Option<Flaw> {
    let own = expected.as_str().unwrap();
    match found {
        Some(Value::String(kid)) if kid == own => None,
        Some(Value::String(kid)) if kid.eq_ignore_ascii_case(own) => Some("key.kid.case"),
        Some(Value::String(kid)) if own.starts_with(kid.as_str()) => Some("key.kid.beginning"),
        Some(Value::String(kid)) if is_uuid(kid) => Some("key.kid.other"),
        Some(Value::Number(_)) => Some("header.kid-number"),
        Some(Value::Null) => Some("header.kid-null"),
        _ => Some(UNNAMED),
    }
}

/// Whether the `kid` has the length of the ones that the suite generates.
fn is_uuid(kid: &str) -> bool {
    kid.len() == 36
}

fn unsuitable_key(key: &Value, state: &State) -> Option<Flaw> {
    let lacks_verify = key
        .get("key_ops")
        .is_some_and(|ops| !ops.to_string().contains("verify"));
    if key["e"] == "AQ" && !state.keys.cache().exponent_of_one {
        Some("key.rotation.exponent-of-one")
    } else if key.get("d").is_some() {
        Some("jwks.private")
    } else if key["use"] == "enc" {
        Some("jwks.for-encryption")
    } else if lacks_verify {
        Some("jwks.key-ops")
    } else if key["n"].as_str().is_some_and(|n| n.len() < 300) {
        Some("jwks.short-rsa")
    } else {
        None
    }
}

/// The flaw of a token that is signed with the canary's key.
fn canary_flaw(parts: &Parts, claims: &Value) -> Flaw {
    let header = &parts.header;
    let has_url_kid = header["kid"]
        .as_str()
        .is_some_and(|kid| kid.contains("://"));
    match header["jku"].as_str() {
        Some(jku) if jku.contains('@') => "ssrf.jku-user",
        Some(_) => "ssrf.jku",
        None if header.get("x5u").is_some() => "ssrf.x5u",
        None if has_url_kid => "ssrf.kid",
        None if claims.get("jwks_uri").is_some() => "ssrf.claims",
        None => "key.of-another-issuer",
    }
}

/// Returns the algorithm with which this key verifies the signature.
fn verifying_algorithm(key: &Value, message: &[u8], signature: &[u8]) -> Option<&'static str> {
    let bytes = |name: &str| {
        URL_SAFE_NO_PAD
            .decode_to_vec(key[name].as_str().unwrap_or_default())
            .unwrap_or_default()
    };
    match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => {
            let (n, e) = (bytes("n"), bytes("e"));
            if e == [1] {
                return (signature == pkcs1_v1_5(message)).then_some("RS256");
            }
            let public = lc::RsaPublicKeyComponents {
                n: n.as_slice(),
                e: e.as_slice(),
            };
            let rs256: (&str, &lc::RsaParameters) =
                ("RS256", &lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY);
            [
                rs256,
                ("RS384", &lc::RSA_PKCS1_2048_8192_SHA384),
                ("RS512", &lc::RSA_PKCS1_2048_8192_SHA512),
                ("PS256", &lc::RSA_PSS_2048_8192_SHA256),
                ("PS384", &lc::RSA_PSS_2048_8192_SHA384),
                ("PS512", &lc::RSA_PSS_2048_8192_SHA512),
            ]
            .into_iter()
            .find(|(_, parameters)| public.verify(parameters, message, signature).is_ok())
            .map(|(name, _)| name)
        }
        ("EC", Some(curve)) => {
            let point = [vec![4], bytes("x"), bytes("y")].concat();
            let (name, algorithm) = match curve {
                "P-256" => ("ES256", &lc::ECDSA_P256_SHA256_FIXED),
                "P-384" => ("ES384", &lc::ECDSA_P384_SHA384_FIXED),
                _ => ("ES512", &lc::ECDSA_P521_SHA512_FIXED),
            };
            lc::UnparsedPublicKey::new(algorithm, point)
                .verify(message, signature)
                .is_ok()
                .then_some(name)
        }
        ("OKP", _) => lc::UnparsedPublicKey::new(&lc::ED25519, bytes("x"))
            .verify(message, signature)
            .is_ok()
            .then_some("EdDSA"),
        _ => None,
    }
}

/// Encodes a message with EMSA-PKCS1-v1_5 and SHA-256 for a 2048-bit key.
fn pkcs1_v1_5(message: &[u8]) -> Vec<u8> {
    let digest_info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
    [
        &[0, 1],
        [0xff; 202].as_slice(),
        &[0],
        &digest_info,
        hash.as_ref(),
    ]
    .concat()
}

/// How the header identifies the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kid<'a> {
    /// A published key.
    Published,
    /// A `kid` that the suite generated and did not publish.
    Unpublished,
    Long,
    Other(&'a str),
    Missing,
}

impl<'a> Kid<'a> {
    fn from_header(header: &'a Value, set: &[Value]) -> Self {
        match header.get("kid").and_then(Value::as_str) {
            None => Self::Missing,
            Some(kid) if set.iter().any(|key| key["kid"] == kid) => Self::Published,
            Some(kid) if is_uuid(kid) => Self::Unpublished,
            Some(kid) if kid.len() > 1000 => Self::Long,
            Some(kid) => Self::Other(kid),
        }
    }
}

/// The flaw of a signature that no published key verifies.
fn invalid_signature(set: &[Value], parts: &Parts, named: Option<&Value>) -> Flaw {
    let (header, signature) = (&parts.header, parts.signature.as_slice());
    let algorithm = header["alg"].as_str().unwrap_or_default();
    let kid = Kid::from_header(header, set);
    if signature.is_empty() {
        return match (algorithm, kid) {
            ("none", Kid::Published) => "alg.none.lower-case",
            ("NONE", Kid::Published) => "alg.none.upper-case",
            ("None", Kid::Published) => "alg.none.capitalised",
            ("nOnE", Kid::Published) => "alg.none.mixed-case",
            ("none ", Kid::Published) => "alg.none.space",
            (" none", Kid::Published) => "alg.none.leading-space",
            ("none\0", Kid::Published) => "alg.none.nul",
            ("null", Kid::Published) => "alg.none.null",
            ("none", Kid::Missing) => "alg.none.no-kid",
            (_, Kid::Published) => "sig.empty",
            _ => UNNAMED,
        };
    }
    if algorithm == "none" && signature.iter().all(|byte| *byte == 0) {
        return "alg.none.with-signature";
    }
    if let Some(secret) = hmac_secret(set, parts) {
        return hmac_flaw(algorithm, &secret, kid);
    }
    let attacker = KeyPair::foreign_key(&KeyPair::cached(Algorithm::RS256, 0)).jwk();
    let message = parts.signing_input.as_bytes();
    if verifying_algorithm(&attacker.into(), message, signature).is_some() {
        return attacker_flaw(header, kid);
    }
    named.map_or(UNNAMED, |key| {
        malformed_signature(key, parts).unwrap_or("sig.tampered-payload")
    })
}

/// The flaw of a signature with the attacker's key.
fn attacker_flaw(header: &Value, kid: Kid) -> Flaw {
    let has = |name: &str| header.get(name).is_some();
    match kid {
        Kid::Published if has("jwk") => "key.embedded-jwk",
        Kid::Missing if has("jwk") => "key.embedded-jwk-no-kid",
        Kid::Published if has("x5c") => "key.embedded-x5c",
        _ if has("jwk") || has("x5c") => UNNAMED,
        Kid::Published => "sig.untrusted-key",
        Kid::Unpublished => "key.unknown-kid",
        Kid::Missing => "key.no-kid-untrusted-key",
        Kid::Long => "key.kid.long",
        Kid::Other("__proto__") => "key.kid.proto",
        Kid::Other("constructor") => "key.kid.constructor",
        Kid::Other("toString") => "key.kid.to-string",
        Kid::Other("") => "key.kid.empty",
        Kid::Other("0") => "key.kid.number",
        Kid::Other(kid) if kid.starts_with("%n%s") => "key.kid.format",
        Kid::Other(_) => UNNAMED,
    }
}

/// A signature that was derived from a valid one of this key.
fn malformed_signature(key: &Value, parts: &Parts) -> Option<Flaw> {
    let (message, signature) = (parts.signing_input.as_bytes(), parts.signature.as_slice());
    let verifies =
        |message: &[u8], signature: &[u8]| verifying_algorithm(key, message, signature).is_some();
    let (is_rsa, is_p256, is_ed25519) = (
        key["kty"] == "RSA",
        key["crv"] == "P-256",
        key["crv"] == "Ed25519",
    );
    let original_header = parts
        .header_text
        .replace(",\"x\":1", "")
        .replace("\"x\":1,", "");
    let original = format!(
        "{}.{}",
        encode(original_header.as_bytes()),
        encode(&parts.payload)
    );
    let decoded = format!(
        "{}.{}",
        parts.header_text,
        String::from_utf8_lossy(&parts.payload)
    );
    let mut flipped = signature.to_vec();
    flipped[signature.len() / 2] ^= 1;
    let (r, s) = signature.split_at(signature.len() / 2);
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let (last, start) = signature.split_last()?;
    let modulus = key["n"].as_str().unwrap_or_default();
    let length = URL_SAFE_NO_PAD
        .decode_to_vec(modulus)
        .map_or(64, |n| n.len());
    let rsa = [
        (verifies(message, start), "sig.extended"),
        (verifies(message, &flipped), "sig.flipped-bit"),
        (
            verifies(original.as_bytes(), signature),
            "sig.tampered-header",
        ),
        (verifies(&parts.payload, signature), "sig.payload-only"),
        (verifies(decoded.as_bytes(), signature), "sig.decoded"),
        (is_zero(signature), "sig.zeros"),
        (is_zero(start) && *last == 1, "sig.one"),
        (encode(signature) == modulus, "sig.rsa.modulus"),
        (signature.len() + 1 == length, "sig.truncated"),
        (signature.len() == length / 2, "sig.half"),
    ];
    let p256 = [
        (is_zero(signature), "sig.ecdsa.zeros"),
        (
            signature.len() != 64 && signature[0] == 0x30,
            "sig.ecdsa.der",
        ),
        (r == s, "sig.ecdsa.order"),
        (is_zero(r), "sig.ecdsa.r-zero"),
        (is_zero(s), "sig.ecdsa.s-zero"),
    ];
    let ed25519 = [
        (
            signature[0] == 1 && is_zero(&signature[1..]),
            "sig.eddsa.identity",
        ),
        (
            signature.len() == 64 && signature[63] >= 0x10,
            "sig.eddsa.other-spelling",
        ),
    ];
    let candidates: &[(bool, Flaw)] = match (is_rsa, is_p256, is_ed25519) {
        (true, ..) => &rsa,
        (_, true, _) => &p256,
        (.., true) => &ed25519,
        _ => &[],
    };
    candidates
        .iter()
        .find(|(matches, _)| *matches)
        .map(|(_, flaw)| *flaw)
}

/// A secret with which the suite computes an HMAC.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Secret {
    /// An encoding of the public key.
    PublicKey(&'static str),
    Kid,
    /// The text of the `n` or `x` member.
    Modulus,
    File,
    Known(&'static str),
    /// A published symmetric key.
    Published,
    /// The PEM of the public key; the HMAC is repeated to the length of a signature.
    RepeatedPem,
}

fn hmac_flaw(algorithm: &str, secret: &Secret, kid: Kid) -> Flaw {
    use Secret::{File, Known, Modulus, PublicKey, Published, RepeatedPem};
    let is_published = kid == Kid::Published;
    match (algorithm, secret, kid) {
        (_, PublicKey("empty"), Kid::Other(kid)) if kid.ends_with("/dev/null") => {
            "key.kid.dev-null"
        }
        (_, File, Kid::Other(kid)) if kid.contains("/proc/") => "key.kid.file",
        (_, Known("secret"), Kid::Other(kid)) if kid.contains("UNION SELECT") => "key.kid.sql",
        (_, PublicKey("empty"), Kid::Other(kid)) if kid.contains("objectClass") => "key.kid.ldap",
        (_, PublicKey("empty"), Kid::Other(kid)) if kid.contains("$(id)") => "key.kid.shell",
        ("HS256", PublicKey("pem"), Kid::Missing) => "alg.hmac.no-kid",
        _ if !is_published => UNNAMED,
        ("HS256", PublicKey("pem"), _) => "alg.hmac.pem",
        ("HS256", PublicKey("der"), _) => "alg.hmac.der",
        ("HS256", PublicKey("raw"), _) => "alg.hmac.raw",
        ("HS256", PublicKey("jwk"), _) => "alg.hmac.jwk",
        ("HS256", PublicKey("empty"), _) => "alg.hmac.empty",
        // The remaining encoding is the PEM without the trailing newline.
        ("HS256", PublicKey(_), _) => "alg.hmac.pem-trimmed",
        ("HS384", PublicKey("pem"), _) => "alg.hmac.hs384",
        ("HS512", PublicKey("pem"), _) => "alg.hmac.hs512",
        ("RS256", PublicKey("pem"), _) => "alg.hmac.own-name",
        ("RS256", RepeatedPem, _) => "alg.hmac.padded",
        ("HS256", Secret::Kid, _) => "alg.hmac.kid",
        ("HS256", Modulus, _) => "alg.hmac.modulus-text",
        ("HS256", Published, _) => "jwks.symmetric",
        ("HS256", Known("secret"), _) => "alg.hmac.known.secret",
        ("HS256", Known("your-256-bit-secret"), _) => "alg.hmac.known.your-256-bit-secret",
        ("HS256", Known("change-me"), _) => "alg.hmac.known.change-me",
        ("HS256", Known(secret), _) if secret.starts_with("super-secret-jwt-token") => {
            "alg.hmac.known.supabase-local"
        }
        _ => UNNAMED,
    }
}

/// Finds the secret of an HMAC signature.
fn hmac_secret(set: &[Value], parts: &Parts) -> Option<Secret> {
    let kid = parts.header["kid"].as_str().unwrap_or_default();
    let is_signing_key = |key: &&Value| {
        key["use"] == "sig"
            && key["alg"]
                .as_str()
                .is_some_and(|alg| alg.parse::<Algorithm>().is_ok())
    };
    // The key of the kid, or else the first one.
    let jwk = set
        .iter()
        .filter(is_signing_key)
        .find(|key| key["kid"] == kid)
        .or_else(|| set.iter().find(is_signing_key))?;
    let key = match jwk["alg"].as_str()?.parse().ok()? {
        algorithm @ (Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA) => {
            KeyPair::cached(algorithm, 0)
        }
        algorithm => KeyPair::cached(Algorithm::RS256, 0).with_algorithm(algorithm),
    };
    let key = key.with_kid(jwk["kid"].as_str()?);
    let text = |name: &str| jwk[name].as_str().unwrap_or_default().as_bytes().to_vec();
    let mut secrets: Vec<(Secret, Vec<u8>)> = key
        .public_encodings()
        .into_iter()
        .map(|(name, bytes)| (Secret::PublicKey(name), bytes))
        .collect();
    secrets.extend([
        (Secret::Kid, text("kid")),
        (Secret::Modulus, [text("n"), text("x")].concat()),
        (Secret::File, b"2\n".to_vec()),
    ]);
    for known in [
        "secret",
        "your-256-bit-secret",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "change-me",
        "x",
    ] {
        secrets.push((Secret::Known(known), known.as_bytes().to_vec()));
    }
    if let Some(symmetric) = set
        .iter()
        .find(|key| key["kty"] == "oct" && key["kid"] == kid)
    {
        let secret = URL_SAFE_NO_PAD
            .decode_to_vec(symmetric["k"].as_str()?)
            .ok()?;
        secrets.push((Secret::Published, secret));
    }
    for (secret, bytes) in secrets {
        for algorithm in [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512] {
            let tag = hmac::sign(
                &hmac::Key::new(algorithm, &bytes),
                parts.signing_input.as_bytes(),
            );
            if parts.signature == tag.as_ref() {
                return Some(secret);
            }
            if parts.signature.len() > tag.as_ref().len()
                && parts.signature.starts_with(tag.as_ref())
                && secret == Secret::PublicKey("pem")
            {
                return Some(Secret::RepeatedPem);
            }
        }
    }
    None
}
