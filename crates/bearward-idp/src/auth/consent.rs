//! The provider's page: who is signing in? It stands for Google's and GitHub's.

use std::fmt::Write;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Form, Path},
};
use bearward_testing::endpoint::JwksEndpoint;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{
    authorize::{CONSENT_PATH, callback_address},
    email,
    flow::{AtProvider, Flow, Stage},
    html::{escaped, page},
    profile::Profile,
    random, redirect_response,
    service::AuthService,
};

/// Holds the ticket of the page that was shown, for that page's address alone.
const COOKIE: &str = "bearward_consent";

/// For the first time, when nobody is known.
const EXAMPLES: [(&str, &str); 2] = [
    ("Ada Example", "ada@example.com"),
    ("Grace Example", "grace@example.com"),
];

/// More than fit on a page.
const MAX_PEOPLE: usize = 50;

#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
}

pub(super) async fn show(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let shown = auth.read(|world, now| {
        let id = Uuid::parse_str(&id).ok()?;
        let Flow {
            stage: Stage::AtProvider(at_provider),
            ..
        } = world.flow(id).filter(|flow| !flow.is_expired(now))?
        else {
            return None;
        };
        let mut people: Vec<(String, String)> = world
            .people()
            .filter(|person| person.is_confirmed())
            .map(|person| (person.name().to_owned(), person.email.clone()))
            .collect();
        people.sort();
        people.truncate(MAX_PEOPLE);
        for (name, email) in EXAMPLES {
            if !people.iter().any(|(_, known)| known == email) {
                people.push((name.to_owned(), email.to_owned()));
            }
        }
        Some((
            id,
            form(id, at_provider, &people),
            at_provider.provider.title(),
            at_provider.ticket.clone(),
            form_action(at_provider),
        ))
    });
    let Some((id, body, provider, ticket, form_action)) = shown.await else {
        return gone();
    };
    let mut response = page(
        StatusCode::OK,
        &format!("Sign in with {provider}"),
        &body,
        &form_action,
    );
    let cookie = format!("{COOKIE}={ticket}; Path={CONSENT_PATH}/{id}; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn choose(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    id: Path<String>,
    choice: Form<Choice>,
) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return gone();
    };
    let cookie = cookie(&request).unwrap_or_default();
    let code = random::secret::<24>();
    let outcome = auth.change(|world, now| {
        // A name that somebody wrote who never confirmed the address is not taken for its owner's.
        let person =
            email::checked(&choice.email).ok().and_then(|email| world.by_email(&email)).filter(|person| person.is_confirmed());
        let known = person.map(|person| person.name().to_owned());
        let Some(flow) = world.flow_mut(id).filter(|flow| !flow.is_expired(now)) else { return Ok(gone()) };
        let Stage::AtProvider(at_provider) = &mut flow.stage else { return Ok(gone()) };
        // Both, so that neither another site's form nor another person's page will do.
        let from_the_page = random::same(&choice.ticket, &at_provider.ticket) && random::same(&cookie, &at_provider.ticket);
        if !from_the_page || !comes_from_here(&request) {
            let body = "<p>This answer does not come from the page that was shown. Go back to the app and start again.</p>";
            return Ok(page(StatusCode::FORBIDDEN, "Refused", body, "'none'"));
        }
        if choice.action == "deny" {
            return Ok(redirect_response::to(StatusCode::SEE_OTHER, &callback_address(id, ("error", "access_denied"))));
        }
        let Ok(email) = email::checked(&choice.email) else {
            let back = format!("{CONSENT_PATH}/{id}");
            let body = format!("<p>That is no email address.</p><p><a href=\"{back}\" id=\"back\">Back</a></p>");
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, "Not an address", &body, "'none'"));
        };
        let typed = choice.name.trim();
        let name = if typed.is_empty() { known.as_deref().unwrap_or_default() } else { typed };
        let profile = Profile::new(at_provider.provider, endpoint.base(), &email, name);
        at_provider.picked = Some((code.clone(), profile));
        Ok(redirect_response::to(StatusCode::SEE_OTHER, &callback_address(id, ("code", &code))))
    });
    outcome
        .await
        .unwrap_or_else(|fault| actix_web::ResponseError::error_response(&fault))
}

/// The ticket in the cookie (RFC 6265 §4.2).
fn cookie(request: &HttpRequest) -> Option<String> {
    let pairs = request
        .headers()
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    let mut named = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE);
    named.next().map(|(_, value)| value.to_owned())
}

/// A browser tells with every form from where it comes.
fn comes_from_here(request: &HttpRequest) -> bool {
    let text = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    let origin_host = |origin: &str| {
        Url::parse(origin).ok().and_then(|url| {
            Some(
                origin
                    .strip_prefix(url.scheme())?
                    .strip_prefix("://")?
                    .to_owned(),
            )
        })
    };
    let host = text(header::HOST);
    text(header::ORIGIN)
        .is_none_or(|origin| host.is_some() && origin_host(origin).as_deref() == host)
}

/// A form's redirects are judged by this too: they lead to the callback here, and from there to the
/// app, which may go on on this machine.
fn form_action(at_provider: &AtProvider) -> String {
    let app = match at_provider.redirect.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", at_provider.redirect.scheme()),
    };
    format!("'self' http://localhost:* http://127.0.0.1:* {app}")
}

fn form(id: Uuid, at_provider: &AtProvider, people: &[(String, String)]) -> String {
    let action = format!("{CONSENT_PATH}/{id}");
    let ticket = format!(
        "<input type=\"hidden\" name=\"ticket\" value=\"{}\">",
        escaped(&at_provider.ticket)
    );
    let open = |id: &str, label: &str| {
        format!(
            "<form method=\"post\" action=\"{action}\" id=\"{id}\" aria-label=\"{label}\">{ticket}"
        )
    };
    let app = at_provider
        .redirect
        .host_str()
        .unwrap_or(at_provider.redirect.scheme());
    let mut body = format!(
        "<p>to continue to <strong id=\"app\">{}</strong></p>\n",
        escaped(app)
    );
    let _ = write!(
        body,
        "<h2 id=\"people-title\">Pick a person</h2>\n{}\n<ul aria-labelledby=\"people-title\">\n",
        open("people", "Pick a person")
    );
    for (name, email) in people {
        let (name, email) = (escaped(name), escaped(email));
        let _ = writeln!(
            body,
            "<li><button name=\"email\" value=\"{email}\" data-email=\"{email}\">{name}<br><small>{email}</small></button></li>"
        );
    }
    let _ = write!(
        body,
        "</ul>\n</form>\n<h2>Or be somebody else</h2>\n{}\n\
         <label for=\"email\">Email</label><input id=\"email\" name=\"email\" type=\"email\" required maxlength=\"255\" autocomplete=\"off\">\n\
         <label for=\"name\">Name</label><input id=\"name\" name=\"name\" maxlength=\"100\" autocomplete=\"off\">\n\
         <button class=\"main\" id=\"continue\">Continue</button>\n</form>\n\
         {}<button class=\"deny\" id=\"deny\" name=\"action\" value=\"deny\">Deny</button></form>",
        open("somebody", "Be somebody else"),
        open("refuse", "Deny"),
    );
    body
}

fn gone() -> HttpResponse {
    let body = "<p>This sign-in has ended, or never began. Go back to the app and start again.</p>";
    page(
        StatusCode::NOT_FOUND,
        "Nothing to sign in to",
        body,
        "'none'",
    )
}
