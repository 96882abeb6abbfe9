//! What a proof of possession costs, compared with the check of its signature.
//!
//! `cargo bench -p bearward --bench dpop`

use std::{hint::black_box, sync::Arc, time::Duration};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64_simd::URL_SAFE_NO_PAD;
use bearward::{
    Algorithm, Bearward, DpopConfig, DpopMode, RequestHead, SystemClock,
    dpop::{ProofRequest, ProofVerifier},
};
use bearward_testing::{MockIdp, ProofKey};
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;

const URL: &str = "https://api.example.com/orders";

/// The number of different proofs. Afterwards they are used again with a new verifier.
const PROOFS: usize = 20_000;

fn verifier() -> ProofVerifier {
    ProofVerifier::new(DpopConfig::default(), Arc::new(SystemClock::new())).expect("valid settings")
}

fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode_to_vec(part)
        .expect("base64url without padding")
}

/// The signature check alone, with the public key as in `jwk`: the point is decoded for each proof,
/// because each proof brings its own key.
fn signature(criterion: &mut Criterion) {
    let key = ProofKey::with_algorithm(Algorithm::ES256);
    let proof = key.proof("GET", URL).sign();
    let (signed, signature) = proof.rsplit_once('.').expect("a signature");
    let signature = decode(signature);
    let jwk = key.jwk();
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(decode(jwk[name].as_str().expect("a coordinate")));
    }
    criterion.bench_function("dpop/signature", |bencher| {
        bencher.iter(|| {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, black_box(&point));
            key.verify(signed.as_bytes(), &signature).expect("valid");
        });
    });
}

/// All checks of a proof, with the replay memory.
fn proof(criterion: &mut Criterion) {
    let key = ProofKey::with_algorithm(Algorithm::ES256);
    let proofs: Vec<String> = (0..PROOFS).map(|_| key.proof("GET", URL).sign()).collect();
    let (mut next, mut verifier_in_use) = (0, verifier());
    criterion.bench_function("dpop/proof", |bencher| {
        bencher.iter(|| {
            if next == PROOFS {
                (next, verifier_in_use) = (0, verifier());
            }
            let request = ProofRequest::new([&proofs[next]], "GET", URL);
            next += 1;
            black_box(verifier_in_use.verify(&request)).expect("valid");
        });
    });
}

/// A whole request with a cached token that is bound to a key.
fn request(criterion: &mut Criterion) {
    let idp = MockIdp::offline();
    let key = ProofKey::with_algorithm(Algorithm::ES256);
    let build = || {
        let config =
            DpopConfig::default().base_url("https://api.example.com".parse().expect("a URL"));
        let issuer = idp.as_issuer().dpop(DpopMode::Accepted);
        let auth = Bearward::builder().issuer(issuer).dpop(config).build();
        auth.now_or_never()
            .expect("fixed keys")
            .expect("valid settings")
    };
    let token = idp.token().bound_to(&key).sign();
    let authorization = format!("DPoP {token}");
    let sign = || key.proof("GET", URL).for_token(&token).sign();
    let proofs: Vec<String> = (0..PROOFS).map(|_| sign()).collect();
    let (mut next, mut auth) = (0, build());
    criterion.bench_function("dpop/request", |bencher| {
        bencher.iter(|| {
            if next == PROOFS {
                (next, auth) = (0, build());
            }
            let headers = [
                ("authorization", authorization.as_str()),
                ("dpop", &proofs[next]),
            ];
            next += 1;
            let head = RequestHead::new("GET", "/orders", headers);
            let user = auth
                .authenticate(&head)
                .now_or_never()
                .expect("cached keys");
            black_box(user).expect("valid");
        });
    });
}

fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
}

criterion_group! { name = benches; config = criterion(); targets = signature, proof, request }
criterion_main!(benches);
