//! Targets that accept or reject everything, cannot be reached, or crash; and invalid options.

use std::{net::TcpListener, time::Duration};

use bearward::Algorithm;
use bearward_contract::{Case, Contract, ContractError, Expectation, Options, Severity, all_cases};
use test_support::ports::free_address;

use crate::{
    flaws::ONLY_HANDSHAKE,
    helpers::{failed, options, rejecting_from, run, trust},
    test_server::{Behavior, TestServer, Trust},
};

/// Whether the case fails if everything is accepted.
fn requires_rejection(case: &Case) -> bool {
    match case.expectation {
        Expectation::Accepted | Expectation::Survives | Expectation::SurvivesOversize => false,
        Expectation::Steps(_) => !WITHOUT_REJECTION.contains(&case.id),
        _ => true,
    }
}

/// Cases with several steps that send only valid tokens, or do not check whether the token is
/// rejected.
const WITHOUT_REJECTION: [&str; 27] = [
    "dpop.valid",
    "http.echo",
    "http.no-store",
    "jwks.twice",
    "jwks.same-kid.first",
    "jwks.same-kid.last",
    "metadata.document",
    "metadata.resource",
    "metadata.issuer",
    "metadata.challenge",
    "metadata.cors",
    "key.rotation.same-request",
    "key.rotation.old-key",
    "key.rotation.unreadable-neighbours",
    "key.rotation.in-place",
    "outage.known-key",
    "outage.json-error",
    "outage.page",
    "outage.empty-set",
    "outage.large-set",
    "outage.reset",
    "outage.refused",
    "outage.hang",
    "outage.redirect",
    "outage.hammering",
    "slow.known-key",
    "herd.one-fetch",
];

#[tokio::test(flavor = "multi_thread")]
async fn accepting_everything_fails_cases_that_require_rejection() {
    let options = Options {
        quick: false,
        algorithms: vec![Algorithm::RS256],
        ..options()
    };
    let report = run(Behavior::AcceptsAll, options).await;
    let case = |id: &str| all_cases().into_iter().find(|case| case.id == id).unwrap();
    let executed = report.results.iter().filter(|result| !result.is_skipped());
    let wrong: Vec<_> = executed
        .filter(|result| result.is_failed() != requires_rejection(&case(result.id)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for result in report.results.iter().filter(|result| result.is_skipped()) {
        let other_algorithms = [
            "control.alg.",
            "alg.unlisted.",
            "sig.ecdsa.",
            "sig.eddsa.",
            "at-jwt.",
            "metadata.challenge",
            ONLY_HANDSHAKE[0],
            ONLY_HANDSHAKE[1],
        ];
        assert!(
            other_algorithms
                .iter()
                .any(|prefix| result.id.starts_with(prefix)),
            "{result:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejecting_everything_fails_all_cases_with_valid_tokens() {
    let report = rejecting_from("control.valid", options()).await;
    let failed = failed(&report);
    let has_valid_steps = |id: &str| {
        [
            "cache",
            "flood",
            "http.keep-alive",
            "http.parallel",
            "dpop.valid",
        ]
        .iter()
        .any(|prefix| id.starts_with(prefix))
    };
    for result in &report.results {
        let case = all_cases()
            .into_iter()
            .find(|case| case.id == result.id)
            .unwrap();
        let sends_valid_token = !result.is_skipped()
            && (case.expectation == Expectation::Accepted || has_valid_steps(case.id));
        assert_eq!(failed.contains(&case.id), sends_valid_token, "{}", case.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejecting_everything_from_the_start_is_not_ready() {
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_secs(1),
        ..options()
    })
    .unwrap();
    let (issuer, server) = (
        contract.issuer(),
        TestServer::start(trust(&contract, &[]), Behavior::RejectsAll),
    );
    let error = contract.run(&server.url()).await.unwrap_err();
    assert!(matches!(error, ContractError::NotReady(_)), "{error:?}");
    let message = error.to_string();
    for part in [
        "a valid token signed with RS256, ES256, EdDSA, PS256 with 401 Unauthorized",
        "fetched the keys",
        &issuer,
        "authenticated",
        "--claim",
    ] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_with_another_issuer_gets_the_configuration() {
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_secs(1),
        ..options()
    })
    .unwrap();
    let other = Contract::open(options()).unwrap();
    let (jwks_url, server) = (
        contract.jwks_url(),
        TestServer::start(trust(&other, &[]), Behavior::Correct),
    );
    let message = contract.run(&server.url()).await.unwrap_err().to_string();
    assert!(
        message.contains("never fetched the keys") && message.contains(&jwks_url),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn not_found_suggests_checking_the_path() {
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_millis(300),
        ..options()
    })
    .unwrap();
    let server = TestServer::start(trust(&contract, &[]), Behavior::Correct);
    let message = contract
        .run(&server.url().replace("protected", "protcted"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("404 Not Found") && message.contains("check the path"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_target_is_an_error() {
    let free = free_address();
    let contract = Contract::open(Options {
        ready_timeout: Duration::from_millis(300),
        ..options()
    })
    .unwrap();
    let message = contract
        .run(&format!("http://{free}/"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("no connection") && message.contains("the target is listening"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_stops_ends_the_run_with_the_case() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let progress = move |progress| {
        if let bearward_contract::Progress::Case {
            id: "form.two-parts",
            ..
        } = progress
        {
            let _ = sender.send(());
            // Until the target has stopped.
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let contract = Contract::open(Options {
        progress: Some(std::sync::Arc::new(progress)),
        restart_timeout: Duration::from_millis(500),
        ..options()
    });
    let contract = contract.unwrap();
    let server = TestServer::start(trust(&contract, &[]), Behavior::Correct);
    let url = server.url();
    std::thread::spawn(move || {
        receiver.recv().unwrap();
        drop(server);
    });
    let error = contract.run(&url).await.unwrap_err();
    let ContractError::Down { case, reason, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(
        case.starts_with("form.") && reason.contains("no connection"),
        "{error}"
    );
}

#[tokio::test]
async fn invalid_options_are_explained() {
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
    assert!(taken.contains("the address is in use"), "{taken}");
    let target = Contract::open(Options::default())
        .unwrap()
        .run("ftp://127.0.0.1/")
        .await
        .unwrap_err();
    assert!(matches!(target, ContractError::Options(_)), "{target:?}");
}

/// An empty run would pass.
#[tokio::test]
async fn an_empty_selection_is_an_error_with_the_reason() {
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
    assert!(open("outage", quick()).contains("--quick skips it"));
    assert!(open("gate", Options::default()).contains("it requires --strict"));
    assert!(open("gate", quick()).contains("it requires --strict, and --quick"));
    let excluded = Options {
        exclude: vec!["alg".to_owned()],
        ..Options::default()
    };
    assert!(open("alg.none", excluded).contains("--exclude skips it"));
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
    assert_eq!(open("key", quick()), "", "only the rotations are skipped");
}

/// The variable that makes a process of this test binary run a target.
const TARGET: &str = "CRASHING_TARGET";

/// The process that the next test starts. Does nothing without the variable.
#[test]
fn crashing_target_process() {
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
        requires_at_jwt: false,
        requires_audience: true,
    };
    let _server = TestServer::start_at(
        address.parse().unwrap(),
        trust,
        Behavior::Exits("form.payload-null"),
    );
    loop {
        std::thread::park();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_crashes_is_restarted_and_the_case_fails() {
    let address = free_address();
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "{TARGET}={address} exec '{}' --exact edge_cases::crashing_target_process",
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
            .contains("the command exited (exit status: 3)"),
        "{report}"
    );
    let result = report.failures().next().unwrap();
    assert!(
        result.hint.contains("terminated the process") && result.severity == Severity::Medium,
        "{result:?}"
    );
}
