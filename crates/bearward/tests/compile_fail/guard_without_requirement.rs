//! The scope-wide guard takes the same types as `Require`.

use bearward::Bearward;

struct Admin;

fn guard(auth: &Bearward) {
    let _guard = auth.require::<Admin>();
}

fn main() {}
