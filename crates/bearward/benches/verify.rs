//! Cost of a verification: signature check only, the complete pipeline without a cache, a cache hit,
//! rejections.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned
)]

mod support;

use std::{hint::black_box, sync::Arc, thread, time::Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use support::{TokenFixture, accept, split};

fn verification(c: &mut Criterion) {
    let fixture = TokenFixture::new();
    let token = fixture.token(1);
    let (signed, signature) = split(&token);
    let parsed = fixture.parsed();
    println!("the token has {} bytes", token.len());

    let mut group = c.benchmark_group("verify");
    group.bench_function("rsa_check_only", |b| {
        b.iter(|| {
            parsed
                .verify_sig(black_box(signed.as_bytes()), black_box(&signature))
                .is_ok()
        })
    });
    let uncached = fixture.verifier(0);
    assert!(accept(&uncached, &token));
    group.bench_function("full_cache_off", |b| {
        b.iter(|| accept(&uncached, black_box(&token)))
    });
    let cached = fixture.verifier(10_000);
    assert!(accept(&cached, &token));
    group.bench_function("cache_hit", |b| {
        b.iter(|| accept(&cached, black_box(&token)))
    });

    let many: Vec<String> = (0..20_000).map(|n| fixture.token(n)).collect();
    let large_cache = fixture.verifier(40_000);
    assert!(many.iter().all(|token| accept(&large_cache, token)));
    let mut random = fastrand::Rng::with_seed(7);
    group.bench_function("cache_hit_20000_tokens", |b| {
        b.iter(|| accept(&large_cache, &many[random.usize(..many.len())]))
    });

    let key = fixture.decoding_key();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&["authenticated"]);
    group.bench_function("jsonwebtoken_decode", |b| {
        b.iter(|| {
            jsonwebtoken::decode::<serde_json::Value>(black_box(&token), &key, &validation).is_ok()
        });
    });

    let tampered = format!(
        "{}.{}",
        signed,
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(vec![1_u8; 256])
    );
    group.bench_function("reject_bad_signature", |b| {
        b.iter(|| accept(&uncached, black_box(&tampered)))
    });
    let malformed = format!("{token}=");
    group.bench_function("reject_padding", |b| {
        b.iter(|| accept(&uncached, black_box(&malformed)))
    });
    let dots = ".".repeat(8000);
    group.bench_function("reject_8000_dots", |b| {
        b.iter(|| accept(&uncached, black_box(&dots)))
    });
    group.finish();
}

/// One token, read by 1 to 8 threads concurrently: nanoseconds per hit and thread.
fn contention(c: &mut Criterion) {
    let fixture = TokenFixture::new();
    let token: Arc<str> = fixture.token(1).into();
    let auth = fixture.verifier(10_000);
    assert!(accept(&auth, &token));
    let mut group = c.benchmark_group("contention");
    for threads in [1, 2, 4, 8] {
        group.bench_function(format!("{threads}_threads"), |b| {
            b.iter_custom(|rounds| {
                let start = Instant::now();
                thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(|| {
                            (0..rounds).for_each(|_| assert!(accept(&auth, black_box(&token))))
                        });
                    }
                });
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, verification, contention);
criterion_main!(benches);
