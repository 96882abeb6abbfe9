//! Verifies JWT bearer tokens, with extractors for actix-web.
//!
//! bearward verifies access tokens of OpenID Connect providers and other issuers that publish a JWK
//! Set. It is backed by a JWKS cache that tolerates rotation, outages and misbehaving providers. A
//! handler with a [`Principal`] parameter requires a valid token; a handler without one is public.
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
//!     let auth = Bearward::builder()
//!         .issuer(Issuer::supabase("https://abc.supabase.co")?)
//!         .build()
//!         .await?;
//!     HttpServer::new(move || App::new().app_data(auth.clone()).service(orders))
//!         .bind("127.0.0.1:8080")?
//!         .run()
//!         .await?;
//!     Ok(())
//! }
//! # }
//! ```
//!
//! The example needs `actix-web = "4"` and bearward's default features. Key-fetch failures and
//! missing `app_data` are logged through `tracing`, or through `log` if no subscriber is installed.
//! [`Bearward::explain`] shows why a token is rejected.
//!
//! # Protecting routes
//!
//! | parameter of the handler | allows | without a token | with an invalid token |
//! |---|---|---|---|
//! | none of these | anyone | 200 | 200; the token is ignored |
//! | [`MaybePrincipal`] | anyone; identifies the user if a token is sent | 200 | 401 |
//! | [`Principal`] | anyone with a valid token | 401 | 401 |
//! | [`Require<R>`](Require) | users who meet the [`Requirement`] `R` | 401 | 401; 403 for a valid token that does not meet `R` |
//! | [`Service`] | services with a [service key](ServiceKey) | 401 | 401; 403 for a user's valid token |
//! | [`Caller`] | users and services | 401 | 401 |
//! | [`Require<R, Service>`](Require), [`Require<R, Caller>`](Require) | services, or both, who meet `R` | 401 | 401; 403 as above |
//!
//! The extractors find the [`Bearward`] in the `app_data` of the `App` or of the scope.
//! [`Bearward::guard`], [`Bearward::require`] and [`Bearward::require_async`] create a [`Guard`] for a
//! whole scope instead. Without actix-web, [`Bearward::authenticate`] verifies the token of a request
//! and [`Bearward::error_parts`] describes the response of a rejection.
//!
//! # How verification works
//!
//! A token passes these checks in order, following RFC 8725. The first one that fails is the
//! [`AuthError`]; [`AuthError::step`] names the check.
//!
//! 1. The request has one token, and the token is not too long.
//! 2. Format: three parts of strict base64url; a header and a payload that are JSON objects without
//!    duplicate names; no `crit`, no `b64`.
//! 3. The unverified `iss` selects one configured [`Issuer`], which limits `alg` and `typ`.
//! 4. The issuer has a key for `kid` and `alg`; at most three are tried. Keys come from a cache that a background
//!    task refreshes, see [`keys`].
//! 5. The signature is valid for the bytes received. HMAC and `none` are not implemented.
//! 6. Claims: `exp`, `nbf`, `iat`, `aud`, `sub` and the issuer's required claims.
//! 7. The token is not on the revocation list, see [`Revocations`].
//! 8. Possession: a token that is bound to a client certificate (RFC 8705) is accepted only with that
//!    [`ClientCertificate`], and one that is bound to a key only with a proof, see [`dpop`].
//! 9. The route's [`Requirement`].
//!
//! Verified tokens are cached; expiry, key validity, the client certificate and revocation are
//! re-checked on every hit. A [`Verified`]
//! value can only be created by this pipeline.
//!
//! # What it does not do
//!
//! - It does not perform sign-in, issue tokens or hold secrets.
//! - It does not ask the issuer whether a session was ended or a user was deleted before the token
//!   expires. The application adds entries to [`Bearward::revocations`], for example after
//!   [`Bearward::verify_logout_token`].
//! - It does not accept encrypted tokens (JWE), opaque tokens or shared-secret signatures, and tokens
//!   that are bound to a key only if the issuer is configured so, see [`dpop`].
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `actix` | yes | extractors, guards and responses for actix-web |
//! | `remote` | yes | key sets over HTTP, OIDC discovery, snapshots on disk |
//! | `postgres` | no | transactions with the caller's role and claims, for row level security in PostgreSQL (sqlx) |
//!
//! Without `remote`, issuers need a fixed key set ([`KeySource::Fixed`]).
//!
//! # Where to go next
//!
//! - [`Issuer`]: audiences, algorithms, required claims, [`ClaimMapping`] for roles and scopes
//! - [`Builder`]: limits, challenges, error bodies, [`TokenSource`]s
//! - [`Requirement`] and [`CustomClaims`]: authorization with roles, scopes and custom claims;
//!   [`AsyncRequirement`]: with the state of the application
//! - [`Principal::from_request`]: an extractor of the application on top of [`Principal`]
//! - [`Revocations`]: sign-out that takes effect before the token expires
//! - [`keys`]: the key cache, its states and its settings
//! - [`explain`]: reports on rejected tokens

#![warn(unreachable_pub)]

pub mod dpop;
pub mod explain;
pub mod keys;
#[cfg(feature = "postgres")]
pub mod postgres;

#[cfg(feature = "actix")]
mod actix;
mod algorithm;
mod bearward;
mod builder;
mod claim_list;
mod claim_lookup;
mod claim_mapping;
mod claim_rule;
mod claims;
mod claims_validation;
mod client_certificate;
mod client_claims;
mod clock;
mod confirmation;
mod cookie;
mod error;
mod http;
mod issuer;
mod issuer_template;
mod json_pointer;
mod jws;
mod logout_token;
mod metrics;
mod origin;
mod providers;
mod revocation;
mod service_key;
mod setting;
mod strict_object;
mod text;
mod token_cache;
mod verified;
mod verifier;

#[cfg(feature = "actix")]
pub use self::actix::{
    AsyncRequirement, AuthRejection, Caller, ExtractFuture, Guard, GuardService, MaybePrincipal,
    OriginalRequest, Principal, RejectionLog, Require, RequireAsync, allow_methods, get_or_head,
    renew_dpop_nonce,
};
pub use self::{
    algorithm::{Algorithm, UnknownAlgorithm},
    bearward::Bearward,
    builder::{BuildError, BuildWarning, Builder},
    claim_mapping::{ClaimMapping, ClaimMappingError},
    claim_rule::{ClaimRule, ClaimRuleError, ClaimValue},
    claims::{Claims, CustomClaims, NoCustomClaims},
    client_certificate::{ClientCertificate, InvalidCertificate},
    clock::{Clock, Sleep, SystemClock, Timestamp},
    cookie::{CookieError, CookieSource},
    dpop::{DpopConfig, DpopConfigError, DpopMode, ProofError, ProxyHeaders},
    error::{
        AuthError, AuthFailure, CertificateProblem, FormatError, HeaderError, ObjectError,
        VerificationStep,
    },
    http::{
        ErrorBody, ErrorContent, ErrorParts, InvalidResource, ProtectedResource, RequestHead,
        RequestId, TokenSource,
    },
    issuer::{Audiences, Issuer, IssuerError, KeySource, KeySourceError, TokenUse, TypRule},
    issuer_template::TemplateError,
    json_pointer::{JsonPointer, JsonPointerError},
    keys::{JwksCacheConfig, KeySetStatus},
    logout_token::LogoutToken,
    providers::{Provider, ProviderError, ProviderParameter, ProviderParameters},
    revocation::{
        Revocation, RevocationConfig, RevocationError, RevocationKind, RevocationSource,
        RevocationUpdate, Revocations,
    },
    service_key::{NewServiceKey, Service, ServiceKey, ServiceKeyError, ServiceKeyProblem},
    setting::Setting,
    text::SanitizedText,
    verified::{AnyCaller, Bound, Requirement, Verified},
    verifier::{PendingVerification, Verification},
};

#[cfg(all(doctest, feature = "actix"))]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
