//! Revokes the tokens of Supabase sessions that have ended, and of users who were banned or deleted.
//!
//! Supabase Auth does not notify anyone of a sign-out. One query per interval asks its database which
//! of the sessions that this process has seen still exist.

mod query;
mod seen;

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use bearward::{
    Bearward, Clock, Revocation, RevocationError, RevocationUpdate, Revocations, Timestamp,
};
use sqlx::{PgConnection, postgres::PgConnectOptions};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use self::query::{Ended, EndedSession, QueryError, Statements};
pub(crate) use self::seen::SeenSessions;
use crate::settings;

/// How long connecting and one query may take together.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The list of ended Supabase sessions. Clones share it.
#[derive(Clone)]
pub(super) struct SupabaseSessions(Arc<Inner>);

struct Inner {
    seen: Arc<SeenSessions>,
    options: PgConnectOptions,
    statements: Statements,
    /// A list of its own. Its age is the time since the last query.
    list: Revocations,
    interval: Duration,
    clock: Arc<dyn Clock>,
}

impl SupabaseSessions {
    /// Creates the list. It is empty until [`run`](Self::run) has asked the database.
    pub(super) fn new(
        settings: &settings::SupabaseRevocation,
        auth: &Bearward,
        seen: Arc<SeenSessions>,
    ) -> Self {
        Self(Arc::new(Inner {
            seen,
            options: settings.options.clone(),
            statements: Statements::new(&settings.schema),
            list: auth.revocations().new_list(),
            interval: settings.interval,
            clock: Arc::clone(auth.clock()),
        }))
    }

    /// Returns the number of sessions that are checked, and the time since the last check; `None`
    /// before the first.
    pub(super) fn status(&self) -> (usize, Option<Duration>) {
        (self.0.seen.len(), self.0.list.age())
    }

    /// Returns whether the last check is longer ago than the interval allows.
    pub(super) fn is_stale(&self) -> bool {
        let limit = 3 * self.0.interval + TIMEOUT;
        self.0.list.age().is_none_or(|age| age > limit)
    }

    /// Publishes the number of sessions and the age as metrics.
    pub(super) fn publish_metrics(&self) {
        let (sessions, age) = self.status();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and fewer than 2^52 sessions are kept"
        )]
        metrics::gauge!("bearward_supabase_sessions").set(sessions as f64);
        if let Some(age) = age {
            metrics::gauge!("bearward_supabase_age_seconds").set(age.as_secs_f64());
        }
    }

    /// Asks the database until the future is dropped.
    pub(super) async fn run(self) {
        let mut connection = None;
        let mut is_failing = false;
        loop {
            match self.0.check(&mut connection).await {
                Ok(()) if is_failing => {
                    is_failing = false;
                    tracing::info!("the Supabase sessions are checked again");
                }
                Ok(()) => {}
                Err(error) => {
                    // A connection in an unknown state is closed.
                    connection = None;
                    if !is_failing {
                        tracing::warn!(
                            "cannot check the Supabase sessions (revocation.supabase): {error}; what is revoked stays revoked"
                        );
                    }
                    is_failing = true;
                }
            }
            sleep(self.0.interval).await;
        }
    }
}

impl Inner {
    /// Asks once, and revokes what has ended.
    async fn check(&self, connection: &mut Option<PgConnection>) -> Result<(), QueryError> {
        // Before the query: a ban that is lifted during the query must not concern later tokens.
        let now = self.clock.now();
        let seen = self.seen.unexpired(now);
        let query = query::ended_sessions(connection, &self.options, &self.statements, &seen);
        let ended = timeout(TIMEOUT, query)
            .await
            .map_err(|_| QueryError::Timeout)??;
        let revocations = revocations(self.seen.issuer(), &ended, now);
        if let Err(RevocationError::Full { max_entries }) =
            self.list.apply(&RevocationUpdate::Added(revocations))
        {
            tracing::error!(
                max_entries,
                "the revocation list is full, and some ended sessions are not revoked; increase revocation.max_entries"
            );
            return Ok(());
        }
        let over = ended
            .iter()
            .filter(|ended| ended.reason != Ended::Banned)
            .map(|ended| ended.session)
            .collect::<HashSet<_>>();
        self.seen
            .remove(seen.iter().filter(|seen| over.contains(&seen.session)));
        Ok(())
    }
}

/// Returns what to revoke. A ban can be lifted, and then the session continues: so it does not revoke
/// the session, but the tokens that were issued up to now. It is repeated while the ban lasts, for the
/// case that the clock of Supabase is ahead.
fn revocations(issuer: &str, ended: &[EndedSession], now: Timestamp) -> Vec<Revocation> {
    let mut users: HashSet<Uuid> = HashSet::new();
    let mut revocations = Vec::new();
    for EndedSession {
        session,
        user,
        reason,
    } in ended
    {
        if matches!(reason, Ended::Session | Ended::UserDeleted) {
            revocations.push(Revocation::session(issuer, &session.to_string()));
        }
        if matches!(reason, Ended::Banned | Ended::UserDeleted) && users.insert(*user) {
            revocations.push(Revocation::subject(issuer, &user.to_string(), now));
        }
    }
    revocations
}

impl fmt::Debug for SupabaseSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SupabaseSessions")
            .field(&self.status())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ban_revokes_issued_tokens_and_not_the_session() {
        let now = Timestamp::from_unix(1_800_000_000);
        let [user, first, second] = [1, 2, 3].map(Uuid::from_u128);
        let ended = |session, reason| EndedSession {
            session,
            user,
            reason,
        };
        let subject = Revocation::subject("iss", &user.to_string(), now);
        let session = |id: Uuid| Revocation::session("iss", &id.to_string());
        let bans = [ended(first, Ended::Banned), ended(second, Ended::Banned)];
        assert_eq!(
            revocations("iss", &bans, now),
            std::slice::from_ref(&subject)
        );
        let deleted = [ended(first, Ended::UserDeleted)];
        assert_eq!(revocations("iss", &deleted, now), [session(first), subject]);
        let signed_out = [ended(first, Ended::Session)];
        assert_eq!(revocations("iss", &signed_out, now), [session(first)]);
    }
}
