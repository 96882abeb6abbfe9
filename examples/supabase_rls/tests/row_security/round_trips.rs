//! Round trips of a transaction, counted by a proxy.

use sqlx::{PgPool, raw_sql};
use test_support::postgres::CountingProxy;

use crate::fixture::{Fixture, pool, wait_until_idle};

async fn round_trips(proxy: &CountingProxy, pool: &PgPool) -> u64 {
    wait_until_idle(pool).await;
    proxy.round_trips()
}

#[tokio::test]
async fn a_transaction_takes_as_many_round_trips_as_a_plain_one() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let user = fixture.user(0).await;
    let proxy = CountingProxy::start(fixture.server.port()).await;
    let pool = pool(fixture.options("authenticator", proxy.port()), 1);
    // The first transaction of a pool checks the login role.
    user.begin(&pool).await.unwrap().commit().await.unwrap();
    let start = round_trips(&proxy, &pool).await;

    let mut tx = pool.begin().await.unwrap();
    raw_sql("select 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let after_plain = round_trips(&proxy, &pool).await;

    let mut tx = user.begin(&pool).await.unwrap();
    raw_sql("select 1").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let after_scoped = round_trips(&proxy, &pool).await;

    let plain = after_plain - start;
    assert_eq!(after_scoped - after_plain, plain);
    // The pool's ping when a connection is taken, BEGIN, the query, COMMIT, the ping on return.
    assert_eq!(plain, 5);
}
