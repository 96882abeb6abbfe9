//! Services for unit tests of handlers.

use actix_web::{Error, FromRequest, dev::Payload, test::TestRequest};
use bearward::{Bearward, NewServiceKey, Service, ServiceKey};
use futures_util::FutureExt;

use super::mock_idp::MockIdp;

/// Creates a service for the unit test of a handler, without configuration and keys.
///
/// ```
/// use bearward::{Caller, Service};
/// use bearward_testing::service;
///
/// async fn nightly(service: Service) -> String {
///     format!("started by {}", service.name())
/// }
///
/// async fn report(caller: Caller) -> bool {
///     caller.has_scope("reports:write")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(nightly(service("cron").build()).await, "started by cron");
/// assert!(report(service("cron").scope("reports:write").extract()).await);
/// # }
/// ```
///
/// # Security
/// Such a test does not show that the route requires a service key: send a request without one for
/// that.
pub fn service(name: &str) -> ServiceBuilder {
    ServiceBuilder {
        name: name.to_owned(),
        scopes: String::new(),
    }
}

/// Builds a service. Created by [`service`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ServiceBuilder {
    name: String,
    scopes: String,
}

impl ServiceBuilder {
    /// Sets the scopes, separated by spaces.
    pub fn scope(self, scopes: &str) -> Self {
        Self {
            scopes: scopes.to_owned(),
            ..self
        }
    }

    /// Returns the service.
    ///
    /// # Panics
    /// If the name or a scope is invalid.
    pub fn build(self) -> Service {
        self.extract()
    }

    /// Returns the value of another extractor for this service, such as
    /// [`Caller`](bearward::Caller) or [`Require<R, Service>`](bearward::Require).
    ///
    /// # Panics
    /// If the extractor rejects the service.
    pub fn extract<T: FromRequest>(self) -> T {
        let request = self.request().to_http_request();
        let extracted = T::from_request(&request, &mut Payload::None).now_or_never();
        match extracted.expect("the extractor has to wait; call it with `request()` instead") {
            Ok(value) => value,
            Err(error) => {
                let error: Error = error.into();
                panic!("the extractor rejects this service: {error}")
            }
        }
    }

    /// Returns a request of this service with the verifier in its `app_data`.
    ///
    /// # Panics
    /// If the name or a scope is invalid.
    #[must_use]
    pub fn request(self) -> TestRequest {
        let key = NewServiceKey::generate();
        let service = ServiceKey::new(&self.name)
            .and_then(|service| service.scope(&self.scopes))
            .and_then(|service| service.sha256(&key.sha256()))
            .expect("a valid name and valid scopes");
        let auth = Bearward::builder()
            .issuer(MockIdp::offline().as_issuer())
            .service_key(service)
            .build()
            .now_or_never()
            .expect("fixed keys are available immediately")
            .expect("a valid configuration");
        TestRequest::default()
            .insert_header(("authorization", format!("Bearer {}", key.expose())))
            .app_data(auth)
    }
}
