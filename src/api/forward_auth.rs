//! `ANY /api/auth/verify`: forward authentication for gateways (nginx, Caddy, Envoy, Traefik).

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
    web::Data,
};
use bearward::{AuthError, Bearward, Caller, ClaimRule, ClaimValue, Service, Verified};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    ApiError,
    schema::{AccountErrors, ParameterErrors},
};
use crate::server::middleware::{FORWARD_AUTH_PATH, ForwardAuthChecked};

/// Authorize a forwarded request
///
/// A gateway sends this request for each request that it receives. 200 has no body and identifies
/// the user in headers, which the gateway copies to the request that it forwards:
///
/// | header | value |
/// |---|---|
/// | `X-Auth-Subject` | `sub`, unique within the issuer |
/// | `X-Auth-Issuer` | the issuer in its canonical spelling, the same for all accepted spellings of `iss` |
/// | `X-Auth-Email` | the email address; it does not identify the user |
/// | `X-Auth-Role` | the `role` claim, `authenticated` with Supabase; `?role=` checks the list of roles instead |
/// | `X-Auth-Roles` | the roles, separated by commas |
/// | `X-Auth-Scopes` | the scopes, separated by spaces |
/// | `X-Auth-Tenant` | the tenant |
/// | `X-Auth-Client` | the client that the token was issued to: `client_id`, `azp`, `appid` or `cid`; the name of a service |
///
/// Each header is always present and is empty if the token has no such claim. Some gateways keep
/// headers of the client whose names are not in this response, so a missing header could be
/// forged.
///
/// Values are percent-encoded: spaces, control characters, `%` and bytes outside of ASCII, in roles
/// also commas. A claim can neither break the header nor start another one. `decodeURIComponent`
/// decodes it.
///
/// The query adds requirements, which must all be met: `role`, `scope` (several scopes separated by
/// spaces), `aal` (`aal1`, `aal2`, `aal3`: the minimum level) and `claim` (`NAME=VALUE` or
/// `/POINTER=VALUE`: the value of a claim, where a trailing `*` matches any text; `true`, `false`
/// and whole numbers also match booleans and numbers). Unknown parameters are rejected, so that a
/// misspelled restriction is not ignored.
///
/// `caller` says who may call: `user` (the default), `service` (with a service key) or `any`. For a
/// service, `X-Auth-Client` is its name, `X-Auth-Scopes` has its scopes, and the other headers are
/// empty: a backend recognizes it by the empty `X-Auth-Subject`. Services meet no `role`, `aal` and
/// `claim`.
///
/// # Errors
/// The errors of every endpoint with an account; then 422 for an invalid query; then 401 for a claim
/// with another value; then 403 for a missing role or scope; then 401 for a level that is too low.
/// 403 for a service where a user is required, and the reverse.
#[utoipa::path(
    method(get, head, post, put, patch, delete, options, trace), path = "/api/auth/verify", operation_id = "verify", tag = "sign-in",
    params(
        ("role" = Option<String>, Query, description = "A required role; may be repeated", min_length = 1),
        ("scope" = Option<String>, Query, description = "Required scopes, separated by spaces", pattern = "^ *[^ ].*$"),
        ("aal" = Option<String>, Query, description = "The minimum authentication assurance level", pattern = "^aal[123]$"),
        ("claim" = Option<String>, Query, description = "A required claim, as `NAME=VALUE` or `/POINTER=VALUE`; may be repeated", example = "repository_owner=octo-org", pattern = r"^(/[^~=*/][^~=*]*|[^/=*][^=*]*)=[^*]+\*?$"),
        ("caller" = Option<String>, Query, description = "Who may call; `user` by default", pattern = "^(user|service|any)$")
    ),
    responses(
        AccountErrors,
        ParameterErrors,
        (
            status = 200, description = "The request is authorized",
            headers(
                ("x-auth-subject" = String, description = "`sub`"),
                ("x-auth-issuer" = String, description = "The issuer in its canonical spelling"),
                ("x-auth-email" = String, description = "The email address, or empty"),
                ("x-auth-role" = String, description = "The `role` claim, or empty"),
                ("x-auth-roles" = String, description = "The roles, separated by commas, or empty"),
                ("x-auth-scopes" = String, description = "The scopes, separated by spaces, or empty"),
                ("x-auth-tenant" = String, description = "The tenant, or empty"),
                ("x-auth-client" = String, description = "The client that the token was issued to, or the name of the service, or empty")
            )
        )
    )
)]
pub(super) async fn verify(
    caller: Caller,
    auth: Data<Bearward>,
    request: HttpRequest,
) -> Result<HttpResponse, Error> {
    if request.extensions().get::<ForwardAuthChecked>().is_none() {
        tracing::error!("{FORWARD_AUTH_PATH} is served without the middleware forward_auth_method");
        return Err(ApiError::internal(&request).into());
    }
    let query = AccessQuery::parse(request.query_string()).map_err(|errors| {
        let message = "invalid query in the gateway's configuration of this endpoint; see details";
        ApiError::new(
            &request,
            StatusCode::UNPROCESSABLE_ENTITY,
            "VALIDATION_FAILED",
            message,
        )
        .with_details(errors.into())
    })?;
    query
        .check(&caller)
        .map_err(|error| Bearward::record_rejection(caller.failure(error)))
        .map_err(|failure| auth.reject(&request, failure))?;
    Ok(match &caller {
        Caller::User(user) => user_response(user),
        Caller::Service(service) => service_response(service),
    })
}

/// Identifies a user in headers.
fn user_response(user: &Verified) -> HttpResponse {
    let claims = user.claims();
    let scopes: Vec<String> = claims
        .scopes()
        .filter(|scope| !scope.is_empty())
        .map(percent_encode)
        .collect();
    let roles: Vec<String> = claims
        .roles()
        .filter(|role| !role.is_empty())
        .map(|role| utf8_percent_encode(role, ENCODED_IN_LIST).to_string())
        .collect();
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("x-auth-subject", percent_encode(user.subject())))
        .insert_header(("x-auth-issuer", percent_encode(user.canonical_issuer())))
        .insert_header((
            "x-auth-email",
            percent_encode(user.email().unwrap_or_default()),
        ))
        .insert_header((
            "x-auth-role",
            percent_encode(claims.role().unwrap_or_default()),
        ))
        .insert_header(("x-auth-roles", roles.join(",")))
        .insert_header(("x-auth-scopes", scopes.join(" ")))
        .insert_header((
            "x-auth-tenant",
            percent_encode(claims.tenant().unwrap_or_default()),
        ))
        .insert_header((
            "x-auth-client",
            percent_encode(claims.client_id().unwrap_or_default()),
        ))
        .finish()
}

/// Identifies a service in headers. All names are present, so that a gateway replaces those of the
/// client.
fn service_response(service: &Service) -> HttpResponse {
    let scopes: Vec<String> = service.scopes().map(percent_encode).collect();
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    for name in [
        "x-auth-subject",
        "x-auth-issuer",
        "x-auth-email",
        "x-auth-role",
        "x-auth-roles",
        "x-auth-tenant",
    ] {
        response.insert_header((name, ""));
    }
    response
        .insert_header(("x-auth-scopes", scopes.join(" ")))
        .insert_header(("x-auth-client", percent_encode(service.name())))
        .finish()
}

/// Maximum number of query errors in a response.
const MAX_ERRORS: usize = 20;

/// The levels that `?aal=` accepts.
const LEVELS: [&str; 3] = ["aal1", "aal2", "aal3"];

/// The requirements in the query.
#[derive(Default)]
struct AccessQuery {
    roles: Vec<String>,
    scopes: Vec<String>,
    levels: Vec<&'static str>,
    claims: Vec<ClaimRule>,
    callers: AcceptedCallers,
}

/// The value of `?caller=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum AcceptedCallers {
    #[default]
    User,
    Service,
    Any,
}

impl AccessQuery {
    fn parse(query: &str) -> Result<Self, Vec<Value>> {
        let mut parsed = Self::default();
        let mut errors = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if errors.len() == MAX_ERRORS {
                break;
            }
            if let Err(problem) = parsed.add(&name, &value) {
                errors.push(json!({ "field": name, "problem": problem }));
            }
        }
        if errors.is_empty() {
            Ok(parsed)
        } else {
            Err(errors)
        }
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "role" if !value.is_empty() => self.roles.push(value.to_owned()),
            "scope" if value.split(' ').any(|scope| !scope.is_empty()) => {
                self.scopes.extend(
                    value
                        .split(' ')
                        .filter(|scope| !scope.is_empty())
                        .map(str::to_owned),
                );
            }
            "aal" => self.levels.push(
                LEVELS
                    .into_iter()
                    .find(|level| *level == value)
                    .ok_or("must be aal1, aal2 or aal3")?,
            ),
            "claim" => self.claims.push(
                parse_claim(value).ok_or(
                    "must be NAME=VALUE or /POINTER=VALUE; \"*\" is accepted only at the end of the value",
                )?,
            ),
            "caller" => {
                self.callers = match value {
                    "user" => AcceptedCallers::User,
                    "service" => AcceptedCallers::Service,
                    "any" => AcceptedCallers::Any,
                    _ => return Err("must be user, service or any"),
                }
            }
            "role" | "scope" => return Err("must not be empty"),
            _ => return Err("is unknown; accepted parameters: role, scope, aal, claim, caller"),
        }
        Ok(())
    }

    fn check(&self, caller: &Caller) -> Result<(), AuthError> {
        match caller {
            Caller::User(_) if self.callers == AcceptedCallers::Service => {
                Err(AuthError::ServiceRequired)
            }
            Caller::User(user) => self.check_user(user),
            Caller::Service(service) => self.check_service(service),
        }
    }

    /// A service has no role, level and claims, so it does not meet a requirement for one.
    fn check_service(&self, service: &Service) -> Result<(), AuthError> {
        let needs_user =
            !(self.roles.is_empty() && self.levels.is_empty() && self.claims.is_empty());
        if self.callers == AcceptedCallers::User || needs_user {
            return Err(AuthError::UserRequired);
        }
        if self.scopes.is_empty() {
            Ok(())
        } else {
            service.require_scope(&self.scopes.join(" "))
        }
    }

    /// Checks claims, then roles, then scopes, then the level: a user without the role does not have
    /// to step up to learn that.
    fn check_user(&self, user: &Verified) -> Result<(), AuthError> {
        self.claims
            .iter()
            .try_for_each(|rule| user.require_claim(rule))?;
        self.roles
            .iter()
            .try_for_each(|role| user.require_role(role))?;
        if !self.scopes.is_empty() {
            // In one call, so that the challenge names all required scopes.
            user.require_scope(&self.scopes.join(" "))?;
        }
        self.levels
            .iter()
            .try_for_each(|level| user.require_aal(level))
    }
}

/// Parses a required claim. A query has no types, so `true` is the boolean and the text.
fn parse_claim(parameter: &str) -> Option<ClaimRule> {
    let (claim, value) = parameter.split_once('=')?;
    let mut accepted = vec![ClaimValue::from(value)];
    if let Ok(boolean) = value.parse::<bool>() {
        accepted.push(boolean.into());
    }
    if let Ok(integer) = value.parse::<i64>()
        && integer.to_string() == value
    {
        accepted.push(integer.into());
    }
    ClaimRule::new(claim, accepted).ok()
}

/// The characters that are encoded in header values: everything but visible ASCII without `%`.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// The characters that are encoded in an element of a list that is separated by commas.
const ENCODED_IN_LIST: &AsciiSet = &ENCODED.add(b',');

fn percent_encode(claim: &str) -> String {
    utf8_percent_encode(claim, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_ascii_is_kept_and_the_rest_is_percent_encoded() {
        for (claim, header) in [
            ("ada@example.com", "ada@example.com"),
            (
                "https://id.example.com/a?b=c",
                "https://id.example.com/a?b=c",
            ),
            ("auth0|1,2;\"3\"", "auth0|1,2;\"3\""),
            ("a b", "a%20b"),
            ("100%", "100%25"),
            ("%20", "%2520"),
            ("a\r\nX-Auth-Role: admin", "a%0D%0AX-Auth-Role:%20admin"),
            ("Zoë", "Zo%C3%AB"),
            ("\u{0}\u{7f}", "%00%7F"),
            ("", ""),
        ] {
            assert_eq!(percent_encode(claim), header);
            let decoded = form_urlencoded::parse(
                header
                    .replace('+', "%2B")
                    .replace('&', "%26")
                    .replace('=', "%3D")
                    .as_bytes(),
            )
            .map(|(name, _)| name.into_owned())
            .next();
            assert_eq!(decoded.unwrap_or_default(), claim, "round trip");
        }
    }

    #[test]
    fn the_query_accepts_only_known_requirements() {
        for query in [
            "",
            "&",
            "role=admin",
            "role=a&role=b",
            "scope=read+write",
            "scope=read%20write&aal=aal2",
            "role=a%26b",
            "claim=repository_owner=octo-org",
            "claim=/kubernetes.io/namespace=prod&claim=sub=repo:octo-org/*",
            "claim=email_verified%3Dtrue",
        ] {
            assert!(AccessQuery::parse(query).is_ok(), "{query}");
        }
        for query in [
            "role",
            "role=",
            "scope=",
            "scope=+",
            "aal=",
            "aal=2",
            "aal=aal4",
            "aal=AAL2",
            "Role=admin",
            "rol=admin",
            "role[]=a",
            "claim",
            "claim=",
            "claim=a",
            "claim=a=",
            "claim=a=*",
            "claim=a=*b",
            "claim==a",
            "claim=/=a",
            "claim=/~2=a",
            "claims=a=b",
            "x",
        ] {
            assert!(AccessQuery::parse(query).is_err(), "{query}");
        }
    }
}
