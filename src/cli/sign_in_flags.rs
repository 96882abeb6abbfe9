//! The flags that configure sign-in at the development IdP, for `idp` and `dev`.

use std::{path::PathBuf, time::Duration};

use bearward_idp::AuthOptions;
use clap::Args;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Sign-in options")]
pub(super) struct SignInFlags {
    /// Allow this redirect URL in addition to the site and loopback addresses; `*` and `**` match as
    /// in Supabase. May be repeated
    #[arg(long, value_name = "URL", value_parser = redirect_pattern)]
    redirect: Vec<String>,
    /// Allow pages of this origin to call the auth API, in addition to those of redirect URLs: for
    /// example `capacitor://localhost`, or `null` for files. May be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Redirect to this URL if a sign-in request names none
    #[arg(long, value_name = "URL", default_value = "http://localhost:3000")]
    site_url: String,
    /// Require users to confirm their email address before the first sign-in; mail is captured at
    /// /.inbox
    #[arg(long)]
    confirm_email: bool,
    /// Wait this long between two mails of a kind to a user; 0 turns the limit off
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(..=86_400))]
    mail_interval: u32,
    /// Require a code by mail for a new password if the session is older than a day
    #[arg(long)]
    secure_password_change: bool,
    /// Let users link and unlink Google and GitHub themselves
    #[arg(long)]
    manual_linking: bool,
    /// Disable sign-up of new users
    #[arg(long)]
    disable_signup: bool,
    /// Disable anonymous sign-in
    #[arg(long)]
    disable_anonymous: bool,
    /// Set the lifetime of access tokens in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    token_lifetime: u32,
}

/// Validates a redirect pattern. A pattern without a scheme would never match.
fn redirect_pattern(text: &str) -> Result<String, &'static str> {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("write a URL with its scheme, such as https://app.example/**"),
    }
}

/// Validates an origin. Browsers send it without a path.
fn origin(text: &str) -> Result<String, &'static str> {
    let is_origin = match text.split_once("://") {
        Some(("file", rest)) => rest.is_empty(),
        Some((scheme, rest)) => !scheme.is_empty() && !rest.is_empty() && !rest.contains('/'),
        None => text == "null",
    };
    if is_origin {
        Ok(text.to_owned())
    } else {
        Err("write scheme and host, such as capacitor://localhost, or null")
    }
}

impl SignInFlags {
    /// Returns the options of an IdP that keeps its state in this file, or in memory.
    pub(super) fn into_options(self, data: Option<PathBuf>) -> AuthOptions {
        AuthOptions {
            site_url: self.site_url,
            redirects: self.redirect,
            origins: self.allow_origin,
            confirm_email: self.confirm_email,
            mail_interval: Duration::from_secs(self.mail_interval.into()),
            secure_password_change: self.secure_password_change,
            manual_linking: self.manual_linking,
            disable_signup: self.disable_signup,
            disable_anonymous: self.disable_anonymous,
            token_lifetime: Duration::from_secs(self.token_lifetime.into()),
            data,
            ..AuthOptions::default()
        }
    }
}
