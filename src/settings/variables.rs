//! `BEARWARD_` variables and command-line flags as layers of the configuration.

use std::{collections::BTreeSet, net::IpAddr};

use ::config::{Map, Value, ValueKind};

use super::{Sources, ValueSource};

/// The prefix of variables that may set a key.
pub(super) const PREFIX: &str = "BEARWARD_";

/// Separates the segments of a path in a variable. A variable without it is not configuration.
const SEPARATOR: &str = "__";

/// Builds the layer of the environment variables.
pub(super) fn layer(sources: &Sources) -> Map<String, Value> {
    let mut layer = Map::new();
    for (name, value) in &sources.variables {
        if let Some(path) = path_of(name, value) {
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

/// Returns what a variable without `__` was probably meant to set, as warnings. Other variables with
/// the prefix belong to something else and are not mentioned.
pub(super) fn notes(sources: &Sources, known: &BTreeSet<String>) -> Vec<String> {
    let without_separators = |text: &str| text.to_lowercase().replace(['.', '_'], "");
    let meaning = |rest: &str| {
        known
            .iter()
            .find(|path| path.contains('.') && without_separators(path) == without_separators(rest))
            .map(|path| format!("did you mean {}?", name_of(path)))
            .or_else(|| {
                rest.starts_with("ISSUERS_")
                    .then(|| format!("a key of an issuer is set with {PREFIX}ISSUERS__NAME__KEY"))
            })
    };
    sources
        .variables
        .iter()
        .filter_map(|(name, value)| {
            let rest = name.strip_prefix(PREFIX)?;
            if rest.contains(SEPARATOR) || is_service_link(rest, value) {
                return None;
            }
            Some(format!("{name} is not used; {}", meaning(rest)?))
        })
        .collect()
}

fn path_of(name: &str, value: &str) -> Option<String> {
    let rest = name
        .strip_prefix(PREFIX)
        .filter(|rest| rest.contains(SEPARATOR) && !is_service_link(rest, value))?;
    Some(rest.to_lowercase().replace(SEPARATOR, "."))
}

/// Whether Kubernetes sets a variable of this form for a Service whose name begins with
/// `bearward`. Docker links have the same form. A Service name may contain two hyphens, which become
/// two underscores.
fn is_service_link(rest: &str, value: &str) -> bool {
    let is_url = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    let is_host = rest.ends_with("SERVICE_HOST") && value.parse::<IpAddr>().is_ok();
    let is_port = (rest.ends_with("SERVICE_PORT") || rest.contains("SERVICE_PORT_"))
        && value.parse::<u16>().is_ok();
    let is_detail = ["_TCP_", "_UDP_", "_SCTP_"]
        .iter()
        .any(|protocol| rest.contains(protocol))
        && ["_PROTO", "_PORT", "_ADDR"]
            .iter()
            .any(|part| rest.ends_with(part));
    is_url || is_host || is_port || is_detail
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
            path_of("BEARWARD_ISSUERS__GOOGLE__AUDIENCES", "a").as_deref(),
            Some("issuers.google.audiences")
        );
        for other in [
            "PATH",
            "BEARWARD_ENV",
            "BEARWARD_IMAGE",
            "BEARWARD_CONTRACT_ISSUER",
        ] {
            assert_eq!(path_of(other, "x"), None, "{other}");
        }
    }

    #[test]
    fn variables_of_a_service_are_not_keys() {
        for (name, value) in [
            ("BEARWARD__ADMIN_SERVICE_HOST", "10.0.0.1"),
            ("BEARWARD__ADMIN_SERVICE_PORT", "80"),
            ("BEARWARD__ADMIN_SERVICE_PORT_HTTP", "80"),
            ("BEARWARD__ADMIN_PORT", "tcp://10.0.0.1:80"),
            ("BEARWARD__ADMIN_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("BEARWARD__ADMIN_PORT_80_TCP_PROTO", "tcp"),
        ] {
            assert_eq!(path_of(name, value), None, "{name}");
        }
        assert!(
            path_of("BEARWARD_SERVER__PORT", "8080").is_some(),
            "an unknown key"
        );
    }
}
