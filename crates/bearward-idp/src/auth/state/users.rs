//! Users: looked up, added, banned and deleted.

use uuid::Uuid;

use super::{AuthState, DocumentKind};
use crate::auth::{back_channel::Logout, user::User};

impl AuthState {
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

    /// Sets the password of a user. Mails that were sent before, and a change of the address that is
    /// not confirmed, become invalid.
    pub(crate) fn set_password(&mut self, user_id: Uuid, hash: String) {
        if let Some(user) = self.user_mut(user_id) {
            user.password = Some(hash);
            user.clear_pending_changes();
        }
        self.invalidate_mails(|mail| mail.user_id == user_id);
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
}
