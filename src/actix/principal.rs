//! The extractors: a handler with one of these as a parameter is a protected route.

use std::ops::Deref;

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{
    challenge::Refused,
    extract::{Extracting, FromToken, extract},
};
use crate::auth::{
    claims::{OwnClaims, Standard},
    error::Rejection,
    verified::{Requirement, Verified},
};

/// Who sent this request. Put it first among a handler's parameters: the request's body is then not read for a stranger, but for the one
/// case in which keys have to be fetched for the token. actix-web looks at all parameters meanwhile, and one that refuses (a body of
/// another type) answers first. Where that is too much, put a [`Guard`](super::guard::Guard) around: nothing behind it is looked at.
///
/// `Principal<MyClaims>` reads the payload as a type of one's own too, found under [`own`](Verified::own).
///
/// # Errors
/// The extractor refuses with [`Refused`]: 401 with a challenge for a missing or bad token, 400 for two of them, 503 when the
/// issuer's keys cannot be had, 500 when the application holds no [`Bearward`].
///
/// It does not check what the route asks for: that is [`Require`]'s. Do not write `Option<Principal>`: actix-web would turn every refusal into
/// `None`; [`MaybePrincipal`] does not.
#[derive(Debug, Clone)]
pub struct Principal<C = Standard>(Verified<C>);

/// Who sent this request, if anybody says so: `None` only when no token was sent; a bad one is still refused.
#[derive(Debug, Clone)]
pub struct MaybePrincipal<C = Standard>(Option<Principal<C>>);

/// Who sent this request, and meets the requirement `R`.
///
/// # Errors
/// As [`Principal`], and what [`Requirement::check`] refuses with.
pub struct Require<R: Requirement>(Principal<R::Claims>);

impl<C> Principal<C> {
    /// The evidence itself.
    pub fn into_inner(self) -> Verified<C> {
        self.0
    }
}

impl<C> Deref for Principal<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<C> MaybePrincipal<C> {
    /// The principal, where there is one.
    pub fn as_ref(&self) -> Option<&Principal<C>> {
        self.0.as_ref()
    }

    /// The principal itself, where there is one.
    pub fn into_inner(self) -> Option<Principal<C>> {
        self.0
    }
}

impl<R: Requirement> Require<R> {
    /// The principal.
    pub fn into_inner(self) -> Principal<R::Claims> {
        self.0
    }
}

impl<R: Requirement> Deref for Require<R> {
    type Target = Principal<R::Claims>;

    fn deref(&self) -> &Principal<R::Claims> {
        &self.0
    }
}

impl<C: OwnClaims> FromRequest for Principal<C> {
    type Error = Refused;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: OwnClaims> FromRequest for MaybePrincipal<C> {
    type Error = Refused;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<R: Requirement> FromRequest for Require<R> {
    type Error = Refused;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        extract(request)
    }
}

impl<C: OwnClaims> FromToken for Principal<C> {
    fn convert(verified: Verified, token: &str) -> Result<Self, Rejection> {
        verified.with_own(token).map(Self)
    }
}

impl<C: OwnClaims> FromToken for MaybePrincipal<C> {
    fn convert(verified: Verified, token: &str) -> Result<Self, Rejection> {
        Principal::convert(verified, token).map(|principal| Self(Some(principal)))
    }

    fn anonymous() -> Option<Self> {
        Some(Self(None))
    }
}

impl<R: Requirement> FromToken for Require<R> {
    fn convert(verified: Verified, token: &str) -> Result<Self, Rejection> {
        let principal = Principal::convert(verified, token)?;
        R::check(&principal).map(|()| Self(principal))
    }
}
