//! Tokens of a [`MockIdp`](super::MockIdp): a Supabase access token unless told otherwise.

use std::time::Duration;

use bearward::Timestamp;
use serde_json::{Map, Value, json};

use crate::signing::{KeyPair, Token, forge, tamper};

/// A token in the making. `sign` ends it rightly, the other endings wrongly on purpose.
#[derive(Debug, Clone)]
pub struct TokenBuilder {
    key: KeyPair,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    now: Timestamp,
}

impl TokenBuilder {
    /// A user's access token as the hosted IdP makes it: an hour long, `role` and `aud`
    /// `authenticated`, `aal1`.
    pub fn new(issuer: &str, key: KeyPair, now: Timestamp) -> Self {
        let subject = "11111111-2222-4333-8444-555555555555";
        let claims = json!({
            "iss": issuer, "sub": subject, "aud": "authenticated", "exp": now.unix() + 3600, "iat": now.unix(),
            "email": "ada@example.com", "phone": "", "role": "authenticated", "aal": "aal1",
            "app_metadata": { "provider": "google", "providers": ["google"] },
            "user_metadata": { "email": "ada@example.com", "email_verified": true, "full_name": "Ada Example" },
            "amr": [{ "method": "oauth", "timestamp": now.unix() }],
            "session_id": "0f0e0d0c-0b0a-4908-8706-050403020100", "is_anonymous": false,
        });
        let claims = claims.as_object().cloned().unwrap_or_default();
        Self {
            header: Token::header_of(&key),
            key,
            claims,
            now,
        }
    }

    /// `sub`.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it is the name of the claim")]
    pub fn sub(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// `email`, in the claims and in the user's metadata.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        if let Some(Value::Object(metadata)) = self.claims.get_mut("user_metadata") {
            metadata.insert("email".to_owned(), email.into());
        }
        self.claim("email", email)
    }

    /// One application role, `/app_metadata/roles`.
    #[must_use]
    pub fn role(self, role: &str) -> Self {
        self.roles([role])
    }

    /// The application roles, `/app_metadata/roles`.
    #[must_use]
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        let roles: Vec<&str> = roles.into_iter().collect();
        if let Some(Value::Object(metadata)) = self.claims.get_mut("app_metadata") {
            metadata.insert("roles".to_owned(), json!(roles));
        }
        self
    }

    /// `scope`: several are separated by spaces.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// `aal`, for example `aal2`.
    #[must_use]
    pub fn aal(self, level: &str) -> Self {
        self.claim("aal", level)
    }

    /// `iss`.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// `aud`.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// `exp`, counted from the IdP's clock.
    #[must_use]
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let exp = self.now.plus(lifetime).unix();
        self.claim("exp", exp)
    }

    /// Issued two hours ago, expired one hour ago.
    #[must_use]
    pub fn expired(self) -> Self {
        let now = self.now.unix();
        self.claim("iat", now - 7200).claim("exp", now - 3600)
    }

    /// Any claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Without that claim.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Any member of the header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Without that member of the header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// `kid`, whichever key signs.
    #[must_use]
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Signed by another key than the one in use; the header follows.
    #[must_use]
    pub fn key(mut self, key: KeyPair) -> Self {
        self.header.extend(Token::header_of(&key));
        self.key = key;
        self
    }

    /// The claims as they stand.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The header as it stands.
    pub fn header_members(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The token, signed.
    pub fn sign(self) -> String {
        Token::new(&self.header, &self.claims).sign(&self.key)
    }

    /// Signed, and then changed by one character of the subject.
    pub fn tampered(self) -> String {
        tamper(&self.sign())
    }

    /// Signed by a key of somebody else, under this issuer's kid.
    pub fn signed_by_stranger(self) -> String {
        let stranger = KeyPair::foreign_key(&self.key);
        Token::new(&self.header, &self.claims).sign(&stranger)
    }

    /// `alg: none` and an empty signature (RFC 7518 §3.6).
    pub fn alg_none(self) -> String {
        self.header("alg", "none").unsigned()
    }

    /// HS256 with the public key's PEM as the secret (CVE-2015-9235).
    pub fn hmac_with_public_key(self) -> String {
        let (_, pem) = self.key.public_encodings().swap_remove(0);
        self.header("alg", "HS256").sign_hmac(&pem)
    }

    /// HMAC-SHA256 of any secret, whatever the header says.
    pub fn sign_hmac(self, secret: &[u8]) -> String {
        Token::new(&self.header, &self.claims).sign_hmac(secret)
    }

    /// Without a signature, whatever the header says.
    pub fn unsigned(self) -> String {
        Token::new(&self.header, &self.claims).unsigned()
    }

    /// One of [`FORGERIES`](crate::signing::FORGERIES) by name.
    pub fn forged(self, name: &str) -> Option<String> {
        forge(name, &self.header, &self.claims, &self.key)
    }
}
