//! `noren bench`: how fast this machine imports and searches.
//!
//! The service is the whole one, over HTTP on a port of this machine, with clients in the same process, so that both
//! share the processors as a shop's page and its search would. No answer is given twice from memory, except where that
//! is what is measured.

pub mod check;
pub mod connection;
pub mod figures;
pub mod load;
mod machine;
pub mod queries;
mod writes;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use domain::search::SearchRequest;
use runtime::server;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::check::{Variants, check};
use self::connection::{Ask, Target};
use self::figures::{Figures, Measured};
use self::load::{Case, Plan, compare};
use self::machine::{Memory, Scratch};
use self::queries::{Facets, Query, Sample};
use self::writes::{CREATORS, Waiters, Writers, creates};
use crate::app::{App, Options};
use crate::cli::BenchArgs;
use crate::client::{Api, InProcess, Service};
use crate::failure::{Context as _, Failure};
use crate::import;
use crate::serve::fill_with_demo;

/// Turns that ways to search take when they are compared.
const ROUNDS: usize = 10;
/// How long the index may take to hold what was written beside searches.
const SYNC_PATIENCE: Duration = Duration::from_secs(60);
/// For how long it is measured how soon writes are found.
const FRESHNESS_TIME: Duration = Duration::from_secs(20);
/// Megabytes of answers, where it is measured what it brings to keep them.
const ANSWERS_MB: u32 = 64;
/// One query in so many is misspelt in a shop's log.
const MISSPELT_IN_LOG: usize = 5;

/// Measures, and writes what it saw to standard output.
///
/// # Errors
/// When the files cannot be imported, or a search fails.
pub async fn bench(args: &BenchArgs) -> Result<(), Failure> {
    let mut report = Report::default();
    match (&args.url, &args.data_dir) {
        (Some(url), _) => bench_service(url, args, &mut report).await?,
        (None, Some(folder)) => bench_folder(folder, args, &mut report).await?,
        (None, None) => {
            let scratch = Scratch::new(args.scratch.as_deref())?;
            bench_folder(scratch.path(), args, &mut report).await?;
        }
    }
    match &args.csv {
        Some(path) => std::fs::write(path, report.csv()).context(|| format!("writing {}", path.display())),
        None => Ok(()),
    }
}

/// What is told, and written to a file in the end.
#[derive(Default)]
struct Report(String);

impl Report {
    fn figures(&mut self, name: &str, figures: &Figures) {
        println!("{name}: {figures}");
        self.0.push_str(&figures.rows(name));
    }

    fn all(&mut self, measured: &[Measured]) {
        for measured in measured {
            self.figures(measured.name, &measured.figures());
        }
    }

    /// A figure with its unit.
    fn value(&mut self, name: &str, value: f64, unit: &str) {
        println!("{name}: {value:.2}{unit}");
        self.0.push_str(&format!("{name},value,{value:.3}\n"));
    }

    fn memory(&mut self, after: &str) {
        if let Some(memory) = Memory::now() {
            println!("memory after the {after}: {memory}");
            self.0.push_str(&format!("peak memory after the {after},bytes,{}\n", memory.peak));
        }
    }

    fn csv(&self) -> String {
        format!("name,measure,value\n{}", self.0)
    }
}

/// Measures a service that runs already, perhaps of another make.
async fn bench_service(url: &str, args: &BenchArgs, report: &mut Report) -> Result<(), Failure> {
    let service = Service::at(url)?;
    let host = service.host_and_port()?;
    if let (Some(path), Some(file)) = (&args.post, &args.queries) {
        let bodies = queries::lines_of_file(file)?;
        let asks = bodies.iter().map(|body| Ask::post(path, body)).collect::<Result<_, _>>()?;
        return sustained(&Target::Http(host, asks), args, report).await;
    }
    let queries = match &args.queries {
        Some(file) => queries::queries_of_file(file)?,
        None => Sample::of(&service).await?.queries(),
    };
    sustained(&http(&host, &queries, Facets::Two)?, args, report).await?;
    report.value("products found by a search on average", queries::mean_found(&service, &queries).await?, "");
    Ok(())
}

/// Every search once, and then as many as are wanted.
async fn sustained(target: &Target, args: &BenchArgs, report: &mut Report) -> Result<(), Failure> {
    let mut case = Case::new("each for the first time", target.clone());
    case.run(args.connections, target.searches()).await?;
    report.all(&[case.measured()]);
    let mut case = Case::new("two facets", target.clone());
    case.run(args.connections, args.searches).await?;
    report.all(&[case.measured()]);
    Ok(())
}

/// Measures a catalogue in a folder, with a service of its own.
async fn bench_folder(folder: &Path, args: &BenchArgs, report: &mut Report) -> Result<(), Failure> {
    let options = Options { answer_cache_mb: 0, ..Options::default() };
    let app = App::open(folder, options).await?;
    let measured = async {
        if !args.files.is_empty() {
            import(&app, args, folder, report).await?;
        }
        if args.check && args.files.is_empty() && args.data_dir.is_none() {
            fill_with_demo(&app).await?;
            app.optimize().await?;
        }
        if let Some(count) = args.creates {
            create(&app, count, report).await?;
        }
        if args.searches == 0 {
            return Ok(());
        }
        let bench = Bench::start(&app, args).await?;
        let measured = match args.check {
            true => bench.check().await,
            false => bench.measure(args, report).await,
        };
        bench.served.stop().await;
        measured
    };
    let measured = measured.await;
    app.stop().await;
    measured
}

async fn import(app: &App, args: &BenchArgs, folder: &Path, report: &mut Report) -> Result<(), Failure> {
    let options = import::Options {
        files: args.files.clone(),
        format: None,
        currency: None,
        check: Some(Options::default().currency),
        rejects: None,
        rejects_folder: folder.to_owned(),
        is_quiet: true,
    };
    let summary = crate::import_into(app, options, true).await?;
    println!("import until everything is searchable: {summary}");
    app.optimize().await?;
    report.memory("import");
    Ok(())
}

/// Creates products one by one.
async fn create(app: &App, count: usize, report: &mut Report) -> Result<(), Failure> {
    let served = Served::start(app.router()).await?;
    let mut case = Case::new("single creates", Target::Http(served.host.clone(), creates(count)?));
    let created = case.run(CREATORS, count).await;
    served.stop().await;
    created?;
    report.all(&[case.measured()]);
    app.sync_all(SYNC_PATIENCE).await?;
    report.memory("creates");
    Ok(())
}

/// A router that is served on a free port of this machine.
struct Served {
    host: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Served {
    async fn start(router: Router) -> Result<Self, Failure> {
        let listener = server::listen(([127, 0, 0, 1], 0).into()).await?;
        let host = listener.local_addr().context(|| "telling the port".to_owned())?.to_string();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(server::serve(listener, router, stopped));
        Ok(Self { host, stop, task })
    }

    async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server failed");
        }
    }
}

/// A catalogue in this process that is measured.
struct Bench<'a> {
    app: &'a App,
    served: Served,
    sample: Sample,
    queries: Vec<Query>,
}

impl<'a> Bench<'a> {
    async fn start(app: &'a App, args: &BenchArgs) -> Result<Self, Failure> {
        let sample = Sample::of(&InProcess(app.router())).await?;
        let queries = match &args.queries {
            Some(file) => queries::queries_of_file(file)?,
            None => queries::misspelt(&sample.queries(), MISSPELT_IN_LOG),
        };
        Ok(Self { app, served: Served::start(app.router()).await?, sample, queries })
    }

    /// Prints the ratios that reveal a slow change.
    async fn check(&self) -> Result<(), Failure> {
        let queries = self.sample.queries();
        let variants = Variants {
            correct: self.http(&queries, Facets::Two)?,
            misspelt: self.http(&queries::misspelt(&queries, 1), Facets::Two)?,
            index: index(self.app, &queries)?,
        };
        check(&variants).await
    }

    async fn measure(&self, args: &BenchArgs, report: &mut Report) -> Result<(), Failure> {
        sustained(&self.http(&self.queries, Facets::Two)?, args, report).await?;
        report.memory("searches");
        if args.ratios {
            let plan = Plan::of(args.connections, ROUNDS, args.searches);
            self.compare_ways(plan, report).await?;
            self.compare_spellings(args.connections, report).await?;
            self.measure_kept_answers(args, report).await?;
        }
        if let Some(per_second) = args.writes {
            self.compare_with_writes(per_second, args, report).await?;
            report.memory("writes");
        }
        let api: &dyn Api = &InProcess(self.app.router());
        let found = queries::mean_found(api, &self.queries).await?;
        report.value("products found by a search on average", found, "");
        Ok(())
    }

    fn http(&self, queries: &[Query], facets: Facets) -> Result<Target, Failure> {
        http(&self.served.host, queries, facets)
    }

    /// With facets and without, over HTTP and without a network.
    async fn compare_ways(&self, plan: Plan, report: &mut Report) -> Result<(), Failure> {
        let cases = [
            ("over HTTP", self.http(&self.queries, Facets::Two)?),
            ("over HTTP without facets", self.http(&self.queries, Facets::None)?),
            ("router in process", Target::Router(self.app.router(), asks(&self.queries, Facets::Two)?)),
            ("index in process", index(self.app, &self.queries)?),
        ];
        let measured = compare(cases, plan).await?;
        report.all(&measured);
        let [http, bare, router, index] = &measured;
        report.value("two facets against none", http.ratio_to(bare), " times");
        report.value("over HTTP against the router in process", http.ratio_to(router), " times");
        report.value("over HTTP against the index in process", http.ratio_to(index), " times");
        Ok(())
    }

    /// The same searches spelt right and misspelt: each once, so that no word is remembered, and then once more.
    async fn compare_spellings(&self, connections: usize, report: &mut Report) -> Result<(), Failure> {
        let right = self.sample.queries();
        let log = self.http(&queries::misspelt(&right, MISSPELT_IN_LOG), Facets::Two)?;
        let all = self.http(&queries::misspelt(&right, 1), Facets::Two)?;
        let plan = Plan::of(connections, ROUNDS, right.len());
        let right = self.http(&right, Facets::Two)?;
        for time in ["for the first time", "once more"] {
            let cases = [
                ("spelt right", right.clone()),
                ("one in five misspelt", log.clone()),
                ("all misspelt", all.clone()),
            ];
            let [right, log, all] = compare(cases, plan).await?;
            for measured in [&right, &log, &all] {
                report.figures(&format!("{} {time}", measured.name), &measured.figures());
            }
            report.value(
                &format!("one in five misspelt against right {time}"),
                log.ratio_to(&right),
                " times",
            );
            report.value(&format!("all misspelt against right {time}"), all.ratio_to(&right), " times");
        }
        Ok(())
    }

    /// What a search costs whose answer is kept.
    async fn measure_kept_answers(&self, args: &BenchArgs, report: &mut Report) -> Result<(), Failure> {
        let router = self.app.router_with_answers(ANSWERS_MB);
        let served = Served::start(router.clone()).await?;
        let few = &self.queries[..self.queries.len().min(100)];
        let http = http(&served.host, few, Facets::Two)?;
        let mut first = Case::new("to be kept", http.clone());
        first.run(args.connections, http.searches()).await?;
        let cases = [
            ("kept answers over HTTP", http),
            ("kept answers from the router in process", Target::Router(router, asks(few, Facets::Two)?)),
        ];
        let measured = compare(cases, Plan::of(args.connections, ROUNDS, args.searches)).await?;
        served.stop().await;
        report.all(&measured);
        Ok(())
    }

    /// Searches alone, and then beside writes, which leave more and smaller segments behind the longer they go on.
    async fn compare_with_writes(
        &self,
        per_second: u32,
        args: &BenchArgs,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let target = self.http(&self.queries, Facets::Two)?;
        let mut alone = Case::new("without writes", target.clone());
        alone.run(args.connections, args.searches).await?;
        let mut beside = Case::new("beside writes", target);
        let writers = Writers::start(&self.served.host, &self.sample.ids().into(), per_second).await?;
        beside.run(args.connections, args.searches).await?;
        let waiters = Waiters::start(&self.served.host).await?;
        tokio::time::sleep(FRESHNESS_TIME).await;
        let waited = Measured { name: "from the 201 to being found", slices: vec![waiters.stop().await?] };
        let written = writers.stop().await?;
        self.app.sync_all(SYNC_PATIENCE).await?;
        let measured = [alone.measured(), beside.measured()];
        report.all(&measured);
        report.all(&[waited]);
        report.value("writes", written, " a second");
        let [alone, beside] = measured.map(|measured| measured.figures().percentile(99.0).as_secs_f64());
        report.value("99% beside writes against without", beside / alone, " times");
        Ok(())
    }
}

fn asks(queries: &[Query], facets: Facets) -> Result<Arc<[Ask]>, Failure> {
    queries.iter().map(|query| Ask::search(query, facets)).collect()
}

/// Searches at a host and port.
///
/// # Errors
/// When a query makes no address.
pub fn http(host: &str, queries: &[Query], facets: Facets) -> Result<Target, Failure> {
    Ok(Target::Http(host.to_owned(), asks(queries, facets)?))
}

/// The same searches, with two facets, of the index itself.
///
/// # Errors
/// When a price range is none.
pub fn index(app: &App, queries: &[Query]) -> Result<Target, Failure> {
    let currency = Options::default().currency;
    let requests = queries.iter().map(|query| query.request(Facets::Two, currency));
    let requests: Arc<[SearchRequest]> = requests.collect::<Result<_, _>>()?;
    Ok(Target::Index(Arc::clone(app.search()), requests))
}
