//! Settings of the auth API.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bearward::{Clock, SystemClock};
use url::Url;

/// Settings of the auth API, equivalent to those of a hosted Supabase project.
///
/// The default is that of a local Supabase stack, with anonymous sign-in enabled.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of a hosted project"
)]
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// The redirect target of a sign-in that requests none, or one that is not allowed.
    pub site_url: String,
    /// Allowed redirect targets in addition to the site URL and loopback IP addresses. `*` matches
    /// anything up to the next `.` or `/`, `**` matches anything.
    pub redirects: Vec<String>,
    /// Origins that may call the auth API from a page, in addition to those of the site, of loopback
    /// addresses and of redirect targets: for example `capacitor://localhost`, or `null` for files.
    pub origins: Vec<String>,
    /// Whether users must confirm their email address before the first sign-in.
    pub confirm_email: bool,
    /// Whether sign-up is disabled.
    pub disable_signup: bool,
    /// Whether anonymous sign-in is disabled.
    pub disable_anonymous: bool,
    /// The shortest time between two mails of a kind to a user. Zero turns the limit off.
    pub mail_interval: Duration,
    /// Whether a new password needs the code of `GET /reauthenticate` if the session is older than a
    /// day.
    pub secure_password_change: bool,
    /// Whether users can link and unlink identities themselves.
    pub manual_linking: bool,
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
            origins: Vec::new(),
            confirm_email: false,
            disable_signup: false,
            disable_anonymous: false,
            mail_interval: Duration::from_secs(60),
            secure_password_change: false,
            manual_linking: false,
            token_lifetime: Duration::from_secs(3600),
            data: None,
            back_channel_logout: Vec::new(),
            clock: Arc::new(SystemClock::new()),
        }
    }
}
