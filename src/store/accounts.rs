//! Accounts: seen, shown, changed, erased.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    DbTimestamp, Store, StoreError,
    entity::users::{ActiveModel, Column, Entity, Model},
    error::is_taken,
};
use crate::domain::{IdpProfile, Owner, Profile, ProfileChange, Session, SubjectHash, UserId};

/// A verified token, as an account sees it.
#[derive(Debug, Clone)]
pub struct AccountUpsert<'a> {
    /// Issuer and subject as one value.
    pub identity: SubjectHash,
    /// The issuer's canonical spelling.
    pub issuer: &'a str,
    /// `sub`.
    pub subject: &'a str,
    /// What the token says of the user.
    pub claimed: IdpProfile,
    /// Its session.
    pub session: Session,
    /// When the token was issued, in milliseconds: newer claims go before older ones.
    pub issued_at: i64,
    /// When it was seen.
    pub now: DbTimestamp,
}

/// What every request must know of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub id: UserId,
    /// Whether it may be used.
    pub is_active: bool,
}

impl Store {
    /// The account of a verified token: made at first sight, brought up to date by newer claims.
    /// `last_login` moves with a new session. However many requests come at once, there is one
    /// account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn admit(&self, sighting: &AccountUpsert<'_>) -> Result<Account, StoreError> {
        if let Some(row) = self.find(&sighting.identity).await? {
            return self.refresh(row, sighting).await;
        }
        match Entity::insert(newcomer(sighting))
            .exec_without_returning(&self.writes)
            .await
        {
            Ok(_) => {}
            // Another request of the same user was faster.
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let row = self
            .find(&sighting.identity)
            .await?
            .ok_or(StoreError::AccountDeleted)?;
        self.refresh(row, sighting).await
    }

    async fn find(&self, identity: &SubjectHash) -> Result<Option<Model>, StoreError> {
        Ok(Entity::find()
            .filter(Column::Identity.eq(identity.as_bytes().to_vec()))
            .one(&self.reads)
            .await?)
    }

    async fn refresh(
        &self,
        row: Model,
        sighting: &AccountUpsert<'_>,
    ) -> Result<Account, StoreError> {
        let account = Account {
            id: UserId::new(row.id),
            is_active: row.is_active,
        };
        let is_newer = sighting.issued_at >= row.claims_at;
        let is_login = row.session != sighting.session.as_bytes();
        let is_changed = claimed(&row) != sighting.claimed;
        if !row.is_active || !is_newer || !(is_login || is_changed) {
            return Ok(account);
        }
        let now = sighting.now.column();
        let mut update = Entity::update_many()
            .col_expr(
                Column::Session,
                Expr::value(sighting.session.as_bytes().to_vec()),
            )
            .col_expr(Column::ClaimsAt, Expr::value(sighting.issued_at))
            .filter(Column::Id.eq(row.id))
            // A newer token may have been faster.
            .filter(Column::ClaimsAt.lte(sighting.issued_at));
        if is_login {
            update = update.col_expr(Column::LastLogin, Expr::value(now));
        }
        if is_changed {
            let claimed = &sighting.claimed;
            update = update
                .col_expr(Column::Email, Expr::value(claimed.email.clone()))
                .col_expr(Column::EmailVerified, Expr::value(claimed.email_verified))
                .col_expr(Column::Name, Expr::value(claimed.name.clone()))
                .col_expr(Column::Picture, Expr::value(claimed.picture.clone()))
                .col_expr(Column::UpdatedAt, Expr::value(now));
        }
        update.exec(&self.writes).await?;
        Ok(account)
    }

    /// The owner's profile.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when it was erased, and what the database says.
    pub async fn profile(&self, owner: &Owner) -> Result<Profile, StoreError> {
        let row = Entity::find_by_id(owner.id().uuid())
            .one(&self.reads)
            .await?;
        row.map(profile).ok_or(StoreError::AccountDeleted)
    }

    /// Changes what the owner may change, and gives the profile after it.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when it was erased, and what the database says.
    pub async fn change_profile(
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

    /// Erases the owner's account and every row that belongs to it. One that was closed meanwhile
    /// stays: who is shut out must not be able to come back as somebody new.
    ///
    /// # Errors
    /// [`StoreError::AccountDeleted`] when it was erased or closed already: the user may have
    /// another one since. And what the database says.
    pub async fn erase(&self, owner: &Owner) -> Result<(), StoreError> {
        let delete = Entity::delete_many()
            .filter(Column::Id.eq(owner.id().uuid()))
            .filter(Column::IsActive.eq(true));
        let deleted = delete.exec(&self.writes).await?;
        if deleted.rows_affected == 0 {
            Err(StoreError::AccountDeleted)
        } else {
            Ok(())
        }
    }

    /// Whether an owner who has nothing is still there: replicas remember accounts for seconds, and
    /// another one may have erased this account and made the user a new one, with rows of its
    /// own.
    pub(super) async fn is_there(&self, owner: &Owner) -> Result<(), StoreError> {
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

fn newcomer(sighting: &AccountUpsert<'_>) -> ActiveModel {
    let claimed = sighting.claimed.clone();
    let now = sighting.now.column();
    ActiveModel {
        // Version 7: later accounts have greater keys, which lists are ordered by.
        id: Set(Uuid::now_v7()),
        identity: Set(sighting.identity.as_bytes().to_vec()),
        issuer: Set(sighting.issuer.to_owned()),
        subject: Set(sighting.subject.to_owned()),
        email: Set(claimed.email),
        email_verified: Set(claimed.email_verified),
        name: Set(claimed.name),
        picture: Set(claimed.picture),
        chosen_name: Set(None),
        chosen_picture: Set(None),
        is_active: Set(true),
        session: Set(sighting.session.as_bytes().to_vec()),
        claims_at: Set(sighting.issued_at),
        last_login: Set(now),
        created_at: Set(now),
        updated_at: Set(now),
    }
}

fn claimed(row: &Model) -> IdpProfile {
    IdpProfile {
        email: row.email.clone(),
        email_verified: row.email_verified,
        name: row.name.clone(),
        picture: row.picture.clone(),
    }
}

pub(super) fn profile(row: Model) -> Profile {
    Profile {
        id: row.id,
        issuer: row.issuer,
        subject: row.subject,
        email: row.email,
        email_verified: row.email_verified,
        name: row.chosen_name.or(row.name),
        picture: row.chosen_picture.or(row.picture),
        is_active: row.is_active,
        last_login: DbTimestamp::of(row.last_login).into(),
        created_at: DbTimestamp::of(row.created_at).into(),
        updated_at: DbTimestamp::of(row.updated_at).into(),
    }
}
