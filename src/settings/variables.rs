//! `BEARWARD_` variables and command-line flags as layers of the configuration.

use ::config::{Map, Value, ValueKind};

use super::{Sources, ValueSource};

/// The prefix of variables that set a key. `BEARWARD_ENV` is not a key.
pub(super) const PREFIX: &str = "BEARWARD_";

/// The prefix of variables that `bearward contract` sets for the server under test, which may be
/// this one. They are not keys.
const CONTRACT_PREFIX: &str = "BEARWARD_CONTRACT_";

/// Builds the layer of the environment variables.
pub(super) fn layer(sources: &Sources) -> Map<String, Value> {
    let mut layer = Map::new();
    for (name, value) in &sources.variables {
        if let Some(path) = path_of(name) {
            set(
                &mut layer,
                &path,
                value.as_str(),
                &ValueSource::Variable(name.clone()),
            );
        }
    }
    layer
}

/// Builds the layer of the command-line flags.
pub(super) fn overrides(sources: &Sources) -> Map<String, Value> {
    let mut layer = Map::new();
    for (path, value) in &sources.overrides {
        set(&mut layer, path, value.as_str(), &ValueSource::CommandLine);
    }
    layer
}

/// Returns the name of the variable that sets the key at `path`.
pub(super) fn name_of(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// Sets `value` at `path` (segments joined by `.`), creating tables as needed.
pub(super) fn set(
    layer: &mut Map<String, Value>,
    path: &str,
    value: impl Into<ValueKind>,
    source: &ValueSource,
) {
    match path.split_once('.') {
        None => {
            layer.insert(path.to_owned(), Value::new(Some(&source.tag()), value));
        }
        Some((first, rest)) => {
            let entry = layer
                .entry(first.to_owned())
                .or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
            if !matches!(entry.kind, ValueKind::Table(_)) {
                entry.kind = ValueKind::Table(Map::new());
            }
            if let ValueKind::Table(table) = &mut entry.kind {
                set(table, rest, value, source);
            }
        }
    }
}

fn path_of(name: &str) -> Option<String> {
    let path = name
        .strip_prefix(PREFIX)
        .filter(|_| name != Sources::ENVIRONMENT && !name.starts_with(CONTRACT_PREFIX))?;
    Some(path.to_lowercase().replace("__", "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_variable_names_convert_into_each_other() {
        assert_eq!(
            name_of("issuers.google.audiences"),
            "BEARWARD_ISSUERS__GOOGLE__AUDIENCES"
        );
        assert_eq!(
            path_of("BEARWARD_ISSUERS__GOOGLE__AUDIENCES").as_deref(),
            Some("issuers.google.audiences")
        );
        assert_eq!(path_of("BEARWARD_ENV"), None);
        assert_eq!(path_of("PATH"), None);
        assert_eq!(path_of("BEARWARD_CONTRACT_ISSUER"), None);
        assert!(
            path_of("BEARWARD_CONTRACT").is_some(),
            "without the underscore it is an unknown key"
        );
    }
}
