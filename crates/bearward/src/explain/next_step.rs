//! What to do about a rejected token: one next step for every reason.

use super::{ExplainContext, count, provider_hints::provider_hint, relative_time};
use crate::{
    algorithm::Algorithm,
    dpop::DpopMode,
    error::{AuthError, CertificateProblem, FormatError, HeaderError, ObjectError},
    issuer::{ClientRule, Issuer},
    revocation::RevocationKind,
    service_key::ServiceKeyProblem,
    text::SanitizedText,
};

/// The end of the issuers of Supabase projects.
const SUPABASE_PATH: &str = "/auth/v1";

const UNSIGNED: &str = "the token is unsigned (alg \"none\") and is never accepted";

/// Returns the next step. The match is exhaustive, so every new reason needs one.
#[allow(clippy::too_many_lines, reason = "one arm for each error")]
pub(super) fn next_step(context: &ExplainContext<'_>, error: &AuthError) -> String {
    if let Some(hint) = provider_hint(context, error) {
        return hint;
    }
    match error {
        AuthError::ApiKey => {
            "this is the project's API key, which is the same for all users; send session.access_token of a signed-in user"
                .to_owned()
        }
        AuthError::ServiceKey(ServiceKeyProblem::Mistyped) => {
            "copy the whole key again; a key of `bearward keys new` has 50 characters".to_owned()
        }
        AuthError::ServiceKey(ServiceKeyProblem::Unknown) => {
            "add the SHA-256 digest of the key to service_keys.NAME.sha256, or use a configured key".to_owned()
        }
        AuthError::ServiceKey(ServiceKeyProblem::Expired { .. }) => {
            "create a key with `bearward keys new NAME` and replace the digest, or change service_keys.NAME.expires"
                .to_owned()
        }
        _ if is_legacy_api_key(context) => {
            "this is the project's anon or service_role key; send session.access_token of a signed-in user".to_owned()
        }
        AuthError::TooLong { .. } => {
            "check that this is an access token, which usually has 1 to 3 KiB; tokens.max_bytes sets the limit".to_owned()
        }
        AuthError::Format(error) => malformed(context, *error),
        AuthError::Header(error) => invalid_header(*error),
        AuthError::Payload(error) => invalid_payload(*error),
        AuthError::AlgorithmNotAllowed { found, allowed } => algorithm(context, found.as_str(), allowed),
        AuthError::UnknownIssuer { found } => unknown_issuer(context, found.as_str()),
        AuthError::UnknownKey => unknown_key(context),
        AuthError::KeysUnavailable { .. } => {
            let reason = context
                .issuer()
                .and_then(|(_, key_sets)| key_sets.iter().find_map(|keys| keys.last_error.as_ref()))
                .map_or("no fetch has finished yet", |error| &error.message);
            format!("the issuer's keys could not be fetched: {reason}; run `bearward check` for details")
        }
        AuthError::InvalidSignature => {
            "the token was modified, or was signed by a different key with the same kid".to_owned()
        }
        AuthError::Expired { at, now } => {
            format!("the token expired {}; sign in again or refresh the session", relative_time(*at, *now))
        }
        AuthError::NotYetValid { claim, at, now } => format!(
            "{claim} is {}; compare this machine's clock with the issuer's: `bearward check` shows the difference",
            relative_time(*at, *now)
        ),
        AuthError::WrongAudience { .. } => {
            "add the token's audience to the issuer's `audiences` only if it names this service; the audience of an ID token names the \
             client application"
                .to_owned()
        }
        AuthError::WrongType { .. } => {
            "send an access token, not an ID token or logout token; `token_type` of the issuer sets the accepted types".to_owned()
        }
        AuthError::MissingClaim(name) => missing_claim(context, name),
        AuthError::InvalidClaim { name, problem } => invalid_claim(context, name, problem),
        AuthError::UnexpectedClaim { name, .. } => format!(
            "`require` of the issuer sets the accepted values of {name}; add the token's value only if such tokens may use this service"
        ),
        AuthError::ClientNotAllowed { found, .. } if found.is_empty() => {
            "the token names no client, and `client_ids` of the issuer requires one of client_id, azp, appid and cid: send an access token of a \
             listed client, or remove `client_ids` and set `audiences`"
                .to_owned()
        }
        AuthError::ClientNotAllowed { .. }
            if context
                .issuer()
                .is_some_and(|(issuer, _)| issuer.client_rule() == ClientRule::AbsentOrListed) =>
        {
            "the token was issued to an OAuth client, and not by the project's own sign-in: add the client to `client_ids` of the issuer only if \
             it may use the whole service as the user"
                .to_owned()
        }
        AuthError::ClientNotAllowed { .. } => {
            "add the client to `client_ids` of the issuer only if it may use this service; each of client_id, azp, appid and cid must be \
             listed"
                .to_owned()
        }
        AuthError::CertificateMismatch(_)
        | AuthError::InvalidProof(_)
        | AuthError::ProofNonceRequired { .. }
        | AuthError::TooManyProofs { .. } => possession(error),
        AuthError::Revoked { kind } => revoked(*kind),
        AuthError::CustomClaimsMismatch => {
            "compare the route's custom claims type with the token's payload: a member is missing or has another type".to_owned()
        }
        AuthError::StepUpRequired { required } => {
            format!("sign in again with a second factor, so that aal is {required}")
        }
        AuthError::InsufficientScope { required } => {
            format!("request the scope {required} from the issuer when signing in")
        }
        AuthError::InsufficientRole { required } => format!(
            "assign the role {required} to the user at the issuer and sign in again; `claims.roles` of the issuer sets where roles are read"
        ),
        AuthError::UserRequired => {
            "the key is valid, and this route is for users; routes with a `Service` or `Caller` parameter accept it".to_owned()
        }
        AuthError::ServiceRequired => "send a service key; `bearward keys new NAME` creates one".to_owned(),
        AuthError::RequirementNotMet { .. } => {
            "this is a requirement of the service; see its code or documentation".to_owned()
        }
        AuthError::NoToken | AuthError::BadAuthorization => {
            "send one header of the form \"Authorization: Bearer TOKEN\"".to_owned()
        }
        AuthError::SeveralCredentials => {
            "send one Authorization header or the cookie, not both".to_owned()
        }
        AuthError::OriginNotAllowed => {
            "add the page's origin to `server.cors_origins` if it is yours".to_owned()
        }
        AuthError::NotConfigured => {
            "add the verifier to the application: App::new().app_data(auth.clone())".to_owned()
        }
    }
}

fn possession(error: &AuthError) -> String {
    match error {
        AuthError::CertificateMismatch(CertificateProblem::NotPresented) => {
            "the token is bound to a client certificate: send it over mutual TLS with that certificate; behind a proxy, \
             server.client_certificate_header names the header with the certificate"
                .to_owned()
        }
        AuthError::CertificateMismatch(CertificateProblem::Different) => {
            "the client authenticated with another certificate than when it requested the token: request a new token with the \
             certificate that is used now"
                .to_owned()
        }
        AuthError::CertificateMismatch(CertificateProblem::NotBound) => {
            "the route requires a token that is bound to a client certificate: request it over mutual TLS (RFC 8705 §3)".to_owned()
        }
        AuthError::ProofNonceRequired { .. } => {
            "repeat the request with a new proof that contains the nonce of the response's DPoP-Nonce header".to_owned()
        }
        AuthError::TooManyProofs { .. } => {
            "set dpop.replay_entries to more than the number of requests within twice dpop.max_age".to_owned()
        }
        _ => format!("create a new proof for each request (RFC 9449 §4.2): {error}"),
    }
}

fn revoked(kind: RevocationKind) -> String {
    if kind == RevocationKind::Key {
        return "an administrator revoked the issuer's key that signed the token; sign in again after the issuer has replaced the key".to_owned();
    }
    format!(
        "the {kind} was revoked, for example by sign-out or because the account was deleted or disabled; sign in again"
    )
}

fn malformed(context: &ExplainContext<'_>, error: FormatError) -> String {
    match error {
        FormatError::Encrypted => {
            "configure the issuer to sign tokens (JWS) instead of encrypting them (JWE)".to_owned()
        }
        FormatError::Empty if context.header("alg").eq_ignore_ascii_case("none") => {
            UNSIGNED.to_owned()
        }
        _ if context.input.token.contains(char::is_whitespace) => {
            "the token contains a space or line break; copy it in one piece".to_owned()
        }
        FormatError::Base64 if context.input.token.contains(['=', '+', '/']) => {
            "the token was encoded with standard base64; tokens use base64url without padding (RFC 7515 §2)".to_owned()
        }
        FormatError::LongSignature => {
            "configure the issuer to sign with a supported algorithm and an RSA key of at most 8192 bits".to_owned()
        }
        FormatError::Parts(_) => {
            "copy the complete access token, which begins with eyJ and has two dots, and not the refresh token; if the issuer's access tokens are \
             opaque, configure it to issue JWTs"
                .to_owned()
        }
        FormatError::Empty | FormatError::Base64 => {
            "copy the complete access token, which begins with eyJ and has two dots, and not the refresh token".to_owned()
        }
    }
}

fn invalid_header(error: HeaderError) -> String {
    match error {
        HeaderError::Object(ObjectError::Duplicate) => {
            "duplicate header names indicate a tampered or malformed token (RFC 7515 §4)".to_owned()
        }
        HeaderError::Object(ObjectError::NotAnObject) => {
            "the first part is not a JSON object, so this is not a JWT; copy the complete token".to_owned()
        }
        HeaderError::NotAString(name) => {
            format!("configure the issuer to write {name} as a string (RFC 7515 §4.1)")
        }
        HeaderError::Critical => {
            "the token requires a header extension that bearward does not support; configure the issuer to sign without crit (RFC 7515 \
             §4.1.11)"
                .to_owned()
        }
        HeaderError::Unencoded => {
            "configure the issuer to sign the base64url-encoded payload, without b64 (RFC 7797)".to_owned()
        }
        HeaderError::LongKid => {
            format!("configure the issuer to use key ids of at most {} bytes", crate::jws::MAX_KID_BYTES)
        }
    }
}

fn invalid_payload(error: ObjectError) -> String {
    match error {
        ObjectError::Duplicate => {
            "duplicate claim names indicate a tampered or malformed token (RFC 7519 §4)".to_owned()
        }
        ObjectError::NotAnObject => {
            "the payload is not a JSON object of claims, so this is not a JWT (RFC 7519 §7.2); send the access token".to_owned()
        }
    }
}

fn missing_claim(context: &ExplainContext<'_>, name: &str) -> String {
    let is_required_by = |issuer: &Issuer| {
        issuer
            .required_claims
            .iter()
            .any(|required| **required == *name)
    };
    match name {
        "sub" => {
            "the token has no sub: send the access token instead of another token. If the issuer writes none for machine callers, set \
             claims.subject = [\"sub\", \"client_id\"]"
                .to_owned()
        }
        "cnf" => {
            "the issuer or the route requires tokens that are bound to a key (DPoP, RFC 9449): send a proof with the token request".to_owned()
        }
        "iss" | "aud" | "exp" => format!(
            "every access token has {name} (RFC 9068 §2.2); configure the issuer to add it, or send the access token instead of another token"
        ),
        _ if context
            .issuer()
            .is_some_and(|(issuer, _)| is_required_by(issuer)) =>
        {
            format!(
                "`required_claims` of the issuer contains {name}: configure the issuer to add the claim, or remove it from that list"
            )
        }
        _ => format!(
            "`token_type = \"at+jwt\"` of the issuer requires {name} (RFC 9068 §2.2): configure the issuer to add the claim, or use \
             `token_type = \"jwt\"`"
        ),
    }
}

fn invalid_claim(context: &ExplainContext<'_>, name: &str, problem: &str) -> String {
    /// Times in seconds have ten digits until 2286.
    const MIN_MILLISECONDS: f64 = 100_000_000_000.0;
    match name {
        "cnf" if context.issuer().is_some_and(|(issuer, _)| issuer.dpop == DpopMode::Off) => {
            "the token is bound to a key and requires DPoP or another proof: set `dpop = \"accepted\"` of the issuer, or request a bearer token or \
             one that is bound to a client certificate (RFC 8705)"
                .to_owned()
        }
        "cnf" => {
            "the token is bound to a key: send it as \"Authorization: DPoP TOKEN\" with a proof in the header DPoP; other confirmation methods than \
             jkt and x5t#S256 are not supported"
                .to_owned()
        }
        "exp" | "nbf" | "iat"
            if context
                .claim(name)
                .parse::<f64>()
                .is_ok_and(|found| found >= MIN_MILLISECONDS) =>
        {
            format!("{name} is in milliseconds; configure the issuer to write seconds since 1970 (RFC 7519 §2)")
        }
        "iss" | "sub" | "aud" | "exp" | "nbf" | "iat" | "jti" => {
            format!("configure the issuer to write {name} as specified in RFC 7519 §4.1: it {problem}")
        }
        _ if context
            .issuer()
            .and_then(|(issuer, _)| issuer.template.as_ref())
            .is_some_and(|template| template.claim() == name) =>
        {
            format!("do not accept this token: its {name} is not the tenant in its iss, so the issuer signed a token for another tenant")
        }
        _ => format!("configure the issuer to write {name} correctly: it {problem}"),
    }
}

fn algorithm(context: &ExplainContext<'_>, found: &str, allowed: &[Algorithm]) -> String {
    if found.starts_with("HS") {
        let iss = context.claim("iss");
        let remedy = if iss.ends_with(SUPABASE_PATH) || iss == "supabase" {
            ". With Supabase: switch the project to asymmetric signing keys (Project settings, JWT signing keys), rotate, and sign in again"
        } else {
            ": configure the issuer to sign with an asymmetric key, such as RS256 or ES256"
        };
        return format!(
            "the token is signed with a shared secret, which a resource server must not have{remedy}"
        );
    }
    if found.eq_ignore_ascii_case("none") {
        return UNSIGNED.to_owned();
    }
    if !allowed.is_empty() {
        return "add the algorithm to the issuer's `algorithms` if the issuer uses it intentionally".to_owned();
    }
    match Algorithm::ALL
        .iter()
        .find(|known| known.name().eq_ignore_ascii_case(found))
    {
        Some(known) => format!(
            "configure the issuer to write {known}: algorithm names are case-sensitive (RFC 7515 §4.1.1)"
        ),
        None => {
            format!(
                "bearward does not support this algorithm; configure the issuer to sign with one of {}",
                super::algorithm_names(Algorithm::ALL)
            )
        }
    }
}

fn unknown_key(context: &ExplainContext<'_>) -> String {
    let (kid, alg) = (context.header("kid"), context.header("alg"));
    let key_sets = context.issuer().map_or(&[][..], |(_, key_sets)| key_sets);
    let mut usable = key_sets.iter().flat_map(|keys| &keys.usable);
    if let Some(key) = usable.find(|key| key.kid.as_deref() == Some(&kid)) {
        return format!(
            "the issuer publishes a key with this kid, but it verifies {} and not {alg}: a key is used with the algorithm in its alg, or of its \
             type (RFC 8725 §3.1)",
            super::algorithm_names(&key.algorithms)
        );
    }
    let mut ignored = key_sets.iter().flat_map(|keys| &keys.ignored);
    let same_kid = |ignored: &SanitizedText| ignored.as_str() == kid;
    match ignored.find(|key| key.kid.as_ref().is_some_and(same_kid)) {
        Some(key) => format!("the issuer publishes this key, but it cannot be used: {}", key.reason),
        None => {
            "the issuer's current key set does not contain this key: it was revoked, or another project signed the token".to_owned()
        }
    }
}

fn unknown_issuer(context: &ExplainContext<'_>, found: &str) -> String {
    if context.issuer().is_some() {
        return "this issuer's tokens are accepted for signing in only (`use = \"credential\"`): send the token to the sign-in route, for \
                Google POST /api/auth/google, and not as a bearer token"
            .to_owned();
    }
    if let Some(tenant) = context.unlisted_tenant(found) {
        return format!(
            "the tenant {tenant} is not in `tenants` of the issuer: add it only if its users may use this service"
        );
    }
    let configured = context.bearer_issuers();
    let similar: Vec<_> = configured
        .iter()
        .filter_map(|iss| Some(format!("{iss:?} only by {}", difference(iss, found)?)))
        .collect();
    if similar.is_empty() {
        let shortcut = if found.ends_with(SUPABASE_PATH) {
            " (for Supabase with SUPABASE_URL)"
        } else {
            ""
        };
        format!(
            "{} configured, none of them similar: configure this issuer{shortcut}, or get a token from a configured issuer",
            count(context.bearer_issuer_count(), "issuer")
        )
    } else {
        format!(
            "it differs from {}; issuers are compared byte by byte, and `issuer` accepts a list",
            similar.join(", from ")
        )
    }
}

/// Names the differences between two issuers that are equal except for case, scheme, trailing
/// slashes and the name of this machine. Returns `None` for other issuers.
fn difference(configured: &str, found: &str) -> Option<String> {
    type Normalization = (&'static str, fn(&str) -> String);
    let normalizations: [Normalization; 4] = [
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
    let normalize = |iss: &str, except: Option<usize>| {
        normalizations
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != except)
            .fold(iss.to_owned(), |iss, (_, (_, normalize))| normalize(&iss))
    };
    let are_equal = |except| normalize(configured, except) == normalize(found, except);
    if !are_equal(None) {
        return None;
    }
    // Without the normalization that removes a difference, the two are not equal.
    let differences: Vec<_> = normalizations
        .iter()
        .enumerate()
        .filter(|(index, _)| !are_equal(Some(*index)))
        .map(|(_, (name, _))| *name)
        .collect();
    Some(differences.join(" and "))
}

/// Returns whether the token is one of the JWT API keys that Supabase projects had before
/// `sb_publishable_` keys.
fn is_legacy_api_key(context: &ExplainContext<'_>) -> bool {
    context.claim("iss") == "supabase"
        && matches!(context.claim("role").as_str(), "anon" | "service_role")
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn differences_between_similar_issuers_are_named() {
        let configured = "http://127.0.0.1:9999/auth/v1";
        for (found, expected) in [
            ("http://127.0.0.1:9999/auth/v1/", "a trailing slash"),
            ("https://127.0.0.1:9999/auth/v1", "its scheme"),
            ("http://localhost:9999/auth/v1", "the name of this machine"),
            ("http://127.0.0.1:9999/Auth/v1", "case"),
            (
                "HTTPS://localhost:9999/auth/v1/",
                "a trailing slash and its scheme and the name of this machine",
            ),
        ] {
            assert_eq!(
                difference(configured, found).as_deref(),
                Some(expected),
                "{found}"
            );
        }
        for other in [
            "http://127.0.0.1:9998/auth/v1",
            "http://127.0.0.1:9999/auth",
            "https://evil.example",
        ] {
            assert_eq!(difference(configured, other), None, "{other}");
        }
    }
}
