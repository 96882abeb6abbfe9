//! Instruction counts, which are reproducible on busy machines. Needs valgrind and gungraun-runner.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::{any::Any, hint::black_box, rc::Rc, sync::Arc};

use actix_web::{
    App, HttpResponse,
    dev::Service,
    http::{StatusCode, header},
    rt::Runtime,
    test::{TestRequest, init_service},
    web,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use bearward::{
    Algorithm, AuthError, Bearward, DpopConfig, NoCustomClaims, Principal, Requirement,
    SystemClock, Verified,
    dpop::{ProofRequest, ProofVerifier},
    keys::ParsedJwks,
};
use bearward_testing::ProofKey;
use futures_util::future::LocalBoxFuture;
use gungraun::{library_benchmark, library_benchmark_group, main};
use support::{ISSUER, TokenFixture, accept, jwks_of, revoke_others, split};

fn uncached() -> (Bearward, String) {
    let fixture = TokenFixture::new();
    let (auth, token) = (fixture.verifier(0), fixture.token(1));
    assert!(accept(&auth, &token));
    (auth, token)
}

fn with_five_rules() -> (Bearward, String) {
    let fixture = TokenFixture::new();
    let (auth, token) = (fixture.verifier_with_rules(), fixture.token(1));
    assert!(accept(&auth, &token));
    (auth, token)
}

fn with_nested_rules() -> (Bearward, String) {
    let fixture = TokenFixture::new();
    let (auth, token) = (fixture.verifier_with_nested_rules(), fixture.token(1));
    assert!(accept(&auth, &token));
    (auth, token)
}

fn cached() -> (Bearward, String) {
    let fixture = TokenFixture::new();
    let (auth, token) = (fixture.verifier(10_000), fixture.token(1));
    // Three calls: the thread-local entry is created at the second hit.
    assert!((0..3).all(|_| accept(&auth, &token)));
    (auth, token)
}

/// A cached token that was looked up in a revocation list with this many entries.
fn cached_with_revocations(entries: usize) -> (Bearward, String) {
    let (auth, token) = cached();
    revoke_others(&auth, entries);
    assert!((0..3).all(|_| accept(&auth, &token)));
    (auth, token)
}

/// The same, after a change of the list.
fn cached_after_change(entries: usize) -> (Bearward, String) {
    let (auth, token) = cached_with_revocations(entries);
    auth.revocations()
        .revoke_session(ISSUER, "another")
        .unwrap();
    (auth, token)
}

fn unknown_kid() -> (Bearward, String) {
    let fixture = TokenFixture::new();
    (fixture.verifier(0), fixture.token_with_kid(1, "another"))
}

/// Benchmarks return their input so that dropping it is not measured.
type SignatureInput = (aws_lc_rs::signature::ParsedPublicKey, String, Vec<u8>);

fn signature_input() -> SignatureInput {
    let fixture = TokenFixture::new();
    let token = fixture.token(1);
    let (signed, signature) = split(&token);
    (fixture.parsed(), signed.to_owned(), signature)
}

fn key_set(keys: usize) -> ParsedJwks {
    ParsedJwks::parse(jwks_of(keys).as_bytes(), Algorithm::DEFAULT, 100)
        .unwrap()
        .0
}

#[library_benchmark]
#[bench::rsa_2048(setup = signature_input)]
fn signature_only((key, signed, signature): SignatureInput) -> (bool, SignatureInput) {
    let verified = key
        .verify_sig(black_box(signed.as_bytes()), black_box(&signature))
        .is_ok();
    (verified, (key, signed, signature))
}

#[library_benchmark]
#[bench::cache_off(setup = uncached)]
#[bench::five_rules(setup = with_five_rules)]
#[bench::five_rules_two_nested(setup = with_nested_rules)]
#[bench::cache_hit(setup = cached)]
#[bench::hit_1_000_revocations(args = (1_000), setup = cached_with_revocations)]
#[bench::hit_1_000_000_revocations(args = (1_000_000), setup = cached_with_revocations)]
#[bench::hit_changed_1_000_revocations(args = (1_000), setup = cached_after_change)]
#[bench::hit_changed_1_000_000_revocations(args = (999_999), setup = cached_after_change)]
#[bench::parse_and_key_lookup(setup = unknown_kid)]
fn verification((auth, token): (Bearward, String)) -> (bool, (Bearward, String)) {
    let accepted = accept(&auth, black_box(&token));
    (accepted, (auth, token))
}

const PROOF_URL: &str = "https://api.example.com/orders";

/// A verifier that has accepted one proof, and another proof of that key.
fn proof_input() -> (ProofVerifier, String) {
    let clock = Arc::new(SystemClock::new());
    let verifier = ProofVerifier::new(DpopConfig::default(), clock).unwrap();
    let key = ProofKey::with_algorithm(Algorithm::ES256);
    let [first, second] = [(); 2].map(|()| key.proof("GET", PROOF_URL).sign());
    let request = ProofRequest::new([first], "GET", PROOF_URL);
    assert!(verifier.verify(&request).is_ok());
    (verifier, second)
}

// All checks of a proof, with the replay memory.
#[library_benchmark]
#[bench::es256(setup = proof_input)]
fn proof((verifier, proof): (ProofVerifier, String)) -> (bool, (ProofVerifier, String)) {
    let request = ProofRequest::new([black_box(&proof)], "GET", PROOF_URL);
    let accepted = verifier.verify(&request).is_ok();
    (accepted, (verifier, proof))
}

type ProofSignatureInput = (Vec<u8>, String, Vec<u8>);

fn proof_signature_input() -> ProofSignatureInput {
    let (_, proof) = proof_input();
    let (signed, signature) = split(&proof);
    let decode = |text: &str| {
        base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(text.as_bytes())
            .unwrap()
    };
    let header = decode(signed.split('.').next().unwrap());
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let coordinate = |name: &str| decode(header["jwk"][name].as_str().unwrap());
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    (point, signed.to_owned(), signature)
}

// The check of the signature only. Each proof brings its own key, so the point is decoded too.
#[library_benchmark]
#[bench::es256(setup = proof_signature_input)]
fn proof_signature_only(
    (point, signed, signature): ProofSignatureInput,
) -> (bool, ProofSignatureInput) {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, black_box(&point));
    let verified = key
        .verify(black_box(signed.as_bytes()), black_box(&signature))
        .is_ok();
    (verified, (point, signed, signature))
}

#[library_benchmark]
#[bench::one_key(args = (1), setup = key_set)]
#[bench::hundred_keys(args = (100), setup = key_set)]
fn key_lookup(keys: ParsedJwks) -> (bool, ParsedJwks) {
    let found = keys
        .find(black_box(Some("key-0")), Algorithm::RS256)
        .next()
        .is_some();
    (found, keys)
}

/// A request to an in-process application: measures what an extractor adds to a route.
struct Call {
    runtime: Runtime,
    response: LocalBoxFuture<'static, StatusCode>,
    /// Keeps the application alive, so that dropping it is not measured.
    _service: Rc<dyn Any>,
}

fn call(entries: usize, path: &'static str) -> Call {
    let fixture = TokenFixture::new();
    let (auth, token) = (fixture.verifier(entries), fixture.token(1));
    let guarded = auth.require::<AnyUser>();
    let subject = "11111111-2222-4333-8444-000000000001";
    let app = App::new()
        .app_data(auth)
        .route(
            "/open",
            web::get().to(async || HttpResponse::Ok().body(subject.to_owned())),
        )
        .route(
            "/user",
            web::get()
                .to(async |user: Principal| HttpResponse::Ok().body(user.subject().to_owned())),
        )
        .service(web::scope("/in").wrap(guarded).route(
            "",
            web::get().to(async || HttpResponse::Ok().body(subject.to_owned())),
        ));
    let runtime = Runtime::new().unwrap();
    let service = Rc::new(runtime.block_on(init_service(app)));
    let respond = || -> LocalBoxFuture<'static, StatusCode> {
        let header = (header::AUTHORIZATION, format!("Bearer {token}"));
        let request = TestRequest::with_uri(path)
            .insert_header(header)
            .to_request();
        let service = Rc::clone(&service);
        Box::pin(async move { service.call(request).await.unwrap().status() })
    };
    assert!((0..3).all(|_| runtime.block_on(respond()) == StatusCode::OK));
    Call {
        runtime,
        response: respond(),
        _service: service,
    }
}

struct AnyUser;

impl Requirement for AnyUser {
    type Claims = NoCustomClaims;

    fn check(_: &Verified) -> Result<(), AuthError> {
        Ok(())
    }
}

#[library_benchmark]
#[bench::without_authentication(args = (10_000, "/open"), setup = call)]
#[bench::principal_cached(args = (10_000, "/user"), setup = call)]
#[bench::principal_cache_off(args = (0, "/user"), setup = call)]
#[bench::guard_cached(args = (10_000, "/in"), setup = call)]
fn route(mut call: Call) -> (StatusCode, Call) {
    let status = call.runtime.block_on(black_box(&mut call.response));
    (status, call)
}

library_benchmark_group!(
    name = paths,
    benchmarks = [
        signature_only,
        verification,
        proof_signature_only,
        proof,
        key_lookup,
        route
    ]
);
main!(library_benchmark_groups = paths);
