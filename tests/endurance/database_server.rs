//! A PostgreSQL or MariaDB server of the test's own, which it may stop as it likes. Writes reach
//! the disk, as in production.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::{Signal, geteuid};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

use crate::{GUARD, left_out, serving::Process};

/// What the server's only user has for a password.
const PASSWORD: &str = "correct-horse";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
}

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It tells its clients.
    Orderly,
    /// It does not, and finds its journal when it starts again.
    Crash,
}

pub(crate) struct DatabaseServer {
    kind: Kind,
    folder: TempDir,
    port: u16,
    running: Option<Process>,
}

impl DatabaseServer {
    /// With its files, not yet started. None where it is not installed, which is said in one line.
    pub(crate) fn make(kind: Kind) -> Option<Self> {
        let (program, install) = match kind {
            Kind::Postgres => (postgres("postgres"), "apt-get install postgresql"),
            Kind::MariaDb => (
                existing(["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]),
                "apt-get install mariadb-server",
            ),
        };
        if program.is_none() {
            left_out(&format!("{kind:?} is not installed (Debian: {install})"));
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = port();
        let server = Self {
            kind,
            folder,
            port,
            running: None,
        };
        server.make_files();
        Some(server)
    }

    fn make_files(&self) {
        if let Some((user, group)) = self.user() {
            chown(self.folder.path(), Some(user), Some(group)).unwrap();
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
                let mut command = self.command(existing(["/usr/bin/mariadb-install-db"]).unwrap());
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

    /// Starts it, on the port that it always has.
    pub(crate) fn start(&mut self) {
        let data = self.path("data").display().to_string();
        let folder = self.folder.path().display().to_string();
        let port = self.port.to_string();
        let mut command = match self.kind {
            Kind::Postgres => self.command(postgres("postgres").unwrap()),
            Kind::MariaDb => {
                self.command(existing(["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]).unwrap())
            }
        };
        match self.kind {
            Kind::Postgres => command.args([
                "-D",
                &data,
                "-p",
                &port,
                "-k",
                &folder,
                "-c",
                "listen_addresses=127.0.0.1",
            ]),
            Kind::MariaDb => command.args([
                "--no-defaults".to_owned(),
                format!("--datadir={data}"),
                format!("--port={port}"),
                "--bind-address=127.0.0.1".to_owned(),
                "--skip-name-resolve".to_owned(),
                format!("--socket={folder}/socket"),
                format!("--pid-file={folder}/pid"),
                format!("--init-file={folder}/init.sql"),
            ]),
        };
        self.running = Some(Process::start(command));
    }

    /// Waits until it lets somebody in.
    pub(crate) async fn until_up(&mut self) {
        let since = Instant::now();
        let url = self.url(match self.kind {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mysql",
        });
        loop {
            match Database::connect(&url).await {
                Ok(database) => return database.close().await.unwrap(),
                Err(error) => {
                    let running = self.running.as_mut().expect("it was started");
                    assert!(
                        running.is_running() && since.elapsed() < GUARD,
                        "{error}:\n{}",
                        running.output()
                    );
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// A new database, and its URL.
    pub(crate) async fn create(&self, name: &str) -> String {
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

    /// Ends it, and waits until it is gone.
    pub(crate) async fn stop(&mut self, end: End) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        running.signal(match (self.kind, end) {
            // "Fast": it ends the sessions in place of waiting for them.
            (Kind::Postgres, End::Orderly) => Signal::INT,
            (Kind::Postgres, End::Crash) => Signal::QUIT,
            (Kind::MariaDb, End::Orderly) => Signal::TERM,
            (Kind::MariaDb, End::Crash) => Signal::KILL,
        });
        running.ended().await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As the user that the package has made for it: database servers refuse to run as root.
    fn command(&self, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path());
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

/// PostgreSQL's workers outlive a parent that is killed; this lets them go too.
impl Drop for DatabaseServer {
    fn drop(&mut self) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.signal(if self.kind == Kind::Postgres {
            Signal::QUIT
        } else {
            Signal::KILL
        });
        let since = Instant::now();
        while running.is_running() && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A program of the newest PostgreSQL.
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

/// A free port below those that the system gives to whoever asks for any: while the server is away,
/// nobody is to come by its port.
fn port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(15_000..32_000))
        .find(is_free)
        .expect("one of them is free")
}

fn existing<const N: usize>(paths: [&str; N]) -> Option<PathBuf> {
    paths
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}
