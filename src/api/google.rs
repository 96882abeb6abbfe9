//! `/api/auth/google`: the sign-in URL of the identity provider, and sign-in with a Google ID
//! token.

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    web::Data,
};
use bearward::{Bearward, RequestId};
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{
    ApiError,
    body::FieldReader,
    current_user,
    schema::{AccountErrors, BodyErrors, ErrorEnvelope, ParameterErrors, ServerErrors},
};
use crate::{accounts::Accounts, audit::RequestOrigin, domain::Profile, settings::CorsOrigin};

/// The configuration of sign-in by redirect: the authorization endpoint and the origins that users
/// may be redirected to.
#[derive(Debug, Clone)]
pub struct GoogleSignIn {
    authorization_endpoint: Option<Url>,
    allowed_origins: Vec<CorsOrigin>,
}

impl GoogleSignIn {
    /// Creates the configuration. Without an authorization endpoint the route answers 404.
    pub fn new(authorization_endpoint: Option<Url>, allowed_origins: Vec<CorsOrigin>) -> Self {
        Self {
            authorization_endpoint,
            allowed_origins,
        }
    }

    /// Parses a redirect target. Its origin must be in `server.cors_origins`, and it must not
    /// contain a user name or a password.
    fn validate_redirect(&self, text: &str) -> Result<Url, &'static str> {
        let is_allowed = |url: &Url| {
            let origin = url.origin().ascii_serialization();
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && self
                    .allowed_origins
                    .iter()
                    .any(|allowed| allowed.as_str() == origin)
        };
        Url::parse(text)
            .ok()
            .filter(is_allowed)
            .ok_or("must be a URL whose origin (scheme://host:port) is in server.cors_origins")
    }
}

/// The URL that starts the sign-in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SignInUrl {
    #[schema(example = "https://abc.supabase.co/auth/v1/authorize?provider=google")]
    url: String,
}

/// A Google ID token.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what FieldReader reads")]
pub(super) struct GoogleCredential {
    /// The ID token from Google's sign-in button.
    #[schema(min_length = 1, example = "eyJhbGciOiJSUzI1NiIs...")]
    credential: String,
    /// Accepted and ignored.
    #[schema(value_type = Option<serde_json::Value>)]
    user: Option<serde_json::Value>,
}

/// Get the URL of the sign-in with Google
///
/// Returns the authorization endpoint of the configured identity provider.
#[utoipa::path(
    get, path = "/api/auth/google", operation_id = "signInAddress", tag = "sign-in", security(()),
    params(("redirect_to" = Option<String>, Query, description = "Where the user returns after the sign-in; its origin must be in `server.cors_origins`", example = "http://localhost:3000/auth/callback")),
    responses(
        ServerErrors,
        ParameterErrors,
        (status = 200, description = "The URL", body = inline(SignInUrl)),
        (status = 404, description = "No configured issuer supports sign-in by redirect", body = ErrorEnvelope)
    )
)]
pub(super) async fn sign_in_url(
    sign_in: Data<GoogleSignIn>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let mut query = FieldReader::from_query(&request);
    let redirect_to = query.optional("redirect_to", |text| sign_in.validate_redirect(&text));
    query.validate(Some(()))?;
    let Some(mut url) = sign_in.authorization_endpoint.clone() else {
        return Err(ApiError::new(
            &request,
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "no configured issuer supports sign-in with Google by redirect; POST a Google ID token instead",
        ));
    };
    url.query_pairs_mut().append_pair("provider", "google");
    if let Some(redirect_to) = redirect_to {
        url.query_pairs_mut()
            .append_pair("redirect_to", redirect_to.as_str());
    }
    Ok(HttpResponse::Ok().json(SignInUrl { url: url.into() }))
}

/// The user, with the member names that clients of this endpoint expect.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GoogleUser {
    id: Uuid,
    #[schema(example = "108204268033311374519")]
    google_id: String,
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    picture: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Profile> for GoogleUser {
    fn from(profile: Profile) -> Self {
        Self {
            id: profile.id,
            google_id: profile.subject,
            email: profile.email,
            name: profile.name,
            picture: profile.picture,
            created_at: profile.created_at,
            updated_at: profile.updated_at,
        }
    }
}

/// The response to a sign-in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Login {
    #[schema(example = true)]
    success: bool,
    user: GoogleUser,
    #[schema(example = "Login successful")]
    message: &'static str,
}

/// Sign in with a Google ID token
///
/// Only the credential is used; other user data in the body is ignored.
#[utoipa::path(
    post, path = "/api/auth/google", operation_id = "signInWithGoogle", tag = "sign-in", security(()), request_body = GoogleCredential,
    responses(
        AccountErrors,
        BodyErrors,
        (status = 200, description = "The user that the credential identifies", body = Login)
    )
)]
pub(super) async fn sign_in(
    auth: Data<Bearward>,
    accounts: Data<Accounts>,
    request: HttpRequest,
    body: FieldReader,
) -> HttpResponse {
    match login(&auth, &accounts, &request, body).await {
        Ok(user) => {
            let mut response = HttpResponse::Ok().json(Login {
                success: true,
                user,
                message: "Login successful",
            });
            response
                .headers_mut()
                .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(response) => response,
    }
}

async fn login(
    auth: &Bearward,
    accounts: &Accounts,
    request: &HttpRequest,
    mut body: FieldReader,
) -> Result<GoogleUser, HttpResponse> {
    let credential = body.string("credential", |text| {
        if text.is_empty() {
            Err("must not be empty")
        } else {
            Ok(text)
        }
    });
    // Unsigned user data from the client is not trusted; the credential contains it, signed.
    body.skip("user");
    let credential = body
        .validate(credential)
        .map_err(|error| error.error_response())?;
    let verified = auth
        .verify_credential(&credential)
        .await
        .map_err(|failure| auth.error_response(request, failure))?;
    let origin = RequestOrigin::of(request);
    let owner = accounts.admit(&verified, &origin).await.map_err(|error| {
        current_user::admission_error(origin.request_id.clone(), &error).error_response()
    })?;
    let profile = accounts.store().profile(&owner).await;
    profile.map(GoogleUser::from).map_err(|error| {
        ApiError::from_store(RequestId::from_request(request), &error).error_response()
    })
}
