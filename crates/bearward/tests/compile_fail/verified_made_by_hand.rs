//! Only the verifier makes evidence.

use {NoCustomClaims, Verified};

fn main() {
    let _forged: Verified = Verified { own: NoCustomClaims };
}
