//! Tokens that are bound to a key of the client (`DPoP`, RFC 9449). Each proof violates at most one
//! rule.

use bearward_testing::ProofBuilder;

use crate::{
    case::{Case, Expectation, Precondition, Severity},
    error::StepError,
    forge::Forge,
    group::Group,
    harness::{Harness, expect_proof_rejected},
    target::Request,
};

pub(crate) const GROUP: Group = Group {
    name: "dpop",
    title: "a bound token is accepted only with a fresh proof of its key for this request",
    hint: "use a library that makes all checks of RFC 9449 §4.3: jwk and signature, htm and htu of the request as the client sent it, iat, ath, \
           cnf.jkt, and a memory of used jti",
    timed: false,
    cases,
};

/// Returns a valid token that is bound to the key of the proofs.
fn bound(f: &Forge) -> String {
    f.token().bound_to(&f.proof_key).sign()
}

/// Returns a builder for a valid proof of a request with this token.
fn proof(f: &Forge, token: &str) -> ProofBuilder {
    let method = f.target_method();
    let proof = f
        .proof_key
        .proof(method.as_str(), f.target_url())
        .for_token(token);
    match f.dpop_nonce() {
        Some(nonce) => proof.nonce(&nonce),
        None => proof,
    }
}

fn request(token: &str, proof: &str) -> Request {
    Request::bare()
        .authorization(format!("DPoP {token}"))
        .header("dpop", proof)
}

/// Returns a request with a changed proof.
fn with(
    change: impl Fn(ProofBuilder, &Forge) -> String + Send + Sync + 'static,
) -> impl Fn(&Forge) -> Request + Send + Sync + 'static {
    move |f| {
        let token = bound(f);
        request(&token, &change(proof(f, &token), f))
    }
}

/// Returns a case with a forged proof. The attacker has stolen the token and not the key.
fn forged(id: &'static str, title: &'static str, kind: &'static str) -> Case {
    let change = move |proof: ProofBuilder, _: &Forge| proof.forged(kind).unwrap_or_default();
    stolen(Case::request(
        id,
        title,
        Expectation::RejectedProof,
        with(change),
    ))
}

fn stolen(case: Case) -> Case {
    case.severity(Severity::Medium)
        .severity_note("the sender needs a stolen token")
}

fn cases() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(signatures());
    cases.extend(requests());
    cases.extend(schemes());
    let rationale = "a stolen token is usable without the key";
    cases
        .into_iter()
        .map(|case| {
            case.requires(Precondition::Dpop)
                .default_rationale(rationale, "RFC 9449 §4.3")
        })
        .collect()
}

fn accepted() -> Vec<Case> {
    let valid = |id, title, change: fn(ProofBuilder, &Forge) -> ProofBuilder| {
        let change = move |proof: ProofBuilder, f: &Forge| change(proof, f).sign();
        Case::request(id, title, Expectation::Accepted, with(change))
    };
    let rationale = "clients differ in how they write equal URLs";
    vec![
        Case::steps(
            "dpop.valid",
            "a bound token with a proof",
            Severity::Medium,
            "2xx",
            |harness| Box::pin(async move { expect_valid(&harness).await }),
        )
        .rationale("clients with DPoP are locked out", "RFC 9449 §7.1"),
        valid(
            "dpop.htu.case",
            "scheme and host of htu in upper case",
            |proof, f| {
                let url = f.target_url();
                let end = url
                    .match_indices('/')
                    .nth(2)
                    .map_or(url.len(), |(at, _)| at);
                let htu = format!("{}{}", url[..end].to_ascii_uppercase(), &url[end..]);
                proof.claim("htu", htu)
            },
        )
        .severity(Severity::Low)
        .rationale(rationale, "RFC 9449 §4.3, RFC 3986 §6.2.2.1")
        .hint("normalize both URLs before they are compared: RFC 9449 §4.3 recommends RFC 3986 §6.2.2 and §6.2.3"),
        Case::request(
            "dpop.htu.request-query",
            "a request with a query, and htu without",
            Expectation::Accepted,
            |f| {
                let token = bound(f);
                request(&token, &proof(f, &token).sign()).query("page=2")
            },
        )
        .rationale(
            "htu has no query: every request with one is rejected",
            "RFC 9449 §4.2, §4.3",
        )
        .hint("compare htu with the URL of the request without its query"),
        valid("dpop.htu.query", "htu with a query", |proof, f| {
            proof.claim("htu", format!("{}?page=2", f.target_url()))
        })
        .strict()
        .severity(Severity::Low)
        .rationale(
            "the comparison ignores the query of htu, although clients must not write one",
            "RFC 9449 §4.2, §4.3",
        )
        .hint("ignore the query and the fragment of htu"),
        valid("dpop.iat.recent", "a proof of 10 s ago", |proof, f| {
            proof.claim("iat", f.now() - 10)
        })
        .rationale(
            "slow networks delay requests, and clocks differ",
            "RFC 9449 §11.1",
        ),
        valid(
            "dpop.iat.ahead",
            "a proof of 5 s in the future",
            |proof, f| proof.claim("iat", f.now() + 5),
        )
        .rationale("clocks differ", "RFC 9449 §11.1"),
        Case::request(
            "dpop.scheme.lower-case",
            "the scheme in lower case",
            Expectation::Accepted,
            |f| {
                let token = bound(f);
                Request::bare()
                    .authorization(format!("dpop {token}"))
                    .header("dpop", proof(f, &token).sign())
            },
        )
        .rationale(
            "authentication schemes are case-insensitive",
            "RFC 9110 §11.1",
        ),
    ]
}

fn signatures() -> Vec<Case> {
    vec![
        forged("dpop.key.other", "a proof with another key", "another_key"),
        forged("dpop.key.missing", "no jwk", "no_key"),
        forged(
            "dpop.key.private",
            "jwk with a private member",
            "private_key",
        )
        .severity_note("only the client has the key")
        .rationale(
            "a client that sends its private key is not warned",
            "RFC 9449 §4.3",
        ),
        forged(
            "dpop.key.symmetric",
            "a symmetric jwk, and HS256",
            "symmetric_key",
        ),
        forged(
            "dpop.signature.tampered",
            "another jti after signing",
            "tampered",
        ),
        forged(
            "dpop.signature.empty",
            "an empty signature",
            "stripped_signature",
        ),
        forged("dpop.alg.none", "alg none and no signature", "alg_none"),
        forged(
            "dpop.alg.hmac",
            "HS256 with the public key as the secret",
            "hmac_with_public_key",
        ),
    ]
}

fn requests() -> Vec<Case> {
    let of_client = |id, title, kind, rationale| {
        forged(id, title, kind)
            .severity_note("only the client can sign such a proof")
            .rationale(rationale, "RFC 9449 §4.2, §4.3")
    };
    let other_type =
        "another JWT that the client signs, such as a client assertion, is usable as a proof";
    let mut cases = vec![
        of_client("dpop.typ.missing", "no typ", "no_typ", other_type),
        of_client("dpop.typ.jwt", "typ JWT", "wrong_typ", other_type),
        of_client(
            "dpop.crit",
            "an unknown critical extension",
            "critical_extension",
            "a restriction that must be understood is ignored",
        )
        .rationale(
            "a restriction that must be understood is ignored",
            "RFC 7515 §4.1.11",
        ),
        of_client(
            "dpop.jti.missing",
            "no jti",
            "no_jti",
            "a proof without jti cannot be recognized when it is sent again",
        ),
        of_client(
            "dpop.htm.missing",
            "no htm",
            "no_htm",
            "a proof without htm is usable with every method",
        ),
        of_client(
            "dpop.htu.missing",
            "no htu",
            "no_htu",
            "a proof without htu is usable at every URL and every server",
        ),
        of_client(
            "dpop.iat.missing",
            "no iat",
            "no_iat",
            "a proof without iat is usable forever",
        ),
        of_client(
            "dpop.ath.missing",
            "no ath",
            "no_ath",
            "a proof without ath is usable with every token of the client",
        ),
    ];
    let seen = "a proof that was made for another request can be used here";
    cases.extend(
        [
            forged(
                "dpop.htm.other",
                "a proof for another method",
                "wrong_method",
            ),
            forged("dpop.htu.host", "a proof for another host", "wrong_host"),
            forged("dpop.htu.path", "a proof for another path", "wrong_path"),
            forged("dpop.ath.other", "a proof for another token", "wrong_token"),
            forged("dpop.iat.past", "a proof of an hour ago", "too_old"),
            forged(
                "dpop.iat.future",
                "a proof of an hour in the future",
                "in_future",
            ),
            Case::steps(
                "dpop.replay",
                "a proof twice",
                Severity::Medium,
                "400, 401 or 403 the second time",
                |harness| Box::pin(async move { expect_replay_rejected(&harness).await }),
            )
            .rationale(
                "a proof that an attacker has read is usable again until it expires; RFC 9449 describes this check and does not require it",
                "RFC 9449 §11.1",
            )
            .hint(
                "store the jti of accepted proofs for as long as iat allows; where replicas cannot share it, demand nonces and accept the rest \
                 with --exclude dpop.replay",
            ),
        ]
        .map(|case| {
            case.severity_note("the sender needs a stolen token and a proof of the client")
                .default_rationale(seen, "RFC 9449 §4.3")
        }),
    );
    cases
}

fn schemes() -> Vec<Case> {
    vec![
        stolen(Case::request(
            "dpop.no-proof",
            "a bound token without a proof",
            Expectation::RejectedProofCount,
            |f| Request::bare().authorization(format!("DPoP {}", bound(f))),
        )),
        Case::request(
            "dpop.two-proofs",
            "two DPoP headers",
            Expectation::RejectedProofCount,
            |f| {
                let token = bound(f);
                let second = proof(f, &token).sign();
                request(&token, &proof(f, &token).sign()).header("dpop", second)
            },
        )
        .severity(Severity::Medium)
        .severity_note("only the client can sign such proofs")
        .rationale(
            "two parts of a server may each check another one",
            "RFC 9449 §4.3",
        ),
        stolen(Case::request(
            "dpop.bearer",
            "a bound token with a proof, and the scheme Bearer",
            Expectation::Rejected,
            |f| {
                let token = bound(f);
                Request::bearer(&token).header("dpop", proof(f, &token).sign())
            },
        ))
        .rationale(
            "a server that accepts bound tokens as bearer tokens accepts stolen ones",
            "RFC 9449 §7.2",
        ),
        Case::request(
            "dpop.unbound",
            "a token without cnf, and a proof with any key",
            Expectation::RejectedProof,
            |f| {
                let token = f.token().sign();
                request(&token, &proof(f, &token).sign())
            },
        )
        .requires_valid_token()
        .rationale(
            "a stolen bearer token passes for a bound one on routes that require DPoP",
            "RFC 9449 §7.1",
        ),
    ]
}

/// Sends a valid request. A target that requires a nonce says so in its first response, and all
/// later proofs contain it.
async fn expect_valid(harness: &Harness) -> Result<(), StepError> {
    let send = async || {
        let token = bound(&harness.forge);
        let proof = proof(&harness.forge, &token).sign();
        harness.send_request(&request(&token, &proof)).await
    };
    let response = send().await;
    let requires_nonce = response.as_ref().is_ok_and(|response| {
        response.status == 401 && response.headers.contains_key("dpop-nonce")
    });
    let response = if requires_nonce {
        send().await
    } else {
        response
    };
    crate::harness::expect_accepted(response, "2xx")
}

async fn expect_replay_rejected(harness: &Harness) -> Result<(), StepError> {
    let token = bound(&harness.forge);
    let repeated = request(&token, &proof(&harness.forge, &token).sign());
    match harness.send_request(&repeated).await {
        Ok(first) if first.is_accepted() => {}
        _ => {
            return Err(StepError::NotApplicable(
                "the target does not accept the proof the first time".to_owned(),
            ));
        }
    }
    expect_proof_rejected(
        harness.send_request(&repeated).await,
        "400, 401 or 403 the second time",
    )
}
