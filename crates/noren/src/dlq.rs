//! `noren dlq`: lists, shows, retries and drops the changes that could not be indexed.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use api::wire::dead_letters::{Letter, LetterSelection, Letters, LettersOutcome, RefusedLetter};
use axum::body::Bytes;
use clap::{Args, Subcommand};
use comfy_table::{Cell, CellAlignment};
use domain::fault::printable;

use crate::client::{Api, read_json};
use crate::failure::{Context as _, Failure};
use crate::target::{Access, Target};
use crate::terminal::{print, print_response, table};

const NOT_RECORDED: &str = "not recorded";

/// `noren dlq`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  noren dlq list                              changes that could not be indexed, with reasons
  noren dlq show 17                           one of them, with its message
  noren dlq retry --all                       once the cause is fixed
  noren dlq drop 17
  NOREN_STORE=dynamodb NOREN_QUEUE=sqs noren dlq list --back-ends

A change that could not be indexed in five attempts is a dead letter. `retry` enqueues the current version of its product, \
never the old message, and then removes the dead letter."
)]
pub struct DlqArgs {
    /// The command.
    #[command(subcommand)]
    pub command: DlqCommand,
}

/// The commands of `noren dlq`.
#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// List dead letters, newest first
    List(ListArgs),
    /// Show a dead letter with its message
    Show(ShowArgs),
    /// Enqueue the current versions of their products, and remove the dead letters
    Retry(SelectionArgs),
    /// Remove dead letters without indexing their products
    Drop(DropArgs),
}

/// `noren dlq list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq list                              of the service at http://127.0.0.1:8080
  noren dlq list --data-dir ./data --limit 500
  noren dlq list --json | jq -r '.deadLetters[].id'")]
pub struct ListArgs {
    #[command(flatten)]
    pub target: Target,
    /// Number of dead letters to list, at most 500
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

/// `noren dlq show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq show 17
  noren dlq show 17 --json | jq -r .body")]
pub struct ShowArgs {
    /// Key of the dead letter, from the list
    #[arg(value_name = "KEY")]
    pub key: String,
    #[command(flatten)]
    pub target: Target,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

/// `noren dlq retry`, and the arguments that it shares with `noren dlq drop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq retry 17 18
  noren dlq retry --all
  noren dlq retry --all --data-dir ./data     indexed when a service runs on that folder

Exit code: 0 all enqueued, 1 some remain dead letters, 2 wrong arguments.")]
pub struct SelectionArgs {
    /// Keys of the dead letters, from the list
    #[arg(value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    pub keys: Vec<String>,
    /// All dead letters
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub target: Target,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// `noren dlq drop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq drop 17
  noren dlq drop --all --yes                  without confirmation, for scripts

Exit code: 0 all dropped, 1 some did not exist, 2 wrong arguments.")]
pub struct DropArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
}

/// An operation on dead letters.
#[derive(Clone, Copy)]
enum Operation {
    Retry,
    Drop,
}

impl Operation {
    /// Last part of its path.
    fn path(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Drop => "drop",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Retry => "enqueued again",
            Self::Drop => "dropped",
        }
    }
}

/// Runs a command.
///
/// # Errors
/// If the catalogue cannot be opened or rejects the command, or nobody reads the output.
pub(crate) async fn dlq(args: &DlqArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        DlqCommand::List(args) => list(args).await,
        DlqCommand::Show(args) => show(args).await,
        DlqCommand::Retry(args) => apply(args, Operation::Retry).await,
        DlqCommand::Drop(args) => drop_letters(args).await,
    }
}

/// The fields of a dead letter, as they are shown.
struct Shown<'a> {
    product: &'a str,
    version: String,
    reason: &'a str,
    died_at: &'a str,
}

impl<'a> Shown<'a> {
    fn of(letter: &'a Letter) -> Self {
        Self {
            product: letter.id.as_ref().map_or("unreadable", |id| id.as_str()),
            version: letter.version.map(|version| version.to_string()).unwrap_or_default(),
            reason: letter.reason.as_deref().unwrap_or(NOT_RECORDED),
            died_at: letter.died_at.as_deref().unwrap_or(NOT_RECORDED),
        }
    }
}

async fn list(args: &ListArgs) -> Result<ExitCode, Failure> {
    let parameters = [("limit".to_owned(), args.limit.to_string())];
    let body = get(&args.target, "/admin/dead-letters", &parameters).await?;
    print_response(&body, args.json, |body| Ok(render_list(&read_json(body, "the dead letters")?)))?;
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let body = get(&args.target, &format!("/admin/dead-letters/{}", args.key), &[]).await?;
    print_response(&body, args.json, |body| Ok(render_letter(&read_json(body, "the dead letter")?)))?;
    Ok(ExitCode::SUCCESS)
}

async fn get(target: &Target, path: &str, parameters: &[(String, String)]) -> Result<Bytes, Failure> {
    target.with(Access::Store, async |catalogue| catalogue.api().get(path, parameters).await?.success()).await
}

fn render_list(Letters { dead_letters, more }: &Letters) -> String {
    if dead_letters.is_empty() {
        return "no dead letters".to_owned();
    }
    let mut table = table(["Key", "Product", "Version", "Receives", "Given up", "Reason"]);
    for letter in dead_letters {
        let Shown { product, version, reason, died_at } = Shown::of(letter);
        table.add_row([
            Cell::new(printable(&letter.key.0)),
            Cell::new(printable(product)),
            Cell::new(version).set_alignment(CellAlignment::Right),
            Cell::new(letter.receives).set_alignment(CellAlignment::Right),
            Cell::new(printable(died_at)),
            Cell::new(printable(reason)),
        ]);
    }
    let count = match (dead_letters.len(), more) {
        (1, false) => "1 dead letter".to_owned(),
        (count, false) => format!("{count} dead letters"),
        (count, true) => format!("the newest {count} of more; --limit shows up to 500"),
    };
    format!("{}\n{count}", table.trim_fmt())
}

fn render_letter(letter: &Letter) -> String {
    let Shown { product, version, reason, died_at } = Shown::of(letter);
    let body = letter.body.as_deref().unwrap_or("none: it refers to the current version of the product");
    [
        ("key", letter.key.0.as_str()),
        ("product", product),
        ("version", &version),
        ("receives", &letter.receives.to_string()),
        ("given up", died_at),
        ("reason", reason),
        ("message", body),
    ]
    .map(|(name, value)| format!("{name:<10}{}", printable(value)))
    .join("\n")
}

async fn drop_letters(args: &DropArgs) -> Result<ExitCode, Failure> {
    if !args.yes && !is_confirmed(&args.selection)? {
        runtime::err_line!("nothing was dropped");
        return Ok(ExitCode::FAILURE);
    }
    apply(&args.selection, Operation::Drop).await
}

/// Asks for confirmation on the terminal.
fn is_confirmed(selection: &SelectionArgs) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("cannot ask for confirmation without a terminal; confirm with --yes"));
    }
    let what = match (selection.all, selection.keys.len()) {
        (true, _) => "all dead letters".to_owned(),
        (false, 1) => "1 dead letter".to_owned(),
        (false, count) => format!("{count} dead letters"),
    };
    let question = format_args!("drop {what}? This cannot be undone. [y/N] ");
    std::io::stderr().write_fmt(question).context(|| "asking for confirmation".to_owned())?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context(|| "reading the answer".to_owned())?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn apply(args: &SelectionArgs, operation: Operation) -> Result<ExitCode, Failure> {
    let outcome = args
        .target
        .with(Access::Store, async |catalogue| match args.all {
            true => apply_to_all(catalogue.api(), operation).await,
            false => apply_once(catalogue.api(), operation, &selection_of(&args.keys)).await,
        })
        .await?;
    match args.json {
        true => print(&serde_json::to_string(&outcome).context(|| "writing the outcome".to_owned())?)?,
        false => print(&render_outcome(&outcome, operation))?,
    }
    let is_complete = outcome.refused.is_empty() && !outcome.more;
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Repeats the operation until no dead letters remain or all that remain were refused. One request handles a few hundred; each
/// response repeats the refused ones.
async fn apply_to_all(api: &dyn Api, operation: Operation) -> Result<LettersOutcome, Failure> {
    let all = LetterSelection { keys: None, all: Some(true) };
    let mut done = Vec::new();
    loop {
        let outcome = apply_once(api, operation, &all).await?;
        let is_stuck = outcome.done.is_empty();
        done.extend(outcome.done);
        if is_stuck || !outcome.more {
            return Ok(LettersOutcome { done, refused: outcome.refused, more: outcome.more });
        }
    }
}

fn selection_of(keys: &[String]) -> LetterSelection {
    LetterSelection { keys: Some(keys.to_vec()), all: None }
}

async fn apply_once(
    api: &dyn Api,
    operation: Operation,
    selection: &LetterSelection,
) -> Result<LettersOutcome, Failure> {
    let path = format!("/admin/dead-letters/{}", operation.path());
    let selection = serde_json::to_vec(selection).context(|| "writing the selection".to_owned())?;
    let body = api.post(&path, selection.into()).await?.success()?;
    read_json(&body, "the outcome")
}

fn render_outcome(outcome: &LettersOutcome, operation: Operation) -> String {
    let mut lines = vec![format!("{} {}", outcome.done.len(), operation.done())];
    lines.extend(
        outcome.refused.iter().map(|RefusedLetter { key, reason }| {
            format!("{} stays: {}", printable(&key.0), printable(reason))
        }),
    );
    if outcome.more {
        lines.push("there are more dead letters after these; resolve these first".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ports::DeadLetterKey;
    use domain::{ProductId, Version};

    fn key(text: &str) -> DeadLetterKey {
        serde_json::from_value(text.into()).unwrap()
    }

    fn letter(reason: Option<&str>) -> Letter {
        Letter {
            key: key("17"),
            id: reason.map(|_| ProductId::parse("lamp-1").unwrap()),
            version: reason.map(|_| Version(3)),
            reason: reason.map(str::to_owned),
            receives: 5,
            died_at: None,
            body: Some("{\u{1b}}".to_owned()),
        }
    }

    #[test]
    fn a_list_shows_what_is_known() {
        let letters =
            Letters { dead_letters: vec![letter(Some("it\u{1b} is broken")), letter(None)], more: false };
        let text = render_list(&letters);
        assert!(
            text.contains("lamp-1") && text.contains("unreadable") && text.contains(NOT_RECORDED),
            "{text}"
        );
        assert!(text.ends_with("2 dead letters") && !text.contains('\u{1b}'), "{text}");
        let more = Letters { more: true, ..letters };
        assert!(render_list(&more).ends_with("the newest 2 of more; --limit shows up to 500"));
        assert_eq!(render_list(&Letters { dead_letters: Vec::new(), more: false }), "no dead letters");
    }

    #[test]
    fn a_message_cannot_control_the_terminal() {
        assert!(render_letter(&letter(None)).ends_with("message   {\u{fffd}}"));
    }

    #[test]
    fn a_remaining_letter_is_shown_with_its_reason() {
        let refused = vec![RefusedLetter { key: key("18"), reason: "drop it".to_owned() }];
        let outcome = LettersOutcome { done: vec![key("17")], refused, more: false };
        assert_eq!(render_outcome(&outcome, Operation::Retry), "1 enqueued again\n18 stays: drop it");
    }
}
