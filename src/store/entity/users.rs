//! `users`: one row for each subject of an issuer.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    pub identity: Vec<u8>,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub name: Option<String>,
    pub picture: Option<String>,
    pub chosen_name: Option<String>,
    pub chosen_picture: Option<String>,
    pub is_active: bool,
    /// A digest of the session that moved `last_login` last.
    pub session: Vec<u8>,
    /// When the token was issued that the claims were taken from, in milliseconds: an older
    /// token's claims do not undo a newer one's.
    pub claims_at: i64,
    pub last_login: TimeDateTime,
    pub created_at: TimeDateTime,
    pub updated_at: TimeDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
