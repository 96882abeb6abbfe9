# Commands for development. `just` lists them.

default:
    @just --list

# Start the development IdP and the API
dev:
    cargo run -- dev

# Run the tests that need nothing else installed
test *ARGS:
    cargo test --locked {{ ARGS }}

# Format, lint and check spelling
lint:
    cargo fmt --all
    cargo clippy --locked --workspace --all-targets -- -D warnings
    typos

# Run what CI runs
ci:
    bash .ci/run

# Run the API tests on PostgreSQL and MariaDB
databases:
    tests/api/databases.sh -- cargo test --locked --test api

# Run the browser tests
e2e:
    bash tests/e2e/run.sh

# Count the instructions of the hot paths and compare them with benches/instructions.txt
bench:
    bash .ci/instructions

# Update the listing of the public API
public-api:
    bash .ci/public-api

# Build the documentation of all crates
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --all-features --open
