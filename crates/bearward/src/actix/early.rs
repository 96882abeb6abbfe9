//! Authentication before the handler, for middleware that needs the caller.

use std::rc::Rc;

use actix_web::{HttpMessage, HttpRequest};

use super::{
    caller::Caller,
    credential,
    extract::{Authentication, Identity, authenticate, convert},
    rejection::AuthRejection,
};
use crate::{bearward::Bearward, error::AuthFailure};

/// The result of [`Bearward::authenticate_early`], which extractors and guards reuse for the same token.
pub(super) struct EarlyAuthentication {
    auth: Bearward,
    /// `None` if the request's credentials cannot be read.
    pub(super) token: Option<Box<str>>,
    pub(super) result: Result<Identity, AuthFailure>,
}

impl EarlyAuthentication {
    /// Returns the result of this verifier; `None` if no middleware has authenticated the request.
    pub(super) fn from_request(request: &HttpRequest, auth: &Bearward) -> Option<Rc<Self>> {
        let extensions = request.extensions();
        let early = extensions.get::<Rc<Self>>()?;
        early.auth.ptr_eq(auth).then(|| Rc::clone(early))
    }
}

impl Bearward {
    /// Authenticates a request before its handler, for a middleware that needs the caller, for
    /// example a rate limit per user. Returns `None` if the request has no token.
    ///
    /// The middleware does not have to reject the request: extractors and guards of the route
    /// return the same caller or the same rejection, without verifying the token and counting the
    /// rejection again. A route without them stays public.
    ///
    /// ```
    /// use actix_web::{
    ///     Error, body::MessageBody, dev::{ServiceRequest, ServiceResponse}, middleware::Next, web::Data,
    /// };
    /// use bearward::{Bearward, Caller};
    ///
    /// async fn log_caller(
    ///     request: ServiceRequest,
    ///     next: Next<impl MessageBody>,
    /// ) -> Result<ServiceResponse<impl MessageBody>, Error> {
    ///     if let Some(auth) = request.app_data::<Data<Bearward>>()
    ///         && let Ok(Some(caller)) = auth.authenticate_early(request.request()).await
    ///     {
    ///         match caller {
    ///             Caller::User(user) => println!("{} from {}", user.subject(), user.issuer()),
    ///             Caller::Service(service) => println!("service {}", service.name()),
    ///         }
    ///     }
    ///     next.call(request).await
    /// }
    /// ```
    ///
    /// # Errors
    /// The [`AuthRejection`] that [`Caller`] would return, except for a missing token.
    ///
    /// # Security
    /// The request is not protected: without an extractor or a guard, the handler runs for every
    /// request that the middleware passes on.
    pub async fn authenticate_early(
        &self,
        request: &HttpRequest,
    ) -> Result<Option<Caller>, AuthRejection> {
        let result = match authenticate(request, self) {
            Authentication::Missing => return Ok(None),
            Authentication::Rejected(failure) => Err(failure),
            Authentication::Done(result) => result,
            Authentication::Pending(pending) => {
                pending.finish(request, self).await.map(Identity::User)
            }
        };
        if EarlyAuthentication::from_request(request, self).is_none() {
            let credential = credential::credential(request, &self.http).ok();
            let early = EarlyAuthentication {
                auth: self.clone(),
                token: credential.map(|credential| credential.token.into()),
                result: result.clone(),
            };
            request.extensions_mut().insert(Rc::new(early));
        }
        result
            .and_then(|identity| convert(identity, request))
            .map(Some)
            .map_err(|failure| self.reject(request, failure))
    }
}
