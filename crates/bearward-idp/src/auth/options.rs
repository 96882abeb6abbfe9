//! Settings of the auth API.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bearward::{Clock, SystemClock};
use url::Url;

/// Settings of the auth API, equivalent to those of a hosted Supabase project.
///
/// The default is that of a local Supabase stack, with anonymous sign-in enabled.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// The redirect target of a sign-in that requests none, or one that is not allowed.
    pub site_url: String,
    /// Allowed redirect targets in addition to the site URL and loopback addresses. `*` matches
    /// anything up to the next `.` or `/`, `**` matches anything.
    pub redirects: Vec<String>,
    /// Whether users must confirm their email address before the first sign-in.
    pub confirm_email: bool,
    /// Whether sign-up is disabled.
    pub disable_signup: bool,
    /// Whether anonymous sign-in is disabled.
    pub disable_anonymous: bool,
    /// Lifetime of an access token. Clients refresh it 90 seconds before it expires.
    pub token_lifetime: Duration,
    /// SQLite file that persists users, sessions, mails and keys. Without it, state is in memory.
    pub data: Option<PathBuf>,
    /// URLs that receive a logout token when a session ends, and when a user is banned or deleted
    /// (`OpenID` Connect Back-Channel Logout 1.0).
    pub back_channel_logout: Vec<Url>,
    /// The time source; tests pass a `TestClock`.
    pub clock: Arc<dyn Clock>,
}

impl Default for AuthOptions {
    fn default() -> Self {
        Self {
            site_url: "http://localhost:3000".to_owned(),
            redirects: Vec::new(),
            confirm_email: false,
            disable_signup: false,
            disable_anonymous: false,
            token_lifetime: Duration::from_secs(3600),
            data: None,
            back_channel_logout: Vec::new(),
            clock: Arc::new(SystemClock::new()),
        }
    }
}
