//! Common mistakes do not compile, and the compiler message names the remedy.
//!
//! The messages are those of the toolchain in `rust-toolchain.toml`. Regenerate them with
//! `TRYBUILD=overwrite cargo test -p bearward --test compile_fail` and review each one.

#[test]
fn common_mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
