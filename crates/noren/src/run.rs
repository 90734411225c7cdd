//! From the command line to the command.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use command::{Catalogue, CommandError};
use domain::input::InputError;
use domain::ports::WriteOutcome;
use domain::{Currency, Fault, FaultKind, Faults, Language};
use indicatif::ProgressBar;
use query::{Locale, ShopRules};
use runtime::StartError;

use crate::app::{App, Options};
use crate::cli::{Cli, Command, ExplainArgs, ImportArgs, Place, RulesArgs, RulesCommand, write_completions};
use crate::client::{Api, InProcess, Service};
use crate::failure::Failure;
use crate::import::{self, Candidate, Sink, Summary};
use crate::{backup, bench, check_rules, dlq, eval, explain, export, maintain, search, serve};

/// How long an import into a folder waits until everything is searchable.
const IMPORT_PATIENCE: Duration = Duration::from_secs(3600);

/// How often a service is asked whether everything is searchable.
const BACKLOG_POLL: Duration = Duration::from_millis(50);

/// Runs the command to its end. What went wrong stands in one line on standard error.
pub fn run(cli: Cli) -> ExitCode {
    match start(cli) {
        Ok(code) => code,
        // Whoever read our output has seen enough, as `head` does.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            if let Some(note) = failure.note() {
                eprintln!("{note}");
            }
            failure.exit_code()
        }
    }
}

fn start(cli: Cli) -> Result<ExitCode, Failure> {
    runtime::config::check_environment(&api::config::variables())?;
    runtime::telemetry::start("noren")?;
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let threads = threads.map_err(|error| StartError::because("cannot start the threads of noren", error))?;
    threads.block_on(dispatch(cli.command))
}

async fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Serve(flags) => serve::serve(flags).await?,
        Command::Import(args) => return import(args).await,
        Command::Search(args) => {
            let catalogue = Opened::at(&args.place).await?;
            search::search(&*catalogue.api, &args).await?;
            catalogue.close().await;
        }
        Command::Explain(args) => {
            let catalogue = Opened::at(&args.place).await?;
            let explained = explain_in(&catalogue, &args).await;
            catalogue.close().await;
            explained?;
        }
        Command::Export(args) => {
            let api = args.place.open().await?.api()?;
            export::export(&*api, args.output.as_deref()).await?;
        }
        Command::Backup(args) => backup::backup(&args)?,
        Command::Verify(args) => return maintain::verify(&args).await,
        Command::Reindex(args) => maintain::reindex(&args).await?,
        Command::Dlq(args) => return dlq::dlq(&args).await,
        Command::Eval(args) => {
            let catalogue = Opened::at(&args.place).await?;
            let measured = eval::eval(&*catalogue.api, &args).await;
            catalogue.close().await;
            measured?;
        }
        Command::Bench(args) => bench::bench(&args).await?,
        Command::Rules(RulesArgs { command: RulesCommand::Check(args) }) => check_rules::check(&args)?,
        Command::Completions(args) => write_completions(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A catalogue that a command reads from.
struct Opened {
    api: Box<dyn Api>,
    app: Option<App>,
}

impl Opened {
    async fn at(place: &Place) -> Result<Self, Failure> {
        let Some(data_dir) = &place.data_dir else {
            return Ok(Self { api: Box::new(service(place)?), app: None });
        };
        let app = App::open(data_dir, app_options(currency()?)?).await?;
        Ok(Self { api: Box::new(InProcess(app.router())), app: Some(app) })
    }

    async fn close(self) {
        if let Some(app) = self.app {
            app.stop().await;
        }
    }
}

async fn explain_in(catalogue: &Opened, args: &ExplainArgs) -> Result<(), Failure> {
    let dead = match &catalogue.app {
        Some(app) => Some(app.dead_letters(explain::DEAD_LETTERS).await?),
        None => None,
    };
    let writes: Option<Service> = args.command_url.as_deref().map(Service::at).transpose()?;
    let writes: &dyn Api = writes.as_ref().map_or(&*catalogue.api, |service| service);
    explain::explain(writes, &*catalogue.api, dead, args).await
}

fn service(place: &Place) -> Result<Service, Failure> {
    Service::at(place.url.as_deref().unwrap_or(crate::cli::DEFAULT_URL))
}

/// The currency of a catalogue that is opened in this process.
fn currency() -> Result<Currency, Failure> {
    variable("NOREN_CURRENCY", Currency::USD)
}

fn variable<T>(name: &str, default: T) -> Result<T, Failure>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    match std::env::var(name) {
        Err(_) => Ok(default),
        Ok(text) => {
            text.parse().map_err(|error| Failure::usage(format!("{name} cannot be used")).because(error))
        }
    }
}

/// How a catalogue is opened in this process.
fn app_options(currency: Currency) -> Result<Options, Failure> {
    let rules = std::env::var_os("NOREN_RULES").map(PathBuf::from);
    let language = variable("NOREN_LANGUAGE", Language::default())?;
    let rules = ShopRules::open_configured(rules.as_deref(), Locale { currency, language })?;
    Ok(Options { currency, language, rules, ..Options::default() })
}

async fn import(args: ImportArgs) -> Result<ExitCode, Failure> {
    let mut options = import::Options {
        files: args.files,
        format: args.format,
        currency: args.currency,
        check: None,
        rejects: args.rejects,
        rejects_folder: ".".into(),
        is_quiet: false,
    };
    let currency = options.currency.map_or_else(currency, Ok)?;
    let summary = if args.dry_run {
        options.check = Some(currency);
        import::import(options, None).await?
    } else if let Some(data_dir) = &args.place.data_dir {
        options.check = Some(currency);
        let app = App::open(data_dir, app_options(currency)?).await?;
        let imported = import_into(&app, options, true).await;
        app.stop().await;
        imported?
    } else {
        import_over_http(service(&args.place)?, options).await?
    };
    eprintln!("{summary}");
    for rejects in &summary.rejects {
        let rejects = rejects.display();
        eprintln!("what was rejected, and why, is in {rejects}; correct it there and import that file");
    }
    Ok(if summary.rejected > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Imports into a running service and waits until everything is searchable, as far as the service tells.
async fn import_over_http(service: Service, options: import::Options) -> Result<Summary, Failure> {
    let begun = Instant::now();
    let mut summary = import::import(options, Some(Arc::new(service.clone()))).await?;
    let progress = indexing_progress(true);
    let all_written = Instant::now();
    while all_written.elapsed() < IMPORT_PATIENCE && backlog_reaches_to(&service, all_written).await {
        tokio::time::sleep(BACKLOG_POLL).await;
    }
    progress.finish_and_clear();
    summary.elapsed = begun.elapsed();
    Ok(summary)
}

/// What `/health/ready` tells of changes that are not searchable yet.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Backlog {
    waiting: u64,
    in_flight: u64,
    oldest_unsynced_seconds: f64,
}

/// Whether changes from before `moment` still wait to be indexed. A service that does not tell, or does not answer, is
/// not waited for: what was written is safe with it.
async fn backlog_reaches_to(service: &Service, moment: Instant) -> bool {
    #[derive(serde::Deserialize)]
    struct Ready {
        backlog: Option<Backlog>,
    }
    // Taken before the question, since the age is told as of its answer; the slack is for clocks that count in
    // milliseconds.
    let since = moment.elapsed().saturating_sub(BACKLOG_POLL);
    let Ok(body) = service.get("/health/ready", &[]).await else { return false };
    let backlog =
        serde_json::from_slice(&body).ok().and_then(|ready: Ready| ready.backlog).unwrap_or_default();
    let is_old = backlog.oldest_unsynced_seconds >= since.as_secs_f64();
    is_old && backlog.waiting + backlog.in_flight > 0
}

fn indexing_progress(is_shown: bool) -> ProgressBar {
    let progress = if is_shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    progress.set_message("indexing what is left");
    progress.enable_steady_tick(Duration::from_millis(100));
    progress
}

/// Imports into a catalogue in this process and waits until everything is searchable.
///
/// # Errors
/// As [`import::import`], and when the index does not take everything.
pub async fn import_into(
    app: &App,
    options: import::Options,
    shows_progress: bool,
) -> Result<Summary, Failure> {
    let begun = Instant::now();
    let sink: Arc<dyn Sink> = Arc::new(CatalogueSink(app.catalogue().clone()));
    let mut summary = import::import(options, Some(sink)).await?;
    let progress = indexing_progress(shows_progress);
    let synced = app.sync_all(IMPORT_PATIENCE).await;
    progress.finish_and_clear();
    synced?;
    summary.elapsed = begun.elapsed();
    Ok(summary)
}

/// Writes into a catalogue in this process.
struct CatalogueSink(Catalogue);

#[async_trait]
impl Sink for CatalogueSink {
    async fn put(
        &self,
        candidates: &mut [&mut Candidate],
    ) -> Result<Vec<Result<WriteOutcome, Vec<Fault>>>, Failure> {
        let inputs: Option<Vec<_>> = candidates.iter_mut().map(|candidate| candidate.take_input()).collect();
        let inputs = inputs.ok_or_else(|| Failure::new("a product reached the catalogue unchecked"))?;
        let mut outcomes = Vec::with_capacity(inputs.len());
        for answer in self.0.put_many(inputs).await {
            outcomes.push(match answer {
                Ok(answer) => Ok(answer.outcome),
                // The catalogue itself has failed: the next product would fail as well.
                Err(CommandError::Port(error)) => {
                    return Err(Failure::new("cannot write to the catalogue").because(error));
                }
                Err(CommandError::Input(InputError::Faults(Faults(faults)))) => Err(faults),
                Err(CommandError::SkuTaken { owner, .. }) => {
                    Err(vec![Fault::new("sku", FaultKind::Taken, format!("belongs to product {owner}"))])
                }
                Err(error) => Err(vec![Fault::new("", FaultKind::Malformed, error.to_string())]),
            });
        }
        Ok(outcomes)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let failure = Self::new(error.line());
        match error.details() {
            [] => failure,
            details => failure.with_note(details.join("\n")),
        }
    }
}
