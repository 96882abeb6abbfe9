//! Table `user_sessions`: the sessions of users, as the server has seen them in tokens.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "bearward", table_name = "user_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Hash of the session id.
    pub session: Vec<u8>,
    /// The issuer's id of the session.
    pub session_id: String,
    pub user_agent: Option<String>,
    /// `iat` of the newest token seen, in milliseconds since the Unix epoch; 0 without one.
    pub issued_at: i64,
    pub first_used_at: TimeDateTime,
    pub last_used_at: TimeDateTime,
    /// Ended by its user. The row stays, so that later tokens of the session are rejected too.
    pub is_ended: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
