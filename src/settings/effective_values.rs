//! Formats the effective configuration for `bearward config --effective` and `bearward check --values`.

use std::fmt;

use super::report::EffectiveValue;

/// The width up to which values determine the column of their sources. A longer value moves only
/// its own source to the right.
const MAX_ALIGNED_WIDTH: usize = 60;

/// The effective values with secrets redacted. `Display` prints one line for each value, with its
/// source.
#[derive(Debug, Clone, Copy)]
pub struct Redacted<'c>(&'c [EffectiveValue]);

impl<'c> Redacted<'c> {
    pub(super) fn new(values: &'c [EffectiveValue]) -> Self {
        Self(values)
    }

    /// Iterates over the values in the order of the sections.
    pub fn values(&self) -> impl Iterator<Item = &'c EffectiveValue> + use<'c> {
        self.0.iter()
    }
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |value: &EffectiveValue| value.path.len() + value.value.chars().count() + 3;
        let column = self
            .0
            .iter()
            .map(width)
            .filter(|width| *width <= MAX_ALIGNED_WIDTH)
            .max()
            .unwrap_or_default();
        for value in self.0 {
            let pad = column.saturating_sub(width(value));
            writeln!(
                f,
                "{} = {}{:pad$}  {}",
                value.path, value.value, "", value.source
            )?;
        }
        Ok(())
    }
}
