//! Responses of handlers that return the error.

use std::time::Duration;

use actix_web::{
    ResponseError,
    body::MessageBody,
    http::header::{CACHE_CONTROL, RETRY_AFTER},
};
use bearward::postgres::Error;
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;

use crate::fixture::Fixture;

/// Returns the status, the code, and whether there is a `Retry-After`. Requires that the response
/// reveals nothing about the database.
fn response(error: &Error) -> (u16, String, bool) {
    let response = error.error_response();
    assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "no-store");
    let (status, retry) = (
        response.status().as_u16(),
        response.headers().contains_key(RETRY_AFTER),
    );
    assert_eq!(error.status_code().as_u16(), status);
    let body = response.into_body().try_into_bytes().ok().unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap().to_lowercase();
    for secret in [
        "todos",
        "authenticat",
        "service_role",
        "select",
        "127.0.0.1",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let code = body["error"]["code"].as_str().unwrap().to_owned();
    (status, code, retry)
}

fn expected(status: u16, code: &str, retry: bool) -> (u16, String, bool) {
    (status, code.to_owned(), retry)
}

#[tokio::test]
async fn an_unreachable_database_is_503() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = PgPoolOptions::new()
        .acquire_timeout(Duration::from_millis(50))
        .connect_lazy_with(fixture.options("authenticator", 1));
    let error = fixture.user(0).await.begin(&pool).await.unwrap_err();
    assert_eq!(
        response(&error),
        expected(503, "DATABASE_UNAVAILABLE", true),
        "{error:?}"
    );
}

#[tokio::test]
async fn errors_of_statements_have_their_status() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    for (sql, status, code, retry) in [
        ("select from no_such_table", 500, "INTERNAL", false),
        ("select from pg_authid", 403, "ACCESS_DENIED", false),
        (
            "insert into todos (user_id, title) values (gen_random_uuid(), 'x')",
            403,
            "ACCESS_DENIED",
            false,
        ),
        (
            "do $$ begin raise exception sqlstate '40001'; end $$",
            503,
            "DATABASE_UNAVAILABLE",
            true,
        ),
        (
            "do $$ begin raise exception sqlstate '57P01'; end $$",
            503,
            "DATABASE_UNAVAILABLE",
            true,
        ),
        (
            "do $$ begin raise exception sqlstate '57014'; end $$",
            503,
            "TIMEOUT",
            true,
        ),
    ] {
        let mut tx = user.begin(&pool).await.unwrap();
        let error = Error::from(sqlx::raw_sql(sql).execute(&mut *tx).await.unwrap_err());
        assert_eq!(response(&error), expected(status, code, retry), "{sql}");
    }
    let error = Error::from(sqlx::Error::RowNotFound);
    assert_eq!(response(&error), expected(404, "NOT_FOUND", false));
    assert_eq!(response(&Error::Ended), expected(500, "INTERNAL", false));
}

#[tokio::test]
async fn refused_roles_and_claims_are_403() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    for (token, code) in [
        (
            fixture.token(0).claim("role", "service_role"),
            "ROLE_NOT_ALLOWED",
        ),
        (fixture.token(0).claim("x", "\0"), "CLAIMS_NOT_SUPPORTED"),
    ] {
        let error = fixture
            .principal(token)
            .await
            .begin(&pool)
            .await
            .unwrap_err();
        assert_eq!(response(&error), expected(403, code, false));
    }
    let superuser = fixture.pool_as("admin", 1);
    let error = fixture.user(0).await.begin(&superuser).await.unwrap_err();
    assert_eq!(response(&error), expected(500, "INTERNAL", false));
}
