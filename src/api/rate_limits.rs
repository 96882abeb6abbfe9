//! Who asks too much: an address before anything else is looked at, an address after a refused
//! token, a user who is known, also at once.

use std::{fmt, net::IpAddr, sync::Arc};

use actix_web::{
    Error, HttpRequest, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web::Data,
};
use bearward::{Clock, RejectionLog, internals::ScopeAuthentication};

use super::{
    ApiError,
    client_address::{TrustedProxies, network},
    current_user::CurrentUser,
};
use crate::{
    concurrency_limit::{ConcurrencyLimiter, Permit},
    domain::SubjectHash,
    rate_limit::{RateLimit, RateLimited},
    settings::{RateLimit as RateLimitConfig, Server},
};

/// The reasons of a 401 that is no bad token: there was none, or a good one that does not suffice
/// for this route.
const NO_BAD_TOKEN: [&str; 3] = ["no_token", "step_up", "unfit_claims"];

/// The limits of one process, shared by its workers: put it into the application's `Data`.
///
/// A limit is counted in `bearward_rate_limited_total{limit}` when it refuses: `address` for
/// sign-ins, `refusals` for refused tokens, `user` for requests of one user, `generations` for
/// answers that one user has under way at once.
pub struct RateLimits {
    proxies: TrustedProxies,
    /// None: switched off.
    counted: Option<Counted>,
}

struct Counted {
    users: RateLimit<SubjectHash>,
    /// Apart from each other: who sends bad tokens, from an address that others have too, must not
    /// keep them from signing in.
    sign_ins: RateLimit<IpAddr>,
    refusals: RateLimit<IpAddr>,
    generations: ConcurrencyLimiter<SubjectHash>,
}

/// When to ask again for a place: nobody knows when one will be free.
const UNTIL_A_PLACE: u64 = 5;

impl RateLimits {
    /// What `[rate_limit]` says, for clients behind the proxies of `[server]`.
    pub fn new(numbers: &RateLimitConfig, server: &Server, clock: &Arc<dyn Clock>) -> Self {
        let counted = numbers.enabled.then(|| Counted {
            users: RateLimit::new(numbers.per_user, numbers.burst, Arc::clone(clock)),
            sign_ins: RateLimit::new(numbers.per_address, numbers.burst, Arc::clone(clock)),
            refusals: RateLimit::new(numbers.per_address, numbers.burst, Arc::clone(clock)),
            generations: ConcurrencyLimiter::new(numbers.generations),
        });
        Self {
            proxies: TrustedProxies::new(server.trusted_proxies.iter().copied()),
            counted,
        }
    }

    /// A place for one more answer of this user, to be held for as long as it is under way. None
    /// where nothing is counted.
    pub(super) fn generation(
        &self,
        user: &CurrentUser,
    ) -> Result<Option<Permit<SubjectHash>>, ApiError> {
        let Some(counted) = &self.counted else {
            return Ok(None);
        };
        counted.generations.take(user.identity()).map(Some).ok_or_else(|| {
            metrics::counter!("bearward_rate_limited_total", "limit" => "generations").increment(1);
            let message = format!("too many answers are under way for this user; end one, or try again in {UNTIL_A_PLACE} s");
            let problem = ApiError::under(user.request_id(), StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message);
            problem.with_retry_after(UNTIL_A_PLACE)
        })
    }

    fn count_user(&self, request: &HttpRequest, user: SubjectHash) -> Result<(), ApiError> {
        let Some(counted) = &self.counted else {
            return Ok(());
        };
        counted
            .users
            .count(user)
            .map_err(|denied| refuse(request, "user", denied))
    }

    fn count_address(&self, request: &HttpRequest, limit: &'static str) -> Result<(), ApiError> {
        let Some(counted) = &self.counted else {
            return Ok(());
        };
        let address = network(self.proxies.client(request));
        let addresses = if limit == "refusals" {
            &counted.refusals
        } else {
            &counted.sign_ins
        };
        addresses
            .count(address)
            .map_err(|denied| refuse(request, limit, denied))
    }
}

/// A middleware for a public resource: each request that may change something counts against its
/// client's address before anything else is looked at.
///
/// # Errors
/// What the resource answers with an error. Its own refusal is an answer: 429 `RATE_LIMITED`.
pub(super) async fn limit_address(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.method().is_safe() {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    match limits_of(&request).and_then(|limits| limits.count_address(request.request(), "address"))
    {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

/// A middleware for a resource that asks for a bearer token: each token that is refused with 401
/// counts against its client's address; when the quota is used up, it is answered with 429 in place
/// of 401.
///
/// A good token passes all the same, because an office shares an address. So every token is
/// verified, and what this limits is what can be learned from the answers, not the work; the
/// token's form, its issuer and its key are looked at before the signature, and the size of a token
/// and the fetches of keys have limits of their own.
///
/// # Errors
/// What the resource answers with an error.
pub(super) async fn count_refusals(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let limits = match limits_of(&request) {
        Ok(limits) => Data::clone(limits),
        Err(problem) => return Ok(request.into_response(problem.error_response())),
    };
    let response = next.call(request).await?.map_into_boxed_body();
    if !is_bad_token(&response) {
        return Ok(response);
    }
    match limits.count_address(response.request(), "refusals") {
        Ok(()) => Ok(response),
        Err(problem) => Ok(response.into_response(problem.error_response())),
    }
}

/// A middleware behind a guard: each request counts against its user, whatever the address and the
/// token.
pub(super) async fn limit_user(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let counted = limits_of(&request).and_then(|limits| {
        let guarded = ScopeAuthentication::from_request(request.request()).ok_or_else(|| {
            tracing::error!(
                route = request.match_pattern(),
                "a route limits its users and has no guard before that"
            );
            ApiError::internal(request.request())
        })?;
        let issuer = guarded.auth.canonical_issuer(&guarded.verified);
        limits.count_user(
            request.request(),
            SubjectHash::new(issuer, guarded.verified.subject()),
        )
    });
    match counted {
        Ok(()) => next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body),
        Err(problem) => Ok(request.into_response(problem.error_response())),
    }
}

/// Limits that somebody forgot to put into the application must not be no limits.
fn limits_of(request: &ServiceRequest) -> Result<&Data<RateLimits>, ApiError> {
    request.app_data::<Data<RateLimits>>().ok_or_else(|| {
        tracing::error!(
            route = request.match_pattern(),
            "a route has a rate limit, and the application holds no RateLimits"
        );
        ApiError::internal(request.request())
    })
}

fn is_bad_token(response: &ServiceResponse<BoxBody>) -> bool {
    let extensions = response.response().extensions();
    let note = extensions.get::<RejectionLog>();
    response.status() == StatusCode::UNAUTHORIZED
        && note.is_some_and(|note| !NO_BAD_TOKEN.contains(&note.reason))
}

fn refuse(request: &HttpRequest, limit: &'static str, denied: RateLimited) -> ApiError {
    metrics::counter!("bearward_rate_limited_total", "limit" => limit).increment(1);
    ApiError::rate_limited(request, denied.retry_after)
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits")
            .field("enabled", &self.counted.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use bearward::{AuthError, SystemClock};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::settings::{Config, Sources};

    #[test]
    fn what_is_no_bad_token_goes_by_the_names_that_refusals_have() {
        let refusals = [
            AuthError::NoToken,
            AuthError::StepUpRequired {
                required: "aal2".into(),
            },
            AuthError::CustomClaimsMismatch,
        ];
        assert_eq!(
            refusals.map(|rejection| rejection.metric_label()),
            NO_BAD_TOKEN
        );
    }

    #[test]
    fn each_denial_is_counted_under_the_limit_that_was_reached() {
        let few = [
            ("BEARWARD_RATE_LIMIT__BURST", "1"),
            ("BEARWARD_RATE_LIMIT__PER_ADDRESS", "1"),
            ("BEARWARD_RATE_LIMIT__PER_USER", "1"),
        ];
        let config = Config::load(&Sources::new(
            None,
            few.map(|(name, value)| (name.to_owned(), value.to_owned())),
        ))
        .expect("numbers");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let limits = RateLimits::new(&config.rate_limit, &config.server, &clock);
        let request = TestRequest::get().to_http_request();
        let ada = SubjectHash::new("a", "ada");
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            assert!(
                limits.count_address(&request, "address").is_ok()
                    && limits.count_user(&request, ada).is_ok()
            );
            assert!(
                recorder.handle().render().is_empty(),
                "what passes is not counted"
            );
            assert!(
                limits.count_address(&request, "refusals").is_ok(),
                "each has its own quota"
            );
            for limit in ["address", "refusals", "refusals"] {
                assert!(limits.count_address(&request, limit).is_err());
            }
            assert!(
                limits.count_user(&request, ada).is_err()
                    && limits
                        .count_user(&request, SubjectHash::new("a", "bob"))
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
