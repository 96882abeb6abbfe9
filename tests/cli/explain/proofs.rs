//! Proofs of tokens that are bound to a key (`DPoP`, RFC 9449).

use bearward_testing::ProofKey;

use super::Fixture;
use crate::{CommandOutput, run};

const URL: &str = "https://api.example.com/orders";

fn explain(fixture: &Fixture, token: &str, proof: &str) -> CommandOutput {
    run(
        &[
            "explain", token, "--proof", proof, "--method", "POST", "--url", URL,
        ],
        &[
            ("SUPABASE_URL", &fixture.base),
            ("BEARWARD_ISSUERS__SUPABASE__DPOP", "accepted"),
        ],
    )
}

#[tokio::test]
async fn a_proof_is_explained_after_the_token() {
    let fixture = Fixture::start().await;
    let key = ProofKey::generate();
    let token = fixture.idp.token().bound_to(&key).sign();
    let proof = key.proof("POST", URL).for_token(&token).sign();
    let output = explain(&fixture, &token, &proof);
    let jkt = key.thumbprint();
    output.expect(
        0,
        &[
            "accepted",
            "ok  possession",
            "typ dpop+jwt",
            "htm POST",
            &jkt,
        ],
    );
    output.assert_hides_signature(&token);
    output.assert_hides_signature(&proof);
}

#[tokio::test]
async fn a_rejected_proof_shows_what_is_expected() {
    let fixture = Fixture::start().await;
    let key = ProofKey::generate();
    let token = fixture.idp.token().bound_to(&key).sign();
    let proof = key.proof("GET", URL).for_token(&token).sign();
    explain(&fixture, &token, &proof).expect(
        1,
        &[
            "NO  possession",
            "htm GET",
            "htm POST, htu https://api.example.com/orders",
            "rejected INVALID_DPOP_PROOF",
            "next: create a new proof for each request",
        ],
    );
    let output = run(
        &["explain", &token],
        &[
            ("SUPABASE_URL", &fixture.base),
            ("BEARWARD_ISSUERS__SUPABASE__DPOP", "accepted"),
        ],
    );
    output.expect(1, &["rejected INVALID_CLAIM", "Authorization: DPoP TOKEN"]);
}
