//! A person whom the development IdP knows, and the identities by which that person comes.

use bearward::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One user of the auth API. Times are milliseconds since 1970.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: Uuid,
    /// In lower case; empty for the anonymous.
    pub(super) email: String,
    /// An argon2 hash in PHC form.
    pub(super) password: Option<String>,
    pub(super) email_confirmed_at: Option<i64>,
    pub(super) confirmation_sent_at: Option<i64>,
    pub(super) recovery_sent_at: Option<i64>,
    pub(super) email_change_sent_at: Option<i64>,
    pub(super) new_email: Option<String>,
    pub(super) last_sign_in_at: Option<i64>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) app_metadata: Map<String, Value>,
    pub(super) user_metadata: Map<String, Value>,
    pub(super) identities: Vec<Identity>,
    pub(super) is_anonymous: bool,
    pub(super) banned: bool,
}

/// One way in which a person signs in.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) id: Uuid,
    pub(super) provider: String,
    /// The person's id at the provider.
    pub(super) provider_id: String,
    pub(super) data: Map<String, Value>,
    pub(super) last_sign_in_at: i64,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
}

impl User {
    pub(super) fn new(email: &str, user_metadata: Map<String, Value>, now: Timestamp) -> Self {
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
        }
    }

    /// Whether the email address is known to be this person's.
    pub(super) fn is_confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }

    pub(super) fn confirm(&mut self, now: Timestamp) {
        self.email_confirmed_at.get_or_insert(now.millis());
        self.user_metadata
            .insert("email_verified".to_owned(), true.into());
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

    /// The address becomes another one, and so does the identity that goes by it.
    pub(super) fn change_email(&mut self, email: &str, now: Timestamp) {
        email.clone_into(&mut self.email);
        (self.new_email, self.email_confirmed_at, self.is_anonymous) =
            (None, Some(now.millis()), false);
        let id = self.id.to_string();
        let data = serde_json::Map::from_iter([
            ("sub".to_owned(), id.clone().into()),
            ("email".to_owned(), email.into()),
            ("email_verified".to_owned(), true.into()),
            ("phone_verified".to_owned(), false.into()),
        ]);
        self.identify("email", &id, data, now);
    }

    /// Adds the identity, or brings the known one up to date, and says so in `app_metadata`.
    pub(super) fn identify(
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
        self.name_providers();
    }

    /// An account that nobody had confirmed may have been made by somebody else: its password goes
    /// when its owner arrives.
    pub(super) fn drop_unconfirmed_identities(&mut self) {
        if !self.is_confirmed() {
            self.password = None;
            self.identities
                .retain(|identity| identity.provider != "email");
            self.user_metadata.clear();
        }
    }

    /// `provider` is the first one, and stays.
    fn name_providers(&mut self) {
        let mut providers: Vec<&str> = Vec::new();
        for identity in &self.identities {
            if !providers.contains(&identity.provider.as_str()) {
                providers.push(&identity.provider);
            }
        }
        let first = providers.first().copied().unwrap_or_default().to_owned();
        let current = self.app_metadata.get("provider").and_then(Value::as_str);
        let keeps = current.is_some_and(|current| providers.contains(&current));
        let providers = json!(providers);
        if !keeps {
            self.app_metadata
                .insert("provider".to_owned(), first.into());
        }
        self.app_metadata.insert("providers".to_owned(), providers);
    }

    /// The name that the person goes by.
    pub(super) fn name(&self) -> &str {
        let named = ["full_name", "name"]
            .into_iter()
            .find_map(|name| self.user_metadata.get(name)?.as_str());
        named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.email.split('@').next().unwrap_or_default())
    }

    /// The user object of the auth API.
    pub(super) fn json(&self) -> Value {
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
            ("last_sign_in_at", self.last_sign_in_at),
        ];
        if let Value::Object(user) = &mut user {
            user.extend(
                optional
                    .into_iter()
                    .filter_map(|(name, at)| Some((name.to_owned(), time(at?)))),
            );
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

fn time(millis: i64) -> Value {
    Timestamp::from_millis(millis).to_string().into()
}
