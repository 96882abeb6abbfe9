//! `POST /api/auth/backchannel-logout`: logout tokens of identity providers.

use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header::CACHE_CONTROL},
    web::{Data, Form},
};
use bearward::{AuthFailure, Bearward, LogoutToken, RejectionLog, RequestId};
use moka::{policy::EvictionPolicy, sync::Cache};
use serde::Deserialize;

use super::{
    ApiError,
    revocations::add,
    schema::{ErrorEnvelope, ServerErrors},
};
use crate::{
    audit::RequestOrigin,
    domain::{RevocationReason, SubjectHash},
    revocations::SharedRevocations,
};

/// The number of `jti` that are remembered, in at most 2 MB.
const MAX_TOKEN_IDS: u64 = 10_000;

/// The logout tokens that this process has accepted.
///
/// Only tokens with a valid signature are remembered. When the table is full, the oldest is
/// forgotten: a token that is then sent again revokes what it has revoked already.
pub struct BackChannelLogout {
    /// By issuer and `jti`. `None` if the route is disabled.
    accepted: Option<Cache<SubjectHash, ()>>,
}

impl BackChannelLogout {
    /// Creates the state of the route. It answers 404 if it is disabled.
    pub fn new(is_enabled: bool) -> Self {
        Self {
            accepted: is_enabled.then(|| {
                Cache::builder()
                    .max_capacity(MAX_TOKEN_IDS)
                    .eviction_policy(EvictionPolicy::lru())
                    .build()
            }),
        }
    }
}

/// The form of a logout request.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct LogoutRequest {
    /// The logout token.
    #[schema(
        min_length = 1,
        example = "eyJhbGciOiJSUzI1NiIsInR5cCI6ImxvZ291dCtqd3QifQ..."
    )]
    logout_token: String,
}

/// Receive a logout token
///
/// An identity provider reports that a session has ended, or all sessions of a user (`OpenID` Connect
/// Back-Channel Logout 1.0). The tokens of the session, or those that the user received before, are
/// rejected on every replica within two seconds. The logout token authenticates the request.
#[utoipa::path(
    post, path = "/api/auth/backchannel-logout", operation_id = "backChannelLogout", tag = "sign-in", security(()),
    request_body(content = LogoutRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        ServerErrors,
        (status = 200, description = "The session, or all sessions of the user, have ended"),
        (status = 400, description = "The form or the logout token is invalid, or the token was received before", body = ErrorEnvelope),
        (status = 404, description = "The route is disabled", body = ErrorEnvelope),
        (status = 413, description = "The body is too large", body = ErrorEnvelope),
        (status = 429, description = "Too many invalid logout tokens from this address", body = ErrorEnvelope, headers(("retry-after" = String)))
    )
)]
pub(super) async fn log_out(
    state: Data<BackChannelLogout>,
    list: Data<SharedRevocations>,
    auth: Data<Bearward>,
    request: HttpRequest,
    form: Result<Form<LogoutRequest>, Error>,
) -> Result<HttpResponse, Error> {
    let request_id = || RequestId::from_request(&request);
    let Some(accepted) = state.accepted.as_ref().filter(|_| list.is_enabled()) else {
        let message = "back-channel logout is disabled on this server (revocation.enabled, revocation.backchannel_logout)";
        return Err(ApiError::not_found(request_id(), message).into());
    };
    let form = match form {
        Ok(form) => form.into_inner(),
        Err(error) => return Err(invalid_form(&request, error)),
    };
    let token = match auth.verify_logout_token(&form.logout_token).await {
        Ok(token) => token,
        Err(failure) => return Ok(reject(&request, &failure)),
    };
    let id = SubjectHash::new(token.canonical_issuer(), token.token_id());
    if accepted.contains_key(&id) {
        let message = "this logout token (its \"jti\") was received before";
        return Err(bad_request(&request, "INVALID_REQUEST", message).into());
    }
    let entry = list.entry(
        &token.revocation(),
        RevocationReason::BackchannelLogout,
        None,
    );
    add(&list, entry.into_iter().collect(), request_id()).await?;
    // Only now, so that the identity provider can repeat a request that has failed.
    accepted.insert(id, ());
    record(&request, &token);
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish())
}

fn record(request: &HttpRequest, token: &LogoutToken) {
    let ended = match token.session_id() {
        Some(_) => "session",
        None => "subject",
    };
    RequestOrigin::of(request).record_logout(token.canonical_issuer(), token.subject(), ended);
}

/// Answers every form that cannot be read with 400 (§2.8), except for one that is too large.
fn invalid_form(request: &HttpRequest, error: Error) -> Error {
    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        return error;
    }
    let message = "send one form field logout_token as application/x-www-form-urlencoded";
    bad_request(request, "INVALID_REQUEST", message).into()
}

/// Answers an invalid logout token with 400 (§2.8), or with 503 if it cannot be verified now. The
/// response is recorded like that of a rejected access token.
fn reject(request: &HttpRequest, failure: &AuthFailure) -> HttpResponse {
    let message = failure.to_string();
    let mut response = match failure.retry_after() {
        Some(retry_after) => ApiError::new(
            request,
            StatusCode::SERVICE_UNAVAILABLE,
            failure.error.code(),
            message,
        )
        .with_retry_after(retry_after.as_secs()),
        None => bad_request(request, failure.error.code(), &message),
    }
    .error_response();
    response.extensions_mut().insert(RejectionLog::new(failure));
    response
}

fn bad_request(request: &HttpRequest, code: &'static str, message: &str) -> ApiError {
    ApiError::new(request, StatusCode::BAD_REQUEST, code, message)
}
