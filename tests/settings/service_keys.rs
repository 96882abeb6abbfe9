//! `[service_keys.NAME]`: the digests, scopes and expiry of services.

use bearward::{NewServiceKey, ServiceKey, Timestamp};
use insta::assert_snapshot;

use super::{environment, error, file, folder};

const DIGEST: &str = "c85debb55f2f204d868cc1552c42faa143b4c675f61363ab040dd50b5b5304cd";

fn only(config: &bearward_server::settings::Config) -> &ServiceKey {
    let [service] = config.service_keys.as_slice() else {
        panic!("one service: {config:?}")
    };
    service
}

#[test]
fn a_service_has_digests_scopes_and_an_expiry() {
    let other = NewServiceKey::generate().sha256();
    let config = file(&format!(
        "[service_keys.cron]\nsha256 = ['{DIGEST}', '{other}']\nscopes = ['a', 'b:c']\nexpires = '2027-01-31'"
    ))
    .expect("a valid service");
    let service = only(&config);
    assert_eq!(service.name(), "cron");
    assert_eq!(
        service.key_ids().collect::<Vec<_>>(),
        [&DIGEST[..8], &other[..8]]
    );
    assert_eq!(service.scopes().collect::<Vec<_>>(), ["a", "b:c"]);
    assert_eq!(
        service.expires_at(),
        Some(Timestamp::from_unix(1_801_353_600))
    );
}

#[test]
fn scopes_and_expiry_may_be_missing() {
    for text in [
        format!("sha256 = '{DIGEST}'"),
        format!("sha256 = ['{DIGEST}']\nscopes = []\nexpires = ''"),
    ] {
        let config = file(&format!("[service_keys.cron]\n{text}")).expect("a valid service");
        let service = only(&config);
        assert_eq!((service.scopes().count(), service.expires_at()), (0, None));
    }
    assert_eq!(file("").expect("no service").service_keys, []);
}

#[test]
fn variables_and_a_file_set_a_service() {
    let other = NewServiceKey::generate().sha256();
    let dir = folder(&[("digests", &format!("{DIGEST}\n{other}\r\n"))]);
    let path = dir.path().join("digests").display().to_string();
    let config = environment(&[
        ("BEARWARD_SERVICE_KEYS__CRON__SHA256_FILE", &path),
        ("BEARWARD_SERVICE_KEYS__CRON__SCOPES", "a,b"),
        (
            "BEARWARD_SERVICE_KEYS__CRON__EXPIRES",
            "2027-01-31T12:00:00Z",
        ),
    ])
    .expect("a valid service");
    let service = only(&config);
    assert_eq!(service.key_ids().count(), 2);
    assert_eq!(service.scopes().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(
        service.expires_at(),
        Some(Timestamp::from_unix(1_801_396_800))
    );
}

#[test]
fn errors_name_the_key_and_never_show_a_pasted_service_key() {
    let key = NewServiceKey::generate();
    let key = key.expose();
    let message = error(file(&format!(
        "[service_keys.cron]\nsha256 = ['{DIGEST}', '{key}']\nscopes = ['a\"b']\nexpires = 'soon'"
    )));
    assert!(!message.contains(key), "{message}");
    assert_snapshot!(message, @r#"
    the configuration has 3 problems:
      service_keys.cron.sha256 in config/default.toml: digest number 2: a digest must have 64 hexadecimal digits; `bearward keys new` prints the digest of a new key, and `printf %s "$KEY" | sha256sum` that of another one
      service_keys.cron.scopes in config/default.toml: found ["a\"b"]; invalid scope "a\"b": use visible ASCII characters without quotes and backslashes
      service_keys.cron.expires in config/default.toml: found "soon"; write a day such as "2027-01-31", from whose start in UTC the keys are rejected, or a time such as "2027-01-31T12:00:00Z"
    "#);
    let message = error(file(&format!(
        "[service_keys.cron]\nsha256 = '{key}'\nscope = '{key}'"
    )));
    assert!(
        !message.contains(key) && message.contains("service_keys.cron.scope"),
        "{message}"
    );
    assert_snapshot!(error(file("[service_keys.cron]\nscopes = ['a']")), @r#"
    the configuration has a problem:
      service_keys.cron.sha256 is missing ([service_keys.cron] is in config/default.toml): write the SHA-256 digest of the key; `bearward keys new NAME` creates a key and prints its digest
    "#);
    assert_snapshot!(error(file(&format!("[service_keys.my-cron]\nsha256 = '{DIGEST}'"))), @r#"
    the configuration has a problem:
      service_keys.my-cron: the name of a service may contain only lower-case letters, digits and _, and not be "none", because it is part of variable and metric names
    "#);
}
