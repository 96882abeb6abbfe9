//! A session as the clients get it: in a body, or behind the `#` of an address.

use actix_web::HttpResponse;
use bearward::Timestamp;
use bearward_testing::{endpoint::JwksEndpoint, signing::Token};
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::{
    auth_state::AuthState, error::AuthApiError, service::AuthService, session::Session, user::User,
};

/// What somebody gets who has signed in.
pub(super) struct TokenResponse {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
    expires_at: i64,
    user: Value,
    provider_token: Option<String>,
    provider_refresh_token: Option<String>,
}

impl TokenResponse {
    /// # Errors
    /// 400 `session_not_found` where the session or its person is gone.
    pub(super) fn of(
        world: &AuthState,
        session: Uuid,
        auth: &AuthService,
        endpoint: &JwksEndpoint,
        now: Timestamp,
    ) -> Result<Self, AuthApiError> {
        let both = world
            .session(session)
            .and_then(|session| Some((session, world.person(session.person)?)));
        let (session, person) = both.ok_or(AuthApiError::new(
            400,
            "session_not_found",
            "The session is gone",
        ))?;
        let expires_in = auth.options.token_lifetime.as_secs();
        let expires_at = now.plus(auth.options.token_lifetime).unix();
        Ok(Self {
            access_token: access_token(person, session, endpoint, now, expires_at),
            refresh_token: session.refresh_token(),
            expires_in,
            expires_at,
            user: person.json(),
            provider_token: None,
            provider_refresh_token: None,
        })
    }

    pub(super) fn with_provider_tokens(
        mut self,
        token: Option<String>,
        refresh_token: Option<String>,
    ) -> Self {
        (self.provider_token, self.provider_refresh_token) = (token, refresh_token);
        self
    }

    /// The body of a token response (RFC 6749 §5.1), which nobody may store.
    pub(super) fn response(self) -> HttpResponse {
        let mut body = json!({
            "access_token": self.access_token, "token_type": "bearer", "expires_in": self.expires_in, "expires_at": self.expires_at,
            "refresh_token": self.refresh_token, "user": self.user,
        });
        if let Value::Object(body) = &mut body {
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

    /// The address of the implicit flow.
    pub(super) fn address(self, mut redirect: Url, kind: Option<&str>) -> Url {
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

/// The claims of a hosted project's access token.
fn access_token(
    person: &User,
    session: &Session,
    endpoint: &JwksEndpoint,
    now: Timestamp,
    expires_at: i64,
) -> String {
    let claims = json!({
        "iss": endpoint.issuer(), "sub": person.id, "aud": "authenticated", "exp": expires_at, "iat": now.unix(),
        "email": person.email, "phone": "", "app_metadata": person.app_metadata, "user_metadata": person.user_metadata,
        "role": "authenticated", "aal": "aal1", "amr": session.methods(), "session_id": session.id,
        "is_anonymous": person.is_anonymous,
    });
    let key = endpoint.ring().current().clone();
    Token::new(&Token::header_of(&key), &object(claims)).sign(&key)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
