//! The published keys as the double keeps them: rightly unless told otherwise.

use std::{
    collections::HashSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How keys are kept. The default is sound.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is one mistake")]
pub(crate) struct Cache {
    pub(crate) cooldown: Duration,
    pub(crate) timeout: Duration,
    /// How often it asks in all.
    pub(crate) asks_at_most: usize,
    pub(crate) refetches: bool,
    pub(crate) refetches_on_bad_signature: bool,
    pub(crate) single_flight: bool,
    pub(crate) counts_failures: bool,
    pub(crate) recovers: bool,
    pub(crate) follows_redirects: bool,
    pub(crate) waits_for_every_fetch: bool,
    pub(crate) keeps_when_failing: bool,
    pub(crate) keeps_when_unreadable: bool,
    pub(crate) keeps_when_empty: bool,
    pub(crate) has_a_size_limit: bool,
    pub(crate) skips_unreadable_members: bool,
    pub(crate) skips_unknown_types: bool,
    pub(crate) keeps_removed: bool,
    pub(crate) newest_only: bool,
    pub(crate) exponent_of_one: bool,
    pub(crate) remembers_tokens: bool,
    pub(crate) unavailable_is_accepted: bool,
    /// Each kid has a cooldown of its own.
    pub(crate) cooldown_by_kid: bool,
    /// A kid that was missing is asked for again at once.
    pub(crate) retries_missing_kid: bool,
    /// What it does not look at before it asks for keys.
    pub(crate) gate_forgets: &'static str,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            cooldown: Duration::from_millis(150),
            timeout: Duration::from_secs(2),
            asks_at_most: usize::MAX,
            refetches: true,
            refetches_on_bad_signature: true,
            single_flight: true,
            counts_failures: true,
            recovers: true,
            follows_redirects: false,
            waits_for_every_fetch: false,
            keeps_when_failing: true,
            keeps_when_unreadable: true,
            keeps_when_empty: true,
            has_a_size_limit: true,
            skips_unreadable_members: true,
            skips_unknown_types: true,
            keeps_removed: false,
            newest_only: false,
            exponent_of_one: false,
            remembers_tokens: false,
            unavailable_is_accepted: false,
            cooldown_by_kid: false,
            retries_missing_kid: false,
            gate_forgets: "",
        }
    }
}

/// Why a key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The issuer does not publish it.
    Unknown,
    /// The issuer could not be asked.
    Unavailable,
}

pub(super) struct Keys {
    url: String,
    cache: Cache,
    kept: Mutex<Kept>,
    flight: tokio::sync::Mutex<()>,
    client: reqwest::Client,
    remembered: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Kept {
    set: Vec<Value>,
    loaded: bool,
    attempted: Option<Instant>,
    failed: bool,
    attempts: usize,
    kids: HashSet<String>,
}

impl Keys {
    pub(super) fn new(url: &str, cache: Cache) -> Self {
        let policy = if cache.follows_redirects {
            reqwest::redirect::Policy::limited(3)
        } else {
            reqwest::redirect::Policy::none()
        };
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(policy)
            .timeout(cache.timeout)
            .build()
            .unwrap();
        let (kept, remembered) = (Mutex::default(), Mutex::default());
        Self {
            url: url.to_owned(),
            cache,
            kept,
            flight: tokio::sync::Mutex::new(()),
            client,
            remembered,
        }
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The keys, after a first fetch where there has been none.
    pub(super) async fn current(&self) -> Vec<Value> {
        if !self.kept.lock().unwrap().loaded {
            self.fetch(None, 0).await;
        }
        if self.cache.waits_for_every_fetch {
            drop(self.flight.lock().await);
        }
        self.kept.lock().unwrap().set.clone()
    }

    /// How often it has asked, for [`fetch`](Self::fetch).
    pub(super) fn attempts(&self) -> usize {
        self.kept.lock().unwrap().attempts
    }

    pub(super) fn failed(&self) -> bool {
        self.kept.lock().unwrap().failed
    }

    /// Asks again, unless it may not so soon, or somebody has meanwhile.
    pub(super) async fn fetch(&self, kid: Option<&str>, seen: usize) {
        let _flight = if self.cache.single_flight {
            Some(self.flight.lock().await)
        } else {
            None
        };
        {
            let mut kept = self.kept.lock().unwrap();
            let is_new = kid.map(|kid| kept.kids.insert(kid.to_owned()));
            let exempt = (self.cache.cooldown_by_kid && is_new == Some(true))
                || (self.cache.retries_missing_kid && is_new == Some(false));
            let cooling = !exempt
                && kept
                    .attempted
                    .is_some_and(|at| at.elapsed() < self.cache.cooldown);
            let forgiven = kept.failed && !self.cache.counts_failures;
            let settled = kept.loaded
                && (!self.cache.refetches
                    || kept.attempts >= self.cache.asks_at_most
                    || (kept.failed && !self.cache.recovers));
            if settled
                || (self.cache.single_flight && !exempt && kept.loaded && kept.attempts != seen)
                || (cooling && !forgiven)
            {
                return;
            }
            if self.cache.single_flight {
                kept.attempted = Some(Instant::now());
            }
        }
        let outcome = self.ask().await;
        let mut kept = self.kept.lock().unwrap();
        kept.attempted = Some(Instant::now());
        kept.attempts += 1;
        kept.failed = outcome.is_err();
        match outcome {
            Ok(set) => {
                kept.loaded = true;
                let removed = if self.cache.keeps_removed {
                    std::mem::take(&mut kept.set)
                } else {
                    Vec::new()
                };
                kept.set = set;
                for key in removed {
                    if !kept.set.iter().any(|kept| kept["kid"] == key["kid"]) {
                        kept.set.push(key);
                    }
                }
            }
            Err(true) => {}
            Err(false) => kept.set.clear(),
        }
    }

    /// The set, or whether the old one is kept.
    async fn ask(&self) -> Result<Vec<Value>, bool> {
        let cache = &self.cache;
        let answer = self
            .client
            .get(&self.url)
            .send()
            .await
            .map_err(|_| cache.keeps_when_failing)?;
        if answer.status() != 200 {
            return Err(cache.keeps_when_failing);
        }
        let text = answer.text().await.map_err(|_| cache.keeps_when_failing)?;
        if text.len() > 1 << 20 {
            return Err(cache.has_a_size_limit);
        }
        let document: Value =
            serde_json::from_str(&text).map_err(|_| cache.keeps_when_unreadable)?;
        let set = document["keys"].as_array().cloned().unwrap_or_default();
        if set.is_empty() {
            return Err(cache.keeps_when_empty);
        }
        if !cache.skips_unreadable_members
            && set.iter().any(|key| key.get("x-unreadable").is_some())
        {
            return Err(true);
        }
        if !cache.skips_unknown_types && set.iter().any(|key| key["kty"] == "PQC") {
            return Err(true);
        }
        if cache.newest_only && self.kept.lock().unwrap().attempts == 1 {
            // Whatever was there at the start is gone, until the next rotation.
            return Ok(set.into_iter().rev().take(1).collect());
        }
        Ok(set)
    }

    pub(super) fn remember(&self, token: &str) {
        self.remembered.lock().unwrap().push(token.to_owned());
    }

    pub(super) fn remembers(&self, token: &str) -> bool {
        self.cache.remembers_tokens
            && self
                .remembered
                .lock()
                .unwrap()
                .iter()
                .any(|known| known == token)
    }
}
