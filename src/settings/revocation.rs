//! The `[revocation]` section.

use std::{collections::BTreeMap, fmt, time::Duration};

use bearward::{Issuer, RevocationConfig, TokenUse};
use sqlx::postgres::PgConnectOptions;

use super::{
    database::schema_name,
    raw::{Hint, Raw, boolean, integer},
    redact::without_password,
    section::{Reported, Section},
    units::duration,
};

/// How tokens are rejected before they expire.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Revocation {
    /// Whether the revocation list is loaded and can be changed.
    pub enabled: bool,
    /// Within which time all replicas know a new entry.
    pub interval: Duration,
    /// How long an entry is kept.
    pub retention: Duration,
    /// The maximum number of entries.
    pub max_entries: usize,
    /// Whether logout tokens of identity providers are accepted.
    pub backchannel_logout: bool,
    /// `[revocation.supabase]`; `None` without a URL.
    pub supabase: Option<SupabaseRevocation>,
}

impl Revocation {
    pub(super) fn read(
        mut section: Section<'_>,
        issuers: &BTreeMap<String, Issuer>,
    ) -> Result<Self, Reported> {
        let enabled = section.take("enabled", boolean);
        let interval = section.take(
            "interval",
            duration(Duration::from_millis(100)..=Duration::from_secs(60)),
        );
        let retention = section.take("retention", duration(RevocationConfig::RETENTION.range()));
        let max_entries = section.take(
            "max_entries",
            integer(RevocationConfig::MAX_ENTRIES.range()),
        );
        let backchannel_logout = section.take("backchannel_logout", boolean);
        let supabase = section
            .subsection("supabase")
            .and_then(|section| SupabaseRevocation::read(section, issuers));
        if let (Ok(false), Ok(Some(_))) = (enabled, &supabase) {
            section.conflict(
                &["enabled", "supabase.url"],
                "the sessions of Supabase are checked only if revocation is enabled",
            );
        }
        section.finish();
        Ok(Self {
            enabled: enabled?,
            interval: interval?,
            retention: retention?,
            max_entries: max_entries?,
            backchannel_logout: backchannel_logout?,
            supabase: supabase?,
        })
    }

    /// Returns the limits of the verifier's list.
    pub fn config(&self) -> RevocationConfig {
        RevocationConfig::default()
            .max_entries(self.max_entries)
            .retention(self.retention)
    }
}

/// How the database of Supabase Auth is asked for sessions that have ended.
#[derive(Clone)]
#[non_exhaustive]
pub struct SupabaseRevocation {
    /// The connection.
    pub options: PgConnectOptions,
    /// The schema of the tables or views `sessions` and `users`.
    pub schema: String,
    /// How often it is asked.
    pub interval: Duration,
    /// The canonical issuer of the sessions.
    pub issuer: String,
}

impl SupabaseRevocation {
    fn read(
        mut section: Section<'_>,
        issuers: &BTreeMap<String, Issuer>,
    ) -> Result<Option<Self>, Reported> {
        let options = section.secret("url", without_password, postgres_url);
        let schema = section.take("schema", schema_name);
        let interval = section.take(
            "interval",
            duration(Duration::from_millis(100)..=Duration::from_secs(600)),
        );
        let name = section.optional("issuer", |raw| {
            let name = raw.text()?;
            match issuers.get(name) {
                Some(issuer) => Ok(issuer.iss().to_owned()),
                None => Err(format!("there is no section [issuers.{name}]")),
            }
        });
        let issuer = match (&options, name) {
            (Ok(Some(_)), Ok(None)) => {
                let found = only_supabase_issuer(issuers);
                section.require(
                    "issuer",
                    Ok(found),
                    "write the name of the issuer in [issuers.NAME] whose sessions these are",
                )
            }
            (_, name) => name.map(Option::unwrap_or_default),
        };
        section.finish();
        let (options, schema, interval, issuer) = (options?, schema?, interval?, issuer?);
        Ok(options.map(|options| Self {
            options,
            schema,
            interval,
            issuer,
        }))
    }
}

/// Returns the canonical issuer of the only issuer that has the path of Supabase Auth.
fn only_supabase_issuer(issuers: &BTreeMap<String, Issuer>) -> Option<String> {
    let mut found = issuers.values().filter(|issuer| {
        issuer.has_token_use(TokenUse::AccessToken) && issuer.iss().ends_with("/auth/v1")
    });
    match (found.next(), found.next()) {
        (Some(only), None) => Some(only.iss().to_owned()),
        _ => None,
    }
}

/// Parses a URL of PostgreSQL. The error does not repeat it.
fn postgres_url(raw: Raw<'_>) -> Result<PgConnectOptions, Hint> {
    let text = raw.text()?;
    let is_postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let options = is_postgres.then(|| text.parse::<PgConnectOptions>().ok());
    options
        .flatten()
        // Statements are prepared for one use: poolers in transaction mode share servers.
        .map(|options| {
            options
                .statement_cache_capacity(0)
                .extra_float_digits(None)
                .application_name("bearward")
        })
        .ok_or_else(|| {
            "the URL must have the form postgres://USER:PASSWORD@HOST/NAME (the value is not shown); percent-encode the user name and the password"
                .to_owned()
        })
}

/// Prints no password.
impl fmt::Debug for SupabaseRevocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SupabaseRevocation")
            .field("host", &self.options.get_host())
            .field("schema", &self.schema)
            .field("interval", &self.interval)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
