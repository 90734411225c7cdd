//! The command line: the commands of `noren`. The arguments of each are beside its code.

use clap::{Parser, Subcommand};

use crate::backup::BackupArgs;
use crate::completions::CompletionsArgs;
use crate::cost::CostArgs;
use crate::delete::DeleteArgs;
use crate::dlq::DlqArgs;
use crate::eval::EvalArgs;
use crate::explain::ExplainArgs;
use crate::export::ExportArgs;
use crate::import::ImportArgs;
use crate::keys::KeysArgs;
use crate::login::{LoginArgs, LogoutArgs};
use crate::reindex::ReindexArgs;
use crate::rules::RulesArgs;
use crate::search::SearchArgs;
use crate::serve::ServeArgs;
use crate::verify::VerifyArgs;
use bench::BenchArgs;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "noren", version = build_info::VERSION, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 80)]
#[command(
    about = "A product catalogue: an acknowledged write is never lost, and searches find it a moment later"
)]
#[command(long_about = None)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  noren serve --demo                      start with 2,000 sample products
  noren import products.ndjson.gz         fill the catalogue
  noren search red kettle --price -50     search it
  noren export -o products.ndjson.gz      write all products to a file";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the catalogue: writes, index and search in one process
    Serve(Box<ServeArgs>),
    /// Write products from files into the catalogue
    Import(ImportArgs),
    /// Search the catalogue
    Search(SearchArgs),
    /// Explain why a search finds a product or does not
    Explain(ExplainArgs),
    /// Write all products as NDJSON
    Export(ExportArgs),
    /// Delete products by their ids, source, category, brand or status
    Delete(DeleteArgs),
    /// Copy the embedded store to a file while services use it
    Backup(BackupArgs),
    /// Compare the index with the store and repair differences
    Verify(VerifyArgs),
    /// Rebuild the index from the store, or return to the previous one
    Reindex(ReindexArgs),
    /// List, show, retry or drop the changes that could not be indexed
    Dlq(DlqArgs),
    /// Create, list, rotate and revoke API keys
    Keys(KeysArgs),
    /// Store the address of a service and the key for it, which all commands then use
    Login(LoginArgs),
    /// Remove what login stored
    Logout(LogoutArgs),
    /// Measure the relevance of search results against rated products
    Eval(EvalArgs),
    /// Measure the speed of import and search on this machine
    Bench(BenchArgs),
    /// Calculate what a catalogue costs a month, by part and provider
    Cost(CostArgs),
    /// Check the rules of the shop: synonyms, pinned products, boosts
    Rules(RulesArgs),
    /// Write completions for a shell
    Completions(CompletionsArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  noren"), "{} has no examples", command.get_name());
        }
    }

    #[test]
    fn a_price_may_begin_with_a_hyphen() {
        let cli = Cli::try_parse_from(["noren", "search", "--price", "-50", "tea", "--attribute", "a=b=c"]);
        let Ok(Cli { command: Command::Search(args) }) = cli else { panic!("{cli:?}") };
        assert_eq!(args.words, ["tea"]);
        let parameters = [("priceRange", "-50"), ("attributes.a", "b=c")];
        assert_eq!(
            args.flags.parameters(),
            parameters.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn service_folder_and_back_ends_exclude_each_other() {
        let targets = ["--url=http://x", "--data-dir=d", "--back-ends"];
        let commands: [&[&str]; 11] = [
            &["delete", "id"],
            &["search"],
            &["explain", "id"],
            &["eval", "judgments.csv"],
            &["import", "products.csv"],
            &["export"],
            &["verify"],
            &["reindex"],
            &["dlq", "list"],
            &["keys", "list"],
            &["dlq", "retry", "--all"],
        ];
        for command in commands {
            for (at, target) in targets.iter().enumerate() {
                let parse = |targets: &[&str]| Cli::try_parse_from([&["noren"], command, targets].concat());
                assert!(parse(&[target]).is_ok(), "{command:?} {target}");
                let both = parse(&[target, targets[(at + 1) % targets.len()]]);
                assert_eq!(both.unwrap_err().exit_code(), 2, "{command:?} {target}");
            }
        }
    }
}
