//! The cost of the revocation list for a cached token: while the list does not change, and for the
//! first hit after a change, which looks the token up.
//!
//! Measures the CPU time of the calling thread.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{hint::black_box, time::Duration};

use bearward::{Bearward, Revocation};
use criterion::{Criterion, criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use support::{ISSUER, TokenFixture, accept, revoke_others};

const TOKENS: usize = 1_000;

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

fn verify_all(auth: &Bearward, tokens: &[String]) {
    for token in tokens {
        assert!(accept(auth, black_box(token)));
    }
}

/// Converts the time of whole passes over all tokens to the time of `rounds` hits.
fn scale(spent: Duration, passes: u64, rounds: u64) -> Duration {
    let hits = u128::from(passes) * TOKENS as u128;
    let nanoseconds = spent.as_nanos() * u128::from(rounds) / hits;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap())
}

fn cache_hits(c: &mut Criterion) {
    let fixture = TokenFixture::new();
    let tokens: Vec<String> = (0..TOKENS).map(|n| fixture.token(n)).collect();
    for entries in [0, 1_000, 1_000_000] {
        let auth = fixture.verifier(2 * TOKENS);
        if entries > 0 {
            revoke_others(&auth, entries);
        }
        verify_all(&auth, &tokens);
        verify_all(&auth, &tokens);
        c.bench_function(&format!("hit/unchanged/{entries}"), |b| {
            b.iter(|| assert!(accept(&auth, black_box(&tokens[0]))));
        });
        if entries == 0 {
            continue;
        }
        c.bench_function(&format!("hit/changed/{entries}"), |b| {
            // Each round changes the list, then every token is looked up once.
            b.iter_custom(|rounds| {
                let passes = rounds.div_ceil(TOKENS as u64);
                let mut spent = Duration::ZERO;
                for round in 0..passes {
                    let entry = Revocation::session(ISSUER, &format!("another {round}"));
                    auth.revocations().remove(&entry);
                    auth.revocations().add(&entry).unwrap();
                    let start = thread_time();
                    verify_all(&auth, &tokens);
                    spent += thread_time() - start;
                }
                scale(spent, passes, rounds)
            });
        });
        c.bench_function(&format!("hit/unchanged_many_tokens/{entries}"), |b| {
            b.iter_custom(|rounds| {
                let passes = rounds.div_ceil(TOKENS as u64);
                let start = thread_time();
                (0..passes).for_each(|_| verify_all(&auth, &tokens));
                scale(thread_time() - start, passes, rounds)
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = cache_hits
}
criterion_main!(benches);
