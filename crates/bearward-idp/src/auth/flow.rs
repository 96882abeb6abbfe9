//! A sign-in on its way: from the first redirect to the exchange of its code.

use aws_lc_rs::digest::{SHA256, digest};
use bearward::Timestamp;
use bearward_testing::signing::encode;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{
    error::AuthApiError,
    profile::{Profile, Provider},
    random,
};

/// A code is good for five minutes, and so is the page on which a person is picked.
pub(super) const LIFETIME_SECONDS: i64 = 300;

/// Codes that have ended are told apart from those that never were for this long.
pub(super) const REMEMBERED_SECONDS: i64 = 3600;

/// The state of one sign-in. It is not kept over a restart.
pub(super) struct Flow {
    pub(super) id: Uuid,
    pub(super) created_at: i64,
    pub(super) challenge: Option<PkceChallenge>,
    pub(super) stage: Stage,
}

/// How far a sign-in has come.
pub(super) enum Stage {
    /// At the provider's page.
    AtProvider(AtProvider),
    /// Signed in; whoever has the code and the verifier gets the session.
    Code {
        code: String,
        person: Uuid,
        method: String,
        provider_token: Option<String>,
        provider_refresh_token: Option<String>,
    },
}

/// What the provider's page needs to know, and what was chosen there.
pub(super) struct AtProvider {
    pub(super) provider: Provider,
    pub(super) redirect: Url,
    /// Proves that an answer comes from the page that was shown.
    pub(super) ticket: String,
    /// Whether the app asked for a provider's refresh token.
    pub(super) offline: bool,
    /// Whom the provider's page was told, with the code under which the callback asks for it.
    pub(super) picked: Option<(String, Profile)>,
}

/// A PKCE challenge (RFC 7636 §4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PkceChallenge {
    is_plain: bool,
    text: String,
}

impl Flow {
    pub(super) fn new(challenge: Option<PkceChallenge>, stage: Stage, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            created_at: now.millis(),
            challenge,
            stage,
        }
    }

    /// Whether this is the code that it waits for.
    pub(super) fn answers_to(&self, text: &str) -> bool {
        matches!(&self.stage, Stage::Code { code, .. } if random::same(text, code))
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        now.millis() - self.created_at > LIFETIME_SECONDS * 1000
    }
}

impl PkceChallenge {
    /// `None` is the implicit flow.
    ///
    /// # Errors
    /// 400 `validation_failed`: one member without the other, 42 or 129 characters, other
    /// characters, another method.
    pub(super) fn read(
        text: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, AuthApiError> {
        let given = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let (text, method) = (given(text), given(method));
        if text.is_empty() != method.is_empty() {
            return Err(AuthApiError::invalid(
                "PKCE flow requires code_challenge_method and code_challenge",
            ));
        }
        if text.is_empty() {
            return Ok(None);
        }
        if !(43..=128).contains(&text.len()) {
            return Err(AuthApiError::invalid(
                "code challenge has to be between 43 and 128 characters",
            ));
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        {
            let message = "code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes";
            return Err(AuthApiError::invalid(message));
        }
        match method.to_ascii_lowercase().as_str() {
            "s256" => Ok(Some(Self {
                is_plain: false,
                text,
            })),
            "plain" => Ok(Some(Self {
                is_plain: true,
                text,
            })),
            _ => Err(AuthApiError::invalid("Invalid code_challenge_method")),
        }
    }

    /// Whether the verifier is the one of which the challenge was made.
    pub(super) fn is_met_by(&self, verifier: &str) -> bool {
        if self.is_plain {
            random::same(verifier, &self.text)
        } else {
            random::same(
                &encode(digest(&SHA256, verifier.as_bytes()).as_ref()),
                &self.text,
            )
        }
    }
}
