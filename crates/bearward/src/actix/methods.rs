//! Methods of a resource: GET also serves HEAD, and other methods are answered with 405.

use std::future::ready;

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route, guard,
    http::header::{ALLOW, HeaderValue},
    web,
};

use crate::http::{ErrorBody, RequestId};

/// Returns a route for GET and HEAD (RFC 9110 §9.3.2).
pub fn get_or_head() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Answers requests that no route of the resource matches with 405 and `Allow` (RFC 9110 §15.5.6).
pub fn allow_methods(allow: HeaderValue, resource: Resource) -> Resource {
    resource.default_service(web::to(move |request: HttpRequest| {
        ready(method_not_allowed(&request, allow.clone()))
    }))
}

fn method_not_allowed(request: &HttpRequest, allow: HeaderValue) -> HttpResponse {
    let body = ErrorBody::new(
        "METHOD_NOT_ALLOWED",
        "this path does not support the method; see the Allow header",
        RequestId::from_request(request).as_ref(),
    );
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, allow))
        .json(body)
}
