//! The tokens of a session, as a response body or in a URL fragment.

use actix_web::HttpResponse;
use bearward::{Timestamp, dpop::KeyThumbprint};
use bearward_testing::{endpoint::JwksEndpoint, signing::Token};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    error::AuthApiError, service::AuthService, session::Session, state::AuthState, user::User,
};

/// The result of a successful sign-in or refresh.
pub(crate) struct TokenResponse {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
    expires_at: i64,
    user: Value,
    provider_token: Option<String>,
    provider_refresh_token: Option<String>,
    has_password_strength: bool,
}

impl TokenResponse {
    /// Signs an access token for the session and combines it with the refresh token.
    ///
    /// # Errors
    /// 400 `session_not_found` if the session or its user does not exist.
    pub(crate) fn new(
        state: &AuthState,
        session_id: Uuid,
        auth: &AuthService,
        endpoint: &JwksEndpoint,
        now: Timestamp,
    ) -> Result<Self, AuthApiError> {
        let both = state
            .session(session_id)
            .and_then(|session| Some((session, state.user(session.user_id)?)));
        let (session, user) = both.ok_or(AuthApiError::new(
            400,
            "session_not_found",
            "The session does not exist",
        ))?;
        let expires_in = auth.options.token_lifetime.as_secs();
        let expires_at = now.plus(auth.options.token_lifetime).unix();
        Ok(Self {
            access_token: access_token(user, session, None, None, endpoint, now, expires_at),
            refresh_token: session.refresh_token(),
            expires_in,
            expires_at,
            user: user.json(),
            provider_token: None,
            provider_refresh_token: None,
            has_password_strength: false,
        })
    }

    pub(crate) fn with_provider_tokens(
        mut self,
        token: Option<String>,
        refresh_token: Option<String>,
    ) -> Self {
        (self.provider_token, self.provider_refresh_token) = (token, refresh_token);
        self
    }

    /// Marks the identities as verified. As in the hosted service, they are so in the answer to a
    /// sign-up that needs no confirmation, and not in later ones.
    pub(crate) fn with_verified_identities(mut self) -> Self {
        let identities = self.user.get_mut("identities");
        for identity in identities
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            identity["identity_data"]["email_verified"] = true.into();
        }
        self
    }

    /// Adds the member `weak_password`, which answers to a password have: no password that is accepted
    /// is weak.
    pub(crate) fn with_password_strength(mut self) -> Self {
        self.has_password_strength = true;
        self
    }

    /// Renders the response body (RFC 6749 §5.1), which must not be cached.
    pub(crate) fn into_response(self) -> HttpResponse {
        let mut body = json!({
            "access_token": self.access_token, "token_type": "bearer", "expires_in": self.expires_in, "expires_at": self.expires_at,
            "refresh_token": self.refresh_token, "user": self.user,
        });
        if let Value::Object(body) = &mut body {
            if self.has_password_strength {
                body.insert("weak_password".to_owned(), Value::Null);
            }
            let tokens = [
                ("provider_token", self.provider_token),
                ("provider_refresh_token", self.provider_refresh_token),
            ];
            body.extend(
                tokens
                    .into_iter()
                    .filter_map(|(name, token)| Some((name.to_owned(), token?.into()))),
            );
        }
        HttpResponse::Ok()
            .insert_header(("cache-control", "no-store"))
            .json(body)
    }

    /// Appends the tokens to the redirect URL as a fragment (implicit flow).
    pub(crate) fn into_redirect_url(self, mut redirect: Url, kind: Option<&str>) -> Url {
        let mut fragment = url::form_urlencoded::Serializer::new(String::new());
        fragment.append_pair("access_token", &self.access_token);
        fragment.append_pair("expires_at", &self.expires_at.to_string());
        fragment.append_pair("expires_in", &self.expires_in.to_string());
        for (name, token) in [
            ("provider_refresh_token", self.provider_refresh_token),
            ("provider_token", self.provider_token),
        ] {
            if let Some(token) = token {
                fragment.append_pair(name, &token);
            }
        }
        fragment
            .append_pair("refresh_token", &self.refresh_token)
            .append_pair("sb", "")
            .append_pair("token_type", "bearer");
        if let Some(kind) = kind {
            fragment.append_pair("type", kind);
        }
        redirect.set_fragment(Some(&fragment.finish()));
        redirect
    }
}

/// Signs an access token with the claims of a hosted project. A token of an OAuth client also has
/// `client_id` and `scope`, and the resource as its audience. `bound_key` binds it to a key (RFC 9449
/// §6.1).
pub(crate) fn access_token(
    user: &User,
    session: &Session,
    scope: Option<&str>,
    bound_key: Option<KeyThumbprint>,
    endpoint: &JwksEndpoint,
    now: Timestamp,
    expires_at: i64,
) -> String {
    let resource = session
        .client
        .as_ref()
        .and_then(|grant| grant.resource.as_deref());
    let mut claims = json!({
        "iss": endpoint.issuer(), "sub": user.id, "aud": resource.unwrap_or("authenticated"), "exp": expires_at, "iat": now.unix(),
        "email": user.email, "phone": "", "app_metadata": user.app_metadata, "user_metadata": user.user_metadata,
        "role": "authenticated", "aal": session.aal(), "amr": session.amr(), "session_id": session.id,
        "is_anonymous": user.is_anonymous,
    });
    if let Some(client_id) = session.client_id() {
        claims["client_id"] = json!(client_id);
        claims["scope"] = json!(scope);
    }
    if let Some(key) = bound_key {
        claims["cnf"] = json!({ "jkt": key.to_string() });
    }
    let key = endpoint.ring().current().clone();
    Token::new(&Token::header_for(&key), &object(claims)).sign(&key)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
