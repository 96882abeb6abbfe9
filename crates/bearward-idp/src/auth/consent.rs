//! The consent page, in place of Google's and GitHub's: chooses the user who signs in.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use bearward_testing::endpoint::JwksEndpoint;
use maud::html;
use uuid::Uuid;

use super::{
    authorize::{CONSENT_PATH, callback_address},
    consent_form::{ConsentForm, ConsentPage, invalid_email},
    flow::{ConsentRequest, Flow, FlowStage},
    form_origin,
    html::page,
    profile::Profile,
    random, redirect_response,
    service::AuthService,
};

pub(crate) async fn show(auth: Data<AuthService>, id: Path<String>) -> HttpResponse {
    let shown = auth.read(|state, now| {
        let id = Uuid::parse_str(&id).ok()?;
        let Flow {
            stage: FlowStage::AwaitingConsent(consent),
            ..
        } = state.flow(id).filter(|flow| !flow.is_expired(now))?
        else {
            return None;
        };
        Some(consent_page(id, consent).render(state))
    });
    shown.await.unwrap_or_else(flow_not_found)
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
        let user = choice.user(state);
        let Some(flow) = state.flow_mut(id).filter(|flow| !flow.is_expired(now)) else {
            return Ok(flow_not_found());
        };
        let FlowStage::AwaitingConsent(consent) = &mut flow.stage else {
            return Ok(flow_not_found());
        };
        if !choice.is_from_page(&request, &consent.csrf_token) {
            return Ok(form_origin::rejected());
        }
        if choice.is_denied() {
            return Ok(redirect_response::redirect(
                StatusCode::SEE_OTHER,
                &callback_address(id, ("error", "access_denied")),
            ));
        }
        let Some(user) = user else {
            return Ok(invalid_email(&page_path(id)));
        };
        let profile = Profile::new(consent.provider, endpoint.base(), &user.email, &user.name);
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

fn consent_page(id: Uuid, consent: &ConsentRequest) -> ConsentPage<'_> {
    let redirect = &consent.redirect;
    let app = redirect.host_str().unwrap_or(redirect.scheme());
    ConsentPage {
        title: format!("Sign in with {}", consent.provider.title()),
        path: page_path(id),
        request: html! { p { "to continue to " strong #app { (app) } } },
        user_label: "",
        continue_label: "Continue",
        csrf_token: &consent.csrf_token,
        redirect,
    }
}

fn page_path(id: Uuid) -> String {
    format!("{CONSENT_PATH}/{id}")
}

fn flow_not_found() -> HttpResponse {
    let body = html! {
        p { "This sign-in does not exist or has expired. Go back to the app and start again." }
    };
    page(StatusCode::NOT_FOUND, "Sign-in not found", &body, "'none'")
}
