//! `noren verify`: compares the index with the store, and repairs differences.

use std::io::Write as _;
use std::process::ExitCode;

use api::wire::Failed;
use api::wire::verify::{Summary, VerifyEvent};
use clap::Args;
use indicatif::ProgressBar;
use reqwest::Method;

use crate::client::{Api, read_json};
use crate::failure::{Context as _, Failure};
use crate::maintenance_events::{drift_line, progress_bar, show_progress, summary_line};
use crate::target::{Access, Target};

/// `noren verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren verify                                the service at http://127.0.0.1:8080, while it runs
  noren verify --repair                       the same, and repair differences
  noren verify --data-dir ./data              a folder, while no service runs
  noren verify --back-ends --sample 100       DynamoDB and OpenSearch, one product in a hundred

Compares both ways and reports products that the index lacks (missing), has in an older version (stale), has although \
they were deleted or never existed (orphaned), has in a newer version, as after a restore of the store (newer), or has in \
another form than it would be indexed now (differing; after a change of weights, all of them: run `noren reindex`). \
Changes that sync may be about to write are checked again before they count. Exit code: 0 the index equals the store, 1 it \
does not or the comparison failed, 2 wrong arguments.")]
pub struct VerifyArgs {
    #[command(flatten)]
    pub target: Target,
    /// Repair differences
    #[arg(long)]
    pub repair: bool,
    /// Check one product in N only, always the same ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// Time that sync has to write a difference before it counts
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub patience: f64,
    /// Write the events as JSON, one per line
    #[arg(long)]
    pub json: bool,
}

/// Compares the index with the store, and writes each product that differs to standard output.
///
/// # Errors
/// If the catalogue cannot be reached or the comparison fails.
pub(crate) async fn verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let summary = args
        .target
        .with(Access::CompareIndex, async |catalogue| compare(catalogue.api(), args).await)
        .await?;
    eprintln!("{}", summary_line(&summary));
    Ok(if summary.is_converged { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn compare(api: &dyn Api, args: &VerifyArgs) -> Result<Summary, Failure> {
    let mut parameters = vec![
        ("repair".to_owned(), args.repair.to_string()),
        ("patience".to_owned(), args.patience.to_string()),
    ];
    parameters.extend(args.sample.map(|sample| ("oneIn".to_owned(), sample.to_string())));
    let progress = progress_bar();
    let mut result = None;
    let mut show = |line: &[u8]| {
        if args.json {
            print_line(&progress, &String::from_utf8_lossy(line))?;
        }
        match read_json(line, "an event")? {
            VerifyEvent::Progress { done, total } => show_progress(&progress, "comparing", done, Some(total)),
            VerifyEvent::Drift(drift) if !args.json => print_line(&progress, &drift_line(&drift))?,
            VerifyEvent::Drift(_) => {}
            VerifyEvent::Summary(summary) => result = Some(summary),
            VerifyEvent::Failed(Failed { detail }) => return Err(Failure::new(detail)),
        }
        Ok(())
    };
    api.stream(Method::POST, "/admin/verify", &parameters, &mut show).await?;
    progress.finish_and_clear();
    result.ok_or_else(|| Failure::new("the comparison broke off before its end"))
}

/// Writes a line to standard output without disturbing the progress bar.
fn print_line(progress: &ProgressBar, line: &str) -> Result<(), Failure> {
    let written = progress.suspend(|| writeln!(std::io::stdout(), "{line}"));
    written.context(|| "writing to standard output".to_owned())
}
