//! `GET /admin/events`: server-sent events for the console: the requests of the API, the inbox, and
//! changes of users and sessions.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use bearward_testing::endpoint::JwksEndpoint;
use futures_util::{Stream, stream};
use serde_json::json;
use tokio::sync::{broadcast, watch};

use crate::{
    auth::AuthService,
    request_log::{LoggedRequest, RequestLog},
};

/// The pause after which a comment keeps the connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Number of mails in an event.
const MAX_MAILS: usize = 5;

struct Events {
    auth: Data<AuthService>,
    issuer: String,
    requests: broadcast::Receiver<LoggedRequest>,
    changes: watch::Receiver<()>,
}

/// Sends `request` for each request of the API, beginning with the last ones, and `inbox` and
/// `change` after each change of the auth API. `Last-Event-ID` is the number of the last request
/// that the client has.
pub(crate) async fn events(
    request: HttpRequest,
    auth: Data<AuthService>,
    log: Data<RequestLog>,
    endpoint: Data<JwksEndpoint>,
) -> HttpResponse {
    let after = request
        .headers()
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or_default();
    let (earlier, requests) = log.subscribe(after);
    let mut events = Events {
        changes: auth.changes(),
        issuer: endpoint.issuer(),
        requests,
        auth,
    };
    let mut first = String::from("retry: 1000\n\n");
    first.extend(earlier.iter().map(request_event));
    first.push_str(&events.inbox_event().await);
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .streaming(events.into_stream(first))
}

impl Events {
    fn into_stream(self, first: String) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold((self, Some(first)), async |(mut events, first)| {
            let text = match first {
                Some(first) => first,
                None => events.next().await?,
            };
            Some((Ok(Bytes::from(text)), (events, None)))
        })
    }

    /// Waits for the next events; `None` ends the stream, because the server stops.
    async fn next(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Ok(request) => return Some(request_event(&request)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                changed = self.changes.changed() => {
                    changed.ok()?;
                    return Some(self.inbox_event().await + "event: change\ndata: {}\n\n");
                }
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(":\n\n".to_owned()),
            }
        }
    }

    async fn inbox_event(&mut self) -> String {
        let issuer = &self.issuer;
        let inbox = self.auth.read(|state, _| {
            let mails = state.mails();
            let unused = mails.iter().filter(|mail| !mail.is_used).count();
            let newest: Vec<_> = mails
                .iter()
                .take(MAX_MAILS)
                .map(|mail| mail.json(issuer))
                .collect();
            json!({ "count": mails.len(), "unused": unused, "mails": newest })
        });
        format!("event: inbox\ndata: {}\n\n", inbox.await)
    }
}

fn request_event(request: &LoggedRequest) -> String {
    let LoggedRequest { number, json } = request;
    format!("id: {number}\nevent: request\ndata: {json}\n\n")
}
