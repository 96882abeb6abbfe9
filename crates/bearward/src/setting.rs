//! The default and the accepted range of a configuration value.

use std::ops::RangeInclusive;

/// The default of a configuration value and the range of values that are accepted.
///
/// Each limit of the library is defined once, as an associated constant next to the builder method
/// that sets it. Configuration readers and documentation take both from there.
///
/// ```
/// use bearward::JwksCacheConfig;
///
/// let max_stale = JwksCacheConfig::MAX_STALE;
/// assert!(max_stale.range().contains(&max_stale.default));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Setting<T> {
    /// The value that applies unless another one is set.
    pub default: T,
    /// The smallest accepted value.
    pub min: T,
    /// The largest accepted value.
    pub max: T,
}

impl<T> Setting<T> {
    /// Creates a setting. `default` must lie within `min` and `max`.
    pub const fn new(default: T, min: T, max: T) -> Self {
        Self { default, min, max }
    }
}

impl<T: Copy> Setting<T> {
    /// Returns the accepted values, both ends included.
    pub const fn range(&self) -> RangeInclusive<T> {
        RangeInclusive::new(self.min, self.max)
    }
}
