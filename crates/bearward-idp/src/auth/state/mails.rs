//! The inbox: mails are sent, limited, used and invalidated.

use std::{borrow::Cow, time::Duration};

use bearward::Timestamp;
use uuid::Uuid;

use super::{AuthState, DocumentKind};
use crate::auth::{
    error::AuthApiError,
    mail::{Mail, MailKind},
};

/// The outcome of [`AuthState::apply_mail`].
pub(crate) enum AppliedMail {
    /// The user is signed in.
    SignedIn(Uuid),
    /// The mail to the other address must be confirmed too.
    HalfConfirmed,
}

/// Number of mails in the inbox; the oldest is dropped first.
const MAX_MAILS: usize = 500;

impl AuthState {
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

    pub(super) fn invalidate_mails(&mut self, matches: impl Fn(&Mail) -> bool) {
        for mail in self.mails.values_mut() {
            if !mail.is_used && matches(mail) {
                mail.is_used = true;
                self.dirty.insert((DocumentKind::Mail, mail.id));
            }
        }
    }

    pub(crate) fn delete_mails(&mut self) {
        let mails = std::mem::take(&mut self.mails);
        self.dirty
            .extend(mails.into_keys().map(|id| (DocumentKind::Mail, id)));
    }
}
