//! Comparison of verified-token caches: moka and quick_cache, keyed by the whole token or its SHA-256,
//! and bearward.
//!
//! Measures the CPU time of the calling thread, which excludes waiting on a shared machine. The four
//! candidates do the minimum: a lookup and a comparison of `exp` with the clock. Bearward's hit also
//! checks the age and generation of the key set and updates metrics.

#![allow(missing_docs, clippy::unwrap_used, clippy::doc_markdown)]

mod support;

use std::{
    hint::black_box,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::digest::{SHA256, digest};
use bearward::Bearward;
use criterion::{Criterion, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use support::{TokenFixture, accept};

const TOKENS: usize = 20_000;
const CAPACITY: usize = 40_000;

/// A cache under test. A hit is a cached token that has not expired.
trait Candidate: Sync {
    const NAME: &str;
    fn filled(fixture: &TokenFixture, tokens: &[String]) -> Self;
    fn hit(&self, token: &str) -> bool;
}

/// A cached value with as much as a handler may need.
struct Entry {
    exp: u64,
    _subject: String,
}

type Key = [u8; 32];

/// No cache: the overhead of the measurement.
struct NoCache;
struct MokaWhole(moka::sync::Cache<Arc<str>, Arc<Entry>, foldhash::fast::RandomState>);
struct MokaDigest(moka::sync::Cache<Key, Arc<Entry>, foldhash::fast::RandomState>);
struct QuickWhole(quick_cache::sync::Cache<Box<str>, Arc<Entry>>);
struct QuickDigest(quick_cache::sync::Cache<Key, Arc<Entry>>);

fn one_hot_token(c: &mut Criterion) {
    let fixture = TokenFixture::new();
    let token = [fixture.token(1)];
    measure::<MokaDigest>(c, "one_token", &fixture, &token);
    measure::<MokaWhole>(c, "one_token", &fixture, &token);
    measure::<QuickDigest>(c, "one_token", &fixture, &token);
    measure::<QuickWhole>(c, "one_token", &fixture, &token);
    measure::<Bearward>(c, "one_token", &fixture, &token);
}

/// The tokens are scattered in memory, as if received from a network: most of a hit is memory
/// latency.
fn many_tokens(c: &mut Criterion) {
    let fixture = TokenFixture::new();
    let tokens: Vec<String> = (0..TOKENS).map(|n| fixture.token(n)).collect();
    measure::<MokaDigest>(c, "20000_tokens", &fixture, &tokens);
    measure::<MokaWhole>(c, "20000_tokens", &fixture, &tokens);
    measure::<QuickDigest>(c, "20000_tokens", &fixture, &tokens);
    measure::<QuickWhole>(c, "20000_tokens", &fixture, &tokens);
    measure::<Bearward>(c, "20000_tokens", &fixture, &tokens);
    measure::<NoCache>(c, "20000_tokens", &fixture, &tokens);
}

fn measure<C: Candidate>(
    c: &mut Criterion,
    group: &str,
    fixture: &TokenFixture,
    tokens: &[String],
) {
    let cache = C::filled(fixture, tokens);
    assert!(tokens.iter().chain(tokens).all(|token| cache.hit(token)));
    for threads in [1, 2, 4, 8] {
        c.bench_function(&format!("{group}/{}/{threads}_threads", C::NAME), |b| {
            b.iter_custom(|rounds| cpu(threads, || look_up(&cache, tokens, rounds)));
        });
    }
}

fn look_up<C: Candidate>(cache: &C, tokens: &[String], rounds: u64) {
    static SEED: AtomicU64 = AtomicU64::new(7);
    if let [token] = tokens {
        return (0..rounds).for_each(|_| assert!(cache.hit(black_box(token))));
    }
    let (mut random, mut buffer) = (
        fastrand::Rng::with_seed(SEED.fetch_add(1, Ordering::Relaxed)),
        String::new(),
    );
    (0..rounds).for_each(|_| {
        receive(&mut buffer, &tokens[random.usize(..tokens.len())]);
        assert!(cache.hit(black_box(&buffer)));
    });
}

/// Copies the token first: a server has just received the request, so the token is in the CPU cache
/// while the cached copy is not. [`NoCache`] measures only this copy.
fn receive(buffer: &mut String, token: &str) {
    buffer.clear();
    buffer.push_str(token);
    black_box(buffer);
}

/// Returns the mean CPU time of this many threads that all run `work`.
fn cpu(threads: u32, work: impl Fn() + Sync) -> Duration {
    let barrier = Barrier::new(threads as usize);
    let timed = || {
        barrier.wait();
        let start = thread_time();
        work();
        thread_time() - start
    };
    let total: Duration = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    total / threads
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn entry(token: &str) -> Arc<Entry> {
    Arc::new(Entry {
        exp: now() + 3600,
        _subject: token[..36].to_owned(),
    })
}

fn sha256(token: &str) -> Key {
    digest(&SHA256, token.as_bytes())
        .as_ref()
        .try_into()
        .unwrap()
}

impl Candidate for NoCache {
    const NAME: &str = "nothing";

    fn filled(_: &TokenFixture, _: &[String]) -> Self {
        Self
    }

    fn hit(&self, token: &str) -> bool {
        !token.is_empty()
    }
}

impl Candidate for MokaWhole {
    const NAME: &str = "moka_whole";

    fn filled(_: &TokenFixture, tokens: &[String]) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(CAPACITY as u64)
            .build_with_hasher(foldhash::fast::RandomState::default());
        for token in tokens {
            cache.insert(Arc::from(token.as_str()), entry(token));
        }
        cache.run_pending_tasks();
        Self(cache)
    }

    fn hit(&self, token: &str) -> bool {
        self.0.get(token).is_some_and(|entry| now() < entry.exp)
    }
}

impl Candidate for MokaDigest {
    const NAME: &str = "moka_digest";

    fn filled(_: &TokenFixture, tokens: &[String]) -> Self {
        let cache = moka::sync::Cache::builder()
            .max_capacity(CAPACITY as u64)
            .build_with_hasher(foldhash::fast::RandomState::default());
        for token in tokens {
            cache.insert(sha256(token), entry(token));
        }
        cache.run_pending_tasks();
        Self(cache)
    }

    fn hit(&self, token: &str) -> bool {
        self.0
            .get(&sha256(token))
            .is_some_and(|entry| now() < entry.exp)
    }
}

impl Candidate for QuickWhole {
    const NAME: &str = "quick_cache_whole";

    fn filled(_: &TokenFixture, tokens: &[String]) -> Self {
        let cache = quick_cache::sync::Cache::new(CAPACITY);
        for token in tokens {
            cache.insert(token.as_str().into(), entry(token));
        }
        Self(cache)
    }

    fn hit(&self, token: &str) -> bool {
        self.0.get(token).is_some_and(|entry| now() < entry.exp)
    }
}

impl Candidate for QuickDigest {
    const NAME: &str = "quick_cache_digest";

    fn filled(_: &TokenFixture, tokens: &[String]) -> Self {
        let cache = quick_cache::sync::Cache::new(CAPACITY);
        for token in tokens {
            cache.insert(sha256(token), entry(token));
        }
        Self(cache)
    }

    fn hit(&self, token: &str) -> bool {
        self.0
            .get(&sha256(token))
            .is_some_and(|entry| now() < entry.exp)
    }
}

impl Candidate for Bearward {
    const NAME: &str = "bearward";

    fn filled(fixture: &TokenFixture, tokens: &[String]) -> Self {
        let auth = fixture.verifier(CAPACITY);
        assert!(tokens.iter().all(|token| accept(&auth, token)));
        assert_eq!(auth.cached_tokens(), tokens.len());
        auth
    }

    fn hit(&self, token: &str) -> bool {
        accept(self, token)
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = one_hot_token, many_tokens
}
criterion_main!(benches);
