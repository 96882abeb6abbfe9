//! The common mistakes do not compile, and rustc says what to do. The messages are those of the
//! toolchain in `rust-toolchain.toml`; `TRYBUILD=overwrite cargo test --test compile_fail` writes
//! them anew.

#[test]
fn the_common_mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
