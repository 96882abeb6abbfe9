//! What to do about a refusal: one next step for every reason there is.

use super::{ExplainContext, count, distance};
use crate::{
    algorithm::Algorithm,
    error::{AuthError, FormatError, HeaderError, ObjectError},
};

/// The next step. Every reason has one; a new reason does not compile without.
pub(super) fn advice(view: &ExplainContext<'_>, rejection: &AuthError) -> String {
    match rejection {
        AuthError::ApiKey => {
            "it is the project's, and the same for everybody; the token is session.access_token after a sign-in".to_owned()
        }
        _ if is_legacy_api_key(view) => {
            "this is the project's anon or service_role key, not a person's token; the token is session.access_token after a sign-in"
                .to_owned()
        }
        AuthError::TooLong { .. } => "tokens.max_bytes sets the limit; real access tokens have 1 to 3 KiB".to_owned(),
        AuthError::Form(error) => form(view, *error),
        AuthError::Header(error) => header(*error),
        AuthError::Payload(error) => payload(*error),
        AuthError::AlgorithmNotAllowed { found, allowed } => algorithm(found.as_str(), allowed),
        AuthError::UnknownIssuer { found } => unknown_issuer(view, found.as_str()),
        AuthError::UnknownKey => unknown_key(view),
        AuthError::AmbiguousKey => "have the issuer write kid into its tokens, and give each of its keys a kid of its own".to_owned(),
        AuthError::KeysUnavailable { .. } => {
            let reason = view.issuer().and_then(|(_, keys)| keys.last_error.as_ref()).map_or("no attempt has finished", |error| error.message.as_str());
            format!("the keys could not be fetched: {reason}; `bearward check` says more")
        }
        AuthError::InvalidSignature => "some byte was changed after signing, or another key of the same kid signed".to_owned(),
        AuthError::Expired { at, now } => format!("it ended {}; sign in again or refresh the session", distance(*at, *now)),
        AuthError::NotYetValid { claim, at, now } => format!(
            "its {claim} is {}; compare this machine's clock with the issuer's: `bearward check` shows the difference",
            distance(*at, *now)
        ),
        AuthError::WrongAudience { .. } => {
            "add the token's audience to the issuer's audiences only if it names this service; an ID token names the app instead".to_owned()
        }
        AuthError::WrongType { .. } => {
            "send the access token, not an ID or logout token; token_type of the issuer says which types are access tokens".to_owned()
        }
        AuthError::MissingClaim(name) => missing_claim(view, name),
        AuthError::InvalidClaim { name, problem } => invalid_claim(view, name, problem),
        AuthError::CustomClaimsMismatch => "compare the route's own claims type with the token's payload: a member is absent or of another type".to_owned(),
        AuthError::StepUpRequired { required } => format!("sign in again with a second factor, until aal is {required}"),
        AuthError::InsufficientScope { required } => format!("ask the issuer for the scope {required} when signing in"),
        AuthError::InsufficientRole { required } => {
            format!("give this person the role {required} at the issuer, and sign in again; claims.roles of the issuer says where roles stand")
        }
        AuthError::RequirementNotMet { .. } => "the requirement is the service's own; its code says what it looks at".to_owned(),
        AuthError::NoToken | AuthError::BadAuthorization => "send it as one header, Authorization: Bearer TOKEN".to_owned(),
        AuthError::SeveralCredentials => "send one Authorization header, or the cookie, and not both".to_owned(),
        AuthError::OriginRefused => "list the page's origin under server.cors_origins, if it is yours".to_owned(),
        AuthError::NotConfigured => "give the verifier to the application: App::new().app_data(auth.clone())".to_owned(),
    }
}

fn form(view: &ExplainContext<'_>, error: FormatError) -> String {
    match error {
        FormatError::Encrypted => "ask the issuer for signed tokens (JWS)".to_owned(),
        FormatError::Empty if view.header("alg").eq_ignore_ascii_case("none") => {
            "nobody signed it: whoever made it wants it taken on trust".to_owned()
        }
        _ if view.case.token.contains(char::is_whitespace) => {
            "there is a space or the end of a line inside; copy the token in one piece".to_owned()
        }
        FormatError::Base64 if view.case.token.contains(['=', '+', '/']) => {
            "some library wrote it in ordinary base64; tokens are base64url without = (RFC 7515 §2)".to_owned()
        }
        FormatError::Parts(_) | FormatError::Empty | FormatError::Base64 => {
            "an access token begins with eyJ and has two dots; copy all of it, and take the access token, not the refresh token"
                .to_owned()
        }
    }
}

fn header(error: HeaderError) -> String {
    match error {
        HeaderError::Object(ObjectError::Duplicate) => {
            "no issuer writes a member twice: somebody wants two readers to see two things (RFC 7515 §4)".to_owned()
        }
        HeaderError::Object(ObjectError::NotAnObject) => {
            "the first part is no JSON object, so this is no JWT; copy the whole token from where it begins".to_owned()
        }
        HeaderError::NotAString(name) => format!("have the issuer write {name} as a string (RFC 7515 §4.1)"),
        HeaderError::Critical => {
            "the issuer asks for an extension that no verifier of bearward knows; have it sign without crit (RFC 7515 §4.1.11)"
                .to_owned()
        }
        HeaderError::Unencoded => "have the issuer sign the payload as it is usual, without b64 (RFC 7797)".to_owned(),
        HeaderError::LongKid => "have the issuer name its keys in 256 bytes at most".to_owned(),
    }
}

fn payload(error: ObjectError) -> String {
    match error {
        ObjectError::Duplicate => {
            "no issuer writes a claim twice: somebody wants two readers to see two things (RFC 7519 §4)".to_owned()
        }
        ObjectError::NotAnObject => {
            "what is signed is no set of claims, so this is no JWT (RFC 7519 §7.2); take the access token".to_owned()
        }
    }
}

fn missing_claim(view: &ExplainContext<'_>, name: &str) -> String {
    let of_profile = |wanted: &dyn Fn(&crate::issuer::Issuer) -> bool| {
        view.issuer().is_some_and(|(issuer, _)| wanted(issuer))
    };
    match name {
        "iss" | "sub" | "aud" | "exp" => {
            format!(
                "every access token has {name} (RFC 9068 §2.2); have the issuer write it, or take the access token instead of another kind"
            )
        }
        _ if of_profile(&|issuer| {
            issuer
                .required_claims
                .iter()
                .any(|required| **required == *name)
        }) =>
        {
            format!(
                "required_claims of the issuer asks for {name}: have the issuer write it, or take it off that list"
            )
        }
        _ => format!(
            "token_type \"at+jwt\" of the issuer asks for {name} (RFC 9068 §2.2): have the issuer write it, or use token_type \"jwt\""
        ),
    }
}

fn invalid_claim(view: &ExplainContext<'_>, name: &str, problem: &str) -> String {
    /// Seconds have ten digits until 2286.
    const IN_MILLISECONDS: f64 = 100_000_000_000.0;
    match name {
        "cnf" => {
            "the token is bound to its holder's key and good for DPoP or mutual TLS alone; get a bearer token for this service"
                .to_owned()
        }
        "exp" | "nbf" | "iat" if view.claim(name).parse::<f64>().is_ok_and(|found| found >= IN_MILLISECONDS) => {
            format!("{name} is written in milliseconds; have the issuer write seconds since 1970 (RFC 7519 §2)")
        }
        _ => format!("have the issuer write {name} as RFC 7519 §4.1 has it: {problem}"),
    }
}

fn algorithm(found: &str, allowed: &[Algorithm]) -> String {
    if found.starts_with("HS") {
        return "it is signed with a shared secret, which a resource server must not hold. With Supabase: switch the project to asymmetric \
                signing keys (Project settings, JWT signing keys), rotate, and sign in again"
            .to_owned();
    }
    if found.eq_ignore_ascii_case("none") {
        return "nobody signed it: whoever made it wants it taken on trust".to_owned();
    }
    if !allowed.is_empty() {
        return "if the issuer signs so on purpose, list the algorithm under the issuer's algorithms".to_owned();
    }
    match Algorithm::ALL
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(found))
    {
        Some(meant) => format!(
            "have the issuer write {meant}: algorithms are compared letter by letter (RFC 7515 §4.1.1)"
        ),
        None => {
            "no public key verifies such a token; have the issuer sign with RS256, ES256 or EdDSA"
                .to_owned()
        }
    }
}

fn unknown_key(view: &ExplainContext<'_>) -> String {
    let kid = view.header("kid");
    let keys = view.issuer().map(|(_, keys)| keys);
    if keys.is_some_and(|keys| keys.kids.contains(&Some(kid.clone()))) {
        return "the issuer publishes this kid, but not for the token's alg: one key serves one algorithm (RFC 8725 §3.1)"
            .to_owned();
    }
    let skipped = keys.and_then(|keys| {
        keys.ignored
            .iter()
            .find(|key| key.kid.as_ref().is_some_and(|named| named.as_str() == kid))
    });
    match skipped {
        Some(key) => format!("the issuer publishes this key, and it is not used: {}", key.reason),
        None => "the set that the issuer publishes now lacks this key: it was revoked, or another project signed".to_owned(),
    }
}

fn unknown_issuer(view: &ExplainContext<'_>, found: &str) -> String {
    if view.issuer().is_some() {
        return "this issuer's tokens are for signing in (its use is \"credential\"): send it where one signs in, for Google's POST \
                /api/auth/google, and to no route as a bearer token"
            .to_owned();
    }
    let known = view.bearer_issuers();
    let near: Vec<_> = known
        .iter()
        .filter_map(|known| Some((known, difference(known, found)?)))
        .collect();
    if near.is_empty() {
        let known = count(known.len(), "issuer");
        return format!(
            "{known} configured, and none like it: configure this issuer (for Supabase by SUPABASE_URL), or get a token from a configured one"
        );
    }
    let near: Vec<_> = near
        .into_iter()
        .map(|(known, by)| format!("{known:?} by {by} alone"))
        .collect();
    format!(
        "it differs from {}; issuers are compared byte by byte, and `issuer` takes a list of spellings",
        near.join(", from ")
    )
}

/// What two issuers differ in that are equal but for case, scheme, a slash at the end and the name
/// of this machine; `None` for others.
fn difference(known: &str, found: &str) -> Option<String> {
    type Step = (&'static str, fn(&str) -> String);
    let steps: [Step; 4] = [
        ("a trailing slash", |iss| {
            iss.trim_end_matches('/').to_owned()
        }),
        ("case", str::to_lowercase),
        ("its scheme", |iss| {
            iss.split_once("://")
                .map_or(iss, |(_, rest)| rest)
                .to_owned()
        }),
        ("the name of this machine", |iss| {
            iss.replacen("localhost", "127.0.0.1", 1)
        }),
    ];
    let bare = |iss: &str, without: usize| {
        let steps = steps.iter().enumerate().filter(|(at, _)| *at != without);
        steps.fold(iss.to_owned(), |iss, (_, (_, bare))| bare(&iss))
    };
    let equal = |without: usize| bare(known, without) == bare(found, without);
    if !equal(steps.len()) {
        return None;
    }
    // Without the step that undoes a difference the two are not equal.
    let by: Vec<_> = steps
        .iter()
        .enumerate()
        .filter(|(at, _)| !equal(*at))
        .map(|(_, (name, _))| *name)
        .collect();
    Some(by.join(" and "))
}

/// Before `sb_publishable_` keys, a project's API keys were tokens themselves.
fn is_legacy_api_key(view: &ExplainContext<'_>) -> bool {
    view.claim("iss") == "supabase"
        && matches!(view.claim("role").as_str(), "anon" | "service_role")
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn what_issuers_differ_in_is_named() {
        let known = "http://127.0.0.1:9999/auth/v1";
        for (found, by) in [
            ("http://127.0.0.1:9999/auth/v1/", "a trailing slash"),
            ("https://127.0.0.1:9999/auth/v1", "its scheme"),
            ("http://localhost:9999/auth/v1", "the name of this machine"),
            ("http://127.0.0.1:9999/Auth/v1", "case"),
            (
                "HTTPS://localhost:9999/auth/v1/",
                "a trailing slash and its scheme and the name of this machine",
            ),
        ] {
            assert_eq!(difference(known, found).as_deref(), Some(by), "{found}");
        }
        for other in [
            "http://127.0.0.1:9998/auth/v1",
            "http://127.0.0.1:9999/auth",
            "https://evil.example",
        ] {
            assert_eq!(difference(known, other), None, "{other}");
        }
    }
}
