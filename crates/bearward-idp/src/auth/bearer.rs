//! Authenticates requests to the auth API by their access token.

use std::time::Duration;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use bearward::{Algorithm, Audiences, Bearward, Issuer, KeySource, Verified};
use bearward_testing::endpoint::JwksEndpoint;
use futures_util::future::LocalBoxFuture;
use uuid::Uuid;

use super::{error::AuthApiError, service::AuthService};

/// The audience of the tokens of a user's own app.
const AUDIENCE: &str = "authenticated";

/// The user and session of a verified access token. Both exist, and the user is not banned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BearerSession {
    pub(crate) user_id: Uuid,
    pub(crate) session_id: Option<Uuid>,
}

/// The user and session of a verified access token, whatever its audience is: the OAuth server
/// itself accepts the tokens that it issued for other resources.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnyAudienceSession(pub(crate) BearerSession);

impl FromRequest for BearerSession {
    type Error = AuthApiError;
    type Future = LocalBoxFuture<'static, Result<Self, AuthApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        authenticate(request, Audiences::one_of([AUDIENCE]))
    }
}

impl FromRequest for AnyAudienceSession {
    type Error = AuthApiError;
    type Future = LocalBoxFuture<'static, Result<Self, AuthApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let session = authenticate(request, Audiences::Any);
        Box::pin(async move { session.await.map(Self) })
    }
}

/// Verifies the access token of a request and returns its session.
fn authenticate(
    request: &HttpRequest,
    audiences: Audiences,
) -> LocalBoxFuture<'static, Result<BearerSession, AuthApiError>> {
    let shared = (
        request.app_data::<Data<AuthService>>().cloned(),
        request.app_data::<Data<JwksEndpoint>>().cloned(),
    );
    let authorization = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    // As the hosted service: two spellings of the scheme, and one space.
    let token = authorization
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| matches!(*scheme, "Bearer" | "bearer"))
        .map(|(_, token)| token.to_owned())
        .filter(|token| !token.is_empty() && !token.contains(char::is_whitespace));
    Box::pin(async move {
        let (Some(auth), Some(endpoint)) = shared else {
            return Err(AuthApiError::new(
                500,
                "unexpected_failure",
                "The auth API is not configured",
            ));
        };
        let token = token.ok_or(AuthApiError::new(
            401,
            "no_authorization",
            "This endpoint requires a valid Bearer token",
        ))?;
        let verified = verify(&auth, &endpoint, &token, audiences).await?;
        let user_id = Uuid::parse_str(verified.subject());
        let user_id = user_id.map_err(|_| {
            AuthApiError::new(400, "bad_jwt", "invalid claim: sub claim must be a UUID")
        })?;
        let session_id = verified
            .claims()
            .session_id()
            .map(Uuid::parse_str)
            .transpose();
        let session_id = session_id.map_err(|_| {
            AuthApiError::new(
                403,
                "bad_jwt",
                "invalid claim: session_id claim must be a UUID",
            )
        })?;
        auth.read(|state, _| {
            let Some(user) = state.user(user_id) else {
                return Err(AuthApiError::new(
                    403,
                    "user_not_found",
                    "User from sub claim in JWT does not exist",
                ));
            };
            let is_revoked = |id| {
                state
                    .session(id)
                    .is_none_or(|session| session.user_id != user_id)
            };
            if session_id.is_some_and(is_revoked) {
                let message = "Session from session_id claim in JWT does not exist";
                return Err(AuthApiError::new(403, "session_not_found", message));
            }
            if user.banned {
                return Err(AuthApiError::new(403, "user_banned", "User is banned"));
            }
            Ok(BearerSession {
                user_id,
                session_id,
            })
        })
        .await
    })
}

/// Verifies a token with the current keys, so that revoking a key takes effect immediately.
async fn verify(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    token: &str,
    audiences: Audiences,
) -> Result<Verified, AuthApiError> {
    let bad = |_| {
        AuthApiError::new(
            403,
            "bad_jwt",
            "invalid JWT: unable to parse or verify signature",
        )
    };
    let jwks = endpoint.ring().jwks().to_string();
    let issuer = Issuer::with_audiences(endpoint.issuer(), audiences).map_err(bad)?;
    let issuer = issuer
        .keys(KeySource::Fixed(jwks))
        .leeway(Duration::ZERO)
        .map_err(bad)?;
    let issuer = issuer
        .algorithms(Algorithm::ALL.iter().copied())
        .map_err(bad)?;
    let verifier = Bearward::builder()
        .issuer(issuer)
        .clock(auth.clock())
        .token_cache(0)
        .build()
        .await;
    let verifier = verifier.map_err(|_| {
        AuthApiError::new(
            500,
            "unexpected_failure",
            "The signing keys could not be loaded",
        )
    })?;
    verifier
        .verify(token)
        .await
        .map_err(|failure| match failure.error.code() {
            "TOKEN_EXPIRED" => AuthApiError::new(
                403,
                "bad_jwt",
                "invalid JWT: unable to parse or verify signature, token has invalid claims: token is expired",
            ),
            _ if token.split('.').count() != 3 => AuthApiError::new(
                403,
                "bad_jwt",
                "invalid JWT: unable to parse or verify signature, token is malformed: \
                 token contains an invalid number of segments",
            ),
            _ => AuthApiError::new(
                403,
                "bad_jwt",
                "invalid JWT: unable to parse or verify signature",
            ),
        })
}
