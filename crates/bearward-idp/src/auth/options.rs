//! How the development IdP's auth API behaves.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bearward::{Clock, SystemClock};

/// What a hosted project has on its settings pages. The default is that of a local Supabase stack,
/// with anonymous sign-ins allowed.
#[derive(Debug, Clone)]
pub struct AuthOptions {
    /// Where a sign-in returns to that names no address, or one that is not allowed.
    pub site_url: String,
    /// Addresses beside the site's and this machine's to which a sign-in may return; `*` stands
    /// for anything up to the next `.` or `/`, `**` for anything.
    pub redirects: Vec<String>,
    /// Whether an email address must be confirmed before its first sign-in.
    pub confirm_email: bool,
    /// Whether nobody new may come.
    pub disable_signup: bool,
    /// Whether nobody may come without a name.
    pub disable_anonymous: bool,
    /// How long an access token lives. Clients refresh 90 seconds before its end.
    pub token_lifetime: Duration,
    /// The file that keeps people, sessions, mails and keys over a restart.
    pub data: Option<PathBuf>,
    /// The time, which tests move.
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
            clock: Arc::new(SystemClock::new()),
        }
    }
}
