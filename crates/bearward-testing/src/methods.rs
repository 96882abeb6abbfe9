//! A resource of an identity provider answers the methods that it names, and names them to whoever
//! asks by another.

use actix_web::{HttpResponse, Resource, Route, guard, http::header::ALLOW, web};
use bearward::ErrorBody;

/// RFC 9110 §15.5.6: 405 comes with `Allow`.
pub fn allow_methods(methods: &'static str, resource: Resource) -> Resource {
    let message = format!("this path answers {methods} alone");
    resource.default_service(web::to(move || {
        let envelope = ErrorBody::new("METHOD_NOT_ALLOWED", &message, None);
        let response = HttpResponse::MethodNotAllowed()
            .insert_header((ALLOW, methods))
            .json(envelope);
        async { response }
    }))
}

/// GET, and HEAD, which is the same without the body (RFC 9110 §9.3.2).
pub fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}
