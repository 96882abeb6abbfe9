//! `SeaORM` transactions with the settings of the caller.

use bearward::{
    Principal,
    postgres::{self, check},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseConnection, DatabaseTransaction,
    EntityTrait, SqlxPostgresConnector, TransactionTrait,
};

use crate::fixture::{Fixture, session, user_id};

mod todo {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "todos")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub user_id: Uuid,
        pub title: String,
        pub done: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Caller(#[from] postgres::Error),
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

/// As in docs/row-level-security.md.
async fn begin(user: &Principal, db: &DatabaseConnection) -> Result<DatabaseTransaction, Error> {
    let settings = user.transaction_settings(db.get_postgres_connection_pool())?;
    let tx = db.begin().await?;
    tx.execute_unprepared(&settings).await?;
    Ok(tx)
}

async fn todos(user: &Principal, db: &DatabaseConnection) -> Result<Vec<todo::Model>, Error> {
    let tx = begin(user, db).await?;
    let todos = todo::Entity::find().all(&tx).await?;
    tx.commit().await?;
    Ok(todos)
}

#[tokio::test]
async fn entities_see_the_callers_rows_only() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    fixture.add_todos(2, 3);
    let pool = fixture.pool(1);
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    check(&pool).await.unwrap();
    let user = fixture.user(1).await;

    let todos = todos(&user, &db).await.unwrap();
    assert_eq!(todos.len(), 3);
    assert!(
        todos
            .iter()
            .all(|todo| todo.user_id.to_string() == user_id(1))
    );
    let tx = begin(&user, &db).await.unwrap();
    let new = todo::ActiveModel {
        title: Set("1".to_owned()),
        ..Default::default()
    };
    assert_eq!(new.insert(&tx).await.unwrap().user_id, todos[0].user_id);
    tx.commit().await.unwrap();

    assert!(todo::Entity::find().all(&db).await.is_err());
    let (role, claims, _) = session(&pool).await;
    assert_eq!((role.as_str(), claims.as_str()), ("none", ""));
    let service = fixture.token(1).claim("role", "service_role");
    let refused = begin(&fixture.principal(service).await, &db).await;
    assert!(matches!(refused, Err(Error::Caller(_))));
}

#[tokio::test]
async fn the_settings_have_no_effect_outside_of_a_transaction() {
    let Some(fixture) = Fixture::create().await else {
        return;
    };
    let pool = fixture.pool(1);
    let settings = fixture.user(1).await.transaction_settings(&pool).unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(settings))
        .execute(&pool)
        .await
        .unwrap();
    let (role, claims, _) = session(&pool).await;
    assert_eq!((role.as_str(), claims.as_str()), ("none", ""));
}
