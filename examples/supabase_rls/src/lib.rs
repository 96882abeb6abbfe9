//! A todo service whose rows are protected by row level security.
//!
//! No query names the user: each runs in a transaction with the caller's role and claims, and the
//! policies in `migrations/2_todos.sql` decide which rows it sees.

use actix_web::{
    HttpResponse, Responder, delete, get, patch, post,
    web::{Data, Json, Path, ServiceConfig},
};
use bearward::{ErrorBody, MaybePrincipal, Principal, postgres::Error};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};

#[derive(Serialize)]
struct Todo {
    id: i64,
    title: String,
    done: bool,
}

#[derive(Deserialize)]
struct NewTodo {
    title: String,
}

#[derive(Deserialize)]
struct Change {
    done: bool,
}

/// Registers the routes. The app needs a `Bearward` and a `Data<PgPool>` in its `app_data`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(create)
        .service(change)
        .service(remove)
        .service(announcements);
}

#[get("/todos")]
async fn list(user: Principal, db: Data<PgPool>) -> Result<impl Responder, Error> {
    let mut tx = user.begin_read_only(&db).await?;
    let todos: Vec<Todo> = sqlx::query_as("select id, title, done from todos order by id")
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(Json(todos))
}

#[post("/todos")]
async fn create(
    user: Principal,
    db: Data<PgPool>,
    todo: Json<NewTodo>,
) -> Result<HttpResponse, Error> {
    if !(1..=200).contains(&todo.title.chars().count()) {
        let message = "title: must have 1 to 200 characters";
        let body = ErrorBody::new("VALIDATION_FAILED", message, None);
        return Ok(HttpResponse::UnprocessableEntity().json(body));
    }
    let mut tx = user.begin(&db).await?;
    let todo: Todo =
        sqlx::query_as("insert into todos (title) values ($1) returning id, title, done")
            .bind(&todo.title)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(todo))
}

#[patch("/todos/{id}")]
async fn change(
    user: Principal,
    db: Data<PgPool>,
    id: Path<i64>,
    change: Json<Change>,
) -> Result<impl Responder, Error> {
    let mut tx = user.begin(&db).await?;
    // `fetch_one` answers 404 if there is no such todo, or if it is another user's.
    let todo: Todo =
        sqlx::query_as("update todos set done = $1 where id = $2 returning id, title, done")
            .bind(change.done)
            .bind(*id)
            .fetch_one(&mut *tx)
            .await?;
    tx.commit().await?;
    Ok(Json(todo))
}

#[delete("/todos/{id}")]
async fn remove(user: Principal, db: Data<PgPool>, id: Path<i64>) -> Result<impl Responder, Error> {
    let mut tx = user.begin(&db).await?;
    sqlx::query("delete from todos where id = $1")
        .bind(*id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent())
}

#[get("/announcements")]
async fn announcements(user: MaybePrincipal, db: Data<PgPool>) -> Result<impl Responder, Error> {
    let mut tx = user.begin_read_only(&db).await?;
    let texts: Vec<String> = sqlx::query_scalar("select text from announcements order by id")
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(Json(texts))
}

// `#[derive(sqlx::FromRow)]` with sqlx's feature `derive`.
impl FromRow<'_, PgRow> for Todo {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            title: row.try_get("title")?,
            done: row.try_get("done")?,
        })
    }
}
