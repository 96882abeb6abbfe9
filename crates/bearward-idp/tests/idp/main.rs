//! The development IdP over a real port: what it hands out, what it refuses, and what it will not
//! be talked into.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod auth;
mod bodies;
mod console;
mod documents;
mod faults;
mod http;
mod keys;
mod running;
mod strangers;
mod tokens;

use bearward::{Algorithm, Bearward, Issuer, KeySource};
use bearward_idp::{AuthOptions, Idp, Options};

/// What a developer runs, on a free port.
fn options() -> Options {
    Options {
        address: "127.0.0.1:0".parse().unwrap(),
        base: None,
        algorithm: Algorithm::RS256,
        environment: "development".to_owned(),
        dangerous_allow_remote: false,
        auth: AuthOptions::default(),
    }
}

fn start() -> Idp {
    Idp::start(options()).unwrap()
}

/// A resource server that trusts it.
async fn trusting(idp: &Idp) -> Bearward {
    let issuer = Issuer::new(idp.issuer(), idp.audience())
        .unwrap()
        .keys(KeySource::Url(idp.jwks_url().parse().unwrap()));
    Bearward::builder()
        .issuer(issuer.algorithms(Algorithm::ALL).unwrap())
        .build()
        .await
        .unwrap()
}

/// Why it refuses the token.
async fn code(auth: &Bearward, token: &str) -> &'static str {
    auth.verify(token)
        .await
        .expect_err("a refusal")
        .error
        .code()
}
