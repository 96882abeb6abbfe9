//! Accounts: create, read, update, delete.

use bearward::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{CaseStatement, Expr, ExprTrait},
};
use time::Duration;
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    entity::users::{ActiveModel, Column, Entity, Model},
    error::is_unique_violation,
    revocations::insert,
};
use crate::domain::{
    IdpProfile, Owner, Profile, ProfileChange, RevocationEntry, SessionHash, SubjectHash, UserId,
};

/// The values of a verified token that create or update its account.
#[derive(Debug, Clone)]
pub struct AccountUpsert<'a> {
    /// Hash of issuer and subject; identifies the account.
    pub subject_hash: SubjectHash,
    /// The issuer, in its canonical spelling.
    pub issuer: &'a str,
    /// `sub`.
    pub subject: &'a str,
    /// The profile in the token's claims.
    pub profile: IdpProfile,
    /// The token's session.
    pub session: SessionHash,
    /// `iat` in milliseconds since the Unix epoch. Claims never replace those of a newer token.
    pub issued_at: i64,
    /// The current time.
    pub now: DbTimestamp,
}

/// The part of an account that authentication needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's id.
    pub id: UserId,
    /// Whether the account is enabled.
    pub is_active: bool,
    /// Whether this call has created it.
    pub is_new: bool,
    /// The token that last changed the account.
    pub last_token: LastToken,
    /// The profile in that token's claims.
    pub profile: IdpProfile,
}

/// What is stored of the token that last changed an account. Decides whether another token changes
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastToken {
    session: SessionHash,
    issued_at: i64,
    last_login: DbTimestamp,
    updated_at: DbTimestamp,
}

/// The columns that a token changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Changes {
    session: bool,
    last_login: bool,
    profile: bool,
}

/// The shortest time between two updates of `last_login`, and between two updates by tokens of
/// which neither is newer.
const MIN_UPDATE_INTERVAL: Duration = Duration::minutes(1);

impl LastToken {
    /// A value for tests.
    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        let at = DbTimestamp::from(bearward::Timestamp::from_unix(0));
        Self {
            session: SessionHash::from_stored(&[]),
            issued_at: 0,
            last_login: at,
            updated_at: at,
        }
    }

    fn from_row(row: &Model) -> Self {
        Self {
            session: SessionHash::from_stored(&row.session),
            issued_at: row.claims_at,
            last_login: DbTimestamp::from_column(row.last_login),
            updated_at: DbTimestamp::from_column(row.updated_at),
        }
    }

    /// Returns whether a token of the same account must be written to it. `has_other_profile` says
    /// whether its profile differs from the stored one.
    pub fn is_changed_by(&self, upsert: &AccountUpsert<'_>, has_other_profile: bool) -> bool {
        self.changes(upsert, has_other_profile) != Changes::default()
    }

    /// Tokens of several sessions may be used in turn. A token that is not newer must not change
    /// the account back, or each request would be a write.
    fn changes(&self, upsert: &AccountUpsert<'_>, has_other_profile: bool) -> Changes {
        let is_newer = upsert.issued_at > self.issued_at;
        let is_equal = upsert.issued_at == self.issued_at;
        let has_passed =
            |since: DbTimestamp| upsert.now.duration_since(since) >= MIN_UPDATE_INTERVAL;
        // Sessions of the same second are one login. The order of tokens without `iat` is unknown.
        let is_unordered = is_equal && upsert.issued_at == 0;
        let session = self.session != upsert.session
            && (is_newer || is_unordered && has_passed(self.last_login));
        Changes {
            session,
            last_login: session && has_passed(self.last_login),
            profile: has_other_profile && (is_newer || is_equal && has_passed(self.updated_at)),
        }
    }
}

impl Store {
    /// Creates the account of a verified token, or updates it if the token is newer than the stored
    /// claims. A new session sets `last_login`, at most once a minute. Concurrent calls create one
    /// account.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account is deleted during the call,
    /// [`StoreError::Revoked`] if it was deleted after the token was issued, other variants if the
    /// database fails.
    pub async fn upsert_account(&self, upsert: &AccountUpsert<'_>) -> Result<Account, StoreError> {
        if let Some(row) = self.find(&upsert.subject_hash).await? {
            return self.refresh(row, upsert).await;
        }
        // Another replica may have deleted the account so recently that this one does not know of
        // the revocation.
        let issued_at = Timestamp::from_millis(upsert.issued_at);
        let now = upsert.now.into();
        if self
            .is_subject_revoked(upsert.issuer, upsert.subject, issued_at, now)
            .await?
        {
            return Err(StoreError::Revoked);
        }
        let is_new = match Entity::insert(new_row(upsert))
            .exec_without_returning(&self.writes)
            .await
        {
            Ok(_) => true,
            // A concurrent request has created the account.
            Err(error) if is_unique_violation(&error) => false,
            Err(error) => return Err(error.into()),
        };
        let row = self
            .find(&upsert.subject_hash)
            .await?
            .ok_or(StoreError::AccountDeleted)?;
        let account = self.refresh(row, upsert).await?;
        Ok(Account { is_new, ..account })
    }

    async fn find(&self, subject_hash: &SubjectHash) -> Result<Option<Model>, StoreError> {
        Ok(Entity::find()
            .filter(Column::Identity.eq(subject_hash.as_bytes().to_vec()))
            .one(&self.reads)
            .await?)
    }

    async fn refresh(&self, row: Model, upsert: &AccountUpsert<'_>) -> Result<Account, StoreError> {
        let mut account = Account {
            id: UserId::new(row.id),
            is_active: row.is_active,
            is_new: false,
            last_token: LastToken::from_row(&row),
            profile: idp_profile(&row),
        };
        let changes = account
            .last_token
            .changes(upsert, account.profile != upsert.profile);
        if !row.is_active || changes == Changes::default() {
            return Ok(account);
        }
        let now = upsert.now.column();
        let mut update = Entity::update_many()
            .col_expr(Column::ClaimsAt, Expr::value(upsert.issued_at))
            .filter(Column::Id.eq(row.id))
            // A concurrent request may have stored the claims of a newer token.
            .filter(Column::ClaimsAt.lte(upsert.issued_at));
        account.last_token.issued_at = upsert.issued_at;
        if changes.session {
            let session = upsert.session.as_bytes().to_vec();
            update = update.col_expr(Column::Session, Expr::value(session));
            account.last_token.session = upsert.session;
        }
        if changes.last_login {
            // The clock of another replica may be ahead.
            let later = CaseStatement::new()
                .case(Expr::col(Column::LastLogin).lt(now), Expr::value(now))
                .finally(Expr::col(Column::LastLogin));
            update = update.col_expr(Column::LastLogin, later.into());
            account.last_token.last_login = upsert.now;
        }
        if changes.profile {
            let profile = &upsert.profile;
            update = update
                .col_expr(Column::Email, Expr::value(profile.email.clone()))
                .col_expr(Column::EmailVerified, Expr::value(profile.email_verified))
                .col_expr(Column::Name, Expr::value(profile.name.clone()))
                .col_expr(Column::Picture, Expr::value(profile.picture.clone()))
                .col_expr(Column::IsMachine, Expr::value(profile.is_machine))
                .col_expr(Column::UpdatedAt, Expr::value(now));
            account.last_token.updated_at = upsert.now;
            account.profile = profile.clone();
        }
        update.exec(&self.writes).await?;
        Ok(account)
    }

    /// Returns whether the account of a subject is enabled, or `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn is_active(&self, subject_hash: &SubjectHash) -> Result<Option<bool>, StoreError> {
        let query = Entity::find()
            .select_only()
            .column(Column::IsActive)
            .filter(Column::Identity.eq(subject_hash.as_bytes().to_vec()))
            .into_tuple::<bool>();
        Ok(query.one(&self.reads).await?)
    }

    /// Returns the owner's profile.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn profile(&self, owner: &Owner) -> Result<Profile, StoreError> {
        let row = Entity::find_by_id(owner.id().uuid())
            .one(&self.reads)
            .await?;
        row.map(profile_from_row).ok_or(StoreError::AccountDeleted)
    }

    /// Updates the owner's profile and returns it.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted, other variants if the database
    /// fails.
    pub async fn update_profile(
        &self,
        owner: &Owner,
        change: &ProfileChange,
        now: DbTimestamp,
    ) -> Result<Profile, StoreError> {
        let mut update = Entity::update_many().filter(Column::Id.eq(owner.id().uuid()));
        let changes = [
            (Column::ChosenName, &change.name),
            (Column::ChosenPicture, &change.picture),
        ];
        for (column, value) in changes {
            if let Some(value) = value {
                update = update.col_expr(column, Expr::value(value.clone()));
            }
        }
        if change != &ProfileChange::default() {
            update
                .col_expr(Column::UpdatedAt, Expr::value(now.column()))
                .exec(&self.writes)
                .await?;
        }
        self.profile(owner).await
    }

    /// Deletes the owner's account and every row that belongs to it, and adds `revocations` to
    /// the revocation list in the same transaction. A disabled account is kept: deleting it would let
    /// the user return with a new, enabled one.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] if the account was deleted or disabled in the meantime, other
    /// variants if the database fails.
    pub(crate) async fn delete_account(
        &self,
        owner: &Owner,
        revocations: &[RevocationEntry],
    ) -> Result<(), StoreError> {
        let deleted = self.writes.transaction(async |transaction| {
            let delete = Entity::delete_many()
                .filter(Column::Id.eq(owner.id().uuid()))
                .filter(Column::IsActive.eq(true));
            let deleted = delete.exec(transaction).await?.rows_affected > 0;
            for entry in revocations.iter().filter(|_| deleted) {
                insert(transaction, entry).await?;
            }
            Ok(deleted)
        });
        if deleted.await? {
            Ok(())
        } else {
            Err(StoreError::AccountDeleted)
        }
    }

    /// Checks that the account of an owner without rows exists. Replicas cache accounts for
    /// seconds; another one may have deleted this account and created a new one for the same
    /// user, which has rows.
    pub(super) async fn ensure_exists(&self, owner: &Owner) -> Result<(), StoreError> {
        let query = Entity::find_by_id(owner.id().uuid())
            .select_only()
            .column(Column::Id)
            .into_tuple::<Uuid>();
        query
            .one(&self.reads)
            .await?
            .map(drop)
            .ok_or(StoreError::AccountDeleted)
    }
}

fn new_row(upsert: &AccountUpsert<'_>) -> ActiveModel {
    let profile = upsert.profile.clone();
    let now = upsert.now.column();
    ActiveModel {
        // Version 7: ids increase with time, and lists are ordered by them.
        id: Set(Uuid::now_v7()),
        identity: Set(upsert.subject_hash.as_bytes().to_vec()),
        issuer: Set(upsert.issuer.to_owned()),
        subject: Set(upsert.subject.to_owned()),
        email: Set(profile.email),
        email_verified: Set(profile.email_verified),
        name: Set(profile.name),
        picture: Set(profile.picture),
        chosen_name: Set(None),
        chosen_picture: Set(None),
        is_active: Set(true),
        is_machine: Set(profile.is_machine),
        session: Set(upsert.session.as_bytes().to_vec()),
        claims_at: Set(upsert.issued_at),
        last_login: Set(now),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

fn idp_profile(row: &Model) -> IdpProfile {
    IdpProfile {
        email: row.email.clone(),
        email_verified: row.email_verified,
        name: row.name.clone(),
        picture: row.picture.clone(),
        is_machine: row.is_machine,
    }
}

pub(super) fn profile_from_row(row: Model) -> Profile {
    Profile {
        id: row.id,
        issuer: row.issuer,
        subject: row.subject,
        email: row.email,
        email_verified: row.email_verified,
        name: row.chosen_name.or(row.name),
        picture: row.chosen_picture.or(row.picture),
        is_active: row.is_active,
        is_machine: row.is_machine,
        last_login: DbTimestamp::from_column(row.last_login).into(),
        created_at: DbTimestamp::from_column(row.created_at).into(),
        updated_at: DbTimestamp::from_column(row.updated_at).into(),
    }
}
