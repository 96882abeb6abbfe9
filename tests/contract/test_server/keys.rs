//! The key cache of the test server, correct unless configured otherwise.

use std::{
    collections::HashSet,
    error::Error as _,
    io,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::Value;

/// How keys are cached. The default is correct.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is one flaw")]
pub(crate) struct KeyCache {
    pub(crate) cooldown: Duration,
    pub(crate) timeout: Duration,
    /// The maximum number of fetches.
    pub(crate) max_fetches: usize,
    pub(crate) refetches: bool,
    pub(crate) refetches_on_bad_signature: bool,
    pub(crate) coalesces_fetches: bool,
    pub(crate) counts_failures: bool,
    pub(crate) recovers: bool,
    pub(crate) follows_redirects: bool,
    pub(crate) waits_for_every_fetch: bool,
    pub(crate) keeps_when_failing: bool,
    pub(crate) keeps_when_refused: bool,
    pub(crate) keeps_when_reset: bool,
    pub(crate) keeps_when_timed_out: bool,
    pub(crate) keeps_when_unreadable: bool,
    pub(crate) keeps_when_empty: bool,
    pub(crate) has_a_size_limit: bool,
    pub(crate) skips_unreadable_members: bool,
    pub(crate) skips_unknown_types: bool,
    /// Which members of a set are used if several have the same `kid`.
    pub(crate) same_kid: SameKid,
    pub(crate) keeps_removed: bool,
    pub(crate) newest_only: bool,
    pub(crate) exponent_of_one: bool,
    pub(crate) caches_tokens_forever: bool,
    pub(crate) unavailable_is_accepted: bool,
    /// Each kid has its own cooldown.
    pub(crate) cooldown_per_kid: bool,
    /// A missing kid is fetched again immediately.
    pub(crate) retries_missing_kid: bool,
    /// A check that it skips before fetching keys.
    pub(crate) skipped_check: Option<SkippedCheck>,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self {
            cooldown: Duration::from_millis(450),
            timeout: Duration::from_secs(2),
            max_fetches: usize::MAX,
            refetches: true,
            refetches_on_bad_signature: true,
            coalesces_fetches: true,
            counts_failures: true,
            recovers: true,
            follows_redirects: false,
            waits_for_every_fetch: false,
            keeps_when_failing: true,
            keeps_when_refused: true,
            keeps_when_reset: true,
            keeps_when_timed_out: true,
            keeps_when_unreadable: true,
            keeps_when_empty: true,
            has_a_size_limit: true,
            skips_unreadable_members: true,
            skips_unknown_types: true,
            same_kid: SameKid::All,
            keeps_removed: false,
            newest_only: false,
            exponent_of_one: false,
            caches_tokens_forever: false,
            unavailable_is_accepted: false,
            cooldown_per_kid: false,
            retries_missing_kid: false,
            skipped_check: None,
        }
    }
}

/// Which keys are used if several have the same `kid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SameKid {
    All,
    First,
    Last,
    /// All that are published once.
    NotTwice,
}

/// A check that needs no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkippedCheck {
    Format,
    Algorithm,
    Issuer,
    Expiry,
}

/// Why a key is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingKey {
    /// The issuer does not publish it.
    Unknown,
    /// The fetch failed.
    Unavailable,
}

pub(super) struct Keys {
    url: String,
    cache: KeyCache,
    state: Mutex<CacheState>,
    in_flight: tokio::sync::Mutex<()>,
    client: reqwest::Client,
    cached_tokens: Mutex<Vec<String>>,
}

#[derive(Default)]
struct CacheState {
    set: Vec<Value>,
    is_loaded: bool,
    last_attempt: Option<Instant>,
    last_failed: bool,
    attempts: usize,
    kids: HashSet<String>,
}

impl Keys {
    pub(super) fn new(url: &str, cache: KeyCache) -> Self {
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
        let (state, cached_tokens) = (Mutex::default(), Mutex::default());
        Self {
            url: url.to_owned(),
            cache,
            state,
            in_flight: tokio::sync::Mutex::new(()),
            client,
            cached_tokens,
        }
    }

    pub(super) fn cache(&self) -> &KeyCache {
        &self.cache
    }

    /// Returns the keys. The first call fetches them.
    pub(super) async fn current(&self) -> Vec<Value> {
        if !self.state.lock().unwrap().is_loaded {
            self.fetch(None, 0).await;
        }
        if self.cache.waits_for_every_fetch {
            drop(self.in_flight.lock().await);
        }
        self.state.lock().unwrap().set.clone()
    }

    /// Returns the number of fetches, for [`fetch`](Self::fetch).
    pub(super) fn attempts(&self) -> usize {
        self.state.lock().unwrap().attempts
    }

    pub(super) fn last_fetch_failed(&self) -> bool {
        self.state.lock().unwrap().last_failed
    }

    /// Fetches the keys unless the cooldown is active, or another request fetched them since `seen`.
    pub(super) async fn fetch(&self, kid: Option<&str>, seen: usize) {
        let _guard = if self.cache.coalesces_fetches {
            Some(self.in_flight.lock().await)
        } else {
            None
        };
        {
            let mut state = self.state.lock().unwrap();
            let is_new = kid.map(|kid| state.kids.insert(kid.to_owned()));
            let is_exempt = (self.cache.cooldown_per_kid && is_new == Some(true))
                || (self.cache.retries_missing_kid && is_new == Some(false));
            let is_cooling_down = !is_exempt
                && state
                    .last_attempt
                    .is_some_and(|at| at.elapsed() < self.cache.cooldown);
            let ignores_cooldown = state.last_failed && !self.cache.counts_failures;
            let never_refetches = state.is_loaded
                && (!self.cache.refetches
                    || state.attempts >= self.cache.max_fetches
                    || (state.last_failed && !self.cache.recovers));
            if never_refetches
                || (self.cache.coalesces_fetches
                    && !is_exempt
                    && state.is_loaded
                    && state.attempts != seen)
                || (is_cooling_down && !ignores_cooldown)
            {
                return;
            }
            if self.cache.coalesces_fetches {
                state.last_attempt = Some(Instant::now());
            }
        }
        let outcome = self.request().await;
        let mut state = self.state.lock().unwrap();
        state.last_attempt = Some(Instant::now());
        state.attempts += 1;
        state.last_failed = outcome.is_err();
        match outcome {
            Ok(set) => {
                state.is_loaded = true;
                let removed = if self.cache.keeps_removed {
                    std::mem::take(&mut state.set)
                } else {
                    Vec::new()
                };
                state.set = set;
                for key in removed {
                    if !state.set.iter().any(|current| current["kid"] == key["kid"]) {
                        state.set.push(key);
                    }
                }
            }
            Err(true) => {}
            Err(false) => state.set.clear(),
        }
    }

    /// Returns the set, or whether the previous set stays in use.
    async fn request(&self) -> Result<Vec<Value>, bool> {
        let cache = &self.cache;
        let response = self.client.get(&self.url).send().await.map_err(|error| {
            if is_refused(&error) {
                cache.keeps_when_refused
            } else if error.is_timeout() {
                cache.keeps_when_timed_out
            } else {
                cache.keeps_when_reset
            }
        })?;
        if response.status() != 200 {
            return Err(cache.keeps_when_failing);
        }
        let text = response
            .text()
            .await
            .map_err(|_| cache.keeps_when_failing)?;
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
        let set = one_of_kid(&set, cache.same_kid);
        if cache.newest_only && self.state.lock().unwrap().attempts == 1 {
            // Drops the initial keys, until the next rotation.
            return Ok(set.into_iter().rev().take(1).collect());
        }
        Ok(set)
    }

    pub(super) fn cache_token(&self, token: &str) {
        self.cached_tokens.lock().unwrap().push(token.to_owned());
    }

    pub(super) fn has_cached_token(&self, token: &str) -> bool {
        self.cache.caches_tokens_forever
            && self
                .cached_tokens
                .lock()
                .unwrap()
                .iter()
                .any(|known| known == token)
    }
}

/// Uses an RSA key without `alg` with RS256, as some issuers publish it.
fn with_algorithm(mut key: Value) -> Value {
    if key["kty"] == "RSA" && key["alg"].is_null() {
        key["alg"] = "RS256".into();
    }
    key
}

fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let error_kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if error_kind == Some(io::ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn one_of_kid(set: &[Value], same_kid: SameKid) -> Vec<Value> {
    let has_same_kid =
        |others: &[Value], key: &Value| others.iter().any(|other| other["kid"] == key["kid"]);
    let is_used = |(index, key): &(usize, &Value)| match same_kid {
        SameKid::All => true,
        SameKid::First => !has_same_kid(&set[..*index], key),
        SameKid::Last => !has_same_kid(&set[*index + 1..], key),
        SameKid::NotTwice => set.iter().filter(|other| other == key).count() == 1,
    };
    set.iter()
        .enumerate()
        .filter(is_used)
        .map(|(_, key)| with_algorithm(key.clone()))
        .collect()
}
