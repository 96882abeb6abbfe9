//! Authenticates a WebSocket and a stream of server-sent events, and ends both when the token is no
//! longer accepted.
//!
//! `cargo run -p bearward --example websocket` prints the address of a page with a browser client.

use std::{sync::Arc, time::Duration};

use actix_web::{
    App, Error, HttpRequest, HttpResponse, HttpServer,
    http::header::ContentType,
    rt,
    web::{self, Bytes, ServiceConfig},
};
use actix_ws::{CloseCode, CloseReason, Message};
use bearward::{AuthFailure, Bearward, Builder, Clock, Principal, RequestHead, TokenSource};
use bearward_testing::MockIdp;
use tokio::sync::mpsc;

/// The subprotocol of the application. The server selects it, never the one with the token.
const PROTOCOL: &str = "echo.v1";

/// How long a connection may outlive its token.
pub const RECHECK: Duration = Duration::from_secs(15);

/// Accepts tokens where browsers can send them: in a subprotocol of a WebSocket, and for
/// `EventSource` in the query of `/events` only.
pub fn accept_browsers(builder: Builder) -> Builder {
    builder
        .source(TokenSource::web_socket_protocol("bearer."))
        .source(TokenSource::custom(events_token))
}

fn events_token<'r>(request: &RequestHead<'r>) -> Option<&'r str> {
    let query = request.target().strip_prefix("/events?")?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("access_token="))
}

/// Registers the routes. The verifier is in the `app_data`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(page))
        .route("/socket", web::get().to(socket))
        .route("/events", web::get().to(events));
}

/// Completes when the token of a connection is no longer accepted.
///
/// It waits on the clock of the verifier, until the next check is due or the token expires. If the
/// keys are not available, the connection is closed too; the client connects again later.
async fn until_rejected(auth: &Bearward, user: &Principal) -> AuthFailure {
    let clock: &Arc<dyn Clock> = auth.clock();
    loop {
        clock.sleep_until(clock.monotonic() + RECHECK).await;
        if let Err(failure) = auth.recheck(user).await {
            return failure;
        }
    }
}

/// Returns the close code of a rejection: 4401 for a token that is no longer valid, 4503 if that
/// cannot be decided now (RFC 6455 §7.4.2: codes from 4000 are private).
fn close_reason(failure: &AuthFailure) -> CloseReason {
    CloseReason {
        code: CloseCode::Other(4000 + failure.status()),
        description: Some(failure.error.code().to_owned()),
    }
}

/// Echoes text messages. The handshake is rejected without a valid token, with 401 as for any other
/// request.
async fn socket(
    user: Principal,
    auth: web::Data<Bearward>,
    request: HttpRequest,
    body: web::Payload,
) -> Result<HttpResponse, Error> {
    let (response, mut session, mut messages) =
        actix_ws::handle_with_protocols(&request, body, &[PROTOCOL])?;
    rt::spawn(async move {
        let rejected = until_rejected(&auth, &user);
        tokio::pin!(rejected);
        let reason = loop {
            let message = tokio::select! {
                failure = &mut rejected => break Some(close_reason(&failure)),
                message = messages.recv() => message,
            };
            let sent = match message {
                Some(Ok(Message::Text(text))) => session.text(text).await,
                Some(Ok(Message::Ping(bytes))) => session.pong(&bytes).await,
                Some(Ok(Message::Close(reason))) => break reason,
                Some(Ok(_)) => Ok(()),
                Some(Err(_)) | None => break None,
            };
            if sent.is_err() {
                return;
            }
        };
        drop(session.close(reason).await);
    });
    Ok(response)
}

/// Sends the caller's subject as the first event, and `event: rejected` before the stream ends.
async fn events(user: Principal, auth: web::Data<Bearward>) -> HttpResponse {
    let (sender, receiver) = mpsc::channel::<Bytes>(8);
    rt::spawn(async move {
        let hello = format!("data: {}\n\n", user.subject());
        if sender.send(hello.into()).await.is_err() {
            return;
        }
        tokio::select! {
            failure = until_rejected(&auth, &user) => {
                let code = failure.error.code();
                let last = format!("event: rejected\ndata: {code}\n\n");
                drop(sender.send(last.into()).await);
            }
            () = sender.closed() => {}
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
        let event = receiver.recv().await?;
        Some((Ok::<_, Error>(event), receiver))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .streaming(stream)
}

async fn page() -> HttpResponse {
    let html = include_str!("websocket.html");
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .body(html)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let idp = MockIdp::start().await;
    let builder = Bearward::builder().issuer(idp.as_issuer());
    let auth = accept_browsers(builder).build().await?;
    let token = idp.token().expires_in(Duration::from_secs(60)).sign();
    println!("Open http://127.0.0.1:8000/#{token}");
    println!("The token expires in 60 seconds; the connections end up to 45 seconds later.");
    let app = move || {
        App::new()
            .app_data(web::Data::new(auth.clone()))
            .configure(routes)
    };
    Ok(HttpServer::new(app).bind("127.0.0.1:8000")?.run().await?)
}
