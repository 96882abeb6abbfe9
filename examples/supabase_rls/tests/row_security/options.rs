//! Options of a transaction.

use std::time::Duration;

use actix_web::{ResponseError, http::header::RETRY_AFTER};
use bearward::postgres::{Error, IsolationLevel, ScopedPool, TransactionOptions};
use sqlx::PgConnection;

use crate::fixture::Fixture;

async fn setting(connection: &mut PgConnection, name: &str) -> String {
    sqlx::query_scalar("select current_setting($1)")
        .bind(name)
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn read_only_transactions_refuse_writes() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let insert = "insert into todos (title) values ('x')";
    let mut tx = user.begin_read_only(&pool).await.unwrap();
    let error = sqlx::query(insert).execute(&mut *tx).await.unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    drop(tx);
    let mut tx = user.begin(&pool).await.unwrap();
    sqlx::query(insert).execute(&mut *tx).await.unwrap();
}

#[tokio::test]
async fn the_isolation_level_is_set_for_one_transaction() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    for (level, name) in [
        (IsolationLevel::Serializable, "serializable"),
        (IsolationLevel::RepeatableRead, "repeatable read"),
        (IsolationLevel::ReadCommitted, "read committed"),
    ] {
        let options = TransactionOptions::new().isolation(level).read_only();
        let mut tx = user.begin_with(&pool, options).await.unwrap();
        assert_eq!(setting(&mut tx, "transaction_isolation").await, name);
        assert_eq!(setting(&mut tx, "transaction_read_only").await, "on");
        drop(tx);
        let mut tx = user.begin(&pool).await.unwrap();
        let default = setting(&mut tx, "transaction_isolation").await;
        assert_eq!(default, "read committed");
        assert_eq!(setting(&mut tx, "transaction_read_only").await, "off");
    }
}

#[tokio::test]
async fn the_statement_timeout_ends_with_the_transaction() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let limited = ScopedPool::new(pool.clone()).statement_timeout(Duration::from_secs(8));
    let mut tx = user.begin(&limited).await.unwrap();
    assert_eq!(setting(&mut tx, "statement_timeout").await, "8s");
    tx.commit().await.unwrap();
    let options = TransactionOptions::new().statement_timeout(Duration::from_millis(100));
    let mut tx = user.begin_with(&limited, options).await.unwrap();
    assert_eq!(setting(&mut tx, "statement_timeout").await, "100ms");
    let sleep = sqlx::query("select pg_sleep(600)").execute(&mut *tx).await;
    let error = Error::from(sleep.unwrap_err());
    assert_eq!(error.status_code(), 503, "{error:?}");
    assert!(error.error_response().headers().contains_key(RETRY_AFTER));
    drop(tx);
    let mut plain = pool.acquire().await.unwrap();
    assert_eq!(setting(&mut plain, "statement_timeout").await, "0");
}
