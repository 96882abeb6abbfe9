//! The extractor of a principal that meets a requirement.

use std::{fmt, marker::PhantomData, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{
    caller::Caller,
    extract::{ExtractFuture, FromIdentity, extract},
    principal::Principal,
    rejection::AuthRejection,
};
use crate::{
    error::AuthFailure,
    service_key::Service,
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
/// A second parameter accepts services: `Require<R, Service>` only those, `Require<R, Caller>` both.
/// [`Requirement::check_service`] decides about a service, and rejects it by default.
///
/// ```
/// use actix_web::{Responder, post};
/// use bearward::{AuthError, Caller, NoCustomClaims, Require, Requirement, Service, Verified};
///
/// struct WriteReports;
///
/// impl Requirement for WriteReports {
///     type Claims = NoCustomClaims;
///     fn check(user: &Verified) -> Result<(), AuthError> {
///         user.require_scope("reports:write")
///     }
///     fn check_service(service: &Service) -> Result<(), AuthError> {
///         service.require_scope("reports:write")
///     }
/// }
///
/// #[post("/reports")]
/// async fn create_report(caller: Require<WriteReports, Caller>) -> impl Responder {
///     match caller.into_inner() {
///         Caller::User(user) => format!("created by user {}", user.subject()),
///         Caller::Service(service) => format!("created by service {}", service.name()),
///     }
/// }
/// ```
///
/// # Errors
/// Same as [`Principal`], and the error that [`Requirement::check`] returns: 403 for a role, a
/// scope or a condition of the application, 401 for the assurance level (RFC 9470).
pub struct Require<R: Requirement, C = Principal<<R as Requirement>::Claims>> {
    caller: C,
    requirement: PhantomData<fn() -> R>,
}

impl<R: Requirement, C> Require<R, C> {
    fn new(caller: C) -> Self {
        Self {
            caller,
            requirement: PhantomData,
        }
    }

    /// Returns the principal, or the other kind of caller that the type names.
    pub fn into_inner(self) -> C {
        self.caller
    }
}

impl<R: Requirement, C> Deref for Require<R, C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.caller
    }
}

impl<R: Requirement, C: Clone> Clone for Require<R, C> {
    fn clone(&self) -> Self {
        Self::new(self.caller.clone())
    }
}

impl<R: Requirement, C: fmt::Debug> fmt::Debug for Require<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Require").field(&self.caller).finish()
    }
}

impl<R: Requirement> FromRequest for Require<R> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<R: Requirement> FromRequest for Require<R, Service> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<R: Requirement> FromRequest for Require<R, Caller<R::Claims>> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<R: Requirement> FromIdentity for Require<R> {
    const SCOPES: &'static str = R::SCOPES;

    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        let principal = Principal::from_user(verified, request)?;
        check_user::<R>(&principal)?;
        Ok(Self::new(principal))
    }
}

impl<R: Requirement> FromIdentity for Require<R, Service> {
    const SCOPES: &'static str = R::SCOPES;

    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        Service::from_user(verified, request).map(Self::new)
    }

    fn from_service(service: Service) -> Result<Self, AuthFailure> {
        check_service::<R>(&service)?;
        Ok(Self::new(service))
    }
}

impl<R: Requirement> FromIdentity for Require<R, Caller<R::Claims>> {
    const SCOPES: &'static str = R::SCOPES;

    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        let principal = Principal::from_user(verified, request)?;
        check_user::<R>(&principal)?;
        Ok(Self::new(Caller::User(principal)))
    }

    fn from_service(service: Service) -> Result<Self, AuthFailure> {
        check_service::<R>(&service)?;
        Ok(Self::new(Caller::Service(service)))
    }
}

fn check_user<R: Requirement>(user: &Principal<R::Claims>) -> Result<(), AuthFailure> {
    R::check(user).map_err(|error| user.failure(error))
}

fn check_service<R: Requirement>(service: &Service) -> Result<(), AuthFailure> {
    R::check_service(service).map_err(|error| service.failure(error))
}
