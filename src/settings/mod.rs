//! The configuration: layered, strict, parsed once into its types. Nothing here reads the process's
//! environment.

mod address;
mod database;
mod effective_values;
mod generate;
mod issuer_values;
mod issuers;
mod jwks;
mod layers;
mod network;
mod problem;
mod rate_limit;
mod raw;
mod redact;
mod report;
mod section;
mod server;
mod sources;
mod suggestion;
mod supabase_url;
mod telemetry;
mod tokens;
mod units;
mod value_source;
mod variables;
mod vault;
mod well_known_env;

use std::collections::BTreeMap;

pub use address::{CorsOrigin, PublicUrl};
pub use database::Database;
pub use effective_values::Redacted;
pub use generate::Generate;
pub use issuers::{Audiences, IssuerSection};
pub use jwks::Jwks;
pub use problem::{ConfigErrors, Problem};
pub use rate_limit::RateLimit;
pub use report::EffectiveValue;
use report::Report;
use section::{Reported, Section};
pub use server::Server;
pub use sources::Sources;
pub use telemetry::{LogFormat, Telemetry};
pub use tokens::Tokens;
pub use value_source::ValueSource;
pub use vault::{Vault, VaultKey};

/// The effective configuration, one field for each section. Every value has its type and lies
/// within its bounds; `Debug` shows no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The environment's name (`BEARWARD_ENV`).
    pub environment: String,
    /// `[server]`
    pub server: Server,
    /// `[issuers.NAME]`, by name. Empty until somebody names one: see
    /// [`require_issuer`](Self::require_issuer).
    pub issuers: BTreeMap<String, IssuerSection>,
    /// `[jwks]`
    pub jwks: Jwks,
    /// `[tokens]`
    pub tokens: Tokens,
    /// `[database]`
    pub database: Database,
    /// `[vault]`
    pub vault: Vault,
    /// `[generate]`
    pub generate: Generate,
    /// `[rate_limit]`
    pub rate_limit: RateLimit,
    /// `[telemetry]`
    pub telemetry: Telemetry,
    notes: Vec<String>,
    shown: Vec<EffectiveValue>,
}

impl Config {
    /// Lays the sources over each other and reads every section. Files that a key names (`_file`
    /// twins, `jwks_file`) are read here.
    ///
    /// # Errors
    /// Every mistake at once: a folder or file that cannot be read, TOML that does not parse, an
    /// unknown key, a value of the wrong type or out of its bounds, values that contradict each
    /// other, a secret set twice.
    ///
    /// Not checked: whether any address answers, whether keys of an inline set are usable.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut report = Report::default();
        let layers::MergedConfig {
            mut tree,
            mut notes,
        } = layers::merge(sources, &mut report.problems);
        let server = Section::open(&mut tree, "", "server", &mut report).and_then(Server::read);
        let jwks = Section::open(&mut tree, "", "jwks", &mut report).and_then(Jwks::read);
        // A broken [jwks] is told already; it must not make every http issuer look wrong as well.
        let issuers = issuers::read(
            &mut tree,
            jwks.as_ref().map_or(true, |jwks| jwks.allow_http),
            &mut report,
        );
        let tokens = Section::open(&mut tree, "", "tokens", &mut report).and_then(Tokens::read);
        let database =
            Section::open(&mut tree, "", "database", &mut report).and_then(Database::read);
        let vault = Section::open(&mut tree, "", "vault", &mut report).and_then(Vault::read);
        let generate =
            Section::open(&mut tree, "", "generate", &mut report).and_then(Generate::read);
        let rate_limit =
            Section::open(&mut tree, "", "rate_limit", &mut report).and_then(RateLimit::read);
        let rust_log = sources.variables.get("RUST_LOG");
        let telemetry = Section::open(&mut tree, "", "telemetry", &mut report)
            .and_then(|section| Telemetry::read(section, rust_log));
        notes.extend(database.as_ref().ok().and_then(Database::note));
        for (name, value) in tree {
            report.unknown(name, &value);
        }
        let shown = report.finish()?;
        let read = || {
            Ok::<_, Reported>(Self {
                environment: sources.environment.clone(),
                server: server?,
                issuers,
                jwks: jwks?,
                tokens: tokens?,
                database: database?,
                vault: vault?,
                generate: generate?,
                rate_limit: rate_limit?,
                telemetry: telemetry?,
                notes,
                shown,
            })
        };
        // A section is missing only beside a problem, and then `finish` has returned already.
        read().map_err(|Reported| {
            ConfigErrors::new(vec![Problem::plain(
                "a section was not read, without a reason; this is a bug",
            )])
        })
    }

    /// Refuses a configuration without an issuer, under which every token would be refused.
    ///
    /// # Errors
    /// When no issuer is configured; the message tells the ways to give one.
    pub fn require_issuer(&self) -> Result<(), ConfigErrors> {
        if self.issuers.is_empty() {
            Err(ConfigErrors::new(vec![Problem::plain(NO_ISSUER)]))
        } else {
            Ok(())
        }
    }

    /// Refuses a production server without a vault key, which could keep no API key and would say
    /// so only to the first user who sends one.
    ///
    /// # Errors
    /// When the environment is `production` and `vault.keys` is empty; the message tells how to
    /// make a key.
    pub fn require_vault_key(&self) -> Result<(), ConfigErrors> {
        if sources::is_production(&self.environment) && self.vault.keys.is_empty() {
            return Err(ConfigErrors::new(vec![Problem::plain(NO_VAULT_KEY)]));
        }
        Ok(())
    }

    /// What is no mistake and yet may surprise: a shortcut that is not used, a file that is not
    /// there.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Each effective value with its source, secrets masked, in the order of the sections.
    pub fn redacted(&self) -> Redacted<'_> {
        Redacted::new(&self.shown)
    }
}

const NO_VAULT_KEY: &str =
    "vault.keys is empty, so no user's API key could be kept. Make a key, keep it safe (without it nothing opens), and name it:
    echo \"k1:$(openssl rand -base64 32)\" > vault.keys && chmod 600 vault.keys
    BEARWARD_VAULT__KEYS_FILE=vault.keys";

const NO_ISSUER: &str = "no issuer is configured, so every token would be refused. Name one:
    SUPABASE_URL=https://YOUR-PROJECT.supabase.co    for a Supabase project
    [issuers.NAME] with issuer and audiences         in config/default.toml, for any OpenID Connect provider
    BEARWARD_ISSUERS__NAME__ISSUER and BEARWARD_ISSUERS__NAME__AUDIENCES do the same in the environment
    bearward dev                                     to try it with a development IdP";
