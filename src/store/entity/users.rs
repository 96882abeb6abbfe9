//! Table `users`: one row per issuer and subject.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "bearward", table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    #[sea_orm(unique)]
    /// [`SubjectHash`](crate::domain::SubjectHash) of issuer and subject.
    pub identity: Vec<u8>,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    /// Null if the issuer does not say.
    pub email_verified: Option<bool>,
    pub name: Option<String>,
    pub picture: Option<String>,
    pub chosen_name: Option<String>,
    pub chosen_picture: Option<String>,
    pub is_active: bool,
    /// Whether the caller is a client and not a user, by the token that the profile comes from.
    pub is_machine: bool,
    /// [`SessionHash`](crate::domain::SessionHash) of the session that last set `last_login`.
    pub session: Vec<u8>,
    /// `iat` of the token that the profile comes from, in milliseconds. The claims of an older
    /// token do not replace it.
    pub claims_at: i64,
    pub last_login: TimeDateTime,
    pub created_at: TimeDateTime,
    pub updated_at: TimeDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
