//! The list of all groups, in the order in which they are run.

use super::{
    case::Case,
    cases::{
        access_token_profile, algorithm, baseline, cache, claims, dpop, flood, format, header,
        http, issuer, jwks, key, mcp, mtls, no_fetch, outage, resource_metadata, rotation,
        signature, slow_jwks, ssrf, thundering_herd,
    },
    group::Group,
    options::matches_prefix,
};

/// All groups.
///
/// The order matters: groups that need no new key come first. Rotations come before the groups that
/// exhaust the target's fetch limit (outages, then the flood).
pub(super) const GROUPS: [Group; 23] = [
    baseline::GROUP,
    format::GROUP,
    header::GROUP,
    algorithm::GROUP,
    signature::GROUP,
    key::GROUP,
    claims::GROUP,
    access_token_profile::GROUP,
    issuer::GROUP,
    jwks::GROUP,
    ssrf::GROUP,
    http::GROUP,
    dpop::GROUP,
    mtls::GROUP,
    resource_metadata::GROUP,
    mcp::GROUP,
    cache::GROUP,
    rotation::GROUP,
    outage::GROUP,
    slow_jwks::GROUP,
    thundering_herd::GROUP,
    no_fetch::GROUP,
    flood::GROUP,
];

/// Returns every case, in the order in which they are run.
pub fn all_cases() -> Vec<Case> {
    GROUPS.iter().flat_map(|group| (group.cases)()).collect()
}

/// Returns every group, in the order in which they are run.
pub fn groups() -> &'static [Group] {
    &GROUPS
}

impl Case {
    /// Returns the group of the case: the one with the longest name that is a prefix of the id.
    pub fn group(&self) -> &'static Group {
        let candidates = GROUPS
            .iter()
            .filter(|group| matches_prefix(self.id, group.name));
        candidates
            .max_by_key(|group| group.name.len())
            .unwrap_or(&GROUPS[0])
    }
}
