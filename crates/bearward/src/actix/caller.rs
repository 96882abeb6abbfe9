//! The extractor of a caller that is a user or a service.

use std::fmt;

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{
    extract::{ExtractFuture, FromIdentity, extract},
    principal::Principal,
    rejection::AuthRejection,
};
use crate::{
    claims::{CustomClaims, NoCustomClaims},
    error::{AuthError, AuthFailure},
    service_key::Service,
    verified::Verified,
};

/// An extractor for the caller of a request: a user with a valid token, or a service with a valid
/// [service key](crate::ServiceKey).
///
/// ```
/// use actix_web::{Error, Responder, post};
/// use bearward::Caller;
///
/// #[post("/reports")]
/// async fn create_report(caller: Caller) -> Result<impl Responder, Error> {
///     caller.require_scope("reports:write")?;
///     Ok(match caller {
///         Caller::User(user) => format!("created by user {}", user.subject()),
///         Caller::Service(service) => format!("created by service {}", service.name()),
///     })
/// }
/// ```
///
/// [`Require<R, Caller>`](super::Require) also checks a requirement.
///
/// # Errors
/// The error is an [`AuthRejection`]: 401 if there is no credential or it is invalid, otherwise as
/// for [`Principal`].
///
/// # Security
/// A service has no account: do not use its name as the id of a user.
pub enum Caller<C: CustomClaims = NoCustomClaims> {
    /// A user, or a client with a token of an issuer; see [`Verified::is_machine`].
    User(Principal<C>),
    /// A service with a service key.
    Service(Service),
}

impl<C: CustomClaims> Caller<C> {
    /// Returns the scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let (user, service) = match self {
            Self::User(user) => (Some(user.claims().scopes()), None),
            Self::Service(service) => (None, Some(service.scopes())),
        };
        user.into_iter()
            .flatten()
            .chain(service.into_iter().flatten())
    }

    /// Returns whether the caller has a scope. The comparison is case-sensitive.
    pub fn has_scope(&self, scope: &str) -> bool {
        match self {
            Self::User(user) => user.has_scope(scope),
            Self::Service(service) => service.has_scope(scope),
        }
    }

    /// Requires all of the space-separated `scopes`. The comparison is case-sensitive.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] (403) if one of them is missing.
    pub fn require_scope(&self, scopes: &str) -> Result<(), AuthError> {
        match self {
            Self::User(user) => user.require_scope(scopes),
            Self::Service(service) => service.require_scope(scopes),
        }
    }

    /// Adds what is known about the caller to an error, for logs and metrics.
    pub fn failure(&self, error: AuthError) -> AuthFailure {
        match self {
            Self::User(user) => user.failure(error),
            Self::Service(service) => service.failure(error),
        }
    }

    /// Returns the user; `None` for a service.
    pub fn user(&self) -> Option<&Principal<C>> {
        match self {
            Self::User(user) => Some(user),
            Self::Service(_) => None,
        }
    }

    /// Returns the service; `None` for a user.
    pub fn service(&self) -> Option<&Service> {
        match self {
            Self::User(_) => None,
            Self::Service(service) => Some(service),
        }
    }
}

impl<C: CustomClaims + Clone> Clone for Caller<C> {
    fn clone(&self) -> Self {
        match self {
            Self::User(user) => Self::User(user.clone()),
            Self::Service(service) => Self::Service(service.clone()),
        }
    }
}

impl<C: CustomClaims> fmt::Debug for Caller<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => f.debug_tuple("User").field(user).finish(),
            Self::Service(service) => f.debug_tuple("Service").field(service).finish(),
        }
    }
}

impl<C: CustomClaims> FromRequest for Caller<C> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: CustomClaims> FromIdentity for Caller<C> {
    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        Principal::from_user(verified, request).map(Self::User)
    }

    fn from_service(service: Service) -> Result<Self, AuthFailure> {
        Ok(Self::Service(service))
    }
}
