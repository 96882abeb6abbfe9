//! The subject is borrowed from the principal: to keep it, own it.

use bearward::Principal;

fn remember(user: Principal) -> &'static str {
    user.subject()
}

fn main() {}
