//! The extractors: a handler with one of these as a parameter is a protected route.

use std::{fmt, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{
    challenge::AuthRejection,
    extract::{ExtractFuture, FromToken, extract},
};
use crate::{
    claims::{CustomClaims, NoCustomClaims},
    error::AuthFailure,
    verified::{Requirement, Verified},
};

/// Who sent this request: a route whose handler has this as a parameter is protected.
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::Principal;
///
/// #[get("/orders")]
/// async fn orders(user: Principal) -> impl Responder {
///     format!("the orders of {}", user.subject())
/// }
/// ```
///
/// `Principal<MyClaims>` reads the payload as a type of one's own too, found under
/// [`own`](Verified::custom):
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::Principal;
///
/// #[derive(serde::Deserialize)]
/// struct MyClaims {
///     tenant: String,
/// }
///
/// #[get("/invoices")]
/// async fn invoices(user: Principal<MyClaims>) -> impl Responder {
///     format!("the invoices of {}", user.custom().tenant)
/// }
/// ```
///
/// Put it first among the parameters: actix-web asks them in their order, so that a stranger is
/// then refused before the body is looked at. One case is left: while the issuer's keys are being
/// fetched for this very request, a later parameter that can refuse at once (`Json`, by the content
/// type) does so first. A [`Guard`](super::Guard) around the scope comes before every parameter,
/// always.
///
/// # Errors
/// The extractor refuses with [`AuthRejection`]:
///
/// | status | when |
/// |---|---|
/// | 401 | no token was sent, or a bad one, or its payload is no `C`; with a challenge |
/// | 400 | two tokens were sent |
/// | 403 | the token is in the cookie, and an unlisted origin sent it with a method that may change something |
/// | 503 | the issuer's keys cannot be had; with `Retry-After` |
/// | 500 | the application holds no [`Bearward`](crate::Bearward); the log says what to add |
///
/// # What it does not check
/// Whether this user may do what the route does: that is [`Require`]'s, or the handler's. Whether
/// the user still exists at the issuer: a token lives until it expires or its key is withdrawn. Do
/// not write `Option<Principal>`: actix-web turns every refusal into `None` there;
/// [`MaybePrincipal`] does not.
pub struct Principal<C: CustomClaims = NoCustomClaims>(Verified<C>);

/// Who sent this request, if anybody says so: `None` only when no token was sent; a bad one is
/// still refused.
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::MaybePrincipal;
///
/// #[get("/feed")]
/// async fn feed(user: MaybePrincipal) -> impl Responder {
///     match user.as_ref() {
///         Some(user) => format!("the feed of {}", user.subject()),
///         None => "the feed for everybody".to_owned(),
///     }
/// }
/// ```
///
/// An Authorization header of another scheme than Bearer (`Basic`, say) and an empty cookie are no
/// token.
///
/// # Errors
/// As [`Principal`], apart from the missing token.
pub struct MaybePrincipal<C: CustomClaims = NoCustomClaims>(Option<Principal<C>>);

/// Who sent this request, and meets the requirement `R`.
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::{AuthError, Require, Requirement, NoCustomClaims, Verified};
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
/// As [`Principal`], and what [`Requirement::check`] refuses with: 403 for a role, a scope or a
/// requirement of one's own, 401 for the level of authentication (RFC 9470).
pub struct Require<R: Requirement>(Principal<R::Claims>);

impl<C: CustomClaims> Principal<C> {
    /// The evidence itself.
    pub fn into_inner(self) -> Verified<C> {
        self.0
    }
}

impl<C: CustomClaims> Deref for Principal<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<C: CustomClaims> MaybePrincipal<C> {
    /// The principal, where there is one.
    pub fn as_ref(&self) -> Option<&Principal<C>> {
        self.0.as_ref()
    }

    /// The principal itself, where there is one.
    pub fn into_inner(self) -> Option<Principal<C>> {
        self.0
    }
}

impl<R: Requirement> Require<R> {
    /// The principal.
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

impl<C: CustomClaims + Clone> Clone for Principal<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: CustomClaims + Clone> Clone for MaybePrincipal<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: Requirement<Claims: Clone>> Clone for Require<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// As [`Verified`]'s: the subject and the issuer, no other claim.
impl<C: CustomClaims> fmt::Debug for Principal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.0).finish()
    }
}

impl<C: CustomClaims> fmt::Debug for MaybePrincipal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MaybePrincipal").field(&self.0).finish()
    }
}

impl<R: Requirement> fmt::Debug for Require<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Require").field(&self.0).finish()
    }
}

impl<C: CustomClaims> FromRequest for Principal<C> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: CustomClaims> FromRequest for MaybePrincipal<C> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<R: Requirement> FromRequest for Require<R> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: CustomClaims> FromToken for Principal<C> {
    fn convert(verified: Verified, token: &str) -> Result<Self, AuthFailure> {
        verified.with_custom_claims(token).map(Self)
    }
}

impl<C: CustomClaims> FromToken for MaybePrincipal<C> {
    fn convert(verified: Verified, token: &str) -> Result<Self, AuthFailure> {
        Principal::convert(verified, token).map(|principal| Self(Some(principal)))
    }

    fn anonymous() -> Option<Self> {
        Some(Self(None))
    }
}

impl<R: Requirement> FromToken for Require<R> {
    fn convert(verified: Verified, token: &str) -> Result<Self, AuthFailure> {
        let principal = Principal::convert(verified, token)?;
        match R::check(&principal) {
            Ok(()) => Ok(Self(principal)),
            Err(rejection) => Err(principal.refusal(rejection)),
        }
    }
}
