//! The extractor of a principal that meets a requirement.

use std::{fmt, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{
    extract::{ExtractFuture, FromVerified, extract},
    principal::Principal,
    rejection::AuthRejection,
};
use crate::{
    error::AuthFailure,
    verified::{Requirement, Verified},
};

/// An extractor for the caller of a request who meets the requirement `R`.
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::{AuthError, NoCustomClaims, Require, Requirement, Verified};
///
/// struct Admin;
///
/// impl Requirement for Admin {
///     type Claims = NoCustomClaims;
///     fn check(user: &Verified) -> Result<(), AuthError> {
///         user.require_role("admin")
///     }
/// }
///
/// #[get("/reports")]
/// async fn reports(admin: Require<Admin>) -> impl Responder {
///     format!("reports for {}", admin.subject())
/// }
/// ```
///
/// # Errors
/// Same as [`Principal`], and the error that [`Requirement::check`] returns: 403 for a role, a
/// scope or a condition of the application, 401 for the assurance level (RFC 9470).
pub struct Require<R: Requirement>(Principal<R::Claims>);

impl<R: Requirement> Require<R> {
    /// Returns the principal.
    pub fn into_inner(self) -> Principal<R::Claims> {
        self.0
    }
}

impl<R: Requirement> Deref for Require<R> {
    type Target = Principal<R::Claims>;

    fn deref(&self) -> &Principal<R::Claims> {
        &self.0
    }
}

impl<R: Requirement<Claims: Clone>> Clone for Require<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Requirement> fmt::Debug for Require<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Require").field(&self.0).finish()
    }
}

impl<R: Requirement> FromRequest for Require<R> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<R: Requirement> FromVerified for Require<R> {
    fn from_verified(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        let principal = Principal::from_verified(verified, request)?;
        match R::check(&principal) {
            Ok(()) => Ok(Self(principal)),
            Err(error) => Err(principal.failure(error)),
        }
    }
}
