//! The bearward server passes every case, including strict ones.

use std::time::Duration;

use bearward_contract::{Contract, Options, Report};
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};

async fn run_against_bearward(contract: Contract, cooldown: &str) -> Report {
    let sources = Sources::new(None, [("SUPABASE_URL".to_owned(), contract.base())])
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "1")
        .with("database.url", "sqlite::memory:")
        .with("rate_limit.enabled", "false")
        .with("jwks.refetch_cooldown", cooldown);
    let config = Config::load(&sources).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let application = Application::start(&config, None).await.unwrap();
            sender.send(application.address()).unwrap();
            application.run().await.unwrap();
        });
    });
    contract
        .run(&format!("http://{}/protected", receiver.recv().unwrap()))
        .await
        .unwrap()
}

/// Only cases about algorithms that are not in use may be skipped.
fn assert_complete(report: &Report) {
    assert!(report.passed(), "{report}");
    let skipped: Vec<_> = report
        .results
        .iter()
        .filter(|result| result.is_skipped() && !result.id.contains("alg."))
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
