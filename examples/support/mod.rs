//! Shared by the examples: the issuer and tokens to try. Your own program needs only
//! `Issuer::supabase("https://YOUR-PROJECT.supabase.co")?`.
#![allow(dead_code, reason = "each example uses a part of it")]

use std::{env, error::Error};

use bearward::{Issuer, IssuerError};

/// The address that the examples listen on.
pub const ADDRESS: &str = "127.0.0.1:8000";

/// The issuer of an example's tokens: the Supabase project of `SUPABASE_URL`, or a mock identity
/// provider.
pub enum Tokens {
    Supabase(String),
    Mock(Box<bearward_testing::MockIdp>),
}

impl Tokens {
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        if let Ok(url) = env::var("SUPABASE_URL") {
            return Ok(Self::Supabase(url));
        }
        Ok(Self::Mock(Box::new(
            bearward_testing::MockIdp::start().await,
        )))
    }

    pub fn issuer(&self) -> Result<Issuer, IssuerError> {
        match self {
            Self::Supabase(url) => Issuer::supabase(url),
            Self::Mock(idp) => Ok(idp.as_issuer()),
        }
    }

    /// Returns a token with the given claims, or `$TOKEN` if the tokens come from a real project.
    pub fn token(&self, claims: &[(&str, serde_json::Value)]) -> String {
        match self {
            Self::Supabase(_) => "$TOKEN".to_owned(),
            Self::Mock(idp) => claims
                .iter()
                .fold(idp.token(), |token, (name, value)| {
                    token.claim(name, value.clone())
                })
                .sign(),
        }
    }

    /// Prints the commands to try.
    pub fn try_this(&self, commands: &[String]) {
        println!("Listening on http://{ADDRESS}. Try:\n");
        if matches!(self, Self::Supabase(_)) {
            println!("TOKEN=...   # an access token of your project: session.access_token");
        }
        for command in commands {
            println!("{command}\n");
        }
    }
}

/// Returns a `curl` command for a path, with a token.
pub fn curl(path: &str, token: &str) -> String {
    format!("curl -i http://{ADDRESS}{path} -H \"Authorization: Bearer {token}\"")
}

/// Returns a `curl` command for a path, without a token.
pub fn curl_without_token(path: &str) -> String {
    format!("curl -i http://{ADDRESS}{path}")
}
