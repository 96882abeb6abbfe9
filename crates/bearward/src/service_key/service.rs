//! The proof that a service key was verified: only the verifier creates it.

use std::{fmt, sync::Arc};

use crate::{
    clock::Timestamp,
    error::{AuthError, AuthFailure},
};

/// A verified machine caller: the name and the scopes of the [`ServiceKey`](crate::ServiceKey) that
/// a request carries.
///
/// There is no public constructor, so a value proves that the key was verified. It is cheap to
/// clone. With the feature `actix`, it is an extractor: a route whose handler has this parameter
/// requires a service key.
///
/// ```
/// # #[cfg(feature = "actix")] mod example {
/// use actix_web::{Responder, post};
/// use bearward::Service;
///
/// #[post("/jobs/nightly")]
/// async fn nightly(service: Service) -> impl Responder {
///     format!("started by {}", service.name())
/// }
/// # }
/// ```
///
/// The key is sent as `Authorization: Bearer bwk_…` or as `apikey: bwk_…`. Both headers may carry
/// the same key; two different credentials are rejected with 400.
///
/// # Errors
/// As an extractor, the error is an [`AuthRejection`](crate::AuthRejection): 401 if there is no
/// credential or the key is invalid, 403 ([`AuthError::ServiceRequired`]) for a valid token of a
/// user, otherwise as for [`Principal`](crate::Principal).
///
/// # Security
/// It does not check what the service may do: use [`Require<R, Service>`](crate::Require) or
/// [`require_scope`](Self::require_scope).
#[derive(Clone)]
pub struct Service(Arc<AcceptedKey>);

/// One accepted key.
pub(super) struct AcceptedKey {
    pub(super) name: Arc<str>,
    /// See [`Service::key_id`].
    pub(super) id: Box<str>,
    pub(super) scopes: Arc<[Box<str>]>,
    pub(super) expires: Option<Timestamp>,
    pub(super) accepted: metrics::Counter,
}

impl Service {
    pub(super) fn new(key: Arc<AcceptedKey>) -> Self {
        Self(key)
    }

    pub(super) fn count_accepted(&self) {
        self.0.accepted.increment(1);
    }

    /// Returns the name of the service.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the id of the key that was sent: the first 8 hexadecimal digits of its SHA-256
    /// digest. It distinguishes the keys of a service while one replaces the other, and is safe to
    /// log.
    pub fn key_id(&self) -> &str {
        &self.0.id
    }

    /// Returns the scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter().map(AsRef::as_ref)
    }

    /// Returns the time from which the key is rejected; `None` if there is none.
    ///
    /// It is not checked again after extraction: connections that outlive a request must.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires
    }

    /// Returns whether the service has a scope. The comparison is case-sensitive.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|held| held == scope)
    }

    /// Requires all of the space-separated `scopes`. The comparison is case-sensitive.
    ///
    /// # Errors
    /// [`AuthError::InsufficientScope`] (403) if one of them is missing.
    pub fn require_scope(&self, scopes: &str) -> Result<(), AuthError> {
        if scopes.split(' ').all(|scope| self.has_scope(scope)) {
            Ok(())
        } else {
            Err(AuthError::InsufficientScope {
                required: scopes.into(),
            })
        }
    }

    /// Adds the name of the service and the key id to an error, for logs and metrics.
    pub fn failure(&self, error: AuthError) -> AuthFailure {
        AuthFailure {
            service: Some(Arc::clone(&self.0.name)),
            ..AuthFailure::new(error, None, Some(self.key_id()))
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name())
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AcceptedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedKey")
            .field("name", &self.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
