//! The error of the extractors and guards, and its response.

use std::{fmt, sync::Arc};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, http::StatusCode,
};

use crate::{
    bearward::Bearward,
    error::{AuthError, AuthFailure},
    http::{
        ChallengeContext, ErrorBody, ErrorContent, ErrorFormat, ErrorParts, HttpConfig, RequestId,
    },
};

/// The error of every extractor and guard of this crate.
///
/// As a response, it has the status, the challenge (RFC 6750 §3, RFC 9470 §3, RFC 9728 §5.1),
/// `Retry-After` and the body that the [`Builder`](crate::Builder) configures. `Display` is the
/// message for the client.
///
/// The request's extensions contain the [`AuthFailure`], and the extensions of the response contain
/// a [`RejectionLog`]. A middleware around a [`Guard`](super::Guard) finds the rejection in the
/// response too:
///
/// ```
/// use actix_web::dev::ServiceResponse;
/// use bearward::AuthRejection;
///
/// fn code<B>(response: &ServiceResponse<B>) -> Option<&'static str> {
///     let rejection = response.response().error()?.as_error::<AuthRejection>()?;
///     Some(rejection.error().code())
/// }
/// ```
#[derive(Clone)]
pub struct AuthRejection {
    failure: AuthFailure,
    config: Option<Arc<HttpConfig>>,
    request_id: Option<RequestId>,
    /// The path of the request, if there are protected resources.
    path: Option<Box<str>>,
    /// The body of the application's function, which needs the request.
    custom: Option<ErrorContent>,
}

impl Bearward {
    /// Creates the rejection of a request, for a handler or an extractor that returns an error.
    ///
    /// Its response has the challenge and the body of this `Bearward`. With `?`, [`AuthFailure`] and
    /// [`AuthError`] also convert to an `actix_web::Error` with the right status and
    /// `Retry-After`, but with the default realm and body.
    ///
    /// ```
    /// use actix_web::{Error, HttpRequest};
    /// use bearward::{Bearward, Verified};
    ///
    /// /// Verifies a token from the body of a request.
    /// async fn verify(auth: &Bearward, request: &HttpRequest, token: &str) -> Result<Verified, Error> {
    ///     let user = auth.verify(token).await.map_err(|failure| auth.reject(request, failure))?;
    ///     user.require_role("admin").map_err(|error| auth.reject(request, user.failure(error)))?;
    ///     Ok(user)
    /// }
    /// ```
    ///
    /// The rejection is not counted in `bearward_verifications_total`: [`verify`](Self::verify) has
    /// counted its own, and [`record_rejection`](Self::record_rejection) counts others.
    pub fn reject(&self, request: &HttpRequest, failure: impl Into<AuthFailure>) -> AuthRejection {
        AuthRejection::new(failure.into(), request, Some(self))
    }

    /// Creates the response of a rejection, for a middleware: [`reject`](Self::reject) as a
    /// response. [`HttpResponse::error`] returns the [`AuthRejection`].
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use bearward::{AuthError, Bearward};
    ///
    /// fn no_token(auth: &Bearward, request: &HttpRequest) -> HttpResponse {
    ///     auth.error_response(request, AuthError::NoToken)
    /// }
    /// ```
    pub fn error_response(
        &self,
        request: &HttpRequest,
        failure: impl Into<AuthFailure>,
    ) -> HttpResponse {
        HttpResponse::from_error(self.reject(request, failure))
    }
}

impl AuthRejection {
    /// Creates the rejection of a request and stores the failure in the request's extensions.
    pub(super) fn new(
        failure: AuthFailure,
        request: &HttpRequest,
        auth: Option<&Bearward>,
    ) -> Self {
        let custom = auth.and_then(|auth| match &auth.http.format {
            ErrorFormat::Custom(body) => Some(body(&failure.error, request)),
            ErrorFormat::Envelope | ErrorFormat::ProblemDetails => None,
        });
        let request_id = RequestId::from_request(request);
        request.extensions_mut().insert(failure.clone());
        Self {
            failure,
            config: auth.map(|auth| Arc::clone(&auth.http)),
            path: auth
                .filter(|auth| !auth.http.resources.is_empty())
                .map(|_| request.match_info().as_str().into()),
            request_id,
            custom,
        }
    }

    /// Returns the cause.
    pub fn error(&self) -> &AuthError {
        &self.failure.error
    }

    /// Returns the cause, the issuer and the key id.
    pub fn failure(&self) -> &AuthFailure {
        &self.failure
    }
}

/// Creates the response of a failure.
fn respond(
    failure: &AuthFailure,
    challenge_context: ChallengeContext<'_>,
    content: ErrorContent,
) -> HttpResponse {
    let parts = ErrorParts::new(
        &failure.error,
        &challenge_context.scopes(failure.scopes),
        content,
    );
    let status = StatusCode::from_u16(parts.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status);
    for header in parts.headers {
        response.insert_header(header);
    }
    response.extensions_mut().insert(RejectionLog::new(failure));
    response.body(parts.body)
}

/// The body of a failure without a verifier.
fn default_content(failure: &AuthFailure, request_id: Option<&RequestId>) -> ErrorContent {
    let error = &failure.error;
    ErrorContent::json(&ErrorBody::new(
        error.code(),
        &error.to_string(),
        request_id,
    ))
}

impl ResponseError for AuthRejection {
    fn status_code(&self) -> StatusCode {
        self.failure.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let (config, request_id) = (self.config.as_deref(), self.request_id.as_ref());
        let content = match (&self.custom, config) {
            (Some(content), _) => content.clone(),
            (None, Some(config)) => config.content(&self.failure.error, request_id),
            (None, None) => default_content(&self.failure, request_id),
        };
        let mut challenge_context = ChallengeContext::new(config);
        if let Some(path) = &self.path {
            challenge_context = challenge_context.path(path);
        }
        respond(&self.failure, challenge_context, content)
    }
}

/// The response has the default realm and body; [`Bearward::reject`] has the configured ones.
impl ResponseError for AuthFailure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        respond(
            self,
            ChallengeContext::new(None),
            default_content(self, None),
        )
    }
}

/// The response has the default realm and body; [`Bearward::reject`] has the configured ones.
impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        AuthFailure::from(self.clone()).error_response()
    }
}

impl RequestId {
    /// Returns the id in the request's extensions; `None` if no middleware has stored one.
    pub fn from_request(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

/// What an access log records about a rejection. It is in the extensions of the response.
///
/// ```
/// use actix_web::{body::MessageBody, dev::ServiceResponse};
/// use bearward::RejectionLog;
///
/// fn log<B: MessageBody>(response: &ServiceResponse<B>) {
///     if let Some(rejection) = response.response().extensions().get::<RejectionLog>() {
///         println!("rejected: {} issuer={:?}", rejection.reason, rejection.issuer);
///     }
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RejectionLog {
    /// The [metric label](AuthError::metric_label): one of a fixed set.
    pub reason: &'static str,
    /// Whether the token itself was invalid, see [`AuthError::is_invalid_token`].
    pub is_invalid_token: bool,
    /// Whether the token was used outside of its validity period, see
    /// [`AuthError::is_outside_validity_period`].
    pub is_outside_validity_period: bool,
    /// The configured name of the issuer; `None` if the token was rejected before an issuer was
    /// selected.
    pub issuer: Option<Arc<str>>,
    /// The token's key id as [`SanitizedText`](crate::SanitizedText); `None` if the token has none
    /// or was rejected before its header was parsed. For a service, the id of its key.
    pub kid: Option<String>,
    /// The name of the service whose key was sent; `None` for tokens and unknown keys.
    pub service: Option<Arc<str>>,
}

impl RejectionLog {
    /// Creates the log record of a failure.
    pub fn new(failure: &AuthFailure) -> Self {
        Self {
            reason: failure.error.metric_label(),
            is_invalid_token: failure.error.is_invalid_token(),
            is_outside_validity_period: failure.error.is_outside_validity_period(),
            issuer: failure.issuer.clone(),
            kid: failure.kid.as_ref().map(ToString::to_string),
            service: failure.service.clone(),
        }
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl fmt::Debug for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthRejection")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for AuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failure)
    }
}
