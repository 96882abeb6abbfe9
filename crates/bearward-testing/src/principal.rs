//! Callers for unit tests of handlers.

use std::sync::LazyLock;

use actix_web::{Error, FromRequest, dev::Payload, test::TestRequest};
use bearward::{Bearward, CustomClaims, Principal};
use futures_util::FutureExt;
use serde_json::Value;

use super::{mock_idp::MockIdp, token::TokenBuilder};

/// The issuer and the verifier of all callers of this process.
static OFFLINE: LazyLock<(MockIdp, Bearward)> = LazyLock::new(|| {
    let idp = MockIdp::offline();
    let auth = Bearward::builder()
        .issuer(idp.as_issuer())
        .build()
        .now_or_never()
        .expect("fixed keys are available immediately")
        .expect("a valid configuration");
    (idp, auth)
});

/// Creates a caller for the unit test of a handler, without an identity provider, keys or tokens.
///
/// ```
/// use bearward::{Principal, Require};
/// use bearward_testing::principal;
/// # use bearward::{AuthError, NoCustomClaims, Requirement, Verified};
/// # struct Admin;
/// # impl Requirement for Admin {
/// #     type Claims = NoCustomClaims;
/// #     fn check(user: &Verified) -> Result<(), AuthError> { user.require_role("admin") }
/// # }
///
/// async fn orders(user: Principal) -> String {
///     format!("orders of {}", user.subject())
/// }
///
/// async fn reports(admin: Require<Admin>) -> String {
///     format!("reports for {}", admin.subject())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ada = principal().subject("ada").build();
/// assert_eq!(orders(ada).await, "orders of ada");
///
/// let admin = principal().subject("ada").role("admin").extract::<Require<Admin>>();
/// assert_eq!(reports(admin).await, "reports for ada");
/// # }
/// ```
///
/// The value is a real one: behind the scenes a token is signed and verified, because nothing but a
/// verifier can create a [`Verified`](bearward::Verified).
///
/// # Security
/// Such a test does not show that the route requires authentication: send a request without a token
/// for that.
pub fn principal() -> PrincipalBuilder {
    PrincipalBuilder(OFFLINE.0.token())
}

/// Builds a caller. Created by [`principal`].
#[derive(Debug, Clone)]
#[must_use]
pub struct PrincipalBuilder(TokenBuilder);

impl PrincipalBuilder {
    /// Sets the subject.
    pub fn subject(self, subject: &str) -> Self {
        Self(self.0.sub(subject))
    }

    /// Sets the email address.
    pub fn email(self, email: &str) -> Self {
        Self(self.0.email(email))
    }

    /// Sets the only role.
    pub fn role(self, role: &str) -> Self {
        Self(self.0.role(role))
    }

    /// Sets the roles.
    pub fn roles<'a>(self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        Self(self.0.roles(roles))
    }

    /// Sets the scopes, separated by spaces.
    pub fn scope(self, scope: &str) -> Self {
        Self(self.0.scope(scope))
    }

    /// Sets the assurance level, for example `aal2`.
    pub fn aal(self, level: &str) -> Self {
        Self(self.0.aal(level))
    }

    /// Sets any claim.
    pub fn claim(self, name: &str, value: impl Into<Value>) -> Self {
        Self(self.0.claim(name, value))
    }

    /// Returns the caller.
    ///
    /// # Panics
    /// If the claims are invalid, for example an empty subject.
    pub fn build(self) -> Principal {
        self.extract()
    }

    /// Returns the caller with custom claims.
    ///
    /// # Panics
    /// If the claims do not match `C`.
    pub fn build_as<C: CustomClaims>(self) -> Principal<C> {
        self.extract()
    }

    /// Returns the value of another extractor for this caller, such as
    /// [`Require<R>`](bearward::Require).
    ///
    /// # Panics
    /// If the extractor rejects the caller, or if it has to wait.
    pub fn extract<T: FromRequest>(self) -> T {
        let request = self.request().to_http_request();
        let extracted = T::from_request(&request, &mut Payload::None).now_or_never();
        match extracted.expect("the extractor has to wait; call it with `request()` instead") {
            Ok(value) => value,
            Err(error) => {
                let error: Error = error.into();
                panic!("the extractor rejects this caller: {error}")
            }
        }
    }

    /// Returns a request of this caller with the verifier in its `app_data`, for extractors that
    /// need more than the caller.
    #[must_use]
    pub fn request(self) -> TestRequest {
        TestRequest::default()
            .insert_header(("authorization", format!("Bearer {}", self.0.sign())))
            .app_data(OFFLINE.1.clone())
    }
}
