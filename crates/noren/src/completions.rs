//! `noren completions`: completions for shells.

use clap::Args;

use crate::failure::Failure;
use crate::terminal::print;

/// `noren completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren completions bash > ~/.local/share/bash-completion/completions/noren
  noren completions zsh > ~/.zfunc/_noren
  noren completions fish > ~/.config/fish/completions/noren.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Writes the completions of a command line for a shell to standard output.
///
/// # Errors
/// If nobody reads the output.
pub(crate) fn write_completions(args: &CompletionsArgs, command: &mut clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "noren", &mut script);
    print(&String::from_utf8_lossy(&script))
}
