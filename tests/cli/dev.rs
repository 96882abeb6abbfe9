//! `bearward dev`: the printed commands work as printed.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    time::Duration,
};
use test_support::{
    TEST_TIMEOUT,
    http::{Response, client, get, get_as, send},
    process::{Signal, TestProcess},
};

use crate::{bearward, run, run_with};

const DEV: [&str; 5] = ["dev", "--bind", "127.0.0.1:0", "--idp-bind", "127.0.0.1:0"];

/// Starts `bearward dev` with a new data folder, and returns it with its output after it has
/// printed everything.
fn start(more: &[&str], variables: &[(&str, &str)]) -> (TestProcess, String) {
    let folder = tempfile::tempdir().unwrap().keep();
    start_in(&folder, more, variables)
}

/// Starts `bearward dev` in this working directory.
pub(crate) fn start_in(
    folder: &Path,
    more: &[&str],
    variables: &[(&str, &str)],
) -> (TestProcess, String) {
    start_at(folder, &[&DEV[1..], more].concat(), variables)
}

/// Starts `bearward dev` in this working directory with these arguments.
pub(crate) fn start_at(
    folder: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (TestProcess, String) {
    let mut command = bearward(&[&["dev"], arguments].concat(), variables);
    // The printed commands contain the name with which the program was started.
    command.arg0("bearward").current_dir(folder);
    let dev = TestProcess::start(command);
    dev.line("Ctrl-C stops both");
    let printed = dev.output();
    (dev, printed)
}

/// The printed address with this name.
pub(crate) fn address<'a>(printed: &'a str, name: &str) -> &'a str {
    let line = lines(printed, &format!("{name} "))[0];
    let url = line.split_whitespace().nth(1).expect("an address");
    url.trim_end_matches('/')
}

/// Runs the printed command for a token.
async fn token(printed: &str) -> String {
    let idp = address(printed, "console");
    let line = lines(printed, "export TOKEN=")[0];
    assert_eq!(
        line,
        format!("export TOKEN=$(curl -sXPOST {idp}/admin/tokens | cut -d'\"' -f4)")
    );
    let body = send(client().post(format!("{idp}/admin/tokens")))
        .await
        .body;
    body.split('"').nth(3).expect("the fourth field").to_owned()
}

/// The printed lines that begin with this prefix.
fn lines<'a>(printed: &'a str, prefix: &str) -> Vec<&'a str> {
    printed
        .lines()
        .filter(|line| line.starts_with(prefix))
        .collect()
}

/// Sends the request of a printed `curl` command with this token.
async fn curl(line: &str, token: &str) -> Response {
    let line = line.replace("${TOKEN}", token).replace("$TOKEN", token);
    let words: Vec<String> = words(&line);
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
    let default_method = if value("-d").is_some() { "POST" } else { "GET" };
    let method = value("-X").map_or(default_method, String::as_str);
    let mut request = client().request(method.parse().unwrap(), url);
    let headers = words.windows(2).filter(|pair| pair[0] == "-H");
    for (name, value) in headers.filter_map(|pair| pair[1].split_once(": ")) {
        request = request.header(name, value);
    }
    if let Some(body) = value("-d") {
        request = request.body(body.clone());
    }
    send(request).await
}

/// Splits a line into words like a shell. Nested quotes are not supported.
pub(crate) fn words(line: &str) -> Vec<String> {
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
async fn a_sign_out_at_the_idp_takes_effect_on_the_api() {
    let (_dev, printed) = start(&[], &[]);
    let (idp, api) = (address(&printed, "console"), address(&printed, "API"));
    let account = r#"{"email": "ada@example.com", "password": "correct horse"}"#;
    let sign_up = client()
        .post(format!("{idp}/auth/v1/signup"))
        .header("content-type", "application/json")
        .body(account);
    let session = send(sign_up).await.expect(200);
    let token = session["access_token"].as_str().unwrap();
    let protected = format!("{api}/protected");
    assert_eq!(get_as(&protected, token).await.status, 200);

    let sign_out = client().post(format!("{idp}/auth/v1/logout"));
    send(sign_out.bearer_auth(token)).await.expect(204);
    let since = std::time::Instant::now();
    loop {
        let response = get_as(&protected, token).await;
        if response.status == 401 {
            assert_eq!(response.error(), (401, "TOKEN_REVOKED".to_owned()));
            break;
        }
        assert!(since.elapsed() < TEST_TIMEOUT, "{response:?}");
    }
}

#[tokio::test]
async fn each_printed_curl_command_has_the_printed_result() {
    let (_dev, printed) = start(&[], &[]);
    let token = token(&printed).await;
    let lines = lines(&printed, "curl ");
    let [good, modified] = lines[..] else {
        panic!("two lines: {printed}")
    };

    let accepted = curl(good, &token).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let whoami = accepted.json();
    assert_eq!(whoami["user_id"], "11111111-2222-4333-8444-555555555555");
    assert_eq!(whoami["email"], "ada@example.com");

    let rejected = curl(modified, &token).await;
    assert_eq!(
        (rejected.status, rejected.code().as_str()),
        (401, "INVALID_SIGNATURE")
    );
    let challenge = rejected.headers["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn the_commands_of_the_quick_start_have_its_results() {
    let (_dev, printed) = start(&[], &[]);
    let token = token(&printed).await;
    let page = include_str!("../../docs/quick-start.md");
    let page = page.replace("http://127.0.0.1:8000", address(&printed, "API"));
    let mut lines = page.lines().peekable();
    let mut sent = 0;
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ curl ") else {
            continue;
        };
        let response = curl(command, &token).await;
        assert!(
            (200..300).contains(&response.status),
            "{command}: {response:?}"
        );
        if let Some(expected) = lines.next_if(|line| line.starts_with('{')) {
            assert_eq!(response.body, expected, "{command}");
        }
        sent += 1;
    }
    assert_eq!(sent, 7);
}

#[tokio::test]
async fn a_shell_runs_the_printed_commands_unchanged() {
    let (_dev, printed) = start(&[], &[]);
    if !test_support::has_curl() {
        return;
    }
    let commands = |prefix| lines(&printed, prefix).join("\n");
    let script = [
        commands("export TOKEN="),
        commands("curl "),
        commands("SUPABASE_URL="),
    ];
    let binary = Path::new(env!("CARGO_BIN_EXE_bearward"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script.join("\n")])
        .env("PATH", path)
        .env_remove("http_proxy")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    let statuses: Vec<_> = output
        .lines()
        .filter_map(|line| line.split("HTTP/1.1 ").nth(1))
        .map(|status| &status[..3])
        .collect();
    assert_eq!(statuses, ["200", "401"], "{output}");
    assert!(output.contains("rejected INVALID_SIGNATURE"), "{output}");
}

#[test]
fn the_output_fits_on_a_small_terminal() {
    let (_dev, printed) = start(&[], &[]);
    let count = printed.lines().count();
    assert!(count <= 20, "{count} lines: {printed}");
    for line in printed.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn the_addresses_are_printed_last() {
    let (_dev, printed) = start(&[], &[]);
    let names: Vec<_> = printed
        .lines()
        .rev()
        .skip(2)
        .map_while(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, ["inbox", "console", "docs", "API", "data"]);
}

/// Signs up a user at the development IdP.
async fn sign_up(printed: &str) -> Response {
    let idp = address(printed, "console");
    let body = r#"{"email": "eve@example.com", "password": "correct horse"}"#;
    let request = client()
        .post(format!("{idp}/auth/v1/signup"))
        .header("content-type", "application/json");
    send(request.body(body)).await
}

#[tokio::test]
async fn users_are_kept_in_the_private_default_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (dev, printed) = start_in(folder.path(), &[], &[]);
    assert_eq!(sign_up(&printed).await.status, 200);
    drop(dev);
    let (_dev, printed) = start_in(folder.path(), &[], &[]);
    let again = sign_up(&printed).await;
    assert_eq!(again.json()["error_code"], "user_already_exists");

    let data = folder.path().join(".bearward");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in ["idp.db", "vault.key"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    assert_eq!(fs::read_to_string(data.join(".gitignore")).unwrap(), "*\n");
}

#[test]
fn an_existing_data_folder_gets_no_gitignore() {
    let folder = tempfile::tempdir().unwrap();
    let (_dev, printed) = start_in(folder.path(), &["--data", "."], &[]);
    assert!(printed.contains("data     .\n"), "{printed}");
    assert!(folder.path().join("idp.db").exists());
    assert!(!folder.path().join(".gitignore").exists());
}

#[test]
fn a_data_file_of_another_version_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let (dev, _) = start_in(folder.path(), &["--data", "data"], &[]);
    dev.stop(Signal::TERM);
    let file = folder.path().join("data/idp.db");
    let mut bytes = fs::read(&file).unwrap();
    // Offset 60 of the header is `user_version` (SQLite file format, section 1.3).
    assert_eq!(bytes[60..64], [0, 0, 0, 2]);
    bytes[63] = 3;
    fs::write(&file, &bytes).unwrap();
    let arguments = [&DEV[..], &["--data", "data"]].concat();
    run_with(&arguments, &[], "", folder.path())
        .expect(2, &["data/idp.db was written by a newer version", "--data"]);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn the_sign_in_flags_work_as_for_idp() {
    let flags = ["--confirm-email", "--site-url", "http://localhost:5173"];
    let (_dev, printed) = start(&flags, &[]);
    let idp = address(&printed, "console");
    let settings = get(&format!("{idp}/auth/v1/settings")).await.json();
    assert_eq!(settings["mailer_autoconfirm"], false);
    for (flag, wrong) in [
        ("--redirect", "app.example/**"),
        ("--token-lifetime", "0"),
        ("--mail-interval", "1m"),
        ("--site-url", "localhost"),
    ] {
        run(&[&DEV[..], &[flag, wrong]].concat(), &[]).expect(2, &["http"; 0]);
    }
}

#[tokio::test]
async fn the_console_shows_the_api_and_explains_like_the_command() {
    let (_dev, printed) = start(&[], &[]);
    let (api, idp) = (address(&printed, "API"), address(&printed, "console"));
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
    let output = run(&["explain", "--json", &token], &[("SUPABASE_URL", idp)]);
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
    let token = token(&printed).await;
    let lines = lines(&printed, "curl ");
    assert_eq!(curl(lines[0], &token).await.status, 200);
    assert_eq!(curl(lines[1], &token).await.status, 401);
    let (_, _, output) = dev.stop(Signal::TERM);
    let log = output.strip_prefix(&printed).expect("the later output");
    assert!(
        log.contains("route=\"/protected\" status=200") && log.contains("reason=\"signature\""),
        "{log}"
    );
    assert!(!log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn tokens_of_each_signing_algorithm_are_accepted() {
    for algorithm in ["ES256", "EdDSA", "PS256", "ES384"] {
        let (_dev, printed) = start(&["--alg", algorithm], &[]);
        assert_eq!(
            curl(lines(&printed, "curl ")[0], &token(&printed).await)
                .await
                .status,
            200,
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_signal_stops_both_servers_despite_an_open_connection() {
    for signal in [Signal::TERM, Signal::INT] {
        let (dev, printed) = start(&[], &[("BEARWARD_SERVER__SHUTDOWN_TIMEOUT", "5s")]);
        let api = address(&printed, "API");
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
    assert_eq!(curl(good, &token(&printed).await).await.status, 200);
    let api = address(&printed, "API");
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
        let api = address(&printed, "API");
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

/// Stores an API key and sends a prompt to `/api/generate`.
async fn generate(api: &str, token: &str, stream: bool) -> Response {
    let post = |path: &str, body: String| {
        let request = client().post(format!("{api}{path}")).bearer_auth(token);
        let request = request.header("content-type", "application/json");
        send(request.body(body))
    };
    let stored = post("/api/user/api-keys", r#"{"togetherAI": "any"}"#.to_owned());
    assert_eq!(stored.await.status, 200);
    let body = format!(r#"{{"prompt": "a loop in Rust", "stream": {stream}}}"#);
    post("/api/generate", body).await
}

async fn set_completions_failure(idp: &str, failure: &str) {
    let request = client().put(format!("{idp}/admin/completions"));
    let request = request.header("content-type", "application/json");
    let body = format!(r#"{{"failure": {failure}}}"#);
    assert_eq!(send(request.body(body)).await.status, 200);
}

#[tokio::test]
async fn code_is_generated_without_an_account_elsewhere() {
    let (_dev, printed) = start(&[], &[]);
    let (api, idp) = (address(&printed, "API"), address(&printed, "console"));
    let token = token(&printed).await;
    let generated = generate(api, &token, false).await.expect(200);
    let code = generated["code"].as_str().unwrap();
    assert!(
        code.starts_with("// Answer of the development stand-in: no model ran."),
        "{code}"
    );
    assert!(generated["usage"]["total_tokens"].is_u64(), "{generated}");
    let stream = generate(api, &token, true).await;
    assert_eq!(stream.status, 200);
    assert!(stream.body.contains("stand-in") && stream.body.ends_with("data: [DONE]\n\n"));

    for (failure, status, code) in [
        ("\"rate_limit\"", 429, "RATE_LIMITED"),
        ("\"server_error\"", 502, "UPSTREAM_FAILED"),
        ("\"invalid_key\"", 502, "UPSTREAM_REJECTED_KEY"),
        ("\"aborted\"", 502, "UPSTREAM_FAILED"),
    ] {
        set_completions_failure(idp, failure).await;
        let rejected = generate(api, &token, false).await;
        assert_eq!(rejected.error(), (status, code.to_owned()), "{failure}");
    }
    let aborted = generate(api, &token, true).await.body;
    let last = aborted.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        last.starts_with("event: error\n") && last.contains("UPSTREAM_FAILED"),
        "{last}"
    );
    set_completions_failure(idp, "null").await;
    assert_eq!(generate(api, &token, false).await.status, 200);
}

#[tokio::test]
async fn a_configured_service_replaces_the_stand_in() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    let file = "[generate]\nbase_url = \"http://127.0.0.1:1/v1\"\n";
    fs::write(folder.path().join("config/default.toml"), file).unwrap();
    let variable = ("BEARWARD_GENERATE__BASE_URL", "http://127.0.0.1:1/v1");
    for (_dev, printed) in [start_in(folder.path(), &[], &[]), start(&[], &[variable])] {
        let (api, idp) = (address(&printed, "API"), address(&printed, "console"));
        let shown = get(&format!("{idp}/admin/completions")).await.body;
        assert_eq!(shown, r#"{"completions":null}"#);
        let refused = generate(api, &token(&printed).await, false).await;
        assert_eq!(refused.error(), (502, "UPSTREAM_FAILED".to_owned()));
    }
}

#[tokio::test]
async fn the_console_shows_the_requests_of_the_api_with_the_reason() {
    let (_dev, printed) = start(&[], &[]);
    let token = token(&printed).await;
    let idp = address(&printed, "console");
    let modified = lines(&printed, "curl ")[1];
    assert_eq!(curl(modified, &token).await.status, 401);
    let api = address(&printed, "API");
    let missing = client().post(format!("{api}/api/generate?secret=1"));
    let request = missing.bearer_auth(&token);
    let request = request.header("content-type", "application/json");
    assert_eq!(send(request.body(r#"{"prompt": "x"}"#)).await.status, 409);

    let events = client().get(format!("{idp}/admin/events"));
    let mut events = events.send().await.unwrap();
    let mut text = String::new();
    while text.matches("event: request").count() < 2 || !text.ends_with("\n\n") {
        let chunk = events.chunk().await.unwrap().expect("an event");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    let requests: Vec<serde_json::Value> = text
        .split("event: request\ndata: ")
        .skip(1)
        .map(|rest| serde_json::from_str(rest.lines().next().unwrap()).unwrap())
        .collect();
    let rejected = &requests[0];
    assert_eq!(
        (&rejected["route"], &rejected["status"]),
        (&"/protected".into(), &401.into())
    );
    assert_eq!(rejected["code"], "INVALID_SIGNATURE");
    assert_eq!(
        (&rejected["token_rejected"], &rejected["issuer"]),
        (&true.into(), &"dev".into())
    );
    let refused = &requests[1];
    assert_eq!(
        (&refused["code"], &refused["token_rejected"]),
        (&"API_KEY_MISSING".into(), &false.into())
    );
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("any text works as a key"),
        "the API uses the stand-in: {message}"
    );
    assert!(!text.contains("eyJ") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn the_documentation_page_requests_tokens_of_the_idp() {
    let (_dev, printed) = start(&[], &[]);
    let (api, idp) = (address(&printed, "API"), address(&printed, "console"));
    let page = get(&format!("{api}/docs/")).await;
    let url = format!("{idp}/admin/tokens");
    assert!(
        page.body.contains(&format!("content=\"{url}\"")),
        "{}",
        page.body
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains(&format!("connect-src 'self' {idp};")),
        "{policy}"
    );
    let request = client().post(&url).header("origin", api);
    let response = send(request).await;
    assert_eq!(response.headers["access-control-allow-origin"], api);
}
