//! `/.inbox`: the mails that would have been sent, for people and for programs.

use std::fmt::Write;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use bearward::Timestamp;
use bearward_testing::endpoint::JwksEndpoint;
use serde_json::json;

use super::{
    error::AuthApiError,
    html::{escaped, page},
    service::AuthService,
};

/// A page for whoever asks for `text/html`, as browsers do; else JSON.
pub(super) async fn show(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
) -> HttpResponse {
    let accepts = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let issuer = endpoint.issuer();
    if !accepts.contains("text/html") {
        let mails = auth
            .read(|world, _| {
                world
                    .mails()
                    .iter()
                    .map(|mail| mail.json(&issuer))
                    .collect::<Vec<_>>()
            })
            .await;
        return HttpResponse::Ok()
            .insert_header(("cache-control", "no-store"))
            .json(json!({ "mails": mails }));
    }
    let body = auth
        .read(|world, _| {
            let mails = world.mails();
            let mut body = "<p><a href=\"/\">Console</a></p>".to_owned();
            if mails.is_empty() {
                body.push_str("<p id=\"empty\">No mail yet. Ask for a magic link or a new password in your app.</p>");
            }
            for mail in mails {
                let used = if mail.is_spent { " <small>(used or replaced)</small>" } else { "" };
                let _ = write!(
                    body,
                    "<article data-type=\"{kind}\" data-to=\"{to}\"><h2>{subject}{used}</h2>\
                     <p>To {to}<br><small>{at}</small></p>\
                     <p><a href=\"{link}\">{subject}</a></p><p>or type the code <code class=\"code\">{code}</code></p></article>",
                    kind = mail.kind.name(),
                    to = escaped(&mail.to),
                    subject = mail.kind.subject(),
                    at = Timestamp::from_millis(mail.sent_at),
                    link = escaped(&mail.link(&issuer)),
                    code = escaped(&mail.code),
                );
            }
            body
        })
        .await;
    page(StatusCode::OK, "Inbox", &body, "'none'")
}

pub(super) async fn empty(auth: Data<AuthService>) -> Result<HttpResponse, AuthApiError> {
    auth.change(|world, _| {
        world.empty_inbox();
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}
