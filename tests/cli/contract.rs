//! `bearward contract`.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    time::Duration,
};
use test_support::{
    ports::free_address,
    process::{Signal, TestProcess},
};

use crate::{CommandOutput, bearward, run};

/// Returns a command line that starts bearward for an IdP at this address.
fn serve_command(idp: SocketAddr, api: SocketAddr) -> String {
    format!(
        "SUPABASE_URL=http://{idp} BEARWARD_RATE_LIMIT__ENABLED=false exec '{}' serve --bind {api}",
        env!("CARGO_BIN_EXE_bearward")
    )
}

/// Runs the suite quickly against the target that a command starts.
fn contract(start: &str, idp: SocketAddr, api: SocketAddr, more: &[&str]) -> CommandOutput {
    let (idp, target) = (idp.to_string(), format!("http://{api}/protected"));
    let common = [
        "contract",
        "--quick",
        "--issuer-bind",
        &idp,
        "--target",
        &target,
        "--start",
        start,
        "--ready-timeout",
        "40s",
    ];
    run(&[&common, more].concat(), &[])
}

/// Starts a server that responds to every request with 200.
fn accept_all() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = vec![0; 65536];
            let _ = stream.read(&mut request);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    address
}

fn is_alive(pid: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("kill -0 {pid} 2>/dev/null")])
        .status()
        .unwrap()
        .success()
}

/// Waits until the process has exited.
fn assert_exits(pid: &str) {
    for _ in 0..400 {
        if !is_alive(pid) {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("process {pid} is still running");
}

#[test]
fn bearward_is_started_tested_stopped_and_reported() {
    let (idp, api, dir) = (free_address(), free_address(), tempfile::tempdir().unwrap());
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (junit, json, html) = (file("report.xml"), file("report.json"), file("report.html"));
    let start = format!(
        "sleep 600 & echo $! $$ > '{}'; {}",
        file("pids"),
        serve_command(idp, api)
    );
    let output = contract(
        &start,
        idp,
        api,
        &["--junit", &junit, "--json", &json, "--html", &html],
    );
    output.expect(
        0,
        &[
            "passed, 0 failed",
            "accepts RS256 ES256 EdDSA",
            &format!("http://{idp}/auth/v1"),
        ],
    );
    assert!(
        !output.stdout.contains('\u{1b}') && !output.stdout.contains("eyJ"),
        "{output:#?}"
    );

    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert!(
        report["passed"].as_u64().unwrap() >= 200 && report["failed"] == 0,
        "{}",
        report["passed"]
    );
    assert!(cases.iter().all(|case| {
        ["id", "group", "title", "severity", "why", "hint"]
            .iter()
            .all(|name| case[name].is_string())
    }));
    let xml = fs::read_to_string(junit).unwrap();
    assert_eq!(xml.matches("<testcase ").count(), cases.len());
    assert!(xml.contains("failures=\"0\"") && xml.contains("name=\"alg.none.mixed-case\""));
    let page = fs::read_to_string(html).unwrap();
    assert!(page.contains("passed</span>") && !page.contains("<dt>fix</dt>"));
    for external in ["src=", "href=", "url(", "@import", "eyJ"] {
        assert!(!page.contains(external), "{external}");
    }

    for pid in fs::read_to_string(file("pids")).unwrap().split_whitespace() {
        assert_exits(pid);
    }
}

#[test]
fn unwritable_report_files_are_errors_before_the_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("report.xml").to_str().unwrap().to_owned();
    for option in ["--junit", "--json", "--html"] {
        let output = contract(
            "exec sleep 600",
            free_address(),
            free_address(),
            &[option, &below],
        );
        output.expect(2, &[&below, "cannot write"]);
        assert!(
            !output.stderr.contains("accepted no valid token"),
            "{output:#?}"
        );
    }
}

#[test]
fn a_failed_case_exits_with_1_and_is_explained() {
    let (idp, api, dir) = (free_address(), accept_all(), tempfile::tempdir().unwrap());
    let junit = dir
        .path()
        .join("created/for/it/report.xml")
        .to_str()
        .unwrap()
        .to_owned();
    let output = contract(
        "exec sleep 600",
        idp,
        api,
        &[
            "--only",
            "alg.none",
            "--exclude",
            "alg.none.nul",
            "--junit",
            &junit,
        ],
    );
    let parts = [
        "critical",
        "alg.none.mixed-case",
        "no Authorization header",
        "401 or 403",
        "200 OK",
        "CVE-2015-9235",
        "pin the algorithms",
        "replay",
        "--only ID",
        "11 critical, 1 medium",
    ];
    output.expect(1, &parts);
    assert!(
        output.stdout.contains(" 12 failed (default, quick, "),
        "{output:#?}"
    );
    assert!(
        !output.stdout.contains("alg.none.nul ") && !output.stdout.contains("alg.hmac"),
        "{output:#?}"
    );
    let failure = fs::read_to_string(junit).unwrap();
    assert!(
        failure.contains("type=\"critical\"")
            && failure.contains("expected 401 or 403, got 200 OK"),
        "{failure}"
    );
}

#[test]
fn html_shows_severity_counts_and_the_most_severe_first() {
    let dir = tempfile::tempdir().unwrap();
    let html = dir.path().join("report.html").to_str().unwrap().to_owned();
    let more = ["--only", "form,alg.none", "--html", &html];
    contract("exec sleep 600", free_address(), accept_all(), &more)
        .expect(1, &["critical", "medium"]);
    let page = fs::read_to_string(html).unwrap();
    let (failures, all) = page.split_once("All cases").unwrap();
    assert!(
        failures.contains("</b>critical<small>an attacker gains access"),
        "{failures}"
    );
    let tags: Vec<&str> = failures
        .split("<span class=\"tag\">")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap())
        .collect();
    let rank = |tag: &&str| {
        ["critical", "high", "medium", "low"]
            .iter()
            .position(|known| known == tag)
            .expect("a severity")
    };
    assert!(tags.len() > 20 && tags.is_sorted_by_key(rank), "{tags:?}");
    assert!(
        failures.contains("PyJWT <code>algorithms=[&quot;RS256&quot;]</code>"),
        "{failures}"
    );
    assert!(
        all.contains("form.garbage") && all.contains("alg.none.nul"),
        "{all}"
    );
}

#[test]
fn json_on_standard_output_is_one_object() {
    let output = contract(
        "exec sleep 600",
        free_address(),
        accept_all(),
        &["--only", "alg.none", "--json", "-"],
    );
    assert_eq!(output.code, Some(1), "{output:#?}");
    let report: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(report["failed"].as_u64().unwrap() > 5, "{report}");
}

#[test]
fn a_target_that_exits_or_never_listens_exits_with_2() {
    let output = contract(
        "echo missing variable >&2; exit 7",
        free_address(),
        free_address(),
        &[],
    );
    output.expect(
        2,
        &[
            "accepted no valid token",
            "the command exited (exit status: 7)",
            "| missing variable",
            "BEARWARD_CONTRACT_ISSUER",
        ],
    );
    let (idp, target) = (
        free_address().to_string(),
        format!("http://{}/", free_address()),
    );
    let more = [
        "--issuer-bind",
        &idp,
        "--target",
        &target,
        "--start",
        "echo started; echo started; sleep 600",
        "--ready-timeout",
        "500ms",
    ];
    run(&[&["contract"], &more[..]].concat(), &[]).expect(
        2,
        &[
            "no connection",
            "the target is listening",
            "| started (2 times)",
        ],
    );
}

#[test]
fn the_command_receives_the_issuer_in_its_environment() {
    let (idp, dir) = (free_address(), tempfile::tempdir().unwrap());
    let file = dir.path().join("variables");
    let start = format!(
        "env | grep ^BEARWARD_CONTRACT_ | sort > '{}'; exit 1",
        file.display()
    );
    contract(&start, idp, free_address(), &["--audience", "my-api"]).expect(2, &[]);
    let base = format!("http://{idp}");
    let expected = format!(
        "BEARWARD_CONTRACT_AUDIENCE=my-api\nBEARWARD_CONTRACT_BASE={base}\nBEARWARD_CONTRACT_ISSUER={base}/auth/v1\n\
         BEARWARD_CONTRACT_JWKS_URL={base}/auth/v1/.well-known/jwks.json\n"
    );
    assert_eq!(fs::read_to_string(file).unwrap(), expected);
}

#[test]
fn signals_also_stop_the_target() {
    for signal in [Signal::TERM, Signal::INT] {
        assert_signal_stops_target(signal);
    }
}

fn assert_signal_stops_target(signal: Signal) {
    let (idp, dir) = (free_address().to_string(), tempfile::tempdir().unwrap());
    let pids = dir.path().join("pids");
    let start = format!(
        "sleep 600 & echo $! $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 600",
        pids.display()
    );
    let target = format!("http://{}/", free_address());
    let running = TestProcess::start(bearward(
        &[
            "contract",
            "--issuer-bind",
            &idp,
            "--target",
            &target,
            "--start",
            &start,
        ],
        &[],
    ));
    running.line("issuer");
    while !Path::new(&pids).exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (status, _, output) = running.stop(signal);
    assert_eq!(status.code(), Some(2), "{output}");
    assert!(
        output.contains("interrupted") && output.contains("stopped the command: sleep 600"),
        "{output}"
    );
    for pid in fs::read_to_string(pids).unwrap().split_whitespace() {
        assert_exits(pid);
    }
}

#[test]
fn list_shows_every_case_and_invalid_options_exit_with_2() {
    let output = run(&["contract", "--list"], &[]);
    output.expect(
        0,
        &[
            "alg.none.mixed-case",
            "key.rotation.same-request",
            "not in a quick run",
            "(strict)",
            "RFC 7515",
        ],
    );
    let total: usize = output
        .stdout
        .lines()
        .last()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(total >= 150, "{total}");
    let target = ["contract", "--target", "http://127.0.0.1:1/"];
    run(&["contract"], &[]).expect(2, &["--target"]);
    run(&[&target[..], &["--only", "nothing"]].concat(), &[])
        .expect(2, &["nothing", "the groups are control, form", "--list"]);
    run(&[&target[..], &["--exclude", "alg.no"]].concat(), &[])
        .expect(2, &["alg.no", "alg has alg.header-lies", "alg.none"]);
    run(
        &[&target[..], &["--quick", "--only", "outage"]].concat(),
        &[],
    )
    .expect(2, &["outage", "--quick skips it"]);
    run(
        &[&target[..], &["--issuer-bind", "0.0.0.0:0"]].concat(),
        &[],
    )
    .expect(2, &["other machines", "--dangerous-allow-remote"]);
    run(&[&target[..], &["--algorithms", "HS256"]].concat(), &[]).expect(2, &["RS256", "ES256"]);
    run(
        &[
            "contract",
            "--issuer-bind",
            "127.0.0.1:0",
            "--target",
            "127.0.0.1:3000",
        ],
        &[],
    )
    .expect(2, &["http://HOST:PORT/PATH"]);
}
