//! A requirement for a whole scope: `web::scope("/admin").wrap(auth.require::<Admin>())`.

use std::{
    fmt,
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};

use super::{
    challenge::AuthRejection,
    extract::{Authentication, ScopeAuthentication, authenticate, convert, no_token},
    principal::Require,
};
use crate::{
    bearward::Bearward,
    error::AuthFailure,
    verified::{Requirement, Verified},
};

/// The middleware that [`Bearward::require`] makes. It refuses before any handler, extractor or
/// body of its scope is looked at, and before the scope says which routes it has.
pub struct Guard<R> {
    auth: Bearward,
    requirement: PhantomData<fn() -> R>,
}

/// A [`Guard`] around a scope.
pub struct GuardService<R, S> {
    /// Each worker's own: to count the references of the one that they share would make them wait
    /// for each other at every request.
    auth: Rc<Bearward>,
    service: Rc<S>,
    requirement: PhantomData<fn() -> R>,
}

impl Bearward {
    /// A guard around a scope that lets only requests pass that meet `R`; it refuses as
    /// [`Require<R>`](super::Require) does.
    ///
    /// ```
    /// use actix_web::{App, web};
    /// # use bearward::{Bearward, AuthError, Requirement, NoCustomClaims, Verified};
    /// # struct Admin;
    /// # impl Requirement for Admin {
    /// #     type Claims = NoCustomClaims;
    /// #     fn check(user: &Verified) -> Result<(), AuthError> { user.require_role("admin") }
    /// # }
    /// # async fn users() -> &'static str { "" }
    ///
    /// # fn build(auth: Bearward) {
    /// let admin = web::scope("/admin").wrap(auth.require::<Admin>()).route("/users", web::get().to(users));
    /// let app = App::new().service(admin);
    /// # }
    /// ```
    ///
    /// The extractors behind it verify nothing again, and need no `app_data`; where there is one,
    /// it must hold the same `Bearward`.
    ///
    /// A CORS middleware belongs around it, because a preflight request carries no token:
    /// `.wrap(auth.require::<Admin>()).wrap(cors)`, for what is wrapped last is outermost.
    pub fn require<R: Requirement>(&self) -> Guard<R> {
        Guard {
            auth: self.clone(),
            requirement: PhantomData,
        }
    }
}

impl<R, S, B> Transform<S, ServiceRequest> for Guard<R>
where
    R: Requirement,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = GuardService<R, S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(GuardService {
            auth: Rc::new(self.auth.clone()),
            service: Rc::new(service),
            requirement: PhantomData,
        }))
    }
}

impl<R, S, B> Service<ServiceRequest> for GuardService<R, S>
where
    R: Requirement,
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (auth, service) = (Rc::clone(&self.auth), Rc::clone(&self.service));
        Box::pin(async move {
            match admit::<R>(&request, &auth).await {
                Ok((verified, token)) => {
                    request.extensions_mut().insert(ScopeAuthentication {
                        auth,
                        verified,
                        token,
                    });
                    service
                        .call(request)
                        .await
                        .map(ServiceResponse::map_into_left_body)
                }
                Err(refusal) => {
                    // A response, not an error: middleware further out (CORS, access log) then
                    // treats it like any other.
                    let refused = AuthRejection::new(refusal, request.request(), Some(&auth));
                    Ok(request
                        .into_response(refused.error_response())
                        .map_into_right_body())
                }
            }
        })
    }
}

async fn admit<R: Requirement>(
    request: &ServiceRequest,
    auth: &Bearward,
) -> Result<(Verified, Rc<str>), AuthFailure> {
    let (verified, token) = match authenticate(request.request(), auth) {
        Authentication::Nobody => return Err(no_token()),
        Authentication::AuthRejection(refusal) => return Err(refusal),
        Authentication::Done(result, token) => (result?, token),
        Authentication::Pending(pending, token) => (pending.await?, token),
    };
    convert::<Require<R>>(verified.clone(), token)?;
    Ok((verified, token.into()))
}

impl<R> fmt::Debug for Guard<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl<R, S> fmt::Debug for GuardService<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardService")
    }
}
