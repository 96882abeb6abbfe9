//! The extractors of the verified caller, required or optional.

use std::{fmt, ops::Deref};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{
    extract::{ExtractFuture, FromIdentity, Identity, extract},
    rejection::AuthRejection,
    scope::{ScopeAuthentication, ScopeOutcome},
};
#[cfg(feature = "postgres")]
use crate::postgres::RequestContext;
use crate::{
    claims::{CustomClaims, NoCustomClaims},
    error::AuthFailure,
    verified::Verified,
};

/// An extractor for the verified caller of a request. A route whose handler has this parameter
/// requires a valid token.
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::Principal;
///
/// #[get("/orders")]
/// async fn orders(user: Principal) -> impl Responder {
///     format!("orders of {}", user.subject())
/// }
/// ```
///
/// `Principal<MyClaims>` also deserializes the payload as a custom type, which
/// [`custom`](Verified::custom) returns:
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::Principal;
///
/// #[derive(serde::Deserialize)]
/// struct MyClaims {
///     tenant: String,
/// }
///
/// #[get("/invoices")]
/// async fn invoices(user: Principal<MyClaims>) -> impl Responder {
///     format!("invoices of {}", user.custom().tenant)
/// }
/// ```
///
/// Make it the first parameter: actix-web polls extractors in order, so the request is then
/// authenticated before its body is read. Exception: if keys must be fetched for this request, a
/// later extractor may reject first, for example `Json` because of the content type. Use a
/// [`Guard`](super::Guard) to authenticate before all extractors.
///
/// # Errors
/// The error is an [`AuthRejection`]:
///
/// | status | reason |
/// |---|---|
/// | 401 | there is no token, it is invalid, or its payload does not match `C`; with a challenge |
/// | 400 | there are two tokens |
/// | 403 | the token is in the session cookie, and the request is unsafe and has no listed `Origin`; or a service key was sent |
/// | 503 | the issuer's keys are not available; with `Retry-After` |
/// | 500 | there is no [`Bearward`](crate::Bearward) in the `app_data`; the log says what to add |
///
/// # Security
/// - It does not check what the user may do: use [`Require`](super::Require), or check in the
///   handler.
/// - It does not check whether the user still exists or is signed in at the issuer: a token is
///   valid until it expires or its key is revoked.
/// - Do not use `Option<Principal>`: actix-web converts every rejection to `None`.
///   [`MaybePrincipal`] is `None` only for requests without a token.
pub struct Principal<C: CustomClaims = NoCustomClaims> {
    verified: Verified<C>,
    #[cfg(feature = "postgres")]
    context: RequestContext,
}

/// An extractor for the verified caller of a request, if there is one. It is empty only if the
/// request has no token; an invalid token is rejected.
///
/// ```
/// use actix_web::{Responder, get};
/// use bearward::MaybePrincipal;
///
/// #[get("/feed")]
/// async fn feed(user: MaybePrincipal) -> impl Responder {
///     match user.as_ref() {
///         Some(user) => format!("feed of {}", user.subject()),
///         None => "public feed".to_owned(),
///     }
/// }
/// ```
///
/// An `Authorization` header with another scheme than Bearer and an empty session cookie count as
/// no token.
///
/// # Errors
/// Same as [`Principal`], except for a missing token.
pub struct MaybePrincipal<C: CustomClaims = NoCustomClaims> {
    principal: Option<Principal<C>>,
    #[cfg(feature = "postgres")]
    context: RequestContext,
}

impl<C: CustomClaims> Principal<C> {
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "transactions use the request")
    )]
    fn new(verified: Verified<C>, request: &HttpRequest) -> Self {
        Self {
            verified,
            #[cfg(feature = "postgres")]
            context: RequestContext::new(request),
        }
    }

    /// Returns the verified token.
    pub fn into_inner(self) -> Verified<C> {
        self.verified
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn request_context(&self) -> &RequestContext {
        &self.context
    }
}

impl Principal {
    /// Returns the caller that a [`Guard`](super::Guard) around this request has authenticated, for
    /// a middleware or a handler inside of the guard. `None` if there is no guard, if the guard is
    /// optional and the request has no token, if the path is excepted, or if the caller is a service.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, Responder};
    /// use bearward::Principal;
    ///
    /// async fn orders(request: HttpRequest) -> impl Responder {
    ///     match Principal::of(&request) {
    ///         Some(user) => HttpResponse::Ok().body(format!("orders of {}", user.subject())),
    ///         None => HttpResponse::NotFound().finish(),
    ///     }
    /// }
    /// ```
    pub fn of(request: &HttpRequest) -> Option<Self> {
        match ScopeAuthentication::from_request(request)?.outcome {
            ScopeOutcome::Verified(Identity::User(verified)) => Some(Self::new(verified, request)),
            ScopeOutcome::Verified(Identity::Service(_))
            | ScopeOutcome::Anonymous
            | ScopeOutcome::Excepted => None,
        }
    }

    /// Extracts the caller of a request, for an extractor of the application.
    ///
    /// ```
    /// use std::pin::Pin;
    ///
    /// use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, error::ErrorForbidden, web};
    /// use bearward::Principal;
    ///
    /// # struct Database;
    /// # impl Database { async fn account_of(&self, _: &str) -> Option<u64> { None } }
    /// /// The account of the caller.
    /// struct Account(u64);
    ///
    /// impl FromRequest for Account {
    ///     type Error = Error;
    ///     type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;
    ///
    ///     fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
    ///         let principal = Principal::from_request(request, payload);
    ///         let database = web::Data::<Database>::extract(request);
    ///         Box::pin(async move {
    ///             let (principal, database) = (principal.await?, database.await?);
    ///             let account = database.account_of(principal.subject()).await;
    ///             account.map(Self).ok_or_else(|| ErrorForbidden("no account"))
    ///         })
    ///     }
    /// }
    /// ```
    ///
    /// This is the method of [`FromRequest`] for `Principal` without custom claims, so that the
    /// compiler need not infer their type. With custom claims, write
    /// `Principal::<MyClaims>::from_request`.
    ///
    /// # Errors
    /// The future returns the [`AuthRejection`] of the extractor.
    pub fn from_request(request: &HttpRequest, payload: &mut Payload) -> ExtractFuture<Self> {
        <Self as FromRequest>::from_request(request, payload)
    }

    /// Extracts the caller of a request, like [`from_request`](Self::from_request).
    ///
    /// # Errors
    /// The future returns the [`AuthRejection`] of the extractor.
    pub fn extract(request: &HttpRequest) -> ExtractFuture<Self> {
        extract(request)
    }
}

impl MaybePrincipal {
    /// Extracts the caller of a request, if there is one; see [`Principal::from_request`].
    ///
    /// # Errors
    /// The future returns the [`AuthRejection`] of the extractor.
    pub fn from_request(request: &HttpRequest, payload: &mut Payload) -> ExtractFuture<Self> {
        <Self as FromRequest>::from_request(request, payload)
    }

    /// Extracts the caller of a request, if there is one; see [`Principal::from_request`].
    ///
    /// # Errors
    /// The future returns the [`AuthRejection`] of the extractor.
    pub fn extract(request: &HttpRequest) -> ExtractFuture<Self> {
        extract(request)
    }
}

impl<C: CustomClaims> Deref for Principal<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.verified
    }
}

impl<C: CustomClaims> MaybePrincipal<C> {
    /// Returns the principal; `None` if the request has no token.
    pub fn as_ref(&self) -> Option<&Principal<C>> {
        self.principal.as_ref()
    }

    /// Returns the principal; `None` if the request has no token.
    pub fn into_inner(self) -> Option<Principal<C>> {
        self.principal
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn request_context(&self) -> &RequestContext {
        &self.context
    }
}

impl<C: CustomClaims + Clone> Clone for Principal<C> {
    fn clone(&self) -> Self {
        Self {
            verified: self.verified.clone(),
            #[cfg(feature = "postgres")]
            context: self.context.clone(),
        }
    }
}

impl<C: CustomClaims + Clone> Clone for MaybePrincipal<C> {
    fn clone(&self) -> Self {
        Self {
            principal: self.principal.clone(),
            #[cfg(feature = "postgres")]
            context: self.context.clone(),
        }
    }
}

/// Prints the subject and the issuer, and no other claim.
impl<C: CustomClaims> fmt::Debug for Principal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.verified).finish()
    }
}

impl<C: CustomClaims> fmt::Debug for MaybePrincipal<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MaybePrincipal")
            .field(&self.principal)
            .finish()
    }
}

impl<C: CustomClaims> FromRequest for Principal<C> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: CustomClaims> FromRequest for MaybePrincipal<C> {
    type Error = AuthRejection;
    type Future = ExtractFuture<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: CustomClaims> FromIdentity for Principal<C> {
    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        verified
            .with_custom_claims()
            .map(|verified| Self::new(verified, request))
    }
}

impl<C: CustomClaims> FromIdentity for MaybePrincipal<C> {
    fn from_user(verified: Verified, request: &HttpRequest) -> Result<Self, AuthFailure> {
        let principal = Principal::from_user(verified, request)?;
        Ok(Self {
            #[cfg(feature = "postgres")]
            context: principal.context.clone(),
            principal: Some(principal),
        })
    }

    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "transactions use the request")
    )]
    fn anonymous(request: &HttpRequest) -> Option<Self> {
        Some(Self {
            principal: None,
            #[cfg(feature = "postgres")]
            context: RequestContext::new(request),
        })
    }
}
