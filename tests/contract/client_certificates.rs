//! Tokens that are bound to the certificate of a client of a TLS listener.

use std::{fs, path::Path};

use bearward_contract::{Contract, Options, Outcome, Severity};

use crate::{
    flaws::{ONLY_HEADER, handshake},
    helpers::{TlsFixture, failed, options, run_with_tls, trust},
    test_server::{Behavior, TestServer},
};

fn mtls() -> Options {
    Options {
        only: vec!["mtls".to_owned()],
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_server_with_a_tls_listener_passes() {
    for requires_certificate in [false, true] {
        let report = run_with_tls(Behavior::Correct, mtls(), requires_certificate).await;
        assert!(report.passed(), "{report}");
        let skipped: Vec<&str> = report
            .results
            .iter()
            .filter(|result| result.is_skipped() && result.group == "mtls")
            .map(|result| result.id)
            .collect();
        assert_eq!(skipped, ONLY_HEADER, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flaws_of_a_tls_listener_are_detected() {
    for flaw in handshake() {
        let report = run_with_tls(Behavior::Accepts(flaw), mtls(), false).await;
        assert_eq!(failed(&report), [flaw], "{report}");
        let severity = report.findings()[0].severity;
        let is_minor = flaw == "mtls.renewed-certificate";
        assert_eq!(
            severity,
            if is_minor {
                Severity::Low
            } else {
                Severity::Medium
            },
            "{flaw}"
        );
    }
}

/// A server that demands a certificate in the handshake never sees the request without one.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_handshake_is_a_rejection() {
    let flaw = "mtls.no-certificate";
    let report = run_with_tls(Behavior::Accepts(flaw), mtls(), true).await;
    assert!(report.passed(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_rejects_bound_tokens_fails_one_case() {
    let report = run_with_tls(Behavior::Rejects("mtls.valid"), mtls(), false).await;
    assert_eq!(failed(&report), ["mtls.valid"], "{report}");
    let used = report
        .results
        .iter()
        .find(|result| result.id == "mtls.used-token")
        .unwrap();
    assert!(
        matches!(&used.outcome, Outcome::Skipped { reason } if reason.contains("as mtls.valid reports")),
        "{used:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_case_names_the_files_of_its_certificate() {
    let report = run_with_tls(Behavior::Accepts("mtls.chain"), mtls(), false).await;
    let result = report.failures().next().unwrap();
    assert!(
        result
            .request
            .ends_with(", with the client certificate other-with-client.pem"),
        "{}",
        result.request
    );
    let curl = &result.replay.as_ref().unwrap().curl;
    for part in [
        "server-ca.pem --cert ",
        "/clients/other-with-client.pem --key ",
        "/clients/other.key -H ",
        "https://localhost:",
    ] {
        assert!(curl.contains(part), "{part}: {curl}");
    }
    assert!(
        report.command.contains(" --client-certificates ")
            && report.command.contains(" --target-ca "),
        "{}",
        report.command
    );
}

fn open(fixture: &TlsFixture) -> Result<Contract, String> {
    Contract::open(fixture.options(mtls())).map_err(|error| error.to_string())
}

/// A server that is already running trusts the authority of the first run.
#[tokio::test(flavor = "multi_thread")]
async fn the_certificates_of_a_folder_are_used_again() {
    let fixture = TlsFixture::new();
    let first = open(&fixture).unwrap();
    let config = fixture.config(&first, true);
    drop(first);
    let second = open(&fixture).unwrap();
    let server = TestServer::start_with_tls(trust(&second, &[]), Behavior::Correct, &config).await;
    let report = second.run(&server.url()).await.unwrap();
    assert!(report.passed(), "{report}");
}

#[test]
fn private_keys_are_not_readable_by_others_and_not_committed() {
    let fixture = TlsFixture::new();
    let contract = open(&fixture).unwrap();
    let variables = contract.variables();
    let (_, authority) = variables
        .iter()
        .find(|(name, _)| *name == "BEARWARD_CONTRACT_CLIENT_CA")
        .unwrap();
    let folder = Path::new(authority).parent().unwrap();
    assert_eq!(
        fs::read_to_string(folder.join(".gitignore")).unwrap(),
        "*\n"
    );
    let keys: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| fs::read_to_string(path).unwrap().contains("PRIVATE KEY"))
        .collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    #[cfg(unix)]
    for key in keys {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", key.display());
    }
}

#[test]
fn a_folder_of_the_user_is_not_changed() {
    let fixture = TlsFixture::new();
    let folder = fixture.folder.path().join("clients");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("other.pem"), "mine").unwrap();
    let error = open(&fixture).err().unwrap();
    assert!(
        error.contains("--client-certificates") && error.contains("other.pem"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(folder.join("other.pem")).unwrap(),
        "mine"
    );
    assert!(!folder.join(".gitignore").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn contradicting_options_are_errors() {
    let fixture = TlsFixture::new();
    let both = Options {
        client_certificate_header: Some("Client-Cert".to_owned()),
        ..fixture.options(mtls())
    };
    let error = Contract::open(both).err().unwrap().to_string();
    assert!(error.contains("exclude each other"), "{error}");
    let contract = open(&fixture).unwrap();
    let error = contract.run("http://127.0.0.1:1/").await.unwrap_err();
    assert!(
        error.to_string().contains("requires an https target"),
        "{error}"
    );
    let no_file = Options {
        target_ca: Some("missing.pem".into()),
        ..fixture.options(mtls())
    };
    let contract = Contract::open(no_file).unwrap();
    let error = contract.run("https://localhost:1/").await.unwrap_err();
    assert!(
        error.to_string().contains("--target-ca missing.pem"),
        "{error}"
    );
}
