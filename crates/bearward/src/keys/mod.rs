//! Verification keys of each issuer, cached so that they stay usable during IdP outages.
//!
//! A [`KeySet`] belongs to one issuer, which may have several. Reading it takes no lock and never awaits. A background task
//! refreshes remote key sets, so requests do not wait for a scheduled refresh. [`JwksCacheConfig`]
//! holds the timeouts and limits.
//!
//! | state | when | known key | unknown key |
//! |---|---|---|---|
//! | empty | before the first success | waits for the fetch for up to 2 s, else 503 | the same |
//! | fresh | younger than its freshness lifetime | used | may start a fetch |
//! | stale | past its freshness lifetime, because fetches fail | used | may start a fetch; 503 while fetches fail |
//! | expired | `max_stale` after the last success | waits for the fetch for up to 2 s, else 503 | as in state empty |
//!
//! A successful fetch replaces the whole set. A removed key is rejected from then on, also for
//! tokens that were verified and cached before. A failed fetch never removes keys.
//!
//! | module | contents |
//! |---|---|
//! | `key_set` | [`KeySet`]: fixed or remote keys of one issuer |
//! | `remote` | the shared state of a remote key set |
//! | `refresh` | the background task that refreshes it |
//! | `scheduler` | when to fetch, as a state machine without I/O |
//! | `attempt`, `discovery`, `credentials`, `endpoint`, `fetch`, `http` | one attempt to fetch the keys |
//! | `jwks`, `jwk`, `key`, `roca` | parsing of JWK Sets |
//! | `snapshot`, `snapshot_file` | the key set in use, in memory and on disk |

mod cache_config;
mod credentials;
mod fetch_error;
mod jwk;
mod jwks;
mod key;
mod key_set;
mod metrics;
mod pending;
#[cfg(feature = "remote")]
mod redact;
mod roca;
mod snapshot;
mod status;

#[cfg(feature = "remote")]
mod attempt;
#[cfg(feature = "remote")]
mod backoff;
#[cfg(feature = "remote")]
mod discovery;
#[cfg(feature = "remote")]
mod endpoint;
#[cfg(feature = "remote")]
mod fetch;
#[cfg(feature = "remote")]
mod freshness;
#[cfg(feature = "remote")]
mod http;
#[cfg(feature = "remote")]
mod negative_cache;
#[cfg(feature = "remote")]
mod refresh;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "remote")]
mod scheduler;
#[cfg(feature = "remote")]
mod snapshot_file;
#[cfg(feature = "remote")]
mod token_bucket;

#[cfg(test)]
#[cfg(feature = "remote")]
mod tests;
#[cfg(test)]
mod vectors;

pub(crate) use self::jwk::parse_public_jwk;
#[cfg(test)]
pub(crate) use self::key::SIGNATURE_CHECKS;
#[cfg(feature = "remote")]
pub(crate) use self::redact::redact_url;
#[cfg(feature = "remote")]
pub use self::{
    attempt::JwksLocation,
    credentials::FetchHeaders,
    endpoint::{UrlError, is_loopback, key_url},
    fetch::{Fetch, FetchFuture, FetchRequest, FetchResponse},
    freshness::Freshness,
    http::{HttpFetch, HttpFetchError},
    key_set::{RefreshedKeySet, RemoteJwks, RemoteJwksError},
};
pub use self::{
    cache_config::{JwksCacheConfig, JwksCacheConfigError},
    credentials::FetchCredentials,
    fetch_error::{FetchError, FetchErrorKind},
    jwk::{IgnoreReason, IgnoredKey},
    jwks::{JwksError, KeyCandidates, ParsedJwks},
    key::VerificationKey,
    key_set::{FixedKeySet, KeySet},
    pending::{PendingKeys, Unavailable, UnknownKeyDecision},
    snapshot::{Snapshot, SnapshotGuard},
    status::{KeySetState, KeySetStatus, UsableKey},
};
