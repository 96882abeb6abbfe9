//! What is common to all HTTP frameworks: where a request carries its token, and what an error
//! response contains.

mod challenge;
mod error_body;
mod error_content;
mod error_parts;
mod protected_resource;
mod request_head;
mod request_id;
mod token_source;

use std::sync::atomic::{AtomicU8, Ordering};

use url::Url;

#[cfg(feature = "actix")]
pub(crate) use self::request_head::{
    API_KEY_HEADER, Credential, authorization_token, with_api_key,
};
pub(crate) use self::{
    challenge::ChallengeContext, error_content::ErrorFormat, token_source::InvalidSource,
};
pub use self::{
    error_body::ErrorBody,
    error_content::ErrorContent,
    error_parts::ErrorParts,
    protected_resource::{InvalidResource, ProtectedResource},
    request_head::RequestHead,
    request_id::RequestId,
    token_source::TokenSource,
};
use crate::{
    algorithm::Algorithm,
    dpop::DpopMode,
    issuer::{Issuer, TokenUse},
};

/// How requests carry tokens, and what error responses contain.
#[derive(Debug)]
pub(crate) struct HttpConfig {
    /// The scheme of the `Authorization` header; `None` for Bearer.
    pub(crate) scheme: Option<Box<str>>,
    /// Where the token may be besides the `Authorization` header.
    pub(crate) sources: Vec<TokenSource>,
    /// Whether the `apikey` header may carry a service key.
    pub(crate) accepts_service_keys: bool,
    pub(crate) realm: String,
    pub(crate) resource: Option<Url>,
    pub(crate) resources: Vec<ProtectedResource>,
    pub(crate) format: ErrorFormat,
    pub(crate) dpop: DpopSchemes,
}

/// Which of the schemes `Bearer` and `DPoP` are accepted. It changes with the issuers.
#[derive(Debug)]
pub(crate) struct DpopSchemes {
    mode: AtomicU8,
    /// The attribute `algs` of the challenge (RFC 9449 §7.1).
    pub(crate) algorithms: String,
}

impl DpopSchemes {
    const OFF: u8 = 0;
    const ACCEPTED: u8 = 1;
    const REQUIRED: u8 = 2;

    fn new() -> Self {
        Self {
            mode: AtomicU8::new(Self::OFF),
            algorithms: String::new(),
        }
    }

    /// Sets the accepted algorithms of proofs. Ed25519 has two names (RFC 9864 §2.2).
    pub(crate) fn set_algorithms(&mut self, algorithms: &[Algorithm]) {
        let names = algorithms.iter().flat_map(|algorithm| {
            let synonym = (*algorithm == Algorithm::EdDSA).then_some("Ed25519");
            [Some(algorithm.name()), synonym].into_iter().flatten()
        });
        self.algorithms = names.collect::<Vec<_>>().join(" ");
    }

    /// Updates the schemes: `DPoP` is accepted if one issuer accepts it, and Bearer unless all
    /// require `DPoP`.
    pub(crate) fn update<'a>(&self, issuers: impl Iterator<Item = &'a Issuer>) {
        let modes: Vec<DpopMode> = issuers
            .filter(|issuer| issuer.has_token_use(TokenUse::AccessToken))
            .map(Issuer::dpop_mode)
            .collect();
        let mode = if modes.iter().all(|&mode| mode == DpopMode::Off) {
            Self::OFF
        } else if modes.iter().all(|&mode| mode == DpopMode::Required) {
            Self::REQUIRED
        } else {
            Self::ACCEPTED
        };
        self.mode.store(mode, Ordering::Relaxed);
    }

    /// Returns whether the scheme `DPoP` is accepted.
    pub(crate) fn accepts_dpop(&self) -> bool {
        self.mode.load(Ordering::Relaxed) != Self::OFF
    }

    /// Returns whether bearer tokens are accepted.
    pub(crate) fn accepts_bearer(&self) -> bool {
        self.mode.load(Ordering::Relaxed) != Self::REQUIRED
    }
}

impl HttpConfig {
    pub(crate) fn new() -> Self {
        Self {
            scheme: None,
            sources: Vec::new(),
            accepts_service_keys: false,
            realm: "bearward".to_owned(),
            resource: None,
            resources: Vec::new(),
            format: ErrorFormat::Envelope,
            dpop: DpopSchemes::new(),
        }
    }

    /// The authentication scheme of the `Authorization` header and of the challenges.
    pub(crate) fn scheme(&self) -> &str {
        self.scheme.as_deref().unwrap_or("Bearer")
    }
}
