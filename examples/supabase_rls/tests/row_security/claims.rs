//! What policies see of the claims, and hostile claims.

use actix_web::ResponseError;
use bearward::postgres::Error;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::fixture::{Fixture, user_id};

const HOSTILE: [&str; 10] = [
    "'",
    "''; reset role; --",
    "\\'; reset role; --",
    "\\",
    "\\\\'",
    "$$; reset role; $$",
    "\"}'); reset role; select ('",
    "\u{1f600}\u{202e}\u{fffd}é",
    // The last byte is a backslash or a quote in other encodings.
    "\u{8868}\u{bf5c}",
    "\u{1}\t\r\n\u{7f}",
];

async fn scalar(connection: &mut PgConnection, sql: &'static str) -> Option<String> {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn policies_see_the_verified_payload() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    let token = fixture.token(7).claim("n", json!([1, {"a": null}]));
    let expected: Value = token.claims().clone().into();
    let user = fixture.principal_at("/a%20b/todos?secret=1", token).await;
    let mut tx = user.begin(&pool).await.unwrap();
    for (sql, expected) in [
        ("select auth.uid()::text", Some(user_id(7))),
        ("select auth.role()", Some("authenticated".to_owned())),
        (
            "select current_user::text",
            Some("authenticated".to_owned()),
        ),
        (
            "select session_user::text",
            Some("authenticator".to_owned()),
        ),
        (
            "select current_setting('request.method')",
            Some("GET".to_owned()),
        ),
        (
            "select current_setting('request.path')",
            Some("/a%20b/todos".to_owned()),
        ),
        ("select auth.jwt() ->> 'absent'", None),
    ] {
        assert_eq!(scalar(&mut tx, sql).await, expected, "{sql}");
    }
    let claims = scalar(&mut tx, "select auth.jwt()::text").await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&claims).unwrap(), expected);
}

/// Also in sessions whose settings change how SQL text is read.
#[tokio::test]
async fn hostile_claims_change_nothing() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.add_todos(2, 1);
    let session_settings = [
        "select 1",
        "set standard_conforming_strings = off",
        "set backslash_quote = on",
        "set client_encoding = 'SJIS'",
        "set client_encoding = 'GB18030'",
        "create schema evil; create function evil.set_config(text, text, boolean) returns text language sql as \
         $$ select 'evil' $$; create function evil.decode(text, text) returns bytea language sql as $$ select ''::bytea $$; \
         grant usage on schema evil to public",
    ];
    fixture.admin(
        "grant create on database :DBNAME to authenticator"
            .replace(":DBNAME", &fixture.database)
            .as_str(),
    );
    for setting in session_settings {
        let pool = fixture.pool(1);
        sqlx::raw_sql(setting).execute(&pool).await.unwrap();
        if setting.starts_with("create schema") {
            let evil_first = "set search_path = evil, public, pg_catalog";
            sqlx::raw_sql(evil_first).execute(&pool).await.unwrap();
        }
        for text in HOSTILE {
            let token = fixture
                .token(1)
                .claim("x", text)
                .claim(text, json!({text: [text]}));
            let mut tx = fixture.principal(token).await.begin(&pool).await.unwrap();
            let row: (String, Vec<u8>, i64) = sqlx::query_as(
                "select current_user::text, pg_catalog.convert_to(auth.jwt() ->> 'x', 'UTF8'), (select count(*) from todos)",
            )
            .fetch_one(&mut *tx)
            .await
            .unwrap();
            assert_eq!(
                row,
                ("authenticated".to_owned(), text.as_bytes().to_vec(), 1),
                "{setting}: {text:?}"
            );
            tx.commit().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_largest_token_is_accepted() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    let with = |length: usize| fixture.token(0).claim("x", "'\u{1f600}\\".repeat(length));
    let length = (1..2000)
        .rev()
        .find(|length| with(*length).sign().len() <= 8192)
        .unwrap();
    let user = fixture.principal(with(length)).await;
    let mut tx = user.begin(&pool).await.unwrap();
    let claim = scalar(&mut tx, "select auth.jwt() ->> 'x'").await;
    assert_eq!(claim.unwrap(), "'\u{1f600}\\".repeat(length));
}

#[tokio::test]
async fn nul_is_refused_before_a_statement_is_sent() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    for token in [
        fixture.token(0).claim("x", "a\0b"),
        fixture.token(0).claim("x\0", 1),
        fixture.token(0).claim("x", json!([{"y": "\0"}])),
    ] {
        let user = fixture.principal(token).await;
        let error = user.begin(&pool).await.unwrap_err();
        assert!(matches!(error, Error::UnsupportedClaims), "{error:?}");
        assert_eq!(error.status_code(), 403);
    }
    assert_eq!(pool.size(), 0, "no connection was opened");
    let text = fixture.token(0).claim("x", "\\u0000");
    let user = fixture.principal(text).await;
    user.begin(&pool).await.unwrap();
}
