//! The result of reading the sections: problems, known keys, and each effective value with its
//! source.

use std::collections::BTreeSet;

use ::config::{Value, ValueKind};

use super::{ConfigErrors, Problem, ValueSource, redact::first_tag, suggestion::suggestion};

/// An effective value, as `bearward check --values` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveValue {
    /// The full path of the key, for example `jwks.max_stale`.
    pub path: String,
    /// The value in TOML notation, with `***` in place of a secret.
    pub value: String,
    /// The layer that set the value.
    pub source: ValueSource,
}

struct UnknownKey {
    path: String,
    source: ValueSource,
    is_section: bool,
}

#[derive(Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) values: Vec<EffectiveValue>,
    pub(super) known: BTreeSet<String>,
    unknown: Vec<UnknownKey>,
}

impl Report {
    /// Records a key or section that does not exist.
    pub(super) fn add_unknown(&mut self, path: String, value: &Value) {
        let is_section = !path.contains('.') && matches!(value.kind, ValueKind::Table(_));
        self.unknown.push(UnknownKey {
            path,
            source: ValueSource::from_tag(first_tag(value)),
            is_section,
        });
    }

    /// Reports values that are valid individually but conflict with each other. All paths must have
    /// been read.
    pub(super) fn conflict(&mut self, paths: &[&str], hint: &str) {
        let parts: Vec<_> = paths
            .iter()
            .filter_map(|path| self.values.iter().find(|value| value.path == *path))
            .map(|value| {
                (
                    value.path.as_str(),
                    &value.source,
                    Some(value.value.as_str()),
                )
            })
            .collect();
        let problem = Problem::conflict(&parts, hint);
        self.problems.push(problem);
    }

    /// Returns the effective values, or all problems. Unknown keys come last, because suggestions
    /// for them need every known key.
    pub(super) fn finish(mut self) -> Result<Vec<EffectiveValue>, ConfigErrors> {
        for UnknownKey {
            path,
            source,
            is_section,
        } in &self.unknown
        {
            let hint = suggestion(path, source, &self.known);
            let kind = if *is_section && !source.is_text() {
                format!("section [{path}]")
            } else {
                format!("key {path}")
            };
            self.problems.push(Problem::plain(format!(
                "unknown {kind} in {source}; {hint}"
            )));
        }
        if self.problems.is_empty() {
            Ok(self.values)
        } else {
            Err(ConfigErrors::new(self.problems))
        }
    }
}
