//! A token, or its header and payload to be signed, through the whole pipeline.

#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target runs one of them")]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    checks::token(input);
});
