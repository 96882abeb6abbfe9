//! A middleware that applies a requirement to a scope.

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
    extract::{Authentication, ScopeAuthentication, authenticate, convert, missing_token},
    require::Require,
};
use crate::{
    bearward::Bearward,
    error::AuthFailure,
    verified::{Requirement, Verified},
};

/// A middleware that accepts only requests that meet the requirement `R`. Created by
/// [`Bearward::require`].
///
/// It authenticates before routing inside its scope, so unknown paths are also 401, and before any
/// extractor reads the request.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use bearward::{AuthError, Bearward, NoCustomClaims, Requirement, Verified};
///
/// struct Staff;
///
/// impl Requirement for Staff {
///     type Claims = NoCustomClaims;
///     fn check(user: &Verified) -> Result<(), AuthError> {
///         user.require_role("staff")
///     }
/// }
///
/// # fn build(auth: Bearward) {
/// let app = App::new().service(
///     web::scope("/internal")
///         .wrap(auth.require::<Staff>())
///         .route("/ping", web::get().to(HttpResponse::Ok)),
/// );
/// # }
/// ```
pub struct Guard<R> {
    auth: Bearward,
    requirement: PhantomData<fn() -> R>,
}

/// The service of a [`Guard`].
pub struct GuardService<R, S> {
    /// One per worker: workers that share a reference count contend for it with every request.
    auth: Rc<Bearward>,
    service: Rc<S>,
    requirement: PhantomData<fn() -> R>,
}

impl Bearward {
    /// Creates a middleware that accepts only requests that meet the requirement `R`.
    ///
    /// It rejects with the same responses as [`Require<R>`](super::Require).
    ///
    /// ```
    /// use actix_web::{App, web};
    /// # use bearward::{AuthError, Bearward, NoCustomClaims, Requirement, Verified};
    /// # struct Admin;
    /// # impl Requirement for Admin {
    /// #     type Claims = NoCustomClaims;
    /// #     fn check(user: &Verified) -> Result<(), AuthError> { user.require_role("admin") }
    /// # }
    /// # async fn users() -> &'static str { "" }
    ///
    /// # fn build(auth: Bearward) {
    /// let admin = web::scope("/admin")
    ///     .wrap(auth.require::<Admin>())
    ///     .route("/users", web::get().to(users));
    /// let app = App::new().service(admin);
    /// # }
    /// ```
    ///
    /// Extractors inside the scope reuse the verified token and need no `app_data`. If there is
    /// one, it must be the same `Bearward`.
    ///
    /// Preflight requests carry no token, so a CORS middleware must be outside of the guard:
    /// `.wrap(auth.require::<Admin>()).wrap(cors)`, since the middleware that is wrapped last runs
    /// first.
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
            match authorize::<R>(&request, &auth).await {
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
                Err(failure) => {
                    // A response and not an error, so that outer middleware (CORS, access log)
                    // processes it.
                    let rejection = AuthRejection::new(failure, request.request(), Some(&auth));
                    Ok(request
                        .into_response(rejection.error_response())
                        .map_into_right_body())
                }
            }
        })
    }
}

/// Authenticates a request and checks the requirement.
async fn authorize<R: Requirement>(
    request: &ServiceRequest,
    auth: &Bearward,
) -> Result<(Verified, Rc<str>), AuthFailure> {
    let (verified, token) = match authenticate(request.request(), auth) {
        Authentication::Missing => return Err(missing_token()),
        Authentication::Rejected(failure) => return Err(failure),
        Authentication::Done(result, token) => (result?, token),
        Authentication::Pending(pending, token) => (pending.await?, token),
    };
    convert::<Require<R>>(verified.clone(), token, request.request())?;
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
