//! A development identity provider in the style of Supabase Auth, for local work and tests.
//!
//! It serves the part of the Supabase Auth API that supabase-js uses, a fake Google, a browser
//! console, and an admin API that issues arbitrary tokens, rotates keys and simulates JWKS failures.
//!
//! # Security
//! Anyone who can reach it can sign in as any user. It listens on loopback addresses unless
//! [`Options::dangerous_allow_remote`] is set, and refuses to start in production.
//!
//! # Example
//! ```
//! use bearward_idp::{AuthOptions, Idp, Options};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let idp = Idp::start(Options {
//!     address: "127.0.0.1:0".parse()?,
//!     base: None,
//!     algorithm: bearward::Algorithm::ES256,
//!     environment: "development".to_owned(),
//!     dangerous_allow_remote: false,
//!     auth: AuthOptions::default(),
//! })?;
//! assert_eq!(idp.issuer(), format!("{}/auth/v1", idp.base()));
//! # Ok(())
//! # }
//! ```

mod admin;
mod auth;
mod body;
mod completions;
mod console;
mod error;
mod local_only;
mod page;
mod request_log;
mod routes;
mod server;

pub use self::{
    auth::{AuthOptions, StorageError},
    request_log::{ApiRequest, RequestLog},
    server::{Idp, IdpError, Options},
};
