//! The inputs of a configuration.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// The inputs of [`Config::load`](super::Config::load). The environment of the process is read by
/// [`from_environment`](Self::from_environment) only, so that tests can run in parallel.
#[derive(Clone)]
pub struct Sources {
    /// The folder with `default.toml` and one file per environment. With `None` no file is read.
    pub dir: Option<PathBuf>,
    /// The value of `BEARWARD_ENV`, which selects the file that overrides `default.toml`. Empty if it
    /// is not set; then there is no such file.
    pub environment: String,
    /// Environment variables by name. Unrelated variables are ignored.
    pub variables: BTreeMap<String, String>,
    /// Flags, as (path such as `server.bind`, value). Lists are comma-separated.
    pub overrides: Vec<(String, String)>,
    /// TOML text that overrides the built-in defaults, and that every other source overrides.
    pub development_defaults: Option<String>,
}

impl Sources {
    /// The variable that sets the name of the environment.
    pub const ENVIRONMENT: &str = "BEARWARD_ENV";

    /// Creates sources and takes the name of the environment from `BEARWARD_ENV`.
    pub fn new(
        dir: Option<PathBuf>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let variables: BTreeMap<_, _> = variables.into_iter().collect();
        let environment = variables
            .get(Self::ENVIRONMENT)
            .cloned()
            .unwrap_or_default();
        Self {
            dir,
            environment,
            variables,
            overrides: Vec::new(),
            development_defaults: None,
        }
    }

    /// Reads the environment variables of the process. Without `dir`, files are read from the folder
    /// `config` if it exists.
    pub fn from_environment(dir: Option<PathBuf>) -> Self {
        let dir = dir.or_else(|| Some(PathBuf::from("config")).filter(|default| default.is_dir()));
        // Values that are not UTF-8 are passed on lossily and rejected by their parser. If they were
        // dropped, the default would apply unnoticed.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        });
        Self::new(dir, variables)
    }

    /// Adds a flag. The last flag with the same path applies.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.overrides.push((path.into(), value.into()));
        self
    }
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
            .field("development_defaults", &self.development_defaults)
            .finish()
    }
}
