//! Which database roles tokens select.

use actix_web::ResponseError;
use bearward::{
    Principal,
    postgres::{AsScopedPool, Error, ScopedPool},
};
use serde_json::{Value, json};

use crate::fixture::{Fixture, pool, user_id};

/// Returns the role and the claims' role of a transaction.
async fn role(user: &Principal, pool: &impl AsScopedPool) -> Result<[String; 2], Error> {
    let mut tx = user.begin(pool).await?;
    let sql = "select current_user::text, auth.role()";
    let (current, claimed) = sqlx::query_as(sql).fetch_one(&mut *tx).await?;
    Ok([current, claimed])
}

#[tokio::test]
async fn other_roles_are_refused_before_a_connection_is_opened() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    // Nothing listens on this port.
    let pool = pool(fixture.options("authenticator", 1), 1);
    for name in [
        "service_role",
        "postgres",
        "admin",
        "anon",
        "authenticator",
        "none",
        "Authenticated",
        "authenticated'; reset role; --",
    ] {
        let user = fixture
            .principal(fixture.token(0).claim("role", name))
            .await;
        let error = user.begin(&pool).await.unwrap_err();
        assert!(matches!(error, Error::RoleNotAllowed { .. }), "{error:?}");
        assert_eq!(error.status_code(), 403);
        let error = user.transaction_settings(&pool).unwrap_err();
        assert!(matches!(error, Error::RoleNotAllowed { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn tokens_without_a_role_use_authenticated() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    for claim in [Value::Null, json!(["service_role"]), json!(1), json!("")] {
        let user = fixture
            .principal(fixture.token(0).claim("role", claim))
            .await;
        assert_eq!(
            role(&user, &pool).await.unwrap(),
            ["authenticated", "authenticated"]
        );
    }
    let user = fixture.principal(fixture.token(0).without("role")).await;
    assert_eq!(
        role(&user, &pool).await.unwrap(),
        ["authenticated", "authenticated"]
    );
}

#[tokio::test]
async fn a_scoped_pool_allows_further_roles() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.admin(
        "create role \"it's an editor\"; create role web_user; grant \"it's an editor\", web_user to authenticator; \
         grant usage on schema auth to \"it's an editor\", web_user",
    );
    let editor = fixture
        .principal(fixture.token(0).claim("role", "it's an editor"))
        .await;
    let user = fixture.principal(fixture.token(0).without("role")).await;
    let plain = ScopedPool::new(fixture.pool(1));
    let error = role(&editor, &plain).await.unwrap_err();
    assert!(matches!(error, Error::RoleNotAllowed { .. }), "{error:?}");
    let scoped = plain
        .allow_role("it's an editor")
        .and_then(|pool| pool.default_role("web_user"))
        .unwrap();
    assert_eq!(
        role(&editor, &scoped).await.unwrap(),
        ["it's an editor", "it's an editor"]
    );
    assert_eq!(
        role(&user, &scoped).await.unwrap(),
        ["web_user", "web_user"]
    );
    let authenticated = fixture.user(0).await;
    let error = role(&authenticated, &scoped).await.unwrap_err();
    assert!(matches!(error, Error::RoleNotAllowed { .. }), "{error:?}");
}

#[tokio::test]
async fn requests_without_a_token_use_anon() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    let anonymous = fixture.maybe_principal(None).await;
    let mut tx = anonymous.begin(&pool).await.unwrap();
    let row: (String, String, Option<String>, i64) = sqlx::query_as(
        "select current_user::text, auth.jwt()::text, auth.uid()::text, (select count(*) from announcements)",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    assert_eq!(
        row,
        (
            "anon".to_owned(),
            "{\"role\": \"anon\"}".to_owned(),
            None,
            1
        )
    );
    let todos = sqlx::query("select from todos").execute(&mut *tx).await;
    let error = Error::from(todos.unwrap_err());
    assert_eq!(error.status_code(), 403, "{error:?}");
    drop(tx);
    // With a token, the same extractor uses the user's role.
    let user = fixture.maybe_principal(Some(fixture.token(3))).await;
    let mut tx = user.begin_read_only(&pool).await.unwrap();
    let uid: String = sqlx::query_scalar("select auth.uid()::text")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(uid, user_id(3));
}
