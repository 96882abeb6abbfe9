//! Vault keys: refused where they are missing, made for development, and changed without a key
//! being lost.

use std::{os::unix::fs::PermissionsExt, path::Path};

use bearward_testing::MockIdp;
use serde_json::json;

use crate::{
    bearward,
    child::{Running, client, send},
    run, run_with,
};

const OLD: &str = "old:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
const NEW: &str = "new:YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";

#[test]
fn production_without_a_vault_key_is_refused_with_the_way_to_make_one() {
    let variables = [
        ("BEARWARD_ENV", "production"),
        ("SUPABASE_URL", "http://127.0.0.1:1"),
    ];
    run(&["serve"], &variables).expect(
        2,
        &[
            "vault.keys is empty",
            "openssl rand -base64 32",
            "BEARWARD_VAULT__KEYS_FILE",
        ],
    );
}

#[test]
fn dev_makes_a_key_once_that_its_owner_alone_can_read() {
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
        let dev = Running::start(bearward(&arguments, &[]));
        dev.line("Ctrl-C stops both");
        let key = std::fs::read_to_string(data.join("vault.key")).unwrap();
        let (.., said) = dev.stop("TERM");
        assert!(!said.contains(key.trim()), "the key is not shown");
        key
    };
    let first = start();
    assert!(first.starts_with("dev:"), "{first}");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("vault.key"))), (0o700, 0o600));
    assert_eq!(start(), first);
}

#[test]
fn rotating_without_a_key_is_a_mistake_of_the_configuration() {
    run(&["vault", "rotate"], &[]).expect(2, &["vault.keys is empty"]);
    run(&["vault", "rotate", "--help"], &[]).expect(
        0,
        &[
            "add a new key behind",
            "put the new key in front",
            "remove the old one",
        ],
    );
}

/// Three users keep a key each under the old key of the vault.
async fn kept(folder: &Path, idp: &MockIdp) {
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
    let serve = Running::start(serve);
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
        let answer = send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
        .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let (status, ..) = serve.stop("TERM");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_moves_every_key_and_can_be_run_again() {
    let (folder, idp) = (tempfile::tempdir().unwrap(), MockIdp::start().await);
    kept(folder.path(), &idp).await;
    let rotate = |keys: &str| {
        run_with(
            &["vault", "rotate"],
            &[("BEARWARD_VAULT__KEYS", keys)],
            "",
            folder.path(),
        )
    };
    let without_the_old = rotate(NEW);
    without_the_old.expect(
        1,
        &[
            "0 keys sealed again under new",
            "3 keys do not open",
            "togetherAI",
            "put the key that sealed them back",
        ],
    );
    assert!(!without_the_old.stderr.contains("sk-abc"));
    let both = format!("{NEW},{OLD}");
    rotate(&both).expect(
        0,
        &[
            "3 keys sealed again under new",
            "nothing is left under another key",
        ],
    );
    rotate(&both).expect(0, &["0 keys sealed again under new", "nothing is left"]);
    rotate(NEW).expect(0, &["0 keys sealed again under new", "nothing is left"]);
}

/// What the level `trace` writes is everybody's who reads logs: of every crate that the key passes
/// through.
#[tokio::test(flavor = "multi_thread")]
async fn no_level_of_the_log_has_a_kept_key_a_token_or_a_prompt_in_it() {
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
    let serve = Running::start(serve);
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
    let keep = "/api/user/api-keys";
    assert_eq!(
        post(keep, json!({"togetherAI": KEY}).to_string()).await,
        200
    );
    assert_eq!(
        post(keep, json!({"togetherAI": format!("{KEY} ")}).to_string()).await,
        422
    );
    assert_eq!(
        post(keep, format!("{{\"togetherAI\": \"{KEY}\"")).await,
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
    let (.., log) = serve.stop("TERM");
    assert!(
        log.contains("TRACE hyper") && log.contains("sqlx::query"),
        "the log is not that of every crate: {log}"
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
