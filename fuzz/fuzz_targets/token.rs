//! Fuzzes the verification of tokens, both raw and signed with a known key.

#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    checks::token(input);
});
