//! `/api/auth/google`: where to sign in with Google, and signing in with a Google ID token.

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    web::Data,
};
use bearward::{AuthRejection, Bearward, RequestId};
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{ApiError, body::FieldReader, current_user, openapi::ErrorEnvelope};
use crate::{accounts::Accounts, domain::Profile, settings::CorsOrigin};

/// Where users sign in: the identity provider's authorization endpoint, and who may be returned to.
#[derive(Debug, Clone)]
pub struct GoogleSignIn {
    authorize: Option<Url>,
    origins: Vec<CorsOrigin>,
}

impl GoogleSignIn {
    /// `authorize` is the endpoint of an issuer that offers Google; without one the route answers
    /// 404.
    pub fn new(authorize: Option<Url>, origins: Vec<CorsOrigin>) -> Self {
        Self { authorize, origins }
    }

    /// A place that a browser may be sent back to: its origin is one of `server.cors_origins`.
    fn place(&self, text: &str) -> Result<Url, String> {
        let wanted = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
        });
        let listed = |url: &Url| {
            self.origins
                .iter()
                .any(|origin| origin.as_str() == url.origin().ascii_serialization())
        };
        wanted.filter(listed).ok_or_else(|| {
            "must be a URL of an origin (scheme://host:port) that the operator lists in server.cors_origins".to_owned()
        })
    }
}

/// Where a browser goes to sign in.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct SignInUrl {
    #[schema(example = "https://abc.supabase.co/auth/v1/authorize?provider=google")]
    url: String,
}

/// A Google ID token.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes what Fields reads")]
pub(super) struct GoogleCredential {
    /// The ID token that Google's button gives.
    #[schema(min_length = 1, example = "eyJhbGciOiJSUzI1NiIs...")]
    credential: String,
    /// May be sent, is not looked at.
    #[schema(value_type = Option<serde_json::Value>)]
    user: Option<serde_json::Value>,
}

/// Where to sign in with Google
///
/// The authorization endpoint of the configured identity provider.
#[utoipa::path(
    get, path = "/api/auth/google", operation_id = "signInAddress", tag = "sign-in", security(()),
    params(("redirect_to" = Option<String>, Query, description = "Where to come back to; its origin must be one of `server.cors_origins`", example = "http://localhost:3000/auth/callback")),
    responses(
        (status = 200, description = "The address", body = inline(SignInUrl)),
        (status = 404, description = "No configured issuer offers it", body = ErrorEnvelope)
    )
)]
pub(super) async fn address(
    sign_in: Data<GoogleSignIn>,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let mut query = FieldReader::of_query(&request);
    let place = query.optional("redirect_to", |text| sign_in.place(&text));
    query.finish(Some(()))?;
    let Some(mut url) = sign_in.authorize.clone() else {
        let message = "no configured issuer offers signing in with Google by redirect; send a Google ID token with POST instead";
        return Err(ApiError::new(
            &request,
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            message,
        ));
    };
    url.query_pairs_mut().append_pair("provider", "google");
    if let Some(place) = place {
        url.query_pairs_mut()
            .append_pair("redirect_to", place.as_str());
    }
    Ok(HttpResponse::Ok().json(SignInUrl { url: url.into() }))
}

/// The user, in the names that this route has always had.
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

/// What a login is answered with.
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
/// What stands beside the credential is not looked at.
#[utoipa::path(
    post, path = "/api/auth/google", operation_id = "signInWithGoogle", tag = "sign-in", security(()), request_body = GoogleCredential,
    responses((status = 200, description = "The user that the credential names", body = Login))
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
    let credential = body.text("credential", |text| {
        if text.is_empty() {
            Err("must not be empty")
        } else {
            Ok(text)
        }
    });
    // What a client says of the user is never looked at: the credential says it, signed.
    body.ignore("user");
    let credential = body
        .finish(credential)
        .map_err(|problem| problem.error_response())?;
    let refused = |refusal| AuthRejection::new(refusal, request, Some(auth)).error_response();
    let verified = auth.verify_credential(&credential).await.map_err(refused)?;
    let owner = accounts
        .admit(auth, &verified, &credential)
        .await
        .map_err(|error| current_user::refused(request, auth, error))?;
    let profile = accounts.store().profile(&owner).await;
    profile.map(GoogleUser::from).map_err(|error| {
        ApiError::of_store(RequestId::from_request(request), &error).error_response()
    })
}
