//! Rate limits per client address and per user.

use std::{fmt, net::IpAddr, sync::Arc};

use actix_web::{
    Error, HttpRequest, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::WWW_AUTHENTICATE},
    middleware::Next,
    web::Data,
};
use bearward::{Bearward, Caller, Clock, Principal, RejectionLog, RequestId};

use super::client_address::rate_limit_key;
use crate::{
    api::error::ApiError,
    concurrency_limit::{ConcurrencyLimiter, Permit},
    domain::SubjectHash,
    rate_limit::{RateLimit, RateLimited},
    settings::RateLimit as RateLimitConfig,
    telemetry,
};

/// `Retry-After`, in seconds, of a request that exceeds the concurrency limit. The end of the
/// running generations is unknown.
const RETRY_AFTER: u64 = 5;

/// The rate limits of one process, shared by its workers through the application's `Data`.
///
/// Rejected requests are counted in `bearward_rate_limited_total{limit}`. The label is `address` for
/// sign-ins per client address, `refusals` for invalid tokens per client address, `user` for
/// requests per user, and `generations` for concurrent generations per user.
pub struct RateLimits {
    /// `None` if rate limiting is disabled.
    limiters: Option<Limiters>,
}

struct Limiters {
    users: RateLimit<SubjectHash>,
    /// Separate from `invalid_tokens`: a client that sends invalid tokens must not prevent others
    /// behind the same address from signing in.
    sign_ins: RateLimit<IpAddr>,
    invalid_tokens: RateLimit<IpAddr>,
    generations: ConcurrencyLimiter<SubjectHash>,
}

/// The limit that a request exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// Sign-ins per client address.
    SignIns,
    /// Invalid tokens per client address.
    InvalidTokens,
    /// Requests per user.
    User,
    /// Concurrent generations per user.
    Generations,
}

impl Limit {
    /// The value of the metric label `limit`.
    fn metric_label(self) -> &'static str {
        match self {
            Self::SignIns => "address",
            Self::InvalidTokens => "refusals",
            Self::User => "user",
            Self::Generations => "generations",
        }
    }

    fn count_rejection(self) {
        metrics::counter!("bearward_rate_limited_total", "limit" => self.metric_label())
            .increment(1);
    }
}

impl RateLimits {
    /// Creates the limits of `[rate_limit]`.
    pub fn new(config: &RateLimitConfig, clock: &Arc<dyn Clock>) -> Self {
        let limiters = config.enabled.then(|| Limiters {
            users: RateLimit::new(config.per_user, config.burst, Arc::clone(clock)),
            sign_ins: RateLimit::new(config.per_address, config.burst, Arc::clone(clock)),
            invalid_tokens: RateLimit::new(config.per_address, config.burst, Arc::clone(clock)),
            generations: ConcurrencyLimiter::new(config.generations),
        });
        Self { limiters }
    }

    /// Acquires a permit for one generation of this user, to be held until it ends. Returns `None`
    /// if rate limiting is disabled.
    ///
    /// # Errors
    /// 429 `RATE_LIMITED` if the user has reached the limit of concurrent generations.
    pub(crate) fn acquire_generation(
        &self,
        user: SubjectHash,
        request_id: Option<RequestId>,
    ) -> Result<Option<Permit<SubjectHash>>, ApiError> {
        let Some(limiters) = &self.limiters else {
            return Ok(None);
        };
        limiters
            .generations
            .try_acquire(user)
            .map(Some)
            .ok_or_else(|| {
                Limit::Generations.count_rejection();
                let message = format!(
                    "too many concurrent generations for this user; wait for one to end or try again in {RETRY_AFTER} s"
                );
                ApiError::with_request_id(
                    request_id,
                    StatusCode::TOO_MANY_REQUESTS,
                    "RATE_LIMITED",
                    message,
                )
                .with_retry_after(RETRY_AFTER)
            })
    }

    fn check_user(&self, request: &HttpRequest, user: SubjectHash) -> Result<(), ApiError> {
        let Some(limiters) = &self.limiters else {
            return Ok(());
        };
        limiters
            .users
            .check(user)
            .map_err(|error| reject(request, Limit::User, error))
    }

    fn check_sign_in(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let Some(limiters) = &self.limiters else {
            return Ok(());
        };
        let key = rate_limit_key(telemetry::client_address(request));
        limiters
            .sign_ins
            .check(key)
            .map_err(|error| reject(request, Limit::SignIns, error))
    }

    fn check_invalid_token(&self, request: &HttpRequest) -> Result<(), ApiError> {
        let Some(limiters) = &self.limiters else {
            return Ok(());
        };
        let key = rate_limit_key(telemetry::client_address(request));
        limiters
            .invalid_tokens
            .check(key)
            .map_err(|error| reject(request, Limit::InvalidTokens, error))
    }
}

/// Limits requests with an unsafe method per client address, before anything else is processed.
/// Answers 429 `RATE_LIMITED` if the quota is used up.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn limit_per_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let checked = if request.method().is_safe() {
        Ok(())
    } else {
        rate_limits(request.request()).and_then(|limits| limits.check_sign_in(request.request()))
    };
    call_if(checked, request, next).await
}

/// Limits invalid tokens per client address: once the quota is used up, an invalid token is
/// answered with 429 instead of 401. Both carry a challenge, so that the client gets a new token.
///
/// An expired token is neither limited nor counted: every user has one from time to time, and
/// clients behind one address must get their 401 even if other clients send invalid tokens.
///
/// Valid tokens are not limited, because clients behind one address share its quota. Every token is
/// therefore verified: this limits what an attacker learns from responses, not the work. Format,
/// issuer and key are checked before the signature, and the size of tokens and the number of key
/// fetches have limits of their own.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn limit_invalid_tokens(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(error) = rate_limits(request.request()) {
        return Ok(request.into_response(error.error_response()));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    if !has_invalid_token(&response) {
        return Ok(response);
    }
    let checked = rate_limits(response.request())
        .and_then(|limits| limits.check_invalid_token(response.request()));
    match checked {
        Ok(()) => Ok(response),
        Err(error) => {
            let mut limited = error.error_response();
            let auth = response.request().app_data::<Data<Bearward>>();
            let challenge = auth.and_then(|auth| auth.invalid_token_challenge().try_into().ok());
            if let Some(challenge) = challenge {
                limited.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            Ok(response.into_response(limited))
        }
    }
}

/// Limits requests per user, independent of address and token. Runs inside the authentication
/// guard.
pub(super) async fn limit_per_user(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let checked = rate_limits(request.request()).and_then(|limits| {
        let user = Principal::of(request.request()).ok_or_else(|| {
            tracing::error!(
                route = request.match_pattern(),
                "limit_per_user is not inside an authentication guard"
            );
            ApiError::internal(request.request())
        })?;
        limits.check_user(
            request.request(),
            SubjectHash::new(user.canonical_issuer(), user.subject()),
        )
    });
    call_if(checked, request, next).await
}

/// Limits requests per user or service, if the request has a valid token or service key. Other
/// requests are passed on: only the handler knows whether it requires a token. Its extractors reuse the verification.
pub(super) async fn limit_per_known_user(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Unknown paths are answered with 404 in any case.
    let checked = if request.match_pattern().is_some() {
        check_known_user(&request).await
    } else {
        Ok(())
    };
    call_if(checked, request, next).await
}

/// Passes the request on if the check has succeeded, and answers with its error otherwise.
async fn call_if(
    checked: Result<(), ApiError>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match checked {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(error) => Ok(request.into_response(error.error_response())),
    }
}

async fn check_known_user(request: &ServiceRequest) -> Result<(), ApiError> {
    let limits = rate_limits(request.request())?;
    let Some(auth) = request.app_data::<Data<Bearward>>() else {
        tracing::error!("the application has no Data<Bearward>");
        return Err(ApiError::internal(request.request()));
    };
    match auth.authenticate_early(request.request()).await {
        Ok(Some(caller)) => {
            let caller = match &caller {
                Caller::User(user) => SubjectHash::new(user.canonical_issuer(), user.subject()),
                // No issuer has a space in its name.
                Caller::Service(service) => SubjectHash::new("service key", service.name()),
            };
            limits.check_user(request.request(), caller)
        }
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Returns the application's limits. Missing `Data` is an error, so that a forgotten registration
/// does not disable the limits.
fn rate_limits(request: &HttpRequest) -> Result<&Data<RateLimits>, ApiError> {
    request.app_data::<Data<RateLimits>>().ok_or_else(|| {
        tracing::error!(
            route = request.match_pattern(),
            "the application has no Data<RateLimits>"
        );
        ApiError::internal(request)
    })
}

/// Returns whether the token was rejected for another reason than its validity period.
fn has_invalid_token(response: &ServiceResponse<BoxBody>) -> bool {
    let extensions = response.response().extensions();
    extensions.get::<RejectionLog>().is_some_and(|rejection| {
        rejection.is_invalid_token && !rejection.is_outside_validity_period
    })
}

fn reject(request: &HttpRequest, limit: Limit, error: RateLimited) -> ApiError {
    limit.count_rejection();
    ApiError::rate_limited(request, error.retry_after)
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits")
            .field("enabled", &self.limiters.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpResponse, test::TestRequest};
    use bearward::{AuthError, SystemClock};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::settings::{Config, Sources};

    #[test]
    fn only_invalid_tokens_count() {
        let request = TestRequest::get().to_http_request();
        let now = SystemClock::new().now();
        let counts = |error: AuthError| {
            let response = error.error_response();
            has_invalid_token(&ServiceResponse::new(request.clone(), response))
        };
        for error in [
            AuthError::NoToken,
            AuthError::SeveralCredentials,
            AuthError::StepUpRequired {
                required: "aal2".into(),
            },
            AuthError::CustomClaimsMismatch,
            AuthError::Expired { at: now, now },
            AuthError::NotYetValid {
                claim: "nbf",
                at: now,
                now,
            },
        ] {
            assert!(!counts(error.clone()), "{error}");
        }
        for error in [
            AuthError::InvalidSignature,
            AuthError::UnknownKey,
            AuthError::BadAuthorization,
        ] {
            assert!(counts(error.clone()), "{error}");
        }
        let without_log = ServiceResponse::new(request, HttpResponse::Unauthorized().finish());
        assert!(!has_invalid_token(&without_log));
    }

    #[test]
    fn rejections_are_counted_under_the_exceeded_limit() {
        let few = [
            ("BEARWARD_RATE_LIMIT__BURST", "1"),
            ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "1"),
            ("BEARWARD_RATE_LIMIT__PER_USER", "1"),
        ];
        let config = Config::load(&Sources::new(
            None,
            few.map(|(name, value)| (name.to_owned(), value.to_owned())),
        ))
        .expect("a configuration");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let limits = RateLimits::new(&config.rate_limit, &clock);
        let request = TestRequest::get().to_http_request();
        let ada = SubjectHash::new("a", "ada");
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            assert!(
                limits.check_sign_in(&request).is_ok() && limits.check_user(&request, ada).is_ok()
            );
            assert!(
                recorder.handle().render().is_empty(),
                "allowed requests are not counted"
            );
            assert!(
                limits.check_invalid_token(&request).is_ok(),
                "each limit has its own quota"
            );
            assert!(limits.check_sign_in(&request).is_err());
            for _ in 0..2 {
                assert!(limits.check_invalid_token(&request).is_err());
            }
            assert!(
                limits.check_user(&request, ada).is_err()
                    && limits
                        .check_user(&request, SubjectHash::new("a", "bob"))
                        .is_ok()
            );
        });
        let rendered = recorder.handle().render();
        for (limit, count) in [("address", 1), ("refusals", 2), ("user", 1)] {
            assert!(
                rendered.contains(&format!(
                    "bearward_rate_limited_total{{limit=\"{limit}\"}} {count}"
                )),
                "{rendered}"
            );
        }
    }
}
