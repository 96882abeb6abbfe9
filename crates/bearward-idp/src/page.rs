//! What the development IdP says of itself to programs.

use actix_web::HttpResponse;
use bearward_testing::{Faults, endpoint::JwksEndpoint, signing::FORGERIES};
use serde_json::{Value, json};

pub(super) fn listed(endpoint: &JwksEndpoint) -> HttpResponse {
    let text = format!(
        "bearward's development IdP. FOR DEVELOPMENT ONLY: it mints tokens for anybody who asks.

issuer     {issuer}
keys       {jwks}
discovery  {issuer}/.well-known/openid-configuration

POST   /admin/tokens            {{\"claims\": {{..}}, \"header\": {{..}}, \"expires_in\": 3600, \"forge\": \"tampered\"}}, all optional;
                                null leaves a claim out, a negative lifetime has ended
GET    /admin/keys              the published keys and their states
POST   /admin/keys/rotate       {{\"algorithm\": \"ES256\"}}, optional: a new key signs, the old one stays published
POST   /admin/keys/standby      publishes the key that the next rotation will use
POST   /admin/keys/KID/revoke   withdraws a key
PUT    /admin/faults            {{\"status\": 503}} and the like, of the key endpoint; GET shows, DELETE ends them
GET    /admin/sessions          who is signed in
POST   /admin/explain           {{\"token\": \"..\"}}: what the API of `bearward dev` says of it; GET /admin/api shows its key cache
GET    /admin/users             who is known; PATCH /admin/users/ID {{\"app_metadata\": {{\"roles\": [\"admin\"]}}, \"banned\": true}}; DELETE takes somebody out
PUT    /admin/clock             {{\"ahead_seconds\": 301}}: sign-ins, codes and sessions age; 0 puts it back
GET    /.inbox                  the mails that it would have sent, with links that work; DELETE empties it
POST   /google/credential       {{\"email\": \"ada@example.com\"}}: an ID token of the fake Google, issuer {base}/google
GET    /health

Everything that supabase-js asks of Supabase Auth is under {issuer}: createClient(\"{base}\", \"any-key\")

forgeries  {forgeries}
faults     {faults}

curl -X POST {base}/admin/tokens -H 'content-type: application/json' -d '{{\"forge\": \"tampered\"}}'
curl -X PUT {base}/admin/faults -H 'content-type: application/json' -d '{{\"status\": 503, \"times\": 3}}'
",
        forgeries = FORGERIES.join(" "),
        faults = members_of_faults().join(" "),
        base = endpoint.base(),
        issuer = endpoint.issuer(),
        jwks = endpoint.jwks_url()
    );
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(text)
}

pub(super) async fn health() -> HttpResponse {
    let about = json!({ "name": "bearward development IdP", "version": env!("CARGO_PKG_VERSION"), "description": "for development only" });
    HttpResponse::Ok().json(about)
}

fn members_of_faults() -> Vec<String> {
    match serde_json::to_value(Faults::default()) {
        Ok(Value::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
