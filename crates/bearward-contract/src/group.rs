//! A group of related cases.

use super::case::Case;

/// A group of related cases.
pub struct Group {
    /// The name, which is also the prefix of the case ids.
    pub name: &'static str,
    /// What the group tests.
    pub title: &'static str,
    /// How to fix its failures in common frameworks.
    pub hint: &'static str,
    /// Whether its cases wait for cooldowns and outages; such a group is not part of a quick run.
    pub timed: bool,
    pub(super) cases: fn() -> Vec<Case>,
}
