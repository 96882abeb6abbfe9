//! Whoever signed in, told by the access token of a request.

use std::time::Duration;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use bearward::{Algorithm, Bearward, Issuer, KeySource, Verified};
use bearward_testing::endpoint::JwksEndpoint;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::{error::AuthApiError, service::AuthService};

/// A person with a session that goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bearer {
    pub(super) person: Uuid,
    pub(super) session: Option<Uuid>,
}

impl FromRequest for Bearer {
    type Error = AuthApiError;
    type Future = LocalBoxFuture<'static, Result<Self, AuthApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let shared = (
            request.app_data::<Data<AuthService>>().cloned(),
            request.app_data::<Data<JwksEndpoint>>().cloned(),
        );
        let sent = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = sent
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = token
            .map(|(_, token)| token.trim().to_owned())
            .filter(|token| !token.is_empty());
        Box::pin(async move {
            let (Some(auth), Some(endpoint)) = shared else {
                return Err(AuthApiError::new(
                    500,
                    "unexpected_failure",
                    "The auth API is not there",
                ));
            };
            let token = token.ok_or(AuthApiError::new(
                401,
                "no_authorization",
                "This endpoint requires a valid Bearer token",
            ))?;
            let verified = verify(&auth, &endpoint, &token).await?;
            let person = Uuid::parse_str(verified.subject());
            let person = person.map_err(|_| {
                AuthApiError::new(403, "bad_jwt", "invalid claim: sub claim must be a UUID")
            })?;
            let session = verified
                .claims()
                .session_id()
                .map(Uuid::parse_str)
                .transpose();
            let session = session.map_err(|_| {
                AuthApiError::new(
                    403,
                    "bad_jwt",
                    "invalid claim: session_id claim must be a UUID",
                )
            })?;
            auth.read(|world, _| {
                let Some(found) = world.person(person) else {
                    return Err(AuthApiError::new(
                        403,
                        "user_not_found",
                        "User from sub claim in JWT does not exist",
                    ));
                };
                let is_ended = |id| {
                    world
                        .session(id)
                        .is_none_or(|session| session.person != person)
                };
                if session.is_some_and(is_ended) {
                    let message = "Session from session_id claim in JWT does not exist";
                    return Err(AuthApiError::new(403, "session_not_found", message));
                }
                if found.banned {
                    return Err(AuthApiError::new(403, "user_banned", "User is banned"));
                }
                Ok(Self { person, session })
            })
            .await
        })
    }
}

/// By the verifier that this crate is about, with the keys of this moment: a revoked one is gone at
/// once.
async fn verify(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    token: &str,
) -> Result<Verified, AuthApiError> {
    let bad = |_| {
        AuthApiError::new(
            403,
            "bad_jwt",
            "invalid JWT: unable to parse or verify signature",
        )
    };
    let jwks = endpoint.ring().jwks().to_string();
    let issuer = Issuer::new(endpoint.issuer(), "authenticated").map_err(bad)?;
    let issuer = issuer
        .keys(KeySource::Fixed(jwks))
        .leeway(Duration::ZERO)
        .map_err(bad)?;
    let issuer = issuer.algorithms(Algorithm::ALL).map_err(bad)?;
    let verifier = Bearward::builder()
        .issuer(issuer)
        .clock(auth.clock())
        .token_cache(0)
        .build()
        .await;
    let verifier = verifier
        .map_err(|_| AuthApiError::new(500, "unexpected_failure", "The keys cannot be read"))?;
    verifier
        .verify(token)
        .await
        .map_err(|refusal| match refusal.error.code() {
            "TOKEN_EXPIRED" => AuthApiError::new(
                403,
                "bad_jwt",
                "invalid JWT: unable to parse or verify signature, token is expired",
            ),
            _ => AuthApiError::new(
                403,
                "bad_jwt",
                "invalid JWT: unable to parse or verify signature",
            ),
        })
}
