//! Every hole, and the cases that must catch it: no more and no fewer.

use std::time::Duration;

use bearward_contract::groups;

use crate::double::{Cache, Hole, Manners, Remembers};

/// One mistake, and the cases of the whole battery that name it. Where a set has several, the
/// mistake cannot be made for one of them alone.
pub(crate) type Caught = (&'static str, &'static [&'static str]);

/// What a double accepts that it should not.
pub(crate) const OVERLOOKED: &[Caught] = &[
    (
        "nothing sent by GET",
        &[
            "control.no-token",
            "http.keep-alive",
            "http.challenge.grammar",
        ],
    ),
    ("one part", &["form.garbage"]),
    ("the scheme alone", &["http.scheme.alone"]),
    ("a header alone", &["form.header-alone"]),
    ("two parts", &["form.two-parts"]),
    ("four parts", &["form.four-parts"]),
    ("five parts", &["form.five-parts"]),
    ("two dots alone", &["form.dots"]),
    ("no header", &["form.no-header"]),
    ("payload: empty", &["form.no-payload"]),
    ("the flattened JSON form", &["form.json-flattened"]),
    ("the general JSON form", &["form.json-general"]),
    ("payload: another token", &["form.nested"]),
    ("encrypted by RSA-OAEP-256", &["form.encrypted"]),
    (
        "encrypted by PBES2-HS512+A256KW",
        &["form.encrypted-by-password"],
    ),
    ("payload: something follows", &["form.payload-trailing"]),
    ("header: something follows", &["form.header-trailing"]),
    ("header: no base64url", &["form.header-base64"]),
    ("payload: no base64url", &["form.payload-base64"]),
    ("signature: no base64url", &["form.signature-base64"]),
    ("it begins with sb_", &["form.api-key"]),
    ("it begins with v1.", &["form.refresh-token"]),
    ("7001 parts", &["form.many-dots"]),
    ("bytes outside ASCII", &["form.not-ascii"]),
    ("a space inside", &["form.inner-space"]),
    ("payload: array", &["form.payload-array"]),
    ("payload: \"sub\"", &["form.payload-string"]),
    ("payload: 1", &["form.payload-number"]),
    ("payload: null", &["form.payload-null"]),
    ("payload: sub=admin", &["form.payload-not-json"]),
    ("payload: no claims", &["form.payload-empty-object"]),
    ("signature: padding", &["form.padding"]),
    ("signature: the other alphabet", &["form.standard-alphabet"]),
    ("signature: trailing bits", &["form.trailing-bits"]),
    ("header: text", &["header.not-json"]),
    ("header: array", &["header.array"]),
    ("header: null", &["header.null"]),
    ("header: no member", &["header.empty-object"]),
    ("alg missing", &["header.alg-missing"]),
    ("alg null", &["header.alg-null"]),
    ("alg 256", &["header.alg-number"]),
    ("alg [\"RS256\"]", &["header.alg-array"]),
    ("alg \"\"", &["header.alg-empty"]),
    ("alg \"rs256\"", &["header.alg-case"]),
    ("alg \"RS256 \"", &["header.alg-space"]),
    (
        "header: alg twice, good then \"none\"",
        &["header.alg-twice-last-none"],
    ),
    (
        "header: kid twice, good then \"nobody\"",
        &["header.kid-twice-last-unknown"],
    ),
    ("header: crit [\"exotic\"]", &["header.crit-unknown"]),
    (
        "header: crit [\"elsewhere\"]",
        &["header.crit-absent-member"],
    ),
    ("header: crit [\"b64\"]", &["header.crit-b64"]),
    ("header: crit []", &["header.crit-empty"]),
    ("header: crit [\"alg\"]", &["header.crit-standard"]),
    ("header: crit \"exotic\"", &["header.crit-not-a-list"]),
    ("header: typ \"logout+jwt\"", &["header.typ-logout"]),
    ("header: typ \"dpop+jwt\"", &["header.typ-dpop"]),
    ("header: typ \"secevent+jwt\"", &["header.typ-secevent"]),
    (
        "header: typ \"client-authentication+jwt\"",
        &["header.typ-client-authentication"],
    ),
    ("header: typ 1", &["header.typ-number"]),
    ("kid 1", &["header.kid-number"]),
    ("kid null", &["header.kid-null"]),
    ("header: b64 false", &["header.b64"]),
    (
        "header: alg twice, \"none\" then good",
        &["header.alg-twice-first-none"],
    ),
    (
        "header: alg twice, \"none\" then good, escaped",
        &["header.alg-twice-escaped"],
    ),
    ("header: x twice, good then good", &["header.unknown-twice"]),
    ("header: byte order mark", &["header.byte-order-mark"]),
    (
        "alg \"none\" and no signature, under the issuer's kid",
        &["alg.none.lower-case"],
    ),
    (
        "alg \"NONE\" and no signature, under the issuer's kid",
        &["alg.none.upper-case"],
    ),
    (
        "alg \"None\" and no signature, under the issuer's kid",
        &["alg.none.capitalised"],
    ),
    (
        "alg \"nOnE\" and no signature, under the issuer's kid",
        &["alg.none.mixed-case"],
    ),
    (
        "alg \"none \" and no signature, under the issuer's kid",
        &["alg.none.space"],
    ),
    (
        "alg \" none\" and no signature, under the issuer's kid",
        &["alg.none.leading-space"],
    ),
    (
        "alg \"none\\0\" and no signature, under the issuer's kid",
        &["alg.none.nul"],
    ),
    (
        "alg \"null\" and no signature, under the issuer's kid",
        &["alg.none.null"],
    ),
    ("alg none and zeros", &["alg.none.with-signature"]),
    ("alg \"none\"", &["alg.none.rightly-signed"]),
    ("two parts that say none", &["alg.none.no-dot"]),
    (
        "alg \"none\" and no signature, under no kid",
        &["alg.none.no-kid"],
    ),
    ("an HMAC as HS256 by pem", &["alg.hmac.pem"]),
    (
        "an HMAC as HS256 by pem without the last line's end",
        &["alg.hmac.pem-trimmed"],
    ),
    ("an HMAC as HS256 by der", &["alg.hmac.der"]),
    ("an HMAC as HS256 by raw", &["alg.hmac.raw"]),
    ("an HMAC as HS256 by jwk", &["alg.hmac.jwk"]),
    ("an HMAC as HS256 by empty", &["alg.hmac.empty"]),
    ("an HMAC as HS384 by pem", &["alg.hmac.hs384"]),
    ("an HMAC as HS512 by pem", &["alg.hmac.hs512"]),
    (
        "an HMAC as HS256 by pem, under no kid",
        &["alg.hmac.no-kid"],
    ),
    ("an HMAC as RS256 by pem", &["alg.hmac.own-name"]),
    ("an HMAC as HS256 by kid", &["alg.hmac.kid"]),
    (
        "an HMAC as HS256 by the modulus's text",
        &["alg.hmac.modulus-text"],
    ),
    ("an HMAC as HS256 by secret", &["alg.hmac.known.secret"]),
    (
        "an HMAC as HS256 by your-256-bit-secret",
        &["alg.hmac.known.your-256-bit-secret"],
    ),
    (
        "an HMAC as HS256 by super-secret-jwt-token-with-at-least-32-characters-long",
        &["alg.hmac.known.supabase-local"],
    ),
    (
        "an HMAC as HS256 by change-me",
        &["alg.hmac.known.change-me"],
    ),
    ("a key of RS256 signs RS512", &["alg.swap.rs512"]),
    ("a key of RS256 signs PS256", &["alg.swap.ps256"]),
    ("alg \"RS384\"", &["alg.header-lies"]),
    ("alg \"XS256\"", &["alg.unknown"]),
    ("alg \"dir\"", &["alg.key-wrapping"]),
    ("alg \"PBES2-HS256+A128KW\"", &["alg.pbes2"]),
    (
        "an HMAC as RS256 by pem, again and again",
        &["alg.hmac.padded"],
    ),
    (
        "no signature, under the issuer's kid",
        &["sig.empty", "cache.no-signature"],
    ),
    (
        "a signature of something else",
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
        "a signature by RSA: of a header with one member less",
        &["sig.tampered-header"],
    ),
    (
        "signed by a stranger, under the issuer's kid",
        &["sig.stranger", "cache.identifier"],
    ),
    (
        "a signature by RSA: one bit turned",
        &["sig.flipped-bit", "cache.signature"],
    ),
    ("a signature by RSA: one byte less", &["sig.truncated"]),
    ("a signature by RSA: one half", &["sig.half"]),
    ("a signature by RSA: zeros", &["sig.zeros"]),
    ("a signature by RSA: one", &["sig.one"]),
    (
        "a signature by RSA: of the payload alone",
        &["sig.payload-alone"],
    ),
    (
        "a signature by RSA: of the text before it was encoded",
        &["sig.decoded"],
    ),
    ("a signature by RSA: one byte more", &["sig.extended"]),
    ("a signature by EC P-256: zeros", &["sig.ecdsa.zeros"]),
    ("a signature by EC P-256: r zero", &["sig.ecdsa.r-zero"]),
    ("a signature by EC P-256: s zero", &["sig.ecdsa.s-zero"]),
    ("a signature by EC P-256: the order", &["sig.ecdsa.order"]),
    ("a signature by EC P-256: in DER", &["sig.ecdsa.der"]),
    (
        "a signature by OKP Ed25519: the neutral point",
        &["sig.eddsa.identity"],
    ),
    (
        "a signature by OKP Ed25519: with the order added",
        &["sig.eddsa.other-spelling"],
    ),
    ("a signature by RSA: the modulus", &["sig.rsa.modulus"]),
    (
        "signed by the jwk of the header, under the issuer's kid",
        &["key.embedded-jwk"],
    ),
    (
        "signed by the jwk of the header, under no kid",
        &["key.embedded-jwk-no-kid"],
    ),
    (
        "signed by the x5c of the header, under the issuer's kid",
        &["key.embedded-x5c"],
    ),
    (
        "signed by a stranger, under an unknown kid",
        &["key.unknown-kid", "flood.one-kid", "flood.many-kids"],
    ),
    (
        "signed by a stranger, under no kid",
        &["key.no-kid-stranger"],
    ),
    (
        "signed by a host that is named by nobody",
        &["key.of-another-issuer"],
    ),
    ("signed by a stranger, under a long kid", &["key.kid.long"]),
    ("kid of another case", &["key.kid.case"]),
    ("kid unknown", &["key.kid.other"]),
    ("kid a beginning", &["key.kid.beginning"]),
    (
        "an HMAC by empty, under kid \"../../../../../../../../dev/null\"",
        &["key.kid.dev-null"],
    ),
    (
        "an HMAC by 2, under kid \"../../../../../../../../proc/sys/kernel/randomize_va_space\"",
        &["key.kid.file"],
    ),
    (
        "an HMAC by secret, under kid \"x' UNION SELECT 'secret' -- \"",
        &["key.kid.sql"],
    ),
    (
        "an HMAC by empty, under kid \"*)(objectClass=*\"",
        &["key.kid.ldap"],
    ),
    (
        "an HMAC by empty, under kid \"$(id)`id`|id;id\"",
        &["key.kid.shell"],
    ),
    (
        "signed by a stranger, under kid \"__proto__\"",
        &["key.kid.proto"],
    ),
    (
        "signed by a stranger, under kid \"constructor\"",
        &["key.kid.constructor"],
    ),
    (
        "signed by a stranger, under kid \"toString\"",
        &["key.kid.to-string"],
    ),
    ("signed by a stranger, under kid \"\"", &["key.kid.empty"]),
    ("signed by a stranger, under kid \"0\"", &["key.kid.number"]),
    (
        "signed by a stranger, under kid \"%n%s{0}${jndi:ldap://127.0.0.1:9/a}\\r\\nX-Injected: 1\"",
        &["key.kid.format"],
    ),
    ("exp by 3600 s", &["claims.exp.past"]),
    ("exp by 600 s", &["claims.exp.ten-minutes"]),
    ("exp 0", &["claims.exp.zero"]),
    ("exp -1", &["claims.exp.negative"]),
    (
        "exp by 3600 s, with a fraction",
        &["claims.exp.fraction-past"],
    ),
    ("exp text past", &["claims.exp.string-past"]),
    ("nbf by 3600 s", &["claims.nbf.future"]),
    ("nbf by 600 s", &["claims.nbf.ten-minutes"]),
    ("aud \"https://other.example\"", &["claims.aud.other"]),
    ("aud missing", &["claims.aud.missing"]),
    ("aud null", &["claims.aud.null"]),
    ("aud \"\"", &["claims.aud.empty"]),
    ("aud []", &["claims.aud.empty-array"]),
    (
        "aud [\"https://a.example\",\"https://b.example\"]",
        &["claims.aud.array-of-others"],
    ),
    ("aud 1", &["claims.aud.number"]),
    ("aud true", &["claims.aud.true"]),
    ("aud {\"authenticated\":true}", &["claims.aud.object"]),
    ("aud [[\"authenticated\"]]", &["claims.aud.nested"]),
    ("aud \"authenticated.evil.example\"", &["claims.aud.prefix"]),
    ("aud \"evil-authenticated\"", &["claims.aud.suffix"]),
    ("aud \"authen\"", &["claims.aud.beginning"]),
    ("aud \"AUTHENTICATED\"", &["claims.aud.case"]),
    ("aud \"other authenticated\"", &["claims.aud.words"]),
    ("aud \"other,authenticated\"", &["claims.aud.commas"]),
    ("aud \"authenticated \"", &["claims.aud.space"]),
    ("aud \"*\"", &["claims.aud.star"]),
    ("exp twice, the first counts", &["claims.twice.exp"]),
    (
        "exp twice, escaped, the first counts",
        &["claims.twice.exp-escaped"],
    ),
    ("aud twice, the first counts", &["claims.twice.aud"]),
    ("iss twice, the first counts", &["claims.twice.iss"]),
    ("nbf twice, the first counts", &["claims.twice.nbf"]),
    ("exp missing", &["claims.exp.missing"]),
    ("exp null", &["claims.exp.null"]),
    ("exp text ahead", &["claims.exp.string-future"]),
    ("exp true", &["claims.exp.true"]),
    ("exp array", &["claims.exp.array"]),
    ("exp {}", &["claims.exp.object"]),
    ("nbf text ahead", &["claims.nbf.string"]),
    ("iat by 3600 s", &["claims.iat.future"]),
    ("iat text now", &["claims.iat.string"]),
    ("aud [\"authenticated\",1]", &["claims.aud.mixed"]),
    ("sub missing", &["claims.sub.missing"]),
    ("sub null", &["claims.sub.null"]),
    ("sub \"\"", &["claims.sub.empty"]),
    ("sub 7", &["claims.sub.number"]),
    ("sub [\"a\",\"b\"]", &["claims.sub.array"]),
    ("sub long", &["claims.sub.long"]),
    ("cnf", &["claims.cnf"]),
    ("sub twice, the first counts", &["claims.twice.sub"]),
    ("sub twice, the last counts", &["claims.twice.sub"]),
    (
        "sub twice, escaped, the first counts",
        &["claims.twice.sub-escaped"],
    ),
    (
        "sub twice, escaped, the last counts",
        &["claims.twice.sub-escaped"],
    ),
    ("exp twice, the last counts", &["claims.twice.exp-first"]),
    ("x twice, the first counts", &["claims.twice.unknown"]),
    ("x twice, the last counts", &["claims.twice.unknown"]),
    ("iss \"https://evil.example/auth/v1\"", &["iss.other"]),
    ("iss missing", &["iss.missing"]),
    ("iss null", &["iss.null"]),
    ("iss \"\"", &["iss.empty"]),
    ("iss 1", &["iss.number"]),
    ("iss [\"ISSUER\"]", &["iss.array"]),
    ("iss {\"ISSUER\":true}", &["iss.object"]),
    ("iss \"ISSUER/\"", &["iss.slash"]),
    ("iss \"UPPER\"", &["iss.case"]),
    ("iss \"BASE\"", &["iss.base"]),
    ("iss \"BASE.evil.example/auth/v1\"", &["iss.longer-host"]),
    ("iss \"ISSUER/evil\"", &["iss.longer-path"]),
    ("iss \"https://evil.example/ISSUER\"", &["iss.contained"]),
    ("iss \"BASE@evil.example/auth/v1\"", &["iss.user"]),
    ("iss \"ISSUER?x=1\"", &["iss.query"]),
    ("iss \"ISSUER#x\"", &["iss.fragment"]),
    ("iss \" ISSUER\"", &["iss.space"]),
    ("iss \"ISSUER,https://evil.example\"", &["iss.list"]),
    ("iss \"BASE/x/../auth/v1\"", &["iss.dots"]),
    ("iss \"HOST/auth/v1\"", &["iss.scheme"]),
    ("iss \"ISSUER\\u0000.evil.example\"", &["iss.nul"]),
    ("iss \"BASE/аuth/v1\"", &["iss.look-alike"]),
    (
        "an HMAC as HS256 by the published secret",
        &["jwks.symmetric"],
    ),
    ("a key for encryption", &["jwks.for-encryption"]),
    ("a key whose operations lack verify", &["jwks.key-ops"]),
    ("a key of RS512 signs RS256", &["jwks.other-algorithm"]),
    ("a key with a private member", &["jwks.private"]),
    ("a key of 1024 bits", &["jwks.short-rsa"]),
    ("signed by a host that is named by jku", &["ssrf.jku"]),
    (
        "signed by a host that is named by jku behind a user",
        &["ssrf.jku-user"],
    ),
    ("signed by a host that is named by x5u", &["ssrf.x5u"]),
    ("iss CANARY", &["ssrf.iss"]),
    ("signed by a host that is named by kid", &["ssrf.kid"]),
    (
        "signed by a host that is named by the claims",
        &["ssrf.claims"],
    ),
    ("nothing sent but a password", &["http.scheme.basic"]),
    ("a comma", &["http.comma"]),
    (
        "nothing sent but headers that name a user",
        &["http.identity-headers"],
    ),
    (
        "nothing sent but headers of an inner network",
        &["http.internal-headers"],
    ),
    ("nothing sent by HEAD", &["http.method.head"]),
    ("nothing sent by POST", &["http.method.post"]),
    (
        "two headers, the first counts",
        &["http.two-headers.good-first"],
    ),
    (
        "two headers, the last counts",
        &["http.two-headers.good-last"],
    ),
    ("nothing sent but in the query", &["http.query"]),
    ("no scheme", &["http.no-scheme"]),
    ("another scheme", &["http.scheme.other"]),
    ("quotes", &["http.quoted"]),
];

/// What a double answers with 500.
pub(crate) const BROKEN: &[Caught] = &[
    ("payload: deep", &["form.deep-nesting"]),
    ("exp 9223372036854775808", &["claims.exp.huge"]),
    ("exp 1e300", &["claims.exp.float"]),
    ("exp 1e999", &["claims.exp.overflow"]),
    ("exp -9223372036854775808", &["claims.exp.lowest"]),
    (
        "sub \"a\\u0000b\\u001b[31m\\r\\nX: 1\u{2028}\"",
        &["claims.sub.odd"],
    ),
    ("sub {\"$ne\":null}", &["claims.sub.object"]),
    ("header: deep", &["form.deep-nesting-unsigned"]),
    ("oversize", &["form.oversize"]),
];

/// Good tokens that a double refuses.
pub(crate) const REFUSED: &[Caught] = &[
    ("alg RS384", &["control.alg.rs384"]),
    ("alg RS512", &["control.alg.rs512"]),
    ("alg PS256", &["control.alg.ps256"]),
    ("alg PS384", &["control.alg.ps384"]),
    ("alg PS512", &["control.alg.ps512"]),
    ("alg ES256", &["control.alg.es256"]),
    ("alg ES384", &["control.alg.es384"]),
    ("alg EdDSA", &["control.alg.eddsa"]),
    ("typ absent", &["control.typ-absent"]),
    ("typ in lower case", &["control.typ-lower-case"]),
    ("unknown members", &["control.unknown-header"]),
    ("unknown claims", &["control.unknown-claims"]),
    ("aud of one", &["control.aud-array"]),
    ("aud of two", &["control.aud-array-of-two"]),
    ("nbf", &["control.nbf-past"]),
    ("exp with a fraction", &["control.exp-fraction"]),
    ("white space", &["control.white-space"]),
    ("escaped names", &["control.escaped-names"]),
    ("outside ASCII", &["control.unicode"]),
    ("large", &["control.large"]),
    ("scheme bearer", &["http.scheme.lower-case"]),
    ("scheme BEARER", &["http.scheme.upper-case"]),
    ("two spaces", &["http.spaces"]),
];

/// Addresses of a token that a double visits, and refuses the token all the same.
pub(crate) const VISITED: &[Caught] = &[
    ("signed by a host that is named by jku", &["ssrf.jku"]),
    (
        "signed by a host that is named by jku behind a user",
        &["ssrf.jku-user"],
    ),
    ("signed by a host that is named by x5u", &["ssrf.x5u"]),
    ("signed by a host that is named by kid", &["ssrf.kid"]),
    (
        "signed by a host that is named by the claims",
        &["ssrf.claims"],
    ),
    ("iss CANARY", &["ssrf.iss"]),
];

/// By what a double believes what it has seen before, or sees beside it.
pub(crate) fn remembered() -> Vec<(Hole, &'static [&'static str])> {
    vec![
        (
            Hole::Remembers(Remembers::HeaderAndPayload),
            &["cache.signature", "cache.no-signature"],
        ),
        (
            Hole::Remembers(Remembers::HeaderPayloadAndLength),
            &["cache.signature"],
        ),
        (
            Hole::Remembers(Remembers::Unsigned),
            &["cache.no-signature"],
        ),
        (Hole::Mixes, &["http.parallel"]),
        (Hole::Remembers(Remembers::Signature), &["cache.payload"]),
        (
            Hole::Remembers(Remembers::Identifier),
            &["cache.signature", "cache.no-signature", "cache.identifier"],
        ),
    ]
}

/// How a double keeps keys wrongly, the groups in which that shows, and the cases that must catch
/// it.
pub(crate) fn kept() -> Vec<(
    &'static str,
    Cache,
    &'static [&'static str],
    &'static [&'static str],
)> {
    let with = |change: fn(&mut Cache)| {
        let mut cache = Cache::default();
        change(&mut cache);
        cache
    };
    let turned: &[&str] = &["key.rotation"];
    let down: &[&str] = &["outage"];
    vec![
        (
            "never asks again",
            with(|cache| cache.refetches = false),
            &["key.rotation", "outage", "slow", "herd", "gate"],
            &[
                "key.rotation.same-request",
                "key.rotation.unreadable-neighbours",
                "outage.recovery",
                "herd.one-fetch",
            ],
        ),
        (
            "keeps the newest key alone",
            with(|cache| cache.newest_only = true),
            turned,
            &["key.rotation.old-key"],
        ),
        (
            "gives up a set with one unreadable member",
            with(|cache| cache.skips_unreadable_members = false),
            turned,
            &["key.rotation.unreadable-neighbours"],
        ),
        (
            "believes an exponent of one",
            with(|cache| cache.exponent_of_one = true),
            turned,
            &["key.rotation.exponent-of-one"],
        ),
        (
            "keeps what is no longer published",
            with(|cache| cache.keeps_removed = true),
            turned,
            &[
                "key.rotation.removed-key",
                "key.rotation.removed-key-known-token",
            ],
        ),
        (
            "remembers tokens beyond their key",
            with(|cache| cache.remembers_tokens = true),
            turned,
            &["key.rotation.removed-key-known-token"],
        ),
        (
            "does not ask when a known key does not fit",
            with(|cache| cache.refetches_on_bad_signature = false),
            turned,
            &["key.rotation.in-place"],
        ),
        (
            "forgets its keys when a fetch fails",
            with(|cache| cache.keeps_when_failing = false),
            down,
            &[
                "outage.known-key",
                "outage.page",
                "outage.empty-set",
                "outage.large-set",
            ],
        ),
        (
            "forgets its keys for an error page",
            with(|cache| cache.keeps_when_unreadable = false),
            down,
            &["outage.page", "outage.empty-set", "outage.large-set"],
        ),
        (
            "forgets its keys for an empty set",
            with(|cache| cache.keeps_when_empty = false),
            down,
            &["outage.empty-set", "outage.large-set"],
        ),
        (
            "reads whatever comes",
            with(|cache| cache.has_a_size_limit = false),
            down,
            &["outage.large-set"],
        ),
        (
            "lets in whom it cannot check",
            with(|cache| cache.unavailable_is_accepted = true),
            down,
            &["outage.unknown-key", "outage.recovery"],
        ),
        (
            "follows a redirect",
            with(|cache| cache.follows_redirects = true),
            down,
            &["outage.redirect"],
        ),
        (
            "counts successes alone",
            with(|cache| cache.counts_failures = false),
            down,
            &["outage.hammering"],
        ),
        (
            "never asks again after a failure",
            with(|cache| cache.recovers = false),
            down,
            &["outage.recovery"],
        ),
        (
            "makes everybody wait for a fetch",
            with(|cache| {
                (cache.waits_for_every_fetch, cache.timeout) = (true, Duration::from_secs(4))
            }),
            &["slow"],
            &["slow.known-key"],
        ),
        (
            "waits for ever",
            with(|cache| cache.timeout = Duration::from_secs(60)),
            &["slow"],
            &["slow.unknown-key"],
        ),
        (
            "asks once a request",
            with(|cache| (cache.single_flight, cache.cooldown) = (false, Duration::ZERO)),
            &["herd", "flood"],
            &["herd.one-fetch", "flood.one-kid", "flood.many-kids"],
        ),
        (
            "has no single flight",
            with(|cache| cache.single_flight = false),
            &["herd"],
            &["herd.one-fetch"],
        ),
        (
            "asks again at once for a kid that was missing",
            with(|cache| {
                (cache.retries_missing_kid, cache.cooldown) = (true, Duration::from_secs(60))
            }),
            &["flood"],
            &["flood.one-kid"],
        ),
        (
            "has a cooldown for each kid",
            with(|cache| (cache.cooldown_by_kid, cache.cooldown) = (true, Duration::from_secs(60))),
            &["herd", "flood"],
            &["flood.many-kids"],
        ),
        (
            "asks for keys of expired tokens",
            with(|cache| cache.gate_forgets = "expired"),
            &["gate"],
            &["gate.expired"],
        ),
        (
            "asks for keys of other issuers",
            with(|cache| cache.gate_forgets = "issuer"),
            &["gate"],
            &["gate.issuer"],
        ),
        (
            "asks for keys of HS256",
            with(|cache| cache.gate_forgets = "algorithm"),
            &["gate"],
            &["gate.algorithm"],
        ),
        (
            "asks for keys of garbage",
            with(|cache| cache.gate_forgets = "form"),
            &["gate"],
            &["gate.form"],
        ),
    ]
}

/// Algorithms that a double accepts though they are not listed; RS256 where ES256 alone is.
pub(crate) const UNLISTED: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
];

/// The cases that a double refuses everything at, and nothing before and after.
pub(crate) fn locked_out() -> Vec<String> {
    let after = groups()
        .iter()
        .filter(|group| group.name != "control")
        .map(|group| format!("control.after.{}", group.name));
    ["control.valid", "control.alg.rs256"]
        .map(str::to_owned)
        .into_iter()
        .chain(after)
        .collect()
}

/// Cases that are never caught alone, and why no mistake can be made that is theirs only.
pub(crate) const SIBLINGS: &[(&[&str], &str)] = &[
    (
        &["control.no-token"],
        "http.keep-alive and http.challenge.grammar send nothing as well",
    ),
    (
        &["sig.tampered-payload", "sig.of-another-token"],
        "each is a signature of something else, and cases about connections send such a token",
    ),
    (
        &["sig.empty"],
        "cache.no-signature sends the same after a good token",
    ),
    (
        &["sig.flipped-bit"],
        "cache.signature sends the same after a good token",
    ),
    (
        &["sig.stranger"],
        "cache.identifier sends the same after a good token",
    ),
    (
        &["key.unknown-kid"],
        "the floods send the same a hundred times",
    ),
    (
        &["cache.identifier"],
        "whoever has the same header and payload has the same identifier",
    ),
    (
        &["http.keep-alive"],
        "a connection that is believed once is believed in the cases after it, which use it again",
    ),
    (
        &["http.challenge.grammar"],
        "every case that reads a challenge looks at its grammar",
    ),
    (
        &["key.rotation.same-request"],
        "whoever does not ask for a new key misses it wherever one is published",
    ),
    (
        &["key.rotation.removed-key"],
        "a key that verifies a new token verifies one that was accepted before",
    ),
    (
        &["outage.known-key", "outage.page", "outage.empty-set"],
        "one failure follows the other: what was forgotten stays so",
    ),
    (
        &["outage.unknown-key"],
        "outage.recovery begins with the same request",
    ),
];

/// Manners that are caught by one case alone.
pub(crate) const RUDE: &[(Manners, &[&str])] = &[
    (Manners::Echo, &["http.echo"]),
    (Manners::Cacheable, &["http.no-store"]),
];
