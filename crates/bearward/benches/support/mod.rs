//! Tokens and verifiers for benchmarks: one RSA-2048 key, and claims of about 1 KB like those of a
//! hosted Supabase project.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::missing_panics_doc
)]

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64_simd::URL_SAFE_NO_PAD;
use bearward::{Bearward, ClaimValue, Issuer, KeySource, Revocation, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

pub const ISSUER: &str = "https://abcdefghijklmnopqrst.supabase.co/auth/v1";
const KID: &str = "5f0c2b8e-6a53-4a9f-9df1-0c1f0e6d2b11";

/// A signing key with its JWKS.
pub struct TokenFixture {
    pair: KeyPair,
    signing: EncodingKey,
    jwks: String,
}

impl TokenFixture {
    pub fn new() -> Self {
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let (n, e) = (
            URL_SAFE_NO_PAD.encode_to_string(&public.n),
            URL_SAFE_NO_PAD.encode_to_string(&public.e),
        );
        let key = json!({"kty": "RSA", "kid": KID, "alg": "RS256", "use": "sig", "key_ops": ["verify"], "n": n, "e": e});
        Self {
            signing: encoding_key(&pair),
            pair,
            jwks: json!({ "keys": [key] }).to_string(),
        }
    }

    /// Returns the JWKS with the public key.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// Returns a token of about 1 KB for user `n`.
    pub fn token(&self, n: usize) -> String {
        self.token_with_kid(n, KID)
    }

    /// Returns the same token with another `kid`.
    pub fn token_with_kid(&self, n: usize, kid: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let claims = json!({
            "iss": ISSUER, "sub": format!("11111111-2222-4333-8444-{n:012}"), "aud": "authenticated", "exp": now + 86_400, "iat": now,
            "email": format!("user{n}@example.com"), "phone": "",
            "app_metadata": {"provider": "google", "providers": ["google"], "roles": ["editor"]},
            "user_metadata": {"email": format!("user{n}@example.com"), "email_verified": true, "full_name": "Some Body",
                "picture": "https://lh3.googleusercontent.com/a/default-user=s96-c", "provider_id": "108000000000000000000"},
            "role": "authenticated", "aal": "aal1", "amr": [{"method": "oauth", "timestamp": now}],
            "session_id": "0f0e0d0c-0b0a-4908-8706-050403020100", "is_anonymous": false,
        });
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, &claims, &self.signing).unwrap()
    }

    /// Returns the parsed public key for a plain aws-lc-rs signature check, the baseline.
    pub fn parsed(&self) -> ParsedPublicKey {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        public
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .unwrap()
    }

    pub fn decoding_key(&self) -> jsonwebtoken::DecodingKey {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        jsonwebtoken::DecodingKey::from_rsa_raw_components(&public.n, &public.e)
    }

    /// Returns a verifier without token cache that has five rules on top-level claims.
    pub fn verifier_with_rules(&self) -> Bearward {
        build(with_rules(issuer(&self.jwks), top_level_rules()), 0)
    }

    /// Returns the same with two rules on members of nested claims among the five.
    pub fn verifier_with_nested_rules(&self) -> Bearward {
        let mut rules = top_level_rules();
        rules[3] = ("/app_metadata/provider", "google".into());
        rules[4] = ("/user_metadata/email", "user*".into());
        build(with_rules(issuer(&self.jwks), rules), 0)
    }

    pub fn verifier(&self, cache_entries: usize) -> Bearward {
        verifier(&self.jwks, cache_entries)
    }
}

/// Builds a verifier for the benchmark's issuer with these keys.
pub fn verifier(jwks: &str, cache_entries: usize) -> Bearward {
    build(issuer(jwks), cache_entries)
}

fn issuer(jwks: &str) -> Issuer {
    Issuer::new(ISSUER, "authenticated")
        .unwrap()
        .keys(KeySource::Fixed(jwks.to_owned()))
}

/// Rules that the benchmark's tokens meet.
fn top_level_rules() -> [(&'static str, ClaimValue); 5] {
    [
        ("role", "authenticated".into()),
        ("aal", ["aal1", "aal2"].into()),
        ("is_anonymous", false.into()),
        ("email", "user*".into()),
        ("session_id", "0f0e*".into()),
    ]
}

fn with_rules(issuer: Issuer, rules: [(&str, ClaimValue); 5]) -> Issuer {
    rules.into_iter().fold(issuer, |issuer, (claim, value)| {
        issuer.require_claim(claim, value).unwrap()
    })
}

fn build(issuer: Issuer, cache_entries: usize) -> Bearward {
    let build = Bearward::builder()
        .issuer(issuer)
        .token_cache(cache_entries)
        .build();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(build)
        .unwrap()
}

fn encoding_key(pair: &KeyPair) -> EncodingKey {
    let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64_simd::STANDARD.encode_to_string(pkcs8.as_ref())
    );
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
}

/// Returns a JWKS with this many RSA keys, `key-0`, `key-1`, and so on.
pub fn jwks_of(keys: usize) -> String {
    let public = PublicKeyComponents::<Vec<u8>>::from(
        KeyPair::generate(KeySize::Rsa2048).unwrap().public_key(),
    );
    let (n, e) = (
        URL_SAFE_NO_PAD.encode_to_string(&public.n),
        URL_SAFE_NO_PAD.encode_to_string(&public.e),
    );
    let keys: Vec<_> = (0..keys)
        .map(|key| json!({"kty": "RSA", "kid": format!("key-{key}"), "n": n, "e": e}))
        .collect();
    json!({ "keys": keys }).to_string()
}

/// Splits a token into its signing input and its signature.
pub fn split(token: &str) -> (&str, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed, URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap())
}

/// Revokes this many other sessions and subjects, half of each.
pub fn revoke_others(auth: &Bearward, entries: usize) {
    let issued_before = Timestamp::from_unix(1_700_000_000);
    let revocations: Vec<Revocation> = (0..entries)
        .map(|n| match n % 2 {
            0 => Revocation::session(ISSUER, &format!("session {n}")),
            _ => Revocation::subject(ISSUER, &format!("subject {n}"), issued_before),
        })
        .collect();
    auth.revocations().replace(&revocations).unwrap();
}

/// Verifies a token without waiting for keys.
pub fn accept(auth: &Bearward, token: &str) -> bool {
    matches!(auth.try_verify(token), bearward::Verification::Ready(Ok(_)))
}
