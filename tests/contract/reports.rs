//! Grouping by cause, options of platforms, and replay.

use bearward_contract::{Contract, Options, Severity};

use crate::{
    helpers::{options, run, trust},
    test_server::{Behavior, ResponseFlaw, TestServer},
};

fn only(patterns: &[&str]) -> Options {
    Options {
        only: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_header_is_one_finding() {
    let report = run(
        Behavior::Responds(ResponseFlaw::NoChallenge),
        only(&["form", "sig", "iss", "http.challenge"]),
    )
    .await;
    let findings = report.findings();
    assert_eq!(findings.len(), 1, "{report}");
    let (finding, failed) = (&findings[0], report.failed());
    assert!(failed > 50, "{report}");
    assert_eq!(
        (finding.severity, finding.results.len()),
        (Severity::Low, failed)
    );
    assert_eq!(
        finding.common_got(),
        Some("401 Unauthorized, no WWW-Authenticate")
    );
    assert!(
        finding.scope().contains("control 1, form "),
        "{}",
        finding.scope()
    );
    let options = finding.first().options;
    let node = options
        .iter()
        .find(|option| option.platform == "Node")
        .unwrap();
    assert!(node.option.contains("WWW-Authenticate"), "{node:?}");
    let json = report.to_json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    assert_eq!(
        json["findings"][0]["cases"].as_array().unwrap().len(),
        failed
    );
    assert!(
        json["findings"][0]["options"]["Python"].is_string(),
        "{json}"
    );
    let page = report.to_html();
    let (by_cause, _) = page.split_once("All cases").unwrap();
    assert!(by_cause.contains(&format!("{failed} cases")), "{by_cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn different_causes_are_different_findings() {
    let report = run(Behavior::AcceptsAll, only(&["sig", "claims.aud"])).await;
    let causes: Vec<Vec<&str>> = report
        .findings()
        .iter()
        .map(|finding| finding.results.iter().map(|result| result.id).collect())
        .collect();
    let of_audience = causes
        .iter()
        .find(|ids| ids.contains(&"claims.aud.missing"))
        .unwrap();
    assert!(
        of_audience.iter().all(|id| id.starts_with("claims.aud.")),
        "{causes:?}"
    );
    let severities: Vec<Severity> = report
        .findings()
        .iter()
        .map(|finding| finding.severity)
        .collect();
    assert!(severities.is_sorted(), "{severities:?}");
}

/// The token of the report is accepted like that of the run, and the command repeats the case.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_case_can_be_replayed() {
    let options = Options {
        strict: true,
        ..only(&["sig.empty", "http.query", "cache"])
    };
    let contract = Contract::open(options).unwrap();
    let server = TestServer::start(trust(&contract, &[]), Behavior::AcceptsAll);
    let report = contract.run(&server.url()).await.unwrap();
    let result = |id: &str| {
        report
            .results
            .iter()
            .find(|result| result.id == id)
            .unwrap()
    };
    *server.behavior.lock().unwrap() = Behavior::Accepts("sig.empty");
    let replay = result("sig.empty").replay.as_ref().unwrap();
    let token = replay.token.as_deref().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client
        .get(server.url())
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert!(
        replay.curl.contains(token) && replay.curl.ends_with(&server.url()),
        "{}",
        replay.curl
    );
    let in_query = result("http.query").replay.as_ref().unwrap();
    assert!(in_query.token.is_none() && in_query.curl.contains("?access_token=eyJ"));
    assert_eq!(result("cache.payload").replay, None, "it has several steps");
    assert_eq!(result("control.valid").replay, None, "it passed");
    let case = &report.to_json()["cases"].as_array().unwrap().clone();
    let case = case.iter().find(|case| case["id"] == "sig.empty").unwrap();
    assert_eq!(case["token"], token);
    let command = case["command"].as_str().unwrap();
    assert!(
        command.starts_with("bearward contract --target http://127.0.0.1:")
            && command.ends_with("--strict --only sig.empty"),
        "{command}"
    );
    assert!(report.to_html().contains(token));
}
