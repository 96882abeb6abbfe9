//! The data file: what was answered is there after a restart.

use std::path::Path;

use bearward::Algorithm;
use bearward_idp::{AuthOptions, Idp, IdpError, Options};
use serde_json::json;

use super::{PASSWORD, post, refresh, refusal, sign_up, text, user};
use crate::http::{get, json as send_json, send};

fn options(data: &Path, address: &str, algorithm: Algorithm) -> Options {
    let auth = AuthOptions {
        data: Some(data.to_owned()),
        ..AuthOptions::default()
    };
    Options {
        address: address.parse().unwrap(),
        algorithm,
        auth,
        ..crate::options()
    }
}

/// At the same address as before: a token names its issuer.
fn restarted(idp: Idp, data: &Path) -> Idp {
    let address = idp.address().to_string();
    drop(idp);
    Idp::start(options(data, &address, Algorithm::RS256)).unwrap()
}

fn start(data: &Path) -> Idp {
    Idp::start(options(data, "127.0.0.1:0", Algorithm::RS256)).unwrap()
}

#[tokio::test]
async fn people_sessions_mails_and_keys_outlive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    let first = sign_up(&idp, "ada@example.com").await;
    let second = refresh(&idp, text(&first, "refresh_token")).await.json();
    post(&idp, "/recover", json!({ "email": "ada@example.com" })).await;
    let google = get(&idp, "/google/oauth2/v3/certs").await.json();

    let idp = restarted(idp, &file);
    assert_eq!(
        user(&idp, &second).await.json()["id"],
        first["user"]["id"],
        "the token's key is known"
    );
    assert_eq!(get(&idp, "/google/oauth2/v3/certs").await.json(), google);
    let credentials = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(
        post(&idp, "/token?grant_type=password", credentials)
            .await
            .status,
        200
    );
    assert_eq!(
        refresh(&idp, text(&second, "refresh_token")).await.status,
        200
    );
    let mail = get(&idp, "/.inbox").await.json()["mails"][0].clone();
    let link = text(&mail, "link")
        .strip_prefix(&idp.base())
        .unwrap()
        .to_owned();
    assert!(
        get(&idp, &link)
            .await
            .header("location")
            .unwrap()
            .contains("#access_token=")
    );

    let idp = restarted(idp, &file);
    assert!(
        get(&idp, &link)
            .await
            .header("location")
            .unwrap()
            .contains("otp_expired"),
        "a used link stays used"
    );
}

#[tokio::test]
async fn what_was_ended_stays_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    let session = sign_up(&idp, "ada@example.com").await;
    let bearer = format!("Bearer {}", text(&session, "access_token"));
    assert_eq!(
        send(
            &idp,
            "POST /auth/v1/logout",
            &[("authorization", &bearer)],
            ""
        )
        .await
        .status,
        204
    );
    let kid = get(&idp, "/admin/keys").await.json()["keys"][0]["kid"]
        .as_str()
        .unwrap()
        .to_owned();
    send_json(
        &idp,
        "POST /admin/keys/standby",
        r#"{"algorithm": "ES256"}"#,
    )
    .await;
    send_json(&idp, "POST /admin/keys/rotate", "{}").await;
    send_json(
        &idp,
        "POST /admin/keys/standby",
        r#"{"algorithm": "EdDSA"}"#,
    )
    .await;
    let before = get(&idp, "/admin/keys").await.json();
    let address = idp.address().to_string();
    drop(idp);

    let idp = Idp::start(options(&file, &address, Algorithm::ES256)).unwrap();
    assert_eq!(
        refusal(&refresh(&idp, text(&session, "refresh_token")).await),
        (400, "refresh_token_not_found".to_owned())
    );
    assert_eq!(
        get(&idp, "/admin/keys").await.json(),
        before,
        "each key in its state"
    );
    send(&idp, &format!("POST /admin/keys/{kid}/revoke"), &[], "").await;
    drop(idp);
    let idp = Idp::start(options(&file, &address, Algorithm::RS256)).unwrap();
    let keys = get(&idp, "/admin/keys").await.json();
    assert!(
        !keys.to_string().contains(&kid),
        "a revoked key stays revoked"
    );
    assert_eq!(
        keys["keys"][0]["algorithm"], "RS256",
        "another algorithm than before is a rotation"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    let idp = start(&file);
    sign_up(&idp, "ada@example.com").await;
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let bytes = std::fs::read(&file).unwrap();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        holds("ada@example.com") && holds("$argon2id$"),
        "what is looked for can be found"
    );
    assert!(!holds(PASSWORD), "a password is kept as its hash alone");
}

#[test]
fn a_file_that_is_none_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.db");
    std::fs::write(
        &file,
        "this is no database, but it is long enough to be looked at as one",
    )
    .unwrap();
    let nowhere = folder.path().join("no/such/folder/idp.db");
    for path in [&file, &nowhere] {
        let Err(error @ IdpError::Storage(_)) =
            Idp::start(options(path, "127.0.0.1:0", Algorithm::RS256))
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
fn a_site_that_is_no_address_is_refused_with_what_to_write() {
    for site in ["localhost:3000", "", "ftp://x", "javascript:alert(1)"] {
        let auth = AuthOptions {
            site_url: site.to_owned(),
            ..AuthOptions::default()
        };
        let Err(error @ IdpError::Site(_)) = Idp::start(Options {
            auth,
            ..crate::options()
        }) else {
            panic!("{site}")
        };
        assert!(
            error.to_string().contains("http://localhost:3000"),
            "{error}"
        );
    }
}
