//! `bearward serve` with TLS, and clients of it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use bearward_testing::MockIdp;
use tempfile::TempDir;
use test_support::{
    TEST_TIMEOUT,
    certificates::{Authority, CertificateFiles, IssuedCertificate},
    process::TestProcess,
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::test_server::serve;

pub(crate) struct TlsServer {
    pub(crate) process: TestProcess,
    pub(crate) address: SocketAddr,
    pub(crate) idp: MockIdp,
    pub(crate) authority: Authority,
    pub(crate) certificate: IssuedCertificate,
    pub(crate) files: CertificateFiles,
    pub(crate) folder: TempDir,
}

impl TlsServer {
    /// Starts a server with an ECDSA certificate and these variables.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let authority = Authority::new();
        let certificate = authority.server();
        Self::start_with(authority, certificate, variables).await
    }

    pub(crate) async fn start_with(
        authority: Authority,
        certificate: IssuedCertificate,
        variables: &[(&str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(folder.path().join("ca.pem"), &authority.pem).unwrap();
        let files = certificate.write(folder.path(), "server");
        let idp = MockIdp::start().await;
        let database = format!("sqlite://{}/bearward.db", folder.path().display());
        let mut command = serve(&[], &idp, &database);
        command
            .env("BEARWARD_SERVER__TLS__CERT_FILE", &files.cert)
            .env("BEARWARD_SERVER__TLS__KEY_FILE", &files.key)
            .env("RUST_LOG", "info")
            .envs(variables.iter().copied());
        let mut process = TestProcess::start(command);
        let output = process.wait_for_output("address=").await;
        let address = output.split("address=").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap().parse().unwrap();
        Self {
            process,
            address,
            idp,
            authority,
            certificate,
            files,
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }

    /// Runs curl with these arguments for `/protected`. Returns the status, or the exit code of curl
    /// as a negative number, and the body.
    pub(crate) fn curl(&self, arguments: &[&str]) -> (i32, String) {
        let ca = self.path("ca.pem");
        let url = self.url("/protected");
        let output = run(
            "curl",
            &[
                &[
                    "-sS",
                    "--noproxy",
                    "*",
                    "-w",
                    "\n%{http_code}",
                    "--cacert",
                    ca.to_str().unwrap(),
                ],
                arguments,
                &[&url],
            ]
            .concat(),
        );
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
        if output.status.success() {
            (status.parse().unwrap(), body.to_owned())
        } else {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            (-output.status.code().unwrap_or(1), error)
        }
    }

    /// Returns a client configuration that trusts the authority, with or without a certificate.
    pub(crate) fn client_config(&self, client: Option<&IssuedCertificate>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match client {
            Some(client) => builder
                .with_client_auth_cert(
                    vec![client.der.clone().into()],
                    PrivateKeyDer::from_pem_slice(client.key_pem.as_bytes()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        }
    }

    /// Opens a TLS connection and completes the handshake.
    pub(crate) fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let config = Arc::new(self.client_config(None));
        let mut session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut socket).unwrap();
        }
        StreamOwned::new(session, socket)
    }

    /// Returns the certificate that a new connection gets.
    pub(crate) fn served_certificate(&self) -> Vec<u8> {
        let stream = self.connect();
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

/// Sends a request on an open connection and returns the status line.
pub(crate) fn exchange(stream: &mut (impl Read + Write)) -> String {
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut response = Vec::new();
    let mut buffer = [0; 4096];
    while !response.ends_with(b"\r\n\r\nok\n") {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "closed: {}", String::from_utf8_lossy(&response));
        response.extend_from_slice(&buffer[..length]);
    }
    let text = String::from_utf8_lossy(&response);
    text.lines().next().unwrap_or_default().to_owned()
}

/// Runs a program without standard input.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Returns whether a program is installed, and prints a line if not.
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_installed =
        std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file());
    if !is_installed {
        test_support::print_skipped(&format!("{program} is not installed"));
    }
    is_installed
}
