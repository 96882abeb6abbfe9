//! Selects the cases of a run.

use super::{
    case::Case,
    cases::mcp,
    options::{Options, matches_prefix},
    profile::Profile,
    registry::GROUPS,
};

/// Returns the cases of the run in order: the baseline, then each selected group, followed by a
/// case that checks that the target still accepts a valid token.
pub(super) fn plan(options: &Options) -> Vec<Case> {
    let (mut follow_ups, mut plan): (Vec<Case>, Vec<Case>) = (GROUPS[0].cases)()
        .into_iter()
        .partition(|case| matches_prefix(case.id, "control.after"));
    plan.retain(|case| {
        case.id == "control.valid" || case.id == "control.no-token" || options.is_selected(case.id)
    });
    for group in GROUPS
        .iter()
        .skip(1)
        .filter(|group| !(options.quick && group.timed))
        .filter(|group| group.name != mcp::GROUP.name || options.profile == Profile::Mcp)
    {
        let selected = (group.cases)()
            .into_iter()
            .filter(|case| options.is_selected(case.id) && (options.strict || !case.strict));
        let before = plan.len();
        plan.extend(selected);
        let id = format!("control.after.{}", group.name);
        if plan.len() > before
            && let Some(index) = follow_ups.iter().position(|case| case.id == id)
        {
            plan.push(follow_ups.swap_remove(index));
        }
    }
    plan
}
