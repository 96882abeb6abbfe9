//! The command line: `bearward dev`, `serve`, `idp`, `contract`, `explain`, `check`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bearward_server::cli::run()
}
