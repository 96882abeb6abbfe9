//! Suggests the key that the writer of an unknown key probably meant.

use std::collections::BTreeSet;

use strsim::osa_distance;

use super::{ValueSource, variables};

/// Returns the sentence that follows "unknown key …". `known` holds the full path of every known
/// key.
pub(super) fn suggestion(path: &str, source: &ValueSource, known: &BTreeSet<String>) -> String {
    if let ValueSource::Variable(name) = source {
        return variable_suggestion(name, known);
    }
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    let siblings: BTreeSet<&str> = known
        .iter()
        .filter_map(|known| child_of(parent, known))
        .collect();
    if let Some(near) = nearest(siblings.iter().map(|name| (leaf, *name, *name))) {
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
        format!("the keys of [{parent}] are {list}")
    }
}

/// Compares whole variable names, not segment by segment, so that a missing underscore counts as one
/// edit.
fn variable_suggestion(name: &str, known: &BTreeSet<String>) -> String {
    let names: Vec<String> = known.iter().map(|path| variables::name_of(path)).collect();
    let candidates = names.iter().map(|known| {
        let (written, meant) = differing_parts(name, known);
        (written, meant, known.as_str())
    });
    nearest(candidates).map_or_else(
        || {
            "a variable is named BEARWARD_SECTION__KEY, with two underscores after the section"
                .to_owned()
        },
        |near| format!("did you mean {near}?"),
    )
}

/// Removes the prefix of all variables and the segments that both names begin with. What is left is
/// compared, so that a long common beginning does not make different keys look similar.
fn differing_parts<'a>(written: &'a str, known: &'a str) -> (&'a str, &'a str) {
    let without_prefix = |name: &'a str| name.strip_prefix(variables::PREFIX).unwrap_or(name);
    let (mut written, mut known) = (without_prefix(written), without_prefix(known));
    while let (Some((a, rest_of_written)), Some((b, rest_of_known))) =
        (written.split_once("__"), known.split_once("__"))
        && a == b
    {
        (written, known) = (rest_of_written, rest_of_known);
    }
    (written, known)
}

/// Returns the next segment of `path` below `parent`. The empty parent is the root.
fn child_of<'p>(parent: &str, path: &'p str) -> Option<&'p str> {
    let rest = if parent.is_empty() {
        path
    } else {
        path.strip_prefix(parent)?.strip_prefix('.')?
    };
    rest.split('.').next()
}

/// Returns the name with the smallest edit distance. Each candidate is (what was written, what it
/// is compared with, name). The distance may be a third of the written length, and 2 to 4.
fn nearest<'n>(candidates: impl Iterator<Item = (&'n str, &'n str, &'n str)>) -> Option<&'n str> {
    candidates
        .filter_map(|(written, known, name)| {
            let limit = (written.len() / 3).clamp(2, 4);
            let distance = osa_distance(written, known);
            (distance <= limit).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggest(path: &str, source: &ValueSource) -> String {
        let known = [
            "jwks.max_stale",
            "jwks.timeout",
            "server.bind",
            "tokens.cookie",
            "issuers",
        ]
        .map(str::to_owned)
        .into();
        suggestion(path, source, &known)
    }

    #[test]
    fn a_misspelled_key_in_a_file_gets_a_suggestion() {
        let file = ValueSource::File("config/default.toml".into());
        assert_eq!(suggest("jwks.max_stael", &file), "did you mean max_stale?");
        assert_eq!(suggest("issuer", &file), "did you mean [issuers]?");
        assert_eq!(
            suggest("server.max_stale", &file),
            "max_stale belongs in [jwks]"
        );
        assert_eq!(suggest("max_stale", &file), "max_stale belongs in [jwks]");
        assert_eq!(
            suggest("jwks.colour", &file),
            "the keys of [jwks] are max_stale, timeout"
        );
    }

    #[test]
    fn a_misspelled_variable_gets_a_variable_as_suggestion() {
        let variable = |name: &str| suggest("", &ValueSource::Variable(name.into()));
        for (written, meant) in [
            ("BEARWARD_JWKS__MAX__STALE", "BEARWARD_JWKS__MAX_STALE"),
            ("BEARWARD_JWK__MAX_STALE", "BEARWARD_JWKS__MAX_STALE"),
            ("BEARWARD_JWKS__MAX_STAEL", "BEARWARD_JWKS__MAX_STALE"),
            ("BEARWARD_SEVRER__BIND", "BEARWARD_SERVER__BIND"),
        ] {
            assert_eq!(variable(written), format!("did you mean {meant}?"));
        }
        let none =
            "a variable is named BEARWARD_SECTION__KEY, with two underscores after the section";
        assert_eq!(variable("BEARWARD_COLOUR__RED"), none);
    }

    #[test]
    fn a_common_prefix_does_not_make_names_similar() {
        let variable = |name: &str| suggest("", &ValueSource::Variable(name.into()));
        // Three edits to BIND and to MAX: within a third of the whole name, but not of the key.
        assert!(!variable("BEARWARD_SERVER__PORT").contains("did you mean"));
        assert!(!variable("BEARWARD_B").contains("did you mean"));
        assert_eq!(
            differing_parts("BEARWARD_SERVER__PORT", "BEARWARD_SERVER__BIND"),
            ("PORT", "BIND")
        );
        assert_eq!(
            differing_parts("BEARWARD_TOKENS", "BEARWARD_TOKENS__COOKIE"),
            ("TOKENS", "TOKENS__COOKIE")
        );
    }
}
