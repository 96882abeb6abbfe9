//! The bearward server passes every case, including strict ones.

use std::{net::SocketAddr, time::Duration};

use bearward_contract::{Contract, Options, Report};
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};

use crate::{
    flaws::{ONLY_HANDSHAKE, ONLY_HEADER},
    helpers::TlsFixture,
};

async fn run_against_bearward(contract: Contract, cooldown: &str) -> Report {
    let sources = Sources::new(None, [("SUPABASE_URL".to_owned(), contract.base())]);
    run_with_sources(contract, sources.with("jwks.refetch_cooldown", cooldown)).await
}

async fn run_with_sources(contract: Contract, sources: Sources) -> Report {
    let address = serve(sources);
    contract
        .run(&format!("http://{address}/protected"))
        .await
        .unwrap()
}

/// Starts the server, which runs until the end of the process.
fn serve(sources: Sources) -> SocketAddr {
    let sources = sources
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "1")
        .with("database.url", "sqlite::memory:")
        .with("rate_limit.enabled", "false");
    let config = Config::load(&sources).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let application = Application::start(&config, None).await.unwrap();
            sender.send(application.address()).unwrap();
            application.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

/// Only cases about algorithms that are not in use, and about rules that no option names, may be
/// skipped.
fn assert_complete(report: &Report) {
    const RULES: [&str; 7] = [
        "claims.client.",
        "claims.required.",
        "claims.tenant.",
        "dpop.",
        "mtls.",
        "at-jwt.",
        "metadata.",
    ];
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report
        .results
        .iter()
        .filter(|result| result.is_skipped() && !result.id.contains("alg."))
        .filter(|result| !RULES.iter().any(|rule| result.id.starts_with(rule)))
        .collect();
    assert!(skipped.is_empty(), "{skipped:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bearward_passes_all_cases() {
    let options = Options {
        strict: true,
        cooldown: Duration::from_millis(1500),
        ..Options::default()
    };
    // The shortest cooldown that the configuration allows.
    assert_complete(&run_against_bearward(Contract::open(options).unwrap(), "1s").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bearward_passes_the_quick_run_with_default_cooldown() {
    let options = Options {
        strict: true,
        quick: true,
        ..Options::default()
    };
    assert_complete(&run_against_bearward(Contract::open(options).unwrap(), "30s").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn bearward_passes_the_cases_about_its_claim_rules() {
    let options = Options {
        strict: true,
        quick: true,
        ed25519: true,
        client_id: Some("web".to_owned()),
        required_claim: Some(("level".to_owned(), 2.into())),
        tenant_claim: Some("tid".to_owned()),
        only: ["control", "claims", "iss", "jwks"]
            .map(str::to_owned)
            .into(),
        ..Options::default()
    };
    let contract = Contract::open(options).unwrap();
    let template = format!("{}/{{tid}}/v1", contract.base());
    let sources = Sources::new(None, [])
        .with("issuers.idp.issuer", template)
        .with("issuers.idp.tenants", Options::TENANT)
        .with("issuers.idp.jwks_url", contract.jwks_url())
        .with("issuers.idp.audiences", contract.audience())
        .with("issuers.idp.client_ids", "web")
        .with("issuers.idp.require", r#"{"level": 2}"#)
        .with("jwks.refetch_cooldown", "30s");
    let report = run_with_sources(contract, sources).await;
    assert!(report.passed(), "{report}");
    let was_run = |id: &str| {
        let mut results = report.results.iter();
        results.any(|result| result.id == id && !result.is_skipped())
    };
    for id in [
        "control.alg.ed25519",
        "jwks.twice",
        "jwks.same-kid.last",
        "claims.client.other",
        "claims.required.other",
        "claims.tenant.other",
    ] {
        assert!(was_run(id), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bearward_passes_the_cases_about_proofs() {
    for nonce in ["off", "required"] {
        let options = Options {
            strict: true,
            quick: true,
            dpop: true,
            only: ["control", "claims.cnf", "dpop"].map(str::to_owned).into(),
            ..Options::default()
        };
        let contract = Contract::open(options).unwrap();
        let sources = Sources::new(None, [("SUPABASE_URL".to_owned(), contract.base())])
            .with("issuers.supabase.dpop", "accepted")
            .with("dpop.nonce", nonce);
        let report = run_with_sources(contract, sources).await;
        assert!(report.passed(), "{report}");
        let mut cases = report
            .results
            .iter()
            .filter(|result| result.id.starts_with("dpop."));
        assert!(cases.clone().count() > 30 && cases.all(|result| !result.is_skipped()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bearward_passes_the_cases_about_client_certificates() {
    for header in ["Client-Cert", "X-Forwarded-Client-Cert", "ssl-client-cert"] {
        let options = Options {
            strict: true,
            quick: true,
            client_certificate_header: Some(header.to_owned()),
            only: ["control", "claims.cnf", "mtls"].map(str::to_owned).into(),
            ..Options::default()
        };
        let contract = Contract::open(options).unwrap();
        let sources = Sources::new(None, [("SUPABASE_URL".to_owned(), contract.base())])
            .with("server.trusted_proxies", "127.0.0.1/32")
            .with("server.client_certificate_header", header);
        let report = run_with_sources(contract, sources).await;
        // Every proxy appends its element to the header of Envoy, so the last one is that of the
        // nearest proxy.
        assert!(report.passed(), "{header}\n{report}");
        let mut cases = report
            .results
            .iter()
            .filter(|result| result.id.starts_with("mtls."));
        assert!(
            cases.all(|result| result.is_skipped() == ONLY_HANDSHAKE.contains(&result.id)),
            "{report}"
        );
    }
}

/// With an authority, and with `"*"`, which accepts certificates of all authorities.
#[tokio::test(flavor = "multi_thread")]
async fn bearward_passes_the_cases_about_client_certificates_of_its_tls_listener() {
    let fixture = TlsFixture::new();
    let certificate = fixture.server_files();
    for (client_auth, is_any) in [("optional", false), ("required", false), ("optional", true)] {
        let options = Options {
            strict: true,
            quick: true,
            only: ["control", "claims.cnf", "mtls"].map(str::to_owned).into(),
            ..Options::default()
        };
        let contract = Contract::open(fixture.options(options)).unwrap();
        let client_ca = contract.client_ca_file().unwrap();
        let client_ca = if is_any {
            "*".to_owned()
        } else {
            client_ca.display().to_string()
        };
        let sources = Sources::new(None, [("SUPABASE_URL".to_owned(), contract.base())])
            .with(
                "server.tls.cert_file",
                certificate.cert.display().to_string(),
            )
            .with("server.tls.key_file", certificate.key.display().to_string())
            .with("server.tls.client_auth", client_auth)
            .with("server.tls.client_ca_file", client_ca);
        let port = serve(sources).port();
        let report = contract
            .run(&format!("https://localhost:{port}/protected"))
            .await
            .unwrap();
        assert!(report.passed(), "{client_auth}\n{report}");
        let mut cases = report
            .results
            .iter()
            .filter(|result| result.group == "mtls");
        assert!(
            cases.all(|result| result.is_skipped() == ONLY_HEADER.contains(&result.id)),
            "{report}"
        );
    }
}
