//! The command line program; see `bearward --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bearward_server::cli::run()
}
