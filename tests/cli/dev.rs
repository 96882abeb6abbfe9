//! `bearward dev`: the printed commands work as printed.

use std::{net::TcpListener, time::Duration};
use test_support::{
    http::{Response, client, get, send},
    process::{Signal, TestProcess},
};

use crate::{bearward, run};

const DEV: [&str; 5] = ["dev", "--bind", "127.0.0.1:0", "--idp-bind", "127.0.0.1:0"];

/// Starts `bearward dev`, and returns it with its output after it has printed everything.
fn start(more: &[&str], variables: &[(&str, &str)]) -> (TestProcess, String) {
    let dev = TestProcess::start(bearward(&[&DEV, more].concat(), variables));
    dev.line("Ctrl-C stops both");
    let printed = dev.output();
    (dev, printed)
}

/// The printed lines that begin with this prefix.
fn lines<'a>(printed: &'a str, prefix: &str) -> Vec<&'a str> {
    printed
        .lines()
        .filter(|line| line.starts_with(prefix))
        .collect()
}

/// Sends the request of a printed `curl` command.
async fn curl(line: &str) -> Response {
    let words: Vec<String> = words(line);
    let value = |flag: &str| {
        words
            .iter()
            .position(|word| word == flag)
            .and_then(|at| words.get(at + 1))
    };
    let url = words
        .iter()
        .find(|word| word.starts_with("http://"))
        .expect("a URL");
    let method = value("-X").map_or("GET", String::as_str);
    let mut request = client().request(method.parse().unwrap(), url);
    if let Some((name, value)) = value("-H").and_then(|header| header.split_once(": ")) {
        request = request.header(name, value);
    }
    if let Some(body) = value("-d") {
        request = request.body(body.clone());
    }
    send(request).await
}

/// Splits a line into words like a shell. Nested quotes are not supported.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match c {
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            ' ' if quote.is_none() => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[tokio::test]
async fn each_printed_curl_command_has_the_printed_result() {
    let (_dev, printed) = start(&[], &[]);
    let lines = lines(&printed, "curl ");
    let [good, expired, tampered, another] = lines[..] else {
        panic!("four lines: {printed}")
    };

    let accepted = curl(good).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let whoami = accepted.json();
    assert_eq!(whoami["user_id"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(whoami["email"], "ada@example.com");

    for (line, code) in [(expired, "TOKEN_EXPIRED"), (tampered, "INVALID_SIGNATURE")] {
        let rejected = curl(line).await;
        assert_eq!((rejected.status, rejected.code().as_str()), (401, code));
        let challenge = rejected.headers["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
            "{challenge}"
        );
    }

    let minted = curl(another).await.json();
    let grace = good.split("eyJ").next().unwrap().to_owned()
        + minted["access_token"].as_str().unwrap()
        + "\"";
    assert_eq!(curl(&grace).await.json()["user_id"], "grace");
}

#[tokio::test]
async fn a_shell_runs_the_printed_commands_unchanged() {
    let (_dev, printed) = start(&[], &[]);
    if std::process::Command::new("curl")
        .arg("--version")
        .output()
        .is_err()
    {
        eprintln!("skipped: curl is not installed");
        return;
    }
    for (line, status) in lines(&printed, "curl ")
        .into_iter()
        .zip(["200", "401", "401"])
    {
        let output = std::process::Command::new("sh")
            .args(["-c", line])
            .env_remove("http_proxy")
            .output()
            .unwrap();
        let head = String::from_utf8_lossy(&output.stdout);
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status} ")),
            "{line}: {head}"
        );
    }
}

#[tokio::test]
async fn the_printed_token_is_valid_for_24_hours() {
    let (_dev, printed) = start(&[], &[]);
    let tokens = lines(&printed, "eyJ");
    let [token] = tokens[..] else {
        panic!("one token: {printed}")
    };
    let line = printed
        .lines()
        .find(|line| line.starts_with("SUPABASE_URL="))
        .expect("a line for explain");
    let base = line
        .trim_start_matches("SUPABASE_URL=")
        .split(' ')
        .next()
        .unwrap();
    let output = run(&["explain", token], &[("SUPABASE_URL", base)]);
    output.expect(0, &["accepted", "in 23h 59m"]);
}

#[tokio::test]
async fn the_console_shows_the_api_and_explains_like_the_command() {
    let (_dev, printed) = start(&[], &[]);
    let address = |name: &str| {
        let line = printed
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .expect(name);
        line.split_whitespace()
            .nth(1)
            .expect("an address")
            .to_owned()
    };
    let (api, idp) = (address("API "), address("IdP "));
    let shown = get(&format!("{idp}/admin/api")).await.json();
    assert_eq!(shown["api"]["address"], api, "{shown}");
    let issuers: Vec<_> = shown["api"]["issuers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| (&set["name"], &set["state"]))
        .collect();
    assert_eq!(
        issuers,
        [
            (&"dev".into(), &"fresh".into()),
            (&"google".into(), &"fresh".into())
        ]
    );

    let request = client()
        .post(format!("{idp}/admin/tokens"))
        .header("content-type", "application/json");
    let token = send(request.body(r#"{"claims": {"aud": "another"}}"#))
        .await
        .json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let request = client()
        .post(format!("{idp}/admin/explain"))
        .header("content-type", "application/json");
    let explained = send(request.body(format!("{{\"token\": \"{token}\"}}")))
        .await
        .json();
    let output = run(&["explain", "--json", &token], &[("SUPABASE_URL", &idp)]);
    output.expect(1, &["INVALID_AUDIENCE"]);
    let command: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    for member in ["accepted", "code", "message", "advice"] {
        assert_eq!(explained[member], command[member], "{member}");
    }
    let outcomes = |report: &serde_json::Value| {
        let checks = report["checks"].as_array().unwrap().iter();
        checks
            .map(|line| (line["check"].clone(), line["outcome"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&explained), outcomes(&command));
}

#[test]
fn a_remote_idp_address_requires_the_dangerous_flag() {
    let everywhere = ["dev", "--bind", "0.0.0.0:0", "--idp-bind", "0.0.0.0:0"];
    run(&everywhere, &[]).expect(
        2,
        &["reached by other machines", "--dangerous-allow-remote"],
    );
    let dev = TestProcess::start(bearward(
        &[&everywhere[..], &["--dangerous-allow-remote"]].concat(),
        &[],
    ));
    dev.line("Ctrl-C stops both");
    let printed = dev.output();
    assert!(
        printed.contains("http://127.0.0.1:") && !printed.contains("0.0.0.0"),
        "the unspecified address is not printed: {printed}"
    );
}

#[tokio::test]
async fn no_log_line_precedes_the_output_and_no_token_is_logged() {
    let (dev, printed) = start(&[], &[]);
    assert!(printed.starts_with("bearward dev"), "{printed}");
    assert!(
        !printed.contains("INFO") && !printed.contains("WARN"),
        "{printed}"
    );
    let lines = lines(&printed, "curl ");
    assert_eq!(curl(lines[0]).await.status, 200);
    assert_eq!(curl(lines[2]).await.status, 401);
    let (_, _, output) = dev.stop(Signal::TERM);
    let log = output.strip_prefix(&printed).expect("the later output");
    assert!(
        log.contains("route=\"/protected\" status=200") && log.contains("reason=\"signature\""),
        "{log}"
    );
    assert!(!log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn the_output_fits_on_a_screen() {
    let (_dev, printed) = start(&[], &[]);
    let rows: usize = printed
        .lines()
        .map(|line| line.chars().count().max(1).div_ceil(120))
        .sum();
    assert!(rows <= 50, "{rows} rows of 120 columns");
}

#[tokio::test]
async fn tokens_of_each_signing_algorithm_are_accepted() {
    for algorithm in ["ES256", "EdDSA", "PS256", "ES384"] {
        let (_dev, printed) = start(&["--alg", algorithm], &[]);
        assert_eq!(
            curl(lines(&printed, "curl ")[0]).await.status,
            200,
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_signal_stops_both_servers_despite_an_open_connection() {
    for signal in [Signal::TERM, Signal::INT] {
        let (dev, printed) = start(&[], &[("BEARWARD_SERVER__SHUTDOWN_TIMEOUT", "5s")]);
        let api = printed
            .lines()
            .find_map(|line| line.trim().strip_prefix("API "))
            .expect("the API's address");
        let api = api.split_whitespace().next().unwrap().to_owned();
        let idle = client();
        assert_eq!(send(idle.get(format!("{api}/livez"))).await.status, 200);
        let (status, took, output) = dev.stop(signal);
        assert_eq!(status.code(), Some(0), "{output}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert!(
            idle.get(format!("{api}/livez")).send().await.is_err(),
            "the port is closed"
        );
    }
}

#[tokio::test]
async fn issuers_from_the_environment_are_trusted_too() {
    let (_dev, printed) = start(
        &[],
        &[
            ("SUPABASE_URL", "http://127.0.0.1:1"),
            ("DATABASE_URL", "sqlite://of-the-environment.db"),
        ],
    );
    assert!(!printed.contains("hunter2"));
    let good = lines(&printed, "curl ")[0];
    assert_eq!(curl(good).await.status, 200);
    let api = words(good)
        .into_iter()
        .find_map(|word| Some(word.strip_suffix("/protected")?.to_owned()))
        .unwrap();
    let health = get(&format!("{api}/health")).await.json();
    assert_eq!(
        (
            &health["issuers"]["dev"]["state"],
            &health["issuers"]["supabase"]["state"]
        ),
        (&"fresh".into(), &"empty".into())
    );
}

#[tokio::test]
async fn the_fake_google_is_used_unless_google_is_configured() {
    for (variables, issuer) in [
        (vec![], true),
        (
            vec![
                ("GOOGLE_CLIENT_ID", "1-a.apps.googleusercontent.com"),
                (
                    "BEARWARD_ISSUERS__GOOGLE__JWKS_URL",
                    "http://127.0.0.1:9/certs",
                ),
            ],
            false,
        ),
    ] {
        let (_dev, printed) = start(&[], &variables);
        let api = lines(&printed, "  API")
            .remove(0)
            .split_whitespace()
            .nth(1)
            .unwrap()
            .to_owned();
        let health = get(&format!("{api}/health")).await.json();
        assert_eq!(
            health["issuers"]["google"]["state"] == "fresh",
            issuer,
            "{health}"
        );
    }
}

#[test]
fn a_port_in_use_is_reported_with_the_flag_to_change_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(
        &["dev", "--bind", &address, "--idp-bind", "127.0.0.1:0"],
        &[],
    )
    .expect(1, &[&address, "--bind"]);
    run(
        &["dev", "--bind", "127.0.0.1:0", "--idp-bind", &address],
        &[],
    )
    .expect(1, &[&address, "--idp-bind"]);
}
