//! The same paths in instructions, which repeat exactly on noisy machines. Needs valgrind and gungraun-runner.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::hint::black_box;

use bearward::{
    Algorithm, Bearward,
    auth::keys::{Found, Keys},
};
use gungraun::{library_benchmark, library_benchmark_group, main};
use support::{Bench, accept, jwks_of, split};

fn uncached() -> (Bearward, String) {
    let bench = Bench::new();
    let (auth, token) = (bench.verifier(0), bench.token(1));
    assert!(accept(&auth, &token));
    (auth, token)
}

fn cached() -> (Bearward, String) {
    let bench = Bench::new();
    let (auth, token) = (bench.verifier(10_000), bench.token(1));
    // Twice more: the thread's own copy is made at the second hit.
    assert!((0..3).all(|_| accept(&auth, &token)));
    (auth, token)
}

fn unknown_kid() -> (Bearward, String) {
    let bench = Bench::new();
    (bench.verifier(0), bench.token_with_kid(1, "another"))
}

/// What a benchmark takes it gives back, so that dropping it is not counted.
type Bare = (aws_lc_rs::signature::ParsedPublicKey, String, Vec<u8>);

fn bare() -> Bare {
    let bench = Bench::new();
    let token = bench.token(1);
    let (signed, signature) = split(&token);
    (bench.parsed(), signed.to_owned(), signature)
}

fn set(keys: usize) -> Keys {
    Keys::parse(jwks_of(keys).as_bytes(), &Algorithm::DEFAULT, 100).unwrap().0
}

#[library_benchmark]
#[bench::rsa_2048(setup = bare)]
fn signature_alone((key, signed, signature): Bare) -> (bool, Bare) {
    let verified = key.verify_sig(black_box(signed.as_bytes()), black_box(&signature)).is_ok();
    (verified, (key, signed, signature))
}

#[library_benchmark]
#[bench::cache_off(setup = uncached)]
#[bench::cache_hit(setup = cached)]
#[bench::parse_and_look_up_alone(setup = unknown_kid)]
fn verification((auth, token): (Bearward, String)) -> (bool, (Bearward, String)) {
    let accepted = accept(&auth, black_box(&token));
    (accepted, (auth, token))
}

#[library_benchmark]
#[bench::one_key(args = (1), setup = set)]
#[bench::hundred_keys(args = (100), setup = set)]
fn key_lookup(keys: Keys) -> (bool, Keys) {
    let found = matches!(keys.find(black_box(Some("key-0")), Algorithm::RS256), Found::One(_));
    (found, keys)
}

library_benchmark_group!(name = paths, benchmarks = [signature_alone, verification, key_lookup]);
main!(library_benchmark_groups = paths);
