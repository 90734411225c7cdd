//! `noren rules`: checks a rules file.

use std::path::PathBuf;

use ::rules::{Faults, Locale, Rules};
use clap::{Args, Subcommand};
use domain::{Currency, Language};
use jiff::Timestamp;

use crate::failure::{Context as _, Failure};
use crate::terminal::print;

/// `noren rules`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  noren rules check rules.toml                report every fault of the file

docs/TUNING.md explains what rules are for, docs/rules.example.toml shows all of them."
)]
pub struct RulesArgs {
    /// The command.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// The commands of `noren rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check a rules file and report every fault with its line
    Check(CheckArgs),
}

/// `noren rules check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren rules check rules.toml                what a service would report
  noren rules check rules.toml --currency EUR  for a catalogue with prices in euros

Each fault is a line FILE:LINE:COLUMN: what is wrong; what to do. Exit code: 0 valid, 1 invalid or unreadable, 2 wrong \
arguments.")]
pub struct CheckArgs {
    /// The rules file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Currency of prices that name none: three letters of ISO 4217
    #[arg(long, env = "NOREN_CURRENCY", default_value = "USD", value_name = "CODE")]
    pub currency: Currency,
    /// Language of the products, as a code such as en, de or fr
    #[arg(long, env = "NOREN_LANGUAGE", default_value = "en", value_name = "CODE")]
    pub language: Language,
}

/// Runs a command.
///
/// # Errors
/// As the command.
pub(crate) fn rules(args: &RulesArgs) -> Result<(), Failure> {
    match &args.command {
        RulesCommand::Check(args) => check(args),
    }
}

/// Writes a summary of the file, or each of its faults, to standard output.
///
/// # Errors
/// If the file cannot be read or has faults.
fn check(args: &CheckArgs) -> Result<(), Failure> {
    let file = args.file.display();
    let bytes = ::rules::read_file(&args.file).context(|| format!("cannot read {file}"))?;
    let locale = Locale { currency: args.currency, language: args.language };
    match Rules::parse(&bytes, locale) {
        Ok(rules) => {
            let (summary, version) = (rules.summary(Timestamp::now()), rules.version());
            print(&format!("{file} is right: {summary}; version {version}"))
        }
        Err(Faults(faults)) => {
            let lines: Vec<String> = faults.iter().map(|fault| format!("{file}:{fault}")).collect();
            print(&lines.join("\n"))?;
            Err(match faults.len() {
                1 => Failure::new(format!("{file} has a fault")),
                count => Failure::new(format!("{file} has {count} faults")),
            })
        }
    }
}
