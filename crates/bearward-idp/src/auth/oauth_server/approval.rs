//! The consent page of the OAuth server: a user allows a client to act for them, or denies it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use bearward_testing::endpoint::JwksEndpoint;
use maud::html;
use uuid::Uuid;

use super::{
    authorization::{Authorization, IssuedCode},
    authorize::error_redirect,
    error::OAuthError,
};
use crate::auth::{
    consent_form::{ConsentForm, ConsentPage, SelectedUser, invalid_email},
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

pub(crate) async fn show(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let shown = auth.read(|state, now| {
        let id = Uuid::parse_str(&id).ok()?;
        let authorization = state.authorizations.pending(id, now)?;
        let client = state.client(authorization.client_id)?.name();
        Some(approval_page(authorization, &client).render(state))
    });
    shown.await.unwrap_or_else(not_found)
}

pub(crate) async fn choose(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    id: Path<String>,
    choice: Form<ConsentForm>,
) -> HttpResponse {
    let Ok(id) = Uuid::parse_str(&id) else {
        return not_found();
    };
    let issuer = endpoint.issuer();
    let outcome = auth.update(|state, now| {
        let Some(authorization) = state.authorizations.pending(id, now) else {
            return Ok(not_found());
        };
        if !choice.is_from_page(&request, &authorization.csrf_token) {
            return Ok(form_origin::rejected());
        }
        let (redirect, client_state) =
            (authorization.redirect.clone(), authorization.state.clone());
        let client_state = client_state.as_deref();
        if choice.is_denied() {
            state.authorizations.remove(id);
            let denied = OAuthError::new("access_denied", "The user denied the request");
            let back = error_redirect(redirect, &denied, client_state, &issuer);
            return Ok(redirect_response::redirect(
                StatusCode::SEE_OTHER,
                back.as_str(),
            ));
        }
        let Some(user) = choice.user(state) else {
            return Ok(invalid_email(&page_path(id)));
        };
        let user_id = match sign_in(state, &auth, &endpoint, &user, now) {
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
    user: &SelectedUser,
    now: bearward::Timestamp,
) -> Result<Uuid, AuthApiError> {
    match state
        .user_by_email(&user.email)
        .filter(|user| user.is_confirmed())
    {
        Some(user) if user.banned => Err(AuthApiError::new(403, "user_banned", "User is banned")),
        Some(user) => Ok(user.id),
        None => {
            let SelectedUser { email, name } = user;
            let profile = Profile::new(Provider::Google, endpoint.base(), email, name);
            auth.sign_in(state, &profile, now)
        }
    }
}

fn approval_page<'a>(authorization: &'a Authorization, client: &str) -> ConsentPage<'a> {
    let request = html! {
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
    };
    ConsentPage {
        title: format!("Allow {client}?"),
        path: page_path(authorization.id),
        request,
        user_label: "Allow as ",
        continue_label: "Allow",
        csrf_token: &authorization.csrf_token,
        redirect: &authorization.redirect,
    }
}

fn page_path(id: Uuid) -> String {
    format!("{APPROVAL_PATH}/{id}")
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
