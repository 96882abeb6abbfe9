//! Reports each answered request to an observer in this process: the console of `bearward dev`.

use std::{sync::Arc, time::Duration};

use actix_web::{
    Error, HttpMessage,
    dev::ServiceResponse,
    http::{Method, StatusCode},
};
use bearward::{AuthFailure, RequestId};

use crate::api::ApiError;

/// A function that is called after each response head, on the worker's thread: it must not block.
pub(crate) type RequestObserver = Arc<dyn Fn(AnsweredRequest) + Send + Sync>;

/// An answered request, without anything that identifies the caller.
#[derive(Debug, Clone)]
pub struct AnsweredRequest {
    /// The method.
    pub method: Method,
    /// The pattern of the route, or `unmatched`.
    pub route: String,
    /// The status of the response.
    pub status: StatusCode,
    /// The time until the head of the response.
    pub elapsed: Duration,
    /// The id in the log; empty if an error ended the request before it was set.
    pub request_id: String,
    /// The code and the message of an error response.
    pub error: Option<(String, String)>,
    /// Why the token was rejected.
    pub rejection: Option<AuthFailure>,
}

impl AnsweredRequest {
    /// Describes the result of a request. An error of a middleware has only a status.
    pub(super) fn new<B>(
        method: Method,
        route: Option<String>,
        elapsed: Duration,
        result: &Result<ServiceResponse<B>, Error>,
    ) -> Self {
        let route = route.unwrap_or_else(|| "unmatched".to_owned());
        let response = match result {
            Ok(response) => response,
            Err(error) => {
                return Self {
                    method,
                    route,
                    status: error.as_response_error().status_code(),
                    elapsed,
                    request_id: String::new(),
                    error: None,
                    rejection: None,
                };
            }
        };
        let extensions = response.request().extensions();
        let is_error = !response.status().is_success();
        let rejection = extensions
            .get::<AuthFailure>()
            .filter(|_| is_error)
            .cloned();
        let error = match &rejection {
            Some(failure) => Some((failure.error.code().to_owned(), failure.error.to_string())),
            None => response
                .response()
                .error()
                .and_then(Error::as_error::<ApiError>)
                .map(|error| (error.code().to_owned(), error.to_string())),
        };
        Self {
            method,
            route,
            status: response.status(),
            elapsed,
            request_id: extensions
                .get::<RequestId>()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
            error,
            rejection,
        }
    }
}
