//! A private PostgreSQL server, `PgBouncer` in transaction mode, and a proxy that counts round trips.
//!
//! Each process ends with the test binary, also if that is killed.

use std::{
    fs,
    net::TcpStream,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

use crate::{TEST_TIMEOUT, ports::free_address, print_skipped};

/// Runs a command in the directory `$0`. When the standard input closes, which the end of the test
/// binary causes, it ends the command with the signal `$1` and removes the directory.
const WATCHDOG: &str = r#"cd "$0"; signal=$1; shift; "$@" & pid=$!; cat >/dev/null; kill "-$signal" $pid; wait $pid; cd /; rm -rf "$0""#;

/// A PostgreSQL server on a free port of 127.0.0.1. Every role can log in without a password; the
/// superuser is `admin`.
pub struct PostgresServer {
    port: u16,
    programs: PathBuf,
    _process: Process,
}

/// `PgBouncer` in transaction mode.
pub struct PgBouncer {
    port: u16,
    _process: Process,
}

/// A child process with its directory.
struct Process(Child);

impl Process {
    /// Starts a command in a directory, which it takes over, as the system user `postgres` if the
    /// tests run as root. Waits until the port accepts connections.
    fn start(directory: TempDir, signal: &str, command: &[&str], port: u16) -> Self {
        let directory = directory.keep();
        let child = command_as_postgres("sh")
            .args(["-c", WATCHDOG])
            .arg(&directory)
            .arg(signal)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < TEST_TIMEOUT, "{command:?} does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl PostgresServer {
    /// Starts a server. Returns `None` and prints a line if PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            print_skipped("PostgreSQL is not installed (Debian: apt-get install postgresql)");
            return None;
        };
        let directory = directory();
        let data = directory.path().join("data");
        run(command_as_postgres(programs.join("initdb"))
            .args([
                "-U",
                "admin",
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
                "-D",
            ])
            .arg(&data));
        let port = free_address().port();
        let program = programs.join("postgres");
        let listen = format!("--port={port}");
        let command = [
            path(&program),
            "-D",
            path(&data),
            &listen,
            "--listen_addresses=127.0.0.1",
            "--unix_socket_directories=",
            "--fsync=off",
            "--max_connections=200",
        ];
        let server = Self {
            port,
            // Immediate shutdown.
            _process: Process::start(directory, "QUIT", &command, port),
            programs,
        };
        let since = Instant::now();
        while !server
            .client("pg_isready")
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            assert!(since.elapsed() < TEST_TIMEOUT);
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Runs SQL as the superuser and returns the rows, without headers.
    pub fn execute(&self, database: &str, sql: &str) -> String {
        run(self
            .client("psql")
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                database,
            ])
            .args(["-c", sql]))
    }

    /// Runs a file as the superuser.
    pub fn execute_file(&self, database: &str, file: &Path) {
        run(self
            .client("psql")
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"])
            .arg(file));
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts `PgBouncer` in transaction mode before this server, with this many server connections.
    /// Returns `None` and prints a line if it is not installed.
    pub fn start_pgbouncer(&self, connections: usize) -> Option<PgBouncer> {
        let Some(program) = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
            .into_iter()
            .find(|program| Path::new(program).exists())
        else {
            print_skipped("PgBouncer is not installed (Debian: apt-get install pgbouncer)");
            return None;
        };
        let directory = directory();
        let port = free_address().port();
        let users = directory.path().join("users.txt");
        let roles = ["authenticator", "bearward_sessions"].map(|role| format!("\"{role}\" \"\"\n"));
        fs::write(&users, roles.concat()).unwrap();
        let file = directory.path().join("pgbouncer.ini");
        let configuration = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = {connections}\n\
             max_client_conn = 200\nignore_startup_parameters = extra_float_digits\n",
            self.port,
            users.display(),
        );
        fs::write(&file, configuration).unwrap();
        let command = [program, path(&file)];
        Some(PgBouncer {
            port,
            _process: Process::start(directory, "TERM", &command, port),
        })
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", "admin", "-p"]);
        command.arg(self.port.to_string());
        command
    }
}

impl PgBouncer {
    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Forwards connections to a server. Counts round trips and can hold the server's responses back.
pub struct CountingProxy {
    port: u16,
    round_trips: watch::Sender<u64>,
    holds: watch::Sender<bool>,
}

impl CountingProxy {
    /// Starts a proxy before a port of 127.0.0.1.
    pub async fn start(server: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            round_trips: watch::Sender::new(0),
            holds: watch::Sender::new(false),
        };
        let (round_trips, holds) = (proxy.round_trips.clone(), proxy.holds.clone());
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = tokio::net::TcpStream::connect(("127.0.0.1", server)).await;
                let (round_trips, holds) = (round_trips.clone(), holds.subscribe());
                tokio::spawn(forward(client, server.unwrap(), round_trips, holds));
            }
        });
        proxy
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns how often a client has sent something and then waited for the server.
    pub fn round_trips(&self) -> u64 {
        *self.round_trips.borrow()
    }

    /// Holds the server's responses back, or forwards them.
    pub fn hold_responses(&self, hold: bool) {
        self.holds.send_replace(hold);
    }

    /// Waits until a client has begun more round trips than this.
    pub async fn sent_after(&self, round_trips: u64) {
        let mut counter = self.round_trips.subscribe();
        counter
            .wait_for(|count| *count > round_trips)
            .await
            .unwrap();
    }
}

/// Forwards one connection in both directions. A round trip begins when the client sends first or
/// after the server.
async fn forward(
    client: tokio::net::TcpStream,
    server: tokio::net::TcpStream,
    round_trips: watch::Sender<u64>,
    mut holds: watch::Receiver<bool>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut is_waiting = false;
    let (mut sent, mut received) = ([0; 16384], [0; 16384]);
    loop {
        tokio::select! {
            biased;
            length = from_client.read(&mut sent) => {
                let Ok(length @ 1..) = length else { return };
                if to_server.write_all(&sent[..length]).await.is_err() {
                    return;
                }
                if !is_waiting {
                    is_waiting = true;
                    round_trips.send_modify(|count| *count += 1);
                }
            }
            length = async {
                let _ = holds.wait_for(|hold| !hold).await;
                from_server.read(&mut received).await
            } => {
                let Ok(length @ 1..) = length else { return };
                is_waiting = false;
                if to_client.write_all(&received[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Returns a directory that belongs to the system user of the servers.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    if let Some((user, group)) = postgres_user() {
        chown(directory.path(), Some(user), Some(group)).unwrap();
    }
    directory
}

/// Runs a command and returns its output.
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

/// Returns the directory of the programs of the newest installed PostgreSQL.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let newest = versions
        .filter_map(|version| version.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()?;
    let programs = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    programs.join("postgres").exists().then_some(programs)
}

/// Returns a command that runs as the package's system user: PostgreSQL refuses to run as root.
fn command_as_postgres(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    if let Some((user, group)) = postgres_user() {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}

/// Returns the ids of the system user `postgres`; `None` if the tests do not run as root.
fn postgres_user() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user = users.lines().find(|line| line.starts_with("postgres:"))?;
    let fields: Vec<&str> = user.split(':').collect();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}
