//! Identities of providers: sign-in, linking and unlinking.

use bearward::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::AuthState;
use crate::auth::{
    error::AuthApiError,
    profile::Profile,
    user::{Identity, User},
};

/// The rules of a sign-in with a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignInRules {
    /// Whether a new user may be created.
    pub(crate) can_sign_up: bool,
    /// Whether an address that the provider has not verified counts as confirmed.
    pub(crate) confirms_addresses: bool,
}

/// The message of the code `email_exists`.
pub(crate) const EMAIL_EXISTS: &str = "A user with this email address has already been registered";

impl AuthState {
    /// Returns the user who has the identity of this profile.
    fn owner_of(&self, profile: &Profile) -> Option<&User> {
        let provider = profile.provider.name();
        self.users.values().find(|user| {
            user.identities.iter().any(|identity| {
                identity.provider == provider && identity.provider_id == profile.subject
            })
        })
    }

    /// Returns the user of a provider's profile: by identity, else by verified email address, else a
    /// new user.
    ///
    /// # Errors
    /// 422 `signup_disabled` if a new user would be needed and sign-up is disabled, 403
    /// `user_banned`.
    pub(crate) fn sign_in_with_provider(
        &mut self,
        profile: &Profile,
        metadata: Map<String, Value>,
        rules: SignInRules,
        now: Timestamp,
    ) -> Result<Uuid, AuthApiError> {
        let provider = profile.provider.name();
        let known = self.owner_of(profile).map(|user| user.id);
        let linked = || {
            self.user_by_email(&profile.email)
                .filter(|_| profile.email_verified)
                .map(|user| user.id)
        };
        let id = match known.or_else(linked) {
            Some(id) => id,
            None if !rules.can_sign_up => {
                return Err(AuthApiError::new(
                    422,
                    "signup_disabled",
                    "Signups not allowed for this instance",
                ));
            }
            None => {
                // An unverified address that belongs to another user is not assigned twice.
                let email = if self.user_by_email(&profile.email).is_some() {
                    ""
                } else {
                    profile.email.as_str()
                };
                let mut user = User::new(email, Map::new(), now);
                user.is_anonymous = false;
                self.add_user(user)
            }
        };
        let Some(user) = self.user_mut(id) else {
            return Err(AuthApiError::new(
                500,
                "unexpected_failure",
                "User not found",
            ));
        };
        if user.banned {
            return Err(AuthApiError::new(403, "user_banned", "User is banned"));
        }
        let is_trusted = profile.email_verified || rules.confirms_addresses;
        if is_trusted && user.email == profile.email {
            user.drop_unconfirmed_identities();
            user.confirm_email(now);
        }
        user.user_metadata.extend(metadata.clone());
        user.upsert_identity(provider, &profile.subject, metadata, now);
        user.updated_at = now.millis();
        Ok(id)
    }

    /// Links a provider's identity to a user.
    ///
    /// # Errors
    /// 422 `identity_already_exists` if a user has it, 400 `email_exists` if a user without an address
    /// would get that of another user, 403 `user_not_found`, `user_banned`.
    pub(crate) fn link_identity(
        &mut self,
        user_id: Uuid,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Uuid, AuthApiError> {
        let provider = profile.provider.name();
        if let Some(owner) = self.owner_of(profile) {
            let message = if owner.id == user_id {
                "Identity is already linked"
            } else {
                "Identity is already linked to another user"
            };
            return Err(AuthApiError::new(422, "identity_already_exists", message));
        }
        let is_taken = self.user_by_email(&profile.email).is_some();
        let user = self.user_mut(user_id).ok_or(AuthApiError::new(
            403,
            "user_not_found",
            "User not found",
        ))?;
        if user.banned {
            return Err(AuthApiError::new(403, "user_banned", "User is banned"));
        }
        if user.email.is_empty() {
            if is_taken {
                return Err(AuthApiError::new(400, "email_exists", EMAIL_EXISTS));
            }
            profile.email.clone_into(&mut user.email);
            user.is_anonymous = false;
            user.confirm_email(now);
        }
        user.upsert_identity(provider, &profile.subject, profile.metadata(), now);
        user.updated_at = now.millis();
        Ok(user_id)
    }

    /// Removes an identity of a user. If no other one has the user's address, the user gets that of
    /// the oldest one, with a verified address first.
    ///
    /// # Errors
    /// 422 `single_identity_not_deletable`, `identity_not_found`,
    /// `email_conflict_identity_not_deletable`.
    pub(crate) fn unlink_identity(
        &mut self,
        user_id: Uuid,
        identity_id: Uuid,
        now: Timestamp,
    ) -> Result<(), AuthApiError> {
        let identities = self.user(user_id).map(|user| user.identities.as_slice());
        let identities = identities.unwrap_or_default();
        if identities.len() <= 1 {
            return Err(AuthApiError::new(
                422,
                "single_identity_not_deletable",
                "User must have at least 1 identity after unlinking",
            ));
        }
        if !identities.iter().any(|identity| identity.id == identity_id) {
            return Err(AuthApiError::new(
                422,
                "identity_not_found",
                "Identity doesn't exist",
            ));
        }
        let mut others: Vec<&Identity> = identities
            .iter()
            .filter(|identity| identity.id != identity_id)
            .collect();
        others.sort_by_key(|identity| (!identity.is_email_verified(), identity.created_at));
        let email = self.user(user_id).map(|user| user.email.as_str());
        let has_email = others
            .iter()
            .any(|identity| Some(identity.email()) == email);
        let is_free = |email: &&str| {
            self.user_by_email(email)
                .is_none_or(|user| user.id == user_id)
        };
        let new_email = if has_email {
            None
        } else {
            let mut emails = others.iter().map(|identity| identity.email());
            let free = emails.find(is_free).ok_or(AuthApiError::new(
                422,
                "email_conflict_identity_not_deletable",
                "Unable to unlink identity due to email conflict",
            ))?;
            Some(free.to_owned())
        };
        let changes_email = new_email.is_some();
        if let Some(user) = self.user_mut(user_id) {
            user.identities
                .retain(|identity| identity.id != identity_id);
            if let Some(email) = new_email {
                user.email = email;
                user.clear_pending_changes();
            }
            user.update_providers();
            user.updated_at = now.millis();
        }
        if changes_email {
            self.invalidate_mails(|mail| mail.user_id == user_id);
        }
        Ok(())
    }
}
