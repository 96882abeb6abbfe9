//! Closes the connection after a response whose request body was not read to its end.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header,
    web::Bytes,
};
use futures_util::{Stream, stream};

/// A response body that keeps the request payload alive until it is sent.
struct HoldPayload<B> {
    body: B,
    _payload: Rc<RefCell<Payload>>,
}

impl<B: MessageBody + Unpin> MessageBody for HoldPayload<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Closes the connection after the response if a chunked request body was not read to its end.
///
/// actix-http does this by itself for a body with `Content-Length`. It would read and discard the
/// rest of a chunked body, without a limit and before authentication, as soon as the payload is
/// dropped. The response body therefore holds the payload until it is sent.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn close_on_unread_body<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: impl AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return next(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let shared = Rc::new(RefCell::new(request.take_payload()));
    let reader = Rc::clone(&shared);
    let payload = Box::pin(stream::poll_fn(move |context| {
        Pin::new(&mut *reader.borrow_mut()).poll_next(context)
    }));
    request.set_payload(Payload::Stream { payload });
    let response = next(request).await?.map_into_boxed_body();
    Ok(response
        .map_body(|_, body| HoldPayload {
            body,
            _payload: shared,
        })
        .map_into_boxed_body())
}
