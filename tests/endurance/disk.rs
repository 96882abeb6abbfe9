//! The SQLite file: permissions, full disk, read-only file.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use bearward_server::store::MIGRATION_COUNT;
use bearward_testing::MockIdp;
use rustix::process::geteuid;
use test_support::{database, process::TestProcess};

use crate::{
    load::rows,
    print_skipped,
    test_server::{ResponseExt, TestServer, serve, wait_for_status},
};

fn mode(path: &Path) -> String {
    format!("{:o}", fs::metadata(path).unwrap().mode() & 0o777)
}

#[tokio::test]
async fn sqlite_files_are_private_to_the_user() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    let directory = folder.path().join("var/lib/bearward");
    let server = TestServer::start(
        &idp,
        &format!("sqlite://{}/user%20data.db", directory.display()),
    )
    .await;
    server
        .post_status_check(&idp.token().sign(), "web")
        .await
        .expect(201);
    for path in ["var", "var/lib", "var/lib/bearward"] {
        assert_eq!(mode(&folder.path().join(path)), "700", "{path}");
    }
    for path in ["user data.db", "user data.db-wal", "user data.db-shm"] {
        assert_eq!(mode(&directory.join(path)), "600", "{path}");
    }
}

#[tokio::test]
async fn existing_files_keep_their_mode() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    let directory = folder.path().join("data");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("bearward.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o750)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let server = TestServer::start(&idp, &format!("sqlite://{}", file.display())).await;
    server
        .post_status_check(&idp.token().sign(), "web")
        .await
        .expect(201);
    assert_eq!(
        (mode(&directory).as_str(), mode(&file).as_str()),
        ("750", "640")
    );
}

/// A file size limit simulates the full disk: it needs no privileges and can be lifted while the
/// server runs.
#[tokio::test]
async fn full_disk_fails_writes_with_503_until_it_has_space() {
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
    let mut server = TestServer::spawn(serve(&limited, &idp, &database)).await;
    let name = "n".repeat(100);
    let mut acknowledged = Vec::new();
    let rejected = loop {
        let response = server.post_status_check(&token, &name).await;
        if response.status != 201 {
            break response;
        }
        acknowledged.push(
            response.expect(201)["id"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap(),
        );
        assert!(
            acknowledged.len() < 20_000,
            "the size limit is not enforced"
        );
    };
    rejected.assert_database_unavailable();
    wait_for_status(&server.api, "/readyz", 503)
        .await
        .assert_database_unavailable();
    let health = server.get("/health", "").await.expect(200);
    assert_eq!(health["database"], "read_only", "{health}");
    assert_eq!(server.get("/readyz?check=keys", "").await.status, 200);
    server.get("/api/auth/me", &token).await.expect(200);
    let page = server.get("/api/status?limit=1", &token).await.expect(200);
    assert_eq!(
        page["items"][0]["id"].as_str().unwrap(),
        acknowledged.last().map(uuid::Uuid::to_string).unwrap()
    );
    assert!(server.process.is_running());

    let lift = Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &server.process.pid()])
        .status();
    assert!(lift.unwrap().success());
    let created = server
        .post_status_check(&token, "after the limit")
        .await
        .expect(201);
    acknowledged.push(created["id"].as_str().unwrap().parse().unwrap());
    wait_for_status(&server.api, "/readyz", 200).await;
    assert_eq!(rows(&database).await, acknowledged.into_iter().collect());
}

#[tokio::test]
async fn removed_file_refuses_writes_and_readiness() {
    let folder = tempfile::tempdir().unwrap();
    let (idp, file) = (MockIdp::start().await, folder.path().join("bearward.db"));
    let token = idp.token().sub("ada").sign();
    let mut server = TestServer::start(&idp, &format!("sqlite://{}", file.display())).await;
    server.post_status_check(&token, "web").await.expect(201);
    let moved = folder.path().join("moved.db");
    for is_replaced in [false, true] {
        fs::rename(&file, &moved).unwrap();
        if is_replaced {
            fs::write(&file, "").unwrap();
        }
        server
            .post_status_check(&token, "lost")
            .await
            .assert_database_unavailable();
        wait_for_status(&server.api, "/readyz", 503)
            .await
            .assert_database_unavailable();
        fs::rename(&moved, &file).unwrap();
        wait_for_status(&server.api, "/readyz", 200).await;
        server.post_status_check(&token, "kept").await.expect(201);
    }
    let output = server.process.output();
    assert!(
        output.contains("ERROR") && output.contains("removed or replaced"),
        "{output}"
    );
    fs::remove_file(&file).unwrap();
    // Noticed without a request.
    let since = output.len();
    loop {
        if server.process.output()[since..].contains("removed or replaced") {
            break;
        }
        assert!(server.process.is_running());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn read_only_file_fails_at_startup() {
    let folder = tempfile::tempdir().unwrap();
    let (idp, file) = (MockIdp::start().await, folder.path().join("bearward.db"));
    let url = format!("sqlite://{}", file.display());
    drop(TestServer::start(&idp, &url).await);
    let applied = database::query_number(&url, "SELECT COUNT(*) FROM seaql_migrations").await;
    assert_eq!(usize::try_from(applied), Ok(MIGRATION_COUNT));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    // Root ignores permissions unless it drops these capabilities.
    let capabilities = "-dac_override,-dac_read_search";
    let drop_capabilities = [
        "setpriv",
        "--bounding-set",
        capabilities,
        "--inh-caps",
        capabilities,
    ];
    let wrapper: &[&str] = if geteuid().is_root() {
        &drop_capabilities
    } else {
        &[]
    };
    if !wrapper.is_empty()
        && !Command::new("setpriv")
            .args(&drop_capabilities[1..])
            .arg("true")
            .status()
            .is_ok_and(|status| status.success())
    {
        return print_skipped("root cannot drop its capabilities here");
    }
    let mut server = TestProcess::start(serve(wrapper, &idp, &url));
    assert_eq!(server.wait().await.code(), Some(2), "{}", server.output());
    let output = server.final_output().await;
    assert!(
        output.contains("database.url") && output.contains("cannot create or write"),
        "{output}"
    );
}

#[tokio::test]
async fn directory_that_cannot_be_created_fails_at_startup() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    fs::write(folder.path().join("file"), "").unwrap();
    let url = format!("sqlite://{}/file/bearward.db", folder.path().display());
    let mut server = TestProcess::start(serve(&[], &idp, &url));
    assert_eq!(server.wait().await.code(), Some(2));
    let output = server.final_output().await;
    assert!(
        output.contains("database.url") && output.contains("/file"),
        "{output}"
    );
}

#[tokio::test]
async fn in_memory_database_creates_no_file() {
    let (idp, folder) = (MockIdp::start().await, tempfile::tempdir().unwrap());
    for url in ["sqlite::memory:", "sqlite://rows?mode=memory"] {
        let mut command = serve(&[], &idp, url);
        command.current_dir(folder.path());
        let (server, token) = (TestServer::spawn(command).await, idp.token().sign());
        let created = server.post_status_check(&token, "web").await.expect(201);
        assert_eq!(
            server.get("/api/status", &token).await.expect(200)["items"][0],
            created,
            "{url}"
        );
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert!(files.is_empty(), "{url}: {files:?}");
    }
}
