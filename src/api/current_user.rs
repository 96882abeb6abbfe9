//! Whose account a request works on: admitted once, before its body is looked at, and then a
//! parameter of the handler.

use std::{
    future::{Ready, ready},
    rc::Rc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web::Data,
};
use bearward::{
    AuthError, AuthRejection, Bearward, NoCustomClaims, RequestId, Requirement, Verified,
    internals::ScopeAuthentication,
};

use super::ApiError;
use crate::{
    accounts::{Accounts, AdmissionError},
    domain::{Owner, SubjectHash},
    store::{DbTimestamp, Store, StoreError},
};

/// The requirement of routes that every user may call.
pub(super) struct AnyUser;

impl Requirement for AnyUser {
    type Claims = NoCustomClaims;

    fn check(_: &Verified) -> Result<(), AuthError> {
        Ok(())
    }
}

/// How often an account is made anew for one request, while others keep erasing it.
const MAX_RECREATE: usize = 3;

/// The active account of the request's token. Only [`enter`] makes one.
#[derive(Clone)]
pub(super) struct CurrentUser {
    accounts: Data<Accounts>,
    auth: Rc<Bearward>,
    verified: Verified,
    token: Rc<str>,
    owner: Owner,
    request_id: Option<RequestId>,
}

/// The middleware behind a guard: it admits the principal's account, and refuses a disabled one.
pub(super) async fn enter(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match admit(request.request()).await {
        Ok(user) => {
            request.extensions_mut().insert(user);
            next.call(request)
                .await
                .map(ServiceResponse::map_into_boxed_body)
        }
        Err(response) => Ok(request.into_response(response)),
    }
}

async fn admit(request: &HttpRequest) -> Result<CurrentUser, HttpResponse> {
    let (Some(guarded), Some(accounts)) = (
        ScopeAuthentication::from_request(request),
        request.app_data::<Data<Accounts>>(),
    ) else {
        tracing::error!(
            route = request.match_pattern(),
            "a route asks for an account and has no guard, or the application no accounts"
        );
        return Err(ApiError::internal(request).error_response());
    };
    let ScopeAuthentication {
        auth,
        verified,
        token,
    } = guarded;
    let request_id = RequestId::from_request(request);
    match accounts.admit(&auth, &verified, &token).await {
        Ok(owner) => Ok(CurrentUser {
            accounts: accounts.clone(),
            auth,
            verified,
            token,
            owner,
            request_id,
        }),
        Err(error) => Err(refused(request, &auth, error)),
    }
}

/// What somebody is told who is not admitted.
pub(super) fn refused(
    request: &HttpRequest,
    auth: &Bearward,
    error: AdmissionError,
) -> HttpResponse {
    let request_id = RequestId::from_request(request);
    match error {
        AdmissionError::Disabled => disabled(request_id).error_response(),
        AdmissionError::AuthRejection(refusal) => {
            AuthRejection::new(Bearward::record_rejection(refusal), request, Some(auth))
                .error_response()
        }
        AdmissionError::Store(error) => ApiError::of_store(request_id, &error).error_response(),
    }
}

fn disabled(request_id: Option<RequestId>) -> ApiError {
    let message = "this account has been disabled; an administrator can enable it";
    ApiError::under(
        request_id,
        StatusCode::FORBIDDEN,
        "ACCOUNT_DISABLED",
        message,
    )
}

impl CurrentUser {
    /// The token's evidence.
    pub(super) fn verified(&self) -> &Verified {
        &self.verified
    }

    /// Who it is, whatever becomes of the account.
    pub(super) fn identity(&self) -> SubjectHash {
        SubjectHash::new(
            self.auth.canonical_issuer(&self.verified),
            self.verified.subject(),
        )
    }

    /// The time, as rows keep it.
    pub(super) fn now(&self) -> DbTimestamp {
        self.accounts.now()
    }

    /// Under which id this request is found in the log.
    pub(super) fn request_id(&self) -> Option<RequestId> {
        self.request_id.clone()
    }

    /// Works on the owner's rows. An account that another replica has erased meanwhile is made
    /// anew, as for any new user, and the work begins again.
    pub(super) async fn on<T>(
        &self,
        work: impl AsyncFn(&Store, &Owner) -> Result<T, StoreError>,
    ) -> Result<T, ApiError> {
        let mut done = work(self.accounts.store(), &self.owner).await;
        for _ in 0..MAX_RECREATE {
            if !matches!(done, Err(StoreError::AccountDeleted)) {
                break;
            }
            self.forget();
            done = match self
                .accounts
                .admit(&self.auth, &self.verified, &self.token)
                .await
            {
                Ok(owner) => work(self.accounts.store(), &owner).await,
                Err(AdmissionError::Store(error)) => Err(error),
                Err(AdmissionError::Disabled) => return Err(disabled(self.request_id())),
                Err(AdmissionError::AuthRejection(refusal)) => {
                    tracing::error!(
                        reason = refusal.error.metric_label(),
                        "a token that was admitted is refused"
                    );
                    return Err(ApiError::fault(self.request_id()));
                }
            };
        }
        done.map_err(|error| ApiError::of_store(self.request_id(), &error))
    }

    /// Lets the next request look at the account again.
    pub(super) fn forget(&self) {
        self.accounts.forget(
            self.auth.canonical_issuer(&self.verified),
            self.verified.subject(),
        );
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
                "a route asks for an account and does not admit one"
            );
            ApiError::internal(request)
        }))
    }
}
