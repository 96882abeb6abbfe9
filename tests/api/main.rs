//! The API over HTTP, with a mock identity provider and a database.
//!
//! `BEARWARD_TEST_DATABASE_URL` names a PostgreSQL or MySQL server on which databases may be created.
//! The default is SQLite.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod administration;
mod api_keys;
mod back_channel_logout;
mod concurrency;
mod cors;
mod dpop;
mod generate;
mod google;
mod health;
mod isolation;
mod limits;
mod machine_accounts;
mod migrations;
mod openapi;
mod profile;
mod providers;
mod provisioning;
mod request_bodies;
mod revocation;
mod service_keys;
mod sessions;
mod status;
#[cfg(unix)]
mod supabase_sessions;
mod test_app;
mod third_party_clients;

#[test]
fn skipped_databases_are_printed() {
    test_support::database::print_skipped_databases();
}
