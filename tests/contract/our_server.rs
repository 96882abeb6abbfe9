//! The server of this crate, as `bearward serve` runs it, passes everything to the letter.

use std::time::Duration;

use bearward_contract::{Contract, Options, Report};
use bearward_server::{
    server::Application,
    settings::{Config, Sources},
};

/// With the shortest cooldown that it takes, so that a test is not minutes of waiting.
async fn serve_and_run(contract: Contract, cooldown: &str) -> Report {
    let sources = Sources::new(None, [("SUPABASE_URL".to_owned(), contract.base())])
        .with("server.bind", "127.0.0.1:0")
        .with("server.workers", "1")
        .with("rate_limit.enabled", "false")
        .with("jwks.refetch_cooldown", cooldown);
    let config = Config::load(&sources).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let application = Application::start(&config, None).await.unwrap();
            tell.send(application.address()).unwrap();
            application.run().await.unwrap();
        });
    });
    contract
        .run(&format!("http://{}/protected", told.recv().unwrap()))
        .await
        .unwrap()
}

fn nothing_is_left_out(report: &Report) {
    assert!(report.passed(), "{report}");
    let skipped = report
        .results
        .iter()
        .filter(|tested| tested.is_skipped() && !tested.id.contains("alg."));
    assert_eq!(
        skipped.clone().count(),
        0,
        "{:?}",
        skipped.collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn our_server_passes_everything_to_the_letter() {
    let options = Options {
        strict: true,
        cooldown: Duration::from_millis(1500),
        ..Options::default()
    };
    nothing_is_left_out(&serve_and_run(Contract::open(options).unwrap(), "1s").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_server_as_it_is_configured_passes_the_quick_run() {
    let options = Options {
        strict: true,
        quick: true,
        ..Options::default()
    };
    nothing_is_left_out(&serve_and_run(Contract::open(options).unwrap(), "30s").await);
}
