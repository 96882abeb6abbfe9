//! What is wrong with a configuration, said so that a person can mend it.

use std::fmt;

use super::ValueSource;

/// One mistake: where it was written, what was found (never a secret), what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl Problem {
    /// A value that cannot be used. `found` is None for a secret, and for a value that is absent.
    pub(super) fn value(
        path: &str,
        origin: &ValueSource,
        found: Option<&str>,
        advice: &str,
    ) -> Self {
        let place = if path == origin.to_string() {
            path.to_owned()
        } else {
            format!("{path} in {origin}")
        };
        Self(found.map_or_else(
            || format!("{place}: {advice}"),
            |found| format!("{place}: found {found}; {advice}"),
        ))
    }

    /// Values that do not fit together; each comes as (path, origin, shown value).
    pub(super) fn conflict(parts: &[(&str, &ValueSource, Option<&str>)], advice: &str) -> Self {
        let parts: Vec<String> = parts
            .iter()
            .map(|(path, origin, shown)| match shown {
                Some(shown) => format!("{path} = {shown} ({origin})"),
                None => format!("{path} ({origin})"),
            })
            .collect();
        Self(format!("{}: {advice}", parts.join(" and ")))
    }

    /// A mistake that is not about one value.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every mistake of a configuration at once, so that one restart mends them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    /// `problems` is not empty.
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// The mistakes, in the order of the sections.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

/// A heading, then one line for each mistake.
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
