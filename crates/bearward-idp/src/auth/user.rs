//! Users and their identities.

use bearward::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{mail::MailKind, mfa::Factor};

/// A user of the auth API. Times are Unix milliseconds.
#[expect(
    clippy::struct_field_names,
    reason = "user_metadata is the name in GoTrue"
)]
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    /// In lower case; empty for anonymous users.
    pub(crate) email: String,
    /// An argon2 hash in PHC form.
    pub(crate) password: Option<String>,
    pub(crate) email_confirmed_at: Option<i64>,
    pub(crate) confirmation_sent_at: Option<i64>,
    pub(crate) recovery_sent_at: Option<i64>,
    pub(crate) email_change_sent_at: Option<i64>,
    pub(crate) new_email: Option<String>,
    pub(crate) last_sign_in_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) app_metadata: Map<String, Value>,
    pub(crate) user_metadata: Map<String, Value>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) is_anonymous: bool,
    pub(crate) banned: bool,
    #[serde(default)]
    pub(crate) factors: Vec<Factor>,
    #[serde(default)]
    pub(crate) reauthentication_sent_at: Option<i64>,
    /// Whether one of the two mails about a change of the address was confirmed.
    #[serde(default)]
    pub(crate) is_email_change_half_confirmed: bool,
}

/// A sign-in method of a user: a provider, or `email`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) id: Uuid,
    pub(crate) provider: String,
    /// The user's id at the provider.
    pub(crate) provider_id: String,
    pub(crate) data: Map<String, Value>,
    pub(crate) last_sign_in_at: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl User {
    pub(crate) fn new(email: &str, user_metadata: Map<String, Value>, now: Timestamp) -> Self {
        Self {
            id: Uuid::new_v4(),
            email: email.to_owned(),
            password: None,
            email_confirmed_at: None,
            confirmation_sent_at: None,
            recovery_sent_at: None,
            email_change_sent_at: None,
            new_email: None,
            last_sign_in_at: None,
            created_at: now.millis(),
            updated_at: now.millis(),
            app_metadata: Map::new(),
            user_metadata,
            identities: Vec::new(),
            is_anonymous: email.is_empty(),
            banned: false,
            factors: Vec::new(),
            reauthentication_sent_at: None,
            is_email_change_half_confirmed: false,
        }
    }

    /// Whether a second factor is required for AAL2.
    pub(crate) fn has_verified_factor(&self) -> bool {
        self.factors.iter().any(|factor| factor.is_verified)
    }

    pub(crate) fn factor_mut(&mut self, id: Uuid) -> Option<&mut Factor> {
        self.factors.iter_mut().find(|factor| factor.id == id)
    }

    /// Whether the email address is confirmed.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }

    /// Marks the address as confirmed. As in the hosted service, the `email` identity is verified only
    /// by [`verify_email_identity`](Self::verify_email_identity).
    pub(crate) fn confirm_email(&mut self, now: Timestamp) {
        self.email_confirmed_at.get_or_insert(now.millis());
        self.user_metadata
            .insert("email_verified".to_owned(), true.into());
    }

    /// Marks the address of the `email` identity as verified, after a sign-up was confirmed by mail.
    pub(crate) fn verify_email_identity(&mut self) {
        let email = self.email.clone();
        for identity in self
            .identities
            .iter_mut()
            .filter(|identity| identity.provider == "email")
        {
            identity
                .data
                .insert("email".to_owned(), email.clone().into());
            identity
                .data
                .insert("email_verified".to_owned(), true.into());
        }
    }

    /// Returns when the last mail of this kind was sent.
    pub(crate) fn mail_sent_at(&mut self, kind: MailKind) -> &mut Option<i64> {
        match kind {
            MailKind::Signup => &mut self.confirmation_sent_at,
            MailKind::Recovery | MailKind::MagicLink => &mut self.recovery_sent_at,
            MailKind::EmailChange => &mut self.email_change_sent_at,
            MailKind::Reauthentication => &mut self.reauthentication_sent_at,
        }
    }

    /// Forgets the mails that were sent, and a change of the address that is not confirmed.
    pub(crate) fn clear_pending_changes(&mut self) {
        self.confirmation_sent_at = None;
        self.recovery_sent_at = None;
        self.email_change_sent_at = None;
        self.reauthentication_sent_at = None;
        self.new_email = None;
        self.is_email_change_half_confirmed = false;
    }

    /// Changes and confirms the email address, also in the `email` identity. `app_metadata` does not
    /// change: see [`update_providers`](Self::update_providers).
    pub(crate) fn change_email(&mut self, email: &str, now: Timestamp) {
        email.clone_into(&mut self.email);
        (self.new_email, self.is_anonymous) = (None, false);
        self.is_email_change_half_confirmed = false;
        self.confirm_email(now);
        let id = self.id.to_string();
        let data = serde_json::Map::from_iter([
            ("sub".to_owned(), id.clone().into()),
            ("email".to_owned(), email.into()),
            ("email_verified".to_owned(), true.into()),
            ("phone_verified".to_owned(), false.into()),
        ]);
        self.upsert_identity_only("email", &id, data, now);
    }

    /// Adds or updates an identity and lists its provider in `app_metadata`.
    pub(crate) fn upsert_identity(
        &mut self,
        provider: &str,
        provider_id: &str,
        data: Map<String, Value>,
        now: Timestamp,
    ) {
        self.upsert_identity_only(provider, provider_id, data, now);
        self.update_providers();
    }

    /// Adds or updates an identity.
    fn upsert_identity_only(
        &mut self,
        provider: &str,
        provider_id: &str,
        data: Map<String, Value>,
        now: Timestamp,
    ) {
        let now = now.millis();
        let known = |identity: &&mut Identity| {
            identity.provider == provider && identity.provider_id == provider_id
        };
        if let Some(identity) = self.identities.iter_mut().find(known) {
            identity.data.extend(data);
            (identity.last_sign_in_at, identity.updated_at) = (now, now);
        } else {
            self.identities.push(Identity {
                id: Uuid::new_v4(),
                provider: provider.to_owned(),
                provider_id: provider_id.to_owned(),
                data,
                last_sign_in_at: now,
                created_at: now,
                updated_at: now,
            });
        }
    }

    /// Removes the password and email identity of an unconfirmed user. Someone other than the owner
    /// of the address may have registered it (account pre-hijacking).
    pub(crate) fn drop_unconfirmed_identities(&mut self) {
        if !self.is_confirmed() {
            self.password = None;
            self.identities
                .retain(|identity| identity.provider != "email");
            self.user_metadata.clear();
        }
    }

    /// Updates `providers`, and `provider` if it is no longer among them.
    pub(crate) fn update_providers(&mut self) {
        let mut providers: Vec<&str> = Vec::new();
        for identity in &self.identities {
            if !providers.contains(&identity.provider.as_str()) {
                providers.push(&identity.provider);
            }
        }
        let first = providers.first().copied().unwrap_or_default().to_owned();
        let current = self.app_metadata.get("provider").and_then(Value::as_str);
        let is_listed = current.is_some_and(|current| providers.contains(&current));
        let providers = json!(providers);
        if !is_listed {
            self.app_metadata
                .insert("provider".to_owned(), first.into());
        }
        self.app_metadata.insert("providers".to_owned(), providers);
    }

    /// Returns the display name; defaults to the local part of the email address.
    pub(crate) fn name(&self) -> &str {
        let named = ["full_name", "name"]
            .into_iter()
            .find_map(|name| self.user_metadata.get(name)?.as_str());
        named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.email.split('@').next().unwrap_or_default())
    }

    /// Returns the user object of the auth API.
    pub(crate) fn json(&self) -> Value {
        let mut user = json!({
            "id": self.id, "aud": "authenticated", "role": "authenticated", "email": self.email, "phone": "",
            "app_metadata": self.app_metadata, "user_metadata": self.user_metadata,
            "identities": self.identities.iter().map(|identity| identity.json(self.id)).collect::<Vec<_>>(),
            "created_at": time(self.created_at), "updated_at": time(self.updated_at), "is_anonymous": self.is_anonymous,
        });
        let optional = [
            ("email_confirmed_at", self.email_confirmed_at),
            ("confirmed_at", self.email_confirmed_at),
            ("confirmation_sent_at", self.confirmation_sent_at),
            ("recovery_sent_at", self.recovery_sent_at),
            ("email_change_sent_at", self.email_change_sent_at),
            ("reauthentication_sent_at", self.reauthentication_sent_at),
            ("last_sign_in_at", self.last_sign_in_at),
        ];
        if let Value::Object(user) = &mut user {
            user.extend(
                optional
                    .into_iter()
                    .filter_map(|(name, at)| Some((name.to_owned(), time(at?)))),
            );
            if !self.factors.is_empty() {
                let factors: Vec<Value> = self.factors.iter().map(Factor::json).collect();
                user.insert("factors".to_owned(), factors.into());
            }
            user.extend(
                self.new_email
                    .clone()
                    .map(|email| ("new_email".to_owned(), email.into())),
            );
        }
        user
    }
}

impl Identity {
    /// Returns the address of the identity; empty if it has none.
    pub(crate) fn email(&self) -> &str {
        let email = self.data.get("email").and_then(Value::as_str);
        email.unwrap_or_default()
    }

    pub(crate) fn is_email_verified(&self) -> bool {
        self.data.get("email_verified").and_then(Value::as_bool) == Some(true)
    }

    fn json(&self, user: Uuid) -> Value {
        let mut identity = json!({
            "identity_id": self.id, "id": self.provider_id, "user_id": user, "identity_data": self.data,
            "provider": self.provider, "last_sign_in_at": time(self.last_sign_in_at),
            "created_at": time(self.created_at), "updated_at": time(self.updated_at),
        });
        if let (Some(email), Value::Object(identity)) = (self.data.get("email"), &mut identity) {
            identity.insert("email".to_owned(), email.clone());
        }
        identity
    }
}

/// Returns a time with milliseconds, as the hosted service has fractions of a second.
pub(crate) fn time(millis: i64) -> Value {
    let seconds = Timestamp::from_millis(millis).to_string();
    let whole = seconds.trim_end_matches('Z');
    format!("{whole}.{:03}Z", millis.rem_euclid(1000)).into()
}
