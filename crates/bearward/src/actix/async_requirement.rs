//! Requirements that need the state of the application, such as roles in a database.

use std::{fmt, future::Future, ops::Deref, pin::Pin};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use super::{
    extract::verifier, principal::Principal, rejection::AuthRejection, scope::ScopeAuthentication,
};
use crate::{
    bearward::Bearward,
    claims::CustomClaims,
    error::{AuthError, AuthFailure},
    verified::Verified,
};

/// A named requirement that needs the state of the application, for example a role in a database.
///
/// A handler requires it with a [`RequireAsync<R>`](RequireAsync) parameter, and a scope with
/// [`Bearward::require_async`]. Use [`Requirement`](crate::Requirement) if the token suffices.
///
/// ```
/// use actix_web::{Error, HttpRequest, Responder, get, web};
/// use bearward::{AsyncRequirement, NoCustomClaims, RequireAsync, Verified};
///
/// # struct Database;
/// # impl Database {
/// #     async fn has_role(&self, _: &str, _: &str) -> std::io::Result<bool> { Ok(true) }
/// # }
/// /// Editors, according to the database.
/// struct Editor;
///
/// impl AsyncRequirement for Editor {
///     type Claims = NoCustomClaims;
///
///     async fn check(user: &Verified, request: &HttpRequest) -> Result<(), Error> {
///         let database = request.app_data::<web::Data<Database>>().expect("a database");
///         let is_editor = database.has_role(user.subject(), "editor").await?;
///         Ok(user.require_that(is_editor, "the role \"editor\"")?)
///     }
/// }
///
/// #[get("/drafts")]
/// async fn drafts(editor: RequireAsync<Editor>) -> impl Responder {
///     format!("drafts for {}", editor.subject())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an asynchronous requirement",
    label = "does not say what it requires",
    note = "implement `bearward::AsyncRequirement` for it; if its `check` needs only the token, implement `bearward::Requirement` and use `bearward::Require`"
)]
pub trait AsyncRequirement: 'static {
    /// The custom claims that [`check`](Self::check) reads;
    /// [`NoCustomClaims`](crate::NoCustomClaims) if it reads none.
    type Claims: CustomClaims;

    /// Checks a verified token against the state of the application, which the request's
    /// `app_data` provides.
    ///
    /// # Errors
    /// The reason for the rejection, which determines the response. An [`AuthError`] becomes an
    /// [`AuthRejection`] with the challenge and the body of the verifier, and is counted. Any other
    /// error is returned as it is: an unavailable database must not be a 401 or 403.
    fn check(
        user: &Verified<Self::Claims>,
        request: &HttpRequest,
    ) -> impl Future<Output = Result<(), Error>>;
}

/// An extractor for the caller of a request who meets the asynchronous requirement `R`. The example
/// of [`AsyncRequirement`] has one.
///
/// # Errors
/// Same as [`Principal`], and the error that [`AsyncRequirement::check`] returns.
pub struct RequireAsync<R: AsyncRequirement>(Principal<R::Claims>);

impl<R: AsyncRequirement> RequireAsync<R> {
    /// Returns the principal.
    pub fn into_inner(self) -> Principal<R::Claims> {
        self.0
    }
}

impl<R: AsyncRequirement> Deref for RequireAsync<R> {
    type Target = Principal<R::Claims>;

    fn deref(&self) -> &Principal<R::Claims> {
        &self.0
    }
}

impl<R: AsyncRequirement> fmt::Debug for RequireAsync<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequireAsync").field(&self.0).finish()
    }
}

impl<R: AsyncRequirement> FromRequest for RequireAsync<R> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = <Principal<R::Claims> as FromRequest>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let principal = principal.await?;
            let scope = ScopeAuthentication::from_request(&request);
            let auth = verifier(&request, scope.as_ref()).ok();
            match R::check(&principal, &request).await {
                Ok(()) => Ok(Self(principal)),
                Err(error) => Err(reject(error, &principal, &request, auth)),
            }
        })
    }
}

/// Checks the requirement for a guard.
pub(super) fn check<R: AsyncRequirement>(
    verified: Verified,
    request: HttpRequest,
    auth: Bearward,
) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
    Box::pin(async move {
        let user = verified
            .with_custom_claims::<R::Claims>()
            .map_err(|failure| auth.reject(&request, Bearward::record_rejection(failure)))?;
        let result = R::check(&user, &request).await;
        result.map_err(|error| reject(error, &user, &request, Some(&auth)))
    })
}

/// Adds the context of the request to an error that this crate defines. Others are unchanged.
fn reject<C>(
    error: Error,
    user: &Verified<C>,
    request: &HttpRequest,
    auth: Option<&Bearward>,
) -> Error {
    let failure = if let Some(cause) = error.as_error::<AuthError>() {
        Bearward::record_rejection(user.failure(cause.clone()))
    } else if let Some(failure) = error.as_error::<AuthFailure>() {
        // It was counted when it was created.
        failure.clone()
    } else {
        return error;
    };
    AuthRejection::new(failure, request, auth).into()
}
