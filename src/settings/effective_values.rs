//! The effective configuration as `bearward check` prints it.

use std::fmt;

use super::report::EffectiveValue;

/// Displays one value a line with its source. Secrets are `***`.
#[derive(Debug, Clone, Copy)]
pub struct Redacted<'c>(&'c [EffectiveValue]);

impl<'c> Redacted<'c> {
    pub(super) fn new(shown: &'c [EffectiveValue]) -> Self {
        Self(shown)
    }

    /// The values one by one.
    pub fn values(&self) -> impl Iterator<Item = &'c EffectiveValue> + use<'c> {
        self.0.iter()
    }
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Beyond this width a long value pushes only its own source to the right.
        let width = |shown: &EffectiveValue| shown.path.len() + shown.value.chars().count() + 3;
        let column = self
            .0
            .iter()
            .map(width)
            .filter(|width| *width <= 60)
            .max()
            .unwrap_or_default();
        for shown in self.0 {
            let pad = column.saturating_sub(width(shown));
            writeln!(
                f,
                "{} = {}{:pad$}  {}",
                shown.path, shown.value, "", shown.origin
            )?;
        }
        Ok(())
    }
}
