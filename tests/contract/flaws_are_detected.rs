//! Each flaw is detected by exactly the expected cases, and each case detects a flaw.

use std::{collections::BTreeSet, time::Duration};

use bearward::Algorithm;
use bearward_contract::{Contract, Expectation, Options, Outcome, Profile, Severity, all_cases};
use tokio::{
    io::copy_bidirectional,
    net::{TcpSocket, TcpStream},
};

use crate::{
    flaws::{
        ACCEPTED, AT_JWT, AT_JWT_REJECTED, FAILS, FETCHED, METADATA, NEVER_ALONE, ONLY_HANDSHAKE,
        REJECTED, RESPONSES, UNLISTED, detected_by, handshake, key_cache_flaws, lockout_cases,
        result_caches,
    },
    helpers::{failed, flaws_by_case, options, rejecting_during, run, trust},
    test_server::{Behavior, CacheKey, Flaw, KeyCache, ResponseFlaw, TestServer},
};

/// Returns the groups of the cases. To save time a flaw is tested only with these groups;
/// `no_case_has_the_flaw_of_another` covers the others.
fn groups_of(ids: &[&str]) -> Vec<String> {
    let names: BTreeSet<&str> = all_cases()
        .iter()
        .filter(|case| ids.contains(&case.id))
        .map(|case| case.group().name)
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

fn only(groups: &[&str]) -> Options {
    Options {
        only: groups.iter().map(|&name| name.to_owned()).collect(),
        ..options()
    }
}

/// Tests every `parts`-th flaw, so that several tests share a list.
async fn assert_detected(
    flaws: &[Flaw],
    behavior: fn(Flaw) -> Behavior,
    part: usize,
    parts: usize,
) {
    for flaw in flaws.iter().skip(part).step_by(parts) {
        let ids = detected_by(flaw);
        let options = Options {
            only: groups_of(&ids),
            ..options()
        };
        let report = run(behavior(flaw), options).await;
        assert_eq!(failed(&report), ids, "{flaw}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_server_passes_all_cases() {
    let options = Options {
        quick: false,
        ..options()
    };
    let report = run(Behavior::Correct, options).await;
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report
        .results
        .iter()
        .filter(|result| result.is_skipped())
        .filter(|result| !result.id.starts_with("alg.unlisted") && result.group != "at-jwt")
        .filter(|result| !ONLY_HANDSHAKE.contains(&result.id))
        .collect();
    assert!(skipped.is_empty(), "{skipped:?}");
}

fn at_jwt() -> Options {
    Options {
        token_type: "at+jwt".to_owned(),
        client_id: None,
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_server_passes_with_access_tokens_of_rfc_9068() {
    let report = run(Behavior::Correct, at_jwt()).await;
    assert!(report.passed(), "{report}");
    let of_group = report
        .results
        .iter()
        .filter(|result| result.group == "at-jwt");
    assert!(of_group.clone().count() > 10 && of_group.clone().all(|result| !result.is_skipped()));
}

#[tokio::test(flavor = "multi_thread")]
async fn flaws_of_access_tokens_are_detected() {
    let only = Options {
        only: vec!["at-jwt".to_owned()],
        ..at_jwt()
    };
    for flaw in AT_JWT {
        let report = run(Behavior::Accepts(flaw), only.clone()).await;
        assert_eq!(failed(&report), [*flaw], "{report}");
    }
    for name in AT_JWT_REJECTED {
        let report = run(Behavior::Rejects(name), only.clone()).await;
        assert_eq!(failed(&report), [*name], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flaws_of_the_metadata_are_detected() {
    for (flaw, id) in METADATA {
        let report = run(Behavior::Publishes(*flaw), only(&["metadata"])).await;
        assert_eq!(failed(&report), [*id], "{flaw:?}\n{report}");
    }
}

/// Tokens and keys of each profile, for a server that requires what all of them have.
#[tokio::test(flavor = "multi_thread")]
async fn a_correct_server_passes_with_each_profile() {
    // The other profile is for another kind of server: `mcp::a_correct_mcp_server_passes_all_cases`.
    let profiles = Profile::ALL.into_iter();
    for profile in profiles.filter(|profile| *profile != Profile::Mcp) {
        let options = Options {
            profile,
            algorithms: vec![Algorithm::RS256],
            ..options()
        };
        let report = run(Behavior::Correct, options).await;
        assert!(report.passed(), "{profile}: {report}");
        let audience = report
            .results
            .iter()
            .find(|result| result.id == "claims.aud.other")
            .unwrap();
        assert_eq!(audience.is_skipped(), !profile.has_audience(), "{profile}");
    }
}

/// Over all groups: only the expected cases send a request that has this flaw and no other.
#[tokio::test(flavor = "multi_thread")]
async fn no_case_has_the_flaw_of_another() {
    let cases = flaws_by_case(options()).await;
    for flaw in ACCEPTED {
        let only_this = |interpretations: &Vec<BTreeSet<Flaw>>| {
            interpretations
                .iter()
                .any(|flaws| flaws.len() == 1 && flaws.contains(flaw))
        };
        let ids: Vec<&str> = cases
            .iter()
            .filter(|(_, requests)| requests.iter().any(only_this))
            .map(|(id, _)| *id)
            // These check only headers and documents, and send the flaw of another case.
            .filter(|id| *id != "http.no-store" && !id.starts_with("metadata."))
            .collect();
        assert_eq!(ids, detected_by(flaw), "{flaw}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_flaws_are_detected_part_1() {
    assert_detected(ACCEPTED, Behavior::Accepts, 0, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_flaws_are_detected_part_2() {
    assert_detected(ACCEPTED, Behavior::Accepts, 1, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_flaws_are_detected_part_3() {
    assert_detected(ACCEPTED, Behavior::Accepts, 2, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_flaws_are_detected_part_4() {
    assert_detected(ACCEPTED, Behavior::Accepts, 3, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_errors_are_detected() {
    assert_detected(FAILS, Behavior::Fails, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_connections_are_detected_unless_oversize() {
    for flaw in FAILS {
        let options = Options {
            only: groups_of(&[flaw]),
            ..options()
        };
        let report = run(Behavior::Disconnects(flaw), options).await;
        let ids: &[&str] = if *flaw == "form.oversize" {
            &[]
        } else {
            &[flaw]
        };
        assert_eq!(failed(&report), ids, "{flaw}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_rate_limits_is_not_ready() {
    let options = Options {
        ready_timeout: Duration::from_secs(1),
        ..options()
    };
    let contract = Contract::open(options).unwrap();
    let server = TestServer::start(trust(&contract, &[]), Behavior::RateLimitsAll);
    let error = contract.run(&server.url()).await.unwrap_err().to_string();
    assert!(error.contains("429 Too Many Requests"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_valid_tokens_are_detected() {
    for name in REJECTED {
        // Listed, so that a rejection is a failure and not a choice of the target.
        let options = Options {
            algorithms: Algorithm::ALL.to_vec(),
            only: groups_of(&[name]),
            ..options()
        };
        let report = run(Behavior::Rejects(name), options).await;
        assert_eq!(failed(&report), [*name], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fetched_urls_are_detected() {
    assert_detected(FETCHED, Behavior::FetchesUrl, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_result_caches_are_detected() {
    for (behavior, ids) in result_caches() {
        let options = Options {
            only: groups_of(ids),
            ..options()
        };
        let report = run(behavior.clone(), options).await;
        assert_eq!(failed(&report), *ids, "{behavior:?}\n{report}");
    }
    let report = run(
        Behavior::CachesResults(CacheKey::Connection),
        only(&["http"]),
    )
    .await;
    assert!(failed(&report).contains(&"http.keep-alive"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_unlisted_algorithms_are_detected() {
    for (flaw, algorithm) in UNLISTED {
        let listed = if *algorithm == Algorithm::RS256 {
            Algorithm::ES256
        } else {
            Algorithm::RS256
        };
        let options = Options {
            algorithms: vec![listed],
            ..only(&["alg"])
        };
        let report = run(Behavior::Accepts(flaw), options).await;
        assert_eq!(failed(&report), [*flaw], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_cache_flaws_are_detected() {
    for flaw in key_cache_flaws() {
        let options = Options {
            quick: false,
            ..only(flaw.groups)
        };
        let report = run(Behavior::CachesKeys(flaw.cache.clone()), options).await;
        let mut failed = failed(&report);
        // A target without keys may still wait for the fetch that hangs.
        failed.retain(|id| *id != "control.after.outage" || flaw.detected_by.contains(id));
        assert_eq!(failed, flaw.detected_by, "{:?}\n{report}", flaw.cache);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejecting_a_set_with_unusual_keys_is_detected() {
    let cache = KeyCache {
        skips_unknown_types: false,
        ..KeyCache::default()
    };
    // The keys are found to be the cause once the target has fetched them, not at the time limit.
    let options = Options {
        ready_timeout: Duration::from_secs(1000),
        ..only(&["jwks"])
    };
    let report = run(Behavior::CachesKeys(cache), options).await;
    assert_eq!(failed(&report), ["jwks.neighbours"], "{report}");
    assert!(
        report.skipped() > 3,
        "cases that need the set are skipped: {report}"
    );
    assert!(
        report.duration >= Duration::from_secs(3),
        "the duration includes the wait: {:?}",
        report.duration
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn not_starting_with_unusual_keys_is_detected() {
    let options = Options {
        ready_timeout: Duration::from_secs(6),
        ..only(&["jwks"])
    };
    let contract = Contract::open(options).unwrap();
    let server = TestServer::start(trust(&contract, &[]), Behavior::Correct);
    let (jwks_url, upstream) = (contract.jwks_url(), server.address);
    // Bound but not listening: the port is reserved, and connections are refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let target = format!("http://{}/protected", socket.local_addr().unwrap());
    tokio::spawn(async move {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let has_unusual_keys = async || {
            let response = client.get(&jwks_url).send().await.unwrap();
            response.text().await.unwrap().contains("PQC")
        };
        // The unusual keys are published when the run starts, and removed later.
        for expected in [true, false] {
            while has_unusual_keys().await != expected {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let listener = socket.listen(64).unwrap();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(upstream).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let report = contract.run(&target).await.unwrap();
    assert_eq!(failed(&report), ["jwks.neighbours"], "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lockout_is_detected_after_each_group() {
    for id in lockout_cases() {
        let group = id.strip_prefix("control.after.").unwrap_or("control");
        let options = Options {
            quick: false,
            ..only(&[group])
        };
        let report = rejecting_during(id, options).await;
        assert_eq!(failed(&report), [id], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_rejections_are_detected_only_in_strict_mode() {
    for (flaw, id) in RESPONSES {
        let options = Options {
            only: groups_of(&[id]),
            ..options()
        };
        let report = run(Behavior::Responds(*flaw), options).await;
        assert_eq!(failed(&report), [*id], "{report}");
    }
    let expecting = |expectation: Expectation| -> BTreeSet<&'static str> {
        all_cases()
            .into_iter()
            .filter(|case| case.expectation == expectation && !case.group().timed)
            .map(|case| case.id)
            .filter(|id| !id.starts_with("alg.unlisted") && !id.starts_with("at-jwt."))
            .filter(|id| !id.starts_with("dpop.") && !ONLY_HANDSHAKE.contains(id))
            .collect()
    };
    let rejected = &expecting(Expectation::Rejected) | &expecting(Expectation::RejectedUnknownKey);
    let unauthenticated = expecting(Expectation::Unauthenticated);
    let grammar = BTreeSet::from(["http.challenge.grammar"]);
    let in_challenge = BTreeSet::from(["metadata.challenge"]);
    // A correct server responds to these with 400.
    let two_headers = BTreeSet::from(["http.two-headers.good-first", "http.two-headers.good-last"]);
    let requests = &expecting(Expectation::RejectedRequest) - &two_headers;
    for (flaw, ids) in [
        (
            ResponseFlaw::NoChallenge,
            &(&(&(&rejected | &unauthenticated) | &grammar) | &requests) | &in_challenge,
        ),
        (
            ResponseFlaw::Forbidden,
            &(&(&rejected | &unauthenticated) | &requests) | &two_headers,
        ),
        (ResponseFlaw::NoErrorCode, rejected.clone()),
        (ResponseFlaw::UnexpectedErrorCode, unauthenticated.clone()),
        (ResponseFlaw::DuplicateAttribute, &rejected | &grammar),
    ] {
        // Proofs have cases of several steps.
        let options = || Options {
            dpop: false,
            ..options()
        };
        let report = run(Behavior::Responds(flaw), options()).await;
        assert_eq!(
            failed(&report).into_iter().collect::<BTreeSet<_>>(),
            ids,
            "{flaw:?}"
        );
        let options = Options {
            strict: false,
            ..options()
        };
        let report = run(Behavior::Responds(flaw), options).await;
        assert!(report.passed(), "{flaw:?}\n{report}");
    }
}

#[test]
fn every_case_detects_a_flaw_alone_or_has_a_reason() {
    let accepted = ACCEPTED.iter().map(|flaw| detected_by(flaw));
    let key_caches = key_cache_flaws()
        .into_iter()
        .map(|flaw| flaw.detected_by.to_vec());
    let caches = result_caches().into_iter().map(|(_, ids)| ids.to_vec());
    let single = [FAILS, REJECTED, FETCHED, &["jwks.neighbours"]]
        .into_iter()
        .flatten()
        .copied()
        .chain(RESPONSES.iter().map(|(_, id)| *id))
        .chain(UNLISTED.iter().map(|(flaw, _)| *flaw))
        .chain(AT_JWT.iter().chain(AT_JWT_REJECTED).copied())
        .chain(handshake())
        .chain(METADATA.iter().map(|(_, id)| *id))
        .chain(lockout_cases())
        .map(|id| vec![id]);
    let detections: Vec<Vec<&str>> = accepted
        .chain(key_caches)
        .chain(caches)
        .chain(single)
        .collect();
    let sole: BTreeSet<&str> = detections
        .iter()
        .filter(|ids| ids.len() == 1)
        .map(|ids| ids[0])
        .collect();
    let detecting: BTreeSet<&str> = detections.iter().flatten().copied().collect();
    let excused: BTreeSet<&str> = NEVER_ALONE
        .iter()
        .flat_map(|(ids, _)| ids.iter().copied())
        .collect();
    let mut ids: BTreeSet<&str> = all_cases().iter().map(|case| case.id).collect();
    let none = BTreeSet::new();
    assert_eq!(ids.len(), all_cases().len(), "ids are unique");
    // The group has its own server with flaws: `mcp::each_case_detects_a_flaw`.
    ids.retain(|id| !id.starts_with("mcp."));
    assert_eq!(&ids - &detecting, none, "cases that detect no flaw");
    assert_eq!(
        &(&ids - &sole) - &excused,
        none,
        "cases that are never the only one to detect a flaw, without a reason"
    );
    assert_eq!(&sole & &excused, none, "reasons that are obsolete");
    assert_eq!(
        &(&detecting | &excused) - &ids,
        none,
        "flaws of cases that do not exist"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn severity_depends_on_the_kind_of_failure() {
    for (behavior, severity, hint) in [
        (
            Behavior::Accepts("sig.empty"),
            Severity::Critical,
            "verifying function",
        ),
        (
            Behavior::Fails("sig.empty"),
            Severity::Medium,
            "became a 5xx",
        ),
        (
            Behavior::Responds(ResponseFlaw::NoChallenge),
            Severity::Low,
            "WWW-Authenticate: Bearer error",
        ),
    ] {
        let report = run(behavior, only(&["sig.empty"])).await;
        let result = report
            .failures()
            .find(|result| result.id == "sig.empty")
            .expect("the case failed");
        assert_eq!(result.severity, severity, "{report}");
        assert!(result.hint.contains(hint), "{}", result.hint);
        assert_eq!(
            result.rationale.starts_with("the token is not accepted"),
            severity != Severity::Critical,
            "{}",
            result.rationale
        );
    }
}

/// The severity depends on who can send the token, not on the rule it violates.
#[test]
fn cases_that_require_the_issuer_are_not_critical() {
    let severity = |id: &str| {
        all_cases()
            .into_iter()
            .find(|case| case.id == id)
            .expect("the case exists")
            .severity
    };
    for id in [
        "header.crit-unknown",
        "form.payload-null",
        "claims.exp.overflow",
        "claims.aud.missing",
        "alg.unknown",
        "jwks.symmetric",
        "jwks.short-rsa",
        "key.rotation.exponent-of-one",
        "dpop.key.other",
        "dpop.replay",
        "dpop.bearer",
        "mtls.other-certificate",
        "mtls.client-header",
        "mtls.untrusted-peer",
        "mtls.thumbprint.null",
    ] {
        assert_eq!(severity(id), Severity::Medium, "{id}");
    }
    for id in [
        "alg.none.lower-case",
        "sig.untrusted-key",
        "claims.exp.past",
        "claims.aud.other",
        "iss.other",
        "ssrf.jku",
    ] {
        assert_eq!(severity(id), Severity::Critical, "{id}");
    }
    for case in all_cases() {
        assert!(
            case.severity_note.is_empty() || case.severity > Severity::High,
            "{} has a severity note and is {}",
            case.id,
            case.severity
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_new_key_mentions_the_fetch_limit() {
    for (max_fetches, advice) in [(2, "--cooldown 61s"), (1, "--cooldown 301s (Envoy")] {
        let cache = KeyCache {
            max_fetches,
            cooldown: Duration::ZERO,
            ..KeyCache::default()
        };
        let options = Options {
            quick: false,
            ..only(&["key"])
        };
        let report = run(Behavior::CachesKeys(cache), options).await;
        let result = report
            .failures()
            .find(|result| result.id == "key.rotation.same-request")
            .expect("the case failed");
        let Outcome::Failed { got, .. } = &result.outcome else {
            panic!("{result:?}")
        };
        assert!(got.contains(advice), "{got}");
        assert_eq!(result.severity, Severity::Medium, "only a delay is known");
        let others = report.results.iter().filter(|other| {
            matches!(&other.outcome, Outcome::Skipped { reason } if reason.contains("as key.rotation.same-request reports"))
        });
        assert_eq!(others.count(), 1, "{report}");
    }
}
