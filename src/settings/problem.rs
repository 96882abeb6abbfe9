//! Configuration errors, worded for the person who has to fix them.

use std::fmt;

use super::ValueSource;

/// One configuration error: the key and its source, the value found (redacted if it is a secret),
/// and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    /// Describes an invalid value. `found` is `None` for a secret and for a missing value.
    pub(super) fn value(path: &str, source: &ValueSource, found: Option<&str>, hint: &str) -> Self {
        let location = if path == source.to_string() {
            path.to_owned()
        } else {
            format!("{path} in {source}")
        };
        Self(found.map_or_else(
            || format!("{location}: {hint}"),
            |found| format!("{location}: found {found}; {hint}"),
        ))
    }

    /// Describes values that conflict with each other. Each part is (path, source, redacted value).
    pub(super) fn conflict(parts: &[(&str, &ValueSource, Option<&str>)], hint: &str) -> Self {
        let parts: Vec<String> = parts
            .iter()
            .map(|(path, source, value)| match value {
                Some(value) => format!("{path} = {value} ({source})"),
                None => format!("{path} ({source})"),
            })
            .collect();
        Self(format!("{}: {hint}", parts.join(" and ")))
    }

    /// Describes an error that does not belong to one value.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All errors of a configuration. They are reported together, so that one restart can fix them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    /// Wraps `problems`, which must not be empty.
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// Returns the errors in the order of the sections.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

/// Prints a heading, then one line for each error.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [only] => write!(f, "the configuration has a problem:\n  {only}"),
            all => {
                write!(f, "the configuration has {} problems:", all.len())?;
                all.iter()
                    .try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigErrors {}
