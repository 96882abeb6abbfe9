//! The cases, one module per group.
#![allow(clippy::too_many_lines, reason = "lists of cases")]

pub(super) mod access_token_profile;
pub(super) mod algorithm;
pub(super) mod baseline;
pub(super) mod cache;
mod claim_rules;
pub(super) mod claims;
pub(super) mod dpop;
pub(super) mod flood;
pub(super) mod format;
pub(super) mod header;
pub(super) mod http;
pub(super) mod issuer;
pub(super) mod jwks;
pub(super) mod key;
pub(super) mod mcp;
pub(super) mod mtls;
pub(super) mod no_fetch;
pub(super) mod outage;
pub(super) mod resource_metadata;
pub(super) mod rotation;
pub(super) mod signature;
pub(super) mod slow_jwks;
pub(super) mod ssrf;
mod strict_http;
pub(super) mod thundering_herd;
