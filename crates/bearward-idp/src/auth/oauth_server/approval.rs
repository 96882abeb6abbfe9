//! The consent page of the OAuth server: a user allows a client to act for them, or denies it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use bearward_testing::endpoint::JwksEndpoint;
use maud::{Markup, html};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    authorization::{Authorization, IssuedCode},
    authorize::error_redirect,
    error::OAuthError,
};
use crate::auth::{
    consent, consent_users, email,
    error::AuthApiError,
    form_origin,
    html::page,
    profile::{Profile, Provider},
    random, redirect_response,
    service::AuthService,
    state::AuthState,
};

/// Path of the consent pages.
pub(crate) const APPROVAL_PATH: &str = "/.approval";

#[derive(Deserialize)]
pub(crate) struct ApprovalForm {
    #[serde(default)]
    csrf_token: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    email: String,
}

pub(crate) async fn show(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let shown = auth.read(|state, now| {
        let id = Uuid::parse_str(&id).ok()?;
        let authorization = state.authorizations.pending(id, now)?;
        let client = state.client(authorization.client_id)?.name();
        Some((
            id,
            approval_form(authorization, &client, &consent_users::list(state)),
            authorization.csrf_token.clone(),
            consent::form_action(&authorization.redirect),
            client,
        ))
    });
    let Some((id, body, csrf_token, form_action, client)) = shown.await else {
        return not_found();
    };
    let mut response = page(
        StatusCode::OK,
        &format!("Allow {client}?"),
        &body,
        &form_action,
    );
    form_origin::set_cookie(&mut response, &csrf_token, &format!("{APPROVAL_PATH}/{id}"));
    response
}

pub(crate) async fn choose(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    id: Path<String>,
    choice: Form<ApprovalForm>,
) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return not_found();
    };
    let issuer = endpoint.issuer();
    let outcome = auth.update(|state, now| {
        let Some(authorization) = state.authorizations.pending(id, now) else {
            return Ok(not_found());
        };
        if !form_origin::is_own_form(&request, &choice.csrf_token, &authorization.csrf_token) {
            return Ok(form_origin::rejected());
        }
        let (redirect, client_state) =
            (authorization.redirect.clone(), authorization.state.clone());
        let client_state = client_state.as_deref();
        if choice.action == "deny" {
            state.authorizations.remove(id);
            let denied = OAuthError::new("access_denied", "The user denied the request");
            let back = error_redirect(redirect, &denied, client_state, &issuer);
            return Ok(redirect_response::redirect(
                StatusCode::SEE_OTHER,
                back.as_str(),
            ));
        }
        let Ok(email) = email::normalize(choice.email.trim()) else {
            return Ok(consent::invalid_email(&format!("{APPROVAL_PATH}/{id}")));
        };
        let user_id = match sign_in(state, &auth, &endpoint, &email, now) {
            Ok(user_id) => user_id,
            Err(error) => {
                state.authorizations.remove(id);
                let denied =
                    OAuthError::new(error.redirect_error(), "").describe(error.to_string());
                let back = error_redirect(redirect, &denied, client_state, &issuer);
                return Ok(redirect_response::redirect(
                    StatusCode::SEE_OTHER,
                    back.as_str(),
                ));
            }
        };
        let code = random::secret::<32>();
        if let Some(authorization) = state.authorizations.pending_mut(id, now) {
            authorization.code = Some(IssuedCode {
                text: code.clone(),
                user_id,
                issued_at: now.millis(),
                session_id: None,
            });
        }
        let mut members = vec![("code", code.as_str())];
        members.extend(client_state.map(|state| ("state", state)));
        members.push(("iss", &issuer));
        let back = redirect_response::with_query(redirect, &members);
        Ok(redirect_response::redirect(
            StatusCode::SEE_OTHER,
            back.as_str(),
        ))
    });
    outcome
        .await
        .unwrap_or_else(|error| actix_web::ResponseError::error_response(&error))
}

/// Returns the confirmed user with this address; another one signs in with the simulated Google.
fn sign_in(
    state: &mut AuthState,
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    email: &str,
    now: bearward::Timestamp,
) -> Result<Uuid, AuthApiError> {
    match state
        .user_by_email(email)
        .filter(|user| user.is_confirmed())
    {
        Some(user) if user.banned => Err(AuthApiError::new(403, "user_banned", "User is banned")),
        Some(user) => Ok(user.id),
        None => {
            let name = consent_users::name_of(state, email).unwrap_or_default();
            let profile = Profile::new(Provider::Google, endpoint.base(), email, &name);
            auth.sign_in(state, &profile, now)
        }
    }
}

fn approval_form(
    authorization: &Authorization,
    client: &str,
    users: &[(String, String)],
) -> Markup {
    let id = authorization.id;
    let form = |name: &str, label: &str, fields: &Markup| {
        html! {
            form method="post" action={ (APPROVAL_PATH) "/" (id) } id=(name) aria-label=(label) {
                input type="hidden" name="csrf_token" value=(authorization.csrf_token);
                (fields)
            }
        }
    };
    let known_users = html! {
        ul aria-labelledby="people-title" {
            @for (name, email) in users {
                li {
                    button name="email" value=(email) data-email=(email) {
                        "Allow as " (name)
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
        button.main #continue { "Allow" }
    };
    let deny = html! { button.deny #deny name="action" value="deny" { "Deny" } };
    html! {
        p {
            strong #client { (client) }
            " asks for access on your behalf"
            @if let Some(resource) = &authorization.resource { " to " code #resource { (resource) } }
            "."
        }
        h2 { "Requested scopes" }
        ul #scopes {
            @for scope in authorization.scope.split(' ').filter(|scope| !scope.is_empty()) {
                li { code { (scope) } }
            }
        }
        p { "Afterwards the browser goes to " code #redirect { (authorization.redirect_uri) } "." }
        h2 #people-title { "Choose a user" }
        (form("people", "Choose a user", &known_users))
        h2 { "Or use another account" }
        (form("other-user", "Use another account", &other_user))
        (form("refuse", "Deny", &deny))
    }
}

fn not_found() -> HttpResponse {
    let body = html! {
        p { "This authorization does not exist or has expired. Go back to the application and start again." }
    };
    page(
        StatusCode::NOT_FOUND,
        "Authorization not found",
        &body,
        "'none'",
    )
}
