//! The consent page, in place of Google's and GitHub's: chooses the user who signs in.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Form, Path},
};
use bearward_testing::endpoint::JwksEndpoint;
use maud::{Markup, html};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{
    authorize::{CONSENT_PATH, callback_address},
    email,
    flow::{ConsentRequest, Flow, FlowStage},
    html::page,
    profile::Profile,
    random, redirect_response,
    service::AuthService,
};

/// Holds the CSRF token of a consent page; its path is that page.
const COOKIE: &str = "bearward_consent";

/// Users that are offered in addition to the registered ones.
const EXAMPLE_USERS: [(&str, &str); 2] = [
    ("Ada Example", "ada@example.com"),
    ("Grace Example", "grace@example.com"),
];

/// Number of registered users on the page.
const MAX_USERS: usize = 50;

#[derive(Deserialize)]
pub(crate) struct ConsentForm {
    #[serde(default)]
    csrf_token: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
}

pub(crate) async fn show(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let consent_page = auth.read(|state, now| {
        let id = Uuid::parse_str(&id).ok()?;
        let Flow {
            stage: FlowStage::AwaitingConsent(consent),
            ..
        } = state.flow(id).filter(|flow| !flow.is_expired(now))?
        else {
            return None;
        };
        let mut users: Vec<(String, String)> = state
            .users()
            .filter(|user| user.is_confirmed())
            .map(|user| (user.name().to_owned(), user.email.clone()))
            .collect();
        users.sort();
        users.truncate(MAX_USERS);
        for (name, email) in EXAMPLE_USERS {
            if !users.iter().any(|(_, known)| known == email) {
                users.push((name.to_owned(), email.to_owned()));
            }
        }
        Some((
            id,
            consent_form(id, consent, &users),
            consent.provider.title(),
            consent.csrf_token.clone(),
            form_action(consent),
        ))
    });
    let Some((id, body, provider, csrf_token, form_action)) = consent_page.await else {
        return flow_not_found();
    };
    let mut response = page(
        StatusCode::OK,
        &format!("Sign in with {provider}"),
        &body,
        &form_action,
    );
    let cookie =
        format!("{COOKIE}={csrf_token}; Path={CONSENT_PATH}/{id}; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(crate) async fn choose(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    id: Path<String>,
    choice: Form<ConsentForm>,
) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return flow_not_found();
    };
    let cookie = csrf_cookie(&request).unwrap_or_default();
    let code = random::secret::<24>();
    let outcome = auth.update(|state, now| {
        // The name of an unconfirmed user is ignored: that user may not own the address.
        let user =
            email::normalize(&choice.email).ok().and_then(|email| state.user_by_email(&email)).filter(|user| user.is_confirmed());
        let known = user.map(|user| user.name().to_owned());
        let Some(flow) = state.flow_mut(id).filter(|flow| !flow.is_expired(now)) else { return Ok(flow_not_found()) };
        let FlowStage::AwaitingConsent(consent) = &mut flow.stage else { return Ok(flow_not_found()) };
        // The form value and the cookie must both match, so that neither a cross-site form nor a
        // consent page of another browser is accepted.
        let has_csrf_token = random::constant_time_eq(&choice.csrf_token, &consent.csrf_token) && random::constant_time_eq(&cookie, &consent.csrf_token);
        if !has_csrf_token || !is_same_origin(&request) {
            let body = html! { p { "This form was not submitted from its own page. Go back to the app and start again." } };
            return Ok(page(StatusCode::FORBIDDEN, "Rejected", &body, "'none'"));
        }
        if choice.action == "deny" {
            return Ok(redirect_response::redirect(StatusCode::SEE_OTHER, &callback_address(id, ("error", "access_denied"))));
        }
        let Ok(email) = email::normalize(&choice.email) else {
            let body = html! {
                p { "The email address is invalid." }
                p { a #back href={ (CONSENT_PATH) "/" (id) } { "Back" } }
            };
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, "Invalid email address", &body, "'none'"));
        };
        let entered = choice.name.trim();
        let name = if entered.is_empty() { known.as_deref().unwrap_or_default() } else { entered };
        let profile = Profile::new(consent.provider, endpoint.base(), &email, name);
        consent.selected = Some((code.clone(), profile));
        Ok(redirect_response::redirect(StatusCode::SEE_OTHER, &callback_address(id, ("code", &code))))
    });
    outcome
        .await
        .unwrap_or_else(|error| actix_web::ResponseError::error_response(&error))
}

/// The CSRF token in the cookie (RFC 6265 §4.2).
fn csrf_cookie(request: &HttpRequest) -> Option<String> {
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

/// Whether the form comes from this server's own page: browsers send `Origin` with every form.
fn is_same_origin(request: &HttpRequest) -> bool {
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

/// The CSP `form-action` sources. They also apply to the redirects after the form: to the callback on
/// this server, to the app, and to a loopback address that the app may redirect to.
fn form_action(consent: &ConsentRequest) -> String {
    let app = match consent.redirect.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", consent.redirect.scheme()),
    };
    format!("'self' http://localhost:* http://127.0.0.1:* {app}")
}

fn consent_form(id: Uuid, consent: &ConsentRequest, users: &[(String, String)]) -> Markup {
    let app = consent
        .redirect
        .host_str()
        .unwrap_or(consent.redirect.scheme());
    let form = |name: &str, label: &str, fields: &Markup| {
        html! {
            form method="post" action={ (CONSENT_PATH) "/" (id) } id=(name) aria-label=(label) {
                input type="hidden" name="csrf_token" value=(consent.csrf_token);
                (fields)
            }
        }
    };
    let known_users = html! {
        ul aria-labelledby="people-title" {
            @for (name, email) in users {
                li {
                    button name="email" value=(email) data-email=(email) {
                        (name)
                        br;
                        small { (email) }
                    }
                }
            }
        }
    };
    let other_user = html! {
        label for="email" { "Email" }
        input #email name="email" type="email" required maxlength="255" autocomplete="off";
        label for="name" { "Name" }
        input #name name="name" maxlength="100" autocomplete="off";
        button.main #continue { "Continue" }
    };
    let deny = html! {
        button.deny #deny name="action" value="deny" { "Deny" }
    };
    html! {
        p { "to continue to " strong #app { (app) } }
        h2 #people-title { "Choose a user" }
        (form("people", "Choose a user", &known_users))
        h2 { "Or use another account" }
        (form("other-user", "Use another account", &other_user))
        (form("refuse", "Deny", &deny))
    }
}

fn flow_not_found() -> HttpResponse {
    let body = html! {
        p { "This sign-in does not exist or has expired. Go back to the app and start again." }
    };
    page(StatusCode::NOT_FOUND, "Sign-in not found", &body, "'none'")
}
