//! Only the verifier makes evidence.

use bearward::{NoCustomClaims, Verified};

fn main() {
    let _forged: Verified = Verified { custom: NoCustomClaims };
}
