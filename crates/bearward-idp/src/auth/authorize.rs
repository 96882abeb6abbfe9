//! `GET /authorize` and `GET /callback`: redirects to the provider's consent page, and back to the
//! app.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Query},
};
use bearward_testing::endpoint::{ISSUER_PATH, JwksEndpoint};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{
    error::{AuthApiError, wants_code},
    flow::{ConsentRequest, Flow, FlowStage, PkceChallenge},
    profile::{Profile, Provider},
    random, redirect_response,
    service::AuthService,
    settings,
    token_response::TokenResponse,
};

/// Path of the consent pages.
pub(crate) const CONSENT_PATH: &str = "/.consent";

/// The description of a denial, as providers send it.
const DENIED: &str = "The user has denied your application access.";

#[derive(Deserialize)]
pub(crate) struct AuthorizeQuery {
    provider: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    access_type: Option<String>,
    pub(crate) skip_http_redirect: Option<String>,
}

/// The provider's response (RFC 6749 §4.1.2).
#[derive(Default, Deserialize)]
pub(crate) struct ProviderResponse {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// The redirect after the provider's response.
struct CallbackRedirect {
    status: StatusCode,
    address: Url,
    /// Why the response belongs to no flow.
    unknown_flow: Option<AuthApiError>,
}

pub(crate) async fn authorize(
    request: HttpRequest,
    auth: Data<AuthService>,
    query: Query<AuthorizeQuery>,
) -> Result<HttpResponse, AuthApiError> {
    let consent = start(&request, &auth, &query, None).await?;
    // A relative address keeps the host name that the browser used.
    Ok(redirect_response::redirect(StatusCode::FOUND, &consent))
}

/// Starts a sign-in, or links an identity to a user. Returns the path of the consent page.
///
/// # Errors
/// 400 `validation_failed` for an unsupported provider or an invalid PKCE challenge.
pub(crate) async fn start(
    request: &HttpRequest,
    auth: &AuthService,
    query: &AuthorizeQuery,
    link_to: Option<Uuid>,
) -> Result<String, AuthApiError> {
    let provider = parse_provider(query.provider.as_deref().unwrap_or_default())?;
    let challenge = PkceChallenge::parse(
        query.code_challenge.as_deref(),
        query.code_challenge_method.as_deref(),
    )?;
    let redirect = auth.redirects.select(request);
    let offline = query.access_type.as_deref() == Some("offline");
    let csrf_token = random::secret::<32>();
    let id = auth
        .update(|state, now| {
            let consent = ConsentRequest {
                provider,
                redirect,
                csrf_token,
                offline,
                link_to,
                selected: None,
            };
            let flow = Flow::new(challenge, FlowStage::AwaitingConsent(consent), now);
            let id = flow.id;
            state.start_flow(flow, now);
            Ok(id)
        })
        .await?;
    Ok(format!("{CONSENT_PATH}/{id}"))
}

/// Parses the name of a provider.
///
/// # Errors
/// 400 `validation_failed`: the hosted service does not know the provider, or this IdP does not
/// simulate it.
fn parse_provider(name: &str) -> Result<Provider, AuthApiError> {
    Provider::parse(name).ok_or_else(|| {
        if settings::is_unsupported_provider(name) {
            return AuthApiError::invalid("Unsupported provider: provider is not enabled");
        }
        let message = format!("Unsupported provider: Provider {name} could not be found");
        AuthApiError::Plain(400, "validation_failed", Cow::Owned(message))
    })
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
    response: Query<ProviderResponse>,
) -> Result<HttpResponse, AuthApiError> {
    let CallbackRedirect {
        status, address, ..
    } = finish(&auth, &endpoint, &response).await?;
    Ok(redirect_response::redirect(status, address.as_str()))
}

/// Receives the response as a form (OAuth 2.0 Form Post Response Mode), as Sign in with Apple sends
/// it. Another content type counts as an empty form.
pub(crate) async fn callback_form(
    request: HttpRequest,
    auth: Data<AuthService>,
    endpoint: Data<JwksEndpoint>,
    response: Option<Form<ProviderResponse>>,
) -> Result<HttpResponse, AuthApiError> {
    let response = response.map(Form::into_inner).unwrap_or_default();
    let CallbackRedirect {
        status,
        address,
        unknown_flow,
    } = finish(&auth, &endpoint, &response).await?;
    // As in the hosted service, the body has the error of an unknown flow, as text.
    let with_code = wants_code(request.headers());
    let body = unknown_flow.map(|error| error.body(with_code).to_string());
    let redirect = redirect_response::redirect(status, address.as_str());
    let mut redirect = redirect.set_body(body.unwrap_or_default());
    redirect.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    Ok(redirect.map_into_boxed_body())
}

/// Ends the flow that the provider's response belongs to.
async fn finish(
    auth: &AuthService,
    endpoint: &JwksEndpoint,
    response: &ProviderResponse,
) -> Result<CallbackRedirect, AuthApiError> {
    auth.update(|state, now| {
        let to_site = |error: AuthApiError| {
            let site = auth.redirects.site().clone();
            let mut address = redirect_response::with_error(site, &error, true);
            // Without a flow, the hosted service has the error only in the query.
            address.set_fragment(None);
            Ok(CallbackRedirect {
                status: StatusCode::SEE_OTHER,
                address,
                unknown_flow: Some(error),
            })
        };
        let to_app = |address: Url| {
            Ok(CallbackRedirect {
                status: StatusCode::FOUND,
                address,
                unknown_flow: None,
            })
        };
        let flow_id = match parse_state(response.state.as_deref()) {
            Ok(flow_id) => flow_id,
            Err(error) => return to_site(error),
        };
        let Some(flow) = state.take_flow(flow_id) else {
            return to_site(bad_state("OAuth state not found or expired"));
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
            return to_site(used);
        };
        if is_expired {
            return to_site(bad_state("OAuth state has expired"));
        }
        let ConsentRequest {
            redirect,
            offline,
            link_to,
            selected,
            ..
        } = consent;
        let rejected = |error: &AuthApiError| {
            to_app(redirect_response::with_error(redirect.clone(), error, true))
        };
        if response.error.is_some() {
            let denied = AuthApiError::oauth("access_denied", DENIED);
            return rejected(&denied);
        }
        let code = response.code.as_deref().unwrap_or_default();
        let Some((_, profile)) =
            selected.filter(|(expected, _)| random::constant_time_eq(code, expected))
        else {
            return rejected(&AuthApiError::new(
                400,
                "bad_oauth_callback",
                "OAuth callback with an unknown authorization code",
            ));
        };
        let signed_in = match link_to {
            Some(user_id) => state.link_identity(user_id, &profile, now),
            None => auth.sign_in(state, &profile, now),
        };
        let user_id = match signed_in {
            Ok(user_id) => user_id,
            Err(error) => return rejected(&error),
        };
        let (provider_token, provider_refresh_token) = provider_tokens(&profile, offline);
        if challenge.is_none() {
            let session_id = state.create_session(user_id, "oauth", now);
            let tokens = TokenResponse::new(state, session_id, auth, endpoint, now)?;
            let address = tokens
                .with_provider_tokens(Some(provider_token), provider_refresh_token)
                .into_redirect_url(redirect, None);
            return to_app(address);
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
        to_app(redirect_response::with_query(redirect, &[("code", &code)]))
    })
    .await
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
