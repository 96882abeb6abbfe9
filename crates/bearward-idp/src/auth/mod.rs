//! The subset of Supabase Auth that the development IdP serves: sign-in, sessions and captured mail.

pub(crate) mod authorize;
pub(crate) mod avatar;
mod bearer;
mod body;
pub(crate) mod clock;
pub(crate) mod consent;
pub(crate) mod current_user;
mod email;
pub(crate) mod error;
mod flow;
mod glob;
pub(crate) mod google;
mod html;
pub(crate) mod inbox;
pub(crate) mod logout;
mod mail;
mod options;
mod password;
mod profile;
mod random;
pub(crate) mod recover;
mod redirect_policy;
mod redirect_response;
mod service;
mod session;
pub(crate) mod settings;
pub(crate) mod signup;
mod state;
mod storage;
mod stored_keys;
pub(crate) mod token;
mod token_response;
pub(crate) mod user;
pub(crate) mod verify;

pub(crate) use self::service::{AuthError, AuthService};
pub use self::{options::AuthOptions, storage::StorageError};
