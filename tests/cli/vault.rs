//! Vault keys: not needed to start, created for development, and rotated without data loss.

use std::{os::unix::fs::PermissionsExt, path::Path};

use bearward_testing::MockIdp;
use serde_json::json;
use test_support::{
    http::{client, send},
    process::{Signal, TestProcess},
};

use crate::{bearward, run, run_with};

const OLD: &str = "old:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
const NEW: &str = "new:YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

#[tokio::test]
async fn serve_starts_without_a_key_and_warns_once() {
    let idp = MockIdp::start().await;
    let base = idp.base();
    let server = TestProcess::start(bearward(
        &["serve", "--bind", "127.0.0.1:0"],
        &[("BEARWARD_ENV", "production"), ("SUPABASE_URL", &base)],
    ));
    let line = server.line(" serves ");
    let address = line
        .split("address=")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("an address");
    for _ in 0..2 {
        let request = client()
            .post(format!("http://{address}/api/user/api-keys"))
            .bearer_auth(idp.token().sub("ada").sign())
            .header("content-type", "application/json")
            .body(json!({ "togetherAI": "sk-0123456789abcdef0123456789abcdef" }).to_string());
        let response = send(request).await;
        assert_eq!(
            (response.status, response.code().as_str()),
            (503, "VAULT_UNAVAILABLE"),
            "{response:?}"
        );
    }
    let (.., output) = server.stop(Signal::TERM);
    let warnings: Vec<_> = output
        .lines()
        .filter(|line| line.contains("vault.keys is empty"))
        .collect();
    let [warning] = warnings[..] else {
        panic!("one warning: {output}")
    };
    for part in [
        "WARN",
        "VAULT_UNAVAILABLE",
        "openssl rand -base64 32",
        "BEARWARD_VAULT__KEYS_FILE",
    ] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
}

#[test]
fn dev_creates_one_key_that_only_its_owner_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || {
        let arguments = [
            "dev",
            "--bind",
            "127.0.0.1:0",
            "--idp-bind",
            "127.0.0.1:0",
            "--data",
            data.to_str().unwrap(),
        ];
        let dev = TestProcess::start(bearward(&arguments, &[]));
        dev.line("Ctrl-C stops both");
        let key = std::fs::read_to_string(data.join("vault.key")).unwrap();
        let (.., output) = dev.stop(Signal::TERM);
        assert!(!output.contains(key.trim()), "the key is not printed");
        key
    };
    let first = start();
    assert!(first.starts_with("dev:"), "{first}");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("vault.key"))), (0o700, 0o600));
    assert_eq!(start(), first);
}

#[test]
fn rotating_without_a_key_is_a_configuration_error() {
    run(&["vault", "rotate"], &[]).expect(2, &["vault.keys is empty"]);
    run(&["vault", "rotate", "--help"], &[]).expect(
        0,
        &[
            "Add the new key after the old one",
            "Move the new key to the front",
            "remove the old one",
        ],
    );
}

/// Stores an API key of three users, sealed with the old vault key.
async fn store_api_keys(folder: &Path, idp: &MockIdp) {
    let base = idp.base();
    let mut serve = bearward(
        &["serve", "--bind", "127.0.0.1:0"],
        &[
            ("SUPABASE_URL", &base),
            ("BEARWARD_VAULT__KEYS", OLD),
            ("NO_COLOR", "1"),
        ],
    );
    serve.current_dir(folder);
    let serve = TestProcess::start(serve);
    let line = serve.line("address=");
    let address = line
        .split("address=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .trim_matches('"')
        .to_owned();
    for user in ["ada", "bob", "eve"] {
        let request = client()
            .post(format!("http://{address}/api/user/api-keys"))
            .bearer_auth(idp.token().sub(user).sign());
        let body = json!({"togetherAI": "sk-abc12345678901234567890wxyz"}).to_string();
        let response = send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await;
        assert_eq!(response.status, 200, "{response:?}");
    }
    let (status, ..) = serve.stop(Signal::TERM);
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_reseals_every_key_and_can_be_repeated() {
    let (folder, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    store_api_keys(folder.path(), &idp).await;
    let rotate = |keys: &str| {
        run_with(
            &["vault", "rotate"],
            &[("BEARWARD_VAULT__KEYS", keys)],
            "",
            folder.path(),
        )
    };
    let without_old_key = rotate(NEW);
    without_old_key.expect(
        1,
        &[
            "resealed 0 API keys with new",
            "3 API keys cannot be opened",
            "togetherAI",
            "add the key that sealed them",
        ],
    );
    assert!(!without_old_key.stderr.contains("sk-abc"));
    let both = format!("{NEW},{OLD}");
    rotate(&both).expect(
        0,
        &[
            "resealed 3 API keys with new",
            "all API keys are sealed with new",
        ],
    );
    rotate(&both).expect(
        0,
        &["resealed 0 API keys with new", "all API keys are sealed"],
    );
    rotate(NEW).expect(
        0,
        &["resealed 0 API keys with new", "all API keys are sealed"],
    );
}

/// Covers the log output of every crate that handles a key, at level `trace`.
#[tokio::test(flavor = "multi_thread")]
async fn api_keys_tokens_and_prompts_are_not_logged_at_any_level() {
    const KEY: &str = "sk-hunter2-0123456789abcdefghijkl";
    let (folder, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    let base = idp.base();
    let variables = [
        ("SUPABASE_URL", base.as_str()),
        ("BEARWARD_VAULT__KEYS", OLD),
        ("BEARWARD_GENERATE__BASE_URL", "http://127.0.0.1:1/v1"),
        ("RUST_LOG", "trace"),
        ("NO_COLOR", "1"),
    ];
    let mut serve = bearward(&["serve", "--bind", "127.0.0.1:0"], &variables);
    serve.current_dir(folder.path());
    let serve = TestProcess::start(serve);
    let line = serve.line("address=");
    let address = line
        .split("address=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    let token = idp.token().sub("ada").sign();
    let post = async |path: &str, body: String| {
        let request = client()
            .post(format!("http://{address}{path}"))
            .bearer_auth(&token);
        send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await
        .status
    };
    let api_keys = "/api/user/api-keys";
    assert_eq!(
        post(api_keys, json!({"togetherAI": KEY}).to_string()).await,
        200
    );
    assert_eq!(
        post(
            api_keys,
            json!({"togetherAI": format!("{KEY} ")}).to_string()
        )
        .await,
        422
    );
    assert_eq!(
        post(api_keys, format!("{{\"togetherAI\": \"{KEY}\"")).await,
        400
    );
    assert_eq!(
        post(
            "/api/generate",
            json!({"prompt": "a question of hunter2"}).to_string()
        )
        .await,
        502
    );
    let (.., log) = serve.stop(Signal::TERM);
    assert!(
        log.contains("TRACE hyper") && log.contains("sqlx::query"),
        "the log does not contain every crate: {log}"
    );
    let vault_key = OLD.split_once(':').unwrap().1;
    for secret in [
        "hunter2",
        "104, 117, 110, 116, 101, 114",
        "0123456789abcdef",
        &token,
        vault_key,
        "aaaaaaaaaaaaaaaa",
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
