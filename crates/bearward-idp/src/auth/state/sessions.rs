//! Sessions: created, refreshed and ended.

use bearward::Timestamp;
use uuid::Uuid;

use super::{AuthState, DocumentKind};
use crate::auth::{
    back_channel::Logout,
    error::AuthApiError,
    session::{ClientGrant, RefreshOutcome, RefreshTokenParts, Session},
};

/// The outcome of [`AuthState::refresh_session`].
pub(crate) struct RefreshedSession {
    pub(crate) id: Uuid,
    /// Why a token that was used before was accepted again.
    pub(crate) reuse_cause: Option<&'static str>,
}

const REFRESH_TOKEN_NOT_FOUND: AuthApiError = AuthApiError::new(
    400,
    "refresh_token_not_found",
    "Invalid Refresh Token: Refresh Token Not Found",
);

impl AuthState {
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
}
