//! What the writer of an unknown key probably meant.

use std::collections::BTreeSet;

use strsim::osa_distance;

use super::{ValueSource, variables};

/// The sentence after "unknown key …", from the full paths of every known key.
pub(super) fn suggestion(path: &str, origin: &ValueSource, known: &BTreeSet<String>) -> String {
    if let ValueSource::Variable(name) = origin {
        return variable(name, known);
    }
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings: BTreeSet<&str> = known
        .iter()
        .filter_map(|known| child_of(parent, known))
        .collect();
    if let Some(near) = nearest(leaf, siblings.iter().copied()) {
        return if parent.is_empty() {
            format!("did you mean [{near}]?")
        } else {
            format!("did you mean {near}?")
        };
    }
    let elsewhere = known
        .iter()
        .filter_map(|known| known.rsplit_once('.'))
        .find(|(_, other)| *other == leaf);
    if let Some((section, _)) = elsewhere {
        return format!("{leaf} belongs in [{section}]");
    }
    let list = siblings.into_iter().collect::<Vec<_>>().join(", ");
    if parent.is_empty() {
        format!("the sections are {list}")
    } else {
        format!("[{parent}] has {list}")
    }
}

/// Compared in full, so that a missing second underscore costs one letter and not the section.
fn variable(name: &str, known: &BTreeSet<String>) -> String {
    let names: Vec<String> = known.iter().map(|path| variables::name_of(path)).collect();
    nearest(name, names.iter().map(String::as_str)).map_or_else(
        || {
            "a key is written BEARWARD_SECTION__KEY, with two underscores after the section"
                .to_owned()
        },
        |near| format!("did you mean {near}?"),
    )
}

/// The next segment of `path` below `parent`; the empty parent is the root.
fn child_of<'p>(parent: &str, path: &'p str) -> Option<&'p str> {
    let rest = if parent.is_empty() {
        path
    } else {
        path.strip_prefix(parent)?.strip_prefix('.')?
    };
    rest.split('.').next()
}

/// The closest name within a third of its length (two letters at least), so that nothing
/// far-fetched is suggested.
fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let limit = (wrong.len() / 3).clamp(2, 4);
    names
        .map(|name| (osa_distance(wrong, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(path: &str, origin: &ValueSource) -> String {
        let known = ["jwks.max_stale", "jwks.timeout", "server.bind", "issuers"]
            .map(str::to_owned)
            .into();
        suggestion(path, origin, &known)
    }

    #[test]
    fn a_slip_of_the_keyboard_finds_its_key() {
        let file = ValueSource::File("config/default.toml".into());
        assert_eq!(
            suggested("jwks.max_stael", &file),
            "did you mean max_stale?"
        );
        assert_eq!(suggested("issuer", &file), "did you mean [issuers]?");
        assert_eq!(
            suggested("server.max_stale", &file),
            "max_stale belongs in [jwks]"
        );
        assert_eq!(suggested("max_stale", &file), "max_stale belongs in [jwks]");
        assert_eq!(
            suggested("jwks.colour", &file),
            "[jwks] has max_stale, timeout"
        );
    }

    #[test]
    fn a_variable_is_corrected_as_a_variable() {
        let variable = |name: &str| suggested("", &ValueSource::Variable(name.into()));
        assert_eq!(
            variable("BEARWARD_JWKS_MAX_STALE"),
            "did you mean BEARWARD_JWKS__MAX_STALE?"
        );
        assert_eq!(
            variable("BEARWARD_COLOUR"),
            "a key is written BEARWARD_SECTION__KEY, with two underscores after the section"
        );
    }
}
