//! `bearward keys new`, and requests with the new key to `bearward serve`.

use bearward::ServiceKey;
use bearward_testing::MockIdp;
use serde_json::Value;
use test_support::{
    http::{client, send},
    process::TestProcess,
};

use crate::{bearward, run};

#[test]
fn the_key_is_on_stdout_and_its_configuration_on_stderr() {
    let arguments = ["keys", "new", "cron", "--scope", "a:b", "--scope", "c"];
    let output = run(
        &[&arguments[..], &["--expires", "2027-01-31"]].concat(),
        &[],
    );
    output.expect(0, &[]);
    let key = output.stdout.trim_end();
    assert!(key.starts_with("bwk_") && key.len() == 50, "{key}");
    assert_eq!(output.stdout, format!("{key}\n"));
    assert!(!output.stderr.contains(key), "{}", output.stderr);
    let section = output
        .stderr
        .split_once("[service_keys.cron]")
        .and_then(|(_, rest)| rest.split_once("\n\n"))
        .map(|(section, _)| section)
        .expect("a section");
    let section: Vec<&str> = section.trim().lines().collect();
    let [digest, scopes, expires] = section[..] else {
        panic!("three keys: {section:?}")
    };
    let digest = digest
        .strip_prefix("sha256 = [\"")
        .and_then(|rest| rest.strip_suffix("\"]"))
        .expect("a digest");
    assert!(ServiceKey::new("cron").unwrap().sha256(digest).is_ok());
    assert_eq!(scopes, "scopes = [\"a:b\", \"c\"]");
    assert_eq!(expires, "expires = \"2027-01-31\"");
    let expected = [
        ("SHA256", digest),
        ("SCOPES", "a:b,c"),
        ("EXPIRES", "2027-01-31"),
    ];
    assert_eq!(
        printed_variables(&output.stderr),
        expected.map(|(key, value)| (
            format!("BEARWARD_SERVICE_KEYS__CRON__{key}"),
            value.to_owned()
        ))
    );
    assert_ne!(
        run(&arguments, &[]).stdout,
        output.stdout,
        "each key is new"
    );
}

/// Returns the environment variables that the command prints.
fn printed_variables(stderr: &str) -> Vec<(String, String)> {
    stderr
        .lines()
        .filter(|line| line.starts_with("BEARWARD_"))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn invalid_arguments_create_no_key() {
    for arguments in [
        &["keys", "new", "my-cron"][..],
        &["keys", "new", "none"],
        &["keys", "new", "cron", "--scope", "a\"b"],
        &["keys", "new", "cron", "--expires", "soon"],
    ] {
        let output = run(arguments, &[]);
        output.expect(2, &[]);
        assert_eq!(output.stdout, "", "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_name_the_service_and_the_key_id_but_never_the_key() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    let created = run(&["keys", "new", "cron", "--scope", "reports:write"], &[]);
    let key = created.stdout.trim_end();
    let printed = printed_variables(&created.stderr);
    let digest = &*printed[0].1;
    let variables: Vec<(&str, &str)> = printed
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .chain([
            ("SUPABASE_URL", &*base),
            ("DATABASE_URL", "sqlite::memory:"),
            ("BEARWARD_TELEMETRY__FORMAT", "json"),
        ])
        .collect();
    let server = TestProcess::start(bearward(&["serve", "--bind", "127.0.0.1:0"], &variables));
    let started: Value = serde_json::from_str(&server.line("\"address\"")).unwrap();
    let address = started["address"].as_str().unwrap().to_owned();
    let get = async |target: &str, key: &str| {
        send(
            client()
                .get(format!("http://{address}{target}"))
                .header("apikey", key),
        )
        .await
    };
    let verify = "/api/auth/verify?caller=service&scope=reports:write";
    assert_eq!(get(verify, key).await.status, 200);
    let access: Value = serde_json::from_str(&server.line("\"message\":\"request\"")).unwrap();
    assert_eq!(access["service"], "cron", "{access}");
    assert_eq!(access["kid"], digest[..8], "{access}");

    assert_eq!(
        get("/protected", key).await.error(),
        (403, "USER_REQUIRED".to_owned())
    );
    let rejected: Value =
        serde_json::from_str(&server.line("\"event\":\"token.rejected\"")).unwrap();
    assert_eq!(rejected["service"], "cron", "{rejected}");
    assert_eq!(rejected["reason"], "user_required", "{rejected}");

    let metrics = send(client().get(format!("http://{address}/metrics")))
        .await
        .body;
    let accepted = "bearward_service_keys_total{service=\"cron\",outcome=\"accepted\"} 2";
    assert!(metrics.contains(accepted), "{metrics}");
    for text in [server.output().clone(), metrics] {
        assert!(!text.contains(key) && !text.contains(digest), "{text}");
    }
}
