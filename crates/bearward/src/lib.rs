//! Bearer tokens, verified: actix-web extractors over a key cache that survives what identity
//! providers do to people.
//!
//! A handler with a [`Principal`] among its parameters is a protected route; one without is public.
//!
//! ```no_run
//! # #[cfg(feature = "actix")] mod example {
//! use actix_web::{App, HttpServer, Responder, get};
//! use bearward::{Bearward, Issuer, Principal};
//!
//! #[get("/orders")]
//! async fn orders(user: Principal) -> impl Responder {
//!     format!("orders of {}", user.subject())
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let auth = Bearward::builder().issuer(Issuer::supabase("https://abc.supabase.co")?).build().await?;
//!     HttpServer::new(move || App::new().app_data(auth.clone()).service(orders)).bind("127.0.0.1:8080")?.run().await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! That needs `actix-web = "4"` beside bearward's features `actix` and `remote`. `cargo run -- idp`
//! in a clone stands in for a project: `Issuer::supabase("http://127.0.0.1:9999")`. What goes wrong with keys, or a route without `app_data`, is told to `tracing`, and to the `log`
//! crate where nobody subscribes to that. [`Bearward::explain`] puts what a token has beside what
//! is expected.
//!
//! # How it works
//! [`Bearward`] verifies a token in the order of RFC 8725's advice: strict form, strict header, the
//! one issuer that `iss` names, that issuer's key for `kid` and `alg`, the signature over the bytes
//! received, typed claims, then what the route asks for. Every way to fail is a [`AuthError`]. The
//! keys come from a cache of their own task ([`keys`]); verified tokens are remembered, and asked
//! again for their time and their key at each use.
//!
//! # What it does not do
//! It signs nobody in, mints no token outside of tests, holds no secret, and does not know whether
//! a session was ended before its token expired.
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `actix` | extractors, guard, challenges, the error envelope |
//! | `remote` | keys over HTTP, discovery, snapshots on disk |
//! | `testing` | `MockIdp`, forged tokens, a clock that tests move |
//! | `contract` | the contract test: hostile tokens, rotations and outages against any protected URL |
//! | `server` | the resource server, its configuration and commands |
//! | `idp` | the development IdP |

#![warn(unreachable_pub)]

#[cfg(feature = "actix")]
pub mod actix;
pub mod algorithm;
pub mod bearward;
pub mod claim_lookup;
pub mod claim_mapping;
pub mod claims;
pub mod claims_validation;
pub mod clock;
pub mod cookie;
pub mod error;
pub mod explain;
pub mod issuer;
pub mod jws;
pub mod keys;
pub mod metrics;
pub mod setting;
pub mod strict_object;
pub mod token_cache;
pub mod verified;
pub mod verifier;

#[cfg(feature = "actix")]
pub use self::actix::{
    AuthRejection, ErrorBody, Guard, MaybePrincipal, Principal, RejectionLog, RequestId, Require,
};
pub use self::{
    algorithm::Algorithm,
    bearward::{Bearward, BuildError, Builder},
    claim_mapping::ClaimMapping,
    claims::{Claims, CustomClaims, NoCustomClaims},
    clock::{Clock, SystemClock, Timestamp},
    cookie::{CookieError, CookieSource},
    error::{AuthError, AuthFailure, VerificationStep},
    issuer::{Audiences, Issuer, IssuerError, KeySource, TokenUse, TypRule},
    keys::{JwksCacheConfig, KeySetStatus},
    setting::Setting,
    verified::{Requirement, Verified},
    verifier::{PendingVerification, Verification},
};
