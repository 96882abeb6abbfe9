//! Validates `only` and `exclude`, and suggests existing names.

use std::collections::BTreeSet;

use super::{
    options::{Options, matches_prefix},
    plan::plan,
    profile::Profile,
    registry::{all_cases, groups},
};

/// Checks that every pattern of `only` and `exclude` matches a case, and that every pattern of
/// `only` selects one.
///
/// # Errors
/// Returns a message for the user.
pub(super) fn validate_selection(options: &Options) -> Result<(), String> {
    let ids: Vec<&str> = all_cases().iter().map(|case| case.id).collect();
    for pattern in options.only.iter().chain(&options.exclude) {
        if !ids.iter().any(|id| matches_prefix(id, pattern)) {
            return Err(format!(
                "no case id starts with {pattern:?}; {}",
                suggestions(pattern, &ids)
            ));
        }
    }
    // An empty run would pass.
    let plan = plan(options);
    for pattern in &options.only {
        if !plan.iter().any(|case| matches_prefix(case.id, pattern)) {
            return Err(format!(
                "{pattern:?} selects no case: {}",
                exclusion_reason(pattern, options)
            ));
        }
    }
    Ok(())
}

/// Lists the names below the longest valid prefix of the pattern.
fn suggestions(pattern: &str, ids: &[&str]) -> String {
    let is_known = |prefix: &str| ids.iter().any(|id| matches_prefix(id, prefix));
    let mut parent = pattern;
    while let Some((shorter, _)) = parent.rsplit_once('.') {
        parent = shorter;
        if is_known(parent) {
            break;
        }
    }
    if !is_known(parent) {
        let names: Vec<&str> = groups().iter().map(|group| group.name).collect();
        return format!(
            "the groups are {}; --list shows every case",
            names.join(", ")
        );
    }
    let child = |id: &str| {
        let rest = id.strip_prefix(parent)?.strip_prefix('.')?;
        Some(format!("{parent}.{}", rest.split('.').next()?))
    };
    let children: BTreeSet<String> = ids.iter().filter_map(|id| child(id)).collect();
    format!(
        "{parent} has {}",
        children.into_iter().collect::<Vec<_>>().join(", ")
    )
}

fn exclusion_reason(pattern: &str, options: &Options) -> &'static str {
    let selects_any = |options: Options| {
        plan(&options)
            .iter()
            .any(|case| matches_prefix(case.id, pattern))
    };
    if selects_any(Options {
        profile: Profile::Mcp,
        ..options.clone()
    }) {
        "it requires --profile mcp"
    } else if selects_any(Options {
        quick: false,
        ..options.clone()
    }) {
        "--quick skips it"
    } else if selects_any(Options {
        strict: true,
        ..options.clone()
    }) {
        "it requires --strict"
    } else if selects_any(Options {
        exclude: Vec::new(),
        ..options.clone()
    }) {
        "--exclude skips it"
    } else {
        "it requires --strict, and --quick or --exclude skips it"
    }
}
