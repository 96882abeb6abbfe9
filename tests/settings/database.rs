//! The URL of the database: hosts, parameters, percent-encoding, whitespace.

use secrecy::ExposeSecret;

use super::{environment, error, folder};

fn servers(url: &str) -> Vec<String> {
    let config = environment(&[("DATABASE_URL", url)]).expect(url);
    config
        .database
        .servers
        .iter()
        .map(|url| url.expose_secret().to_owned())
        .collect()
}

#[test]
fn raw_characters_in_a_password_are_rejected_unseen() {
    for url in [
        "postgres://bear:hunter@2@db/app",
        "postgres://bear:12/hunter2@db/app",
        "postgres://bear:12?hunter2@db/app",
        "postgres://bear:12#hunter2@db/app",
        "postgres://bear:hunter2@p/w@db/app",
        "mysql://bear:hunter2?x=y@z@db/app",
        "postgres://bear:hunter2%zz@db/app",
        "postgres://bear:100%hunter2@db/app",
    ] {
        let message = error(environment(&[("DATABASE_URL", url)]));
        assert!(
            message.contains("percent-encode") && message.contains("DATABASE_URL"),
            "{url}: {message}"
        );
        for part in ["hunter", "12", "bear", "app"] {
            assert!(!message.replace("bearward", "").contains(part), "{message}");
        }
    }
}

#[test]
fn a_url_may_list_several_hosts() {
    assert_eq!(
        servers("postgres://u:p%40@h1,h2:5433,[::1]:5434/db?sslmode=require"),
        [
            "postgres://u:p%40@h1/db?sslmode=require",
            "postgres://u:p%40@h2:5433/db?sslmode=require",
            "postgres://u:p%40@[::1]:5434/db?sslmode=require",
        ]
    );
    assert_eq!(
        servers("mysql://h1,h2/db"),
        ["mysql://h1/db", "mysql://h2/db"]
    );
    assert_eq!(servers("sqlite://a,b.db"), ["sqlite://a,b.db"]);
}

#[test]
fn target_session_attrs_must_ask_for_a_writable_server() {
    assert_eq!(
        servers("postgres://h/db?target_session_attrs=read-write&sslmode=require"),
        ["postgres://h/db?sslmode=require"]
    );
    assert_eq!(
        servers("postgres://h/db?target_session_attrs=primary"),
        ["postgres://h/db"]
    );
    let message = error(environment(&[(
        "DATABASE_URL",
        "postgres://h/db?target_session_attrs=standby",
    )]));
    assert!(message.contains("read-write, primary or any"), "{message}");
}

#[test]
fn unknown_parameters_of_a_url_are_errors() {
    for (url, parameter) in [
        ("postgres://u:hunter2@h/db?sslmod=require", "\"sslmod\""),
        ("mysql://u:hunter2@h/db?sslrootcert=x", "\"sslrootcert\""),
        (
            "mysql://h/db?target_session_attrs=any",
            "\"target_session_attrs\"",
        ),
    ] {
        let message = error(environment(&[("DATABASE_URL", url)]));
        assert!(
            message.contains(parameter) && message.contains("the known ones are"),
            "{message}"
        );
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn whitespace_and_byte_order_marks_around_values_are_removed() {
    assert_eq!(servers("sqlite://x.db\r"), ["sqlite://x.db"]);
    assert_eq!(servers("\u{feff} postgres://h/db\n"), ["postgres://h/db"]);
    let dir = folder(&[("url", "\u{feff}postgres://u:p@h/db \r\n")]);
    let path = dir.path().join("url").display().to_string();
    let config = environment(&[("BEARWARD_DATABASE__URL_FILE", &path)]).expect("a valid file");
    assert_eq!(config.database.url.expose_secret(), "postgres://u:p@h/db");
    let config = environment(&[
        ("BEARWARD_DATABASE__MAX_CONNECTIONS", "7\r"),
        ("BEARWARD_RATE_LIMIT__ENABLED", "false\r"),
        ("BEARWARD_SERVER__CORS_ORIGINS", "https://a.example\r"),
    ])
    .expect("a valid configuration");
    assert_eq!(config.database.max_connections, 7);
    assert!(!config.rate_limit.enabled);
}

#[test]
fn control_characters_inside_a_url_are_named() {
    let message = error(environment(&[("DATABASE_URL", "sqlite://x\r.db")]));
    assert!(message.contains("\\u{d}"), "{message}");
}
