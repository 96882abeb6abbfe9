//! The OAuth 2.1 server of the auth API: it issues tokens to registered clients of third parties.
//!
//! It follows the OAuth server of Supabase Auth, with two differences: any well-formed scope may be
//! requested, and the audience of an access token is the requested resource (RFC 8707).

pub(crate) mod approval;
mod authorization;
pub(crate) mod authorize;
mod client;
mod client_authentication;
mod error;
mod id_token;
pub(crate) mod metadata;
mod parameters;
mod proof;
pub(crate) mod register;
mod scope;
pub(crate) mod token;
pub(crate) mod userinfo;

pub(crate) use self::{authorization::Authorizations, client::OAuthClient};
