//! Persistence in the data file.

use std::path::Path;

use bearward::Algorithm;
use bearward_idp::{AuthOptions, Idp, IdpError, Options};
use serde_json::json;

use crate::fixture::{self, PASSWORD, TestIdp, text};

fn options_with_file(data: &Path, address: &str, algorithm: Algorithm) -> Options {
    let auth = AuthOptions {
        data: Some(data.to_owned()),
        ..fixture::auth_options()
    };
    Options {
        address: address.parse().unwrap(),
        algorithm,
        auth,
        ..fixture::options()
    }
}

/// Restarts at the same address, because tokens contain the issuer.
pub(super) fn restart(idp: TestIdp, data: &Path) -> TestIdp {
    let address = idp.address().to_string();
    drop(idp);
    TestIdp::with_options(options_with_file(data, &address, Algorithm::RS256))
}

pub(super) fn start(data: &Path) -> TestIdp {
    TestIdp::with_options(options_with_file(data, "127.0.0.1:0", Algorithm::RS256))
}

#[tokio::test]
async fn users_sessions_mails_and_keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    let first = idp.sign_up("ada@example.com").await;
    let second = idp.refresh(text(&first, "refresh_token")).await.json();
    idp.auth_post("/recover", json!({ "email": "ada@example.com" }))
        .await;
    let google = idp.get("/google/oauth2/v3/certs").await.json();

    let idp = restart(idp, &file);
    assert_eq!(
        idp.user(&second).await.json()["id"],
        first["user"]["id"],
        "the signing key is restored"
    );
    assert_eq!(idp.get("/google/oauth2/v3/certs").await.json(), google);
    let credentials = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(
        idp.auth_post("/token?grant_type=password", credentials)
            .await
            .status,
        200
    );
    assert_eq!(
        idp.refresh(text(&second, "refresh_token")).await.status,
        200
    );
    let mail = idp.get("/.inbox").await.json()["mails"][0].clone();
    let link = text(&mail, "link")
        .strip_prefix(&idp.base())
        .unwrap()
        .to_owned();
    assert!(
        idp.get(&link)
            .await
            .header("location")
            .unwrap()
            .contains("#access_token=")
    );

    let idp = restart(idp, &file);
    assert!(
        idp.get(&link)
            .await
            .header("location")
            .unwrap()
            .contains("otp_expired"),
        "a used link is still rejected"
    );
}

#[tokio::test]
async fn revocations_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    let session = idp.sign_up("ada@example.com").await;
    let bearer = format!("Bearer {}", text(&session, "access_token"));
    assert_eq!(
        idp.send("POST /auth/v1/logout", &[("authorization", &bearer)], "")
            .await
            .status,
        204
    );
    let kid = idp.get("/admin/keys").await.json()["keys"][0]["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    idp.send_json("POST /admin/keys/standby", r#"{"algorithm": "ES256"}"#)
        .await;
    idp.send_json("POST /admin/keys/rotate", "{}").await;
    idp.send_json("POST /admin/keys/standby", r#"{"algorithm": "EdDSA"}"#)
        .await;
    let before = idp.get("/admin/keys").await.json();
    let address = idp.address().to_string();
    drop(idp);

    let idp = TestIdp::with_options(options_with_file(&file, &address, Algorithm::ES256));
    assert_eq!(
        idp.refresh(text(&session, "refresh_token"))
            .await
            .auth_error(),
        (400, "refresh_token_not_found".to_owned())
    );
    assert_eq!(
        idp.get("/admin/keys").await.json(),
        before,
        "each key keeps its state"
    );
    idp.send(&format!("POST /admin/keys/{kid}/revoke"), &[], "")
        .await;
    drop(idp);
    let idp = TestIdp::with_options(options_with_file(&file, &address, Algorithm::RS256));
    let keys = idp.get("/admin/keys").await.json();
    assert!(
        !keys.to_string().contains(&kid),
        "a revoked key is still revoked"
    );
    assert_eq!(
        keys["keys"][0]["algorithm"], "RS256",
        "a different algorithm causes a rotation"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn file_mode_is_0600_and_passwords_are_hashed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    idp.sign_up("ada@example.com").await;
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let bytes = std::fs::read(&file).unwrap();
    let contains = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        contains("ada@example.com") && contains("$argon2id$"),
        "the search finds stored values"
    );
    assert!(!contains(PASSWORD), "only the hash of a password is stored");
}

#[test]
fn invalid_file_is_rejected_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    std::fs::write(
        &file,
        "not a database, but long enough to be opened as one by SQLite",
    )
    .unwrap();
    let nowhere = folder.path().join("no/such/folder/idp.db");
    for path in [&file, &nowhere] {
        let Err(error @ IdpError::Storage(_)) =
            Idp::start(options_with_file(path, "127.0.0.1:0", Algorithm::RS256))
        else {
            panic!()
        };
        assert!(
            error.to_string().contains(&path.display().to_string()),
            "{error}"
        );
    }
}

#[test]
fn invalid_site_url_is_rejected_with_an_example() {
    for site in ["localhost:3000", "", "ftp://x", "javascript:alert(1)"] {
        let auth = AuthOptions {
            site_url: site.to_owned(),
            ..fixture::auth_options()
        };
        let Err(error @ IdpError::InvalidSiteUrl(_)) = Idp::start(Options {
            auth,
            ..fixture::options()
        }) else {
            panic!("{site}")
        };
        assert!(
            error.to_string().contains("http://localhost:3000"),
            "{error}"
        );
    }
}
