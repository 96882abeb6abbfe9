//! `bearward backup` and `bearward restore`: no acknowledged row is lost, and nothing but a sound
//! backup replaces a database.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bearward_testing::MockIdp;
use test_support::{
    database::{connect, query_number},
    http::{client, send},
    process::{Signal, TestProcess},
};

use crate::{CommandOutput, bearward, run, run_with};

const VAULT_KEYS: &str = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A directory with the database of a server.
struct Fixture {
    folder: tempfile::TempDir,
    idp: MockIdp,
}

/// A running server on the database of a fixture.
struct Server {
    process: TestProcess,
    user: User,
}

/// A user of a running server.
#[derive(Clone)]
struct User {
    api: String,
    token: String,
}

impl Fixture {
    async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            idp: MockIdp::start().await,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> PathBuf {
        self.path("bearward.db")
    }

    fn serve(&self) -> Server {
        let base = self.idp.base();
        let mut command = bearward(
            &["serve", "--bind", "127.0.0.1:0"],
            &[
                ("SUPABASE_URL", base.as_str()),
                ("BEARWARD_VAULT__KEYS", VAULT_KEYS),
                ("BEARWARD_RATE_LIMIT__ENABLED", "false"),
            ],
        );
        command.current_dir(self.folder.path());
        let process = TestProcess::start(command);
        let line = process.line("address=");
        let address = line.split("address=").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap();
        Server {
            user: User {
                api: format!("http://{address}"),
                token: self.idp.token().sub("ada").sign(),
            },
            process,
        }
    }

    /// Runs the command in the directory.
    fn run(&self, arguments: &[&str]) -> CommandOutput {
        run_with(arguments, &[], "", self.folder.path())
    }

    /// Starts a server, stores an API key and this number of rows, and stops it.
    async fn with_rows(self, rows: usize) -> Self {
        let server = self.serve();
        server.user.store_api_key().await;
        for row in 0..rows {
            server.user.create_row(row).await;
        }
        let (status, ..) = server.process.stop(Signal::TERM);
        assert!(status.success());
        self
    }

    /// Asserts that restoring fails and leaves the database as it is.
    fn assert_refuses(&self, backup: &str, texts: &[&str]) {
        let before = fs::read(self.database()).unwrap();
        self.run(&["restore", backup]).expect(1, texts);
        assert_eq!(fs::read(self.database()).unwrap(), before, "{backup}");
        let names = fs::read_dir(self.folder.path()).unwrap();
        for name in names.map(|entry| entry.unwrap().file_name()) {
            let name = name.to_str().unwrap();
            assert!(
                !name.contains("restoring") && !name.contains("replaced"),
                "{name}"
            );
        }
    }
}

impl User {
    /// Creates a status check and waits for the response.
    async fn create_row(&self, number: usize) {
        let request = client()
            .post(format!("{}/api/status", self.api))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(format!(r#"{{"client_name":"row {number}"}}"#));
        let response = send(request).await;
        assert_eq!(response.status, 201, "{response:?}");
    }

    async fn store_api_key(&self) {
        let request = client()
            .post(format!("{}/api/user/api-keys", self.api))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .body(r#"{"togetherAI":"sk-0123456789abcdef"}"#);
        let response = send(request).await;
        assert!(response.status < 300, "{response:?}");
    }
}

async fn rows(database: &Path) -> i64 {
    let url = format!("sqlite://{}", database.display());
    query_number(&url, "SELECT count(*) FROM status_checks").await
}

async fn execute(database: &Path, sql: &str) {
    use sea_orm::ConnectionTrait as _;
    let url = format!("sqlite://{}", database.display());
    let connection = connect(&url).await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_every_row_acknowledged_before_it_began() {
    let fixture = Fixture::new().await;
    let server = fixture.serve();
    server.user.store_api_key().await;
    let (written, stop) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let user = server.user.clone();
            let (written, stop) = (Arc::clone(&written), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    user.create_row(0).await;
                    written.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    while written.load(Ordering::SeqCst) < 50 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for number in 0..5 {
        let acknowledged = written.load(Ordering::SeqCst);
        let name = format!("backup-{number}.db");
        let output = tokio::task::block_in_place(|| fixture.run(&["backup", &name]));
        output.expect(0, &["1 account,", "1 API key to", "vault keys k1"]);
        let backup = fixture.path(&name);
        let mode = fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let saved = rows(&backup).await;
        assert!(
            usize::try_from(saved).unwrap() >= acknowledged,
            "{saved} rows of {acknowledged}"
        );
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_never_overwrites_a_file() {
    let fixture = Fixture::new().await.with_rows(1).await;
    fs::write(fixture.path("notes.txt"), "mine").unwrap();
    for name in ["notes.txt", "bearward.db"] {
        let before = fs::read(fixture.path(name)).unwrap();
        fixture.run(&["backup", name]).expect(1, &[name, "exists"]);
        assert_eq!(fs::read(fixture.path(name)).unwrap(), before);
    }
    fixture
        .run(&["backup", "missing/backup.db"])
        .expect(1, &["missing does not exist"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_ignores_a_stale_write_ahead_log() {
    let fixture = Fixture::new().await.with_rows(3).await;
    fixture
        .run(&["backup", "backup.db"])
        .expect(0, &["3 status checks"]);
    // A killed server leaves its write-ahead log.
    let server = fixture.serve();
    for row in 0..5 {
        server.user.create_row(row).await;
    }
    server.process.stop(Signal::KILL);
    let log = fixture.path("bearward.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0);
    let output = fixture.run(&["restore", "backup.db"]);
    output.expect(
        0,
        &[
            "3 status checks",
            "the previous database is",
            "vault.keys lacks",
        ],
    );
    assert!(!log.exists());
    let mode = fs::metadata(fixture.database())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(rows(&fixture.database()).await, 3);
    // The previous database is complete.
    let line = output.stdout.lines().last().unwrap();
    let replaced = fixture.path(line.rsplit(' ').next().unwrap());
    assert_eq!(rows(&replaced).await, 8);
    fixture.with_rows(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_keeps_its_database() {
    let fixture = Fixture::new().await.with_rows(1).await;
    fixture.run(&["backup", "backup.db"]).expect(0, &[]);
    let server = fixture.serve();
    server.user.create_row(1).await;
    fixture.assert_refuses("backup.db", &["is in use", "stop the server"]);
    server.user.create_row(2).await;
    let (status, ..) = server.process.stop(Signal::TERM);
    assert!(status.success());
    assert_eq!(rows(&fixture.database()).await, 3);
    fixture.run(&["restore", "backup.db"]).expect(0, &[]);
    assert_eq!(rows(&fixture.database()).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_sound_backup_is_restored() {
    let fixture = Fixture::new().await.with_rows(50).await;
    fixture.run(&["backup", "good.db"]).expect(0, &[]);
    let good = fs::read(fixture.path("good.db")).unwrap();

    fixture.assert_refuses("absent.db", &["absent.db does not exist"]);
    fixture.assert_refuses("bearward.db", &["file of database.url"]);

    fs::write(fixture.path("empty.db"), "").unwrap();
    fixture.assert_refuses("empty.db", &["not a database of bearward"]);

    fs::write(fixture.path("wrong.db"), "x".repeat(10_000)).unwrap();
    fixture.assert_refuses("wrong.db", &["corrupt", "not an SQLite database"]);

    // The first page is complete and others are not.
    let mut corrupt = good.clone();
    corrupt[4096..].fill(0x5a);
    fs::write(fixture.path("corrupt.db"), &corrupt).unwrap();
    fixture.assert_refuses("corrupt.db", &["corrupt.db is corrupt"]);

    fs::write(fixture.path("short.db"), &good[..good.len() / 2]).unwrap();
    fixture.assert_refuses("short.db", &["short.db is corrupt"]);

    let url = format!("sqlite://{}?mode=rwc", fixture.path("foreign.db").display());
    {
        use sea_orm::ConnectionTrait as _;
        let connection = connect(&url).await;
        let create = connection.execute_unprepared("CREATE TABLE users (id INTEGER)");
        create.await.unwrap();
        connection.close().await.unwrap();
    }
    fixture.assert_refuses("foreign.db", &["not a database of bearward"]);

    fs::write(fixture.path("newer.db"), &good).unwrap();
    execute(
        &fixture.path("newer.db"),
        "INSERT INTO seaql_migrations VALUES ('m9999_future', 0)",
    )
    .await;
    fixture.assert_refuses("newer.db", &["newer bearward", "m9999_future"]);

    fs::remove_file(fixture.database()).unwrap();
    fixture
        .run(&["restore", "good.db"])
        .expect(0, &["50 status checks"]);
    assert_eq!(rows(&fixture.database()).await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_refuses_a_corrupt_file_and_names_the_remedy() {
    let fixture = Fixture::new().await.with_rows(50).await;
    let mut bytes = fs::read(fixture.database()).unwrap();
    bytes[4096..].fill(0x5a);
    fs::write(fixture.database(), &bytes).unwrap();
    let serve = ["serve", "--bind", "127.0.0.1:0"];
    let variables = [("SUPABASE_URL", "http://127.0.0.1:1")];
    let output = run_with(&serve, &variables, "", fixture.folder.path());
    output.expect(1, &["bearward.db", "is corrupt", "bearward restore FILE"]);
    run_with(&["check"], &variables, "", fixture.folder.path())
        .expect(1, &["is corrupt", "bearward restore FILE"]);
    // Nothing was written to it.
    assert_eq!(fs::read(fixture.database()).unwrap(), bytes);
    fs::write(fixture.database(), "x".repeat(10_000)).unwrap();
    run_with(&serve, &variables, "", fixture.folder.path())
        .expect(1, &["not an SQLite database", "bearward restore FILE"]);
}

#[test]
fn other_databases_have_their_own_tools() {
    let hidden = "hunter2";
    for (url, command, texts) in [
        (
            "postgres://bear:hunter2@127.0.0.1:1/app",
            "backup",
            &["pg_dump", "--schema=tenant"][..],
        ),
        (
            "postgres://bear:hunter2@127.0.0.1:1/app",
            "restore",
            &["pg_restore"],
        ),
        (
            "mysql://bear:hunter2@127.0.0.1:1/app",
            "backup",
            &[
                "mysqldump",
                "users status_checks api_keys revocations user_sessions seaql_migrations",
            ],
        ),
        (
            "mysql://bear:hunter2@127.0.0.1:1/app",
            "restore",
            &["mysql DATABASE < FILE"],
        ),
        ("sqlite::memory:", "backup", &["in-memory"]),
    ] {
        let variables = [
            ("DATABASE_URL", url),
            ("BEARWARD_DATABASE__SCHEMA", "tenant"),
        ];
        let output = run(&[command, "x.db"], &variables);
        output.expect(2, texts);
        assert!(!output.stderr.contains(hidden), "{output:?}");
    }
}
