//! What is left of a transaction on its connection: nothing.

use std::future::Future;

use actix_web::ResponseError;
use bearward::{Principal, postgres::Error};
use sqlx::{Connection, PgPool};
use test_support::{postgres::CountingProxy, within_timeout};

use crate::fixture::{Fixture, session, wait_until_idle};

/// Requires that the pool's only connection was not replaced, and has neither role nor claims.
async fn assert_clean(pool: &PgPool, process: i32, what: &str) {
    let (role, claims, found) = session(pool).await;
    assert_eq!(
        (role.as_str(), claims.as_str(), found),
        ("none", "", process),
        "{what}"
    );
}

async fn fail(tx: &mut bearward::postgres::ScopedTransaction) {
    let result = sqlx::query("select 1 / 0").execute(&mut **tx).await;
    assert!(result.is_err());
}

#[tokio::test]
async fn a_connection_is_clean_however_the_transaction_ends() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let (_, _, process) = session(&pool).await;
    let begin = || async { user.begin(&pool).await.unwrap() };

    begin().await.commit().await.unwrap();
    assert_clean(&pool, process, "commit").await;
    begin().await.rollback().await.unwrap();
    assert_clean(&pool, process, "rollback").await;
    drop(begin().await);
    assert_clean(&pool, process, "drop").await;

    let mut tx = begin().await;
    fail(&mut tx).await;
    drop(tx);
    assert_clean(&pool, process, "error, dropped").await;
    let mut tx = begin().await;
    fail(&mut tx).await;
    tx.commit().await.unwrap();
    assert_clean(&pool, process, "error, committed").await;

    let (task_user, task_pool) = (user.clone(), pool.clone());
    let task = tokio::spawn(async move {
        let _tx = task_user.begin(&task_pool).await.unwrap();
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_clean(&pool, process, "panic").await;

    let mut tx = begin().await;
    let savepoint = tx.begin().await.unwrap();
    drop(savepoint);
    tx.commit().await.unwrap();
    assert_clean(&pool, process, "savepoint").await;
    let mut tx = begin().await;
    std::mem::forget(tx.begin().await.unwrap());
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, Error::Ended), "{error:?}");
    assert_clean(&pool, process, "leaked savepoint").await;
}

/// Cancels a future after it has sent something, before it receives the response.
async fn cancel<F: Future>(proxy: &CountingProxy, future: F) {
    let before = proxy.round_trips();
    proxy.hold_responses(true);
    let mut future = Box::pin(future);
    tokio::select! {
        biased;
        _ = &mut future => panic!("no response was received"),
        () = proxy.sent_after(before) => {}
    }
    drop(future);
    proxy.hold_responses(false);
}

/// Opens a pool with one connection through a proxy, after the check of the login role.
async fn proxied(fixture: &Fixture, user: &Principal) -> (CountingProxy, PgPool) {
    let proxy = CountingProxy::start(fixture.server.port()).await;
    let mut options = fixture.options("authenticator", proxy.port());
    options = options.application_name(&fixture.database);
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(test_support::TEST_TIMEOUT)
        // The statement after acquiring is the one under test.
        .test_before_acquire(false)
        .connect_lazy_with(options);
    user.begin(&pool).await.unwrap().commit().await.unwrap();
    (proxy, pool)
}

#[tokio::test]
async fn a_cancelled_begin_leaves_no_open_transaction() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.admin("grant select on todos to authenticator");
    fixture.add_todos(1, 1);
    let user = fixture.user(0).await;
    let (proxy, pool) = proxied(&fixture, &user).await;
    for _ in 0..5 {
        // The ping on return has been answered, so that the next message is `BEGIN`.
        wait_until_idle(&pool).await;
        cancel(&proxy, user.begin(&pool)).await;
        let (role, claims, _) = session(&pool).await;
        assert_eq!((role.as_str(), claims.as_str()), ("none", ""));
        let todos: i64 = sqlx::query_scalar("select count(*) from todos")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(todos, 0, "the plain query did not run as the user");
    }
    let open = format!(
        "select count(*) from pg_stat_activity where datname = '{}' and state like 'idle in transaction%'",
        fixture.database
    );
    within_timeout(async {
        while fixture.admin(&open) != "0" {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn cancelled_statements_and_commits_leave_a_clean_connection() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let user = fixture.user(0).await;
    let (proxy, pool) = proxied(&fixture, &user).await;
    let (_, _, process) = session(&pool).await;
    for _ in 0..3 {
        let mut tx = user.begin(&pool).await.unwrap();
        cancel(&proxy, sqlx::query("select 1").execute(&mut *tx)).await;
        drop(tx);
        assert_clean(&pool, process, "statement").await;
        let tx = user.begin(&pool).await.unwrap();
        cancel(&proxy, tx.commit()).await;
        assert_clean(&pool, process, "commit").await;
        let tx = user.begin(&pool).await.unwrap();
        cancel(&proxy, tx.rollback()).await;
        assert_clean(&pool, process, "rollback").await;
    }
    // sqlx rolls the whole transaction back if the creation of a savepoint is cancelled.
    let mut tx = user.begin(&pool).await.unwrap();
    cancel(&proxy, tx.begin()).await;
    let error = tx.commit().await.unwrap_err();
    assert!(matches!(error, Error::Ended), "{error:?}");
    assert_clean(&pool, process, "savepoint").await;
}

#[tokio::test]
async fn a_failed_begin_leaves_a_clean_connection() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let plain = fixture.pool(1);
    let user = fixture.user(0).await;
    let (_, _, process) = session(&plain).await;
    let missing = bearward::postgres::ScopedPool::new(plain.clone())
        .default_role("missing")
        .and_then(|pool| pool.allow_role("authenticated"))
        .unwrap();
    let without_role = fixture.principal(fixture.token(0).without("role")).await;
    for _ in 0..3 {
        let error = without_role.begin(&missing).await.unwrap_err();
        assert!(matches!(error, Error::Begin(_)), "{error:?}");
        assert_eq!(error.status_code(), 500);
        assert_clean(&plain, process, "failed begin").await;
    }
    user.begin(&missing).await.unwrap().commit().await.unwrap();
    assert_clean(&plain, process, "commit").await;
}
