//! A real gateway with its example's configuration, on a free port.

use std::{
    fs,
    io::{Read, Write, stderr},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Longer than any of them takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gateway {
    Nginx,
    Caddy,
    Envoy,
    Traefik,
}

/// One that listens. It is killed when it is dropped.
pub struct Running {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
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

    /// The example that a person copies.
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

    /// Its program. None: it is not installed, which has been said.
    pub fn program(self) -> Option<PathBuf> {
        static SAID: Mutex<Vec<Gateway>> = Mutex::new(Vec::new());
        let path = std::env::var_os("PATH").unwrap_or_default();
        // Where Debian has nginx, and only root looks.
        let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
        let found = folders
            .map(|folder| folder.join(self.name()))
            .find(|program| program.is_file());
        if found.is_none() {
            let all = std::env::var_os("BEARWARD_TEST_ALL").is_some_and(|value| value == "1");
            assert!(
                !all,
                "there is no {} here, and BEARWARD_TEST_ALL asks for it",
                self.name()
            );
            let mut said = SAID.lock().unwrap();
            if !said.contains(&self) {
                said.push(self);
                // Not by a macro, whose lines are seen only when a test fails.
                let line = format!("left out: there is no {} here\n", self.name());
                stderr().write_all(line.as_bytes()).unwrap();
            }
        }
        found
    }

    /// Runs the example with other addresses, and what `change` makes of it.
    pub fn start(
        self,
        program: &Path,
        bearward: SocketAddr,
        backend: SocketAddr,
        change: impl Fn(String) -> String,
    ) -> Running {
        let mut problem = String::new();
        // Between the choice of a port and its use another process may take it.
        for _ in 0..5 {
            let address = free_address();
            let text = change(self.configuration(address, bearward, backend));
            match self.run(program, address, &text) {
                Ok(running) => return running,
                Err(told) => problem = told,
            }
        }
        panic!("{} does not run: {problem}", self.name());
    }

    fn configuration(self, own: SocketAddr, bearward: SocketAddr, backend: SocketAddr) -> String {
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
        let mut places = vec![
            ports("8000", bearward.port()),
            ports("3000", backend.port()),
            ports("8080", own.port()),
        ];
        if self == Self::Caddy {
            places.push(("http://:8080".to_owned(), format!("http://:{}", own.port())));
        }
        for (from, to) in places {
            assert!(
                text.contains(&from),
                "{from:?} in the example of {}",
                self.name()
            );
            text = text.replace(&from, &to);
        }
        text
    }

    fn run(self, program: &Path, address: SocketAddr, text: &str) -> Result<Running, String> {
        let folder = tempfile::tempdir().unwrap();
        // nginx started by root works as somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (file, log) = (
            folder.path().join(self.example().file_name().unwrap()),
            folder.path().join("log"),
        );
        fs::write(&file, text).unwrap();
        let mut command = Command::new(program);
        match self {
            Self::Nginx => command
                .arg("-p")
                .arg(folder.path())
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
        let output = fs::File::create(&log).unwrap();
        command
            .env("HOME", folder.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_DATA_HOME");
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut running = Running {
            address,
            child,
            _folder: folder,
        };
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if running.child.try_wait().unwrap().is_some() {
                break;
            }
            if TcpStream::connect(address)
                .is_ok_and(|stream| self != Self::Traefik || has_routes(stream))
            {
                return Ok(running);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(fs::read_to_string(log).unwrap())
    }
}

/// Traefik listens before it has read the file, and answers 404 until then.
fn has_routes(mut stream: TcpStream) -> bool {
    let mut answer = String::new();
    let asked = stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .and_then(|()| stream.read_to_string(&mut answer));
    asked.is_ok() && !answer.starts_with("HTTP/1.0 404")
}

/// A gateway does not tell which port it took for 0. The port is below those that the system gives
/// for 0, or another server of the tests might have it a moment later and answer in the gateway's
/// place; and no port is given twice.
fn free_address() -> SocketAddr {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id()
            .wrapping_mul(61)
            .wrapping_add(GIVEN.fetch_add(1, Ordering::SeqCst));
        let port = 20_000 + u16::try_from(number % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return ([127, 0, 0, 1], port).into();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
