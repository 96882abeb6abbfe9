//! Authenticates a request for the extractors and guards, without waiting if possible.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{HttpMessage, HttpRequest, web::Data};

use super::{
    credential,
    dpop_nonce::set_next_nonce,
    early::EarlyAuthentication,
    rejection::AuthRejection,
    scope::{ScopeAuthentication, ScopeOutcome},
};
use crate::{
    bearward::Bearward,
    client_certificate::ClientCertificate,
    dpop::{ProofRequest, Scheme},
    error::{AuthError, AuthFailure},
    service_key::Service,
    verified::Verified,
    verifier::{PendingVerification, Verification},
};

/// The verified caller of a request.
#[derive(Clone)]
pub(super) enum Identity {
    User(Verified),
    Service(Service),
}

/// A type that extractors create from a verified caller.
pub(super) trait FromIdentity: Sized + 'static {
    /// The scopes that the challenges name.
    const SCOPES: &'static str = "";

    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure>;

    /// Services are rejected unless the type is meant for them.
    fn from_service(service: Service) -> Result<Self, AuthFailure> {
        Err(service.failure(AuthError::UserRequired))
    }

    /// The value for a request without a token; `None` if a token is required.
    fn anonymous(_request: &HttpRequest) -> Option<Self> {
        None
    }
}

/// The future of the extractors. It is ready unless keys must be fetched first.
pub struct ExtractFuture<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T, AuthRejection>>),
    Pending(Pin<Box<dyn Future<Output = Result<T, AuthRejection>>>>),
}

/// The result of authenticating a request without waiting. Failures have been counted.
pub(super) enum Authentication {
    /// The request has no token. That is not counted yet, because the route may allow it.
    Missing,
    /// The request's credentials cannot be used.
    Rejected(AuthFailure),
    /// The token or service key was verified or rejected.
    Done(Result<Identity, AuthFailure>),
    /// Keys must be fetched first.
    Pending(PendingAuthentication),
}

/// An authentication that waits for keys, and the proof to check afterwards.
pub(super) struct PendingAuthentication {
    verification: PendingVerification,
    proof: Option<Rc<ProofRequest>>,
}

impl PendingAuthentication {
    /// Waits for the keys.
    pub(super) async fn finish(
        self,
        request: &HttpRequest,
        auth: &Bearward,
    ) -> Result<Verified, AuthFailure> {
        let result = self.verification.await;
        let result = result.and_then(|user| check_resource(user, request, auth));
        match self.proof {
            None => result,
            Some(proof) => result.and_then(|user| check_proof(user, &proof, request, auth)),
        }
    }
}

pub(super) fn authenticate(request: &HttpRequest, auth: &Bearward) -> Authentication {
    let early = EarlyAuthentication::from_request(request, auth);
    let credential = match credential::credential(request, &auth.http) {
        Ok(credential) => credential,
        Err(AuthError::NoToken) => return Authentication::Missing,
        Err(error) => {
            let failure = AuthFailure::from(error);
            let is_counted =
                early.is_some_and(|early| early.result.as_ref().err() == Some(&failure));
            return Authentication::Rejected(if is_counted {
                failure
            } else {
                Bearward::record_rejection(failure)
            });
        }
    };
    if let Some(early) = early
        && early.token.as_deref() == Some(credential.token)
    {
        let result = early.result.clone();
        return Authentication::Done(
            result.and_then(|identity| check_identity(identity, request, auth)),
        );
    }
    if credential.scheme == Scheme::Dpop {
        return authenticate_bound(request, auth, credential.token);
    }
    if let Some(result) = auth.try_service_key(credential.token) {
        if let Ok(service) = &result {
            request.extensions_mut().insert(service.clone());
        }
        return Authentication::Done(result.map(Identity::Service));
    }
    match auth.try_verify_with(credential.token, || client_certificate(request)) {
        Verification::Ready(result) => Authentication::Done(
            result
                .and_then(|user| check_resource(user, request, auth))
                .map(Identity::User),
        ),
        Verification::Pending(verification) => Authentication::Pending(PendingAuthentication {
            verification,
            proof: None,
        }),
    }
}

/// Verifies a token with the scheme `DPoP` and its proof.
fn authenticate_bound(request: &HttpRequest, auth: &Bearward, token: &str) -> Authentication {
    let proof = credential::proof(request, auth);
    match auth.try_verify_bound(token, || client_certificate(request)) {
        Verification::Ready(result) => {
            let result = result.and_then(|user| check_resource(user, request, auth));
            let result = result.and_then(|user| check_proof(user, &proof, request, auth));
            Authentication::Done(result.map(Identity::User))
        }
        Verification::Pending(verification) => Authentication::Pending(PendingAuthentication {
            verification,
            proof: Some(proof),
        }),
    }
}

/// Checks a proof, and stores the nonce for the response in the request.
fn check_proof(
    user: Verified,
    proof: &ProofRequest,
    request: &HttpRequest,
    auth: &Bearward,
) -> Result<Verified, AuthFailure> {
    let (user, next_nonce) = auth.check_proof(user, proof)?;
    if let Some(nonce) = next_nonce {
        set_next_nonce(request, &nonce);
    }
    Ok(user)
}

/// Returns the client certificate of a request, or else of its connection.
fn client_certificate(request: &HttpRequest) -> Option<ClientCertificate> {
    let of_request = request.extensions().get::<ClientCertificate>().copied();
    of_request.or_else(|| request.conn_data::<ClientCertificate>().copied())
}

/// Checks that the token of a user is for the resource of the request. The key of a service has no
/// audience.
fn check_identity(
    identity: Identity,
    request: &HttpRequest,
    auth: &Bearward,
) -> Result<Identity, AuthFailure> {
    match identity {
        Identity::User(user) => check_resource(user, request, auth).map(Identity::User),
        Identity::Service(service) => Ok(Identity::Service(service)),
    }
}

/// Checks that the token is for the resource of the request. Failures are counted.
///
/// The path is the one that was routed: a middleware may have changed it since an earlier check.
fn check_resource(
    user: Verified,
    request: &HttpRequest,
    auth: &Bearward,
) -> Result<Verified, AuthFailure> {
    if auth.http.resources.is_empty() {
        return Ok(user);
    }
    auth.http
        .check_resource(request.match_info().as_str(), user)
}

/// Returns and counts the failure of a request without a token.
pub(super) fn missing_token() -> AuthFailure {
    Bearward::record_rejection(AuthError::NoToken.into())
}

/// Creates a `T` from a verified caller. Failures are counted.
pub(super) fn convert<T: FromIdentity>(
    identity: Identity,
    request: &HttpRequest,
) -> Result<T, AuthFailure> {
    let result = match identity {
        Identity::User(verified) => T::from_user(verified, request),
        Identity::Service(service) => T::from_service(service),
    };
    result.map_err(Bearward::record_rejection)
}

pub(super) fn extract<T: FromIdentity>(request: &HttpRequest) -> ExtractFuture<T> {
    let scope = ScopeAuthentication::from_request(request);
    let auth = match verifier(request, scope.as_ref()) {
        Ok(auth) => auth,
        Err(problem) => {
            tracing::error!(
                route = request.match_pattern(),
                "cannot verify the token of a request: {problem}"
            );
            return ExtractFuture::ready(Err(AuthRejection::new(
                Bearward::record_rejection(AuthError::NotConfigured.into()),
                request,
                None,
            )));
        }
    };
    let outcome = scope.as_ref().map(|scope| &scope.outcome);
    let result = match outcome {
        Some(ScopeOutcome::Verified(identity)) => check_identity(identity.clone(), request, auth)
            .and_then(|identity| convert(identity, request)),
        Some(ScopeOutcome::Anonymous) => T::anonymous(request).ok_or_else(missing_token),
        Some(ScopeOutcome::Excepted) | None => match authenticate(request, auth) {
            Authentication::Missing => T::anonymous(request).ok_or_else(missing_token),
            Authentication::Rejected(failure) => Err(failure),
            Authentication::Done(result) => result.and_then(|identity| convert(identity, request)),
            Authentication::Pending(pending) => {
                let (request, auth) = (request.clone(), auth.clone());
                return ExtractFuture(State::Pending(Box::pin(async move {
                    let result = pending.finish(&request, &auth).await;
                    let result =
                        result.and_then(|verified| convert(Identity::User(verified), &request));
                    result.map_err(|failure| auth.reject(&request, failure.with_scopes(T::SCOPES)))
                })));
            }
        },
    };
    ExtractFuture::ready(
        result.map_err(|failure| auth.reject(request, failure.with_scopes(T::SCOPES))),
    )
}

/// Returns the verifier of a request: the guard's, or the one in the `app_data`, as `Bearward` or
/// as `web::Data<Bearward>`.
///
/// Different verifiers are an error: actix-web does not say which `app_data` is closer to the
/// route, and the wrong choice would accept tokens of the wrong issuers.
pub(super) fn verifier<'a>(
    request: &'a HttpRequest,
    scope: Option<&'a ScopeAuthentication>,
) -> Result<&'a Bearward, &'static str> {
    let guard = scope.map(|scope| &*scope.auth);
    let shared = request.app_data::<Data<Bearward>>().map(|data| &***data);
    let mut verifiers = [guard, request.app_data::<Bearward>(), shared]
        .into_iter()
        .flatten();
    let auth = verifiers
        .next()
        .ok_or("no Bearward in app_data; add .app_data(auth.clone()) to the App")?;
    if verifiers.all(|other| other.ptr_eq(auth)) {
        Ok(auth)
    } else {
        Err(
            "the guard, app_data(auth) and app_data(web::Data::new(auth)) provide different verifiers; use one, and set it for the scope with \
             .app_data(auth.clone())",
        )
    }
}

impl<T> ExtractFuture<T> {
    fn ready(result: Result<T, AuthRejection>) -> Self {
        Self(State::Ready(Some(result)))
    }
}

// No field is structurally pinned: the pending future is pinned in its box.
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
        f.write_str("ExtractFuture")
    }
}
