//! Runs of the suite against the test server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bearward::Algorithm;
use bearward_contract::{Contract, Options, Progress, Report};
use tempfile::TempDir;
use test_support::certificates::{Authority, CertificateFiles};

use crate::test_server::{
    Behavior, CLIENT_CERTIFICATE_HEADER, Flaws, RequestLog, TestServer, TlsConfig, Trust,
};

/// What the test server requires of tokens beyond the registered claims.
pub(crate) const CLIENT_ID: &str = "web";
pub(crate) const REQUIRED_CLAIM: (&str, &str) = ("token_use", "access");
pub(crate) const TENANT_CLAIM: &str = "tid";

/// Options with short times, which are sufficient for the test server.
pub(crate) fn options() -> Options {
    Options {
        strict: true,
        quick: true,
        cooldown: Duration::from_millis(500),
        backoff: Duration::from_millis(300),
        slow_request_timeout: Duration::from_secs(6),
        ed25519: true,
        client_id: Some(CLIENT_ID.to_owned()),
        required_claim: Some((REQUIRED_CLAIM.0.to_owned(), REQUIRED_CLAIM.1.into())),
        tenant_claim: Some(TENANT_CLAIM.to_owned()),
        dpop: true,
        client_certificate_header: Some(CLIENT_CERTIFICATE_HEADER.to_owned()),
        ..Options::default()
    }
}

pub(crate) fn trust(contract: &Contract, algorithms: &[Algorithm]) -> Trust {
    let algorithms = if algorithms.is_empty() {
        Algorithm::ALL
    } else {
        algorithms
    };
    Trust {
        issuer: contract.issuer(),
        jwks_url: contract.jwks_url(),
        audience: contract.audience().to_owned(),
        algorithms: algorithms
            .iter()
            .map(|algorithm| algorithm.name().to_owned())
            .collect(),
        requires_at_jwt: false,
        requires_audience: true,
    }
}

/// Runs the suite against a test server with this behavior.
pub(crate) async fn run(behavior: Behavior, options: Options) -> Report {
    let algorithms = options.algorithms.clone();
    let (token_type, profile) = (options.token_type.clone(), options.profile);
    let contract = Contract::open(options).unwrap();
    let trust = Trust {
        requires_at_jwt: token_type == "at+jwt",
        requires_audience: profile.has_audience(),
        ..trust(&contract, &algorithms)
    };
    let server = TestServer::start(trust, behavior);
    contract.run(&server.url()).await.unwrap()
}

/// The certificates of a TLS listener and of its clients.
pub(crate) struct TlsFixture {
    pub(crate) folder: TempDir,
    authority: Authority,
}

impl TlsFixture {
    pub(crate) fn new() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
        std::fs::write(folder.path().join("server-ca.pem"), &authority.pem).unwrap();
        Self { folder, authority }
    }

    /// Returns the options of a client of the listener.
    pub(crate) fn options(&self, options: Options) -> Options {
        Options {
            client_certificate_header: None,
            client_certificates: Some(self.folder.path().join("clients")),
            target_ca: Some(self.folder.path().join("server-ca.pem")),
            ..options
        }
    }

    /// Writes the certificate of a server and its private key.
    pub(crate) fn server_files(&self) -> CertificateFiles {
        self.authority.server().write(self.folder.path(), "server")
    }

    /// Returns the configuration of a listener for the clients of this run.
    pub(crate) fn config(&self, contract: &Contract, requires_certificate: bool) -> TlsConfig {
        TlsConfig {
            certificate: self.authority.server(),
            client_ca: std::fs::read(contract.client_ca_file().unwrap()).unwrap(),
            requires_certificate,
        }
    }
}

/// Runs the suite with client certificates against a test server with a TLS listener.
pub(crate) async fn run_with_tls(
    behavior: Behavior,
    options: Options,
    requires_certificate: bool,
) -> Report {
    let fixture = TlsFixture::new();
    let contract = Contract::open(fixture.options(options)).unwrap();
    let config = fixture.config(&contract, requires_certificate);
    let server = TestServer::start_with_tls(trust(&contract, &[]), behavior, &config).await;
    contract.run(&server.url()).await.unwrap()
}

/// Returns the ids of the failed cases in order.
pub(crate) fn failed(report: &Report) -> Vec<&'static str> {
    report.failures().map(|result| result.id).collect()
}

/// Runs the suite against a correct server, and returns the flaws of the requests of each case.
pub(crate) async fn flaws_by_case(options: Options) -> Vec<(&'static str, Vec<Vec<Flaws>>)> {
    let starts: Arc<Mutex<Vec<(&'static str, usize)>>> = Arc::default();
    let log = RequestLog::default();
    let (case_starts, requests) = (Arc::clone(&starts), Arc::clone(&log));
    let progress = move |progress| {
        if let Progress::Case { id, .. } = progress {
            let sent = requests.lock().unwrap().len();
            case_starts.lock().unwrap().push((id, sent));
        }
    };
    let contract = Contract::open(Options {
        progress: Some(Arc::new(progress)),
        ..options
    })
    .unwrap();
    let server =
        TestServer::start_logging(trust(&contract, &[]), Behavior::Correct, Arc::clone(&log));
    let report = contract.run(&server.url()).await.unwrap();
    assert!(report.passed(), "{report}");
    let (starts, log) = (starts.lock().unwrap(), log.lock().unwrap());
    let ends = starts
        .iter()
        .skip(1)
        .map(|(_, start)| *start)
        .chain([log.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|((id, start), end)| (*id, log[*start..end].to_vec()))
        .collect()
}

/// Runs the suite; the server rejects everything during one case.
pub(crate) async fn rejecting_during(case: &'static str, options: Options) -> Report {
    rejecting_while(move |id| id == case, options).await
}

/// Runs the suite; the server rejects everything from one case on.
pub(crate) async fn rejecting_from(case: &'static str, options: Options) -> Report {
    let has_started = Mutex::new(false);
    let rejects = move |id: &str| {
        let mut has_started = has_started.lock().unwrap();
        *has_started |= id == case;
        *has_started
    };
    rejecting_while(rejects, options).await
}

async fn rejecting_while(
    rejects: impl Fn(&str) -> bool + Send + Sync + 'static,
    options: Options,
) -> Report {
    let behavior: Arc<Mutex<Option<Arc<Mutex<Behavior>>>>> = Arc::default();
    let switch = Arc::clone(&behavior);
    let progress = move |progress| {
        if let (Progress::Case { id, .. }, Some(behavior)) = (progress, &*switch.lock().unwrap()) {
            *behavior.lock().unwrap() = if rejects(id) {
                Behavior::RejectsAll
            } else {
                Behavior::Correct
            };
        }
    };
    let contract = Contract::open(Options {
        progress: Some(Arc::new(progress)),
        ..options
    })
    .unwrap();
    let server = TestServer::start(trust(&contract, &[]), Behavior::Correct);
    *behavior.lock().unwrap() = Some(Arc::clone(&server.behavior));
    contract.run(&server.url()).await.unwrap()
}
