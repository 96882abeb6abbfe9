//! What reading the tree brings to light: problems, known keys, and each effective value with its
//! source.

use std::collections::BTreeSet;

use ::config::{Value, ValueKind};

use super::{ConfigErrors, Problem, ValueSource, redact::first_tag, suggestion::suggestion};

/// One effective value as `bearward check` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveValue {
    /// The full path, for example `jwks.max_stale`.
    pub path: String,
    /// TOML notation; `***` for a secret and for the password inside a URL.
    pub value: String,
    /// Where the value was written.
    pub origin: ValueSource,
}

struct UnknownKey {
    path: String,
    origin: ValueSource,
    is_section: bool,
}

#[derive(Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    pub(super) shown: Vec<EffectiveValue>,
    pub(super) known: BTreeSet<String>,
    unknown: Vec<UnknownKey>,
}

impl Report {
    /// Nobody asked for what stands at `path`.
    pub(super) fn unknown(&mut self, path: String, value: &Value) {
        let is_section = !path.contains('.') && matches!(value.kind, ValueKind::Table(_));
        self.unknown.push(UnknownKey {
            path,
            origin: ValueSource::from_tag(first_tag(value)),
            is_section,
        });
    }

    /// Values that are right one by one and wrong together. Each path has been shown.
    pub(super) fn conflict(&mut self, paths: &[&str], advice: &str) {
        let parts: Vec<_> = paths
            .iter()
            .filter_map(|path| self.shown.iter().find(|shown| shown.path == *path))
            .map(|shown| {
                (
                    shown.path.as_str(),
                    &shown.origin,
                    Some(shown.value.as_str()),
                )
            })
            .collect();
        let problem = Problem::conflict(&parts, advice);
        self.problems.push(problem);
    }

    /// The effective values, or every problem. Unknown keys are told last, when all known ones have
    /// been asked for.
    pub(super) fn finish(mut self) -> Result<Vec<EffectiveValue>, ConfigErrors> {
        for UnknownKey {
            path,
            origin,
            is_section,
        } in &self.unknown
        {
            let hint = suggestion(path, origin, &self.known);
            let what = if *is_section && !origin.is_text() {
                format!("section [{path}]")
            } else {
                format!("key {path}")
            };
            self.problems.push(Problem::plain(format!(
                "unknown {what} in {origin}; {hint}"
            )));
        }
        if self.problems.is_empty() {
            Ok(self.shown)
        } else {
            Err(ConfigErrors::new(self.problems))
        }
    }
}
