//! `bearward serve` with the environment variables that platforms set.
use test_support::{
    http::{client, get, send},
    ports::free_address,
    process::{Signal, TestProcess},
};

use crate::{bearward, run};

/// Starts `bearward serve` with these arguments and variables, and returns it with its address.
fn start(arguments: &[&str], variables: &[(&str, &str)]) -> (TestProcess, String) {
    let arguments = [&["serve"], arguments].concat();
    let server = TestProcess::start(bearward(&arguments, variables));
    let line = server.line(" serves");
    let (_, rest) = line
        .split_once("address=")
        .or_else(|| line.split_once("\"address\":\""))
        .expect("an address");
    let address = rest
        .split([' ', '"'])
        .next()
        .expect("an address")
        .to_owned();
    (server, address)
}

/// Supabase Auth makes the links of its mails from `API_EXTERNAL_URL` and these paths, which replace
/// the path of that URL. The gateway forwards only what is below the path.
#[test]
fn links_in_mails_of_the_compose_file_pass_its_gateway() {
    let compose = include_str!("../../docker-compose.yml");
    let value = |name: &str| {
        let line = compose
            .lines()
            .find_map(|line| line.trim().strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name} is set"))
            .trim_start_matches(':')
            .trim()
    };
    let external: url::Url = value("API_EXTERNAL_URL").parse().unwrap();
    let gateway = include_str!("../../deploy/Caddyfile");
    assert!(gateway.contains(&format!("handle_path {}/* {{", external.path())));
    for mail in ["CONFIRMATION", "RECOVERY", "INVITE", "EMAIL_CHANGE"] {
        let path = value(&format!("GOTRUE_MAILER_URLPATHS_{mail}"));
        assert_eq!(path, format!("{}/verify", external.path()), "{mail}");
    }
}

/// Starts a server on a free port with these variables, and returns it with its URL.
fn serve(variables: &[(&str, &str)]) -> (TestProcess, String) {
    let variables = [&[("SUPABASE_URL", "http://127.0.0.1:1")], variables].concat();
    let (server, address) = start(&["--bind", "127.0.0.1:0"], &variables);
    (server, format!("http://{address}"))
}

/// The variables that the release image sets: those of its stages `base` and `release`.
fn image_variables() -> Vec<(&'static str, &'static str)> {
    let dockerfile = include_str!("../../Dockerfile");
    let mut stage = "";
    let mut variables = Vec::new();
    for line in dockerfile.lines() {
        if let Some((_, name)) = line
            .strip_prefix("FROM ")
            .and_then(|from| from.split_once(" AS "))
        {
            stage = name;
        } else if let Some(pairs) = line
            .strip_prefix("ENV ")
            .filter(|_| ["base", "release"].contains(&stage))
        {
            variables.extend(
                pairs
                    .split(' ')
                    .map(|pair| pair.split_once('=').expect("NAME=VALUE")),
            );
        }
    }
    assert!(
        variables
            .iter()
            .any(|(name, _)| *name == "BEARWARD_SERVER__BIND"),
        "{variables:?}"
    );
    variables
}

#[tokio::test]
async fn kubernetes_services_named_bearward_are_no_configuration() {
    let (server, api) = serve(&[
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("BEARWARD_SERVICE_HOST", "10.96.7.1"),
        ("BEARWARD_SERVICE_PORT", "8000"),
        ("BEARWARD_SERVICE_PORT_HTTP", "8000"),
        ("BEARWARD_PORT", "tcp://10.96.7.1:8000"),
        ("BEARWARD_PORT_8000_TCP", "tcp://10.96.7.1:8000"),
        ("BEARWARD_PORT_8000_TCP_PROTO", "tcp"),
        ("BEARWARD_PORT_8000_TCP_PORT", "8000"),
        ("BEARWARD_PORT_8000_TCP_ADDR", "10.96.7.1"),
    ]);
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let output = server.output();
    for prefix in ["BEARWARD_SERVICE", "BEARWARD_PORT"] {
        assert!(!output.contains(prefix), "{output}");
    }
}

/// The variables of `deploy/secrets.mjs` and of `examples/ci_pytest`, exported into the shell.
#[tokio::test]
async fn other_variables_with_the_prefix_are_no_configuration() {
    let (server, api) = serve(&[
        ("BEARWARD_IMAGE", "registry.example.com/bearward:1"),
        ("BEARWARD_DB_PASSWORD", "hunter2"),
        ("BEARWARD_VAULT_KEYS", "compose:c2VjcmV0"),
    ]);
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    let output = server.output();
    assert!(
        output.contains("warning: BEARWARD_VAULT_KEYS is not used"),
        "{output}"
    );
    for hidden in ["c2VjcmV0", "hunter2", "BEARWARD_IMAGE"] {
        assert!(!output.contains(hidden), "{output}");
    }
}

/// Cloud Run, Heroku, Render and Railway route to the port in `PORT`.
#[tokio::test]
async fn the_image_listens_on_the_port_of_the_platform() {
    let (folder, port) = (
        tempfile::tempdir().unwrap(),
        free_address().port().to_string(),
    );
    let database = format!("sqlite://{}", folder.path().join("rows.db").display());
    let mut variables = image_variables();
    variables.extend([
        ("PORT", port.as_str()),
        ("K_SERVICE", "bearward"),
        ("K_REVISION", "bearward-00001-abc"),
        ("K_CONFIGURATION", "bearward"),
        ("SUPABASE_URL", "http://127.0.0.1:1"),
        ("DATABASE_URL", &database),
    ]);
    let (server, address) = start(&[], &variables);
    assert_eq!(address, format!("0.0.0.0:{port}"));
    let live = get(&format!("http://127.0.0.1:{port}/livez")).await;
    assert_eq!(live.status, 200);
    // The health check of the image finds the port in the same way.
    let health = tokio::task::spawn_blocking(move || run(&["health"], &variables_of_health(&port)));
    health.await.unwrap().expect(0, &[]);
    drop(server);
}

fn variables_of_health(port: &str) -> Vec<(&'static str, &str)> {
    let mut variables = image_variables();
    variables.push(("PORT", port));
    variables
}

/// The variables that the Kubernetes manifest in deploy/README.md sets.
fn manifest_variables() -> Vec<(String, String)> {
    let readme = include_str!("../../deploy/README.md");
    let (_, section) = readme.split_once("## Kubernetes").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("another section");
    let variable = |line: &str| {
        let (_, entry) = line.split_once("- { name: ")?;
        let (name, value) = entry.split_once(", value: ")?;
        let (value, _) = value.split_once(" }")?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    section.lines().filter_map(variable).collect()
}

/// The manifest's variables with the files of its secret, in a working directory without files.
#[tokio::test]
async fn the_kubernetes_manifest_of_the_documentation_starts() {
    let folder = tempfile::tempdir().unwrap();
    let [port, metrics] = [(); 2].map(|()| free_address().port().to_string());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let database = format!("sqlite://{}\n", path("rows.db"));
    std::fs::write(path("database-url"), database).unwrap();
    let keys = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";
    std::fs::write(path("vault-keys"), keys).unwrap();
    let manifest: Vec<_> = manifest_variables()
        .into_iter()
        .map(|(name, value)| {
            let value = value
                .replace("/secrets/", &path(""))
                .replace("YOUR-PROJECT", "abcdefghijklmnopqrst")
                .replace("0.0.0.0:9000", &format!("127.0.0.1:{metrics}"));
            (name, value)
        })
        .collect();
    assert!(manifest.len() >= 6, "{manifest:?}");
    let mut variables = image_variables();
    let from_manifest = manifest.iter();
    variables.extend(from_manifest.map(|(name, value)| (name.as_str(), value.as_str())));
    variables.extend([
        ("PORT", port.as_str()),
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("BEARWARD_PORT", "tcp://10.96.7.1:80"),
    ]);
    let (server, address) = start(&[], &variables);
    assert_eq!(address, format!("0.0.0.0:{port}"));
    let live = get(&format!("http://127.0.0.1:{port}/livez")).await;
    assert_eq!(live.status, 200);
    let ready = get(&format!("http://127.0.0.1:{port}/readyz")).await;
    // The project of the example does not exist.
    assert_eq!(
        (ready.status, ready.code().as_str()),
        (503, "KEYS_UNAVAILABLE")
    );
    assert_eq!(
        get(&format!("http://127.0.0.1:{metrics}/metrics"))
            .await
            .status,
        200
    );
    assert_eq!(
        get(&format!("http://127.0.0.1:{port}/metrics"))
            .await
            .status,
        404
    );
    let (status, _, output) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "{output}");
    // The file wins over DATABASE_URL of the image.
    assert!(folder.path().join("rows.db").is_file(), "{output}");
}

/// A start command with a fixed port, as older descriptions of deployments have.
#[tokio::test]
async fn the_port_of_the_platform_overrides_the_flag() {
    let port = free_address().port().to_string();
    let variables = [
        ("SUPABASE_URL", "http://127.0.0.1:1"),
        ("PORT", port.as_str()),
    ];
    let (server, address) = start(&["--bind", "127.0.0.1:8000"], &variables);
    assert_eq!(address, format!("127.0.0.1:{port}"));
    let output = server.output();
    assert!(output.contains("PORT is set to"), "{output}");
}

/// A unit with `LoadCredential=vault.keys:…` and `StateDirectory=bearward`.
#[tokio::test]
async fn a_systemd_unit_passes_the_vault_key_as_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        path("vault.keys"),
        "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n",
    )
    .unwrap();
    let (keys, database) = (path("vault.keys"), format!("sqlite://{}", path("rows.db")));
    let (server, api) = serve(&[
        ("INVOCATION_ID", "5d1c3a1f0b6c4b0f8b1d2f3a4c5d6e7f"),
        ("JOURNAL_STREAM", "8:12345"),
        ("SYSTEMD_EXEC_PID", "4711"),
        ("CREDENTIALS_DIRECTORY", &path("")),
        ("STATE_DIRECTORY", &path("")),
        ("BEARWARD_VAULT__KEYS_FILE", &keys),
        ("DATABASE_URL", &database),
    ]);
    assert_eq!(get(&format!("{api}/livez")).await.status, 200);
    assert!(folder.path().join("rows.db").is_file());
    let (status, _, output) = server.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(!output.contains("vault.keys is empty"), "{output}");
}

#[tokio::test]
async fn serve_allows_no_browser_origin_by_default_but_dev_does() {
    let allowed = async |api: &str| {
        let request = client().get(format!("{api}/livez"));
        let response = send(request.header("origin", "http://localhost:3000")).await;
        response.headers.contains_key("access-control-allow-origin")
    };
    let (_server, api) = serve(&[]);
    assert!(!allowed(&api).await);
    let dev = TestProcess::start(bearward(
        &["dev", "--bind", "127.0.0.1:0", "--idp-bind", "127.0.0.1:0"],
        &[],
    ));
    let line = dev.line("API      http://");
    let api = line.split_whitespace().nth(1).expect("the URL");
    assert!(allowed(api).await);
}
