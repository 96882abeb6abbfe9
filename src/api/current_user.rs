//! The account of an authenticated request, as an extractor for handlers.

use std::future::{Future, Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    http::{
        StatusCode,
        header::{HeaderValue, USER_AGENT},
    },
    web::Data,
};
use bearward::{
    AuthError, NoCustomClaims, Principal, RequestId, Requirement, Service, Timestamp, Verified,
};

use super::ApiError;
use crate::{
    accounts::{Accounts, AdmissionError},
    audit::{Action, RequestOrigin},
    domain::{Owner, SubjectHash},
    store::{DbTimestamp, Store, StoreError},
    user_sessions::UserSessions,
};

/// The requirement of endpoints that every user may call. Where the guard accepts services, every
/// service may call them too.
pub(crate) struct AnyUser;

impl Requirement for AnyUser {
    type Claims = NoCustomClaims;

    fn check(_: &Verified) -> Result<(), AuthError> {
        Ok(())
    }

    fn check_service(_: &Service) -> Result<(), AuthError> {
        Ok(())
    }
}

/// How often an account that is deleted concurrently is created again for one request.
const MAX_RECREATE: usize = 3;

/// The active account of the verified token. Only [`load`](Self::load) creates one.
#[derive(Clone)]
pub(crate) struct CurrentUser {
    accounts: Data<Accounts>,
    verified: Verified,
    owner: Owner,
    origin: RequestOrigin,
}

impl CurrentUser {
    /// Loads the account of the token that the authentication guard has verified.
    ///
    /// # Errors
    /// Returns the response for a disabled account, a session that its user has ended, a failed
    /// query, or a missing guard.
    pub(crate) async fn load(request: &HttpRequest) -> Result<Self, HttpResponse> {
        let (Some(principal), Some(accounts)) =
            (Principal::of(request), request.app_data::<Data<Accounts>>())
        else {
            tracing::error!(
                route = request.match_pattern(),
                "the route has no authentication guard, or the application has no Data<Accounts>"
            );
            return Err(ApiError::internal(request).error_response());
        };
        let verified = principal.into_inner();
        let origin = RequestOrigin::of(request);
        let admitted = async {
            let owner = accounts.admit(&verified, &origin).await?;
            if let Some(sessions) = request.app_data::<Data<UserSessions>>() {
                let user_agent = request.headers().get(USER_AGENT);
                let user_agent = user_agent.map(HeaderValue::as_bytes);
                sessions.record(&verified, &owner, user_agent).await?;
            }
            Ok(owner)
        };
        match admitted.await {
            Ok(owner) => Ok(Self {
                accounts: accounts.clone(),
                verified,
                owner,
                origin,
            }),
            Err(error) => Err(admission_error(origin.request_id, &error).error_response()),
        }
    }

    /// Returns the verified token.
    pub(super) fn verified(&self) -> &Verified {
        &self.verified
    }

    /// Returns the hash of issuer and subject. It stays the same if the account is deleted and
    /// created again.
    pub(super) fn identity(&self) -> SubjectHash {
        SubjectHash::new(self.verified.canonical_issuer(), self.verified.subject())
    }

    /// Returns the current time in the precision of the database.
    pub(super) fn now(&self) -> DbTimestamp {
        self.accounts.now()
    }

    /// Returns the current time.
    pub(super) fn clock_time(&self) -> Timestamp {
        self.accounts.timestamp()
    }

    /// Returns the id of this request.
    pub(super) fn request_id(&self) -> Option<RequestId> {
        self.origin.request_id.clone()
    }

    /// Records a change by this caller in the audit log; see [`RequestOrigin::record`].
    pub(super) fn record(&self, action: Action, object: &str) {
        self.origin.record(action, &self.verified, object);
    }

    /// Runs an operation on the account's rows.
    ///
    /// If another replica has deleted the account, it is created again, as for a new user, and the
    /// operation is repeated.
    ///
    /// # Errors
    /// The operation's error as a response: 403 if the account is disabled, 404, 500 or 503.
    pub(super) async fn with_store<T>(
        &self,
        operation: impl AsyncFn(&Store, &Owner) -> Result<T, StoreError>,
    ) -> Result<T, ApiError> {
        let mut result = operation(self.accounts.store(), &self.owner).await;
        for _ in 0..MAX_RECREATE {
            if !matches!(result, Err(StoreError::AccountDeleted)) {
                break;
            }
            self.invalidate().await;
            result = match self.accounts.admit(&self.verified, &self.origin).await {
                Ok(owner) => operation(self.accounts.store(), &owner).await,
                Err(AdmissionError::Store(error))
                    if matches!(*error, StoreError::AccountDeleted) =>
                {
                    Err(StoreError::AccountDeleted)
                }
                Err(error) => return Err(admission_error(self.request_id(), &error)),
            };
        }
        result.map_err(|error| ApiError::from_store(self.request_id(), &error))
    }

    /// Removes the account from the cache, so that the next request reads it from the database.
    pub(super) async fn invalidate(&self) {
        self.accounts
            .invalidate(self.verified.canonical_issuer(), self.verified.subject())
            .await;
    }

    /// Waits until the account is disabled or deleted, and returns the error of a request that is
    /// still in progress. Never returns while the account is active.
    pub(super) fn closed(&self) -> impl Future<Output = ApiError> + 'static {
        let (accounts, identity) = (self.accounts.clone(), self.identity());
        let request_id = self.request_id();
        async move { admission_error(request_id, &accounts.closed(identity).await) }
    }
}

/// Maps an error of [`Accounts::admit`] to a response.
pub(super) fn admission_error(request_id: Option<RequestId>, error: &AdmissionError) -> ApiError {
    match error {
        AdmissionError::Disabled => ApiError::with_request_id(
            request_id,
            StatusCode::FORBIDDEN,
            "ACCOUNT_DISABLED",
            "this account is disabled; an administrator can enable it",
        ),
        AdmissionError::Store(error) => ApiError::from_store(request_id, error),
    }
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user = request.extensions().get::<Self>().cloned();
        ready(user.ok_or_else(|| {
            tracing::error!(
                route = request.match_pattern(),
                "a handler extracts CurrentUser, but the endpoint is not mounted with_account"
            );
            ApiError::internal(request)
        }))
    }
}
