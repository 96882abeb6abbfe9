//! Which key has signed, and if none has, what a careless server might take for a signature.

use aws_lc_rs::{hmac, signature as lc};
use base64_simd::URL_SAFE_NO_PAD;
use bearward::Algorithm;
use bearward_testing::{KeyPair, encode};
use serde_json::Value;

use super::{Readings, State, Violations, keys::Missing, token::Parts};

pub(super) async fn judge(state: &State, parts: &Parts, found: &mut Readings) -> Violations {
    let whole = format!("{}.{}", parts.signed, encode(&parts.signature));
    if state.keys.remembers(&whole) {
        return Violations::new();
    }
    let mut set = state.keys.current().await;
    let mut attempts = state.keys.attempts();
    let kid = parts.header["kid"].as_str();
    let known = |set: &[Value]| kid.is_some_and(|kid| set.iter().any(|key| key["kid"] == kid));
    let gate = may_ask(state, parts);
    if kid.is_some() && !known(&set) && gate {
        state.keys.fetch(kid, attempts).await;
        set = state.keys.current().await;
        attempts = state.keys.attempts();
        if !known(&set) {
            found.missing = Some(if state.keys.failed() {
                Missing::Unavailable
            } else {
                Missing::Unknown
            });
        }
    }
    let mut violations = verdict(&set, parts, found, state);
    if !violations.is_empty()
        && known(&set)
        && gate
        && state.keys.cache().refetches_on_bad_signature
    {
        state.keys.fetch(kid, attempts).await;
        violations = verdict(&state.keys.current().await, parts, found, state);
    }
    if violations.is_empty() {
        state.keys.remember(&whole);
    }
    violations
}

/// Whether the token could be good, as far as can be told without a key.
fn may_ask(state: &State, parts: &Parts) -> bool {
    let forgets = state.keys.cache().gate_forgets;
    let claims: Option<Value> = serde_json::from_slice(&parts.payload).ok();
    let Some(claims) = claims else {
        return forgets == "form";
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let algorithm = parts.header["alg"].as_str().unwrap_or_default();
    (forgets == "issuer" || claims["iss"] == state.trust.issuer.as_str())
        && (forgets == "expired" || claims["exp"].as_f64().is_some_and(|exp| exp > now - 60.0))
        && (forgets == "algorithm" || algorithm.parse::<Algorithm>().is_ok())
        && parts.header.get("crit").is_none()
}

fn verdict(set: &[Value], parts: &Parts, found: &mut Readings, state: &State) -> Violations {
    let (header, message, signature) = (
        &parts.header,
        parts.signed.as_bytes(),
        parts.signature.as_slice(),
    );
    let kid = header["kid"].as_str();
    let named = kid.and_then(|kid| set.iter().find(|key| key["kid"] == kid));
    let foreign = KeyPair::shared(Algorithm::RS256, 1).jwk();
    if named.is_none() && actual(&foreign.into(), message, signature).is_some() {
        // For whoever believes that issuer the signature is right: the verdict stands among the
        // claims.
        let claims: Value = serde_json::from_slice(&parts.payload).unwrap_or_default();
        let of_ours = claims["iss"] == state.trust.issuer.as_str();
        return if of_ours {
            Violations::from([foreigner(parts, &claims)])
        } else {
            Violations::new()
        };
    }
    let by = |key: &&Value| actual(key, message, signature).is_some();
    let signer = named
        .filter(by)
        .or_else(|| {
            set.iter()
                .find(|key| by(key) && actual(key, message, signature) == key["alg"].as_str())
        })
        .or_else(|| set.iter().find(by));
    let Some(key) = signer else {
        return Violations::from([explanation(set, parts, named)]);
    };
    let algorithm = actual(key, message, signature).unwrap();
    let mut violations = unusable(key, state);
    let has_members = header.as_object().is_some_and(|header| !header.is_empty());
    if has_members && header["alg"] != algorithm {
        violations.insert(format!(
            "alg {}",
            header
                .get("alg")
                .map_or("missing".to_owned(), Value::to_string)
        ));
    } else if key["alg"] != algorithm {
        violations.insert(format!(
            "a key of {} signs {algorithm}",
            key["alg"].as_str().unwrap()
        ));
    } else if !state
        .trust
        .algorithms
        .iter()
        .any(|listed| listed == algorithm)
    {
        violations.insert(format!("{algorithm} is not listed"));
    }
    if header["kid"] != key["kid"] && has_members {
        let own = key["kid"].as_str().unwrap();
        let difference = match header.get("kid") {
            Some(Value::String(kid)) if kid.eq_ignore_ascii_case(own) => {
                "of another case".to_owned()
            }
            Some(Value::String(kid)) if own.starts_with(kid.as_str()) => "a beginning".to_owned(),
            Some(Value::String(kid)) if kid.len() == 36 => "unknown".to_owned(),
            Some(kid) => kid.to_string(),
            None => "missing".to_owned(),
        };
        violations.insert(format!("kid {difference}"));
    }
    found.traits.insert(format!("alg {algorithm}"));
    violations
}

fn unusable(key: &Value, state: &State) -> Violations {
    let reason = match () {
        () if key["e"] == "AQ" && !state.keys.cache().exponent_of_one => {
            "a key with an exponent of one"
        }
        () if key.get("d").is_some() => "a key with a private member",
        () if key["use"] == "enc" => "a key for encryption",
        () if key
            .get("key_ops")
            .is_some_and(|ops| !ops.to_string().contains("verify")) =>
        {
            "a key whose operations lack verify"
        }
        () if key["n"].as_str().is_some_and(|n| n.len() < 300) => "a key of 1024 bits",
        () => return Violations::new(),
    };
    Violations::from([reason.to_owned()])
}

/// Signed by the host that nobody should visit.
fn foreigner(parts: &Parts, claims: &Value) -> String {
    let header = &parts.header;
    let jku = header["jku"].as_str();
    let name = match () {
        () if jku.is_some_and(|jku| jku.contains('@')) => "jku behind a user",
        () if jku.is_some() => "jku",
        () if header.get("x5u").is_some() => "x5u",
        () if header["kid"]
            .as_str()
            .is_some_and(|kid| kid.contains("://")) =>
        {
            "kid"
        }
        () if claims.get("jwks_uri").is_some() => "the claims",
        () => "nobody",
    };
    format!("signed by a host that is named by {name}")
}

/// The algorithm by which this key has made this signature.
fn actual(key: &Value, message: &[u8], signature: &[u8]) -> Option<&'static str> {
    let bytes = |name: &str| {
        URL_SAFE_NO_PAD
            .decode_to_vec(key[name].as_str().unwrap_or_default())
            .unwrap_or_default()
    };
    match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => {
            let (n, e) = (bytes("n"), bytes("e"));
            if e == [1] {
                return (signature == padded(message)).then_some("RS256");
            }
            let public = lc::RsaPublicKeyComponents {
                n: n.as_slice(),
                e: e.as_slice(),
            };
            let short: (&str, &lc::RsaParameters) =
                ("RS256", &lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY);
            [
                short,
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
            let (name, algorithm) = if curve == "P-256" {
                ("ES256", &lc::ECDSA_P256_SHA256_FIXED)
            } else {
                ("ES384", &lc::ECDSA_P384_SHA384_FIXED)
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

/// EMSA-PKCS1-v1_5 of 2048 bits.
fn padded(message: &[u8]) -> Vec<u8> {
    let info = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
    [&[0, 1], [0xff; 202].as_slice(), &[0], &info, hash.as_ref()].concat()
}

/// What a careless server might take for a signature.
fn explanation(set: &[Value], parts: &Parts, named: Option<&Value>) -> String {
    let (header, signature) = (&parts.header, parts.signature.as_slice());
    let algorithm = header["alg"].as_str().unwrap_or_default();
    let kid = match header.get("kid") {
        Some(Value::String(kid)) if set.iter().any(|key| key["kid"] == kid.as_str()) => {
            "the issuer's kid".to_owned()
        }
        Some(Value::String(kid)) if kid.len() == 36 => "an unknown kid".to_owned(),
        Some(Value::String(kid)) if kid.len() > 1000 => "a long kid".to_owned(),
        Some(kid) => format!("kid {kid}"),
        None => "no kid".to_owned(),
    };
    if signature.is_empty() {
        return if algorithm.to_lowercase().trim_matches([' ', '\0']) == "none"
            || algorithm == "null"
        {
            format!("alg {algorithm:?} and no signature, under {kid}")
        } else {
            format!("no signature, under {kid}")
        };
    }
    if algorithm == "none" && signature.iter().all(|byte| *byte == 0) {
        return "alg none and zeros".to_owned();
    }
    if let Some(secret) = hmac_secret(set, parts) {
        let named = header
            .get("kid")
            .and_then(Value::as_str)
            .is_some_and(|kid| kid.contains(['/', '\'', '*', '$', '%']));
        return if named {
            format!("an HMAC by {secret}, under {kid}")
        } else {
            format!("an HMAC as {algorithm} by {secret}, under {kid}")
                .replace(", under the issuer's kid", "")
        };
    }
    let stranger = KeyPair::foreign_key(&KeyPair::shared(Algorithm::RS256, 0)).jwk();
    if actual(&stranger.into(), parts.signed.as_bytes(), signature).is_some() {
        return match () {
            () if header.get("jwk").is_some() => {
                format!("signed by the jwk of the header, under {kid}")
            }
            () if header.get("x5c").is_some() => {
                format!("signed by the x5c of the header, under {kid}")
            }
            () => format!("signed by a stranger, under {kid}"),
        };
    }
    let Some(named) = named else {
        return "signed by nobody known".to_owned();
    };
    malformed(named, parts).unwrap_or_else(|| "a signature of something else".to_owned())
}

/// A signature by this key that something has happened to.
fn malformed(key: &Value, parts: &Parts) -> Option<String> {
    let (message, signature) = (parts.signed.as_bytes(), parts.signature.as_slice());
    let good = |message: &[u8], signature: &[u8]| actual(key, message, signature).is_some();
    let kind = format!(
        "{}{}",
        key["kty"].as_str()?,
        key["crv"]
            .as_str()
            .map(|crv| format!(" {crv}"))
            .unwrap_or_default()
    );
    let header_text = parts
        .header_text
        .replace(",\"x\":1", "")
        .replace("\"x\":1,", "");
    let encoded =
        |header: &str| format!("{}.{}", encode(header.as_bytes()), encode(&parts.payload));
    let mut flipped = signature.to_vec();
    flipped[signature.len() / 2] ^= 1;
    let (r, s) = signature.split_at(signature.len() / 2);
    let zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let length = URL_SAFE_NO_PAD
        .decode_to_vec(key["n"].as_str().unwrap_or_default())
        .map_or(64, |n| n.len());
    let name = match () {
        () if good(message, &signature[..signature.len() - 1]) => "one byte more",
        () if good(message, &flipped) => "one bit turned",
        () if good(encoded(&header_text).as_bytes(), signature) => {
            "of a header with one member less"
        }
        () if good(&parts.payload, signature) => "of the payload alone",
        () if good(
            format!(
                "{}.{}",
                parts.header_text,
                String::from_utf8_lossy(&parts.payload)
            )
            .as_bytes(),
            signature,
        ) =>
        {
            "of the text before it was encoded"
        }
        () if zero(signature) => "zeros",
        () if zero(&signature[..signature.len() - 1]) && signature[signature.len() - 1] == 1 => {
            "one"
        }
        () if signature[0] == 1 && zero(&signature[1..]) => "the neutral point",
        () if kind == "EC P-256" && signature.len() != 64 && signature[0] == 0x30 => "in DER",
        () if kind == "EC P-256" && r == s => "the order",
        () if kind == "EC P-256" && zero(r) => "r zero",
        () if kind == "EC P-256" && zero(s) => "s zero",
        () if kind.starts_with("OKP") && signature.len() == 64 && signature[63] >= 0x10 => {
            "with the order added"
        }
        () if encode(signature) == key["n"].as_str().unwrap_or_default() => "the modulus",
        () if signature.len() == length - 1 => "one byte less",
        () if signature.len() == length / 2 => "one half",
        () => return None,
    };
    Some(format!("a signature by {kind}: {name}"))
}

fn hmac_secret(set: &[Value], parts: &Parts) -> Option<String> {
    let kid = parts.header["kid"].as_str();
    // The issuer's key under its kid, or its first one.
    let good = |key: &&Value| {
        key["use"] == "sig"
            && key["alg"]
                .as_str()
                .is_some_and(|alg| alg.parse::<Algorithm>().is_ok())
    };
    let main = set
        .iter()
        .filter(good)
        .find(|key| key["kid"] == kid.unwrap_or_default())
        .or_else(|| set.iter().find(good))?;
    let own = match main["alg"].as_str()?.parse().ok()? {
        algorithm @ (Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA) => {
            KeyPair::shared(algorithm, 0)
        }
        algorithm => KeyPair::shared(Algorithm::RS256, 0).with_algorithm(algorithm),
    };
    let own = own.with_kid(main["kid"].as_str()?);
    let text = |name: &str| main[name].as_str().unwrap_or_default().as_bytes().to_vec();
    let mut secrets: Vec<(String, Vec<u8>)> = own
        .public_encodings()
        .into_iter()
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect();
    secrets.extend([
        ("kid".to_owned(), text("kid")),
        (
            "the modulus's text".to_owned(),
            [text("n"), text("x")].concat(),
        ),
        ("2".to_owned(), b"2\n".to_vec()),
    ]);
    for known in [
        "secret",
        "your-256-bit-secret",
        "super-secret-jwt-token-with-at-least-32-characters-long",
        "change-me",
        "x",
    ] {
        secrets.push((known.to_owned(), known.as_bytes().to_vec()));
    }
    if let Some(symmetric) = set
        .iter()
        .find(|key| key["kty"] == "oct" && key["kid"] == kid.unwrap_or_default())
    {
        secrets.push((
            "the published secret".to_owned(),
            URL_SAFE_NO_PAD
                .decode_to_vec(symmetric["k"].as_str()?)
                .ok()?,
        ));
    }
    for (name, secret) in secrets {
        for algorithm in [hmac::HMAC_SHA256, hmac::HMAC_SHA384, hmac::HMAC_SHA512] {
            let tag = hmac::sign(&hmac::Key::new(algorithm, &secret), parts.signed.as_bytes());
            let tag = tag.as_ref();
            if parts.signature == tag {
                return Some(name);
            }
            if parts.signature.len() > tag.len() && parts.signature.starts_with(tag) {
                return Some(format!("{name}, again and again"));
            }
        }
    }
    None
}
