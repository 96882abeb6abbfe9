//! `/api/admin/users`: lists, enables and disables accounts.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    http::StatusCode,
    web::{Data, Path},
};
use bearward::{AuthError, RequestId, Revocation, Timestamp, Verified};
use uuid::Uuid;

use super::{
    ApiError,
    body::FieldReader,
    current_user::CurrentUser,
    paging::{PageQuery, parse_page_request},
    schema::{AccountErrors, BodyErrors, ErrorEnvelope, ParameterErrors},
};
use crate::{
    accounts::Accounts,
    audit::Action,
    domain::{Administrator, Page, Profile, RevocationEntry, RevocationReason},
    revocations::SharedRevocations,
    settings,
    store::Disabled,
};

/// Who is an administrator: `[admin]` of the configuration.
#[derive(Debug, Clone)]
pub struct Administrators {
    issuers: Vec<String>,
    role: String,
}

impl Administrators {
    /// Creates the requirement from the configuration. Without issuers, no caller meets it.
    pub fn new(settings: &settings::Admin) -> Self {
        Self {
            issuers: settings.issuers.clone(),
            role: settings.role.clone(),
        }
    }

    /// Checks that the token is of a listed issuer and has the role.
    ///
    /// # Errors
    /// [`AuthError::InsufficientRole`]: a caller does not learn which of the two is missing.
    pub(crate) fn check(&self, user: &Verified) -> Result<(), AuthError> {
        let is_trusted = self.issuers.iter().any(|name| name == user.issuer_name());
        if is_trusted && user.has_role(&self.role) {
            Ok(())
        } else {
            Err(AuthError::InsufficientRole {
                required: self.role.as_str().into(),
            })
        }
    }
}

/// The permission for store methods that are not limited to one owner. Used only in endpoints that
/// are mounted with `administration`.
const ADMINISTRATOR: Administrator = Administrator::new();

/// List accounts
///
/// Returns all accounts, newest first.
#[utoipa::path(
    get, path = "/api/admin/users", operation_id = "listUsers", tag = "administration", params(PageQuery),
    responses(AccountErrors, ParameterErrors, (status = 200, description = "A page of accounts", body = Page<Profile>))
)]
pub(super) async fn list(
    user: CurrentUser,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let page_request = parse_page_request(&request)?;
    let page = user
        .with_store(async |store, _| store.users(&ADMINISTRATOR, page_request).await)
        .await?;
    Ok(HttpResponse::Ok().json(page))
}

/// The new status of an account.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct AccountStatus {
    #[schema(example = false)]
    is_active: bool,
}

/// Enable or disable an account
///
/// Disabling an account revokes the tokens of the user on all replicas within two seconds; newer
/// tokens are answered with 403. Enabling it does not make revoked tokens valid again: the user signs
/// in, or refreshes the session. Administrators cannot
/// disable their own account, and of two who disable each other at the same time one succeeds, so
/// the last one cannot be locked out.
#[utoipa::path(
    patch, path = "/api/admin/users/{id}", operation_id = "setUserActive", tag = "administration", request_body = AccountStatus,
    params(("id" = String, Path, description = "The account's `id`", format = Uuid)),
    responses(
        AccountErrors,
        BodyErrors,
        (status = 200, description = "The updated account", body = Profile),
        (status = 404, description = "No account has this id", body = ErrorEnvelope),
        (status = 409, description = "The account is the caller's own, or the caller's was disabled meanwhile", body = ErrorEnvelope)
    )
)]
pub(super) async fn set_active(
    user: CurrentUser,
    accounts: Data<Accounts>,
    list: Data<SharedRevocations>,
    request: HttpRequest,
    id: Path<String>,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    let is_active = body.bool("is_active");
    let is_active = body.validate(is_active)?;
    let not_found =
        || ApiError::not_found(RequestId::from_request(&request), "no account has this id");
    let id = Uuid::try_parse(&id).map_err(|_| not_found())?;
    let now = user.now();
    let profile = if is_active {
        user.with_store(async |store, _| store.enable(&ADMINISTRATOR, id, now).await)
            .await?
            .ok_or_else(not_found)?
    } else {
        let entry = |account: &Profile| disabled_entry(&list, account, user.clock_time());
        let disabled = user
            .with_store(async |store, owner| {
                store.disable(&ADMINISTRATOR, owner, id, now, entry).await
            })
            .await?;
        match disabled {
            Disabled::Done(profile) => {
                let entries: Vec<RevocationEntry> = entry(&profile).into_iter().collect();
                list.stored(&entries).await;
                profile
            }
            Disabled::NotFound => return Err(not_found()),
            // Roles are in tokens, so the caller is the only account that is known to be an
            // administrator's.
            Disabled::OwnAccount => {
                return Err(last_administrator(
                    &request,
                    "you cannot disable your own account, which may be the last administrator's; another administrator or `bearward admin disable` can",
                ));
            }
            Disabled::CallerDisabled => {
                // The cache still has the account as enabled.
                user.invalidate().await;
                return Err(last_administrator(
                    &request,
                    "your own account was disabled meanwhile, so the other one may be the last administrator's",
                ));
            }
        }
    };
    accounts.invalidate(&profile.issuer, &profile.subject).await;
    let action = if is_active {
        Action::AccountEnabled
    } else {
        Action::AccountDisabled
    };
    user.record(action, &profile.id.to_string());
    Ok(HttpResponse::Ok().json(profile))
}

/// Returns the entry that revokes the tokens of a disabled account.
fn disabled_entry(
    list: &SharedRevocations,
    account: &Profile,
    now: Timestamp,
) -> Option<RevocationEntry> {
    let revocation = Revocation::subject(&account.issuer, &account.subject, now);
    list.entry(&revocation, RevocationReason::AccountDisabled, None)
}

fn last_administrator(request: &HttpRequest, message: &'static str) -> ApiError {
    ApiError::new(request, StatusCode::CONFLICT, "LAST_ADMINISTRATOR", message)
}
