//! A sign-in flow, from the first redirect to the exchange of its code.

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

/// Lifetime of a code and of a consent page.
pub(crate) const LIFETIME_SECONDS: i64 = 300;

/// Expired flows are kept this long, so that their codes are reported as expired and not as unknown.
pub(crate) const RETENTION_SECONDS: i64 = 3600;

/// One sign-in flow. It is not persisted.
pub(crate) struct Flow {
    pub(crate) id: Uuid,
    pub(crate) created_at: i64,
    pub(crate) challenge: Option<PkceChallenge>,
    pub(crate) stage: FlowStage,
}

/// The stage of a sign-in flow.
pub(crate) enum FlowStage {
    /// The consent page is shown.
    AwaitingConsent(ConsentRequest),
    /// A code was issued; it is exchanged together with the PKCE verifier.
    CodeIssued {
        code: String,
        user_id: Uuid,
        method: String,
        provider_token: Option<String>,
        provider_refresh_token: Option<String>,
    },
}

/// The parameters of a consent page and its outcome.
pub(crate) struct ConsentRequest {
    pub(crate) provider: Provider,
    pub(crate) redirect: Url,
    /// Shared by the form and a cookie, against cross-site requests.
    pub(crate) csrf_token: String,
    /// Whether the app requested `access_type=offline`.
    pub(crate) offline: bool,
    /// The user to whom the identity is linked; `None` for a sign-in.
    pub(crate) link_to: Option<Uuid>,
    /// The selected profile, with the code that the callback must present.
    pub(crate) selected: Option<(String, Profile)>,
}

/// A PKCE challenge (RFC 7636 §4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PkceChallenge {
    is_plain: bool,
    text: String,
}

impl Flow {
    pub(crate) fn new(challenge: Option<PkceChallenge>, stage: FlowStage, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            created_at: now.millis(),
            challenge,
            stage,
        }
    }

    /// Whether this flow issued the code. Compares in constant time.
    pub(crate) fn matches_code(&self, text: &str) -> bool {
        matches!(&self.stage, FlowStage::CodeIssued { code, .. } if random::constant_time_eq(text, code))
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now.millis() - self.created_at > LIFETIME_SECONDS * 1000
    }
}

impl PkceChallenge {
    /// Parses a challenge and its method. Returns `None` for the implicit flow.
    ///
    /// # Errors
    /// 400 `validation_failed` if only one parameter is set, if the challenge is not 43 to 128
    /// unreserved characters, or if the method is neither `s256` nor `plain`.
    pub(crate) fn parse(
        text: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Self>, AuthApiError> {
        let or_empty = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let (text, method) = (or_empty(text), or_empty(method));
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

    /// Whether the verifier matches the challenge (RFC 7636 §4.6).
    pub(crate) fn verify(&self, verifier: &str) -> bool {
        if self.is_plain {
            random::constant_time_eq(verifier, &self.text)
        } else {
            random::constant_time_eq(
                &encode(digest(&SHA256, verifier.as_bytes()).as_ref()),
                &self.text,
            )
        }
    }
}
