//! Factors of a user and their challenges.

use bearward::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::totp::TotpSecret;
use crate::auth::user::time;

/// Lifetime of a challenge, and of an unverified factor that was never challenged.
pub(crate) const LIFETIME_SECONDS: i64 = 300;

/// An authenticator app of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Factor {
    pub(crate) id: Uuid,
    pub(crate) friendly_name: String,
    pub(super) secret: TotpSecret,
    pub(crate) is_verified: bool,
    created_at: i64,
    updated_at: i64,
    last_challenged_at: Option<i64>,
}

/// A request for a code of a factor. It is not persisted.
pub(crate) struct Challenge {
    pub(crate) id: Uuid,
    pub(crate) factor_id: Uuid,
    created_at: i64,
    /// A challenge is used once.
    pub(crate) is_used: bool,
}

impl Factor {
    pub(super) fn new(friendly_name: String, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            friendly_name,
            secret: TotpSecret::generate(),
            is_verified: false,
            created_at: now.millis(),
            updated_at: now.millis(),
            last_challenged_at: None,
        }
    }

    /// Whether an enrollment was given up: neither verified nor challenged in its lifetime.
    pub(super) fn is_abandoned(&self, now: Timestamp) -> bool {
        !self.is_verified
            && self.last_challenged_at.is_none()
            && now.millis() - self.created_at > LIFETIME_SECONDS * 1000
    }

    /// Returns a challenge of this factor.
    pub(super) fn challenge(&mut self, now: Timestamp) -> Challenge {
        self.last_challenged_at = Some(now.millis());
        Challenge {
            id: Uuid::new_v4(),
            factor_id: self.id,
            created_at: now.millis(),
            is_used: false,
        }
    }

    pub(super) fn set_verified(&mut self, now: Timestamp) {
        if !self.is_verified {
            (self.is_verified, self.updated_at) = (true, now.millis());
        }
    }

    /// Returns the factor object of the auth API, without the secret.
    pub(crate) fn json(&self) -> Value {
        let mut factor = json!({
            "id": self.id, "factor_type": "totp", "phone": "",
            "status": if self.is_verified { "verified" } else { "unverified" },
            "created_at": time(self.created_at), "updated_at": time(self.updated_at),
            "last_challenged_at": self.last_challenged_at.map(time),
        });
        if !self.friendly_name.is_empty() {
            factor["friendly_name"] = self.friendly_name.clone().into();
        }
        factor
    }
}

impl Challenge {
    /// Returns the expiry in Unix seconds.
    pub(super) fn expires_at(&self) -> i64 {
        Timestamp::from_millis(self.created_at).unix() + LIFETIME_SECONDS
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now.millis() - self.created_at > LIFETIME_SECONDS * 1000
    }
}
