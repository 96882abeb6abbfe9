//! ID tokens and the claims of a user that a scope releases (OpenID Connect Core §2 and §5.4).

use bearward::Timestamp;
use bearward_testing::{endpoint::JwksEndpoint, signing::Token};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::scope;
use crate::auth::{session::Session, user::User};

/// What an ID token says.
pub(crate) struct IdTokenRequest<'r> {
    pub(crate) user: &'r User,
    pub(crate) session: &'r Session,
    pub(crate) client_id: Uuid,
    pub(crate) scope: &'r str,
    pub(crate) nonce: Option<&'r str>,
}

/// Signs an ID token. Its audience is the client, so a resource server rejects it.
pub(crate) fn id_token(
    request: &IdTokenRequest<'_>,
    endpoint: &JwksEndpoint,
    now: Timestamp,
    expires_at: i64,
) -> String {
    let auth_time = Timestamp::from_millis(request.session.created_at()).unix();
    let mut claims = user_claims(request.user, request.scope);
    let registered = [
        ("iss", json!(endpoint.issuer())),
        ("aud", json!(request.client_id)),
        ("exp", json!(expires_at)),
        ("iat", json!(now.unix())),
        ("auth_time", json!(auth_time)),
    ];
    claims.extend(registered.map(|(name, value)| (name.to_owned(), value)));
    if let Some(nonce) = request.nonce {
        claims.insert("nonce".to_owned(), nonce.into());
    }
    let key = endpoint.ring().current().clone();
    Token::new(&Token::header_for(&key), &claims).sign(&key)
}

/// Returns `sub` and the claims that the scopes `email` and `profile` release.
pub(crate) fn user_claims(user: &User, scopes: &str) -> Map<String, Value> {
    let mut claims = Map::from_iter([("sub".to_owned(), json!(user.id))]);
    if scope::contains(scopes, "email") && !user.email.is_empty() {
        claims.insert("email".to_owned(), user.email.clone().into());
        claims.insert("email_verified".to_owned(), user.is_confirmed().into());
    }
    if scope::contains(scopes, "profile") {
        claims.insert("name".to_owned(), user.name().into());
        let picture = ["picture", "avatar_url"]
            .into_iter()
            .find_map(|name| user.user_metadata.get(name));
        if let Some(picture) = picture {
            claims.insert("picture".to_owned(), picture.clone());
        }
        let updated_at = Timestamp::from_millis(user.updated_at).unix();
        claims.insert("updated_at".to_owned(), updated_at.into());
        claims.insert(
            "user_metadata".to_owned(),
            user.user_metadata.clone().into(),
        );
    }
    claims
}
