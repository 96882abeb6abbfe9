//! Finds the service of a key.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use metrics::counter;

use super::{
    Digest, ServiceKey, ServiceKeyError, ServiceKeyProblem, format,
    service::{AcceptedKey, Service},
};
use crate::{
    clock::Timestamp,
    error::{AuthError, AuthFailure},
};

/// The accepted keys. Never empty.
#[derive(Debug)]
pub(crate) struct ServiceKeys {
    keys: Vec<(Digest, Arc<AcceptedKey>)>,
}

impl ServiceKeys {
    /// Returns the keys of the services; `None` if there is no service.
    pub(crate) fn new(services: &[ServiceKey]) -> Result<Option<Self>, ServiceKeyError> {
        let mut keys: Vec<(Digest, Arc<AcceptedKey>)> = Vec::new();
        for (index, service) in services.iter().enumerate() {
            let name = || service.name.to_string();
            if service.digests.is_empty() {
                return Err(ServiceKeyError::NoDigest(name()));
            }
            if services[..index]
                .iter()
                .any(|other| other.name == service.name)
            {
                return Err(ServiceKeyError::DoubledName(name()));
            }
            let service_name: Arc<str> = service.name.as_ref().into();
            let scopes: Arc<[Box<str>]> = service.scopes.as_slice().into();
            for digest in &service.digests {
                if let Some((_, other)) = keys.iter().find(|(known, _)| known == digest) {
                    return Err(ServiceKeyError::DoubledDigest(
                        other.name.to_string(),
                        name(),
                    ));
                }
                let key = AcceptedKey {
                    name: Arc::clone(&service_name),
                    id: format::key_id(digest).into(),
                    scopes: Arc::clone(&scopes),
                    expires: service.expires,
                    accepted: counter!(
                        "bearward_service_keys_total",
                        "service" => Arc::clone(&service_name),
                        "outcome" => "accepted"
                    ),
                };
                keys.push((*digest, Arc::new(key)));
            }
        }
        Ok((!keys.is_empty()).then_some(Self { keys }))
    }

    /// Verifies a key. The comparison takes the same time for every digest, and all digests are
    /// compared. A mistyped key is not hashed.
    ///
    /// Accepted keys are counted; rejected ones are not.
    pub(crate) fn verify(&self, key: &str, now: Timestamp) -> Result<Service, AuthFailure> {
        if !format::is_well_formed(key) {
            return Err(AuthError::ServiceKey(ServiceKeyProblem::Mistyped).into());
        }
        let digest = format::digest(key);
        let mut found = None;
        for (known, accepted) in &self.keys {
            if verify_slices_are_equal(known, &digest).is_ok() {
                found = Some(accepted);
            }
        }
        let service = Service::new(Arc::clone(
            found.ok_or(AuthError::ServiceKey(ServiceKeyProblem::Unknown))?,
        ));
        match service.expires_at() {
            Some(at) if now >= at => {
                let expired = ServiceKeyProblem::Expired { at, now };
                Err(service.failure(AuthError::ServiceKey(expired)))
            }
            _ => {
                service.count_accepted();
                Ok(service)
            }
        }
    }
}
