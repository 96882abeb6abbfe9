//! Method handling of the IdP's routes: 405 responses with `Allow`, and HEAD beside GET.

use actix_web::{HttpResponse, Resource, Route, guard, http::header::ALLOW, web};
use bearward::ErrorBody;

/// Responds to every other method with 405 and an `Allow` header (RFC 9110 §15.5.6).
pub fn allow_methods(methods: &'static str, resource: Resource) -> Resource {
    let message = format!("this path supports {methods} only");
    resource.default_service(web::to(move || {
        let body = ErrorBody::new("METHOD_NOT_ALLOWED", &message, None);
        let response = HttpResponse::MethodNotAllowed()
            .insert_header((ALLOW, methods))
            .json(body);
        async { response }
    }))
}

/// Matches GET and HEAD (RFC 9110 §9.3.2).
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
