//! Ties a request to its connection.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_http::ConnectionType;
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::InternalError,
    web::Bytes,
};

use futures_util::{Stream, stream};

use crate::server::connection::{ConnectionState, RequestInFlight};

/// A response body that keeps the request in flight until it is sent.
pub(super) struct InFlightBody {
    body: BoxBody,
    _request: Option<RequestInFlight>,
}

impl MessageBody for InFlightBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Marks the connection as busy until the response is sent, so that its idle deadlines do not
/// apply.
///
/// A request that offers an upgrade, for example to HTTP/2, receives `Connection: close`. The
/// server ignores the offer (RFC 9110 §7.8), and actix-http closes the connection; without the
/// header a client would lose the next request that it sends on it.
///
/// # Errors
/// Passes on errors of the inner service.
pub(super) async fn track_request<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: impl AsyncFnOnce(ServiceRequest) -> Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<InFlightBody>, Error> {
    let connection = request
        .request()
        .conn_data::<Arc<ConnectionState>>()
        .cloned();
    let in_flight = connection.as_ref().map(ConnectionState::begin_request);
    if let Some(connection) = connection
        && request.head().expect()
    {
        let payload = request.take_payload();
        request.set_payload(notify_read(payload, connection));
    }
    let offers_upgrade = request.head().upgrade();
    match next(request).await {
        Ok(mut response) => {
            if offers_upgrade {
                close_connection(response.response_mut());
            }
            // Bodies that are complete stay as they are in a `BoxBody`.
            Ok(response.map_body(|_, body| InFlightBody {
                body: body.boxed(),
                _request: in_flight,
            }))
        }
        Err(error) if offers_upgrade => {
            let mut response = error.error_response();
            close_connection(&mut response);
            Err(InternalError::from_response(error, response).into())
        }
        Err(error) => Err(error),
    }
}

/// Notifies the connection when the body is read, so that `100 Continue` is sent.
fn notify_read(mut payload: Payload, connection: Arc<ConnectionState>) -> Payload {
    let payload = Box::pin(stream::poll_fn(move |context| {
        connection.read_body();
        Pin::new(&mut payload).poll_next(context)
    }));
    Payload::Stream { payload }
}

fn close_connection<B>(response: &mut HttpResponse<B>) {
    response
        .head_mut()
        .set_connection_type(ConnectionType::Close);
}
