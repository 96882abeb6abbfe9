//! Whether `only` and `exclude` name cases, and what would be right where they do not.

use std::collections::BTreeSet;

use super::{
    options::{Options, begins},
    plan::plan,
};

/// The error is a sentence for whoever wrote the options.
pub(super) fn check(options: &Options) -> Result<(), String> {
    let ids: Vec<&str> = super::all_cases().iter().map(|case| case.id).collect();
    for pattern in options.only.iter().chain(&options.exclude) {
        if !ids.iter().any(|id| begins(id, pattern)) {
            return Err(format!(
                "no case begins with {pattern:?}; {}",
                siblings(pattern, &ids)
            ));
        }
    }
    // A run of nothing would pass.
    let plan = plan(options);
    for pattern in &options.only {
        if !plan.iter().any(|case| begins(case.id, pattern)) {
            return Err(format!(
                "nothing of {pattern:?} would be run: {}",
                left_out(pattern, options)
            ));
        }
    }
    Ok(())
}

/// What there is in the place of a pattern that names nothing, as far as the pattern is right.
fn siblings(pattern: &str, ids: &[&str]) -> String {
    let known = |part: &str| ids.iter().any(|id| begins(id, part));
    let mut parent = pattern;
    while let Some((shorter, _)) = parent.rsplit_once('.') {
        parent = shorter;
        if known(parent) {
            break;
        }
    }
    if !known(parent) {
        let groups: Vec<&str> = super::groups().iter().map(|group| group.name).collect();
        return format!(
            "the groups are {}; --list shows every case",
            groups.join(", ")
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

fn left_out(pattern: &str, options: &Options) -> String {
    let anything = |options: Options| plan(&options).iter().any(|case| begins(case.id, pattern));
    match () {
        () if anything(Options {
            quick: false,
            ..options.clone()
        }) =>
        {
            "--quick leaves it out"
        }
        () if anything(Options {
            strict: true,
            ..options.clone()
        }) =>
        {
            "it is asked with --strict alone"
        }
        () if anything(Options {
            exclude: Vec::new(),
            ..options.clone()
        }) =>
        {
            "--exclude leaves it out"
        }
        () => "it is asked with --strict alone, and --quick or --exclude leaves it out",
    }
    .to_owned()
}
