//! Variables that people already have, as a layer between the files and the `BEARWARD_` variables.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use ::config::{Map, Value, ValueKind};

use super::{
    Problem, ValueSource,
    redact::{first_tag, shown_text},
    supabase_url, variables,
};

const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";
const GOOGLE_SPELLINGS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
const GOOGLE_CLIENT: &str = ".apps.googleusercontent.com";

/// The layer. `lower` is what the files say, `upper` what `BEARWARD_` variables and flags say.
pub(super) fn layer(
    variables: &BTreeMap<String, String>,
    lower: &Map<String, Value>,
    upper: &Map<String, Value>,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) -> Map<String, Value> {
    let mut shortcuts = WellKnownEnv {
        variables,
        lower,
        upper,
        problems,
        notes,
        layer: Map::new(),
    };
    shortcuts.supabase();
    shortcuts.google();
    shortcuts.database();
    shortcuts.port();
    shortcuts.layer
}

struct WellKnownEnv<'a> {
    variables: &'a BTreeMap<String, String>,
    lower: &'a Map<String, Value>,
    upper: &'a Map<String, Value>,
    problems: &'a mut Vec<Problem>,
    notes: &'a mut Vec<String>,
    layer: Map<String, Value>,
}

impl WellKnownEnv<'_> {
    fn supabase(&mut self) {
        let Some(text) = self.issuer_wanted("SUPABASE_URL", "supabase") else {
            return;
        };
        match supabase_url::project(&text) {
            Ok(project) => {
                let jwks = format!("{project}/auth/v1/.well-known/jwks.json");
                self.issuer(
                    "SUPABASE_URL",
                    "supabase",
                    format!("{project}/auth/v1").into(),
                    &jwks,
                    vec!["authenticated".into()],
                );
            }
            Err(advice) => self.refuse("SUPABASE_URL", &text, &advice),
        }
    }

    fn google(&mut self) {
        let Some(text) = self.issuer_wanted("GOOGLE_CLIENT_ID", "google") else {
            return;
        };
        let clients: Vec<Value> = text
            .split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(Value::from)
            .collect();
        let is_client =
            |id: &Value| matches!(&id.kind, ValueKind::String(id) if id.ends_with(GOOGLE_CLIENT));
        if clients.is_empty() || !clients.iter().all(is_client) {
            let secret = if text.contains("GOCSPX-") {
                "this is the client's secret, which bearward does not need; "
            } else {
                ""
            };
            let advice = format!(
                "{secret}write the OAuth client's id, 1234567890-abc{GOOGLE_CLIENT}, several separated by commas"
            );
            return self.refuse("GOOGLE_CLIENT_ID", &text, &advice);
        }
        let spellings = ValueKind::Array(GOOGLE_SPELLINGS.map(Value::from).into());
        self.issuer(
            "GOOGLE_CLIENT_ID",
            "google",
            spellings,
            GOOGLE_KEYS,
            clients,
        );
        if self.configured("issuers.google.use").is_none() {
            self.put("GOOGLE_CLIENT_ID", "issuers.google.use", "credential");
        }
    }

    fn database(&mut self) {
        let Some(url) = self.variable("DATABASE_URL") else {
            return;
        };
        let explicit = ["database.url", "database.url_file"]
            .into_iter()
            .find_map(|path| Some((path, find(self.upper, path)?)));
        match explicit {
            Some((path, value)) => self.unused("DATABASE_URL", path, &origin_of(value)),
            None => self.put("DATABASE_URL", "database.url", url),
        }
    }

    /// Changes the port and keeps the address, so that a variable that many tools set does not open
    /// the server to the network.
    fn port(&mut self) {
        let Some(text) = self.variable("PORT") else {
            return;
        };
        if let Some(value) = find(self.upper, "server.bind") {
            let origin = origin_of(value);
            return self.unused("PORT", "server.bind", &origin);
        }
        let Ok(port) = text.parse::<u16>() else {
            return self.refuse("PORT", &text, "write a port number from 0 to 65535");
        };
        let address: Option<IpAddr> = match find(self.lower, "server.bind").map(|value| &value.kind)
        {
            Some(ValueKind::String(bind)) => bind.parse::<SocketAddr>().ok().map(|bind| bind.ip()),
            _ => None,
        };
        // Without an address the file's mistake is told when the key is read.
        if let Some(address) = address {
            self.put(
                "PORT",
                "server.bind",
                SocketAddr::new(address, port).to_string(),
            );
        }
    }

    /// The variable's text, unless the issuer is configured in full elsewhere.
    fn issuer_wanted(&mut self, name: &str, issuer: &str) -> Option<String> {
        let text = self.variable(name)?;
        let path = format!("issuers.{issuer}.issuer");
        let Some(origin) = self.configured(&path).map(origin_of) else {
            return Some(text);
        };
        self.unused(name, &path, &origin);
        None
    }

    /// Fills in what the section does not say.
    fn issuer(
        &mut self,
        name: &str,
        issuer: &str,
        spellings: ValueKind,
        jwks_url: &str,
        audiences: Vec<Value>,
    ) {
        let path = |key: &str| format!("issuers.{issuer}.{key}");
        self.put(name, &path("issuer"), spellings);
        if ["jwks_url", "jwks_file", "jwks"]
            .iter()
            .all(|key| self.configured(&path(key)).is_none())
        {
            self.put(name, &path("jwks_url"), jwks_url);
        }
        if self.configured(&path("audiences")).is_none() {
            self.put(name, &path("audiences"), ValueKind::Array(audiences));
        }
    }

    /// An empty variable is how compose files leave one out.
    fn variable(&self, name: &str) -> Option<String> {
        self.variables
            .get(name)
            .filter(|text| !text.trim().is_empty())
            .cloned()
    }

    fn configured(&self, path: &str) -> Option<&Value> {
        find(self.upper, path).or_else(|| find(self.lower, path))
    }

    fn put(&mut self, name: &str, path: &str, value: impl Into<ValueKind>) {
        variables::put(
            &mut self.layer,
            path,
            value,
            &ValueSource::Variable(name.to_owned()),
        );
    }

    fn refuse(&mut self, name: &str, text: &str, advice: &str) {
        self.problems.push(Problem::value(
            name,
            &ValueSource::Variable(name.to_owned()),
            Some(&shown_text(text)),
            advice,
        ));
    }

    fn unused(&mut self, name: &str, path: &str, origin: &ValueSource) {
        self.notes.push(format!(
            "{name} is not used, because {path} is set in {origin}"
        ));
    }
}

fn origin_of(value: &Value) -> ValueSource {
    ValueSource::from_tag(first_tag(value))
}

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
