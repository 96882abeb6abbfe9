//! Fuzzes the parser of the `Authorization` header.

#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::authorization(input));
