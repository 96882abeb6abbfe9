//! A gateway process with the configuration of its example, on a free port.

use std::{
    fs,
    io::{Read, Write, stderr},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use test_support::{TEST_TIMEOUT, ports::free_address, process::TestProcess, run_all};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    Nginx,
    Caddy,
    Envoy,
    Traefik,
}

/// A listening gateway. It is killed on drop.
pub struct GatewayProcess {
    pub address: SocketAddr,
    _process: TestProcess,
    _directory: TempDir,
}

impl Gateway {
    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Envoy => "envoy",
            Self::Traefik => "traefik",
        }
    }

    /// Returns the path of the example configuration.
    fn example(self) -> PathBuf {
        let file = match self {
            Self::Nginx => "nginx.conf",
            Self::Caddy => "Caddyfile",
            Self::Envoy => "envoy.yaml",
            Self::Traefik => "dynamic.yaml",
        };
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("examples/forward_auth_{}", self.name()))
            .join(file)
    }

    /// Returns the path of the program. Prints a line and returns `None` if it is not installed.
    pub fn program(self) -> Option<PathBuf> {
        static REPORTED: Mutex<Vec<Gateway>> = Mutex::new(Vec::new());
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Debian installs nginx in /usr/sbin, which is only in root's PATH.
        let directories = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let found = directories
            .map(|directory| directory.join(self.name()))
            .find(|program| program.is_file());
        if found.is_none() {
            assert!(
                !run_all(),
                "{} is not installed, but BEARWARD_TEST_ALL=1",
                self.name()
            );
            let mut reported = REPORTED.lock().unwrap();
            if !reported.contains(&self) {
                reported.push(self);
                // Not with `eprintln!`: the test harness captures its output.
                let line = format!("skipped: {} is not installed\n", self.name());
                stderr().write_all(line.as_bytes()).unwrap();
            }
        }
        found
    }

    /// Runs the example with other addresses, modified by `change`.
    pub fn start(
        self,
        program: &Path,
        bearward: SocketAddr,
        backend: SocketAddr,
        change: impl Fn(String) -> String,
    ) -> GatewayProcess {
        let mut error = String::new();
        // Another process may take the port before the gateway binds it.
        for _ in 0..5 {
            let address = free_address();
            let text = change(self.configuration(address, bearward, backend));
            match self.run(program, address, &text) {
                Ok(running) => return running,
                Err(log) => error = log,
            }
        }
        panic!("{} does not start: {error}", self.name());
    }

    fn configuration(
        self,
        gateway: SocketAddr,
        bearward: SocketAddr,
        backend: SocketAddr,
    ) -> String {
        let mut text = fs::read_to_string(self.example()).unwrap();
        let ports = |name: &str, port: u16| match self {
            Self::Nginx | Self::Caddy | Self::Traefik => {
                (format!("127.0.0.1:{name}"), format!("127.0.0.1:{port}"))
            }
            Self::Envoy => (
                format!("port_value: {name} "),
                format!("port_value: {port} "),
            ),
        };
        let mut replacements = vec![
            ports("8000", bearward.port()),
            ports("3000", backend.port()),
            ports("8080", gateway.port()),
        ];
        if self == Self::Caddy {
            replacements.push((
                "http://:8080".to_owned(),
                format!("http://:{}", gateway.port()),
            ));
        }
        for (from, to) in replacements {
            assert!(
                text.contains(&from),
                "{from:?} in the example of {}",
                self.name()
            );
            text = text.replace(&from, &to);
        }
        text
    }

    fn run(
        self,
        program: &Path,
        address: SocketAddr,
        text: &str,
    ) -> Result<GatewayProcess, String> {
        let directory = tempfile::tempdir().unwrap();
        // nginx drops root privileges and must still be able to read the directory.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let file = directory.path().join(self.example().file_name().unwrap());
        fs::write(&file, text).unwrap();
        let mut command = Command::new(program);
        match self {
            Self::Nginx => command
                .arg("-p")
                .arg(directory.path())
                .arg("-c")
                .arg(&file)
                .args(["-g", "daemon off; master_process off;"]),
            Self::Caddy => command
                .args(["run", "--adapter", "caddyfile", "--config"])
                .arg(&file),
            Self::Envoy => command
                .args([
                    "--disable-hot-restart",
                    "--concurrency",
                    "1",
                    "-l",
                    "warning",
                    "-c",
                ])
                .arg(&file),
            Self::Traefik => command
                .args([
                    "--global.checkNewVersion=false",
                    &format!("--entryPoints.gateway.address={address}"),
                ])
                .arg(format!("--providers.file.filename={}", file.display())),
        };
        command
            .env("HOME", directory.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME");
        let mut process = TestProcess::start(command);
        let since = Instant::now();
        while process.is_running() && since.elapsed() < TEST_TIMEOUT {
            if TcpStream::connect(address)
                .is_ok_and(|stream| self != Self::Traefik || has_routes(stream))
            {
                return Ok(GatewayProcess {
                    address,
                    _process: process,
                    _directory: directory,
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(process.output())
    }
}

/// Traefik listens before it has loaded the configuration, and returns 404 until then.
fn has_routes(mut stream: TcpStream) -> bool {
    let mut response = String::new();
    let result = stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .and_then(|()| stream.read_to_string(&mut response));
    result.is_ok() && !response.starts_with("HTTP/1.0 404")
}
