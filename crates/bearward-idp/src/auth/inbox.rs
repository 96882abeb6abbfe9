//! `/.inbox`: the captured mails, as a page and as JSON.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use bearward::Timestamp;
use bearward_testing::endpoint::JwksEndpoint;
use maud::{Markup, html};
use serde_json::json;

use super::{error::AuthApiError, html::page_with_script, mail::Mail, service::AuthService};

/// Lists the mails, newest first: as HTML if the client accepts it, else as JSON.
pub(crate) async fn show(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
) -> HttpResponse {
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let issuer = endpoint.issuer();
    if !accept.contains("text/html") {
        let mails = auth
            .read(|state, _| {
                state
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
        .read(|state, _| {
            let mails = state.mails();
            html! {
                div.bar {
                    a href="/" { "Console" }
                    button #clear type="button" hidden[mails.is_empty()] { "Delete all" }
                }
                p #empty hidden[!mails.is_empty()] {
                    "No mail yet. Request a magic link or a password reset in your app."
                }
                div #mails {
                    @for mail in mails { (article(mail, &issuer)) }
                }
            }
        })
        .await;
    page_with_script("Inbox", &body, "/.console/inbox.js")
}

pub(crate) async fn clear(auth: Data<AuthService>) -> Result<HttpResponse, AuthApiError> {
    auth.update(|state, _| {
        state.delete_mails();
        Ok(HttpResponse::NoContent().finish())
    })
    .await
}

fn article(mail: &Mail, issuer: &str) -> Markup {
    html! {
        article data-type=(mail.kind.name()) data-to=(mail.to) {
            h2 {
                (mail.kind.subject())
                @if mail.is_used { " " small { "(used or replaced)" } }
            }
            p {
                "To " (mail.to)
                br;
                small { (Timestamp::from_millis(mail.sent_at)) }
            }
            @if let Some(link) = mail.link(issuer) {
                p { a href=(link) { (mail.kind.subject()) } }
                p { "or enter the code " code.code { (mail.code) } }
            } @else {
                p { "Enter the code " code.code { (mail.code) } }
            }
        }
    }
}
