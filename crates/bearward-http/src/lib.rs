//! HTTP conventions that the crates of bearward share: clients that follow no redirects and read
//! bounded bodies, `Retry-After`, `Forwarded`, JSON bodies with repeated member names, web origins, what to
//! do about errors of binding a socket, and the design of HTML pages.
//!
//! Applications need only the crate `bearward`. This crate has no promise of a stable API.

mod bind_error;
#[cfg(feature = "client")]
mod client;
mod error_chain;
mod forwarded;
#[cfg(feature = "client")]
pub mod headers;
mod json_members;
mod origin;

/// The style sheet that the HTML pages of bearward share: colors of both schemes, text, fields, buttons
/// and notices.
pub const DESIGN_CSS: &str = include_str!("design.css");

#[cfg(feature = "client")]
pub use self::client::{ReadBodyError, client_builder, client_error_chain, read_body, read_prefix};
pub use self::{
    bind_error::bind_error_hint,
    error_chain::error_chain,
    forwarded::{ForwardedElement, MalformedElement, elements_from_the_right},
    json_members::JsonMembers,
    origin::is_bare_web_origin,
};
