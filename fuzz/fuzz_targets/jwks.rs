//! Fuzzes the JWKS parser.

#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses one of the functions")]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::jwks(input));
