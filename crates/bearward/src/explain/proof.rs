//! The found and expected values of a proof of possession.

use std::borrow::Cow;

use super::{ExplainContext, json, member, relative_time};
use crate::{
    clock::Timestamp,
    dpop::{KeyThumbprint, ProofRequest, token_hash},
    jws,
    strict_object::{StrictObject, parse_string},
};

/// The claims of a proof that are reported.
const CLAIMS: [&str; 4] = ["htm", "htu", "ath", "nonce"];

/// Returns what a proof contains, and what it must contain.
pub(super) fn describe(context: &ExplainContext<'_>, request: &ProofRequest) -> (String, String) {
    (found(context, request), expected(context, request))
}

fn found(context: &ExplainContext<'_>, request: &ProofRequest) -> String {
    let Some(proof) = request.proof() else {
        return "none, or several".to_owned();
    };
    let mut parts = proof.split('.');
    let mut decoded = || {
        parts
            .next()
            .and_then(|part| jws::decode_base64url(part).ok())
            .unwrap_or_default()
    };
    let (header, payload) = (decoded(), decoded());
    let (header, payload) = (
        StrictObject::parse(&header).ok(),
        StrictObject::parse(&payload).ok(),
    );
    if header.is_none() && payload.is_none() {
        return "unreadable".to_owned();
    }
    let thumbprint = header
        .as_ref()
        .and_then(|header| header.member("jwk"))
        .and_then(KeyThumbprint::from_jwk)
        .map_or_else(|| "unusable".to_owned(), |key| key.to_string());
    let iat = json(payload.as_ref(), "iat");
    let iat = iat.parse::<i64>().map_or(iat, |seconds| {
        let at = Timestamp::from_unix(seconds);
        format!("{at} ({})", relative_time(at, context.input.now))
    });
    let mut found = vec![
        format!("typ {}", member(header.as_ref(), "typ")),
        format!("alg {}", member(header.as_ref(), "alg")),
        format!("key {thumbprint}"),
        format!("iat {iat}"),
    ];
    let claims = CLAIMS.into_iter().filter(|name| {
        *name != "nonce" || payload.as_ref().is_some_and(|it| it.member(name).is_some())
    });
    found.extend(claims.map(|name| format!("{name} {}", member(payload.as_ref(), name))));
    found.join(", ")
}

fn expected(context: &ExplainContext<'_>, request: &ProofRequest) -> String {
    let key = context
        .payload
        .as_ref()
        .and_then(|payload| payload.member("cnf"))
        .and_then(|cnf| StrictObject::parse(cnf.as_bytes()).ok())
        .and_then(|cnf| {
            cnf.member("jkt")
                .and_then(parse_string)
                .map(Cow::into_owned)
        })
        .unwrap_or_else(|| "in cnf.jkt of the token".to_owned());
    format!(
        "typ dpop+jwt, key {}, iat now, htm {}, htu {}, ath {}, not used before",
        crate::text::SanitizedText::new(&key),
        crate::text::SanitizedText::new(request.method()),
        request.url().unwrap_or("the URL of the request"),
        token_hash(context.input.token)
    )
}
