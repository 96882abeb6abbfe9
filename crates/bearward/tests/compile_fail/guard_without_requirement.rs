//! The guard of a scope takes the same requirement types as `Require`.

use bearward::Bearward;

struct Admin;

fn guard(auth: &Bearward) {
    let _guard = auth.require::<Admin>();
}

fn main() {}
