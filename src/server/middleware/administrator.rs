//! Restricts endpoints to administrators.

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use bearward::internals::{ScopeAuthentication, reject};

use crate::api::{Administrators, ApiError};

/// Rejects a verified token that is not an administrator's. Runs inside the authentication guard.
pub(super) async fn require_administrator(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let authentication = ScopeAuthentication::from_request(request.request());
    let administrators = request.app_data::<Data<Administrators>>();
    let (Some(authentication), Some(administrators)) = (authentication, administrators) else {
        tracing::error!(
            "an administration route has no authentication guard, or the application has no Data<Administrators>"
        );
        let response = ApiError::internal(request.request()).error_response();
        return Ok(request.into_response(response));
    };
    let user = &authentication.verified;
    if let Err(error) = administrators.check(user) {
        let response = reject(request.request(), user.failure(error)).error_response();
        return Ok(request.into_response(response));
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}
