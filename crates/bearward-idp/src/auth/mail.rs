//! A mail that the development IdP would have sent, with the link and the code in it.

use bearward::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{flow::PkceChallenge, random};

/// A link and its code are good for an hour.
const LIFETIME_SECONDS: i64 = 3600;

/// A code of six digits dies before it can be guessed.
const MAX_WRONG_CODES: u8 = 10;

/// One mail.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Mail {
    pub(super) id: Uuid,
    pub(super) person: Uuid,
    pub(super) to: String,
    pub(super) kind: MailKind,
    /// What is in the link. With `pkce_` before it, the link leads to a code instead of a session.
    pub(super) token_hash: String,
    pub(super) code: String,
    pub(super) redirect: String,
    pub(super) challenge: Option<PkceChallenge>,
    pub(super) sent_at: i64,
    /// Followed, typed in, or replaced by a later mail.
    pub(super) is_spent: bool,
    wrong_codes: u8,
}

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum MailKind {
    Signup,
    Recovery,
    MagicLink,
    EmailChange,
}

impl MailKind {
    /// `type` in links and in the client.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Recovery => "recovery",
            Self::MagicLink => "magiclink",
            Self::EmailChange => "email_change",
        }
    }

    pub(super) fn subject(self) -> &'static str {
        match self {
            Self::Signup => "Confirm your sign-up",
            Self::Recovery => "Reset your password",
            Self::MagicLink => "Your magic link",
            Self::EmailChange => "Confirm your new email address",
        }
    }

    /// Whether a mail of this kind answers to that `type`. Recovery and magic links are one to the
    /// hosted service.
    pub(super) fn answers_to(self, name: &str) -> bool {
        match self {
            Self::Signup => matches!(name, "signup" | "invite" | "email"),
            Self::Recovery | Self::MagicLink => matches!(name, "recovery" | "magiclink" | "email"),
            Self::EmailChange => name == "email_change",
        }
    }

    /// Whether a later mail of the other kind puts this one out of use.
    pub(super) fn is_replaced_by(self, other: Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::Recovery, Self::MagicLink) | (Self::MagicLink, Self::Recovery)
            )
    }
}

impl Mail {
    pub(super) fn new(
        person: Uuid,
        to: &str,
        kind: MailKind,
        redirect: &Url,
        challenge: Option<PkceChallenge>,
        now: Timestamp,
    ) -> Self {
        let prefix = if challenge.is_some() { "pkce_" } else { "" };
        Self {
            id: Uuid::new_v4(),
            person,
            to: to.to_owned(),
            kind,
            token_hash: format!("{prefix}{}", random::secret::<28>()),
            code: random::digits(),
            redirect: redirect.to_string(),
            challenge,
            sent_at: now.millis(),
            is_spent: false,
            wrong_codes: 0,
        }
    }

    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        !self.is_spent && now.millis() - self.sent_at <= LIFETIME_SECONDS * 1000
    }

    /// Compares what somebody typed; the tenth wrong code ends it.
    pub(super) fn is_answered_by(&mut self, code: &str) -> bool {
        let right = random::same(code, &self.code);
        if !right {
            self.wrong_codes += 1;
            self.is_spent = self.wrong_codes >= MAX_WRONG_CODES;
        }
        right
    }

    /// The link, under the issuer's address.
    pub(super) fn link(&self, issuer: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("token", &self.token_hash)
            .append_pair("type", self.kind.name());
        query.append_pair("redirect_to", &self.redirect);
        format!("{issuer}/verify?{}", query.finish())
    }

    pub(super) fn json(&self, issuer: &str) -> Value {
        json!({
            "id": self.id, "to": self.to, "type": self.kind.name(), "subject": self.kind.subject(), "link": self.link(issuer),
            "token_hash": self.token_hash, "code": self.code, "sent_at": Timestamp::from_millis(self.sent_at).to_string(),
            "used": self.is_spent,
        })
    }
}
