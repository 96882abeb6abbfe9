//! Bearer tokens, verified. The story and the exports are written below as the crate grows.

pub mod auth;

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
