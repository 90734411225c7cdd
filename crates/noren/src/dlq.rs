//! `noren dlq`: the changes that could not be indexed, for a person who decides what becomes of them.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};

use crate::cli::{DlqArgs, DlqCommand, DlqDropArgs, DlqListArgs, DlqSettleArgs, DlqShowArgs};
use crate::client::{Api, success};
use crate::failure::{Context as _, Failure};
use crate::search::printable;

const NOT_RECORDED: &str = "not recorded";

/// Carries out a command.
///
/// # Errors
/// When the catalogue cannot be reached or opened, finds fault with the command, or nobody reads the output.
pub async fn dlq(args: &DlqArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        DlqCommand::List(args) => list(args).await,
        DlqCommand::Show(args) => show(args).await,
        DlqCommand::Retry(args) => settle(args, "retry", "sent again").await,
        DlqCommand::Drop(args) => drop_letters(args).await,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letters {
    dead_letters: Vec<Letter>,
    more: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letter {
    key: String,
    id: Option<String>,
    version: Option<u64>,
    reason: Option<String>,
    receives: u32,
    died_at: Option<String>,
    body: Option<String>,
}

impl Letter {
    fn product(&self) -> &str {
        self.id.as_deref().unwrap_or("unreadable")
    }

    fn version(&self) -> String {
        self.version.map(|version| version.to_string()).unwrap_or_default()
    }

    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or(NOT_RECORDED)
    }

    fn died_at(&self) -> &str {
        self.died_at.as_deref().unwrap_or(NOT_RECORDED)
    }
}

/// What became of letters, of one answer or of several together.
#[derive(Default, Serialize, Deserialize)]
struct Outcome {
    done: Vec<String>,
    refused: Vec<Refused>,
    more: bool,
}

#[derive(Serialize, Deserialize)]
struct Refused {
    key: String,
    reason: String,
}

async fn list(args: &DlqListArgs) -> Result<ExitCode, Failure> {
    let api = args.place.open().await?.api()?;
    let body = api.get("/admin/dead-letters", &[("limit".to_owned(), args.limit.to_string())]).await?;
    let text = match args.json {
        true => String::from_utf8_lossy(&body).into_owned(),
        false => render_list(&read(&body)?),
    };
    write(text)
}

fn render_list(Letters { dead_letters, more }: &Letters) -> String {
    if dead_letters.is_empty() {
        return "no dead letters".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["Key", "Product", "Version", "Receives", "Given up", "Reason"]);
    for letter in dead_letters {
        table.add_row([
            Cell::new(printable(&letter.key)),
            Cell::new(printable(letter.product())),
            Cell::new(letter.version()).set_alignment(CellAlignment::Right),
            Cell::new(letter.receives).set_alignment(CellAlignment::Right),
            Cell::new(printable(letter.died_at())),
            Cell::new(printable(letter.reason())),
        ]);
    }
    let count = match (dead_letters.len(), more) {
        (1, false) => "1 dead letter".to_owned(),
        (count, false) => format!("{count} dead letters"),
        (count, true) => format!("the newest {count} of more; --limit shows up to 500"),
    };
    format!("{}\n{count}", table.trim_fmt())
}

async fn show(args: &DlqShowArgs) -> Result<ExitCode, Failure> {
    let api = args.place.open().await?.api()?;
    let body = api.get(&format!("/admin/dead-letters/{}", args.key), &[]).await?;
    let text = match args.json {
        true => String::from_utf8_lossy(&body).into_owned(),
        false => render_letter(&read(&body)?),
    };
    write(text)
}

fn render_letter(letter: &Letter) -> String {
    let body = letter.body.as_deref().unwrap_or("none: it stood for what the store holds of the product");
    [
        ("key", letter.key.as_str()),
        ("product", letter.product()),
        ("version", &letter.version()),
        ("receives", &letter.receives.to_string()),
        ("given up", letter.died_at()),
        ("reason", letter.reason()),
        ("message", body),
    ]
    .map(|(name, value)| format!("{name:<10}{}", printable(value)))
    .join("\n")
}

async fn drop_letters(args: &DlqDropArgs) -> Result<ExitCode, Failure> {
    if !args.yes && !is_meant(&args.which)? {
        eprintln!("nothing was dropped");
        return Ok(ExitCode::FAILURE);
    }
    settle(&args.which, "drop", "dropped").await
}

/// Asks on the terminal.
fn is_meant(which: &DlqSettleArgs) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("nobody can be asked whether that is meant; say so with --yes"));
    }
    let what = match which.all {
        true => "all dead letters".to_owned(),
        false => format!("{} dead letters", which.keys.len()),
    };
    eprint!("drop {what} for good? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context(|| "reading the answer".to_owned())?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn settle(args: &DlqSettleArgs, command: &str, done: &str) -> Result<ExitCode, Failure> {
    let api = args.place.open().await?.api()?;
    let outcome = match args.all {
        true => settle_all(&*api, command).await?,
        false => settle_some(&*api, command, &serde_json::json!({ "keys": args.keys })).await?,
    };
    let text = match args.json {
        true => serde_json::to_string(&outcome).context(|| "writing the outcome".to_owned())?,
        false => render_outcome(&outcome, done),
    };
    write(text)?;
    let is_whole = outcome.refused.is_empty() && !outcome.more;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The service takes some hundred at a time; those that it refuses come again each time.
async fn settle_all(api: &dyn Api, command: &str) -> Result<Outcome, Failure> {
    let mut done = Vec::new();
    loop {
        let outcome = settle_some(api, command, &serde_json::json!({ "all": true })).await?;
        let is_stuck = outcome.done.is_empty();
        done.extend(outcome.done);
        if is_stuck || !outcome.more {
            return Ok(Outcome { done, refused: outcome.refused, more: outcome.more });
        }
    }
}

async fn settle_some(
    api: &dyn Api,
    command: &str,
    selection: &serde_json::Value,
) -> Result<Outcome, Failure> {
    let (status, body) =
        api.tell(&format!("/admin/dead-letters/{command}"), selection.to_string().into()).await?;
    read(&success(status, body)?)
}

fn render_outcome(outcome: &Outcome, done: &str) -> String {
    let mut lines = vec![format!("{} {done}", outcome.done.len())];
    lines.extend(
        outcome
            .refused
            .iter()
            .map(|Refused { key, reason }| format!("{} stays: {}", printable(key), printable(reason))),
    );
    if outcome.more {
        lines.push("there are more behind these; settle these first".to_owned());
    }
    lines.join("\n")
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).context(|| "reading the answer; is this address a noren service".to_owned())
}

fn write(mut text: String) -> Result<ExitCode, Failure> {
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes()).context(|| "writing the answer".to_owned())?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(reason: Option<&str>) -> Letter {
        Letter {
            key: "17".to_owned(),
            id: reason.map(|_| "lamp-1".to_owned()),
            version: reason.map(|_| 3),
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
    fn a_message_cannot_steer_the_terminal() {
        assert!(render_letter(&letter(None)).ends_with("message   {\u{fffd}}"));
    }

    #[test]
    fn what_stays_is_told_with_its_reason() {
        let refused = vec![Refused { key: "18".to_owned(), reason: "drop it".to_owned() }];
        let outcome = Outcome { done: vec!["17".to_owned()], refused, more: false };
        assert_eq!(render_outcome(&outcome, "sent again"), "1 sent again\n18 stays: drop it");
    }
}
