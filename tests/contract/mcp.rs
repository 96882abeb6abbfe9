//! The group `mcp` detects servers with a flaw in their authorization, and passes a correct one.

use std::collections::BTreeSet;

use bearward_contract::{Contract, Options, Profile, Report, all_cases};
use serde_json::json;

use crate::{
    helpers::failed,
    mcp_server::{McpFlaw, McpServer},
};

/// The flaws and the cases that detect them.
const FLAWS: [(McpFlaw, &[&str]); 15] = [
    (McpFlaw::NoMetadataInChallenge, &["mcp.challenge.metadata"]),
    (McpFlaw::OtherLocation, &["mcp.metadata.location"]),
    (McpFlaw::OtherResource, &["mcp.metadata.resource"]),
    (
        McpFlaw::NoAuthorizationServers,
        &["mcp.metadata.authorization-servers"],
    ),
    (
        McpFlaw::OtherAuthorizationServer,
        &["mcp.metadata.authorization-servers"],
    ),
    (McpFlaw::QueryMethod, &["mcp.metadata.methods"]),
    (McpFlaw::NoCors, &["mcp.metadata.cors"]),
    (McpFlaw::AnyAudience, &["mcp.audience"]),
    (McpFlaw::OriginAudience, &["mcp.audience"]),
    (McpFlaw::LongerAudience, &["mcp.audience"]),
    (McpFlaw::SilentForbidden, &["mcp.scope"]),
    (McpFlaw::InvalidToken, &["mcp.scope"]),
    (McpFlaw::TokenInQuery, &["mcp.query"]),
    (McpFlaw::Session, &["mcp.session"]),
    (McpFlaw::OpenStream, &["mcp.methods"]),
];

async fn run(flaw: McpFlaw, only: &[&str]) -> Report {
    let (listener, url) = McpServer::bind();
    let contract = Contract::open(Options {
        profile: Profile::Mcp,
        audience: url.clone(),
        claims: [("scope".to_owned(), json!("read"))].into_iter().collect(),
        quick: true,
        only: only.iter().map(|&name| name.to_owned()).collect(),
        ..Options::default()
    })
    .unwrap();
    let (issuer, jwks_url) = (contract.issuer(), contract.jwks_url());
    let server = McpServer::start(listener, &url, &issuer, &jwks_url, flaw).await;
    contract.run(&server.url).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_mcp_server_passes_all_cases() {
    let report = run(McpFlaw::None, &[]).await;
    assert!(report.passed(), "{report}");
    let was_run = |id: &str| {
        let mut results = report.results.iter();
        results.any(|result| result.id == id && !result.is_skipped())
    };
    for id in ["mcp.scope", "mcp.session", "sig.tampered-payload"] {
        assert!(was_run(id), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_flaw_is_detected_by_its_case() {
    for (flaw, cases) in FLAWS {
        let report = run(flaw, &["mcp"]).await;
        assert_eq!(failed(&report), cases, "{flaw:?}\n{report}");
    }
}

/// The target requires POST, and the report repeats the request that was sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_case_is_replayed_as_a_message() {
    let report = run(McpFlaw::LongerAudience, &["claims.aud", "mcp"]).await;
    let failed: Vec<_> = report.failures().collect();
    let with_token = failed
        .iter()
        .find(|result| !result.request.is_empty())
        .unwrap_or_else(|| panic!("{report}"));
    assert!(
        with_token
            .request
            .starts_with("POST authorization: Bearer "),
        "{}",
        with_token.request
    );
    let replay = with_token.replay.as_ref().unwrap();
    for part in [
        "curl -i -H 'authorization: Bearer eyJ",
        "-H 'content-type: application/json'",
        "--data '{\"jsonrpc\":\"2.0\"",
    ] {
        assert!(replay.curl.contains(part), "{part}\n{}", replay.curl);
    }
    assert!(!replay.curl.contains("-X GET"), "{}", replay.curl);
}

#[test]
fn each_case_detects_a_flaw() {
    let detecting: BTreeSet<&str> = FLAWS
        .iter()
        .flat_map(|(_, cases)| cases.iter().copied())
        .collect();
    let ids: BTreeSet<&str> = all_cases()
        .iter()
        .map(|case| case.id)
        .filter(|id| id.starts_with("mcp."))
        .collect();
    assert_eq!(ids, detecting);
}

#[test]
fn the_group_requires_the_profile() {
    let error = Contract::open(Options {
        only: vec!["mcp".to_owned()],
        ..Options::default()
    });
    let message = error.map(drop).unwrap_err().to_string();
    assert!(message.contains("--profile mcp"), "{message}");
}
