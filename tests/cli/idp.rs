//! `bearward idp`: printed addresses, flags and stored data.

use std::{net::TcpListener, path::Path};

use serde_json::json;
use test_support::{
    http::{client, get, send},
    process::{Signal, TestProcess},
};

use crate::{bearward, run};

fn start(more: &[&str]) -> (TestProcess, String) {
    let idp = TestProcess::start(bearward(
        &[&["idp", "--bind", "127.0.0.1:0"], more].concat(),
        &[],
    ));
    idp.line("Ctrl-C stops it");
    let printed = idp.output();
    (idp, printed)
}

/// The value that is printed after this name.
fn value_of<'a>(printed: &'a str, name: &str) -> &'a str {
    printed
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("{name} in {printed}"))
        .trim()
}

#[tokio::test]
async fn the_printed_addresses_work() {
    let (_idp, printed) = start(&[]);
    assert!(printed.starts_with("development only"), "{printed}");
    let console = value_of(&printed, "console").trim_end_matches('/');
    assert!(value_of(&printed, "issuer").starts_with(console));
    let (issuer, keys) = (value_of(&printed, "issuer"), value_of(&printed, "keys"));
    assert_eq!(
        get(&format!("{issuer}/.well-known/openid-configuration"))
            .await
            .json()["issuer"],
        issuer
    );
    assert_eq!(get(keys).await.json()["keys"].as_array().unwrap().len(), 1);
    let tokens = printed
        .lines()
        .find_map(|line| line.trim().strip_prefix("curl -s -X POST "))
        .expect("a line for a token");
    let response = send(client().post(tokens)).await.json();
    assert_eq!(response["claims"]["aud"], value_of(&printed, "audience"));
    let page = printed
        .lines()
        .find_map(|line| line.trim().strip_prefix("curl -s http"))
        .expect("a line for the page");
    assert!(
        get(&format!("http{page}"))
            .await
            .body
            .contains("/admin/faults")
    );
}

#[tokio::test]
async fn the_printed_variable_configures_a_server() {
    let (_idp, printed) = start(&["--alg", "ES256"]);
    let base = printed
        .lines()
        .find_map(|line| line.trim().strip_prefix("SUPABASE_URL="))
        .expect("a line for a server");
    let base = base.split(' ').next().unwrap();
    run(&["check"], &[("SUPABASE_URL", base)]).expect(0, &["keys fetched"]);
}

#[test]
fn a_signal_stops_it_with_exit_code_0() {
    for signal in [Signal::TERM, Signal::INT] {
        let (idp, _) = start(&[]);
        let (status, _, output) = idp.stop(signal);
        assert_eq!(status.code(), Some(0), "{output}");
    }
}

#[test]
fn a_port_in_use_is_reported_with_the_flag_to_change_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(&["idp", "--bind", &address], &[])
        .expect(1, &[&address, "bearward idp --bind 127.0.0.1:PORT"]);
}

#[test]
fn a_remote_address_requires_the_dangerous_flag() {
    run(&["idp", "--bind", "0.0.0.0:0"], &[]).expect(
        2,
        &["other machines", "127.0.0.1", "--dangerous-allow-remote"],
    );
    let command = bearward(
        &[
            "idp",
            "--bind",
            "0.0.0.0:0",
            "--dangerous-allow-remote",
            "--base",
            "http://idp:9999",
        ],
        &[],
    );
    assert!(
        TestProcess::start(command)
            .line("issuer")
            .ends_with(" http://idp:9999/auth/v1")
    );
    run(&["idp", "--bind", "127.0.0.1:0", "--base", "idp:9999"], &[])
        .expect(2, &["idp:9999", "http://HOST:PORT"]);
}

/// Signs up a user and returns the response.
async fn sign_up(issuer: &str, email: &str) -> test_support::http::Response {
    let body = json!({ "email": email, "password": "correct horse" }).to_string();
    send(
        client()
            .post(format!("{issuer}/signup"))
            .header("content-type", "application/json")
            .body(body),
    )
    .await
}

fn start_with_data(file: &Path) -> (TestProcess, String) {
    let (idp, printed) = start(&["--data", file.to_str().unwrap()]);
    let issuer = value_of(&printed, "issuer").to_owned();
    (idp, issuer)
}

#[tokio::test]
async fn users_are_stored_even_if_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.db");
    let (idp, issuer) = start_with_data(&file);
    assert_eq!(sign_up(&issuer, "ada@example.com").await.status, 200);
    // Dropping kills the process.
    drop(idp);
    let (_idp, issuer) = start_with_data(&file);
    let again = sign_up(&issuer, "ada@example.com").await;
    assert_eq!(
        (again.status, again.json()["error_code"].as_str()),
        (422, Some("user_already_exists"))
    );
}

#[tokio::test]
async fn without_a_file_nothing_is_stored() {
    for _ in 0..2 {
        let (_idp, printed) = start(&[]);
        assert_eq!(
            sign_up(value_of(&printed, "issuer"), "ada@example.com")
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn flags_set_the_settings_of_the_project() {
    let flags = [
        "--confirm-email",
        "--disable-signup",
        "--disable-anonymous",
        "--token-lifetime",
        "60",
        "--mail-interval",
        "0",
        "--secure-password-change",
        "--manual-linking",
        "--allow-origin",
        "null",
    ];
    let (_idp, printed) = start(&flags);
    let issuer = value_of(&printed, "issuer");
    let settings = get(&format!("{issuer}/settings")).await.json();
    assert_eq!(settings["disable_signup"], true);
    assert_eq!(settings["mailer_autoconfirm"], false);
    assert_eq!(settings["external"]["anonymous_users"], false);
    assert_eq!(sign_up(issuer, "ada@example.com").await.status, 422);
    for wrong in ["app.example/**", "/callback", "https://"] {
        run(&["idp", "--bind", "127.0.0.1:0", "--redirect", wrong], &[])
            .expect(2, &["--redirect", "https://app.example/**"]);
    }
    for wrong in ["localhost", "capacitor://localhost/", "file://x", ""] {
        run(
            &["idp", "--bind", "127.0.0.1:0", "--allow-origin", wrong],
            &[],
        )
        .expect(2, &["--allow-origin", "capacitor://localhost"]);
    }
    for wrong in ["-1", "86401", "1m"] {
        let flag = format!("--mail-interval={wrong}");
        run(&["idp", "--bind", "127.0.0.1:0", &flag], &[]).expect(2, &["--mail-interval"]);
    }
    for wrong in ["0", "604801", "1h"] {
        run(
            &["idp", "--bind", "127.0.0.1:0", "--token-lifetime", wrong],
            &[],
        )
        .expect(2, &["--token-lifetime"]);
    }
    run(
        &["idp", "--bind", "127.0.0.1:0", "--site-url", "localhost"],
        &[],
    )
    .expect(2, &["http://localhost:3000"]);
    run(
        &[
            "idp",
            "--bind",
            "127.0.0.1:0",
            "--data",
            "/no/such/folder/x.db",
        ],
        &[],
    )
    .expect(2, &["/no/such/folder/x.db"]);
}

#[test]
fn it_refuses_to_run_in_production() {
    run(
        &["idp", "--bind", "127.0.0.1:0", "--confirm-email"],
        &[("BEARWARD_ENV", "production")],
    )
    .expect(2, &["BEARWARD_ENV"]);
}

#[tokio::test]
async fn the_stand_in_for_completions_is_only_in_dev() {
    let (_idp, printed) = start(&[]);
    let console = value_of(&printed, "console").trim_end_matches('/');
    let shown = get(&format!("{console}/admin/completions")).await;
    assert_eq!(shown.json(), json!({ "completions": null }));
    let call = client().post(format!("{console}/.completions/v1/chat/completions"));
    assert_eq!(send(call.bearer_auth("key")).await.status, 404);
}
