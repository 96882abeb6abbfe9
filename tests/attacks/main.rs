#![allow(clippy::unwrap_used, reason = "helpers of tests")]

//! Attacks, each as the attacker would make it: against the public API, over real HTTP where the
//! wire matters.

mod discovery;
mod guard;
mod key_sets;
mod showing;
mod snapshots;
mod tokens;
mod wire;
