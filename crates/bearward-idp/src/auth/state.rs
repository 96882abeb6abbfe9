//! The state of the auth API. Its methods take the time as an argument; changes are collected for
//! the data file.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bearward::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    back_channel::Logout,
    error::AuthApiError,
    flow::{self, Flow},
    mail::{Mail, MailKind},
    mfa::Challenge,
    oauth_server::{Authorizations, OAuthClient},
    profile::Profile,
    session::{ClientGrant, RefreshOutcome, RefreshTokenParts, Session},
    stored_keys::StoredKeyRing,
    user::{Identity, User},
};

/// Users, sessions, mails, sign-in flows, OAuth clients and key rings.
#[derive(Default)]
pub(crate) struct AuthState {
    users: BTreeMap<Uuid, User>,
    sessions: BTreeMap<Uuid, Session>,
    mails: BTreeMap<Uuid, Mail>,
    flows: BTreeMap<Uuid, Flow>,
    challenges: BTreeMap<Uuid, Challenge>,
    rings: BTreeMap<Uuid, StoredKeyRing>,
    clients: BTreeMap<Uuid, OAuthClient>,
    pub(crate) authorizations: Authorizations,
    dirty: BTreeSet<(DocumentKind, Uuid)>,
    /// What has ended since the last call of [`take_logouts`](AuthState::take_logouts).
    logouts: Vec<Logout>,
}

/// The rules of a sign-in with a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignInRules {
    /// Whether a new user may be created.
    pub(crate) can_sign_up: bool,
    /// Whether an address that the provider has not verified counts as confirmed.
    pub(crate) confirms_addresses: bool,
}

/// The outcome of [`AuthState::refresh_session`].
pub(crate) struct RefreshedSession {
    pub(crate) id: Uuid,
    /// Why a token that was used before was accepted again.
    pub(crate) reuse_cause: Option<&'static str>,
}

/// The outcome of [`AuthState::apply_mail`].
pub(crate) enum AppliedMail {
    /// The user is signed in.
    SignedIn(Uuid),
    /// The mail to the other address must be confirmed too.
    HalfConfirmed,
}

/// The kind of a stored document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DocumentKind {
    User,
    Session,
    Mail,
    Ring,
    Client,
}

/// A changed document. `body` is `None` if the document was deleted.
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
    pub(crate) body: Option<String>,
}

/// Number of mails in the inbox; the oldest is dropped first.
const MAX_MAILS: usize = 500;

/// Number of sign-in flows; the oldest is dropped first.
const MAX_FLOWS: usize = 10_000;

/// Number of MFA challenges; over it, expired ones are dropped, and then all.
const MAX_CHALLENGES: usize = 10_000;

/// Number of OAuth clients; the oldest is dropped first, with its sessions.
pub(crate) const MAX_CLIENTS: usize = 1000;

/// The message of the code `email_exists`.
pub(crate) const EMAIL_EXISTS: &str = "A user with this email address has already been registered";

const REFRESH_TOKEN_NOT_FOUND: AuthApiError = AuthApiError::new(
    400,
    "refresh_token_not_found",
    "Invalid Refresh Token: Refresh Token Not Found",
);

impl DocumentKind {
    const ALL: [Self; 5] = [
        Self::User,
        Self::Session,
        Self::Mail,
        Self::Ring,
        Self::Client,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Mail => "mail",
            Self::Ring => "ring",
            Self::Client => "client",
        }
    }
}

impl AuthState {
    /// Adds a stored document. Returns `false` if it cannot be parsed.
    pub(crate) fn restore(&mut self, kind: &str, id: Uuid, body: &str) -> bool {
        fn put<T: DeserializeOwned>(into: &mut BTreeMap<Uuid, T>, id: Uuid, body: &str) -> bool {
            serde_json::from_str(body)
                .map(|document| into.insert(id, document))
                .is_ok()
        }
        match DocumentKind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
        {
            Some(DocumentKind::User) => put(&mut self.users, id, body),
            Some(DocumentKind::Session) => put(&mut self.sessions, id, body),
            Some(DocumentKind::Mail) => put(&mut self.mails, id, body),
            Some(DocumentKind::Ring) => put(&mut self.rings, id, body),
            Some(DocumentKind::Client) => put(&mut self.clients, id, body),
            None => false,
        }
    }

    /// Returns the documents that changed since the last call.
    pub(crate) fn drain_changes(&mut self) -> Vec<Change> {
        fn write<T: Serialize>(documents: &BTreeMap<Uuid, T>, id: Uuid) -> Option<String> {
            serde_json::to_string(documents.get(&id)?).ok()
        }
        let dirty = std::mem::take(&mut self.dirty);
        let changes = dirty.into_iter().map(|(kind, id)| {
            let body = match kind {
                DocumentKind::User => write(&self.users, id),
                DocumentKind::Session => write(&self.sessions, id),
                DocumentKind::Mail => write(&self.mails, id),
                DocumentKind::Ring => write(&self.rings, id),
                DocumentKind::Client => write(&self.clients, id),
            };
            Change {
                kind: kind.name(),
                id,
                body,
            }
        });
        changes.collect()
    }

    pub(crate) fn discard_changes(&mut self) {
        self.dirty.clear();
    }

    /// Returns what has ended since the last call.
    pub(crate) fn take_logouts(&mut self) -> Vec<Logout> {
        std::mem::take(&mut self.logouts)
    }

    /// Bans a user, or removes the ban. A banned user is signed out everywhere.
    pub(crate) fn set_banned(&mut self, id: Uuid, banned: bool) {
        let Some(user) = self.user_mut(id) else {
            return;
        };
        let is_new = banned && !user.banned;
        user.banned = banned;
        if is_new {
            self.logouts.push(Logout::User(id));
        }
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    pub(crate) fn user(&self, id: Uuid) -> Option<&User> {
        self.users.get(&id)
    }

    pub(crate) fn user_mut(&mut self, id: Uuid) -> Option<&mut User> {
        self.dirty.insert((DocumentKind::User, id));
        self.users.get_mut(&id)
    }

    pub(crate) fn user_by_email(&self, email: &str) -> Option<&User> {
        self.users
            .values()
            .find(|user| !email.is_empty() && user.email == email)
    }

    pub(crate) fn add_user(&mut self, user: User) -> Uuid {
        let id = user.id;
        self.dirty.insert((DocumentKind::User, id));
        self.users.insert(id, user);
        id
    }

    /// Deletes a user with their sessions and mails. Returns `false` if the user does not exist.
    pub(crate) fn delete_user(&mut self, id: Uuid) -> bool {
        self.revoke_sessions(|session| session.user_id == id);
        let mails: Vec<Uuid> = self
            .mails
            .values()
            .filter(|mail| mail.user_id == id)
            .map(|mail| mail.id)
            .collect();
        for mail in mails {
            self.dirty.insert((DocumentKind::Mail, mail));
            self.mails.remove(&mail);
        }
        self.dirty.insert((DocumentKind::User, id));
        let is_deleted = self.users.remove(&id).is_some();
        if is_deleted {
            self.logouts.push(Logout::User(id));
        }
        is_deleted
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
        let has = |user: &&User| {
            let mut identities = user.identities.iter();
            identities.any(|identity| {
                identity.provider == provider && identity.provider_id == profile.subject
            })
        };
        let known = self.users.values().find(has).map(|user| user.id);
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
        let owner = self.users.values().find(|user| {
            user.identities.iter().any(|identity| {
                identity.provider == provider && identity.provider_id == profile.subject
            })
        });
        if let Some(owner) = owner {
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

    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    pub(crate) fn session(&self, id: Uuid) -> Option<&Session> {
        self.sessions.get(&id)
    }

    /// Creates a session; `method` is its `amr` entry.
    pub(crate) fn create_session(&mut self, user_id: Uuid, method: &str, now: Timestamp) -> Uuid {
        if let Some(user) = self.user_mut(user_id) {
            user.last_sign_in_at = Some(now.millis());
        }
        self.add_session(Session::new(user_id, method, now))
    }

    /// Creates a session of an OAuth client.
    pub(crate) fn create_client_session(
        &mut self,
        user_id: Uuid,
        method: &str,
        grant: ClientGrant,
        now: Timestamp,
    ) -> Uuid {
        self.add_session(Session::new(user_id, method, now).for_client(grant))
    }

    fn add_session(&mut self, session: Session) -> Uuid {
        let id = session.id;
        self.dirty.insert((DocumentKind::Session, id));
        self.sessions.insert(id, session);
        id
    }

    /// Deletes the matching sessions.
    pub(crate) fn revoke_sessions(&mut self, matches: impl Fn(&Session) -> bool) {
        let ended: Vec<Uuid> = self
            .sessions
            .values()
            .filter(|session| matches(session))
            .map(|session| session.id)
            .collect();
        for id in ended {
            self.end_session(id);
        }
    }

    fn end_session(&mut self, id: Uuid) {
        self.dirty.insert((DocumentKind::Session, id));
        if let Some(session) = self.sessions.remove(&id) {
            let user_id = session.user_id;
            self.logouts.push(Logout::Session { id, user_id });
        }
    }

    pub(crate) fn client(&self, id: Uuid) -> Option<&OAuthClient> {
        self.clients.get(&id)
    }

    /// Adds an OAuth client. Over [`MAX_CLIENTS`] the oldest one is removed with its sessions.
    pub(crate) fn add_client(&mut self, client: OAuthClient) {
        let oldest = self
            .clients
            .values()
            .min_by_key(|client| client.created_at());
        let oldest = oldest
            .map(|client| client.id)
            .filter(|_| self.clients.len() >= MAX_CLIENTS);
        if let Some(oldest) = oldest {
            self.revoke_sessions(|session| session.client_id() == Some(oldest));
            self.clients.remove(&oldest);
            self.dirty.insert((DocumentKind::Client, oldest));
        }
        self.dirty.insert((DocumentKind::Client, client.id));
        self.clients.insert(client.id, client);
    }

    /// Returns the grant of the session that a refresh token names. The token is not verified.
    ///
    /// # Errors
    /// 400 `refresh_token_not_found` if the session does not exist or is not of this client.
    pub(crate) fn client_grant(
        &self,
        refresh_token: &str,
        client_id: Uuid,
    ) -> Result<ClientGrant, AuthApiError> {
        RefreshTokenParts::parse(refresh_token)
            .and_then(|parts| self.sessions.get(&parts.session_id)?.client.clone())
            .filter(|grant| grant.client_id == client_id)
            .ok_or(REFRESH_TOKEN_NOT_FOUND)
    }

    /// Rotates a refresh token and returns its session. Reuse of an old token revokes the session.
    /// `client_id` is the OAuth client that presents the token; the session must be of this client.
    ///
    /// # Errors
    /// 400 `validation_failed` for a malformed token, `refresh_token_not_found`,
    /// `refresh_token_already_used`, `session_not_found`, `user_banned`.
    pub(crate) fn refresh_session(
        &mut self,
        token: &str,
        client_id: Option<Uuid>,
        now: Timestamp,
    ) -> Result<RefreshedSession, AuthApiError> {
        let unknown = REFRESH_TOKEN_NOT_FOUND;
        let id = match RefreshTokenParts::parse(token) {
            Some(parts) => parts.session_id,
            // The length of the refresh tokens of version 1.
            None if token.len() == 12 && token.bytes().all(|it| it.is_ascii_alphanumeric()) => {
                return Err(unknown);
            }
            None => return Err(AuthApiError::invalid("Refresh token is not valid")),
        };
        let Some(session) = self
            .sessions
            .get_mut(&id)
            .filter(|session| session.client_id() == client_id)
        else {
            return Err(unknown);
        };
        let Some(user) = self.users.get(&session.user_id) else {
            return Err(AuthApiError::new(
                400,
                "session_not_found",
                "Invalid Refresh Token: No Valid Session Found",
            ));
        };
        let is_banned = user.banned;
        self.dirty.insert((DocumentKind::Session, id));
        match session.refresh(token, now) {
            None => Err(unknown),
            Some(_) if is_banned => Err(AuthApiError::new(
                400,
                "user_banned",
                "Invalid Refresh Token: User Banned",
            )),
            Some(RefreshOutcome::Rotated) => Ok(RefreshedSession {
                id,
                reuse_cause: None,
            }),
            Some(RefreshOutcome::Reused(cause)) => Ok(RefreshedSession {
                id,
                reuse_cause: Some(cause),
            }),
            Some(RefreshOutcome::ReuseDetected) => {
                self.end_session(id);
                Err(AuthApiError::new(
                    400,
                    "refresh_token_already_used",
                    "Invalid Refresh Token: Already Used",
                ))
            }
        }
    }

    /// Returns the mails, newest first.
    pub(crate) fn mails(&self) -> Vec<&Mail> {
        let mut mails: Vec<&Mail> = self.mails.values().collect();
        mails.sort_by_key(|mail| (std::cmp::Reverse(mail.sent_at), mail.id));
        mails
    }

    /// Checks that a mail of this kind may be sent to a user.
    ///
    /// # Errors
    /// 429 `over_email_send_rate_limit` within the interval of the last one.
    pub(crate) fn check_mail_interval(
        &mut self,
        user_id: Uuid,
        kind: MailKind,
        interval: Duration,
        now: Timestamp,
    ) -> Result<(), AuthApiError> {
        let Some(sent_at) = self
            .users
            .get_mut(&user_id)
            .and_then(|user| *user.mail_sent_at(kind))
        else {
            return Ok(());
        };
        let left = Timestamp::from_millis(sent_at).plus(interval).millis() - now.millis();
        if left <= 0 {
            return Ok(());
        }
        let message = format!(
            "For security purposes, you can only request this after {} seconds.",
            left / 1000
        );
        Err(AuthApiError::Plain(
            429,
            "over_email_send_rate_limit",
            Cow::Owned(message),
        ))
    }

    /// Sends a mail and records its time in the user.
    ///
    /// # Errors
    /// 429 `over_email_send_rate_limit` within the interval of the last mail of the kind.
    pub(crate) fn send_mail(
        &mut self,
        mail: Mail,
        interval: Duration,
        now: Timestamp,
    ) -> Result<(), AuthApiError> {
        self.check_mail_interval(mail.user_id, mail.kind, interval, now)?;
        if let Some(user) = self.user_mut(mail.user_id) {
            *user.mail_sent_at(mail.kind) = Some(now.millis());
        }
        self.deliver(mail);
        Ok(())
    }

    /// Starts a change of the address: sends a mail to the new address and, if there is one, to the
    /// current address.
    ///
    /// # Errors
    /// 429 `over_email_send_rate_limit` within the interval of the last change.
    pub(crate) fn send_email_change(
        &mut self,
        user_id: Uuid,
        new_email: &str,
        mail_to: impl Fn(&str) -> Mail,
        interval: Duration,
        now: Timestamp,
    ) -> Result<(), AuthApiError> {
        self.check_mail_interval(user_id, MailKind::EmailChange, interval, now)?;
        let Some(user) = self.user_mut(user_id) else {
            return Ok(());
        };
        user.new_email = Some(new_email.to_owned());
        user.email_change_sent_at = Some(now.millis());
        user.is_email_change_half_confirmed = false;
        let current = user.email.clone();
        self.invalidate_mails(|mail| mail.user_id == user_id && mail.kind == MailKind::EmailChange);
        if !current.is_empty() {
            self.deliver(mail_to(&current));
        }
        self.deliver(mail_to(new_email));
        Ok(())
    }

    /// Sets the password of a user. Mails that were sent before, and a change of the address that is
    /// not confirmed, become invalid.
    pub(crate) fn set_password(&mut self, user_id: Uuid, hash: String) {
        if let Some(user) = self.user_mut(user_id) {
            user.password = Some(hash);
            user.clear_pending_changes();
        }
        self.invalidate_mails(|mail| mail.user_id == user_id);
    }

    fn invalidate_mails(&mut self, matches: impl Fn(&Mail) -> bool) {
        for mail in self.mails.values_mut() {
            if !mail.is_used && matches(mail) {
                mail.is_used = true;
                self.dirty.insert((DocumentKind::Mail, mail.id));
            }
        }
    }

    /// Adds a mail to the inbox and invalidates earlier mails of the same kind to the same address.
    fn deliver(&mut self, mail: Mail) {
        let is_superseded = |old: &&mut Mail| {
            old.user_id == mail.user_id
                && old.to == mail.to
                && old.kind.is_superseded_by(mail.kind)
                && !old.is_used
        };
        for old in self.mails.values_mut().filter(is_superseded) {
            old.is_used = true;
            self.dirty.insert((DocumentKind::Mail, old.id));
        }
        let oldest = self
            .mails
            .values()
            .min_by_key(|mail| mail.sent_at)
            .map(|mail| mail.id);
        if let Some(oldest) = oldest.filter(|_| self.mails.len() >= MAX_MAILS) {
            self.mails.remove(&oldest);
            self.dirty.insert((DocumentKind::Mail, oldest));
        }
        self.dirty.insert((DocumentKind::Mail, mail.id));
        self.mails.insert(mail.id, mail);
    }

    pub(crate) fn delete_mails(&mut self) {
        let mails = std::mem::take(&mut self.mails);
        self.dirty
            .extend(mails.into_keys().map(|id| (DocumentKind::Mail, id)));
    }

    /// Marks the first usable mail that matches as used, and returns it.
    pub(crate) fn consume_mail(
        &mut self,
        now: Timestamp,
        matches: impl Fn(&mut Mail) -> bool,
    ) -> Option<Mail> {
        for mail in self.mails.values_mut().filter(|mail| mail.is_usable(now)) {
            let is_match = matches(mail);
            self.dirty.insert((DocumentKind::Mail, mail.id));
            if is_match {
                mail.is_used = true;
                return Some(mail.clone());
            }
        }
        None
    }

    /// Applies a used mail: confirms the address, or changes it. With `needs_both`, a change of the
    /// address takes effect when both of its mails are confirmed.
    ///
    /// # Errors
    /// 403 `otp_expired` if the user was deleted or the new address is no longer valid, 403
    /// `user_banned`.
    pub(crate) fn apply_mail(
        &mut self,
        mail: &Mail,
        needs_both: bool,
        now: Timestamp,
    ) -> Result<AppliedMail, AuthApiError> {
        let expired = AuthApiError::new(403, "otp_expired", "Email link is invalid or has expired");
        let new_email = self
            .user(mail.user_id)
            .and_then(|user| user.new_email.clone())
            .filter(|_| mail.kind == MailKind::EmailChange);
        let is_taken = new_email.as_deref().is_some_and(|email| {
            self.user_by_email(email)
                .is_some_and(|other| other.id != mail.user_id)
        });
        let user = self.user_mut(mail.user_id).ok_or(expired.clone())?;
        if user.banned {
            return Err(AuthApiError::new(403, "user_banned", "User is banned"));
        }
        match mail.kind {
            MailKind::EmailChange => {
                let new_email = new_email.filter(|new_email| {
                    !is_taken && (mail.to == *new_email || mail.to == user.email)
                });
                let new_email = new_email.ok_or(expired)?;
                let is_first = needs_both && !user.is_email_change_half_confirmed;
                if is_first && !user.email.is_empty() {
                    user.is_email_change_half_confirmed = true;
                    return Ok(AppliedMail::HalfConfirmed);
                }
                user.change_email(&new_email, now);
            }
            MailKind::Signup => {
                user.confirm_email(now);
                user.verify_email_identity();
            }
            _ => user.confirm_email(now),
        }
        user.update_providers();
        user.updated_at = now.millis();
        if mail.kind == MailKind::EmailChange {
            self.invalidate_mails(|other| {
                other.user_id == mail.user_id && other.kind == MailKind::EmailChange
            });
        }
        Ok(AppliedMail::SignedIn(mail.user_id))
    }

    /// Adds an MFA challenge, and removes the expired ones.
    pub(crate) fn add_challenge(&mut self, challenge: Challenge, now: Timestamp) {
        if self.challenges.len() >= MAX_CHALLENGES {
            self.challenges.retain(|_, old| !old.is_expired(now));
        }
        if self.challenges.len() >= MAX_CHALLENGES {
            self.challenges.clear();
        }
        self.challenges.insert(challenge.id, challenge);
    }

    pub(crate) fn challenge_mut(&mut self, id: Uuid) -> Option<&mut Challenge> {
        self.challenges.get_mut(&id)
    }

    /// Raises a session to AAL2.
    pub(crate) fn add_second_factor(&mut self, session_id: Uuid, factor_id: Uuid, now: Timestamp) {
        self.dirty.insert((DocumentKind::Session, session_id));
        if let Some(session) = self.sessions.get_mut(&session_id) {
            session.add_second_factor(factor_id, now);
        }
    }

    /// Lowers the sessions of a removed factor to AAL1, and removes its challenges.
    pub(crate) fn remove_second_factor(&mut self, factor_id: Uuid) {
        self.challenges
            .retain(|_, challenge| challenge.factor_id != factor_id);
        for session in self.sessions.values_mut() {
            if session.remove_second_factor(factor_id) {
                self.dirty.insert((DocumentKind::Session, session.id));
            }
        }
    }

    pub(crate) fn key_ring(&self, id: Uuid) -> Option<&StoredKeyRing> {
        self.rings.get(&id)
    }

    pub(crate) fn store_key_ring(&mut self, id: Uuid, ring: StoredKeyRing) {
        self.dirty.insert((DocumentKind::Ring, id));
        self.rings.insert(id, ring);
    }

    pub(crate) fn flow(&self, id: Uuid) -> Option<&Flow> {
        self.flows.get(&id)
    }

    pub(crate) fn flow_mut(&mut self, id: Uuid) -> Option<&mut Flow> {
        self.flows.get_mut(&id)
    }

    pub(crate) fn take_flow(&mut self, id: Uuid) -> Option<Flow> {
        self.flows.remove(&id)
    }

    pub(crate) fn start_flow(&mut self, flow: Flow, now: Timestamp) {
        self.flows
            .retain(|_, flow| now.millis() - flow.created_at <= flow::RETENTION_SECONDS * 1000);
        if self.flows.len() >= MAX_FLOWS {
            let oldest = self
                .flows
                .values()
                .min_by_key(|flow| flow.created_at)
                .map(|flow| flow.id);
            oldest.and_then(|oldest| self.flows.remove(&oldest));
        }
        self.flows.insert(flow.id, flow);
    }

    /// Returns the flow that issued this code.
    pub(crate) fn flow_by_code(&self, code: &str) -> Option<&Flow> {
        self.flows.values().find(|flow| flow.matches_code(code))
    }
}
