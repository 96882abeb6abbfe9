//! Which rows a query sees, with and without `begin`.

use actix_web::{App, Responder, ResponseError, get, test, web};
use bearward::{Principal, postgres::Error};
use sqlx::PgPool;

use crate::fixture::{Fixture, user_id};

#[tokio::test]
async fn queries_without_where_reach_the_callers_rows_only() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.add_todos(2, 3);
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let mut tx = user.begin(&pool).await.unwrap();
    let titles: Vec<String> = sqlx::query_scalar("select title from todos")
        .fetch_all(&mut *tx)
        .await
        .unwrap();
    assert_eq!(titles, ["0", "0", "0"]);
    for statement in ["update todos set done = true", "delete from todos"] {
        let result = sqlx::query(statement).execute(&mut *tx).await.unwrap();
        assert_eq!(result.rows_affected(), 3, "{statement}");
    }
    tx.commit().await.unwrap();
    assert_eq!(
        fixture.admin("select count(*), bool_or(done), min(title) from todos"),
        "3|f|1"
    );
}

#[tokio::test]
async fn rows_of_other_users_cannot_be_created() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let insert = "insert into todos (user_id, title) values ($1::uuid, 'x')";
    let mut tx = user.begin(&pool).await.unwrap();
    let own = sqlx::query(insert).bind(user_id(0));
    own.execute(&mut *tx).await.unwrap();
    let foreign = sqlx::query(insert).bind(user_id(1));
    let error = Error::from(foreign.execute(&mut *tx).await.unwrap_err());
    assert_eq!(error.status_code(), 403, "{error:?}");
    drop(tx);
    assert_eq!(fixture.admin("select count(*) from todos"), "0");
}

#[tokio::test]
async fn queries_without_begin_see_nothing() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.add_todos(2, 3);
    let (pool, user) = (fixture.pool(1), fixture.user(0).await);
    let count = || sqlx::query_scalar::<_, i64>("select count(*) from todos").fetch_one(&pool);
    for _ in 0..2 {
        let error = count().await.unwrap_err();
        assert!(error.to_string().contains("permission denied"), "{error}");
        // The session of the next iteration has been the user's.
        user.begin(&pool).await.unwrap().commit().await.unwrap();
    }
    // With the privilege, row level security still hides every row: no policy is for this role.
    fixture.admin("grant select on todos to authenticator");
    assert_eq!(count().await.unwrap(), 0);
}

/// As in docs/row-level-security.md.
#[get("/todos")]
async fn todos(
    user: Principal,
    db: web::Data<PgPool>,
) -> Result<impl Responder, bearward::postgres::Error> {
    let mut tx = user.begin(&db).await?;
    let titles: Vec<String> = sqlx::query_scalar("select title from todos")
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(web::Json(titles))
}

#[actix_web::test]
async fn a_handler_returns_the_callers_rows() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.add_todos(2, 3);
    let pool = web::Data::new(fixture.pool(1));
    let app = App::new()
        .app_data(fixture.auth.clone())
        .app_data(pool)
        .service(todos);
    let app = test::init_service(app).await;
    let authorization = (
        "authorization",
        format!("Bearer {}", fixture.token(1).sign()),
    );
    let request = test::TestRequest::get()
        .uri("/todos")
        .insert_header(authorization);
    let titles: Vec<String> = test::call_and_read_body_json(&app, request.to_request()).await;
    assert_eq!(titles, ["1", "1", "1"]);
}
