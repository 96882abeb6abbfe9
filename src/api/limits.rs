//! What every resource keeps to: a panic ends its own request, and no request takes for ever.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
};
use futures_util::FutureExt;

use super::ApiError;

/// The limits of every resource.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// How long an answer may take to begin. Streams that have begun are not cut.
    pub time: Duration,
    /// The same for `/api/generate`, whose service has a time of its own.
    pub generation: Duration,
}

/// Answers with the envelope whatever happens. It belongs around a resource, not around the
/// application: the request is kept for the answer, and while somebody else holds it the router
/// cannot work on it.
pub(super) async fn enforce(
    limits: Limits,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kept = request.request().clone();
    // Unwind safe: what a handler left half done belongs to its own request, which ends here.
    let answer = AssertUnwindSafe(next.call(request)).catch_unwind();
    let problem = match tokio::time::timeout(limits.time, answer).await {
        Ok(Ok(response)) => return response.map(ServiceResponse::map_into_boxed_body),
        // The panic hook has written the cause to the log.
        Ok(Err(_panic)) => ApiError::internal(&kept),
        Err(_elapsed) => ApiError::new(
            &kept,
            StatusCode::REQUEST_TIMEOUT,
            "REQUEST_TIMEOUT",
            "the request took longer than this server allows",
        ),
    };
    Ok(ServiceResponse::new(kept, problem.error_response()))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use actix_web::{
        App, HttpMessage, HttpResponse,
        dev::Service,
        test::{TestRequest, call_service, init_service, read_body_json},
    };
    use bearward::RequestId;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::endpoint::at;

    const SECRET: &str = "sk-in-a-panic";

    async fn panics() -> HttpResponse {
        panic!("{SECRET}")
    }

    async fn takes_for_ever() -> HttpResponse {
        pending().await
    }

    async fn answers() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    /// Status and body of what these paths answer one after the other.
    async fn answered(paths: [&str; 3]) -> [(u16, Value); 3] {
        let limits = Limits {
            body: 0,
            time: Duration::from_millis(1),
            generation: Duration::ZERO,
        };
        let app = App::new().wrap_fn(|request, app| {
            request
                .extensions_mut()
                .insert(RequestId::parse("the-request").expect("an id"));
            app.call(request)
        });
        let app = init_service(app.configure(|config| {
            at("/panics").get(panics).public(config, limits);
            at("/takes-for-ever")
                .get(takes_for_ever)
                .public(config, limits);
            at("/answers").get(answers).public(config, limits);
        }))
        .await;
        let mut answers = Vec::new();
        for path in paths {
            let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            let status = response.status().as_u16();
            answers.push((
                status,
                if status == 200 {
                    Value::Null
                } else {
                    read_body_json(response).await
                },
            ));
        }
        answers.try_into().expect("one for each path")
    }

    #[actix_web::test]
    async fn a_panic_and_a_request_without_end_are_answered_with_the_envelope_and_the_next_request_is_served()
     {
        let [panicked, late, fine] = answered(["/panics", "/takes-for-ever", "/answers"]).await;
        for ((status, body), (expected, code)) in [
            (panicked, (500, "INTERNAL")),
            (late, (408, "REQUEST_TIMEOUT")),
        ] {
            assert_eq!(
                (status, &body["error"]["code"]),
                (expected, &json!(code)),
                "{body}"
            );
            assert_eq!(
                (&body["success"], &body["request_id"]),
                (&json!(false), &json!("the-request"))
            );
            assert!(!body.to_string().contains(SECRET), "{body}");
        }
        assert_eq!(fine.0, 200);
    }
}
