//! `GET /settings` and `GET /health` of the auth API.

use actix_web::{HttpResponse, web::Data};
use serde_json::{Map, Value, json};

use super::{profile::Provider, service::AuthService};

/// Providers that the hosted service lists and this IdP does not simulate.
const UNSUPPORTED_PROVIDERS: [&str; 22] = [
    "apple",
    "azure",
    "bitbucket",
    "discord",
    "facebook",
    "figma",
    "fly",
    "gitlab",
    "kakao",
    "keycloak",
    "linkedin",
    "linkedin_oidc",
    "notion",
    "phone",
    "slack",
    "slack_oidc",
    "snapchat",
    "spotify",
    "twitch",
    "twitter",
    "workos",
    "zoom",
];

/// Whether this is an OAuth provider of the hosted service that this IdP does not simulate.
pub(crate) fn is_unsupported_provider(name: &str) -> bool {
    name != "phone"
        && UNSUPPORTED_PROVIDERS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
}

pub(crate) async fn settings(auth: Data<AuthService>) -> HttpResponse {
    let mut external: Map<String, Value> = UNSUPPORTED_PROVIDERS
        .iter()
        .map(|name| ((*name).to_owned(), false.into()))
        .collect();
    external.extend(Provider::ALL.map(|provider| (provider.name().to_owned(), true.into())));
    external.insert("email".to_owned(), true.into());
    external.insert(
        "anonymous_users".to_owned(),
        (!auth.options.disable_anonymous).into(),
    );
    HttpResponse::Ok().json(json!({
        "external": external, "disable_signup": auth.options.disable_signup, "mailer_autoconfirm": !auth.options.confirm_email,
        "phone_autoconfirm": false, "sms_provider": "", "saml_enabled": false,
        "saml_private_key_next_configured": true, "passkeys_enabled": false,
    }))
}

pub(crate) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "version": concat!("bearward-", env!("CARGO_PKG_VERSION")), "name": "GoTrue",
        "description": "bearward development IdP, compatible with GoTrue. For development only",
    }))
}
