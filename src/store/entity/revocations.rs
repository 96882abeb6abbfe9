//! Table `revocations`: tokens that are rejected before they expire.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "bearward", table_name = "revocations")]
pub struct Model {
    /// Hash of what is revoked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The name of a [`RevocationKind`](bearward::RevocationKind).
    pub kind: String,
    pub issuer: String,
    /// The session id, the subject, the `jti` or the `kid`.
    pub target: String,
    /// In seconds since the Unix epoch.
    pub issued_before: Option<i64>,
    pub except_session: Option<String>,
    pub reason: String,
    pub created_at: TimeDateTime,
    /// In seconds since the Unix epoch.
    pub expires_at: i64,
    /// In milliseconds since the Unix epoch, by the clock of the database.
    pub changed_at: i64,
    /// Removed by an administrator. The row stays until it expires, so that all replicas see it.
    pub removed: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
