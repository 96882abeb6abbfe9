//! `ANY /api/auth/verify`: may this request pass, and whose is it? Asked by a gateway (nginx,
//! Caddy, Envoy, Traefik) about each request.

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, HeaderName, HeaderValue, ORIGIN},
    },
    middleware::Next,
};
use bearward::{AuthError, Principal, Verified, internals::reject};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::ApiError;

pub(super) const PATH: &str = "/api/auth/verify";

const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");

/// May this request pass, and whose is it?
///
/// For a gateway, about each request that it gets. 200 without a body, and who it is in headers,
/// for the gateway to copy onto the request that it lets pass:
///
/// | header | is |
/// |---|---|
/// | `X-Auth-Subject` | `sub`: who, unique within the issuer |
/// | `X-Auth-Issuer` | `iss`, in the configured spelling |
/// | `X-Auth-Email` | the e-mail address; it identifies nobody |
/// | `X-Auth-Role` | the one `role` claim; with Supabase `authenticated`. `?role=` asks the list of roles |
/// | `X-Auth-Scopes` | the scopes, separated by spaces |
///
/// Each is there always, and empty where the token has no such claim: some gateways keep what the
/// client sent under a name that is not in this answer, and a header that is absent would then be a
/// header that the client can forge.
///
/// In a value, each byte of UTF-8 that is no visible ASCII character, and `%`, is written as `%`
/// and two hexadecimal digits: whatever stands in a claim, it neither breaks the header nor begins
/// another. `decodeURIComponent` and its like give back the claim.
///
/// The query narrows it; every parameter must hold: `role`, `scope` (words separated by spaces, all
/// of them), `aal` (`aal1`, `aal2`, `aal3`: at least). Any other is refused, because a restriction
/// that is passed over is an open door.
///
/// # Errors
/// As every route of an account; then 422 for a query that cannot be read; then 403 for a role or a
/// scope, 401 for a level.
#[utoipa::path(
    method(get, head, post, put, patch, delete, options, trace), path = "/api/auth/verify", operation_id = "verify", tag = "sign-in",
    params(
        ("role" = Option<String>, Query, description = "A role that the roles must hold; may be repeated", min_length = 1),
        ("scope" = Option<String>, Query, description = "Words separated by spaces: scopes that must all be there", pattern = "^ *[^ ].*$"),
        ("aal" = Option<String>, Query, description = "The level of authentication, at least", pattern = "^aal[123]$")
    ),
    responses((
        status = 200, description = "It may pass",
        headers(
            ("x-auth-subject" = String, description = "`sub`"),
            ("x-auth-issuer" = String, description = "`iss`"),
            ("x-auth-email" = String, description = "The address, or empty"),
            ("x-auth-role" = String, description = "The `role` claim, or empty"),
            ("x-auth-scopes" = String, description = "The scopes, separated by spaces, or empty")
        )
    ))
)]
pub(super) async fn verify(user: Principal, request: HttpRequest) -> Result<HttpResponse, Error> {
    if request.extensions().get::<ForwardAuthChecked>().is_none() {
        tracing::error!("{PATH} is served without `as_forwarded` around the application");
        return Err(ApiError::internal(&request).into());
    }
    let narrowing = AccessQuery::of(request.query_string()).map_err(|details| {
        let message =
            "the query of this endpoint's address, in the gateway's configuration, does not have the form that is asked for";
        ApiError::new(&request, StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_FAILED", message).with_details(details.into())
    })?;
    narrowing
        .check(&user)
        .map_err(|rejection| reject(&request, user.failure(rejection)))?;
    let claims = user.claims();
    let scopes: Vec<String> = claims
        .scopes()
        .filter(|scope| !scope.is_empty())
        .map(encoded)
        .collect();
    let response = HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("x-auth-subject", encoded(user.subject())))
        .insert_header(("x-auth-issuer", encoded(user.issuer())))
        .insert_header(("x-auth-email", encoded(user.email().unwrap_or_default())))
        .insert_header(("x-auth-role", encoded(claims.role().unwrap_or_default())))
        .insert_header(("x-auth-scopes", scopes.join(" ")))
        .finish();
    Ok(response)
}

/// A middleware around the whole application, outside of CORS: a gateway's question about
/// somebody's request is no request of that kind itself.
///
/// Two things would go wrong. A preflight request, which a gateway forwards with its method, would
/// be answered with 200 by the CORS rules of this server before anybody asks for a token. And most
/// gateways ask with GET about a POST, so that a token in a cookie would not need an `Origin` that
/// is listed (see [`CookieSource`](bearward::CookieSource)). The question therefore counts as
/// unsafe, unless `X-Forwarded-Method` says that it is about GET or HEAD and there is no `Origin`,
/// which a `WebSocket` handshake from another site would have. A client may write that header
/// itself; the other site, against which the rule protects it, cannot.
///
/// # Errors
/// What the application answers with an error.
pub async fn forward_auth_method<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.match_info().unprocessed() == PATH {
        let mut methods = request.headers().get_all(FORWARDED_METHOD);
        let told = methods
            .next()
            .filter(|_| methods.next().is_none())
            .map(HeaderValue::as_bytes);
        let safe =
            matches!(told, Some(b"GET" | b"HEAD")) && !request.headers().contains_key(ORIGIN);
        request.head_mut().method = if safe { Method::GET } else { Method::POST };
        request.extensions_mut().insert(ForwardAuthChecked);
    }
    next.call(request).await
}

/// The request has passed [`forward_auth_method`].
struct ForwardAuthChecked;

/// How many problems of a query one answer tells.
const MOST: usize = 20;

/// What the query asks of the user, beyond a good token.
#[derive(Default)]
struct AccessQuery {
    roles: Vec<String>,
    scopes: Vec<String>,
    levels: Vec<&'static str>,
}

impl AccessQuery {
    fn of(query: &str) -> Result<Self, Vec<Value>> {
        let mut narrowing = Self::default();
        let mut problems = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if problems.len() == MOST {
                break;
            }
            if let Err(problem) = narrowing.add(&name, &value) {
                problems.push(json!({ "field": name, "problem": problem }));
            }
        }
        if problems.is_empty() {
            Ok(narrowing)
        } else {
            Err(problems)
        }
    }

    fn add(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        const LEVELS: [&str; 3] = ["aal1", "aal2", "aal3"];
        match name {
            "role" if !value.is_empty() => self.roles.push(value.to_owned()),
            "scope" if value.split(' ').any(|word| !word.is_empty()) => {
                self.scopes.extend(
                    value
                        .split(' ')
                        .filter(|word| !word.is_empty())
                        .map(str::to_owned),
                );
            }
            "aal" => self.levels.push(
                LEVELS
                    .into_iter()
                    .find(|level| *level == value)
                    .ok_or("write aal1, aal2 or aal3")?,
            ),
            "role" | "scope" => return Err("name one"),
            _ => return Err("there is no such parameter; there are role, scope and aal"),
        }
        Ok(())
    }

    /// The level comes last: who lacks a role need not sign in again to learn it.
    fn check(&self, user: &Verified) -> Result<(), AuthError> {
        self.roles
            .iter()
            .try_for_each(|role| user.require_role(role))?;
        if !self.scopes.is_empty() {
            // All at once: the challenge then names all that are needed.
            user.require_scope(&self.scopes.join(" "))?;
        }
        self.levels
            .iter()
            .try_for_each(|level| user.require_aal(level))
    }
}

fn encoded(claim: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(claim.len());
    for byte in claim.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            text.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_ascii_stands_as_it_is_and_everything_else_is_percent_encoded() {
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
            assert_eq!(encoded(claim), header);
            let back = form_urlencoded::parse(
                header
                    .replace('+', "%2B")
                    .replace('&', "%26")
                    .replace('=', "%3D")
                    .as_bytes(),
            )
            .map(|(name, _)| name.into_owned())
            .next();
            assert_eq!(back.unwrap_or_default(), claim, "it can be read back");
        }
    }

    #[test]
    fn a_query_names_roles_scopes_and_levels_and_nothing_else() {
        for query in [
            "",
            "&",
            "role=admin",
            "role=a&role=b",
            "scope=read+write",
            "scope=read%20write&aal=aal2",
            "role=a%26b",
        ] {
            assert!(AccessQuery::of(query).is_ok(), "{query}");
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
            "x",
        ] {
            assert!(AccessQuery::of(query).is_err(), "{query}");
        }
    }
}
