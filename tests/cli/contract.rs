//! `bearward contract`.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    time::Duration,
};

use crate::{CommandOutput, bearward, process::TestProcess, run};

/// A port that nobody has just now.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// The command line that starts our own server for an IdP at this address.
fn serve(idp: SocketAddr, api: SocketAddr) -> String {
    format!(
        "SUPABASE_URL=http://{idp} BEARWARD_RATE_LIMIT__ENABLED=false exec '{}' serve --bind {api}",
        env!("CARGO_BIN_EXE_bearward")
    )
}

/// A quick run with more arguments, against what a command starts.
fn contract(start: &str, idp: SocketAddr, api: SocketAddr, more: &[&str]) -> CommandOutput {
    let (idp, target) = (idp.to_string(), format!("http://{api}/protected"));
    let usual = [
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
    run(&[&usual, more].concat(), &[])
}

/// A server that says yes to everybody.
fn yes() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut sent = vec![0; 65536];
            let _ = stream.read(&mut sent);
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

/// Until a process that was told to end has ended.
fn must_end(pid: &str) {
    for _ in 0..400 {
        if !is_alive(pid) {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{pid} is still there");
}

#[test]
fn a_sound_server_is_started_tested_stopped_and_reported() {
    let (idp, api, dir) = (free(), free(), tempfile::tempdir().unwrap());
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (junit, json, html) = (file("report.xml"), file("report.json"), file("report.html"));
    let start = format!(
        "sleep 600 & echo $! $$ > '{}'; {}",
        file("pids"),
        serve(idp, api)
    );
    let said = contract(
        &start,
        idp,
        api,
        &["--junit", &junit, "--json", &json, "--html", &html],
    );
    said.expect(
        0,
        &[
            "passed, 0 failed",
            "accepts RS256 ES256 EdDSA",
            &format!("http://{idp}/auth/v1"),
        ],
    );
    assert!(
        !said.stdout.contains('\u{1b}') && !said.stdout.contains("eyJ"),
        "{said:#?}"
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
    assert!(page.contains("holds</span>") && !page.contains("put right"));
    for fetched in ["src=", "href=", "url(", "@import", "eyJ"] {
        assert!(!page.contains(fetched), "{fetched}");
    }

    for pid in fs::read_to_string(file("pids")).unwrap().split_whitespace() {
        must_end(pid);
    }
}

#[test]
fn a_report_that_nothing_can_be_written_to_is_told_before_the_run() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("report.xml").to_str().unwrap().to_owned();
    for option in ["--junit", "--json", "--html"] {
        let said = contract("exec sleep 600", free(), free(), &[option, &below]);
        said.expect(2, &[&below, "cannot be written"]);
        assert!(!said.stderr.contains("accepted no good token"), "{said:#?}");
    }
}

#[test]
fn a_failed_case_ends_with_1_and_says_what_came_why_it_matters_and_how_it_is_put_right() {
    let (idp, api, dir) = (free(), yes(), tempfile::tempdir().unwrap());
    let junit = dir
        .path()
        .join("made/for/it/report.xml")
        .to_str()
        .unwrap()
        .to_owned();
    let said = contract(
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
        "alg nOnE",
        "401 or 403",
        "200 OK",
        "CVE-2015-9235",
        "pin the algorithms",
        "no signature",
        "11 critical, 1 medium",
    ];
    said.expect(1, &parts);
    assert!(
        said.stdout.contains(" 12 failed (default, quick, "),
        "{said:#?}"
    );
    assert!(
        !said.stdout.contains("alg.none.nul ") && !said.stdout.contains("alg.hmac"),
        "{said:#?}"
    );
    let failure = fs::read_to_string(junit).unwrap();
    assert!(
        failure.contains("<failure type=\"critical\"")
            && failure.contains("expected 401 or 403, got 200 OK"),
        "{failure}"
    );
}

#[test]
fn the_page_has_counts_by_severity_the_worst_first_and_code_as_code() {
    let dir = tempfile::tempdir().unwrap();
    let html = dir.path().join("report.html").to_str().unwrap().to_owned();
    let more = ["--only", "form,alg.none", "--html", &html];
    contract("exec sleep 600", free(), yes(), &more).expect(1, &["critical", "medium"]);
    let page = fs::read_to_string(html).unwrap();
    let (failures, all) = page.split_once("Everything that was asked").unwrap();
    assert!(
        failures.contains("</b>critical<small>a stranger gets in"),
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
fn json_alone_on_standard_output_is_one_object() {
    let said = contract(
        "exec sleep 600",
        free(),
        yes(),
        &["--only", "alg.none", "--json", "-"],
    );
    assert_eq!(said.code, Some(1), "{said:#?}");
    let report: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(report["failed"].as_u64().unwrap() > 5, "{report}");
}

#[test]
fn a_target_that_ends_or_never_listens_is_2_with_its_last_words() {
    let said = contract("echo it lacks a variable >&2; exit 7", free(), free(), &[]);
    said.expect(
        2,
        &[
            "accepted no good token",
            "the command ended (exit status: 7)",
            "| it lacks a variable",
            "BEARWARD_CONTRACT_ISSUER",
        ],
    );
    let (idp, target) = (free().to_string(), format!("http://{}/", free()));
    let more = [
        "--issuer-bind",
        &idp,
        "--target",
        &target,
        "--start",
        "echo begun; echo begun; sleep 600",
        "--ready-timeout",
        "500ms",
    ];
    run(&[&["contract"], &more[..]].concat(), &[]).expect(
        2,
        &[
            "no connection",
            "does the target listen",
            "| begun (2 times)",
        ],
    );
}

#[test]
fn the_command_finds_whom_to_trust_in_its_environment() {
    let (idp, dir) = (free(), tempfile::tempdir().unwrap());
    let file = dir.path().join("variables");
    let start = format!(
        "env | grep ^BEARWARD_CONTRACT_ | sort > '{}'; exit 1",
        file.display()
    );
    contract(&start, idp, free(), &["--audience", "my-api"]).expect(2, &[]);
    let base = format!("http://{idp}");
    let expected = format!(
        "BEARWARD_CONTRACT_AUDIENCE=my-api\nBEARWARD_CONTRACT_BASE={base}\nBEARWARD_CONTRACT_ISSUER={base}/auth/v1\n\
         BEARWARD_CONTRACT_JWKS_URL={base}/auth/v1/.well-known/jwks.json\n"
    );
    assert_eq!(fs::read_to_string(file).unwrap(), expected);
}

#[test]
fn what_it_has_started_ends_when_it_is_told_to_end() {
    for signal in ["TERM", "INT"] {
        what_it_has_started_ends_by(signal);
    }
}

fn what_it_has_started_ends_by(signal: &str) {
    let (idp, dir) = (free().to_string(), tempfile::tempdir().unwrap());
    let pids = dir.path().join("pids");
    let start = format!(
        "sleep 600 & echo $! $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 600",
        pids.display()
    );
    let target = format!("http://{}/", free());
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
    let (end, _, output) = running.stop(signal);
    assert_eq!(end.code(), Some(2), "{output}");
    assert!(
        output.contains("interrupted") && output.contains("stopped what it had started: sleep 600"),
        "{output}"
    );
    for pid in fs::read_to_string(pids).unwrap().split_whitespace() {
        must_end(pid);
    }
}

#[test]
fn the_list_has_every_case_and_what_is_wrong_on_the_command_line_is_2() {
    let said = run(&["contract", "--list"], &[]);
    said.expect(
        0,
        &[
            "alg.none.mixed-case",
            "key.rotation.same-request",
            "not in a quick run",
            "(strict)",
            "RFC 7515",
        ],
    );
    let total: usize = said
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
    .expect(2, &["outage", "--quick leaves it out"]);
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
