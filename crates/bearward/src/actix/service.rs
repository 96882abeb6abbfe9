//! The extractor of a service.

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};

use super::{
    extract::{ExtractFuture, FromIdentity, extract},
    rejection::AuthRejection,
};
use crate::{
    error::{AuthError, AuthFailure},
    service_key::Service,
    verified::Verified,
};

impl Service {
    /// Returns the service whose key an extractor, a guard or a middleware has verified for this
    /// request; `None` if there is none. The route may have rejected it nevertheless.
    ///
    /// It is meant for logs. Handlers use the extractors.
    ///
    /// ```
    /// use actix_web::HttpRequest;
    /// use bearward::Service;
    ///
    /// fn log(request: &HttpRequest) {
    ///     if let Some(service) = Service::of(request) {
    ///         println!("service {} with key {}", service.name(), service.key_id());
    ///     }
    /// }
    /// ```
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

impl FromRequest for Service {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl FromIdentity for Service {
    fn from_user(verified: Verified, _request: &HttpRequest) -> Result<Self, AuthFailure> {
        Err(verified.failure(AuthError::ServiceRequired))
    }

    fn from_service(service: Service) -> Result<Self, AuthFailure> {
        Ok(service)
    }
}
