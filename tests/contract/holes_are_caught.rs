//! Each hole is caught by exactly the cases that name it, and each case has a hole that it catches.

use std::{collections::BTreeSet, time::Duration};

use bearward::Algorithm;
use bearward_contract::{Contract, Expectation, Options, Outcome, Severity, all_cases};
use tokio::{
    io::copy_bidirectional,
    net::{TcpSocket, TcpStream},
};

use crate::{
    double::{Cache, Double, Hole, Manners, Remembers},
    holes::{
        BROKEN, Caught, OVERLOOKED, REFUSED, RUDE, SIBLINGS, UNLISTED, VISITED, kept, locked_out,
        remembered,
    },
    stand::{failed, findings, options, refusing_during, run, trust},
};

/// The groups of these cases, so that a hole is looked for where it shows; the recorded run vouches
/// for the others.
fn groups_of(ids: &[&str]) -> Vec<String> {
    let named: BTreeSet<&str> = all_cases()
        .iter()
        .filter(|case| ids.contains(&case.id))
        .map(|case| case.group().name)
        .collect();
    named.into_iter().map(str::to_owned).collect()
}

async fn each_is_caught(
    holes: &[Caught],
    hole: fn(&'static str) -> Hole,
    part: usize,
    parts: usize,
) {
    for (mistake, ids) in holes.iter().skip(part).step_by(parts) {
        let report = run(
            hole(mistake),
            Options {
                only: groups_of(ids),
                ..options()
            },
        )
        .await;
        assert_eq!(failed(&report), *ids, "{mistake}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_double_passes_everything_to_the_letter() {
    let report = run(
        Hole::None,
        Options {
            quick: false,
            ..options()
        },
    )
    .await;
    assert!(report.passed(), "{report}");
    let skipped = report.results.iter().filter(|tested| tested.is_skipped());
    assert!(
        skipped
            .clone()
            .all(|tested| tested.id.starts_with("alg.unlisted")),
        "{:?}",
        skipped.collect::<Vec<_>>()
    );
}

/// Over the whole battery: the requests of a case have the mistakes that the table says, and no
/// other case has them alone.
#[tokio::test(flavor = "multi_thread")]
async fn no_case_sends_a_mistake_of_another() {
    let seen = findings(options()).await;
    for (mistake, ids) in OVERLOOKED {
        let alone = |readings: &Vec<_>| {
            readings
                .iter()
                .any(|reading: &BTreeSet<String>| reading.len() == 1 && reading.contains(*mistake))
        };
        let named: Vec<&str> = seen
            .iter()
            .filter(|(_, requests)| requests.iter().any(alone))
            .map(|(id, _)| *id)
            .collect();
        // A case that looks at the form of a refusal alone sends what another is about.
        let named: Vec<&str> = named
            .into_iter()
            .filter(|id| *id != "http.no-store")
            .collect();
        assert_eq!(named, *ids, "{mistake}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overlooked_is_caught_first_quarter() {
    each_is_caught(OVERLOOKED, Hole::Overlooks, 0, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overlooked_is_caught_second_quarter() {
    each_is_caught(OVERLOOKED, Hole::Overlooks, 1, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overlooked_is_caught_third_quarter() {
    each_is_caught(OVERLOOKED, Hole::Overlooks, 2, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_overlooked_is_caught_fourth_quarter() {
    each_is_caught(OVERLOOKED, Hole::Overlooks, 3, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_is_caught() {
    each_is_caught(BROKEN, Hole::Breaks, 0, 1).await;
}

/// But for what an HTTP layer may find too large.
#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_over_a_token_has_not_survived_it() {
    for (kind, ids) in BROKEN {
        let report = run(
            Hole::HangsUp(kind),
            Options {
                only: groups_of(ids),
                ..options()
            },
        )
        .await;
        let caught = if *kind == "oversize" { &[] } else { *ids };
        assert_eq!(failed(&report), caught, "{kind}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_limits_everybody_is_told_after_the_time_to_be_ready() {
    let short = Options {
        ready_timeout: Duration::from_secs(1),
        ..options()
    };
    let contract = Contract::open(short).unwrap();
    let double = Double::start(trust(&contract, &[]), Hole::LimitsAll);
    let error = contract.run(&double.url()).await.unwrap_err().to_string();
    assert!(error.contains("429 Too Many Requests"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn good_tokens_that_are_refused_are_caught() {
    for (kind, ids) in REFUSED {
        // Listed, so that what is not accepted is a failure and not the target's choice.
        let report = run(
            Hole::Refuses(kind),
            Options {
                algorithms: Algorithm::ALL.to_vec(),
                only: groups_of(ids),
                ..options()
            },
        )
        .await;
        assert_eq!(failed(&report), *ids, "{kind}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visits_are_caught() {
    each_is_caught(VISITED, Hole::Visits, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_memories_are_caught() {
    for (hole, ids) in remembered() {
        let report = run(
            hole.clone(),
            Options {
                only: groups_of(ids),
                ..options()
            },
        )
        .await;
        assert_eq!(failed(&report), *ids, "{hole:?}\n{report}");
    }
    let report = run(
        Hole::Remembers(Remembers::Connection),
        Options {
            only: vec!["http".to_owned()],
            ..options()
        },
    )
    .await;
    assert!(failed(&report).contains(&"http.keep-alive"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_algorithm_that_is_not_listed_is_caught() {
    for algorithm in UNLISTED {
        let mistake: &'static str = format!("{algorithm} is not listed").leak();
        let id = format!("alg.unlisted.{}", algorithm.to_lowercase());
        let other = if *algorithm == "RS256" {
            Algorithm::ES256
        } else {
            Algorithm::RS256
        };
        let listed = Options {
            algorithms: vec![other],
            only: vec!["alg".to_owned()],
            ..options()
        };
        let report = run(Hole::Overlooks(mistake), listed).await;
        assert_eq!(failed(&report), [id.as_str()], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_kept_wrongly_are_caught() {
    for (mistake, cache, only, ids) in kept() {
        let only = only.iter().map(|&name| name.to_owned()).collect();
        let report = run(
            Hole::Keeps(cache),
            Options {
                quick: false,
                only,
                ..options()
            },
        )
        .await;
        assert_eq!(failed(&report), ids, "{mistake}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_with_unusual_keys_that_is_given_up_is_caught() {
    let cache = Cache {
        skips_unknown_types: false,
        ..Default::default()
    };
    let short = Options {
        ready_timeout: Duration::from_secs(3),
        only: vec!["jwks".to_owned()],
        ..options()
    };
    let report = run(Hole::Keeps(cache), short).await;
    assert_eq!(failed(&report), ["jwks.neighbours"], "{report}");
    assert!(
        report.skipped() > 3,
        "what needs the set says nothing: {report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_listens_only_once_it_can_read_the_set_is_caught_by_the_same_case() {
    let short = Options {
        ready_timeout: Duration::from_secs(6),
        only: vec!["jwks".to_owned()],
        ..options()
    };
    let contract = Contract::open(short).unwrap();
    let double = Double::start(trust(&contract, &[]), Hole::None);
    let (jwks_url, behind) = (
        contract.jwks_url(),
        double
            .url()
            .replace("http://", "")
            .replace("/protected", ""),
    );
    // Bound and not listening: nobody else takes the port, and connections are refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let target = format!("http://{}/protected", socket.local_addr().unwrap());
    tokio::spawn(async move {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        // The unusual members come when the run begins.
        for unusual in [true, false] {
            while client
                .get(&jwks_url)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap()
                .contains("PQC")
                != unusual
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let listener = socket.listen(64).unwrap();
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(&behind).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let report = contract.run(&target).await.unwrap();
    assert_eq!(failed(&report), ["jwks.neighbours"], "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_out_is_caught_by_the_control_after_each_group() {
    for id in locked_out() {
        let id: &'static str = id.leak();
        let group = id
            .strip_prefix("control.after.")
            .unwrap_or("control")
            .to_owned();
        let report = refusing_during(
            id,
            Options {
                quick: false,
                only: vec![group],
                ..options()
            },
        )
        .await;
        assert_eq!(failed(&report), [id], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rudeness_is_caught_by_those_who_ask_for_manners_alone() {
    for (manners, ids) in RUDE {
        let report = run(
            Hole::Answers(*manners),
            Options {
                only: groups_of(ids),
                ..options()
            },
        )
        .await;
        assert_eq!(failed(&report), *ids, "{report}");
    }
    let expecting = |wanted: &[Expectation]| -> BTreeSet<&'static str> {
        let cases = all_cases()
            .into_iter()
            .filter(|case| wanted.contains(&case.expectation) && !case.group().timed);
        cases
            .map(|case| case.id)
            .filter(|id| !id.starts_with("alg.unlisted"))
            .collect()
    };
    let (refused, nobody) = (
        expecting(&[Expectation::Refused]),
        expecting(&[Expectation::Unauthenticated]),
    );
    let grammar = BTreeSet::from(["http.challenge.grammar"]);
    // Two of them are answered with 400 by a sound server.
    let doubled = BTreeSet::from(["http.two-headers.good-first", "http.two-headers.good-last"]);
    let requests = &expecting(&[Expectation::RefusedRequest]) - &doubled;
    for (manners, named) in [
        (
            Manners::NoChallenge,
            &(&(&refused | &nobody) | &grammar) | &requests,
        ),
        (
            Manners::Forbidden,
            &(&(&refused | &nobody) | &requests) | &doubled,
        ),
        (Manners::NoErrorCode, refused.clone()),
        (Manners::ErrorCodeForNobody, nobody.clone()),
        (Manners::AttributeTwice, &refused | &grammar),
    ] {
        let report = run(Hole::Answers(manners), options()).await;
        assert_eq!(
            failed(&report).into_iter().collect::<BTreeSet<_>>(),
            named,
            "{manners:?}"
        );
        let report = run(
            Hole::Answers(manners),
            Options {
                strict: false,
                ..options()
            },
        )
        .await;
        assert!(report.passed(), "{manners:?}\n{report}");
    }
}

#[test]
fn every_case_has_a_hole_that_it_alone_catches_or_a_reason_why_there_is_none() {
    let tables = [OVERLOOKED, BROKEN, REFUSED, VISITED]
        .into_iter()
        .flatten()
        .map(|(_, ids)| ids.to_vec());
    let kept = kept().into_iter().map(|(_, _, _, ids)| ids.to_vec());
    let remembered = remembered().into_iter().map(|(_, ids)| ids.to_vec());
    let rude = RUDE.iter().map(|(_, ids)| ids.to_vec());
    let of_one = ["jwks.neighbours".to_owned()]
        .into_iter()
        .chain(locked_out());
    let of_one = of_one.chain(
        UNLISTED
            .iter()
            .map(|name| format!("alg.unlisted.{}", name.to_lowercase())),
    );
    let of_one: Vec<Vec<&str>> = of_one.map(|id| vec![&*id.leak()]).collect();
    let caught: Vec<Vec<&str>> = tables
        .chain(kept)
        .chain(remembered)
        .chain(rude)
        .chain(of_one)
        .collect();
    let alone: BTreeSet<&str> = caught
        .iter()
        .filter(|ids| ids.len() == 1)
        .map(|ids| ids[0])
        .collect();
    let together: BTreeSet<&str> = caught.iter().flatten().copied().collect();
    let excused: BTreeSet<&str> = SIBLINGS
        .iter()
        .flat_map(|(ids, _)| ids.iter().copied())
        .collect();
    let ids: BTreeSet<&str> = all_cases().iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), all_cases().len(), "no id twice");
    assert_eq!(&ids - &together, BTreeSet::new(), "cases without a hole");
    assert_eq!(
        &(&ids - &alone) - &excused,
        BTreeSet::new(),
        "cases that are never caught alone, without a reason"
    );
    assert_eq!(
        &alone & &excused,
        BTreeSet::new(),
        "a reason that is not needed any more"
    );
    assert_eq!(
        &(&together | &excused) - &ids,
        BTreeSet::new(),
        "a hole for a case that is not there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_as_bad_as_what_came_and_no_worse() {
    let forged = "no signature, under the issuer's kid";
    for (hole, severity, hint) in [
        (
            Hole::Overlooks(forged),
            Severity::Critical,
            "verifying function",
        ),
        (Hole::Breaks(forged), Severity::Medium, "became a 5xx"),
        (
            Hole::Answers(Manners::NoChallenge),
            Severity::Low,
            "verifying function",
        ),
    ] {
        let report = run(
            hole,
            Options {
                only: vec!["sig.empty".to_owned()],
                ..options()
            },
        )
        .await;
        let tested = report
            .failures()
            .find(|tested| tested.id == "sig.empty")
            .expect("it failed");
        assert_eq!(tested.severity, severity, "{report}");
        assert!(tested.hint.contains(hint), "{}", tested.hint);
    }
}

/// Who can send the token decides, not which rule it breaks.
#[test]
fn what_only_the_issuer_can_sign_is_never_critical() {
    let severity = |id: &str| {
        all_cases()
            .into_iter()
            .find(|case| case.id == id)
            .expect("a case")
            .severity
    };
    for id in [
        "header.crit-unknown",
        "form.payload-null",
        "claims.exp.overflow",
        "claims.aud.missing",
        "alg.unknown",
    ] {
        assert_eq!(severity(id), Severity::Medium, "{id}");
    }
    for id in [
        "alg.none.lower-case",
        "sig.stranger",
        "claims.exp.past",
        "claims.aud.other",
        "iss.other",
        "ssrf.jku",
    ] {
        assert_eq!(severity(id), Severity::Critical, "{id}");
    }
    let excused = all_cases()
        .into_iter()
        .filter(|case| !case.caveat.is_empty());
    for case in excused {
        assert!(
            case.severity > Severity::High,
            "{} has a caveat and is {}",
            case.id,
            case.severity
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_that_is_refused_without_a_request_for_keys_is_explained_by_the_limit() {
    for (asks_at_most, names_the_limit) in [(2, true), (1, false)] {
        let cache = Cache {
            asks_at_most,
            cooldown: Duration::ZERO,
            ..Cache::default()
        };
        let report = run(
            Hole::Keeps(cache),
            Options {
                quick: false,
                only: vec!["key".to_owned()],
                ..options()
            },
        )
        .await;
        let case = report
            .failures()
            .find(|tested| tested.id == "key.rotation.same-request")
            .expect("it failed");
        let Outcome::Failed { got, .. } = &case.outcome else {
            panic!("{case:?}")
        };
        assert_eq!(got.contains("--cooldown 61s"), names_the_limit, "{got}");
    }
}
