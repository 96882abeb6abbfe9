//! Bearer tokens, verified. The story and the exports are written below as the crate grows.

#![warn(unreachable_pub)]

pub mod auth;
mod bearward;
mod cookie;

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "server")]
pub mod api;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "idp")]
pub mod idp;
#[cfg(feature = "testing")]
pub mod mint;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "actix")]
pub use crate::actix::{Envelope, Guard, MaybePrincipal, Principal, RefusalNote, Refused, RequestId, Require};
pub use crate::{
    auth::{
        algorithm::Algorithm,
        claims::{Claims, OwnClaims, Standard},
        clock::{Clock, SystemClock, Timestamp},
        error::{Check, Refusal, Rejection},
        issuer::{ClaimMap, Issuer, IssuerError, KeySource, TokenType, Usage},
        keys::{KeyPolicy, KeySetStatus},
        verified::{Requirement, Verified},
        verifier::{PendingVerification, Verification},
    },
    bearward::{Bearward, BuildError, Builder},
    cookie::{CookieError, CookieSource},
};
