//! SQLite's file: whose it is, and what happens where it cannot grow or may not be written.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use bearward_testing::MockIdp;
use rustix::process::geteuid;

use crate::{
    database, left_out,
    load::rows,
    serving::{Process, Serving, serve},
};

fn mode(path: &Path) -> String {
    format!("{:o}", fs::metadata(path).unwrap().mode() & 0o777)
}

#[tokio::test]
async fn a_file_that_holds_addresses_is_its_owners_alone() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    let place = folder.path().join("var/lib/bearward");
    let server = Serving::start(
        &idp,
        &format!("sqlite://{}/rows%20of%20ours.db", place.display()),
    )
    .await;
    server.report(&idp.token().sign(), "web").await.expect(201);
    for made in ["var", "var/lib", "var/lib/bearward"] {
        assert_eq!(mode(&folder.path().join(made)), "700", "{made}");
    }
    for made in [
        "rows of ours.db",
        "rows of ours.db-wal",
        "rows of ours.db-shm",
    ] {
        assert_eq!(mode(&place.join(made)), "600", "{made}");
    }
}

#[tokio::test]
async fn what_is_there_keeps_the_mode_that_somebody_gave_it() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    let place = folder.path().join("data");
    fs::create_dir(&place).unwrap();
    let file = place.join("bearward.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let server = Serving::start(&idp, &format!("sqlite://{}", file.display())).await;
    server.report(&idp.token().sign(), "web").await.expect(201);
    assert_eq!(
        (mode(&place).as_str(), mode(&file).as_str()),
        ("750", "640")
    );
}

/// A limit on the size of files stands for the full disk: it needs no privilege, and can be lifted
/// while the server runs.
#[tokio::test]
async fn a_full_disk_is_503_for_writers_and_nothing_for_readers_until_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let (idp, database) = (
        MockIdp::start().await,
        format!("sqlite://{}/full.db", folder.path().display()),
    );
    let token = idp.token().sub("ada").sign();
    let limited = [
        "sh",
        "-c",
        "trap '' XFSZ; ulimit -S -f 400; exec \"$0\" \"$@\"",
    ];
    let mut server = Serving::of(serve(&limited, &idp, &database)).await;
    let name = "n".repeat(100);
    let mut kept = Vec::new();
    let refused = loop {
        let answer = server.report(&token, &name).await;
        if answer.status != 201 {
            break answer;
        }
        kept.push(answer.expect(201)["id"].as_str().unwrap().parse().unwrap());
        assert!(kept.len() < 20_000, "the limit does not hold");
    };
    refused.is_database_away();
    server.get("/api/auth/me", &token).await.expect(200);
    let page = server.get("/api/status?limit=1", &token).await.expect(200);
    assert_eq!(
        page["items"][0]["id"].as_str().unwrap(),
        kept.last().map(uuid::Uuid::to_string).unwrap()
    );
    assert!(server.process.is_running());

    let lifted = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &server.process.pid()])
        .status();
    assert!(lifted.unwrap().success());
    let made = server.report(&token, "room again").await.expect(201);
    kept.push(made["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(rows(&database).await, kept.into_iter().collect());
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (idp, file) = (MockIdp::start().await, folder.path().join("bearward.db"));
    let url = format!("sqlite://{}", file.display());
    drop(Serving::start(&idp, &url).await);
    assert!(database::number(&url, "SELECT COUNT(*) FROM seaql_migrations").await == 1);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    // To root, permissions mean nothing until it gives up the privilege.
    let privilege = "-dac_override,-dac_read_search";
    let without = [
        "setpriv",
        "--bounding-set",
        privilege,
        "--inh-caps",
        privilege,
    ];
    let before: &[&str] = if geteuid().is_root() { &without } else { &[] };
    if !before.is_empty()
        && !Command::new("setpriv")
            .args(&without[1..])
            .arg("true")
            .status()
            .is_ok_and(|status| status.success())
    {
        return left_out("root cannot give up its privileges here");
    }
    let mut server = Process::start(serve(before, &idp, &url));
    assert_eq!(server.ended().await.code(), Some(2), "{}", server.output());
    let told = server.until_told().await;
    assert!(
        told.contains("database.url") && told.contains("cannot make or write"),
        "{told}"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told_at_the_start() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    fs::write(folder.path().join("file"), "").unwrap();
    let url = format!("sqlite://{}/file/bearward.db", folder.path().display());
    let mut server = Process::start(serve(&[], &idp, &url));
    assert_eq!(server.ended().await.code(), Some(2));
    let told = server.until_told().await;
    assert!(
        told.contains("database.url") && told.contains("/file"),
        "{told}"
    );
}

#[tokio::test]
async fn a_database_in_memory_keeps_rows_and_makes_no_file() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    for url in ["sqlite::memory:", "sqlite://rows?mode=memory"] {
        let mut command = serve(&[], &idp, url);
        command.current_dir(folder.path());
        let (server, token) = (Serving::of(command).await, idp.token().sign());
        let made = server.report(&token, "web").await.expect(201);
        assert_eq!(
            server.get("/api/status", &token).await.expect(200)["items"][0],
            made,
            "{url}"
        );
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert!(files.is_empty(), "{url}: {files:?}");
    }
}
