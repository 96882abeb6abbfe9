//! Only the verifier makes evidence.

use bearward::{Standard, Verified};

fn main() {
    let _forged: Verified = Verified { own: Standard };
}
