//! A captured mail, with its link and one-time code.

use bearward::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{flow::PkceChallenge, random};

/// Lifetime of a link and its code.
const LIFETIME_SECONDS: i64 = 3600;

/// Number of wrong codes after which a mail is invalid, so that six digits cannot be guessed.
const MAX_WRONG_CODES: u8 = 10;

/// A captured mail.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mail {
    pub(crate) id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) to: String,
    pub(crate) kind: MailKind,
    /// The token in the link. With the prefix `pkce_` the link yields a code instead of a session.
    pub(crate) token_hash: String,
    pub(crate) code: String,
    pub(crate) redirect: String,
    pub(crate) challenge: Option<PkceChallenge>,
    pub(crate) sent_at: i64,
    /// Whether the link or code was used, or a later mail replaced it.
    pub(crate) is_used: bool,
    wrong_codes: u8,
}

/// The purpose of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MailKind {
    Signup,
    Recovery,
    MagicLink,
    EmailChange,
    Reauthentication,
}

impl MailKind {
    /// The `type` parameter of links and requests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Recovery => "recovery",
            Self::MagicLink => "magiclink",
            Self::EmailChange => "email_change",
            Self::Reauthentication => "reauthentication",
        }
    }

    pub(crate) fn subject(self) -> &'static str {
        match self {
            Self::Signup => "Confirm your sign-up",
            Self::Recovery => "Reset your password",
            Self::MagicLink => "Your magic link",
            Self::EmailChange => "Confirm the change of your email address",
            Self::Reauthentication => "Confirm a change of your password",
        }
    }

    /// Whether a request with this `type` can use the mail. As in the hosted service, recovery and
    /// magic-link mails are interchangeable.
    pub(crate) fn matches_type(self, name: &str) -> bool {
        match self {
            Self::Signup => matches!(name, "signup" | "invite" | "email"),
            Self::Recovery | Self::MagicLink => matches!(name, "recovery" | "magiclink" | "email"),
            Self::EmailChange => name == "email_change",
            Self::Reauthentication => false,
        }
    }

    /// Whether a later mail of the other kind invalidates this one.
    pub(crate) fn is_superseded_by(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::Recovery, Self::MagicLink) | (Self::MagicLink, Self::Recovery)
            )
    }
}

impl Mail {
    pub(crate) fn new(
        user_id: Uuid,
        to: &str,
        kind: MailKind,
        redirect: &Url,
        challenge: Option<PkceChallenge>,
        now: Timestamp,
    ) -> Self {
        let prefix = if challenge.is_some() { "pkce_" } else { "" };
        Self {
            id: Uuid::new_v4(),
            user_id,
            to: to.to_owned(),
            kind,
            token_hash: format!("{prefix}{}", random::hexadecimal::<28>()),
            code: random::otp_code(),
            redirect: redirect.to_string(),
            challenge,
            sent_at: now.millis(),
            is_used: false,
            wrong_codes: 0,
        }
    }

    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        !self.is_used && now.millis() - self.sent_at <= LIFETIME_SECONDS * 1000
    }

    /// Compares a code in constant time. The tenth wrong code invalidates the mail.
    pub(crate) fn check_code(&mut self, code: &str) -> bool {
        let is_correct = random::constant_time_eq(code, &self.code);
        if !is_correct {
            self.wrong_codes += 1;
            self.is_used = self.wrong_codes >= MAX_WRONG_CODES;
        }
        is_correct
    }

    /// Returns the verification link; a mail for reauthentication has only a code.
    pub(crate) fn link(&self, issuer: &str) -> Option<String> {
        if self.kind == MailKind::Reauthentication {
            return None;
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("token", &self.token_hash)
            .append_pair("type", self.kind.name());
        query.append_pair("redirect_to", &self.redirect);
        Some(format!("{issuer}/verify?{}", query.finish()))
    }

    pub(crate) fn json(&self, issuer: &str) -> Value {
        json!({
            "id": self.id, "to": self.to, "type": self.kind.name(), "subject": self.kind.subject(), "link": self.link(issuer),
            "token_hash": self.token_hash, "code": self.code, "sent_at": Timestamp::from_millis(self.sent_at).to_string(),
            "used": self.is_used,
        })
    }
}
