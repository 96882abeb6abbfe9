//! User profiles of the simulated providers, Google and GitHub.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::avatar;

/// The profile of a user at a provider.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) provider: Provider,
    pub(crate) subject: String,
    pub(crate) email: String,
    pub(crate) email_verified: bool,
    pub(crate) name: String,
    pub(crate) picture: String,
}

/// The simulated OAuth providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Google,
    GitHub,
}

impl Provider {
    pub(crate) const ALL: [Self; 2] = [Self::Google, Self::GitHub];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.name().eq_ignore_ascii_case(name))
    }

    /// Identifier in requests and in `app_metadata`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
        }
    }

    /// Display name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::GitHub => "GitHub",
        }
    }

    /// Derives a stable provider id from an email address: 21 digits for Google, 8 for GitHub.
    pub(crate) fn subject_for(self, email: &str) -> String {
        let digest = digest(&SHA256, email.as_bytes());
        let number = digest
            .as_ref()
            .iter()
            .take(12)
            .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        match self {
            Self::Google => format!("1{:020}", number % 10_u128.pow(20)),
            Self::GitHub => format!("1{:07}", number % 10_u128.pow(7)),
        }
    }
}

impl Profile {
    /// Creates a verified profile. The name defaults to the local part of the address.
    pub(crate) fn new(provider: Provider, base: &str, email: &str, name: &str) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        let name = if name.is_empty() { local } else { name };
        Self {
            provider,
            subject: provider.subject_for(email),
            email: email.to_owned(),
            email_verified: true,
            name: name.to_owned(),
            picture: format!("{base}{}", avatar::path(name)),
        }
    }

    /// Returns the `identity_data`, which is also copied into `user_metadata`.
    pub(crate) fn metadata(&self) -> Map<String, Value> {
        let mut data = json!({
            "sub": self.subject, "provider_id": self.subject, "name": self.name, "full_name": self.name,
            "avatar_url": self.picture, "email": self.email, "email_verified": self.email_verified, "phone_verified": false,
        });
        let provider_data = match self.provider {
            Provider::Google => {
                json!({ "iss": "https://accounts.google.com", "picture": self.picture })
            }
            Provider::GitHub => {
                let login = self.email.split('@').next().unwrap_or_default();
                json!({ "iss": "https://api.github.com", "user_name": login, "preferred_username": login })
            }
        };
        if let (Value::Object(data), Value::Object(provider_data)) = (&mut data, provider_data) {
            data.extend(provider_data);
        }
        data.as_object().cloned().unwrap_or_default()
    }
}
