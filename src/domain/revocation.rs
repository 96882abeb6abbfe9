//! Entries of the revocation list as they are stored and shown to administrators.

use bearward::{Revocation, RevocationKind, Timestamp};
use serde::{Serialize, Serializer};
use time::{OffsetDateTime, PrimitiveDateTime};
use uuid::Uuid;

use super::subject_hash::hash_parts;

/// Why an entry was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// The user has signed out.
    SignOut,
    /// The identity provider has reported a sign-out.
    BackchannelLogout,
    /// The user has deleted the account.
    AccountDeleted,
    /// An administrator has disabled the account.
    AccountDisabled,
    /// An administrator has added the entry.
    Administrator,
}

impl RevocationReason {
    const ALL: [Self; 5] = [
        Self::SignOut,
        Self::BackchannelLogout,
        Self::AccountDeleted,
        Self::AccountDisabled,
        Self::Administrator,
    ];

    /// Returns the name, which is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignOut => "sign_out",
            Self::BackchannelLogout => "backchannel_logout",
            Self::AccountDeleted => "account_deleted",
            Self::AccountDisabled => "account_disabled",
            Self::Administrator => "administrator",
        }
    }

    /// Returns the reason with this name. A reason of a newer version is an administrator's.
    pub(crate) fn from_name(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.name() == name)
            .unwrap_or(Self::Administrator)
    }
}

/// A stored entry of the revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RevocationEntry {
    /// Identifies the entry.
    pub id: Uuid,
    /// What the revoked tokens have in common.
    #[serde(serialize_with = "kind_name")]
    #[schema(value_type = String, example = "session")]
    pub kind: RevocationKind,
    /// The canonical issuer of the tokens.
    #[schema(example = "https://abc.supabase.co/auth/v1")]
    pub issuer: String,
    /// The session id, the subject, the `jti` or the `kid`.
    pub target: String,
    /// The tokens of a subject are revoked if they were issued at this time or earlier.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub issued_before: Option<OffsetDateTime>,
    /// The session whose tokens stay valid.
    pub except_session: Option<String>,
    /// Why the entry was added.
    pub reason: RevocationReason,
    /// When the entry was first added.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: OffsetDateTime,
    /// When the entry is removed.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: OffsetDateTime,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde requires"
)]
fn kind_name<S: Serializer>(kind: &RevocationKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

impl RevocationEntry {
    /// The longest target, in bytes: an identity provider may choose long session ids.
    pub const MAX_TARGET_BYTES: usize = 1024;

    /// Creates an entry. Its id depends on what is revoked, so that adding it again, however often,
    /// is one row; the time of a subject does not count.
    pub(crate) fn new(
        revocation: &Revocation,
        reason: RevocationReason,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            id: Self::id_of(revocation),
            kind: revocation.kind(),
            issuer: revocation.issuer().to_owned(),
            target: revocation.id().to_owned(),
            issued_before: revocation.issued_before().map(date_time),
            except_session: revocation.excepted_session().map(str::to_owned),
            reason,
            created_at: date_time(now),
            expires_at: date_time(expires_at),
        }
    }

    /// Returns the id of the entry for what is revoked.
    pub(crate) fn id_of(revocation: &Revocation) -> Uuid {
        let except_session = revocation.excepted_session();
        id([
            revocation.kind().name(),
            revocation.issuer(),
            revocation.id(),
            if except_session.is_some() {
                "except"
            } else {
                ""
            },
            except_session.unwrap_or_default(),
        ])
    }

    /// Returns the entry for the list of the verifier.
    pub(crate) fn revocation(&self) -> Revocation {
        let at = |time: OffsetDateTime| Timestamp::from_unix(time.unix_timestamp());
        let before = self.issued_before.unwrap_or(self.created_at);
        let revocation = match self.kind {
            RevocationKind::Subject => Revocation::subject(&self.issuer, &self.target, at(before)),
            RevocationKind::Token => Revocation::token(&self.issuer, &self.target),
            RevocationKind::Key => Revocation::key(&self.issuer, &self.target),
            _ => Revocation::session(&self.issuer, &self.target),
        };
        let revocation = match &self.except_session {
            Some(session) => revocation.except_session(session),
            None => revocation,
        };
        revocation.expires_at(at(self.expires_at))
    }
}

/// Hashes parts, each with its length, into a UUID of version 8 (RFC 9562 §5.8).
fn id(parts: [&str; 5]) -> Uuid {
    let mut text = String::new();
    for part in parts {
        text.push_str(&part.len().to_string());
        text.push(':');
        text.push_str(part);
    }
    let hash = hash_parts("revocation", text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Converts a time in whole seconds. A time after the year 9999 is the end of that year: the expiry of
/// an entry is some minutes later than `exp` of a token, which may be the end of that year already.
fn date_time(at: Timestamp) -> OffsetDateTime {
    let nearest = if at.unix() > 0 {
        PrimitiveDateTime::MAX.assume_utc()
    } else {
        OffsetDateTime::UNIX_EPOCH
    };
    OffsetDateTime::from_unix_timestamp(at.unix()).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(revocation: &Revocation) -> RevocationEntry {
        let now = Timestamp::from_unix(1_800_000_000);
        RevocationEntry::new(revocation, RevocationReason::SignOut, now, now)
    }

    #[test]
    fn id_depends_on_what_is_revoked_and_not_on_the_time() {
        let at = Timestamp::from_unix;
        let subject = Revocation::subject("i", "ada", at(1));
        assert_eq!(
            entry(&subject).id,
            entry(&Revocation::subject("i", "ada", at(2))).id
        );
        let others = [
            subject.clone().except_session(""),
            subject.clone().except_session("a"),
            Revocation::subject("j", "ada", at(1)),
            Revocation::session("i", "ada"),
            Revocation::token("i", "ada"),
            Revocation::key("i", "ada"),
        ];
        for other in others {
            assert_ne!(entry(&subject).id, entry(&other).id, "{other:?}");
        }
    }

    #[test]
    fn an_expiry_after_the_year_9999_is_the_end_of_that_year() {
        const LAST: i64 = 253_402_300_799;
        let expiry = |seconds| {
            let now = Timestamp::from_unix(1_800_000_000);
            let (revocation, at) = (Revocation::session("i", "a"), Timestamp::from_unix(seconds));
            RevocationEntry::new(&revocation, RevocationReason::SignOut, now, at)
        };
        for (seconds, expected) in [(LAST - 1, LAST - 1), (LAST, LAST), (LAST + 1, LAST)] {
            let entry = expiry(seconds);
            assert_eq!(entry.expires_at.unix_timestamp(), expected);
            let revocation = entry.revocation();
            assert_eq!(revocation.expiry(), Some(Timestamp::from_unix(expected)));
            assert!(serde_json::to_string(&entry).is_ok());
        }
    }

    #[test]
    fn names_of_reasons_are_read_back() {
        for reason in RevocationReason::ALL {
            assert_eq!(RevocationReason::from_name(reason.name()), reason);
            assert_eq!(serde_json::json!(reason), reason.name());
        }
    }
}
