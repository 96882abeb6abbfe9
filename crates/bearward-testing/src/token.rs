//! A builder for tokens of a [`MockIdp`](super::MockIdp).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bearward::{ClientCertificate, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    proof::ProofKey,
    signing::{KeyPair, Token, forge, hmac_sha256, tamper},
};

/// Builds a token. [`sign`](Self::sign) produces a valid one; the other finishing methods produce
/// invalid ones.
///
/// The default is an access token of Supabase Auth for one user, valid for an hour.
#[derive(Debug, Clone)]
pub struct TokenBuilder {
    key: KeyPair,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    now: Timestamp,
}

impl TokenBuilder {
    /// Creates a builder with the claims of a Supabase access token: valid for an hour, `role` and
    /// `aud` are `authenticated`, `aal` is `aal1`.
    pub fn new(issuer: &str, key: KeyPair, now: Timestamp) -> Self {
        let subject = "11111111-2222-4333-8444-555555555555";
        let claims = json!({
            "iss": issuer, "sub": subject, "aud": "authenticated", "exp": now.unix() + 3600, "iat": now.unix(),
            "email": "ada@example.com", "phone": "", "role": "authenticated", "aal": "aal1",
            "app_metadata": { "provider": "google", "providers": ["google"] },
            "user_metadata": { "email": "ada@example.com", "email_verified": true, "full_name": "Ada Example" },
            "amr": [{ "method": "oauth", "timestamp": now.unix() }],
            "session_id": session_of(subject), "is_anonymous": false,
        });
        let claims = claims.as_object().cloned().unwrap_or_default();
        Self {
            header: Token::header_for(&key),
            key,
            claims,
            now,
        }
    }

    /// Creates a builder for a logout token (`OpenID` Connect Back-Channel Logout 1.0 §2.4), valid for
    /// two minutes, with a `jti` that differs from others of this process. Add the claim `sid` or
    /// [`sub`](Self::sub), which say what has ended.
    pub fn logout(issuer: &str, key: KeyPair, now: Timestamp) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let claims = json!({
            "iss": issuer, "aud": "authenticated", "iat": now.unix(), "exp": now.unix() + 120,
            "jti": format!("logout-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let builder = Self {
            claims: claims.as_object().cloned().unwrap_or_default(),
            ..Self::new(issuer, key, now)
        };
        builder.header("typ", "logout+jwt")
    }

    /// Creates a builder with `iss`, `sub`, `aud` if there is one, `iat` and `exp` in an hour.
    pub(crate) fn with_registered_claims(
        issuer: &str,
        audience: Option<&str>,
        key: KeyPair,
        now: Timestamp,
    ) -> Self {
        let full = Self::new(issuer, key, now);
        let (iss, sub) = (issuer, full.claims["sub"].clone());
        let claims = json!({ "iss": iss, "sub": sub, "iat": now.unix(), "exp": now.unix() + 3600 });
        let builder = Self {
            claims: claims.as_object().cloned().unwrap_or_default(),
            ..full
        };
        match audience {
            Some(audience) => builder.audience(audience),
            None => builder,
        }
    }

    /// Sets `sub`, and a `session_id` that belongs to it unless the token has another one: sessions
    /// of different users are never the same.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it is the name of the claim")]
    pub fn sub(self, subject: &str) -> Self {
        let current = self
            .claims
            .get("sub")
            .and_then(Value::as_str)
            .map(session_of);
        let has_own_session = current.is_some()
            && self.claims.get("session_id").and_then(Value::as_str) == current.as_deref();
        let token = self.claim("sub", subject);
        if has_own_session {
            token.claim("session_id", session_of(subject))
        } else {
            token
        }
    }

    /// Sets `email` and `user_metadata.email`.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        if let Some(Value::Object(metadata)) = self.claims.get_mut("user_metadata") {
            metadata.insert("email".to_owned(), email.into());
        }
        self.claim("email", email)
    }

    /// Sets `app_metadata.roles` to one role.
    #[must_use]
    pub fn role(self, role: &str) -> Self {
        self.roles([role])
    }

    /// Sets `app_metadata.roles`.
    #[must_use]
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        let roles: Vec<&str> = roles.into_iter().collect();
        if let Some(Value::Object(metadata)) = self.claims.get_mut("app_metadata") {
            metadata.insert("roles".to_owned(), json!(roles));
        }
        self
    }

    /// Sets `scope`; separate several scopes with spaces.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Sets the assurance level `aal`, for example `aal2`.
    #[must_use]
    pub fn aal(self, level: &str) -> Self {
        self.claim("aal", level)
    }

    /// Binds the token to a key (`cnf.jkt`, RFC 9449 §6.1). It is then accepted only with a proof of
    /// that key.
    #[must_use]
    pub fn bound_to(self, key: &ProofKey) -> Self {
        self.confirmation_method("jkt", key.thumbprint())
    }

    /// Sets `iss`.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Sets `aud`.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `exp` relative to the clock of the IdP.
    #[must_use]
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let exp = self.now.plus(lifetime).unix();
        self.claim("exp", exp)
    }

    /// Sets `iat` to two hours ago and `exp` to one hour ago.
    #[must_use]
    pub fn expired(self) -> Self {
        let now = self.now.unix();
        self.claim("iat", now - 7200).claim("exp", now - 3600)
    }

    /// Sets any claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Binds the token to a client certificate in DER (RFC 8705 §3.1): sets `x5t#S256` of `cnf`.
    ///
    /// # Panics
    /// If the bytes are not one DER structure.
    #[must_use]
    pub fn bound_to_certificate(self, der: &[u8]) -> Self {
        let certificate = ClientCertificate::from_der(der).expect("a certificate in DER");
        self.confirmation_method("x5t#S256", certificate.thumbprint())
    }

    /// Adds a method to `cnf` (RFC 7800 §3.1).
    fn confirmation_method(self, name: &str, value: String) -> Self {
        let mut methods = self.claims.get("cnf").cloned().unwrap_or_else(|| json!({}));
        methods[name] = value.into();
        self.claim("cnf", methods)
    }

    /// Removes a claim.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets any header parameter.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a header parameter.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Sets `kid` in the header; the signing key is unchanged.
    #[must_use]
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// Sets the signing key and updates `alg` and `kid` in the header.
    #[must_use]
    pub fn key(mut self, key: KeyPair) -> Self {
        self.header.extend(Token::header_for(&key));
        self.key = key;
        self
    }

    /// Returns the claims.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Returns the header parameters.
    pub fn header_members(&self) -> &Map<String, Value> {
        &self.header
    }

    /// Signs the token.
    pub fn sign(self) -> String {
        Token::new(&self.header, &self.claims).sign(&self.key)
    }

    /// Signs the token and then changes one character of the subject.
    pub fn tampered(self) -> String {
        tamper(&self.sign())
    }

    /// Signs the token with a foreign key under the issuer's key id.
    pub fn signed_by_stranger(self) -> String {
        let foreign_key = KeyPair::foreign_key(&self.key);
        Token::new(&self.header, &self.claims).sign(&foreign_key)
    }

    /// Produces a token with `alg: none` and an empty signature (RFC 7518 §3.6).
    pub fn alg_none(self) -> String {
        self.header("alg", "none").unsigned()
    }

    /// Signs with HS256 and the PEM of the public key as the secret (CVE-2015-9235).
    pub fn hmac_with_public_key(self) -> String {
        let (_, pem) = self.key.public_encodings().swap_remove(0);
        self.header("alg", "HS256").sign_hmac(&pem)
    }

    /// Signs with HMAC-SHA256 and `secret`; the header is unchanged.
    pub fn sign_hmac(self, secret: &[u8]) -> String {
        Token::new(&self.header, &self.claims).sign_hmac(secret)
    }

    /// Produces a token with an empty signature; the header is unchanged.
    pub fn unsigned(self) -> String {
        Token::new(&self.header, &self.claims).unsigned()
    }

    /// Produces a forged token of one of the kinds in [`FORGERIES`](crate::signing::FORGERIES).
    /// Returns `None` for an unknown name.
    pub fn forged(self, name: &str) -> Option<String> {
        forge(name, &self.header, &self.claims, &self.key)
    }
}

/// Returns the id of the session of a subject, a UUID.
fn session_of(subject: &str) -> String {
    let hash = hmac_sha256(b"session", subject.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
