//! `BEARWARD_` variables as a layer of configuration.

use ::config::{Map, Value, ValueKind};

use super::{Sources, ValueSource};

/// Every variable whose name begins so is a key, but for the one that names the environment.
const PREFIX: &str = "BEARWARD_";

/// What `bearward contract` tells the server that it tests, which may be this one: no keys.
const CONTRACT: &str = "BEARWARD_CONTRACT_";

/// The layer that the environment makes.
pub(super) fn layer(sources: &Sources) -> Map<String, Value> {
    let mut layer = Map::new();
    for (name, value) in &sources.variables {
        if let Some(path) = path_of(name) {
            put(
                &mut layer,
                &path,
                value.as_str(),
                &ValueSource::Variable(name.clone()),
            );
        }
    }
    layer
}

/// The layer that the flags of the command line make.
pub(super) fn overrides(sources: &Sources) -> Map<String, Value> {
    let mut layer = Map::new();
    for (path, value) in &sources.overrides {
        put(&mut layer, path, value.as_str(), &ValueSource::CommandLine);
    }
    layer
}

/// The variable that sets the key at `path`.
pub(super) fn name_of(path: &str) -> String {
    format!("{PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

/// Writes `value` at `path` (segments joined by `.`), making the tables on the way.
pub(super) fn put(
    layer: &mut Map<String, Value>,
    path: &str,
    value: impl Into<ValueKind>,
    origin: &ValueSource,
) {
    match path.split_once('.') {
        None => {
            layer.insert(path.to_owned(), Value::new(Some(&origin.tag()), value));
        }
        Some((first, rest)) => {
            let entry = layer
                .entry(first.to_owned())
                .or_insert_with(|| Value::new(None, ValueKind::Table(Map::new())));
            if !matches!(entry.kind, ValueKind::Table(_)) {
                entry.kind = ValueKind::Table(Map::new());
            }
            if let ValueKind::Table(table) = &mut entry.kind {
                put(table, rest, value, origin);
            }
        }
    }
}

fn path_of(name: &str) -> Option<String> {
    let path = name
        .strip_prefix(PREFIX)
        .filter(|_| name != Sources::ENVIRONMENT && !name.starts_with(CONTRACT))?;
    Some(path.to_lowercase().replace("__", "."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_variable_name_each_other() {
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
            "a slip of the keyboard all the same"
        );
    }
}
