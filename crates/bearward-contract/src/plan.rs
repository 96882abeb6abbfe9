//! Which cases a run has, and in which order.

use super::{
    case::Case,
    cases::GROUPS,
    options::{Options, begins},
};

/// The cases of this run: the controls, then each group that is wanted, with the good token that
/// must be accepted after it.
pub(super) fn plan(options: &Options) -> Vec<Case> {
    let (mut after, mut plan): (Vec<Case>, Vec<Case>) = (GROUPS[0].cases)()
        .into_iter()
        .partition(|case| begins(case.id, "control.after"));
    plan.retain(|case| {
        case.id == "control.valid" || case.id == "control.no-token" || options.wants(case.id)
    });
    for group in GROUPS
        .iter()
        .skip(1)
        .filter(|group| !(options.quick && group.timed))
    {
        let wanted = (group.cases)()
            .into_iter()
            .filter(|case| options.wants(case.id) && (options.strict || !case.strict));
        let before = plan.len();
        plan.extend(wanted);
        let id = format!("control.after.{}", group.name);
        if plan.len() > before
            && let Some(at) = after.iter().position(|case| case.id == id)
        {
            plan.push(after.swap_remove(at));
        }
    }
    plan
}
