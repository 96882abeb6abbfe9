//! TLS on the command line: `dev --https`, `check`, `health` and `explain --client-certificate`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Instant};

use bearward_testing::MockIdp;
use reqwest::Certificate;
use tempfile::TempDir;
use test_support::{
    TEST_TIMEOUT,
    certificates::{Authority, CertificateFiles, IssuedCertificate},
    http::{client_builder, send},
    process::{Signal, TestProcess},
};

use crate::{CommandOutput, bearward, dev::address, run};

/// Starts `bearward dev --https` in this folder, and returns it with its output.
fn dev(folder: &Path) -> (TestProcess, String) {
    let arguments = [
        "dev",
        "--https",
        "--bind",
        "127.0.0.1:0",
        "--idp-bind",
        "127.0.0.1:0",
    ];
    let mut command = bearward(&arguments, &[]);
    command.current_dir(folder);
    let dev = TestProcess::start(command);
    dev.line("Ctrl-C stops both");
    let printed = dev.output();
    (dev, printed)
}

#[test]
fn the_printed_commands_of_dev_work_with_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let (dev, printed) = dev(folder.path());
    assert!(printed.contains("API      https://127.0.0.1:"), "{printed}");
    assert!(
        printed.contains("trust    .bearward/https/ca.pem"),
        "{printed}"
    );
    let commands: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("export TOKEN=") || line.starts_with("curl "))
        .collect();
    assert_eq!(commands.len(), 3, "{printed}");
    assert!(
        commands[1].contains("--cacert .bearward/https/ca.pem https://127.0.0.1:"),
        "{printed}"
    );
    if !test_support::has_curl() {
        return;
    }
    let shell = |script: &str| {
        let output = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .env("no_proxy", "*")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let output = shell(&commands.join("\n"));
    let statuses: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split("HTTP/1.1 ").nth(1)?.get(..3))
        .collect();
    assert_eq!(statuses, ["200", "401"], "{output}");
    // The certificate is for the other name of this machine too, and for nothing else.
    let by_name = commands[1].replace("127.0.0.1:", "localhost:");
    assert!(shell(&by_name).contains("HTTP/1.1 401"), "{by_name}");
    let port = commands[1].split("https://127.0.0.1:").nth(1).unwrap();
    let port = port.split('/').next().unwrap();
    let other_name = format!(
        "curl -s --cacert .bearward/https/ca.pem --resolve example.com:{port}:127.0.0.1 https://example.com:{port}/livez; echo exit=$?"
    );
    assert_eq!(shell(&other_name), "exit=60\n");

    let https = folder.path().join(".bearward/https");
    let files = ["ca.pem", "cert.pem", "key.pem"];
    for file in files {
        let mode = fs::metadata(https.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(
        fs::read_dir(&https).unwrap().count(),
        3,
        "the key of the authority is not stored"
    );
    let before = files.map(|file| fs::read(https.join(file)).unwrap());
    dev.stop(Signal::TERM);
    let (again, _) = self::dev(folder.path());
    assert_eq!(
        files.map(|file| fs::read(https.join(file)).unwrap()),
        before,
        "kept"
    );
    again.stop(Signal::TERM);
    // A file that is not usable is replaced together with the others.
    fs::write(https.join("cert.pem"), "").unwrap();
    let (_dev, _) = self::dev(folder.path());
    assert_ne!(fs::read(https.join("ca.pem")).unwrap(), before[0]);
}

#[tokio::test]
async fn a_sign_out_at_the_idp_takes_effect_on_the_api_over_https() {
    let folder = tempfile::tempdir().unwrap();
    let (_dev, printed) = dev(folder.path());
    let (idp, api) = (address(&printed, "console"), address(&printed, "API"));
    let authority = fs::read(folder.path().join(".bearward/https/ca.pem")).unwrap();
    let client = client_builder()
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
        .build()
        .unwrap();
    let sign_up = client
        .post(format!("{idp}/auth/v1/signup"))
        .header("content-type", "application/json")
        .body(r#"{"email": "ada@example.com", "password": "correct horse"}"#);
    let session = send(sign_up).await.expect(200);
    let token = session["access_token"].as_str().unwrap();
    let protected = || client.get(format!("{api}/protected")).bearer_auth(token);
    assert_eq!(send(protected()).await.status, 200);

    let sign_out = client.post(format!("{idp}/auth/v1/logout"));
    send(sign_out.bearer_auth(token)).await.expect(204);
    let since = Instant::now();
    loop {
        let response = send(protected()).await;
        if response.status == 401 {
            assert_eq!(response.error(), (401, "TOKEN_REVOKED".to_owned()));
            break;
        }
        assert!(since.elapsed() < TEST_TIMEOUT, "{response:?}");
    }
}

/// A folder with certificates, and an issuer for `check`.
struct Fixture {
    folder: TempDir,
    authority: Authority,
    idp: MockIdp,
}

impl Fixture {
    async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
            idp: MockIdp::start().await,
        }
    }

    fn write(&self, certificate: &IssuedCertificate) -> CertificateFiles {
        certificate.write(self.folder.path(), "server")
    }

    /// Runs a command with these TLS files and variables.
    async fn run(
        &self,
        arguments: &[&str],
        files: &CertificateFiles,
        variables: &[(&str, &str)],
    ) -> CommandOutput {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let base = [
            ("SUPABASE_URL", self.idp.base()),
            ("DATABASE_URL", "sqlite::memory:".to_owned()),
            (
                "BEARWARD_SERVER__TLS__CERT_FILE",
                files.cert.display().to_string(),
            ),
            (
                "BEARWARD_SERVER__TLS__KEY_FILE",
                files.key.display().to_string(),
            ),
        ];
        let variables: Vec<(String, String)> = base
            .into_iter()
            .chain(
                variables
                    .iter()
                    .map(|&(name, value)| (name, value.to_owned())),
            )
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let variables: Vec<(&str, &str)> = variables
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            run(&arguments, &variables)
        })
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn check_reports_the_certificate() {
    let fixture = Fixture::new().await;
    let files = fixture.write(&fixture.authority.server());
    let sound = fixture.run(&["check"], &files, &[]).await;
    sound.expect(
        0,
        &[
            "tls certificate until ",
            "(99 days)",
            "no intermediate certificate",
        ],
    );
    let json = fixture.run(&["check", "--json"], &files, &[]).await;
    json.expect(0, &["\"tls\": {", "\"certificates\": 1"]);

    let files = fixture.write(&fixture.authority.server_until(time::Duration::days(13)));
    fixture
        .run(&["check"], &files, &[])
        .await
        .expect(0, &["certificate expires soon", "(12 days)"]);

    let files = fixture.write(&fixture.authority.server_until(time::Duration::days(-1)));
    fixture
        .run(&["check"], &files, &[])
        .await
        .expect(1, &["CERTIFICATE EXPIRED", "not valid: 1 problem"]);

    let clients = fixture.folder.path().join("clients.pem");
    fs::write(&clients, &fixture.authority.pem).unwrap();
    let chain = fixture.authority.server();
    let files = fixture.write(&IssuedCertificate {
        pem: format!("{}{}", chain.pem, fixture.authority.pem),
        ..chain
    });
    let mutual = [
        ("BEARWARD_SERVER__TLS__CLIENT_AUTH", "optional"),
        (
            "BEARWARD_SERVER__TLS__CLIENT_CA_FILE",
            clients.to_str().unwrap(),
        ),
    ];
    let output = fixture.run(&["check"], &files, &mutual).await;
    output.expect(0, &["client certificates optional"]);
    assert!(!output.stdout.contains("intermediate"), "{output:?}");
}

#[tokio::test]
async fn check_and_serve_refuse_the_same_files() {
    let fixture = Fixture::new().await;
    let [one, other] = [fixture.authority.server(), fixture.authority.server()];
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let half = &one.pem[..one.pem.len() / 2];
    for (cert, key, problem) in [
        (
            one.pem.as_str(),
            other.key_pem.as_str(),
            "is not the private key of the first certificate",
        ),
        (one.pem.as_str(), encrypted, "the private key is encrypted"),
        (one.pem.as_str(), one.pem.as_str(), "no private key in PEM"),
        (
            one.key_pem.as_str(),
            one.key_pem.as_str(),
            "no certificate in PEM",
        ),
        (
            half,
            one.key_pem.as_str(),
            "the PEM is malformed or incomplete",
        ),
    ] {
        let files = fixture.write(&IssuedCertificate {
            pem: cert.to_owned(),
            key_pem: key.to_owned(),
            der: Vec::new(),
        });
        for command in ["check", "serve"] {
            let output = fixture.run(&[command], &files, &[]).await;
            output.expect(2, &[problem, "server.tls."]);
            let text = format!("{}{}", output.stdout, output.stderr);
            assert!(!text.contains(&one.key_pem[40..80]), "{text}");
        }
    }
    let files = fixture.write(&one);
    fs::remove_file(&files.key).unwrap();
    for command in ["check", "serve"] {
        let output = fixture.run(&[command], &files, &[]).await;
        output.expect(2, &["server.tls.key_file", "No such file"]);
    }
    let files = fixture.write(&one);
    let mutual = [
        ("BEARWARD_SERVER__TLS__CLIENT_AUTH", "required"),
        ("BEARWARD_SERVER__TLS__CLIENT_CA_FILE", "missing.pem"),
    ];
    for command in ["check", "serve"] {
        let output = fixture.run(&[command], &files, &mutual).await;
        output.expect(2, &["server.tls.client_ca_file missing.pem"]);
    }
}

#[tokio::test]
async fn health_probes_a_server_with_tls() {
    let fixture = Fixture::new().await;
    let files = fixture.write(&fixture.authority.server());
    for client_auth in ["off", "optional", "required"] {
        let port = test_support::ports::free_address().port().to_string();
        let bind = format!("127.0.0.1:{port}");
        let ca = if client_auth == "off" { "" } else { "*" };
        let tls = [
            ("BEARWARD_SERVER__BIND", bind.as_str()),
            ("BEARWARD_SERVER__TLS__CLIENT_AUTH", client_auth),
            ("BEARWARD_SERVER__TLS__CLIENT_CA_FILE", ca),
        ];
        let output = fixture.run(&["health"], &files, &tls).await;
        output.expect(1, &["https://127.0.0.1:", "no server is listening there"]);
        let base = fixture.idp.base();
        let (cert, key) = (
            files.cert.display().to_string(),
            files.key.display().to_string(),
        );
        let variables = [
            ("SUPABASE_URL", base.as_str()),
            ("DATABASE_URL", "sqlite::memory:"),
            ("BEARWARD_SERVER__TLS__CERT_FILE", &cert),
            ("BEARWARD_SERVER__TLS__KEY_FILE", &key),
        ];
        let mut server = TestProcess::start(bearward(&["serve"], &[&variables[..], &tls].concat()));
        server.wait_for_output(" serves").await;
        let output = fixture.run(&["health"], &files, &tls).await;
        output.expect(0, &[]);
        // An explicit URL is verified like any other.
        let url = format!("https://{bind}");
        fixture
            .run(&["health", &url], &files, &tls)
            .await
            .expect(1, &[]);
    }
}

#[tokio::test]
async fn explain_compares_the_client_certificate() {
    let fixture = Fixture::new().await;
    let files = fixture.write(&fixture.authority.server());
    let client = fixture.authority.client("orders");
    let own = client.write(fixture.folder.path(), "own").cert;
    let other = fixture
        .authority
        .client("other")
        .write(fixture.folder.path(), "other")
        .cert;
    let token = fixture.idp.token().bound_to_certificate(&client.der).sign();
    let with = |path: &Path| {
        [
            "--client-certificate".to_owned(),
            path.display().to_string(),
        ]
    };
    for (certificate, code, texts) in [
        (None, 1, ["possession", "send it over mutual TLS"]),
        (Some(with(&other)), 1, ["possession", "another certificate"]),
        (Some(with(&own)), 0, ["possession", "accepted"]),
        (
            Some(with(&files.key)),
            2,
            ["--client-certificate", "no certificate in PEM"],
        ),
    ] {
        let mut arguments = vec!["explain", &token];
        if let Some(certificate) = &certificate {
            arguments.extend(certificate.iter().map(String::as_str));
        }
        let output = fixture.run(&arguments, &files, &[]).await;
        output.expect(code, &texts);
        output.assert_hides_signature(&token);
    }
}
