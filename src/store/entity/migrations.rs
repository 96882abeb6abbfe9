//! Table `seaql_migrations`: the applied migrations, and the row of the migration lock.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "bearward", table_name = "seaql_migrations")]
pub struct Model {
    /// The name of the migration.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: String,
    /// In seconds since the Unix epoch.
    pub applied_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
