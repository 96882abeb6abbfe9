//! From a request to a principal: ready at once whenever no key has to be fetched.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{HttpMessage, HttpRequest, web::Data};

use super::{bearer, challenge::AuthRejection};
use crate::{
    bearward::Bearward,
    error::{AuthError, AuthFailure},
    verified::Verified,
    verifier::{PendingVerification, Verification},
};

/// What an extractor makes of a verified token.
pub(super) trait FromToken: Sized + 'static {
    fn convert(verified: Verified, token: &str) -> Result<Self, AuthFailure>;

    /// What stands for no token at all, where that is allowed.
    fn anonymous() -> Option<Self> {
        None
    }
}

/// An extraction, ready unless a fetch is needed.
pub struct ExtractFuture<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T, AuthRejection>>),
    Pending(Pin<Box<dyn Future<Output = Result<T, AuthRejection>>>>),
}

/// The evidence that a scope's guard leaves for the extractors behind it. Private, so that nothing
/// else can leave one.
///
/// It holds the token too: a middleware between the two may have put another one into the header,
/// which nobody has verified.
#[derive(Clone)]
pub struct ScopeAuthentication {
    /// The verifier.
    pub auth: Rc<Bearward>,
    /// The verified token.
    pub verified: Verified,
    /// The token as sent.
    pub token: Rc<str>,
}

impl ScopeAuthentication {
    /// What the guard around this request's scope has left.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

/// The token of a request, checked as far as possible without waiting. A refusal has been counted.
pub(super) enum Authentication<'r> {
    /// No token was sent; not counted yet, because a route may serve strangers.
    Nobody,
    Done(Result<Verified, AuthFailure>, &'r str),
    AuthRejection(AuthFailure),
    Pending(PendingVerification, &'r str),
}

pub(super) fn authenticate<'r>(request: &'r HttpRequest, auth: &Bearward) -> Authentication<'r> {
    let token = match bearer::token(request, &auth.challenge) {
        Ok(token) => token,
        Err(AuthError::NoToken) => return Authentication::Nobody,
        Err(rejection) => {
            return Authentication::AuthRejection(Bearward::record_rejection(rejection.into()));
        }
    };
    match auth.try_verify(token) {
        Verification::Ready(result) => Authentication::Done(result, token),
        Verification::Pending(pending) => Authentication::Pending(pending, token),
    }
}

/// The refusal of a request without a token, counted.
pub(super) fn no_token() -> AuthFailure {
    Bearward::record_rejection(AuthError::NoToken.into())
}

/// What `T` makes of a verified token; its refusals are the route's, and counted as such.
pub(super) fn convert<T: FromToken>(verified: Verified, token: &str) -> Result<T, AuthFailure> {
    T::convert(verified, token).map_err(Bearward::record_rejection)
}

pub(super) fn extract<T: FromToken>(request: &HttpRequest) -> ExtractFuture<T> {
    let guarded = request.extensions().get::<ScopeAuthentication>().cloned();
    let auth = match verifier(request, guarded.as_ref().map(|guarded| &*guarded.auth)) {
        Ok(auth) => auth,
        Err(remedy) => {
            tracing::error!(
                route = request.match_pattern(),
                "a route asks for a principal, and {remedy}"
            );
            return ExtractFuture::ready(Err(AuthRejection::new(
                Bearward::record_rejection(AuthError::NotConfigured.into()),
                request,
                None,
            )));
        }
    };
    if let Some(ScopeAuthentication {
        verified, token, ..
    }) = &guarded
    {
        let result = convert(verified.clone(), token);
        return ExtractFuture::ready(
            result.map_err(|refusal| AuthRejection::new(refusal, request, Some(auth))),
        );
    }
    let result = match authenticate(request, auth) {
        Authentication::Nobody => T::anonymous().ok_or_else(no_token),
        Authentication::AuthRejection(refusal) => Err(refusal),
        Authentication::Done(result, token) => result.and_then(|verified| convert(verified, token)),
        Authentication::Pending(pending, token) => {
            let (request, auth, token) = (request.clone(), auth.clone(), Box::<str>::from(token));
            return ExtractFuture(State::Pending(Box::pin(async move {
                let result = pending.await.and_then(|verified| convert(verified, &token));
                result.map_err(|refusal| AuthRejection::new(refusal, &request, Some(&auth)))
            })));
        }
    };
    ExtractFuture::ready(result.map_err(|refusal| AuthRejection::new(refusal, request, Some(auth))))
}

/// A refusal that a handler has decided on after its extractor: counted, and with the challenge of
/// those who verified the token.
pub fn refuse(request: &HttpRequest, refusal: AuthFailure) -> AuthRejection {
    let guarded = request.extensions().get::<ScopeAuthentication>().cloned();
    let auth = verifier(request, guarded.as_ref().map(|guarded| &*guarded.auth)).ok();
    AuthRejection::new(Bearward::record_rejection(refusal), request, auth)
}

/// The guard's, `app_data(auth)` or `app_data(web::Data::new(auth))`: each is natural, so each
/// works. Different ones do not: which of them stands nearest to the route cannot be asked, and a
/// guess could let the wrong issuers in.
fn verifier<'a>(
    request: &'a HttpRequest,
    guard: Option<&'a Bearward>,
) -> Result<&'a Bearward, &'static str> {
    let shared = request.app_data::<Data<Bearward>>().map(|data| &***data);
    let mut known = [guard, request.app_data::<Bearward>(), shared]
        .into_iter()
        .flatten();
    let auth = known
        .next()
        .ok_or("the application holds no Bearward: add .app_data(auth.clone()) to the App")?;
    if known.all(|other| other.ptr_eq(auth)) {
        Ok(auth)
    } else {
        Err(
            "two different ones reach it, by a guard, by app_data(auth) or by app_data(web::Data::new(auth)): give its scope the one it is \
             meant to use, with .app_data(auth.clone())",
        )
    }
}

impl<T> ExtractFuture<T> {
    fn ready(result: Result<T, AuthRejection>) -> Self {
        Self(State::Ready(Some(result)))
    }
}

// Nothing here is pinned in place: the pending future is pinned in its box.
impl<T> Unpin for ExtractFuture<T> {}

impl<T> Future for ExtractFuture<T> {
    type Output = Result<T, AuthRejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            State::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for ExtractFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extracting")
    }
}
