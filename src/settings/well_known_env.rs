//! Environment variables that other software already sets.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use ::config::{Map, Value, ValueKind};
use bearward::{Algorithm, Audiences, Issuer, KeySource, TokenUse};

use super::{
    Problem, ValueSource,
    address::listen_address,
    raw::Raw,
    redact::{first_tag, redacted_text},
    supabase_url, variables,
};

/// The end of every OAuth client id of Google.
const GOOGLE_CLIENT: &str = ".apps.googleusercontent.com";

/// The values of these variables, as two layers.
pub(super) struct WellKnownLayers {
    /// Overrides files. `BEARWARD_` variables and flags override it.
    pub(super) below: Map<String, Value>,
    /// Overrides everything: the port that the platform routes to.
    pub(super) above: Map<String, Value>,
}

/// Reads the variables. `lower` is the merged files; `upper` is the merged `BEARWARD_` variables and
/// flags.
pub(super) fn read(
    variables: &BTreeMap<String, String>,
    lower: &Map<String, Value>,
    upper: &Map<String, Value>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> WellKnownLayers {
    let mut env = WellKnownEnv {
        variables,
        lower,
        upper,
        problems,
        warnings,
        layer: Map::new(),
    };
    env.supabase();
    env.google();
    env.database();
    let above = env.port();
    WellKnownLayers {
        below: env.layer,
        above,
    }
}

struct WellKnownEnv<'a> {
    variables: &'a BTreeMap<String, String>,
    lower: &'a Map<String, Value>,
    upper: &'a Map<String, Value>,
    problems: &'a mut Vec<Problem>,
    warnings: &'a mut Vec<String>,
    layer: Map<String, Value>,
}

impl WellKnownEnv<'_> {
    fn supabase(&mut self) {
        let Some(text) = self.variable_for_issuer("SUPABASE_URL", "supabase") else {
            return;
        };
        match supabase_url::issuer(&text) {
            Ok(issuer) => self.set_issuer("SUPABASE_URL", "supabase", &issuer),
            Err(hint) => self.reject("SUPABASE_URL", &text, &hint),
        }
    }

    fn google(&mut self) {
        let Some(text) = self.variable_for_issuer("GOOGLE_CLIENT_ID", "google") else {
            return;
        };
        if let Some(issuer) = google_issuer(&text) {
            return self.set_issuer("GOOGLE_CLIENT_ID", "google", &issuer);
        }
        let secret = if text.contains("GOCSPX-") {
            "this is the client secret, which bearward does not need; "
        } else {
            ""
        };
        let hint = format!(
            "{secret}write the OAuth client id, such as 1234567890-abc{GOOGLE_CLIENT}; separate several with commas"
        );
        self.reject("GOOGLE_CLIENT_ID", &text, &hint);
    }

    fn database(&mut self) {
        let Some(url) = self.variable("DATABASE_URL") else {
            return;
        };
        let explicit = ["database.url", "database.url_file"]
            .into_iter()
            .find_map(|path| Some((path, find(self.upper, path)?)));
        match explicit {
            Some((path, value)) => self.note_unused("DATABASE_URL", path, &source_of(value)),
            None => self.set("DATABASE_URL", "database.url", url),
        }
    }

    /// Returns a layer with the port of `server.bind`. Platforms route to this port, so it overrides
    /// the port of every other source. The IP address is kept if one is configured. Otherwise the
    /// server listens on all addresses, because the router of the platform is another machine.
    fn port(&mut self) -> Map<String, Value> {
        let mut layer = Map::new();
        let Some(text) = self.variable("PORT") else {
            return layer;
        };
        let Ok(port) = text.parse::<u16>() else {
            self.reject("PORT", &text, "write a port number from 0 to 65535");
            return layer;
        };
        let configured = self
            .configured("server.bind")
            .filter(|value| source_of(value) != ValueSource::Default);
        let address = match configured {
            None => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            Some(value) => {
                let raw = Raw {
                    kind: &value.kind,
                    is_text: true,
                };
                // An invalid server.bind is reported when the section is read.
                let Ok(bind) = listen_address(raw) else {
                    return layer;
                };
                if source_of(value) == ValueSource::CommandLine && bind.port() != port {
                    self.warnings.push(format!(
                        "the port of --bind {bind} is not used, because PORT is set to {port}"
                    ));
                }
                bind.ip()
            }
        };
        variables::set(
            &mut layer,
            "server.bind",
            SocketAddr::new(address, port).to_string(),
            &ValueSource::Variable("PORT".to_owned()),
        );
        layer
    }

    /// Returns the value of the variable, unless `issuers.NAME.issuer` or `provider` is configured.
    fn variable_for_issuer(&mut self, variable: &str, name: &str) -> Option<String> {
        let text = self.variable(variable)?;
        let configured = ["issuer", "provider"].into_iter().find_map(|key| {
            let path = format!("issuers.{name}.{key}");
            let source = self.configured(&path).map(source_of)?;
            Some((path, source))
        });
        let Some((path, source)) = configured else {
            return Some(text);
        };
        self.note_unused(variable, &path, &source);
        None
    }

    /// Writes the properties of `issuer` to the keys of its section that are not configured.
    fn set_issuer(&mut self, variable: &str, name: &str, issuer: &Issuer) {
        let path = |key: &str| format!("issuers.{name}.{key}");
        let texts = |values: Vec<&str>| -> ValueKind {
            ValueKind::Array(values.into_iter().map(Value::from).collect())
        };
        let accepted: Vec<&str> = issuer.accepted_issuers().collect();
        match accepted.as_slice() {
            [only] => self.set(variable, &path("issuer"), *only),
            _ => self.set(variable, &path("issuer"), texts(accepted)),
        }
        let has_keys = ["jwks_url", "discovery_url", "jwks_file", "jwks"]
            .iter()
            .any(|key| self.configured(&path(key)).is_some());
        if let (KeySource::Url(url), false) = (issuer.key_source(), has_keys) {
            self.set(variable, &path("jwks_url"), url.as_str());
        }
        if let Audiences::OneOf(audiences) = issuer.accepted_audiences() {
            let audiences = texts(audiences.iter().map(AsRef::as_ref).collect());
            self.set_unless_configured(variable, &path("audiences"), audiences);
        }
        if issuer.accepted_algorithms() != Algorithm::DEFAULT {
            let names = issuer.accepted_algorithms().iter();
            let algorithms = texts(names.map(|algorithm| algorithm.name()).collect());
            self.set_unless_configured(variable, &path("algorithms"), algorithms);
        }
        if issuer.is_first_party() {
            self.set_unless_configured(variable, &path("first_party"), true);
        }
        if issuer.has_token_use(TokenUse::IdToken) {
            self.set_unless_configured(variable, &path("use"), "credential");
        }
    }

    /// Returns the value of a variable. An empty variable counts as unset, because compose files
    /// cannot omit one.
    fn variable(&self, name: &str) -> Option<String> {
        self.variables
            .get(name)
            .filter(|text| !text.trim().is_empty())
            .cloned()
    }

    fn configured(&self, path: &str) -> Option<&Value> {
        find(self.upper, path).or_else(|| find(self.lower, path))
    }

    fn set_unless_configured(&mut self, variable: &str, path: &str, value: impl Into<ValueKind>) {
        if self.configured(path).is_none() {
            self.set(variable, path, value);
        }
    }

    fn set(&mut self, variable: &str, path: &str, value: impl Into<ValueKind>) {
        variables::set(
            &mut self.layer,
            path,
            value,
            &ValueSource::Variable(variable.to_owned()),
        );
    }

    fn reject(&mut self, variable: &str, text: &str, hint: &str) {
        self.problems.push(Problem::value(
            variable,
            &ValueSource::Variable(variable.to_owned()),
            Some(&redacted_text(text)),
            hint,
        ));
    }

    fn note_unused(&mut self, variable: &str, path: &str, source: &ValueSource) {
        self.warnings.push(format!(
            "{variable} is not used, because {path} is set in {source}"
        ));
    }
}

/// Builds the issuer for a comma-separated list of client ids. Returns `None` if one of them is not
/// a client id of Google.
fn google_issuer(text: &str) -> Option<Issuer> {
    let mut clients = text
        .split(',')
        .map(str::trim)
        .filter(|client| !client.is_empty());
    let first = Issuer::google(clients.next().filter(|id| id.ends_with(GOOGLE_CLIENT))?).ok()?;
    clients.try_fold(first, |issuer, client| {
        if client.ends_with(GOOGLE_CLIENT) {
            issuer.audience(client).ok()
        } else {
            None
        }
    })
}

fn source_of(value: &Value) -> ValueSource {
    ValueSource::from_tag(first_tag(value))
}

/// Returns the value at `path`. An empty string counts as not set.
fn find<'v>(tree: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    match path.split_once('.') {
        None => tree
            .get(path)
            .filter(|value| !matches!(&value.kind, ValueKind::String(text) if text.is_empty())),
        Some((first, rest)) => match &tree.get(first)?.kind {
            ValueKind::Table(table) => find(table, rest),
            _ => None,
        },
    }
}
