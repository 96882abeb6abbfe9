//! The consent page, in place of Google's and GitHub's: chooses the user who signs in.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use bearward_testing::endpoint::JwksEndpoint;
use maud::{Markup, html};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{
    authorize::{CONSENT_PATH, callback_address},
    avatar, consent_users, email,
    flow::{ConsentRequest, Flow, FlowStage},
    form_origin,
    html::page,
    profile::Profile,
    random, redirect_response,
    service::AuthService,
};

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
        let users = consent_users::list(state);
        Some((
            id,
            consent_form(id, consent, &users),
            consent.provider.title(),
            consent.csrf_token.clone(),
            form_action(&consent.redirect),
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
    form_origin::set_cookie(&mut response, &csrf_token, &format!("{CONSENT_PATH}/{id}"));
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
    let code = random::secret::<24>();
    let outcome = auth.update(|state, now| {
        // The name of an unconfirmed user is ignored: that user may not own the address.
        let known = email::normalize(choice.email.trim())
            .ok()
            .and_then(|email| consent_users::name_of(state, &email));
        let Some(flow) = state.flow_mut(id).filter(|flow| !flow.is_expired(now)) else {
            return Ok(flow_not_found());
        };
        let FlowStage::AwaitingConsent(consent) = &mut flow.stage else {
            return Ok(flow_not_found());
        };
        if !form_origin::is_own_form(&request, &choice.csrf_token, &consent.csrf_token) {
            return Ok(form_origin::rejected());
        }
        if choice.action == "deny" {
            return Ok(redirect_response::redirect(
                StatusCode::SEE_OTHER,
                &callback_address(id, ("error", "access_denied")),
            ));
        }
        let Ok(email) = email::normalize(choice.email.trim()) else {
            return Ok(invalid_email(&format!("{CONSENT_PATH}/{id}")));
        };
        let entered = choice.name.trim();
        let name = if entered.is_empty() {
            known.as_deref().unwrap_or_default()
        } else {
            entered
        };
        let profile = Profile::new(consent.provider, endpoint.base(), &email, name);
        consent.selected = Some((code.clone(), profile));
        Ok(redirect_response::redirect(
            StatusCode::SEE_OTHER,
            &callback_address(id, ("code", &code)),
        ))
    });
    outcome
        .await
        .unwrap_or_else(|error| actix_web::ResponseError::error_response(&error))
}

/// The CSP `form-action` sources. They also apply to the redirects after the form: to the callback on
/// this server, to the app, and to a loopback address that the app may redirect to.
pub(crate) fn form_action(redirect: &Url) -> String {
    let app = match redirect.origin() {
        origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
        url::Origin::Opaque(_) => format!("{}:", redirect.scheme()),
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
                    button.person name="email" value=(email) data-email=(email) {
                        img src=(avatar::path(name)) alt="" width="40" height="40";
                        span {
                            (name)
                            br;
                            small { (email) }
                        }
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

/// The response to an invalid email address, with a link to the form.
pub(crate) fn invalid_email(form: &str) -> HttpResponse {
    let body = html! {
        p { "The email address is invalid." }
        p { a #back href=(form) { "Back" } }
    };
    page(
        StatusCode::UNPROCESSABLE_ENTITY,
        "Invalid email address",
        &body,
        "'none'",
    )
}

fn flow_not_found() -> HttpResponse {
    let body = html! {
        p { "This sign-in does not exist or has expired. Go back to the app and start again." }
    };
    page(StatusCode::NOT_FOUND, "Sign-in not found", &body, "'none'")
}
