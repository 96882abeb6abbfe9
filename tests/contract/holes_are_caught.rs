//! Each hole is caught by exactly the cases that name it, and each case has a hole that it catches.

use std::{collections::BTreeSet, time::Duration};

use bearward::{
    Algorithm,
    contract::{Contract, Expectation, Options, battery, groups},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpSocket, TcpStream},
};

use crate::{
    double::{Double, Hole, Manners, Remembers},
    holes::{BROKEN, Caught, OVERLOOKED, REFUSED, RUDE, VISITED, kept, remembered},
    stand::{failed, findings, options, refusing_during, run, trust},
};

/// The groups of these cases, so that a hole is looked for where it shows; the recorded run vouches for the others.
fn groups_of(ids: &[&str]) -> Vec<String> {
    let named: BTreeSet<&str> = battery().iter().filter(|case| ids.contains(&case.id)).map(|case| case.group().name).collect();
    named.into_iter().map(str::to_owned).collect()
}

async fn each_is_caught(holes: &[Caught], hole: fn(&'static str) -> Hole, part: usize, parts: usize) {
    for (mistake, ids) in holes.iter().skip(part).step_by(parts) {
        let report = run(hole(mistake), Options { only: groups_of(ids), ..options() }).await;
        assert_eq!(failed(&report), *ids, "{mistake}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_double_passes_everything_to_the_letter() {
    let report = run(Hole::None, Options { quick: false, ..options() }).await;
    assert!(report.is_sound(), "{report}");
    let skipped = report.results.iter().filter(|tested| tested.is_skipped());
    assert!(skipped.clone().all(|tested| tested.id.starts_with("alg.unlisted")), "{:?}", skipped.collect::<Vec<_>>());
}

/// Over the whole battery: the requests of a case have the mistakes that the table says, and no other case has them alone.
#[tokio::test(flavor = "multi_thread")]
async fn no_case_sends_a_mistake_of_another() {
    let seen = findings(options()).await;
    for (mistake, ids) in OVERLOOKED {
        let alone = |readings: &Vec<_>| {
            readings.iter().any(|reading: &BTreeSet<String>| reading.len() == 1 && reading.contains(*mistake))
        };
        let named: Vec<&str> = seen.iter().filter(|(_, requests)| requests.iter().any(alone)).map(|(id, _)| *id).collect();
        // A case that looks at the form of a refusal alone sends what another is about.
        let named: Vec<&str> = named.into_iter().filter(|id| *id != "http.no-store").collect();
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

#[tokio::test(flavor = "multi_thread")]
async fn good_tokens_that_are_refused_are_caught() {
    for (kind, ids) in REFUSED {
        // Listed, so that what is not accepted is a failure and not the target's choice.
        let report =
            run(Hole::Refuses(kind), Options { algorithms: Algorithm::ALL.to_vec(), only: groups_of(ids), ..options() }).await;
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
        let report = run(hole.clone(), Options { only: groups_of(ids), ..options() }).await;
        assert_eq!(failed(&report), *ids, "{hole:?}\n{report}");
    }
    let report = run(Hole::Remembers(Remembers::Connection), Options { only: vec!["http".to_owned()], ..options() }).await;
    assert!(failed(&report).contains(&"http.keep-alive"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_algorithm_that_is_not_listed_is_caught() {
    let mistakes = ["RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];
    for algorithm in mistakes {
        let mistake: &'static str = format!("{algorithm} is not listed").leak();
        let id = format!("alg.unlisted.{}", algorithm.to_lowercase());
        let listed = Options { algorithms: vec![Algorithm::RS256], only: vec!["alg".to_owned()], ..options() };
        let report = run(Hole::Overlooks(mistake), listed).await;
        assert_eq!(failed(&report), [id.as_str()], "{report}");
    }
    let listed = Options { algorithms: vec![Algorithm::ES256], only: vec!["alg".to_owned()], ..options() };
    let report = run(Hole::Overlooks("RS256 is not listed"), listed).await;
    assert_eq!(failed(&report), ["alg.unlisted.rs256"], "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_kept_wrongly_are_caught() {
    for (mistake, cache, only, ids) in kept() {
        let only = only.iter().map(|&name| name.to_owned()).collect();
        let report = run(Hole::Keeps(cache), Options { quick: false, only, ..options() }).await;
        assert_eq!(failed(&report), ids, "{mistake}\n{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_with_unusual_keys_that_is_given_up_is_caught() {
    let cache = crate::double::Cache { skips_unknown_types: false, ..Default::default() };
    let short = Options { ready_timeout: Duration::from_secs(3), only: vec!["jwks".to_owned()], ..options() };
    let report = run(Hole::Keeps(cache), short).await;
    assert_eq!(failed(&report), ["jwks.neighbours"], "{report}");
    assert!(report.skipped() > 3, "what needs the set says nothing: {report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_listens_only_once_it_can_read_the_set_is_caught_by_the_same_case() {
    let short = Options { ready_timeout: Duration::from_secs(6), only: vec!["jwks".to_owned()], ..options() };
    let contract = Contract::open(short).unwrap();
    let double = Double::start(trust(&contract, &[]), Hole::None);
    let (jwks_url, behind) = (contract.jwks_url(), double.url().replace("http://", "").replace("/protected", ""));
    // Bound and not listening: nobody else takes the port, and connections are refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let target = format!("http://{}/protected", socket.local_addr().unwrap());
    tokio::spawn(async move {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        // The unusual members come when the run begins.
        for unusual in [true, false] {
            while client.get(&jwks_url).send().await.unwrap().text().await.unwrap().contains("PQC") != unusual {
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
    for group in groups().iter().filter(|group| group.name != "control") {
        let id: &'static str = format!("control.after.{}", group.name).leak();
        let only = vec![group.name.to_owned()];
        let report = refusing_during(id, Options { quick: false, only, ..options() }).await;
        assert_eq!(failed(&report), [id], "{report}");
    }
    for id in ["control.valid", "control.alg.rs256"] {
        let report = refusing_during(id, Options { only: vec!["control".to_owned()], ..options() }).await;
        assert_eq!(failed(&report), [id], "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rudeness_is_caught_by_those_who_ask_for_manners_alone() {
    for (manners, ids) in RUDE {
        let report = run(Hole::Answers(*manners), Options { only: groups_of(ids), ..options() }).await;
        assert_eq!(failed(&report), *ids, "{report}");
    }
    let expecting = |wanted: &[Expectation]| -> BTreeSet<&'static str> {
        let cases = battery().into_iter().filter(|case| wanted.contains(&case.expectation) && !case.group().timed);
        cases.map(|case| case.id).filter(|id| !id.starts_with("alg.unlisted")).collect()
    };
    let (refused, nobody) = (expecting(&[Expectation::Refused]), expecting(&[Expectation::Unauthenticated]));
    let grammar = BTreeSet::from(["http.challenge.grammar"]);
    // Two of them are answered with 400 by a sound server.
    let doubled = BTreeSet::from(["http.two-headers.good-first", "http.two-headers.good-last"]);
    let requests = &expecting(&[Expectation::RefusedRequest]) - &doubled;
    for (manners, named) in [
        (Manners::NoChallenge, &(&(&refused | &nobody) | &grammar) | &requests),
        (Manners::Forbidden, &(&(&refused | &nobody) | &requests) | &doubled),
        (Manners::NoErrorCode, refused.clone()),
        (Manners::ErrorCodeForNobody, nobody.clone()),
        (Manners::AttributeTwice, &refused | &grammar),
    ] {
        let report = run(Hole::Answers(manners), options()).await;
        assert_eq!(failed(&report).into_iter().collect::<BTreeSet<_>>(), named, "{manners:?}");
        let report = run(Hole::Answers(manners), Options { strict: false, ..options() }).await;
        assert!(report.is_sound(), "{manners:?}\n{report}");
    }
}

#[test]
fn every_case_has_a_hole_that_it_catches() {
    let tables = [OVERLOOKED, BROKEN, REFUSED, VISITED].into_iter().flatten().flat_map(|(_, ids)| ids.iter().copied());
    let kept: Vec<&str> = kept().into_iter().flat_map(|(_, _, _, ids)| ids.iter().copied()).collect();
    let remembered: Vec<&str> = remembered().into_iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    let rude = RUDE.iter().flat_map(|(_, ids)| ids.iter().copied());
    let caught: BTreeSet<&str> = tables.chain(kept).chain(remembered).chain(rude).collect();
    let elsewhere = |id: &str| {
        id.starts_with("control.after.")
            || id.starts_with("alg.unlisted.")
            || ["control.valid", "control.alg.rs256", "jwks.neighbours"].contains(&id)
    };
    let uncaught: Vec<&str> = battery().iter().map(|case| case.id).filter(|id| !caught.contains(id) && !elsewhere(id)).collect();
    assert_eq!(uncaught, [""; 0]);
    let ids: BTreeSet<&str> = battery().iter().map(|case| case.id).collect();
    assert_eq!(ids.len(), battery().len(), "no id twice");
    assert!(caught.iter().all(|id| ids.contains(id)), "no hole for a case that is not there");
}
