//! The inputs of a configuration.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The inputs of [`Config::load`](super::Config::load). The environment of the process is passed in,
/// so that tests can run in parallel.
#[derive(Clone)]
pub struct Sources {
    /// The folder with `default.toml` and one file per environment. With `None` no file is read.
    pub dir: Option<PathBuf>,
    /// The value of `BEARWARD_ENV`, which selects the file that overrides `default.toml`.
    pub environment: String,
    /// Environment variables by name. Unrelated variables are ignored.
    pub variables: BTreeMap<String, String>,
    /// Flags, as (path such as `server.bind`, value). Lists are comma-separated.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// The name of the environment if `BEARWARD_ENV` is not set.
    pub const DEVELOPMENT: &str = "development";

    /// The variable that sets the name of the environment.
    pub const ENVIRONMENT: &str = "BEARWARD_ENV";

    /// Creates sources and takes the name of the environment from `BEARWARD_ENV`.
    pub fn new(
        dir: Option<PathBuf>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let name = variables
            .get(Self::ENVIRONMENT)
            .filter(|name| !name.is_empty());
        let environment = name.map_or_else(|| Self::DEVELOPMENT.to_owned(), Clone::clone);
        Self {
            dir,
            environment,
            variables,
            overrides: Vec::new(),
        }
    }

    /// Returns whether the environment is `production` or `prod`, in any case.
    pub fn is_production(&self) -> bool {
        is_production(&self.environment)
    }

    /// Adds a flag. The last flag with the same path applies.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((path.into(), value.into()));
        self
    }
}

/// Returns whether an environment with this name is production.
pub(crate) fn is_production(environment: &str) -> bool {
    ["production", "prod"]
        .iter()
        .any(|name| environment.trim().eq_ignore_ascii_case(name))
}

/// Prints only the names of variables and flags, because their values may be secret.
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
