//! The profile for access tokens (RFC 9068): the type `at+jwt` and the claims that it requires. All
//! tokens are correctly signed by the issuer.

use serde_json::{Value, json};

use crate::{
    case::{Case, Precondition},
    forge::Forge,
    group::Group,
};

pub(crate) const GROUP: Group = Group {
    name: "at-jwt",
    title: "only access tokens of RFC 9068 are accepted",
    hint: "compare `typ` with `at+jwt`, in any case and with or without `application/`, before anything else in the token is used",
    timed: false,
    cases,
};

fn claim(
    name: &'static str,
    value: impl Into<Value>,
) -> impl Fn(&Forge) -> String + Send + Sync + 'static {
    let value = value.into();
    move |f| f.token().claim(name, value.clone()).sign()
}

fn cases() -> Vec<Case> {
    let mut cases = types();
    cases.extend(claims());
    cases
        .into_iter()
        .map(|case| case.requires(Precondition::AccessTokenType))
        .collect()
}

fn types() -> Vec<Case> {
    let rationale = "the issuer signs other tokens for the same audience with the same key, for example ID tokens";
    let reference = "RFC 9068 §4, RFC 8725 §3.11";
    let header = |value: &'static str| move |f: &Forge| f.token().header("typ", value).sign();
    vec![
        Case::rejected("at-jwt.type.jwt", "the type JWT", header("JWT"))
            .requires_valid_token()
            .rationale(rationale, reference),
        Case::rejected("at-jwt.type.missing", "no typ in the header", |f| {
            f.token().without_header("typ").sign()
        })
        .requires_valid_token()
        .rationale(rationale, reference),
        Case::rejected(
            "at-jwt.type.id-token",
            "an ID token: type JWT, nonce and at_hash",
            |f| {
                let token = f.token().header("typ", "JWT");
                token
                    .claim("nonce", "n-0S6")
                    .claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ")
                    .sign()
            },
        )
        .requires_valid_token()
        .rationale(rationale, reference),
        Case::accepted(
            "at-jwt.type.media-type",
            "the type application/at+jwt",
            header("application/at+jwt"),
        )
        .rationale(
            "the prefix may be present or omitted",
            "RFC 9068 §4, RFC 7515 §4.1.9",
        ),
        Case::accepted("at-jwt.type.case", "the type AT+JWT", header("AT+JWT"))
            .strict()
            .rationale(
                "media types are case-insensitive",
                "RFC 7515 §4.1.9, RFC 2045 §5.1",
            ),
    ]
}

fn claims() -> Vec<Case> {
    let required = "the claim is required, and identifies the client or the token";
    let without = |name: &'static str| move |f: &Forge| f.token().without(name).sign();
    [
        Case::rejected("at-jwt.client-id.missing", "no client_id", without("client_id")),
        Case::rejected("at-jwt.client-id.empty", "client_id is an empty string", claim("client_id", "")),
        Case::rejected("at-jwt.client-id.number", "client_id is a number", claim("client_id", 1)),
        Case::rejected("at-jwt.client-id.array", "client_id is an array", claim("client_id", json!(["a"]))),
        Case::rejected("at-jwt.jti.missing", "no jti", without("jti")),
        Case::rejected("at-jwt.jti.number", "jti is a number", claim("jti", 1)),
        Case::rejected("at-jwt.iat.missing", "no iat", without("iat")),
    ]
    .map(|case| {
        case.strict()
            .requires_issuer()
            .rationale(required, "RFC 9068 §2.2")
            .hint("require `client_id`, `jti` and `iat`, and that the first two are strings that are not empty")
    })
    .into()
}
