//! Limits and error cases of the auth API. `tests/supabase_js` covers the usual flows with the real
//! client.

mod consent;
mod cors;
mod data_file;
mod email_change;
mod error_format;
mod google;
mod identities;
mod mail;
mod mail_limits;
mod mfa;
mod oauth_clients;
mod oauth_proofs;
mod oauth_server;
mod rate_limit;
mod sessions;
mod sign_in;
mod users;
