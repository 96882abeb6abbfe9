//! Common mistakes do not compile, and the compiler message names the remedy.
//!
//! The messages are those of the toolchain in `rust-toolchain.toml`. Regenerate them with
//! `TRYBUILD=overwrite cargo test -p bearward --test compile_fail` and review each one.

/// Compiles the crate and its dependencies once more, which takes minutes, so it runs only with
/// `BEARWARD_TEST_ALL`.
#[test]
fn common_mistakes_do_not_compile() {
    if !test_support::run_all() {
        println!("skipped: set BEARWARD_TEST_ALL=1 to compile the common mistakes");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
