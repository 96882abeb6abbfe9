//! `GET /authorize` and `GET /callback`: to the provider's page, and back from it to the app.

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
    flow::{AtProvider, Flow, PkceChallenge, Stage},
    profile::{Profile, Provider},
    random, redirect_response,
    service::AuthService,
    token_response::TokenResponse,
};

/// Where the provider's page is.
pub(super) const CONSENT_PATH: &str = "/.consent";

#[derive(Deserialize)]
pub(super) struct Request {
    provider: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    access_type: Option<String>,
}

/// What the provider's page sends back (RFC 6749 §4.1.2).
#[derive(Deserialize)]
pub(super) struct Returned {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

pub(super) async fn authorize(
    request: HttpRequest,
    auth: Data<AuthService>,
    query: Query<Request>,
) -> Result<HttpResponse, AuthApiError> {
    let provider = query.provider.as_deref().and_then(Provider::parse);
    let provider = provider.ok_or(AuthApiError::invalid(
        "Unsupported provider: this IdP plays google and github",
    ))?;
    let challenge = PkceChallenge::read(
        query.code_challenge.as_deref(),
        query.code_challenge_method.as_deref(),
    )?;
    let redirect = auth.redirects.chosen(&request);
    let offline = query.access_type.as_deref() == Some("offline");
    let ticket = random::secret::<32>();
    let id = auth
        .change(|world, now| {
            let at_provider = AtProvider {
                provider,
                redirect,
                ticket,
                offline,
                picked: None,
            };
            let flow = Flow::new(challenge, Stage::AtProvider(at_provider), now);
            let id = flow.id;
            world.begin(flow, now);
            Ok(id)
        })
        .await?;
    // Without a host: the browser stays at the name by which it came.
    Ok(redirect_response::to(
        StatusCode::FOUND,
        &format!("{CONSENT_PATH}/{id}"),
    ))
}

/// Where the provider's page sends the browser.
pub(super) fn callback_address(state: Uuid, outcome: (&str, &str)) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("state", &state.to_string())
        .append_pair(outcome.0, outcome.1);
    format!("{ISSUER_PATH}/callback?{}", query.finish())
}

pub(super) async fn callback(
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    returned: Query<Returned>,
) -> Result<HttpResponse, AuthApiError> {
    let outcome = auth
        .change(|world, now| {
            let state = match returned.state.as_deref() {
                None | Some("") => Err(AuthApiError::new(
                    400,
                    "bad_oauth_callback",
                    "OAuth state parameter missing",
                )),
                Some(text) => Uuid::parse_str(text).map_err(|_| {
                    AuthApiError::new(400, "bad_oauth_state", "OAuth state parameter is invalid")
                }),
            };
            let at_site = |fault: &AuthApiError| {
                redirect_response::with_fault(auth.redirects.site().clone(), fault, true)
            };
            let state = match state {
                Ok(state) => state,
                Err(fault) => return Ok(at_site(&fault)),
            };
            let unknown =
                AuthApiError::new(400, "bad_oauth_state", "OAuth state not found or expired");
            let Some(flow) = world.take_flow(state) else {
                return Ok(at_site(&unknown));
            };
            let is_expired = flow.is_expired(now);
            let Flow {
                challenge,
                stage: Stage::AtProvider(at_provider),
                ..
            } = flow
            else {
                // The code that waits for its exchange goes on waiting.
                world.begin(flow, now);
                let used = AuthApiError::new(
                    400,
                    "flow_state_already_used",
                    "State has already been used",
                );
                return Ok(at_site(&used));
            };
            if is_expired {
                return Ok(at_site(&AuthApiError::new(
                    400,
                    "bad_oauth_state",
                    "OAuth state has expired",
                )));
            }
            let AtProvider {
                redirect,
                offline,
                picked,
                ..
            } = at_provider;
            let refused = |fault: &AuthApiError| {
                Ok(redirect_response::with_fault(redirect.clone(), fault, true))
            };
            if returned.error.is_some() {
                return refused(&AuthApiError::OAuth(
                    "access_denied",
                    "The user denied the request",
                ));
            }
            let code = returned.code.as_deref().unwrap_or_default();
            let Some((_, profile)) = picked.filter(|(expected, _)| random::same(code, expected))
            else {
                return refused(&AuthApiError::new(
                    400,
                    "bad_oauth_callback",
                    "OAuth callback with an unknown authorization code",
                ));
            };
            let metadata = profile.metadata();
            let person = match world.arrive(&profile, metadata, !auth.options.disable_signup, now) {
                Ok(person) => person,
                Err(fault) => return refused(&fault),
            };
            let (provider_token, provider_refresh_token) = provider_tokens(&profile, offline);
            if challenge.is_none() {
                let session = world.open_session(person, "oauth", now);
                let answer = TokenResponse::of(world, session, &auth, &endpoint, now)?;
                return Ok(answer
                    .with_provider_tokens(Some(provider_token), provider_refresh_token)
                    .address(redirect, None));
            }
            let code = Uuid::new_v4().to_string();
            let waiting = Stage::Code {
                code: code.clone(),
                person,
                method: "oauth".to_owned(),
                provider_token: Some(provider_token),
                provider_refresh_token,
            };
            world.begin(
                Flow {
                    id: state,
                    created_at: now.millis(),
                    challenge,
                    stage: waiting,
                },
                now,
            );
            Ok(redirect_response::with_query(redirect, &[("code", &code)]))
        })
        .await?;
    Ok(redirect_response::to(StatusCode::FOUND, outcome.as_str()))
}

/// Opaque, and good for nothing: no provider stands behind them.
fn provider_tokens(profile: &Profile, offline: bool) -> (String, Option<String>) {
    let make = |kind: &str| {
        format!(
            "{}-dev-{kind}-{}",
            profile.provider.name(),
            random::secret::<24>()
        )
    };
    // Google alone has refresh tokens, for apps that ask for access_type=offline.
    (
        make("access"),
        (offline && profile.provider == Provider::Google).then(|| make("refresh")),
    )
}
