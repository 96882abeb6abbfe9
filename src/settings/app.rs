//! The `[app]` section: settings of the application that own routes belong to.

use std::fmt;

use ::config::{Map, Value, ValueKind};
use serde::de::DeserializeOwned;

use super::{ConfigErrors, Problem};

/// The section as it was merged. Its keys and types are known to the application only.
#[derive(Clone)]
pub(super) struct App(Value);

impl App {
    /// Takes the section out of the merged tree. A missing section is read as an empty one.
    pub(super) fn take(tree: &mut Map<String, Value>) -> Self {
        let empty = || Value::new(None, ValueKind::Table(Map::new()));
        Self(tree.remove("app").unwrap_or_else(empty))
    }

    pub(super) fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ConfigErrors> {
        self.0.clone().try_deserialize().map_err(|error| {
            ConfigErrors::new(vec![Problem::plain(format!("[app]: {}", describe(&error)))])
        })
    }
}

/// Describes an error without the value, which may be secret.
fn describe(error: &::config::ConfigError) -> String {
    use ::config::ConfigError::{At, Type};
    match error {
        At { error, key, .. } => match key {
            Some(key) => format!("{key}: {}", describe(error)),
            None => describe(error),
        },
        Type { key, expected, .. } => match key {
            Some(key) => format!("{key}: expected {expected}"),
            None => format!("expected {expected}"),
        },
        other => other.to_string(),
    }
}

/// Prints no values, because they may be secret.
impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Config, Sources};

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are tested")]
    struct Settings {
        max_items: u32,
    }

    /// Returns the error for an `[app]` section with this key.
    fn error(key: &str, value: &str) -> String {
        let sources = Sources::new(None, []).with(key, value);
        let config = Config::load(&sources).expect("a configuration");
        let error = config.app::<Settings>().expect_err("invalid settings");
        assert!(!format!("{config:?}").contains("s3cret"));
        error.to_string()
    }

    #[test]
    fn errors_name_the_key_and_not_the_value() {
        let wrong_type = error("app.max_items", "s3cret");
        assert!(
            wrong_type.contains("max_items") && !wrong_type.contains("s3cret"),
            "{wrong_type}"
        );
        let unknown = error("app.max_itmes", "3");
        assert!(unknown.contains("unknown field `max_itmes`"), "{unknown}");
        let missing = Config::load(&Sources::new(None, [])).expect("a configuration");
        let missing = missing.app::<Settings>().expect_err("missing settings");
        assert!(missing.to_string().contains("max_items"), "{missing}");
    }

    #[test]
    fn other_sections_are_still_unknown() {
        let sources = Sources::new(None, []).with("ap.max_items", "3");
        assert!(Config::load(&sources).is_err());
    }
}
