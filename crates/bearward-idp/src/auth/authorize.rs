//! `GET /authorize` and `GET /callback`: redirects to the provider's consent page, and back to the
//! app.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Query},
};
use bearward_testing::endpoint::{ISSUER_PATH, JwksEndpoint};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    error::AuthApiError,
    flow::{ConsentRequest, Flow, FlowStage, PkceChallenge},
    profile::{Profile, Provider},
    random, redirect_response,
    service::AuthService,
    token_response::TokenResponse,
};

/// Path of the consent pages.
pub(crate) const CONSENT_PATH: &str = "/.consent";

#[derive(Deserialize)]
pub(crate) struct AuthorizeQuery {
    provider: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    access_type: Option<String>,
}

/// The provider's response (RFC 6749 §4.1.2).
#[derive(Deserialize)]
pub(crate) struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

pub(crate) async fn authorize(
    request: HttpRequest,
    auth: Data<AuthService>,
    query: Query<AuthorizeQuery>,
) -> Result<HttpResponse, AuthApiError> {
    let provider = query.provider.as_deref().and_then(Provider::parse);
    let provider = provider.ok_or(AuthApiError::invalid(
        "Unsupported provider: must be google or github",
    ))?;
    let challenge = PkceChallenge::parse(
        query.code_challenge.as_deref(),
        query.code_challenge_method.as_deref(),
    )?;
    let redirect = auth.redirects.select(&request);
    let offline = query.access_type.as_deref() == Some("offline");
    let csrf_token = random::secret::<32>();
    let id = auth
        .update(|state, now| {
            let consent = ConsentRequest {
                provider,
                redirect,
                csrf_token,
                offline,
                selected: None,
            };
            let flow = Flow::new(challenge, FlowStage::AwaitingConsent(consent), now);
            let id = flow.id;
            state.start_flow(flow, now);
            Ok(id)
        })
        .await?;
    // A relative address keeps the host name that the browser used.
    Ok(redirect_response::redirect(
        StatusCode::FOUND,
        &format!("{CONSENT_PATH}/{id}"),
    ))
}

/// Returns the path and query of the callback, with `code` or `error` as the outcome.
pub(crate) fn callback_address(state: Uuid, outcome: (&str, &str)) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("state", &state.to_string())
        .append_pair(outcome.0, outcome.1);
    format!("{ISSUER_PATH}/callback?{}", query.finish())
}

pub(crate) async fn callback(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    query: Query<CallbackQuery>,
) -> Result<HttpResponse, AuthApiError> {
    let outcome = auth
        .update(|state, now| {
            let redirect_to_site = |error: &AuthApiError| {
                redirect_response::with_error(auth.redirects.site().clone(), error, true)
            };
            let flow_id = match parse_state(query.state.as_deref()) {
                Ok(flow_id) => flow_id,
                Err(error) => return Ok(redirect_to_site(&error)),
            };
            let Some(flow) = state.take_flow(flow_id) else {
                return Ok(redirect_to_site(&bad_state(
                    "OAuth state not found or expired",
                )));
            };
            let is_expired = flow.is_expired(now);
            let Flow {
                challenge,
                stage: FlowStage::AwaitingConsent(consent),
                ..
            } = flow
            else {
                // The issued code stays valid.
                state.start_flow(flow, now);
                let message = "State has already been used";
                let used = AuthApiError::new(400, "flow_state_already_used", message);
                return Ok(redirect_to_site(&used));
            };
            if is_expired {
                return Ok(redirect_to_site(&bad_state("OAuth state has expired")));
            }
            let ConsentRequest {
                redirect,
                offline,
                selected,
                ..
            } = consent;
            let rejected = |error: &AuthApiError| {
                Ok(redirect_response::with_error(redirect.clone(), error, true))
            };
            if query.error.is_some() {
                let denied = AuthApiError::OAuth("access_denied", "The user denied the request");
                return rejected(&denied);
            }
            let code = query.code.as_deref().unwrap_or_default();
            let Some((_, profile)) =
                selected.filter(|(expected, _)| random::constant_time_eq(code, expected))
            else {
                return rejected(&AuthApiError::new(
                    400,
                    "bad_oauth_callback",
                    "OAuth callback with an unknown authorization code",
                ));
            };
            let metadata = profile.metadata();
            let user_id = match state.sign_in_with_provider(
                &profile,
                metadata,
                !auth.options.disable_signup,
                now,
            ) {
                Ok(user_id) => user_id,
                Err(error) => return rejected(&error),
            };
            let (provider_token, provider_refresh_token) = provider_tokens(&profile, offline);
            if challenge.is_none() {
                let session_id = state.create_session(user_id, "oauth", now);
                let response = TokenResponse::new(state, session_id, &auth, &endpoint, now)?;
                return Ok(response
                    .with_provider_tokens(Some(provider_token), provider_refresh_token)
                    .into_redirect_url(redirect, None));
            }
            let code = Uuid::new_v4().to_string();
            let flow = Flow {
                id: flow_id,
                created_at: now.millis(),
                challenge,
                stage: FlowStage::CodeIssued {
                    code: code.clone(),
                    user_id,
                    method: "oauth".to_owned(),
                    provider_token: Some(provider_token),
                    provider_refresh_token,
                },
            };
            state.start_flow(flow, now);
            Ok(redirect_response::with_query(redirect, &[("code", &code)]))
        })
        .await?;
    Ok(redirect_response::redirect(
        StatusCode::FOUND,
        outcome.as_str(),
    ))
}

const fn bad_state(message: &'static str) -> AuthApiError {
    AuthApiError::new(400, "bad_oauth_state", message)
}

/// Parses the `state` parameter, which is the id of the flow.
fn parse_state(state: Option<&str>) -> Result<Uuid, AuthApiError> {
    match state {
        None | Some("") => Err(AuthApiError::new(
            400,
            "bad_oauth_callback",
            "OAuth state parameter missing",
        )),
        Some(text) => {
            Uuid::parse_str(text).map_err(|_| bad_state("OAuth state parameter is invalid"))
        }
    }
}

/// Returns opaque provider tokens that no API accepts.
fn provider_tokens(profile: &Profile, offline: bool) -> (String, Option<String>) {
    let make = |kind: &str| {
        format!(
            "{}-dev-{kind}-{}",
            profile.provider.name(),
            random::secret::<24>()
        )
    };
    // Only Google issues refresh tokens, and only with access_type=offline.
    (
        make("access"),
        (offline && profile.provider == Provider::Google).then(|| make("refresh")),
    )
}
