//! The claims: times, audience, subject. Every token here is rightly signed by the issuer.

use serde_json::{Value, json};

use super::Group;
use crate::{
    case::{Case, Severity},
    forge::Forge,
};

pub(super) const GROUP: Group = Group {
    name: "claims",
    title: "times and audience are checked, by their types",
    hint: "name the audience where the token is verified: jose `{ audience }`, PyJWT `audience=`, Spring a `JwtClaimValidator` for `aud`, \
           golang-jwt `WithAudience`; keep the clock's leeway at a minute; do not turn off the checks of `exp` and `nbf`",
    timed: false,
    cases,
};

/// Most libraries check a claim only where it is there.
const REQUIRED: &str = "a check of a claim passes where the claim is missing, unless it is required as well: jose `requiredClaims`, PyJWT \
                        `options={\"require\": [\"exp\", \"aud\", \"sub\"]}`, python-jose `options={\"require_aud\": True}`, golang-jwt \
                        `WithExpirationRequired`";

/// A good token but for this claim.
fn claim(name: &'static str, value: impl Into<Value>) -> impl Fn(&Forge) -> String + Send + Sync {
    let value = value.into();
    move |f| f.token().claim(name, value.clone()).sign()
}

/// So many seconds from now.
fn from_now(name: &'static str, seconds: i64) -> impl Fn(&Forge) -> String + Send + Sync {
    move |f| f.token().claim(name, f.now() + seconds).sign()
}

fn cases() -> Vec<Case> {
    let mut cases = times();
    cases.extend(audience());
    cases.extend(doubled());
    cases.extend(strict());
    cases
}

fn times() -> Vec<Case> {
    let ended =
        "a token that has ended is worth nothing, or a stolen one is worth something for ever";
    let (exp, nbf) = ("RFC 7519 §4.1.4", "RFC 7519 §4.1.5");
    let early = "the issuer said from when on it is good";
    let huge = "a number that no integer holds must end in a verdict, not in a crash";
    let text = |f: &Forge, seconds: i64| json!((f.now() + seconds).to_string());
    let mut cases = vec![
        Case::refused("claims.exp.past", "expired an hour ago", |f| {
            f.token().expired().sign()
        })
        .rationale(ended, exp),
        Case::refused(
            "claims.exp.ten-minutes",
            "expired ten minutes ago",
            from_now("exp", -600),
        )
        .severity(Severity::Medium)
        .severity_note("it lives ten minutes longer than its issuer said, or more")
        .rationale(
            "leeway is for clocks that differ: a few minutes at most",
            exp,
        ),
        Case::refused(
            "claims.exp.fraction-past",
            "exp an hour ago, with a fraction",
            |f| {
                let past = f64::from(u32::try_from(f.now() - 3600).unwrap_or(u32::MAX)) + 0.5;
                f.token().claim("exp", json!(past)).sign()
            },
        )
        .rationale("a fraction does not make it last", "RFC 7519 §2, §4.1.4"),
    ];
    let odd = [
        Case::refused("claims.exp.zero", "exp is 0", claim("exp", 0))
            .rationale("zero is 1970, not never", exp),
        Case::refused("claims.exp.negative", "exp is negative", claim("exp", -1))
            .rationale("before 1970 is long ago", exp),
        Case::refused(
            "claims.exp.string-past",
            "exp an hour ago, as a string",
            move |f| f.token().claim("exp", text(f, -3600)).sign(),
        )
        .rationale("a type that is not looked at turns the check off", exp),
        Case::refused(
            "claims.nbf.future",
            "good from an hour on",
            from_now("nbf", 3600),
        )
        .rationale(early, nbf),
        Case::refused(
            "claims.nbf.ten-minutes",
            "good from ten minutes on",
            from_now("nbf", 600),
        )
        .rationale(
            "leeway is for clocks that differ: a few minutes at most",
            nbf,
        ),
        Case::survived("claims.exp.huge", "exp is 2^63", |f| {
            f.with_exp("9223372036854775808")
        })
        .rationale(huge, exp),
        Case::survived("claims.exp.float", "exp is 1e300", |f| f.with_exp("1e300"))
            .rationale(huge, exp),
        Case::survived("claims.exp.overflow", "exp is 1e999", |f| {
            f.with_exp("1e999")
        })
        .rationale(huge, exp),
        Case::survived("claims.exp.lowest", "exp is -2^63", |f| {
            f.with_exp("-9223372036854775808")
        })
        .rationale(huge, exp),
        Case::survived("claims.sub.odd", "a subject of control characters", |f| {
            f.with_payload(super::super::forge::payload(
                &f.token().sub("a\u{0}b\u{1b}[31m\r\nX: 1\u{2028}"),
            ))
        })
        .rationale("a subject goes into logs and headers", "RFC 7519 §4.1.2"),
        Case::survived(
            "claims.sub.object",
            "the subject is an object",
            claim("sub", json!({ "$ne": null })),
        )
        .rationale("a subject goes into queries", "RFC 7519 §4.1.2"),
    ];
    cases.extend(odd.map(Case::requires_issuer));
    cases
}

fn audience() -> Vec<Case> {
    let why = "a token for another service, or for the app's front end, opens this one";
    let with = |change: fn(&str) -> Value| {
        move |f: &Forge| f.token().claim("aud", change(&f.audience)).sign()
    };
    // What another service is called: somebody holds such a token.
    let of_others = [
        Case::refused(
            "claims.aud.other",
            "another audience",
            claim("aud", "https://other.example"),
        ),
        Case::refused(
            "claims.aud.array-of-others",
            "two other audiences",
            claim("aud", json!(["https://a.example", "https://b.example"])),
        ),
        Case::refused(
            "claims.aud.prefix",
            "an audience that begins with ours",
            with(|aud| json!(format!("{aud}.evil.example"))),
        ),
        Case::refused(
            "claims.aud.suffix",
            "an audience that ends in ours",
            with(|aud| json!(format!("evil-{aud}"))),
        ),
        Case::refused(
            "claims.aud.beginning",
            "the beginning of our audience",
            with(|aud| {
                json!(
                    aud.chars()
                        .take(aud.chars().count() / 2)
                        .collect::<String>()
                )
            }),
        ),
    ];
    let of_nobody = [
        Case::refused("claims.aud.missing", "no audience", |f| {
            f.token().without("aud").sign()
        })
        .hint(REQUIRED),
        Case::refused(
            "claims.aud.null",
            "the audience is null",
            claim("aud", Value::Null),
        ),
        Case::refused(
            "claims.aud.empty",
            "the audience is empty",
            claim("aud", ""),
        ),
        Case::refused(
            "claims.aud.empty-array",
            "no audience among none",
            claim("aud", json!([])),
        ),
        Case::refused(
            "claims.aud.number",
            "the audience is a number",
            claim("aud", 1),
        ),
        Case::refused(
            "claims.aud.true",
            "the audience is true",
            claim("aud", true),
        ),
        Case::refused(
            "claims.aud.object",
            "the audience is the name of a member",
            with(|aud| json!({ aud: true })),
        ),
        Case::refused(
            "claims.aud.nested",
            "the audience is in an array in an array",
            with(|aud| json!([[aud]])),
        ),
        Case::refused(
            "claims.aud.case",
            "our audience in upper case",
            with(|aud| {
                let upper = aud.to_uppercase();
                json!(if upper == aud {
                    aud.to_lowercase()
                } else {
                    upper
                })
            }),
        ),
        Case::refused(
            "claims.aud.words",
            "our audience among words",
            with(|aud| json!(format!("other {aud}"))),
        ),
        Case::refused(
            "claims.aud.commas",
            "our audience among commas",
            with(|aud| json!(format!("other,{aud}"))),
        ),
        Case::refused(
            "claims.aud.space",
            "our audience and a space",
            with(|aud| json!(format!("{aud} "))),
        ),
        Case::refused(
            "claims.aud.star",
            "the audience is a star",
            claim("aud", "*"),
        ),
    ];
    let not_compared = "what is missing, of another type or spelled otherwise is not the audience: the check was passed over";
    let reference = "RFC 7519 §4.1.3, RFC 8725 §3.9";
    let of_others = of_others.map(|case| case.rationale(why, reference));
    let of_nobody = of_nobody.map(|case| case.rationale(not_compared, reference).requires_issuer());
    of_others.into_iter().chain(of_nobody).collect()
}

/// RFC 7519 §4 lets a parser refuse a claim that is there twice, or take the last one; never the
/// first.
fn doubled() -> Vec<Case> {
    let why = "a parser must refuse a claim that is there twice, or take the last one; whoever takes the first sees another token";
    let cases = [
        Case::refused("claims.twice.exp", "exp twice, the last one past", |f| {
            f.with_last(&format!("\"exp\":{}", f.now() - 3600))
        }),
        Case::refused(
            "claims.twice.exp-escaped",
            "exp twice, the last one past and escaped",
            |f| f.with_last(&format!("\"e\\u0078p\":{}", f.now() - 3600)),
        ),
        Case::refused("claims.twice.aud", "aud twice, the last one another", |f| {
            f.with_last("\"aud\":\"https://other.example\"")
        }),
        Case::refused("claims.twice.iss", "iss twice, the last one another", |f| {
            f.with_last("\"iss\":\"https://evil.example\"")
        }),
        Case::refused("claims.twice.nbf", "nbf twice, the last one ahead", |f| {
            let early = f.now() + 3600;
            f.with_last(&format!("\"nbf\":0,\"nbf\":{early}"))
        }),
    ];
    cases
        .map(|case| {
            case.severity(Severity::Medium)
                .rationale(why, "RFC 7519 §4")
        })
        .into()
}

fn strict() -> Vec<Case> {
    let typed =
        "a claim of another type was made by no issuer, and lenient readers disagree about it";
    let lasting = "a token without an end is good for ever";
    let subject = "whoever has no name, or everybody's, is somebody else's account";
    let numeric = "RFC 7519 §2, §4.1";
    let mut cases = vec![
        Case::refused("claims.exp.missing", "no exp", |f| f.token().without("exp").sign())
            .hint(REQUIRED)
            .rationale(lasting, "RFC 9068 §2.2, RFC 7519 §4.1.4"),
        Case::refused("claims.exp.null", "exp is null", claim("exp", Value::Null)).rationale(lasting, numeric),
        Case::refused("claims.exp.string-future", "exp ahead, as a string", |f| {
            f.token().claim("exp", (f.now() + 3600).to_string()).sign()
        })
        .rationale(typed, numeric),
        Case::refused("claims.exp.true", "exp is true", claim("exp", true)).rationale(typed, numeric),
        Case::refused("claims.exp.array", "exp ahead, in an array", |f| f.token().claim("exp", json!([f.now() + 3600])).sign())
            .rationale(typed, numeric),
        Case::refused("claims.exp.object", "exp is an object", claim("exp", json!({}))).rationale(typed, numeric),
        Case::refused("claims.nbf.string", "nbf ahead, as a string", |f| {
            f.token().claim("nbf", (f.now() + 3600).to_string()).sign()
        })
        .rationale(typed, numeric),
        Case::refused("claims.iat.future", "issued in an hour", from_now("iat", 3600))
            .rationale("a token from the future was made by a clock that is not to be trusted", "RFC 7519 §4.1.6"),
        Case::refused("claims.iat.string", "iat is a string", claim("iat", "now")).rationale(typed, numeric),
        Case::refused("claims.aud.mixed", "our audience beside a number", |f| {
            f.token().claim("aud", json!([f.audience, 1])).sign()
        })
        .rationale(typed, "RFC 7519 §4.1.3"),
        Case::refused("claims.sub.missing", "no subject", |f| f.token().without("sub").sign())
            .hint(REQUIRED)
            .rationale(subject, "RFC 9068 §2.2"),
        Case::refused("claims.sub.null", "the subject is null", claim("sub", Value::Null)).rationale(subject, "RFC 7519 §4.1.2"),
        Case::refused("claims.sub.empty", "the subject is empty", claim("sub", "")).rationale(subject, "RFC 7519 §4.1.2"),
        Case::refused("claims.sub.number", "the subject is a number", claim("sub", 7)).rationale(subject, "RFC 7519 §4.1.2"),
        Case::refused("claims.sub.array", "the subject is two", claim("sub", json!(["a", "b"])))
            .rationale(subject, "RFC 7519 §4.1.2"),
        Case::refused("claims.sub.long", "a subject of 300 characters", claim("sub", "s".repeat(300))).rationale(
            "OpenID Connect promises 255 at most; a longer one is cut somewhere and becomes another's",
            "OpenID Connect Core §2",
        ),
        Case::refused("claims.cnf", "a token that is bound to a key", |f| {
            f.token().claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })).sign()
        })
        .rationale(
            "a stolen one must be worth nothing: it needs a proof that the Bearer scheme does not carry",
            "RFC 9449 §7.2, RFC 8705 §3",
        ),
    ];
    let twice = "two readers see two tokens";
    cases.extend(
        [
            Case::refused("claims.twice.sub", "sub twice", |f| {
                f.with_last("\"sub\":\"admin\"")
            }),
            Case::refused(
                "claims.twice.sub-escaped",
                "sub twice, once with an escape",
                |f| f.with_last("\"s\\u0075b\":\"admin\""),
            ),
            Case::refused(
                "claims.twice.exp-first",
                "exp twice, the first one past",
                |f| f.with_first(&format!("\"exp\":{}", f.now() - 3600)),
            ),
            Case::refused("claims.twice.unknown", "an unknown claim twice", |f| {
                f.with_last("\"x\":1,\"x\":2")
            }),
        ]
        .map(|case| case.rationale(twice, "RFC 7519 §4")),
    );
    cases
        .into_iter()
        .map(|case| case.strict().severity(Severity::Medium))
        .collect()
}
