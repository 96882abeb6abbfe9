//! `bearward admin`: works on the database of a server.

use bearward_testing::MockIdp;
use serde_json::Value;
use test_support::{
    http::{client, send},
    process::{Signal, TestProcess},
};

use crate::{bearward, run_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_administrator_is_enabled_again() {
    let (folder, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let base = idp.base();
    let admin = |arguments: &[&str]| {
        let arguments = [&["admin"], arguments].concat();
        run_with(&arguments, &[], "", folder.path())
    };
    admin(&["list"]).expect(1, &["there are no accounts", "does not exist"]);

    let variables = [
        ("SUPABASE_URL", base.as_str()),
        ("DATABASE_URL", "sqlite://bearward.db"),
        ("NO_COLOR", "1"),
    ];
    let mut serve = bearward(&["serve", "--bind", "127.0.0.1:0"], &variables);
    serve.current_dir(folder.path());
    let serve = TestProcess::start(serve);
    let line = serve.line("address=");
    let address = line.split("address=").nth(1).unwrap();
    let address = address.split_whitespace().next().unwrap().trim_matches('"');
    let token = idp.token().sub("root").roles(["admin"]).sign();
    let me = async || {
        let request = client().get(format!("http://{address}/api/auth/me"));
        send(request.bearer_auth(&token)).await
    };
    let body: Value = serde_json::from_str(&me().await.body).unwrap();
    let id = body["id"].as_str().unwrap().to_owned();

    admin(&["disable", &id]).expect(0, &[&id, "disabled", "root"]);
    admin(&["list"]).expect(0, &[&id, "disabled", "root", &idp.issuer()]);
    admin(&["enable", &id]).expect(0, &[&id, "enabled"]);
    assert_eq!(me().await.status, 200);
    admin(&["enable", "00000000-0000-7000-8000-000000000000"])
        .expect(1, &["no account has the id", "bearward admin list"]);
    admin(&["enable", "root"]).expect(2, &["root"]);
    let (status, ..) = serve.stop(Signal::TERM);
    assert!(status.success());
}
