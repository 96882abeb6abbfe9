//! How the battery is run.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use bearward::Algorithm;
use serde_json::{Map, Value};

/// How the battery is run. The default asks everything that any sound server answers, with the IdP
/// on a free port.
#[derive(Clone)]
pub struct Options {
    /// Where the mock IdP listens; port 0 takes a free one.
    pub issuer_bind: SocketAddr,
    /// `http://host:port` under which the target reaches the IdP; told from the address unless set.
    pub issuer_base: Option<String>,
    /// Listens where other machines reach it: they can then read the keys of a test, and nothing
    /// else.
    pub dangerous_allow_remote: bool,
    /// The `aud` of good tokens.
    pub audience: String,
    /// What the target accepts. Empty: it is tried, and what is accepted counts. Given: the rest
    /// must be refused.
    pub algorithms: Vec<Algorithm>,
    /// Claims over those of a Supabase access token; `null` leaves one out.
    pub claims: Map<String, Value>,
    /// The header's `typ` of good tokens.
    pub token_type: String,
    /// Challenges, codes and the letter of the RFCs too.
    pub strict: bool,
    /// Without the groups that wait for cooldowns and outages.
    pub quick: bool,
    /// Groups, or beginnings of ids; all unless given. `control` is always run.
    pub only: Vec<String>,
    /// Groups, or beginnings of ids, that are left out.
    pub exclude: Vec<String>,
    /// How long the target may take until it accepts a good token.
    pub ready_timeout: Duration,
    /// How long a target that went away may take to come back, by whatever restarts it.
    pub restart: Duration,
    /// How long one answer may take.
    pub request_timeout: Duration,
    /// How long the target may refuse to ask for keys again. Longer than the cooldown of every
    /// well-known library (30 s).
    pub cooldown: Duration,
    /// How long the target may pause after it has failed to fetch keys, before it tries again.
    pub backoff: Duration,
    /// How long a request may wait for keys that do not come. Longer than the timeout of every
    /// well-known library (30 s).
    pub patience: Duration,
    /// A command line that starts the target, run by `sh -c` and stopped at the end.
    pub start: Option<String>,
    /// Told of every case.
    pub progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
}

/// What happens, for whoever watches.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// The target is awaited.
    Waiting,
    /// So many cases are to come.
    Ready {
        /// How many.
        cases: usize,
    },
    /// This case begins.
    Case {
        /// Its id.
        id: &'static str,
        /// How many are done.
        done: usize,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self {
            issuer_bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer_base: None,
            dangerous_allow_remote: false,
            audience: "authenticated".to_owned(),
            algorithms: Vec::new(),
            claims: Map::new(),
            token_type: "JWT".to_owned(),
            strict: false,
            quick: false,
            only: Vec::new(),
            exclude: Vec::new(),
            ready_timeout: Duration::from_secs(60),
            restart: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
            cooldown: Duration::from_secs(31),
            backoff: Duration::from_secs(20),
            patience: Duration::from_secs(35),
            start: None,
            progress: None,
        }
    }
}

impl Options {
    /// Whether a case of this id is run; `false` is what `only` and `exclude` say.
    pub(super) fn wants(&self, id: &str) -> bool {
        let names = |patterns: &[String]| patterns.iter().any(|pattern| begins(id, pattern));
        (self.only.is_empty() || names(&self.only)) && !names(&self.exclude)
    }

    pub(super) fn tell(&self, progress: Progress) {
        if let Some(told) = &self.progress {
            told(progress);
        }
    }
}

/// Whole words of an id: `alg.none` begins `alg.none.lowercase`, `alg.no` does not.
pub(super) fn begins(id: &str, pattern: &str) -> bool {
    id.strip_prefix(pattern.trim_end_matches(['.', '*']))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("issuer_bind", &self.issuer_bind)
            .field("audience", &self.audience)
            .field("algorithms", &self.algorithms)
            .field("strict", &self.strict)
            .field("quick", &self.quick)
            .finish_non_exhaustive()
    }
}
