//! Loads the account of an authenticated request.

use actix_web::{
    Error, HttpMessage,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

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
