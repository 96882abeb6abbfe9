//! The flaws of the test server, and the cases that detect them.

use std::time::Duration;

use bearward::Algorithm;
use bearward_contract::all_cases;

use crate::test_server::{
    Behavior, CacheKey, Flaw, KeyCache, MetadataFlaw, ResponseFlaw, SameKid, SkippedCheck,
};

/// Flaws for which the test server wrongly accepts a request.
pub(crate) const ACCEPTED: &[Flaw] = &[
    "control.no-token",
    "form.garbage",
    "http.scheme.only",
    "form.header-only",
    "form.two-parts",
    "form.four-parts",
    "form.five-parts",
    "form.dots",
    "form.no-header",
    "form.no-payload",
    "form.json-flattened",
    "form.json-general",
    "form.nested",
    "form.encrypted",
    "form.encrypted-by-password",
    "form.payload-trailing",
    "form.header-trailing",
    "form.header-base64",
    "form.payload-base64",
    "form.signature-base64",
    "form.api-key",
    "form.refresh-token",
    "form.many-dots",
    "form.not-ascii",
    "form.inner-space",
    "form.payload-array",
    "form.payload-string",
    "form.payload-number",
    "form.payload-null",
    "form.payload-not-json",
    "form.payload-empty-object",
    "form.padding",
    "form.standard-alphabet",
    "form.trailing-bits",
    "header.not-json",
    "header.array",
    "header.null",
    "header.empty-object",
    "header.alg-missing",
    "header.alg-null",
    "header.alg-number",
    "header.alg-array",
    "header.alg-empty",
    "header.alg-case",
    "header.alg-space",
    "header.alg-twice-last-none",
    "header.kid-twice-last-unknown",
    "header.crit-unknown",
    "header.crit-absent-member",
    "header.crit-b64",
    "header.crit-empty",
    "header.crit-standard",
    "header.crit-not-a-list",
    "header.typ-logout",
    "header.typ-dpop",
    "header.typ-secevent",
    "header.typ-client-authentication",
    "header.typ-number",
    "header.kid-number",
    "header.kid-null",
    "header.b64",
    "header.alg-twice-first-none",
    "header.alg-twice-escaped",
    "header.unknown-twice",
    "header.byte-order-mark",
    "alg.none.lower-case",
    "alg.none.upper-case",
    "alg.none.capitalised",
    "alg.none.mixed-case",
    "alg.none.space",
    "alg.none.leading-space",
    "alg.none.nul",
    "alg.none.null",
    "alg.none.with-signature",
    "alg.none.rightly-signed",
    "alg.none.no-dot",
    "alg.none.no-kid",
    "alg.hmac.pem",
    "alg.hmac.pem-trimmed",
    "alg.hmac.der",
    "alg.hmac.raw",
    "alg.hmac.jwk",
    "alg.hmac.empty",
    "alg.hmac.hs384",
    "alg.hmac.hs512",
    "alg.hmac.no-kid",
    "alg.hmac.own-name",
    "alg.hmac.kid",
    "alg.hmac.modulus-text",
    "alg.hmac.known.secret",
    "alg.hmac.known.your-256-bit-secret",
    "alg.hmac.known.supabase-local",
    "alg.hmac.known.change-me",
    "alg.swap.rs512",
    "alg.swap.ps256",
    "alg.header-lies",
    "alg.unknown",
    "alg.key-wrapping",
    "alg.pbes2",
    "alg.hmac.padded",
    "sig.empty",
    "sig.tampered-payload",
    "sig.tampered-header",
    "sig.untrusted-key",
    "sig.flipped-bit",
    "sig.truncated",
    "sig.half",
    "sig.zeros",
    "sig.one",
    "sig.payload-only",
    "sig.decoded",
    "sig.extended",
    "sig.ecdsa.zeros",
    "sig.ecdsa.r-zero",
    "sig.ecdsa.s-zero",
    "sig.ecdsa.order",
    "sig.ecdsa.der",
    "sig.eddsa.identity",
    "sig.eddsa.other-spelling",
    "sig.rsa.modulus",
    "key.embedded-jwk",
    "key.embedded-jwk-no-kid",
    "key.embedded-x5c",
    "key.unknown-kid",
    "key.no-kid-untrusted-key",
    "key.of-another-issuer",
    "key.kid.long",
    "key.kid.case",
    "key.kid.other",
    "key.kid.beginning",
    "key.kid.dev-null",
    "key.kid.file",
    "key.kid.sql",
    "key.kid.ldap",
    "key.kid.shell",
    "key.kid.proto",
    "key.kid.constructor",
    "key.kid.to-string",
    "key.kid.empty",
    "key.kid.number",
    "key.kid.format",
    "claims.exp.past",
    "claims.exp.ten-minutes",
    "claims.exp.zero",
    "claims.exp.negative",
    "claims.exp.fraction-past",
    "claims.exp.string-past",
    "claims.nbf.future",
    "claims.nbf.ten-minutes",
    "claims.aud.other",
    "claims.aud.missing",
    "claims.aud.null",
    "claims.aud.empty",
    "claims.aud.empty-array",
    "claims.aud.array-of-others",
    "claims.aud.number",
    "claims.aud.true",
    "claims.aud.object",
    "claims.aud.nested",
    "claims.aud.prefix",
    "claims.aud.suffix",
    "claims.aud.beginning",
    "claims.aud.case",
    "claims.aud.words",
    "claims.aud.commas",
    "claims.aud.space",
    "claims.aud.star",
    "claims.client.other",
    "claims.client.longer",
    "claims.client.missing",
    "claims.client.array",
    "claims.required.other",
    "claims.required.longer",
    "claims.required.missing",
    "claims.tenant.other",
    "claims.tenant.mismatch",
    "claims.tenant.path",
    "claims.tenant.missing",
    "claims.twice.exp",
    "claims.twice.exp-escaped",
    "claims.twice.aud",
    "claims.twice.iss",
    "claims.twice.nbf",
    "claims.exp.missing",
    "claims.exp.null",
    "claims.exp.string-future",
    "claims.exp.true",
    "claims.exp.array",
    "claims.exp.object",
    "claims.nbf.string",
    "claims.iat.future",
    "claims.iat.string",
    "claims.aud.mixed",
    "claims.sub.missing",
    "claims.sub.null",
    "claims.sub.empty",
    "claims.sub.number",
    "claims.sub.array",
    "claims.sub.long",
    "claims.cnf",
    "claims.twice.sub",
    "claims.twice.sub-escaped",
    "claims.twice.exp-first",
    "claims.twice.unknown",
    "iss.other",
    "iss.missing",
    "iss.null",
    "iss.empty",
    "iss.number",
    "iss.array",
    "iss.object",
    "iss.slash",
    "iss.case",
    "iss.base",
    "iss.longer-host",
    "iss.longer-path",
    "iss.contained",
    "iss.user",
    "iss.query",
    "iss.fragment",
    "iss.space",
    "iss.list",
    "iss.dots",
    "iss.scheme",
    "iss.nul",
    "iss.look-alike",
    "jwks.symmetric",
    "jwks.for-encryption",
    "jwks.key-ops",
    "jwks.other-algorithm",
    "jwks.private",
    "jwks.short-rsa",
    "ssrf.jku",
    "ssrf.jku-user",
    "ssrf.x5u",
    "ssrf.iss",
    "ssrf.kid",
    "ssrf.claims",
    "http.scheme.basic",
    "http.comma",
    "http.identity-headers",
    "http.internal-headers",
    "http.method.head",
    "http.method.post",
    "http.two-headers.good-first",
    "http.two-headers.good-last",
    "http.query",
    "http.no-scheme",
    "http.scheme.other",
    "http.quoted",
    "dpop.key.other",
    "dpop.key.missing",
    "dpop.key.private",
    "dpop.key.symmetric",
    "dpop.signature.tampered",
    "dpop.signature.empty",
    "dpop.alg.none",
    "dpop.alg.hmac",
    "dpop.typ.missing",
    "dpop.typ.jwt",
    "dpop.crit",
    "dpop.jti.missing",
    "dpop.htm.missing",
    "dpop.htu.missing",
    "dpop.iat.missing",
    "dpop.ath.missing",
    "dpop.htm.other",
    "dpop.htu.host",
    "dpop.htu.path",
    "dpop.ath.other",
    "dpop.iat.past",
    "dpop.iat.future",
    "dpop.replay",
    "dpop.no-proof",
    "dpop.two-proofs",
    "dpop.bearer",
    "dpop.unbound",
    "mtls.no-certificate",
    "mtls.other-certificate",
    "mtls.same-subject",
    "mtls.used-token",
    "mtls.renewed-certificate",
    "mtls.malformed-certificate",
    "mtls.two-headers",
    "mtls.untrusted-peer",
    "mtls.thumbprint.of-nothing",
    "mtls.thumbprint.null",
    "mtls.thumbprint.empty",
    "mtls.thumbprint.prefix",
    "mtls.thumbprint.case",
    "mtls.thumbprint.sha1",
    "mtls.thumbprint.array",
];

/// Returns the flaws of clients of a TLS listener, which the test server wrongly accepts: those of a
/// server behind a proxy without the ones of its header, and the ones of the handshake.
pub(crate) fn handshake() -> impl Iterator<Item = Flaw> {
    let mtls = ACCEPTED.iter().filter(|flaw| flaw.starts_with("mtls."));
    let of_both = mtls.filter(|flaw| !ONLY_HEADER.contains(flaw));
    of_both.copied().chain(ONLY_HANDSHAKE)
}

/// The cases of the group `mtls` that apply only to a TLS listener, and only to a server behind a
/// proxy.
pub(crate) const ONLY_HANDSHAKE: [&str; 2] = ["mtls.chain", "mtls.client-header"];
pub(crate) const ONLY_HEADER: [&str; 3] = [
    "mtls.malformed-certificate",
    "mtls.two-headers",
    "mtls.untrusted-peer",
];

/// Cases that detect a flaw together because they send the same kind of request. All other flaws are
/// detected only by the case that they are named after.
const SHARED: &[(Flaw, &[&str])] = &[
    (
        "control.no-token",
        &[
            "control.no-token",
            "http.keep-alive",
            "http.challenge.grammar",
        ],
    ),
    ("sig.empty", &["sig.empty", "cache.no-signature"]),
    (
        "sig.tampered-payload",
        &[
            "sig.tampered-payload",
            "sig.of-another-token",
            "http.keep-alive",
            "http.parallel",
            "http.challenge.grammar",
            "cache.payload",
        ],
    ),
    (
        "sig.untrusted-key",
        &["sig.untrusted-key", "cache.identifier"],
    ),
    ("sig.flipped-bit", &["sig.flipped-bit", "cache.signature"]),
    (
        "key.unknown-kid",
        &["key.unknown-kid", "flood.one-kid", "flood.many-kids"],
    ),
];

/// Returns the cases that detect that a server accepts this flaw.
pub(crate) fn detected_by(flaw: Flaw) -> Vec<&'static str> {
    SHARED
        .iter()
        .find(|(shared, _)| *shared == flaw)
        .map_or_else(|| vec![flaw], |(_, ids)| ids.to_vec())
}

/// Flaws and properties that cause an internal error of the test server.
pub(crate) const FAILS: &[Flaw] = &[
    "form.deep-nesting",
    "claims.exp.huge",
    "claims.exp.float",
    "claims.exp.overflow",
    "claims.exp.lowest",
    "claims.sub.odd",
    "claims.sub.object",
    "form.deep-nesting-unsigned",
    "form.oversize",
];

/// Properties of valid tokens that the test server wrongly rejects.
pub(crate) const REJECTED: &[Flaw] = &[
    "control.alg.rs384",
    "control.alg.rs512",
    "control.alg.ps256",
    "control.alg.ps384",
    "control.alg.ps512",
    "control.alg.es256",
    "control.alg.es384",
    "control.alg.es512",
    "control.alg.eddsa",
    "control.alg.ed25519",
    "control.typ-absent",
    "control.typ-lower-case",
    "control.unknown-header",
    "control.unknown-claims",
    "control.aud-array",
    "control.aud-array-of-two",
    "control.nbf-past",
    "control.exp-fraction",
    "control.white-space",
    "control.escaped-names",
    "control.unicode",
    "control.large",
    "http.scheme.lower-case",
    "http.scheme.upper-case",
    "http.spaces",
    "dpop.valid",
    "dpop.htu.case",
    "dpop.htu.request-query",
    "dpop.htu.query",
    "dpop.iat.recent",
    "dpop.iat.ahead",
    "dpop.scheme.lower-case",
    "mtls.valid",
    "mtls.unbound",
];

/// Flaws whose tokens contain a URL that the test server fetches before it rejects them.
pub(crate) const FETCHED: &[Flaw] = &[
    "ssrf.jku",
    "ssrf.jku-user",
    "ssrf.x5u",
    "ssrf.kid",
    "ssrf.claims",
    "ssrf.iss",
];

/// Algorithms that the test server accepts although they are not listed. ES256 is listed for RS256,
/// and RS256 for all others.
pub(crate) const UNLISTED: &[(Flaw, Algorithm)] = &[
    ("alg.unlisted.rs256", Algorithm::RS256),
    ("alg.unlisted.rs384", Algorithm::RS384),
    ("alg.unlisted.rs512", Algorithm::RS512),
    ("alg.unlisted.ps256", Algorithm::PS256),
    ("alg.unlisted.ps384", Algorithm::PS384),
    ("alg.unlisted.ps512", Algorithm::PS512),
    ("alg.unlisted.es256", Algorithm::ES256),
    ("alg.unlisted.es384", Algorithm::ES384),
    ("alg.unlisted.es512", Algorithm::ES512),
    ("alg.unlisted.eddsa", Algorithm::EdDSA),
];

/// Caches of results with a wrong key, and the cases that detect them.
pub(crate) fn result_caches() -> Vec<(Behavior, &'static [&'static str])> {
    vec![
        (
            Behavior::CachesResults(CacheKey::HeaderAndPayload),
            &["cache.signature", "cache.no-signature"],
        ),
        (
            Behavior::CachesResults(CacheKey::HeaderPayloadAndSignatureLength),
            &["cache.signature"],
        ),
        (
            Behavior::CachesResults(CacheKey::UnsignedHeaderAndPayload),
            &["cache.no-signature"],
        ),
        (Behavior::MixesUpRequests, &["http.parallel"]),
        (
            Behavior::CachesResults(CacheKey::Signature),
            &["cache.payload"],
        ),
        (
            Behavior::CachesResults(CacheKey::Identifier),
            &["cache.signature", "cache.no-signature", "cache.identifier"],
        ),
    ]
}

/// A flaw of the key cache.
pub(crate) struct KeyCacheFlaw {
    pub(crate) cache: KeyCache,
    /// The groups to run.
    pub(crate) groups: &'static [&'static str],
    /// The cases that detect it.
    pub(crate) detected_by: &'static [&'static str],
}

/// Every flaw of the key cache.
#[allow(clippy::too_many_lines, reason = "a list of flaws")]
pub(crate) fn key_cache_flaws() -> Vec<KeyCacheFlaw> {
    const ROTATION: &[&str] = &["key.rotation"];
    const OUTAGE: &[&str] = &["outage"];
    const SLOW: &[&str] = &["slow"];
    const GATE: &[&str] = &["gate"];
    const JWKS: &[&str] = &["jwks"];
    let flaw = |groups: &'static [&'static str],
                detected_by: &'static [&'static str],
                change: fn(&mut KeyCache)| {
        let mut cache = KeyCache::default();
        change(&mut cache);
        KeyCacheFlaw {
            cache,
            groups,
            detected_by,
        }
    };
    vec![
        flaw(
            &["key.rotation", "outage", "slow", "herd", "gate"],
            // The others have the same cause and do not apply.
            &["key.rotation.same-request"],
            |cache| cache.refetches = false,
        ),
        flaw(ROTATION, &["key.rotation.old-key"], |cache| {
            cache.newest_only = true;
        }),
        flaw(ROTATION, &["key.rotation.unreadable-neighbours"], |cache| {
            cache.skips_unreadable_members = false;
        }),
        flaw(ROTATION, &["key.rotation.exponent-of-one"], |cache| {
            cache.exponent_of_one = true;
        }),
        flaw(
            ROTATION,
            &[
                "key.rotation.removed-key",
                "key.rotation.removed-key-known-token",
            ],
            |cache| cache.keeps_removed = true,
        ),
        flaw(
            ROTATION,
            &["key.rotation.removed-key-known-token"],
            |cache| cache.caches_tokens_forever = true,
        ),
        flaw(ROTATION, &["key.rotation.in-place"], |cache| {
            cache.refetches_on_bad_signature = false;
        }),
        flaw(
            OUTAGE,
            &[
                "outage.known-key",
                "outage.json-error",
                "outage.page",
                "outage.empty-set",
                "outage.large-set",
                "outage.reset",
                "outage.refused",
            ],
            |cache| cache.keeps_when_failing = false,
        ),
        flaw(
            OUTAGE,
            &[
                "outage.page",
                "outage.empty-set",
                "outage.large-set",
                "outage.reset",
                "outage.refused",
            ],
            |cache| cache.keeps_when_unreadable = false,
        ),
        flaw(
            OUTAGE,
            &[
                "outage.empty-set",
                "outage.large-set",
                "outage.reset",
                "outage.refused",
            ],
            |cache| cache.keeps_when_empty = false,
        ),
        flaw(
            OUTAGE,
            &["outage.large-set", "outage.reset", "outage.refused"],
            |cache| cache.has_a_size_limit = false,
        ),
        flaw(OUTAGE, &["outage.reset", "outage.refused"], |cache| {
            cache.keeps_when_reset = false;
        }),
        flaw(OUTAGE, &["outage.refused"], |cache| {
            cache.keeps_when_refused = false;
        }),
        flaw(OUTAGE, &["outage.hang"], |cache| {
            cache.keeps_when_timed_out = false;
        }),
        flaw(
            OUTAGE,
            &["outage.unknown-key", "outage.recovery"],
            |cache| cache.unavailable_is_accepted = true,
        ),
        flaw(OUTAGE, &["outage.redirect"], |cache| {
            cache.follows_redirects = true;
        }),
        flaw(OUTAGE, &["outage.hammering"], |cache| {
            cache.counts_failures = false;
        }),
        flaw(OUTAGE, &["outage.recovery"], |cache| {
            cache.recovers = false;
        }),
        flaw(SLOW, &["slow.known-key"], |cache| {
            cache.waits_for_every_fetch = true;
            cache.timeout = Duration::from_secs(4);
        }),
        flaw(SLOW, &["slow.unknown-key"], |cache| {
            cache.timeout = Duration::from_secs(60);
        }),
        // One fetch per request.
        flaw(
            &["herd", "flood"],
            &["herd.one-fetch", "flood.one-kid", "flood.many-kids"],
            |cache| {
                cache.coalesces_fetches = false;
                cache.cooldown = Duration::ZERO;
            },
        ),
        flaw(&["herd"], &["herd.one-fetch"], |cache| {
            cache.coalesces_fetches = false;
        }),
        flaw(&["flood"], &["flood.one-kid"], |cache| {
            cache.retries_missing_kid = true;
            cache.cooldown = Duration::from_secs(60);
        }),
        flaw(&["herd", "flood"], &["flood.many-kids"], |cache| {
            cache.cooldown_per_kid = true;
            cache.cooldown = Duration::from_secs(60);
        }),
        flaw(JWKS, &["jwks.twice"], |cache| {
            cache.same_kid = SameKid::NotTwice;
        }),
        flaw(JWKS, &["jwks.same-kid.last"], |cache| {
            cache.same_kid = SameKid::First;
        }),
        flaw(JWKS, &["jwks.same-kid.first"], |cache| {
            cache.same_kid = SameKid::Last;
        }),
        flaw(GATE, &["gate.expired"], |cache| {
            cache.skipped_check = Some(SkippedCheck::Expiry);
        }),
        flaw(GATE, &["gate.issuer"], |cache| {
            cache.skipped_check = Some(SkippedCheck::Issuer);
        }),
        flaw(GATE, &["gate.algorithm"], |cache| {
            cache.skipped_check = Some(SkippedCheck::Algorithm);
        }),
        flaw(GATE, &["gate.form"], |cache| {
            cache.skipped_check = Some(SkippedCheck::Format);
        }),
    ]
}

/// Flaws of rejections that exactly one case detects.
pub(crate) const RESPONSES: &[(ResponseFlaw, Flaw)] = &[
    (ResponseFlaw::Echo, "http.echo"),
    (ResponseFlaw::Cacheable, "http.no-store"),
];

/// Flaws of access tokens of RFC 9068, for a server that accepts no other tokens.
pub(crate) const AT_JWT: &[Flaw] = &[
    "at-jwt.type.jwt",
    "at-jwt.type.missing",
    "at-jwt.type.id-token",
    "at-jwt.client-id.missing",
    "at-jwt.client-id.empty",
    "at-jwt.client-id.number",
    "at-jwt.client-id.array",
    "at-jwt.jti.missing",
    "at-jwt.jti.number",
    "at-jwt.iat.missing",
];

/// Properties of valid access tokens of RFC 9068.
pub(crate) const AT_JWT_REJECTED: &[Flaw] = &["at-jwt.type.media-type", "at-jwt.type.case"];

/// Flaws of the protected resource metadata.
pub(crate) const METADATA: &[(MetadataFlaw, Flaw)] = &[
    (MetadataFlaw::NotServed, "metadata.document"),
    (MetadataFlaw::WrongResource, "metadata.resource"),
    (MetadataFlaw::OtherIssuer, "metadata.issuer"),
    (MetadataFlaw::NotInChallenge, "metadata.challenge"),
    (MetadataFlaw::NoCors, "metadata.cors"),
];

/// Returns the cases during which a lockout of all users is tested.
pub(crate) fn lockout_cases() -> Vec<&'static str> {
    all_cases()
        .iter()
        .map(|case| case.id)
        .filter(|id| {
            id.starts_with("control.after.") || ["control.valid", "control.alg.rs256"].contains(id)
        })
        .collect()
}

/// Cases for which no flaw exists that only they detect, with the reason.
pub(crate) const NEVER_ALONE: &[(&[&str], &str)] = &[
    (
        &["control.no-token"],
        "http.keep-alive and http.challenge.grammar also send a request without a token",
    ),
    (
        &["sig.tampered-payload", "sig.of-another-token"],
        "both send a signature of other data, as do the cases about connections",
    ),
    (
        &["sig.empty"],
        "cache.no-signature sends the same after a valid token",
    ),
    (
        &["sig.flipped-bit"],
        "cache.signature sends the same after a valid token",
    ),
    (
        &["sig.untrusted-key"],
        "cache.identifier sends the same after a valid token",
    ),
    (
        &["key.unknown-kid"],
        "the flood cases send the same a hundred times",
    ),
    (
        &["cache.identifier"],
        "tokens with equal header and payload have the same identifier",
    ),
    (
        &["http.keep-alive"],
        "later cases reuse the connection that the server trusts",
    ),
    (
        &["http.challenge.grammar"],
        "every case that parses a challenge checks its grammar",
    ),
    (
        &["key.rotation.removed-key"],
        "a key that verifies a new token also verifies one that was accepted before",
    ),
    (
        &[
            "outage.known-key",
            "outage.json-error",
            "outage.page",
            "outage.empty-set",
            "outage.large-set",
            "outage.reset",
        ],
        "the faults follow each other, and dropped keys stay dropped",
    ),
    (
        &["outage.unknown-key"],
        "outage.recovery starts with the same request",
    ),
];
