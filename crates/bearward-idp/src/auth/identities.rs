//! `/user/identities`: links a provider's identity to the current user, and unlinks it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    authorize::{self, AuthorizeQuery},
    bearer::BearerSession,
    error::AuthApiError,
    redirect_response,
    service::AuthService,
};

/// Starts linking: redirects to the consent page, or answers with its URL.
pub(crate) async fn link(
    request: HttpRequest,
    auth: Data<AuthService>,
    bearer: BearerSession,
    query: Query<AuthorizeQuery>,
) -> Result<HttpResponse, AuthApiError> {
    check_enabled(&auth)?;
    let path = authorize::start(&request, &auth, &query, Some(bearer.user_id)).await?;
    if query.skip_http_redirect.as_deref() == Some("true") {
        let connection = request.connection_info();
        let url = format!("{}://{}{path}", connection.scheme(), connection.host());
        return Ok(HttpResponse::Ok().json(json!({ "url": url })));
    }
    Ok(redirect_response::redirect(StatusCode::FOUND, &path))
}

/// Removes an identity. The last one stays.
pub(crate) async fn unlink(
    auth: Data<AuthService>,
    bearer: BearerSession,
    identity_id: Path<String>,
) -> Result<HttpResponse, AuthApiError> {
    check_enabled(&auth)?;
    let id = Uuid::parse_str(&identity_id)
        .map_err(|_| AuthApiError::new(404, "validation_failed", "identity_id must be an UUID"))?;
    auth.update(|state, now| {
        state.unlink_identity(bearer.user_id, id, now)?;
        Ok(HttpResponse::Ok().json(json!({})))
    })
    .await
}

fn check_enabled(auth: &AuthService) -> Result<(), AuthApiError> {
    if auth.options.manual_linking {
        return Ok(());
    }
    Err(AuthApiError::new(
        404,
        "manual_linking_disabled",
        "Manual linking is disabled",
    ))
}
