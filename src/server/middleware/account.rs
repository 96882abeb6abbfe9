//! Loads the account of an authenticated request.

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use bearward::Service;

use crate::api::current_user::CurrentUser;

/// Loads the account of the verified token, rejects a disabled one, and stores the
/// [`CurrentUser`] in the request's extensions. Runs inside the authentication guard.
pub(super) async fn load_account(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match CurrentUser::load(request.request()).await {
        Ok(user) => {
            request.extensions_mut().insert(user);
            next.call(request)
                .await
                .map(ServiceResponse::map_into_boxed_body)
        }
        Err(response) => Ok(request.into_response(response)),
    }
}

/// Loads the account like [`load_account`] if the caller is a user. A service has no account. The
/// guard must accept services.
pub(super) async fn load_account_of_user(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if Service::of(request.request()).is_some() {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    load_account(request, next).await
}
