//! A middleware that authenticates the requests of a scope.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ResourceDef, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};

use super::{
    async_requirement::{self, AsyncRequirement},
    caller::Caller,
    dpop_nonce::add_next_nonce,
    extract::{Authentication, Identity, authenticate, convert, missing_token},
    require::Require,
    scope::{ScopeAuthentication, ScopeOutcome},
};
use crate::{
    bearward::Bearward,
    error::{AuthError, AuthFailure},
    service_key,
    verified::{Requirement, Verified},
};

/// A middleware that accepts only authenticated requests. Created by [`Bearward::guard`],
/// [`Bearward::require`] and [`Bearward::require_async`].
///
/// It authenticates before routing inside its scope, so unknown paths are also 401, and before any
/// extractor reads the request. Handlers and middleware inside find the caller with a
/// [`Principal`](super::Principal) parameter or with
/// [`Principal::of`](super::Principal::of).
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
/// let app = App::new()
///     .service(
///         web::scope("/internal")
///             .wrap(auth.require::<Staff>())
///             .route("/ping", web::get().to(HttpResponse::Ok)),
///     )
///     .wrap(auth.guard().except(["/health", "/assets/{file:.*}"]));
/// # }
/// ```
#[derive(Clone)]
pub struct Guard {
    auth: Bearward,
    policy: Policy,
}

/// The service of a [`Guard`].
pub struct GuardService<S> {
    /// One per worker: workers that share a reference count contend for it with every request.
    auth: Rc<Bearward>,
    policy: Rc<Policy>,
    service: Rc<S>,
}

/// What a guard requires.
#[derive(Clone)]
struct Policy {
    check: Check,
    is_optional: bool,
    accepts_services: bool,
    excepted: Vec<ResourceDef>,
}

/// What a guard requires of a verified token.
#[derive(Clone, Copy)]
enum Check {
    /// Nothing more.
    Valid,
    /// A [`Requirement`].
    Requirement {
        check: fn(Identity, &HttpRequest) -> Result<(), AuthFailure>,
        /// The scopes that the challenges name.
        scopes: &'static str,
    },
    /// An [`AsyncRequirement`].
    Async(fn(Verified, HttpRequest, Bearward) -> CheckFuture),
}

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

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
    pub fn require<R: Requirement>(&self) -> Guard {
        Guard::new(
            self,
            Check::Requirement {
                check: |identity, request| {
                    convert::<Require<R, Caller<R::Claims>>>(identity, request).map(drop)
                },
                scopes: R::SCOPES,
            },
        )
    }

    /// Creates a middleware that accepts only requests with a valid token.
    ///
    /// ```
    /// use actix_web::{App, web};
    /// # use bearward::{Bearward, Principal};
    ///
    /// async fn orders(user: Principal) -> String {
    ///     format!("orders of {}", user.subject())
    /// }
    ///
    /// # fn build(auth: Bearward) {
    /// let app = App::new()
    ///     .wrap(auth.guard().except(["/health"]))
    ///     .route("/orders", web::get().to(orders));
    /// # }
    /// ```
    pub fn guard(&self) -> Guard {
        Guard::new(self, Check::Valid)
    }

    /// Creates a middleware that accepts only requests that meet the asynchronous requirement `R`.
    ///
    /// It rejects with the same responses as [`RequireAsync<R>`](super::RequireAsync).
    ///
    /// ```
    /// use actix_web::web;
    /// # use actix_web::{Error, HttpRequest};
    /// # use bearward::{AsyncRequirement, Bearward, NoCustomClaims, Verified};
    /// # struct Editor;
    /// # impl AsyncRequirement for Editor {
    /// #     type Claims = NoCustomClaims;
    /// #     async fn check(_: &Verified, _: &HttpRequest) -> Result<(), Error> { Ok(()) }
    /// # }
    ///
    /// # fn build(auth: Bearward) {
    /// let drafts = web::scope("/drafts").wrap(auth.require_async::<Editor>());
    /// # }
    /// ```
    pub fn require_async<R: AsyncRequirement>(&self) -> Guard {
        Guard::new(self, Check::Async(async_requirement::check::<R>))
    }
}

impl Guard {
    fn new(auth: &Bearward, check: Check) -> Self {
        Self {
            auth: auth.clone(),
            policy: Policy {
                check,
                is_optional: false,
                accepts_services: false,
                excepted: Vec::new(),
            },
        }
    }

    /// Accepts requests without a token too. A token that is sent must be valid and meet the
    /// requirement.
    ///
    /// [`MaybePrincipal`](super::MaybePrincipal) is empty then, and
    /// [`Principal`](super::Principal) rejects.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.policy.is_optional = true;
        self
    }

    /// Accepts services too, which send a [service key](crate::ServiceKey). With a requirement,
    /// [`Requirement::check_service`] decides. An [`AsyncRequirement`] is for users only.
    ///
    /// Without it, a valid service key is rejected with 403. Extractors inside still decide for
    /// themselves: [`Principal`](super::Principal) rejects a service.
    ///
    /// ```
    /// use actix_web::web;
    /// use bearward::{Bearward, Caller};
    ///
    /// async fn ingest(caller: Caller) -> String {
    ///     match caller {
    ///         Caller::User(user) => format!("from user {}", user.subject()),
    ///         Caller::Service(service) => format!("from service {}", service.name()),
    ///     }
    /// }
    ///
    /// # fn build(auth: Bearward) {
    /// let ingest = web::scope("/ingest")
    ///     .wrap(auth.guard().services())
    ///     .route("", web::post().to(ingest));
    /// # }
    /// ```
    #[must_use]
    pub fn services(mut self) -> Self {
        self.policy.accepts_services = true;
        self
    }

    /// Accepts every request for these paths. Their tokens are not looked at, unless a handler has
    /// an extractor.
    ///
    /// A pattern is written like that of a resource (`/assets/{file:.*}`), is complete (with the
    /// prefix of the scope), and must match the whole path as the request has it. A path that is
    /// only equivalent (`//health`, `/health/`) is not excepted.
    ///
    /// # Panics
    /// If a pattern is malformed.
    ///
    /// # Security
    /// A middleware inside of the guard must not rewrite an excepted path to another one. Prefer
    /// exact paths to patterns.
    #[must_use]
    pub fn except<P: AsRef<str>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        let paths = paths
            .into_iter()
            .map(|path| ResourceDef::new(path.as_ref()));
        self.policy.excepted.extend(paths);
        self
    }
}

impl Policy {
    fn is_excepted(&self, request: &HttpRequest) -> bool {
        let path = request.match_info().as_str();
        self.excepted.iter().any(|pattern| pattern.is_match(path))
    }
}

impl<S, B> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = GuardService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(GuardService {
            auth: Rc::new(self.auth.clone()),
            policy: Rc::new(self.policy.clone()),
            service: Rc::new(service),
        }))
    }
}

impl<S, B> Service<ServiceRequest> for GuardService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (auth, policy) = (Rc::clone(&self.auth), Rc::clone(&self.policy));
        let service = Rc::clone(&self.service);
        Box::pin(async move {
            match authorize(request.request(), &auth, &policy).await {
                Ok(outcome) => {
                    request
                        .extensions_mut()
                        .insert(ScopeAuthentication { auth, outcome });
                    service
                        .call(request)
                        .await
                        .map(add_next_nonce)
                        .map(ServiceResponse::map_into_left_body)
                }
                // A response and not an error, so that outer middleware (CORS, access log)
                // processes it.
                Err(error) => Ok(request.error_response(error).map_into_right_body()),
            }
        })
    }
}

/// Authenticates a request and checks the requirement.
async fn authorize(
    request: &HttpRequest,
    auth: &Bearward,
    policy: &Policy,
) -> Result<ScopeOutcome, Error> {
    if policy.is_excepted(request) {
        return Ok(ScopeOutcome::Excepted);
    }
    let result = match authenticate(request, auth) {
        Authentication::Missing if policy.is_optional => return Ok(ScopeOutcome::Anonymous),
        Authentication::Missing => Err(missing_token()),
        Authentication::Rejected(failure) => Err(failure),
        Authentication::Done(result) => result,
        Authentication::Pending(pending) => pending.finish(request, auth).await.map(Identity::User),
    };
    let scopes = match policy.check {
        Check::Requirement { scopes, .. } => scopes,
        Check::Valid | Check::Async(_) => "",
    };
    let reject = |failure: AuthFailure| auth.reject(request, failure.with_scopes(scopes));
    let identity = result.map_err(reject)?;
    let user_required = |service: &service_key::Service| {
        let failure = service.failure(AuthError::UserRequired);
        Err(reject(Bearward::record_rejection(failure)))
    };
    if let Identity::Service(service) = &identity
        && !policy.accepts_services
    {
        user_required(service)?;
    }
    match (policy.check, &identity) {
        (Check::Valid, _) => {}
        (Check::Requirement { check, .. }, _) => {
            check(identity.clone(), request).map_err(reject)?;
        }
        (Check::Async(check), Identity::User(verified)) => {
            check(verified.clone(), request.clone(), auth.clone()).await?;
        }
        (Check::Async(_), Identity::Service(service)) => user_required(service)?,
    }
    Ok(ScopeOutcome::Verified(identity))
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl<S> fmt::Debug for GuardService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardService")
    }
}
