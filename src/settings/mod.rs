//! The configuration: merged from layers, validated, and parsed into typed sections.
//!
//! `config/default.toml` documents every key. [`Sources`] holds the inputs.

mod address;
mod admin;
mod app;
mod database;
mod dpop;
mod effective_values;
mod generate;
mod issuer_values;
mod issuers;
mod jwks;
mod layers;
mod network;
mod problem;
mod provider;
mod rate_limit;
mod raw;
mod redact;
mod report;
mod revocation;
mod section;
mod server;
mod service_keys;
mod sources;
mod suggestion;
mod supabase_url;
mod telemetry;
mod tls;
mod tokens;
mod units;
mod value_source;
mod variables;
mod vault;
mod well_known_env;

use std::collections::BTreeMap;

pub use address::{CorsOrigin, PublicUrl};
pub use admin::Admin;
use app::App;
use bearward::{Issuer, JwksCacheConfig, ServiceKey};
pub use database::{Database, Pooler};
pub use dpop::{Dpop, NonceKey};
pub use effective_values::Redacted;
pub use generate::Generate;
pub use problem::{ConfigErrors, Problem};
pub use rate_limit::RateLimit;
pub use report::EffectiveValue;
use report::Report;
pub use revocation::{Revocation, SupabaseRevocation};
use section::{Reported, Section};
use serde::de::DeserializeOwned;
pub use server::Server;
pub(crate) use service_keys::{is_name as is_service_name, parse_expiry};
pub use sources::Sources;
pub use telemetry::{LogFormat, Telemetry};
pub use tls::{ClientAuth, ClientCas, ClientCertificateFormat, ClientCertificateHeader, Tls};
pub use tokens::Tokens;
pub use value_source::ValueSource;
pub use vault::{Vault, VaultKey};

/// The effective configuration, one field for each section. Every value is typed and within its
/// bounds. `Debug` redacts secrets.
///
/// ```
/// use bearward_server::settings::{Config, Sources};
///
/// let sources = Sources::new(None, []).with("issuers.idp.issuer", "https://idp.example.com")
///     .with("issuers.idp.audiences", "my-api");
/// let config = Config::load(&sources).expect("a valid configuration");
/// assert_eq!(config.issuers["idp"].iss(), "https://idp.example.com");
/// assert!(Config::load(&sources.with("jwks.timeout", "5")).is_err(), "a duration without a unit");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The name of the environment (`BEARWARD_ENV`), which selects a file. May be empty.
    pub environment: String,
    /// `[server]`
    pub server: Server,
    /// `[issuers.NAME]`, by name. May be empty: see [`require_issuer`](Self::require_issuer).
    pub issuers: BTreeMap<String, Issuer>,
    /// `[jwks]`
    pub jwks: JwksCacheConfig,
    /// `[service_keys.NAME]`, in the order of the names. May be empty.
    pub service_keys: Vec<ServiceKey>,
    /// `[tokens]`
    pub tokens: Tokens,
    /// `[dpop]`
    pub dpop: Dpop,
    /// `[admin]`
    pub admin: Admin,
    /// `[revocation]`
    pub revocation: Revocation,
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
    app: App,
    warnings: Vec<String>,
    values: Vec<EffectiveValue>,
}

impl Config {
    /// The text of the compiled-in `config/default.toml`, the lowest layer, which documents every
    /// key.
    pub const DEFAULTS: &str = include_str!("../../config/default.toml");

    /// Merges the layers and reads every section. Files named by keys (`_file` twins, `jwks_file`)
    /// are read too.
    ///
    /// Not checked: whether an address can be reached, and whether the keys of an inline set are
    /// usable.
    ///
    /// # Errors
    /// Returns all errors together: an unreadable folder or file, invalid TOML, an unknown key, a
    /// value of the wrong type or out of bounds, conflicting values, a secret that is set twice.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let mut report = Report::default();
        let layers::MergedConfig {
            mut tree,
            mut warnings,
        } = layers::merge(sources, &mut report.problems);
        let server = Section::open(&mut tree, "", "server", &mut report).and_then(Server::read);
        let jwks = Section::open(&mut tree, "", "jwks", &mut report).and_then(jwks::read);
        // If [jwks] is invalid, that is already reported. Issuers with http URLs are not reported
        // as well.
        let issuers = issuers::read(
            &mut tree,
            jwks.as_ref().map_or(true, JwksCacheConfig::allows_http),
            &mut report,
        );
        let service_keys = service_keys::read(&mut tree, &mut report);
        let tokens = Section::open(&mut tree, "", "tokens", &mut report).and_then(Tokens::read);
        let dpop = Section::open(&mut tree, "", "dpop", &mut report).and_then(Dpop::read);
        let admin = Section::open(&mut tree, "", "admin", &mut report)
            .and_then(|section| Admin::read(section, &issuers));
        let revocation = Section::open(&mut tree, "", "revocation", &mut report)
            .and_then(|section| Revocation::read(section, &issuers));
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
        let app = App::take(&mut tree);
        warnings.extend(database.as_ref().ok().and_then(Database::warning));
        for (name, value) in tree {
            report.add_unknown(name, &value);
        }
        warnings.extend(variables::notes(sources, &report.known));
        let values = report.finish()?;
        let read = || {
            Ok::<_, Reported>(Self {
                environment: sources.environment.clone(),
                server: server?,
                issuers,
                jwks: jwks?,
                service_keys,
                tokens: tokens?,
                dpop: dpop?,
                admin: admin?,
                revocation: revocation?,
                database: database?,
                vault: vault?,
                generate: generate?,
                rate_limit: rate_limit?,
                telemetry: telemetry?,
                app,
                warnings,
                values,
            })
        };
        // Unreachable: a section fails only after it reported a problem, and then `finish` has
        // returned an error.
        read().map_err(|Reported| {
            ConfigErrors::new(vec![Problem::plain(
                "a section could not be read, but no reason was reported; this is a bug",
            )])
        })
    }

    /// Checks that an issuer is configured. Without one every token would be rejected.
    ///
    /// # Errors
    /// Returns an error that lists the ways to configure an issuer.
    pub fn require_issuer(&self) -> Result<(), ConfigErrors> {
        if self.issuers.is_empty() {
            Err(ConfigErrors::new(vec![Problem::plain(NO_ISSUER)]))
        } else {
            Ok(())
        }
    }

    /// Reads the section `[app]` as a type of the application. The server does not use the section.
    ///
    /// It is merged from the same layers as the others: `BEARWARD_APP__GREETING` sets `greeting`.
    /// Values of variables are text, which is converted to numbers and booleans.
    ///
    /// ```
    /// use bearward_server::settings::{Config, Sources};
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Settings {
    ///     currency: String,
    ///     max_items: u32,
    /// }
    ///
    /// let sources = Sources::new(None, [
    ///     ("BEARWARD_APP__CURRENCY".to_owned(), "EUR".to_owned()),
    ///     ("BEARWARD_APP__MAX_ITEMS".to_owned(), "20".to_owned()),
    /// ]);
    /// let settings: Settings = Config::load(&sources)?.app()?;
    /// assert_eq!((settings.currency.as_str(), settings.max_items), ("EUR", 20));
    /// # Ok::<_, bearward_server::settings::ConfigErrors>(())
    /// ```
    ///
    /// # Errors
    /// [`ConfigErrors`] if the section does not match `T`, without the value. Add
    /// `#[serde(deny_unknown_fields)]` to make unknown keys errors.
    pub fn app<T: DeserializeOwned>(&self) -> Result<T, ConfigErrors> {
        self.app.deserialize()
    }

    /// Returns what is valid but may be unexpected, such as a shortcut that has no effect or a
    /// missing file.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns each effective value with its source, in the order of the sections. Secrets are
    /// redacted.
    pub fn redacted(&self) -> Redacted<'_> {
        Redacted::new(&self.values)
    }
}

const NO_ISSUER: &str = "no issuer is configured, so every token would be rejected. Configure one:
    SUPABASE_URL=https://YOUR-PROJECT.supabase.co
        for a Supabase project
    [issuers.NAME] with issuer and audiences, in config/default.toml
        for any OpenID Connect provider; the environment has the same keys:
        BEARWARD_ISSUERS__NAME__ISSUER, BEARWARD_ISSUERS__NAME__AUDIENCES
    bearward dev
        to try it with a development IdP";
