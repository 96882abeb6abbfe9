//! Everything that a configuration is made of.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The inputs of [`Config::load`](super::Config::load). Nothing is read from the process, so that
/// tests run beside each other.
#[derive(Clone)]
pub struct Sources {
    /// The folder with `default.toml` and a file for each environment. None reads no file.
    pub dir: Option<PathBuf>,
    /// The value of `BEARWARD_ENV`: which file is laid over `default.toml`.
    pub environment: String,
    /// Environment variables by name. Those that are neither keys nor shortcuts are passed over.
    pub variables: BTreeMap<String, String>,
    /// Flags, as (path such as `server.bind`, value). Lists are separated by commas.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// The environment's name when `BEARWARD_ENV` names none.
    pub const DEVELOPMENT: &str = "development";

    /// The variable that names the environment; it is no key.
    pub const ENVIRONMENT: &str = "BEARWARD_ENV";

    /// Takes the environment's name from `BEARWARD_ENV` among the variables.
    pub fn new(
        dir: Option<PathBuf>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let named = variables
            .get(Self::ENVIRONMENT)
            .filter(|name| !name.is_empty());
        let environment = named.map_or_else(|| Self::DEVELOPMENT.to_owned(), Clone::clone);
        Self {
            dir,
            environment,
            variables,
            overrides: Vec::new(),
        }
    }

    /// Whether this is production, in either of its usual names.
    pub fn is_production(&self) -> bool {
        is_production(&self.environment)
    }

    /// Adds a flag. The last one with the same path wins.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((path.into(), value.into()));
        self
    }
}

/// Whether an environment of this name is production.
pub(crate) fn is_production(environment: &str) -> bool {
    ["production", "prod"]
        .iter()
        .any(|name| environment.trim().eq_ignore_ascii_case(name))
}

/// Variables hold secrets, so only their names are shown.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("dir", &self.dir)
            .field("environment", &self.environment)
            .field("variables", &self.variables.keys())
            .field(
                "overrides",
                &self
                    .overrides
                    .iter()
                    .map(|(path, _)| path)
                    .collect::<Vec<_>>(),
            )
            .finish()
    }
}
