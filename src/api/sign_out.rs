//! `POST /api/auth/sign-out`: revokes the tokens of the caller.

use actix_web::{HttpResponse, Responder, web::Data};
use bearward::{Revocation, Timestamp, Verified};

use super::{
    ApiError,
    body::{FieldReader, invalid_field},
    current_user::CurrentUser,
    revocations::add,
    schema::{AccountErrors, BodyErrors},
    user::all_tokens,
};
use crate::{
    audit::Action,
    domain::{RevocationReason, SessionId},
    revocations::SharedRevocations,
};

/// Which sessions of the caller end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase", example = "global")]
pub(super) enum SignOutScope {
    /// The session of the request's token.
    Local,
    /// All other sessions.
    Others,
    /// All sessions.
    Global,
}

impl SignOutScope {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "local" => Ok(Self::Local),
            "others" => Ok(Self::Others),
            "global" => Ok(Self::Global),
            _ => Err("must be \"local\", \"others\" or \"global\""),
        }
    }
}

/// What to sign out.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct SignOut {
    #[schema(inline)]
    scope: SignOutScope,
}

/// Sign out
///
/// Revokes the access tokens of the caller's session, of all other sessions, or of all sessions, on
/// every replica within two seconds. Tokens that are issued after the response are accepted. Does
/// not end the session at the identity provider: sign out there first.
#[utoipa::path(
    post, path = "/api/auth/sign-out", operation_id = "signOut", tag = "account", request_body = SignOut,
    responses(AccountErrors, BodyErrors, (status = 204, description = "The tokens are revoked"))
)]
pub(super) async fn sign_out(
    user: CurrentUser,
    list: Data<SharedRevocations>,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    let scope = body.string("scope", |text| SignOutScope::parse(&text));
    let scope = body.validate(scope)?;
    let caller = user.verified();
    let issued_before = SharedRevocations::issued_before(caller, user.clock_time());
    let revocations = revocations(caller, scope, issued_before)
        .map_err(|problem| invalid_field(user.request_id(), "scope", problem))?;
    let entries = revocations
        .iter()
        .filter_map(|entry| list.entry(entry, RevocationReason::SignOut, Some(caller)))
        .collect();
    // First the rows: if that fails, nothing is revoked and the caller can repeat the request.
    end_sessions(&user, scope).await?;
    add(&list, entries, user.request_id()).await?;
    user.record(Action::SignedOut, scope_name(scope));
    if scope != SignOutScope::Local {
        list.wait_for_next_second(issued_before).await;
    }
    Ok(HttpResponse::NoContent())
}

/// Removes the sessions from the caller's list. The caller's own one stays ended.
async fn end_sessions(user: &CurrentUser, scope: SignOutScope) -> Result<(), ApiError> {
    let current = SessionId::from_claims(user.verified().claims()).map(SessionId::hash);
    user.with_store(async |store, owner| {
        if let Some(current) = current.filter(|_| scope != SignOutScope::Others) {
            store.end_session(owner, &current).await?;
        }
        if scope != SignOutScope::Local {
            store.forget_sessions(owner, current.as_ref()).await?;
        }
        Ok(())
    })
    .await
}

fn scope_name(scope: SignOutScope) -> &'static str {
    match scope {
        SignOutScope::Local => "local",
        SignOutScope::Others => "others",
        SignOutScope::Global => "global",
    }
}

/// Returns what to revoke, or why the token does not suffice.
fn revocations(
    caller: &Verified,
    scope: SignOutScope,
    issued_before: Timestamp,
) -> Result<Vec<Revocation>, &'static str> {
    let (issuer, claims) = (caller.canonical_issuer(), caller.claims());
    let session = claims.session_id();
    match (scope, session) {
        (SignOutScope::Local, Some(session)) => Ok(vec![Revocation::session(issuer, session)]),
        (SignOutScope::Local, None) => match claims.token_id() {
            Some(jti) => Ok(vec![Revocation::token(issuer, jti)]),
            None => Err("\"local\" needs a token with session_id or jti; use \"global\""),
        },
        (SignOutScope::Others, Some(session)) => {
            let subject = Revocation::subject(issuer, caller.subject(), issued_before);
            Ok(vec![subject.except_session(session)])
        }
        (SignOutScope::Others, None) => {
            Err("\"others\" needs a token with session_id; use \"global\"")
        }
        (SignOutScope::Global, _) => Ok(all_tokens(caller, issued_before)),
    }
}
