//! What an outside provider says of a person: Google, GitHub.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

/// A person as a provider knows them.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) provider: Provider,
    pub(super) subject: String,
    pub(super) email: String,
    pub(super) email_verified: bool,
    pub(super) name: String,
    pub(super) picture: String,
}

/// The providers whose pages the development IdP plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Google,
    GitHub,
}

impl Provider {
    pub(super) const ALL: [Self; 2] = [Self::Google, Self::GitHub];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.name().eq_ignore_ascii_case(name))
    }

    /// As it is called in requests and in `app_metadata`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::GitHub => "github",
        }
    }

    /// As it is called for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::GitHub => "GitHub",
        }
    }

    /// The id that this address always has here, of the provider's own form: 21 digits at Google, 8
    /// at GitHub.
    pub(super) fn subject_of(self, email: &str) -> String {
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
    /// Somebody of that address. Without a name, the address makes one.
    pub(super) fn new(provider: Provider, base: &str, email: &str, name: &str) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        let name = if name.is_empty() { local } else { name };
        let initial = name
            .chars()
            .find(char::is_ascii_alphabetic)
            .unwrap_or('x')
            .to_ascii_lowercase();
        Self {
            provider,
            subject: provider.subject_of(email),
            email: email.to_owned(),
            email_verified: true,
            name: name.to_owned(),
            picture: format!("{base}/.picture/{initial}"),
        }
    }

    /// `identity_data`, which the hosted service also writes into `user_metadata`.
    pub(super) fn metadata(&self) -> Map<String, Value> {
        let mut data = json!({
            "sub": self.subject, "provider_id": self.subject, "name": self.name, "full_name": self.name,
            "avatar_url": self.picture, "email": self.email, "email_verified": self.email_verified, "phone_verified": false,
        });
        let more = match self.provider {
            Provider::Google => {
                json!({ "iss": "https://accounts.google.com", "picture": self.picture })
            }
            Provider::GitHub => {
                let login = self.email.split('@').next().unwrap_or_default();
                json!({ "iss": "https://api.github.com", "user_name": login, "preferred_username": login })
            }
        };
        if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
            data.extend(more);
        }
        data.as_object().cloned().unwrap_or_default()
    }
}
