//! The subject borrows from the principal and cannot outlive it.

use bearward::Principal;

fn subject_of(user: Principal) -> &'static str {
    user.subject()
}

fn main() {}
