//! What to do about a refusal, where one thing is most likely.

use super::{View, distance};
use crate::auth::error::{FormError, Rejection};

pub(super) fn advice(view: &View<'_>, rejection: &Rejection) -> Option<String> {
    let advice = match rejection {
        Rejection::ApiKey => "it is the project's, and the same for everybody; the token is session.access_token after a sign-in".to_owned(),
        _ if is_legacy_api_key(view) => {
            "this is the project's anon or service_role key, not a person's token; the token is session.access_token after a sign-in"
                .to_owned()
        }
        Rejection::TooLong { .. } => "tokens.max_bytes sets the limit; real access tokens have 1 to 3 KiB".to_owned(),
        Rejection::Form(FormError::Encrypted) => "ask the issuer for signed tokens (JWS)".to_owned(),
        Rejection::Form(FormError::Empty) if view.header("alg").eq_ignore_ascii_case("none") => {
            "nobody signed it: whoever made it wants it taken on trust".to_owned()
        }
        Rejection::Form(_) if view.case.token.contains(char::is_whitespace) => {
            "there is a space or the end of a line inside; copy the token in one piece".to_owned()
        }
        Rejection::Form(_) => {
            "an access token begins with eyJ and has two dots; copy all of it, and take the access token, not the refresh token".to_owned()
        }
        Rejection::AlgorithmNotAllowed { found, .. } if found.as_str().starts_with("HS") => {
            "it is signed with a shared secret, which a resource server must not hold. With Supabase: switch the project to asymmetric \
             signing keys (Project settings, JWT signing keys), rotate, and sign in again"
                .to_owned()
        }
        Rejection::AlgorithmNotAllowed { allowed, .. } if !allowed.is_empty() => {
            "if the issuer signs so on purpose, list the algorithm under the issuer's algorithms".to_owned()
        }
        Rejection::UnknownIssuer { found } => unknown_issuer(view, found.as_str()),
        Rejection::UnknownKey => {
            "the set that the issuer publishes now lacks this key: it was revoked, or another project signed".to_owned()
        }
        Rejection::KeysUnavailable { .. } => {
            let (_, keys) = view.issuer()?;
            let reason = keys.last_error.as_deref().unwrap_or("no attempt has finished");
            format!("the keys could not be fetched: {reason}; `bearward check` says more")
        }
        Rejection::InvalidSignature => "some byte was changed after signing, or another key of the same kid signed".to_owned(),
        Rejection::Expired { at, now } => format!("it ended {}; sign in again or refresh the session", distance(*at, *now)),
        Rejection::NotYetValid { claim, at, now } => format!(
            "its {claim} is {}; compare this machine's clock with the issuer's: `bearward check` shows the difference",
            distance(*at, *now)
        ),
        Rejection::WrongAudience { .. } => {
            "add the token's audience to the issuer's audiences only if it names this service; an ID token names the app instead".to_owned()
        }
        Rejection::WrongType { .. } => {
            "send the access token, not an ID or logout token; token_type of the issuer says which types are access tokens".to_owned()
        }
        _ => return None,
    };
    Some(advice)
}

fn unknown_issuer(view: &View<'_>, found: &str) -> String {
    let known = view.case.issuers.iter().flat_map(|(issuer, _)| issuer.spellings.iter());
    let near: Vec<_> = known.filter(|known| alike(known, found)).map(|known| format!("{known:?}")).collect();
    if near.is_empty() {
        "configure this issuer (for Supabase by SUPABASE_URL), or get a token from a configured one".to_owned()
    } else {
        format!(
            "it differs from {} by case, scheme, a trailing slash or the name of this machine alone; issuers are compared byte by byte, \
             and `issuer` takes a list of spellings",
            near.join(", ")
        )
    }
}

/// Before `sb_publishable_` keys, a project's API keys were tokens themselves.
fn is_legacy_api_key(view: &View<'_>) -> bool {
    view.claim("iss") == "supabase" && matches!(view.claim("role").as_str(), "anon" | "service_role")
}

/// Equal but for case, scheme, a slash at the end and the name of this machine.
fn alike(one: &str, other: &str) -> bool {
    let bare = |iss: &str| {
        let iss = iss.to_lowercase();
        let iss = iss.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
        iss.strip_prefix("localhost").map_or_else(|| iss.to_owned(), |rest| format!("127.0.0.1{rest}"))
    };
    bare(one) == bare(other)
}
