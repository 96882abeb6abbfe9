//! Targets that nobody would ship: what accepts everything, what refuses everything, what is not
//! there, what goes away.

use std::{net::TcpListener, time::Duration};

use bearward::Algorithm;
use bearward_contract::{Case, Contract, ContractError, Expectation, Options, Severity, all_cases};

use crate::{
    double::{Double, Hole, Trust},
    stand::{failed, options, refusing_from, run, trust},
};

/// Whether a case passes where everything is accepted: its good tokens are, or it asks for no
/// crash.
fn wants_a_refusal(case: &Case) -> bool {
    match case.expectation {
        Expectation::Accepted | Expectation::Survives | Expectation::SurvivesSize => false,
        Expectation::Steps(_) => !GOOD_ALONE.contains(&case.id),
        _ => true,
    }
}

/// Cases of several steps in which no bad token is sent, or what is looked at is something else
/// than the verdict.
const GOOD_ALONE: [&str; 14] = [
    "http.echo",
    "http.no-store",
    "key.rotation.same-request",
    "key.rotation.old-key",
    "key.rotation.unreadable-neighbours",
    "key.rotation.in-place",
    "outage.known-key",
    "outage.page",
    "outage.empty-set",
    "outage.large-set",
    "outage.redirect",
    "outage.hammering",
    "slow.known-key",
    "herd.one-fetch",
];

#[tokio::test(flavor = "multi_thread")]
async fn who_accepts_everything_fails_every_case_that_wants_a_refusal() {
    let listed = Options {
        quick: false,
        algorithms: vec![Algorithm::RS256],
        ..options()
    };
    let report = run(Hole::AcceptsAll, listed).await;
    let named = |id: &str| all_cases().into_iter().find(|case| case.id == id).unwrap();
    let run = report.results.iter().filter(|tested| !tested.is_skipped());
    let wrong: Vec<_> = run
        .filter(|tested| tested.is_failed() != wants_a_refusal(&named(tested.id)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for tested in report.results.iter().filter(|tested| tested.is_skipped()) {
        let of_another = ["control.alg.", "alg.unlisted.", "sig.ecdsa.", "sig.eddsa."];
        assert!(
            of_another.iter().any(|begin| tested.id.starts_with(begin)),
            "{tested:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_everything_from_the_first_case_on_fails_every_case_that_has_a_good_token() {
    let report = refusing_from("control.valid", options()).await;
    let failed = failed(&report);
    let of_several = |id: &str| {
        ["cache", "flood", "http.keep-alive", "http.parallel"]
            .iter()
            .any(|begin| id.starts_with(begin))
    };
    for tested in &report.results {
        let case = all_cases()
            .into_iter()
            .find(|case| case.id == tested.id)
            .unwrap();
        let has_a_good_token = case.expectation == Expectation::Accepted || of_several(case.id);
        assert_eq!(failed.contains(&case.id), has_a_good_token, "{}", case.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_everything_passes_nothing() {
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_secs(1),
        ..options()
    })
    .unwrap();
    let (issuer, double) = (
        contract.issuer(),
        Double::start(trust(&contract, &[]), Hole::RefusesAll),
    );
    let error = contract.run(&double.url()).await.unwrap_err();
    assert!(matches!(error, ContractError::NotReady(_)), "{error:?}");
    let words = error.to_string();
    for part in [
        "a good token of RS256, ES256, EdDSA, PS256 with 401 Unauthorized",
        "asked for the keys",
        &issuer,
        "authenticated",
        "--claim",
    ] {
        assert!(words.contains(part), "{part:?} in {words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_trusts_somebody_else_is_told_whom_to_trust() {
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_secs(1),
        ..options()
    })
    .unwrap();
    let other = Contract::open(options()).unwrap();
    let (jwks_url, double) = (
        contract.jwks_url(),
        Double::start(trust(&other, &[]), Hole::None),
    );
    let words = contract.run(&double.url()).await.unwrap_err().to_string();
    assert!(
        words.contains("never asked for keys") && words.contains(&jwks_url),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_the_target_does_not_know_is_suspected_first() {
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_millis(300),
        ..options()
    })
    .unwrap();
    let double = Double::start(trust(&contract, &[]), Hole::None);
    let words = contract
        .run(&double.url().replace("protected", "protcted"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        words.contains("404 Not Found") && words.contains("is the path right?"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_there_is_no_failure_of_a_case() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_millis(300),
        ..options()
    })
    .unwrap();
    let words = contract
        .run(&format!("http://{free}/"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        words.contains("no connection") && words.contains("does the target listen"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_goes_away_in_the_middle_ends_the_run_with_the_case_that_came_before() {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let progress = move |progress| {
        if let bearward_contract::Progress::Case {
            id: "form.two-parts",
            ..
        } = progress
        {
            let _ = tell.send(());
            // Until it has gone: the requests that are to come find nobody.
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let contract = Contract::open(Options {
        progress: Some(std::sync::Arc::new(progress)),
        restart: Duration::from_millis(500),
        ..options()
    });
    let contract = contract.unwrap();
    let double = Double::start(trust(&contract, &[]), Hole::None);
    let url = double.url();
    std::thread::spawn(move || {
        told.recv().unwrap();
        drop(double);
    });
    let error = contract.run(&url).await.unwrap_err();
    let ContractError::Down { case, why, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(
        case.starts_with("form.") && why.contains("no connection"),
        "{error}"
    );
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    let open = |options: Options| {
        Contract::open(options)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let remote = open(Options {
        issuer_bind: "0.0.0.0:0".parse().unwrap(),
        ..Options::default()
    });
    assert!(
        remote.contains("other machines") && remote.contains("--dangerous-allow-remote"),
        "{remote}"
    );
    let unknown = open(Options {
        only: vec!["alg.no".to_owned()],
        ..Options::default()
    });
    assert!(
        unknown.contains("\"alg.no\"")
            && unknown.contains("alg has alg.header-lies, alg.hmac")
            && unknown.contains("alg.none"),
        "{unknown}"
    );
    let group = open(Options {
        exclude: vec!["algorithm".to_owned()],
        ..Options::default()
    });
    assert!(
        group.contains("the groups are control, form, header, alg, sig")
            && group.contains("--list"),
        "{group}"
    );
    let base = open(Options {
        issuer_base: Some("idp:9999/x".to_owned()),
        ..Options::default()
    });
    assert!(base.contains("http://HOST:PORT"), "{base}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = open(Options {
        issuer_bind: taken.local_addr().unwrap(),
        ..Options::default()
    });
    assert!(taken.contains("listens there already"), "{taken}");
    let target = Contract::open(Options::default())
        .unwrap()
        .run("ftp://127.0.0.1/")
        .await
        .unwrap_err();
    assert!(matches!(target, ContractError::Options(_)), "{target:?}");
}

/// A run of nothing would pass.
#[tokio::test]
async fn a_group_of_which_nothing_would_be_run_is_an_error_that_says_why() {
    let open = |only: &str, options: Options| {
        let error = Contract::open(Options {
            only: vec![only.to_owned()],
            ..options
        })
        .err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    let quick = || Options {
        quick: true,
        ..Options::default()
    };
    assert!(open("outage", quick()).contains("--quick leaves it out"));
    assert!(open("gate", Options::default()).contains("with --strict alone"));
    assert!(open("gate", quick()).contains("--strict alone, and --quick"));
    let excluded = Options {
        exclude: vec!["alg".to_owned()],
        ..Options::default()
    };
    assert!(open("alg.none", excluded).contains("--exclude leaves it out"));
    assert_eq!(
        open(
            "gate",
            Options {
                strict: true,
                ..Options::default()
            }
        ),
        ""
    );
    assert_eq!(open("key", quick()), "", "the rotations alone are left out");
}

/// The variable that makes a process of this test be a target.
const TARGET: &str = "TARGET_THAT_FALLS";

/// What the next test starts: for everybody else it is nothing.
#[test]
fn a_process_that_falls_over_a_token() {
    let Ok(address) = std::env::var(TARGET) else {
        return;
    };
    let variable = |name: &str| std::env::var(format!("BEARWARD_CONTRACT_{name}")).unwrap();
    let algorithms = vec!["RS256".to_owned()];
    let trust = Trust {
        issuer: variable("ISSUER"),
        jwks_url: variable("JWKS_URL"),
        audience: variable("AUDIENCE"),
        algorithms,
    };
    let _double = Double::start_at(
        address.parse().unwrap(),
        trust,
        Hole::Falls("payload: null"),
    );
    loop {
        std::thread::park();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_falls_over_a_token_is_started_again_and_the_token_is_named() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "{TARGET}={address} exec '{}' --exact extremes::a_process_that_falls_over_a_token",
        program.display()
    );
    let options = Options {
        start: Some(line),
        only: vec!["form".to_owned()],
        ready_timeout: Duration::from_secs(60),
        ..options()
    };
    let report = bearward_contract::run(&format!("http://{address}/protected"), options)
        .await
        .unwrap();
    assert_eq!(failed(&report), ["form.payload-null"], "{report}");
    assert!(
        report
            .to_string()
            .contains("the command ended (exit status: 3)"),
        "{report}"
    );
    let fallen = report.failures().next().unwrap();
    assert!(
        fallen.hint.contains("has ended the process") && fallen.severity == Severity::Medium,
        "{fallen:?}"
    );
}
