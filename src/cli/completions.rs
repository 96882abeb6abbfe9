//! `bearward completions`: prints a completion script.

use clap::Args;
use clap_complete::Shell;

use super::{Failure, stdout};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Options {
    /// Print the script of this shell
    shell: Shell,
}

const AFTER_HELP: &str = "\
Install the script:
  bash
    bearward completions bash > \\
      ~/.local/share/bash-completion/completions/bearward
  zsh, in a folder of $fpath
    bearward completions zsh > ~/.zfunc/_bearward
  fish
    bearward completions fish > ~/.config/fish/completions/bearward.fish";

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        options.shell,
        &mut super::command(),
        super::NAME,
        &mut script,
    );
    stdout::write(&script)
}
