//! The flags that say how people sign in at the development IdP.

use std::{path::PathBuf, time::Duration};

use bearward_idp::AuthOptions;
use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "How people sign in")]
pub(super) struct IdpFlags {
    /// Keep people, sessions, mails and keys in this file; without it they end with the process
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Another address to which a sign-in may return, beside the site and this machine; `*` and
    /// `**` as Supabase reads them
    #[arg(long, value_name = "URL", value_parser = redirect)]
    redirect: Vec<String>,
    /// Where a sign-in returns to that names no address
    #[arg(long, value_name = "URL", default_value = "http://localhost:3000")]
    site_url: String,
    /// Ask people to confirm their email address before their first sign-in; the mails are at
    /// /.inbox
    #[arg(long)]
    confirm_email: bool,
    /// Let nobody new in
    #[arg(long)]
    disable_signup: bool,
    /// Let nobody in without a name
    #[arg(long)]
    disable_anonymous: bool,
    /// How long an access token lives, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    token_lifetime: u32,
}

/// A pattern without a scheme would match nothing, and nobody would see why.
fn redirect(text: &str) -> Result<String, &'static str> {
    match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("write an address with its scheme, such as https://app.example/**"),
    }
}

impl IdpFlags {
    pub(super) fn options(self) -> AuthOptions {
        AuthOptions {
            site_url: self.site_url,
            redirects: self.redirect,
            confirm_email: self.confirm_email,
            disable_signup: self.disable_signup,
            disable_anonymous: self.disable_anonymous,
            token_lifetime: Duration::from_secs(self.token_lifetime.into()),
            data: self.data,
            ..AuthOptions::default()
        }
    }
}
