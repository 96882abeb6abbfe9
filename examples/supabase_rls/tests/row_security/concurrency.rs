//! Many users at once over few connections, directly and through `PgBouncer`.

use std::time::Duration;

use bearward::{Principal, postgres::Error};
use futures_util::{StreamExt, stream};
use sqlx::PgPool;
use test_support::run_long;

use crate::fixture::{Fixture, pool, user_id};

/// Concurrent requests.
const CONCURRENCY: usize = 50;
/// Connections of the pool.
const CONNECTIONS: u32 = 10;
/// Rows of each user at the start. Requests add rows and never delete one.
const TODOS: usize = 3;

/// A pseudo-random number for a request, the same in every run.
fn mix(request: usize) -> u64 {
    let mut x = (request as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Requires that a query without WHERE returns rows of this user only, and ends the transaction in
/// one of many ways.
async fn request(user: Principal, number: usize, pool: PgPool, choice: u64) -> Result<(), Error> {
    let mut tx = user.begin(&pool).await?;
    let select = "select title, auth.uid()::text, user_id::text from todos";
    let rows: Vec<(String, String, String)> = sqlx::query_as(select)
        .persistent(false)
        .fetch_all(&mut *tx)
        .await?;
    let (title, id) = (number.to_string(), user_id(number));
    assert!(
        rows.len() >= TODOS
            && rows
                .iter()
                .all(|row| *row == (title.clone(), id.clone(), id.clone())),
        "user {number} saw {rows:?}"
    );
    if choice.is_multiple_of(3) {
        sqlx::query("insert into todos (title) values ($1)")
            .bind(&title)
            .persistent(false)
            .execute(&mut *tx)
            .await?;
    }
    match choice / 8 % 6 {
        0 | 1 => tx.commit().await,
        2 => tx.rollback().await,
        3 => {
            let failed = sqlx::raw_sql("select 1 / 0").execute(&mut *tx).await;
            assert!(failed.is_err());
            Ok(())
        }
        4 => std::panic::resume_unwind(Box::new("expected")),
        _ => {
            drop(tx);
            Ok(())
        }
    }
}

/// Requires that a query without `begin` sees nothing, although the login role may select.
async fn plain_query(pool: PgPool) -> Result<(), Error> {
    let select = "select title, current_setting('role'), current_setting('request.jwt.claims', true) from todos";
    let rows = sqlx::raw_sql(select).fetch_all(&pool).await?;
    assert!(rows.is_empty());
    Ok(())
}

async fn no_foreign_row(fixture: Fixture, pool: PgPool) {
    let (users, requests) = if run_long() {
        (200, 200 * 50)
    } else {
        (40, 1000)
    };
    fixture.admin("grant select on todos to authenticator");
    fixture.add_todos(users, TODOS);
    let principals: Vec<Principal> = stream::iter(0..users)
        .then(|user| fixture.user(user))
        .collect()
        .await;
    let outcomes: Vec<_> = stream::iter(0..requests)
        .map(|n| {
            let choice = mix(n);
            let number = usize::try_from(choice >> 32).unwrap() % users;
            let (user, pool) = (principals[number].clone(), pool.clone());
            let task = tokio::spawn(async move {
                if choice.is_multiple_of(10) {
                    return plain_query(pool).await;
                }
                let request = request(user, number, pool, choice);
                if choice.is_multiple_of(7) {
                    // Cancels some requests, each at another point.
                    let limit = Duration::from_micros(choice / 64 % 8000);
                    let _ = tokio::time::timeout(limit, request).await;
                    return Ok(());
                }
                request.await
            });
            async move { (choice, task.await) }
        })
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let mut panics = 0;
    for (choice, outcome) in outcomes {
        match outcome {
            Ok(result) => result.unwrap_or_else(|error| panic!("{choice}: {error:?}")),
            Err(error) => {
                let panic = error.into_panic();
                assert_eq!(
                    panic.downcast_ref(),
                    Some(&"expected"),
                    "an assertion failed"
                );
                panics += 1;
            }
        }
    }
    assert!(panics > requests / 20, "{panics}");
    let foreign = fixture.admin(
        "select count(*) from todos where user_id <> ('00000000-0000-4000-8000-' || lpad(title, 12, '0'))::uuid",
    );
    assert_eq!(foreign, "0");
    let added = fixture
        .admin("select count(*) from todos")
        .parse::<usize>()
        .unwrap()
        - users * TODOS;
    assert!(added > requests / 40, "{added}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_see_no_foreign_row() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(CONNECTIONS);
    no_foreign_row(fixture, pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_through_pgbouncer_see_no_foreign_row() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    // Fewer server connections than clients, so that they are shared.
    let Some(pgbouncer) = fixture.server.start_pgbouncer(4) else {
        return;
    };
    let options = fixture
        .options("authenticator", pgbouncer.port())
        .statement_cache_capacity(0);
    no_foreign_row(fixture, pool(options, CONNECTIONS)).await;
}
