//! The index and the health document, for programs.

use actix_web::HttpResponse;
use bearward_testing::{Faults, endpoint::JwksEndpoint, signing::FORGERIES};
use serde_json::{Value, json};

/// The index as plain text: addresses, admin routes, forgeries and faults.
pub(crate) fn index_text(endpoint: &JwksEndpoint) -> HttpResponse {
    let text = format!(
        "bearward development IdP. FOR DEVELOPMENT ONLY: it issues tokens for any user without authentication.

issuer     {issuer}
keys       {jwks}
discovery  {issuer}/.well-known/openid-configuration

POST   /admin/tokens            {{\"claims\": {{..}}, \"header\": {{..}}, \"expires_in\": 3600, \"forge\": \"tampered\"}}, all optional;
                                \"replace\": true takes exactly these claims and header members;
                                null removes a claim; a negative lifetime creates an expired token
GET    /admin/keys              lists the published keys and their states
POST   /admin/keys/rotate       signs with a new key and keeps the old one published; optional {{\"algorithm\": \"ES256\"}}
POST   /admin/keys/standby      publishes the key that the next rotation will use
POST   /admin/keys/KID/revoke   removes a key from the key set
PUT    /admin/faults            makes the JWKS endpoint fail, for example {{\"status\": 503}}; GET shows the faults, DELETE clears them
GET    /admin/sessions          lists the active sessions; DELETE /admin/sessions/ID ends one
POST   /admin/explain           {{\"token\": \"..\"}}: explains how the API of `bearward dev` verifies it; GET /admin/api shows its key cache
GET    /admin/users             lists the users; PATCH /admin/users/ID {{\"app_metadata\": {{\"roles\": [\"admin\"]}}, \"banned\": true}}; DELETE removes a user
PUT    /admin/clock             {{\"ahead_seconds\": 301}}: moves the IdP's clock ahead, to test expiry; 0 resets it
PUT    /admin/rate-limit        {{\"reached\": true}}: answers sign-in requests with 429, as the hosted service does over its limits
PUT    /admin/completions       {{\"failure\": \"rate_limit\"}}: how the stand-in for the completions service fails; null: it answers
GET    /admin/events            server-sent events: the requests of the API, the inbox, changes of users and sessions
GET    /admin/connect           the addresses and names that an app or a server needs
PUT    /admin/backchannel-logout {{\"enabled\": false}}: sends no logout tokens; GET shows where they are sent, and the last ones
GET    /.inbox                  lists the captured mails; their links work; DELETE removes them
POST   /google/credential       {{\"email\": \"ada@example.com\"}}: issues an ID token of the fake Google, issuer {base}/google
GET    /health

The API that supabase-js calls is under {issuer}: createClient(\"{base}\", \"any-key\")
The OAuth 2.1 server for clients of third parties, such as MCP clients: {issuer}/.well-known/oauth-authorization-server

forgeries  {forgeries}
faults     {faults}

curl -X POST {base}/admin/tokens -H 'content-type: application/json' -d '{{\"forge\": \"tampered\"}}'
curl -X PUT {base}/admin/faults -H 'content-type: application/json' -d '{{\"status\": 503, \"times\": 3}}'
",
        forgeries = FORGERIES.join(" "),
        faults = fault_names().join(" "),
        base = endpoint.base(),
        issuer = endpoint.issuer(),
        jwks = endpoint.jwks_url()
    );
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

pub(crate) async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": "bearward development IdP",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "for development only",
    }))
}

fn fault_names() -> Vec<String> {
    match serde_json::to_value(Faults::default()) {
        Ok(Value::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
