//! Restricts endpoints to administrators.

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use bearward::{Bearward, Principal};

use crate::api::{Administrators, ApiError};

/// Rejects a verified token that is not an administrator's. Runs inside the authentication guard.
pub(super) async fn require_administrator(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let user = Principal::of(request.request());
    let administrators = request.app_data::<Data<Administrators>>();
    let auth = request.app_data::<Data<Bearward>>();
    let (Some(user), Some(administrators), Some(auth)) = (user, administrators, auth) else {
        tracing::error!(
            "an administration route has no authentication guard, or the application has no Data<Administrators>"
        );
        let response = ApiError::internal(request.request()).error_response();
        return Ok(request.into_response(response));
    };
    if let Err(error) = administrators.check(&user) {
        let failure = Bearward::record_rejection(user.failure(error));
        let response = auth.error_response(request.request(), failure);
        return Ok(request.into_response(response));
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}
