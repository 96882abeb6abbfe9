//! The battery: its groups in the order in which they are run.

mod algorithm;
mod cache;
mod claims;
mod control;
mod flood;
mod form;
mod gate;
mod header;
mod herd;
mod http;
mod issuer;
mod jwks;
mod key;
mod manners;
mod outage;
mod rotation;
mod signature;
pub(super) mod slow;
mod ssrf;

use super::{case::Case, options::begins};

/// Cases that belong together.
pub struct Group {
    /// What its cases' ids begin with.
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// How frameworks usually put its failures right.
    pub hint: &'static str,
    /// It waits for cooldowns and outages: not part of a quick run.
    pub timed: bool,
    pub(super) cases: fn() -> Vec<Case>,
}

/// The order matters. What needs no new key comes first. Rotations come before what uses up a
/// target's right to ask for keys: outages, then the flood, after which a target with a cooldown
/// asks nothing for a while.
pub(super) const GROUPS: [Group; 18] = [
    control::GROUP,
    form::GROUP,
    header::GROUP,
    algorithm::GROUP,
    signature::GROUP,
    key::GROUP,
    claims::GROUP,
    issuer::GROUP,
    jwks::GROUP,
    ssrf::GROUP,
    http::GROUP,
    cache::GROUP,
    rotation::GROUP,
    outage::GROUP,
    slow::GROUP,
    herd::GROUP,
    gate::GROUP,
    flood::GROUP,
];

/// The group of an id: the longest name that the id begins with.
pub(super) fn group(id: &str) -> &'static Group {
    let named = GROUPS.iter().filter(|group| begins(id, group.name));
    named
        .max_by_key(|group| group.name.len())
        .unwrap_or(&GROUPS[0])
}
