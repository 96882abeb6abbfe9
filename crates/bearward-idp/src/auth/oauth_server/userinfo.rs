//! `GET` and `POST /oauth/userinfo` (OpenID Connect Core §5.3).

use actix_web::{HttpResponse, web::Data};

use super::{error::OAuthError, id_token::user_claims};
use crate::auth::{
    bearer::AnyAudienceSession, error::AuthApiError, service::AuthService, session::ClientGrant,
};

/// Returns the claims of the user that the scope of the session releases.
///
/// # Errors
/// 401 `invalid_token` without a valid access token of a session. An ID token has no session.
pub(crate) async fn userinfo(
    auth: Data<AuthService>,
    bearer: Result<AnyAudienceSession, AuthApiError>,
) -> Result<HttpResponse, OAuthError> {
    let invalid = OAuthError::invalid_token("This endpoint requires a valid access token");
    let bearer = bearer.map_err(|_| invalid.clone())?.0;
    let claims = auth.read(|state, _| {
        let session = state.session(bearer.session_id?)?;
        let scope = session
            .client
            .as_ref()
            .map(|grant: &ClientGrant| &grant.scope);
        let user = state.user(bearer.user_id)?;
        Some(user_claims(user, scope.map_or("", String::as_str)))
    });
    let claims = claims.await.ok_or(invalid)?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .json(claims))
}
