//! From a request to a principal: ready at once whenever no key has to be fetched.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{HttpMessage, HttpRequest, web::Data};

use super::{bearer, challenge::Refused};
use crate::{
    auth::{
        error::{Refusal, Rejection},
        verified::Verified,
        verifier::{PendingVerification, Verification},
    },
    bearward::Bearward,
};

/// What an extractor makes of a verified token.
pub(super) trait FromToken: Sized + 'static {
    fn convert(verified: Verified, token: &str) -> Result<Self, Rejection>;

    /// What stands for no token at all, where that is allowed.
    fn anonymous() -> Option<Self> {
        None
    }
}

/// An extraction, ready unless a fetch is needed.
pub struct Extracting<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T, Refused>>),
    Pending(Pin<Box<dyn Future<Output = Result<T, Refused>>>>),
}

/// The evidence that a scope's guard leaves for the extractors behind it. Private, so that nothing else can leave one.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) auth: Bearward,
    pub(super) verified: Verified,
    /// The token that this is the evidence of: what the request holds may have been rewritten between the guard and the extractor.
    pub(super) token: Rc<str>,
}

/// The token of a request, checked as far as possible without waiting.
pub(super) enum Authentication<'r> {
    Done(Result<(Verified, &'r str), Refusal>),
    Pending(PendingVerification),
}

pub(super) fn authenticate<'r>(request: &'r HttpRequest, auth: &Bearward) -> Authentication<'r> {
    let token = match bearer::token(request, &auth.manners) {
        Ok(token) => token,
        Err(rejection) => return Authentication::Done(Err(Bearward::count(rejection.into()))),
    };
    match auth.try_verify(token) {
        Verification::Ready(result) => Authentication::Done(result.map(|verified| (verified, token))),
        Verification::Pending(pending) => Authentication::Pending(pending),
    }
}

/// What `T` makes of a verified token; its refusals are the route's, and counted as such.
pub(super) fn convert<T: FromToken>(verified: Verified, token: &str) -> Result<T, Refusal> {
    let evidence = verified.clone();
    T::convert(verified, token).map_err(|rejection| Bearward::count(evidence.refusal(rejection)))
}

pub(super) fn extract<T: FromToken>(request: &HttpRequest) -> Extracting<T> {
    let guarded = request.extensions().get::<Guarded>().cloned();
    if let Some(Guarded { auth, verified, token }) = guarded {
        return Extracting::ready(convert(verified, &token).map_err(|refusal| Refused::new(refusal, request, Some(&auth))));
    }
    let Some(auth) = application(request) else {
        return Extracting::ready(Err(Refused::new(Rejection::NotConfigured.into(), request, None)));
    };
    match authenticate(request, auth) {
        Authentication::Done(result) => Extracting::ready(conclude(result, request, auth)),
        Authentication::Pending(pending) => {
            let (request, auth) = (request.clone(), auth.clone());
            Extracting(State::Pending(Box::pin(async move {
                let verified = pending.await;
                let token = bearer::token(&request, &auth.manners).map_err(Refusal::from);
                let result = verified.and_then(|verified| Ok((verified, token?)));
                conclude(result, &request, &auth)
            })))
        }
    }
}

fn conclude<T: FromToken>(
    result: Result<(Verified, &str), Refusal>,
    request: &HttpRequest,
    auth: &Bearward,
) -> Result<T, Refused> {
    let result = match (result, T::anonymous()) {
        (Err(refusal), Some(anonymous)) if refusal.rejection == Rejection::NoToken => return Ok(anonymous),
        (result, _) => result,
    };
    result.and_then(|(verified, token)| convert(verified, token)).map_err(|refusal| Refused::new(refusal, request, Some(auth)))
}

/// `app_data(auth)` or `app_data(web::Data::new(auth))`: both are natural, so both work.
fn application(request: &HttpRequest) -> Option<&Bearward> {
    request.app_data::<Bearward>().or_else(|| request.app_data::<Data<Bearward>>().map(|data| &***data))
}

impl<T> Extracting<T> {
    fn ready(result: Result<T, Refused>) -> Self {
        Self(State::Ready(Some(result)))
    }
}

// Nothing here is pinned in place: the pending future is pinned in its box.
impl<T> Unpin for Extracting<T> {}

impl<T> Future for Extracting<T> {
    type Output = Result<T, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            State::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Extracting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extracting")
    }
}
