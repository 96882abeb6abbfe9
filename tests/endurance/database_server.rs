//! A private PostgreSQL or MariaDB server that a test can stop and start. Writes are synced to disk,
//! as in production.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Signal, geteuid};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use test_support::{TEST_TIMEOUT, ports::free_address, process::TestProcess};

use crate::print_skipped;

/// Password of the server's only user.
pub(crate) const PASSWORD: &str = "correct-horse";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// It closes its clients' sessions.
    Graceful,
    /// It is killed, and recovers from its journal at the next start.
    Crash,
}

pub(crate) struct TestDatabaseServer {
    kind: Kind,
    directory: TempDir,
    port: u16,
    process: Option<TestProcess>,
}

impl TestDatabaseServer {
    /// Creates the data files without starting the server. Returns `None` and prints a line if it is
    /// not installed.
    pub(crate) fn create(kind: Kind) -> Option<Self> {
        let (program, install) = match kind {
            Kind::Postgres => (postgres("postgres"), "apt-get install postgresql"),
            Kind::MariaDb => (
                first_existing(["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]),
                "apt-get install mariadb-server",
            ),
        };
        if program.is_none() {
            print_skipped(&format!("{kind:?} is not installed (Debian: {install})"));
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let port = free_address().port();
        let server = Self {
            kind,
            directory,
            port,
            process: None,
        };
        server.create_files();
        Some(server)
    }

    fn create_files(&self) {
        if let Some((user, group)) = self.user() {
            chown(self.directory.path(), Some(user), Some(group)).unwrap();
        }
        let mut command = match self.kind {
            Kind::Postgres => {
                let password = self.path("password");
                fs::write(&password, PASSWORD).unwrap();
                let mut command = self.command(postgres("initdb").unwrap());
                command
                    .args([
                        "-U",
                        "bearward",
                        "--auth=scram-sha-256",
                        "--no-sync",
                        "--pwfile",
                    ])
                    .arg(password);
                command.arg("-D").arg(self.path("data"));
                command
            }
            Kind::MariaDb => {
                let grant = format!(
                    "CREATE USER IF NOT EXISTS bearward@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO bearward@'127.0.0.1';\n"
                );
                fs::write(self.path("init.sql"), grant).unwrap();
                let mut command =
                    self.command(first_existing(["/usr/bin/mariadb-install-db"]).unwrap());
                command.args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ]);
                command.arg(format!("--datadir={}", self.path("data").display()));
                command
            }
        };
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Starts the server, always on the same port.
    pub(crate) fn start(&mut self) {
        let data = self.path("data").display().to_string();
        let directory = self.directory.path().display().to_string();
        let port = self.port.to_string();
        let mut command = match self.kind {
            Kind::Postgres => self.command(postgres("postgres").unwrap()),
            Kind::MariaDb => {
                self.command(first_existing(["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]).unwrap())
            }
        };
        match self.kind {
            Kind::Postgres => command.args([
                "-D",
                &data,
                "-p",
                &port,
                "-k",
                &directory,
                "-c",
                "listen_addresses=127.0.0.1",
            ]),
            Kind::MariaDb => command.args([
                "--no-defaults".to_owned(),
                format!("--datadir={data}"),
                format!("--port={port}"),
                "--bind-address=127.0.0.1".to_owned(),
                "--skip-name-resolve".to_owned(),
                format!("--socket={directory}/socket"),
                format!("--pid-file={directory}/pid"),
                format!("--init-file={directory}/init.sql"),
            ]),
        };
        self.process = Some(TestProcess::start(command));
    }

    /// Waits until the server accepts connections.
    pub(crate) async fn wait_until_ready(&mut self) {
        let since = Instant::now();
        let url = self.url(match self.kind {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mysql",
        });
        loop {
            match Database::connect(&url).await {
                Ok(database) => return database.close().await.unwrap(),
                Err(error) => {
                    let process = self.process.as_mut().expect("the server was started");
                    assert!(
                        process.is_running() && since.elapsed() < TEST_TIMEOUT,
                        "{error}:\n{}",
                        process.output()
                    );
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Creates a database and returns its URL.
    pub(crate) async fn create_database(&self, name: &str) -> String {
        let admin = Database::connect(self.url(match self.kind {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mysql",
        }));
        let admin = admin.await.unwrap();
        admin
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        admin.close().await.unwrap();
        self.url(name)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns a command that runs in the server's directory, as its system user.
    pub(crate) fn command_beside(&self, program: PathBuf) -> Command {
        self.command(program)
    }

    /// Writes a file that the server's system user can read, and returns its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Offers TLS with a self-signed certificate. PostgreSQL only.
    pub(crate) async fn enable_tls(&self) {
        let (key, certificate) = (self.path("tls.key"), self.path("tls.crt"));
        let output = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            ])
            .args(["-subj", "/CN=localhost", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(output.status.success());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((user, group)) = self.user() {
            chown(&key, Some(user), Some(group)).unwrap();
        }
        let admin = Database::connect(self.url("postgres")).await.unwrap();
        for statement in [
            format!("ALTER SYSTEM SET ssl_key_file = '{}'", key.display()),
            format!(
                "ALTER SYSTEM SET ssl_cert_file = '{}'",
                certificate.display()
            ),
            "ALTER SYSTEM SET ssl = on".to_owned(),
            "SELECT pg_reload_conf()".to_owned(),
        ] {
            admin.execute_unprepared(&statement).await.unwrap();
        }
        admin.close().await.unwrap();
    }

    pub(crate) fn url(&self, name: &str) -> String {
        self.url_with(PASSWORD, name)
    }

    pub(crate) fn url_with(&self, password: &str, name: &str) -> String {
        let scheme = match self.kind {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mysql",
        };
        format!(
            "{scheme}://bearward:{password}@127.0.0.1:{}/{name}",
            self.port
        )
    }

    /// Stops the server and waits for its exit.
    pub(crate) async fn stop(&mut self, shutdown: Shutdown) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        process.signal(match (self.kind, shutdown) {
            // "Fast" shutdown: ends sessions instead of waiting for them.
            (Kind::Postgres, Shutdown::Graceful) => Signal::INT,
            (Kind::Postgres, Shutdown::Crash) => Signal::QUIT,
            (Kind::MariaDb, Shutdown::Graceful) => Signal::TERM,
            (Kind::MariaDb, Shutdown::Crash) => Signal::KILL,
        });
        process.wait().await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs as the package's system user: database servers refuse to run as root.
    fn command(&self, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.directory.path())
            .env("HOME", self.directory.path());
        if let Some((user, group)) = self.user() {
            command.uid(user).gid(group);
        }
        command
    }

    fn user(&self) -> Option<(u32, u32)> {
        let name = match self.kind {
            Kind::Postgres => "postgres:",
            Kind::MariaDb => "mysql:",
        };
        if !geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let fields: Vec<&str> = users
            .lines()
            .find(|line| line.starts_with(name))?
            .split(':')
            .collect();
        Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    }
}

/// Stops PostgreSQL with SIGQUIT: its workers would survive if the parent were killed.
impl Drop for TestDatabaseServer {
    fn drop(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        process.signal(if self.kind == Kind::Postgres {
            Signal::QUIT
        } else {
            Signal::KILL
        });
        let since = Instant::now();
        while process.is_running() && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Returns the path of a program of the newest installed PostgreSQL.
fn postgres(program: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|version| version.ok()?.file_name().into_string().ok());
    let newest = versions
        .filter_map(|version| version.parse::<u32>().ok())
        .max()?;
    Some(PathBuf::from(format!(
        "/usr/lib/postgresql/{newest}/bin/{program}"
    )))
    .filter(|path| path.exists())
}

pub(crate) fn first_existing<const N: usize>(paths: [&str; N]) -> Option<PathBuf> {
    paths
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}
