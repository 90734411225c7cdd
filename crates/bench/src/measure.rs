//! The measurements of a run and their order.

use std::path::Path;
use std::time::Duration;

use domain::Currency;

use crate::args::BenchArgs;
use crate::catalogue::Catalogue;
use crate::check::{Variants, check};
use crate::client::Endpoint;
use crate::error::BenchError;
use crate::figures::Measurement;
use crate::load::{Plan, Scenario, compare};
use crate::queries::{self, Facets, Query};
use crate::report::Report;
use crate::sample::{Sample, mean_hits};
use crate::served::Served;
use crate::workload::{Workload, service_searches};
use crate::writes::{CREATORS, FreshnessProbes, Writers, create_requests};

/// Rounds of a comparison.
const ROUNDS: usize = 10;
/// Time limit for indexing what was written during searches.
const SYNC_TIMEOUT: Duration = Duration::from_secs(60);
/// Duration of the measurement of how soon writes are found.
const FRESHNESS_TIME: Duration = Duration::from_secs(20);
/// Size of the answer cache in megabytes, where the cache is measured.
const ANSWER_CACHE_MB: u32 = 64;
/// Number of searches that the measurement of the answer cache repeats.
const CACHED_SEARCHES: usize = 100;
/// In a shop's log, one query in five is misspelt.
const MISSPELT_IN_LOG: usize = 5;

/// Measures a running service, which may be another search engine. `host` is its host and port.
///
/// # Errors
/// If a search fails or the figures cannot be written.
pub async fn measure_service(host: &str, args: &BenchArgs) -> Result<(), BenchError> {
    let mut report = Report::default();
    let endpoint = Endpoint::Http(host.to_owned());
    let (searches, queries) = service_searches(&endpoint, args).await?;
    measure_searches(&searches, args, &mut report).await?;
    if !queries.is_empty() {
        report_hits(&endpoint, &queries, &mut report).await?;
    }
    report.save(args.csv.as_deref())
}

/// Measures a catalogue in this process. Imports and creates come first, if the arguments ask for them; rejected products
/// go to files in `folder`.
///
/// # Errors
/// If the catalogue fails or the figures cannot be written.
pub async fn measure_catalogue(
    catalogue: &dyn Catalogue,
    folder: &Path,
    args: &BenchArgs,
) -> Result<(), BenchError> {
    let mut report = Report::default();
    if !args.files.is_empty() {
        let summary = catalogue.import(&args.files, folder).await.map_err(BenchError::Catalogue)?;
        runtime::out_line!("import until everything is searchable: {summary}");
        catalogue.optimize().await.map_err(BenchError::Catalogue)?;
        report.memory("import");
    }
    if let Some(count) = args.creates {
        measure_creates(catalogue, count, &mut report).await?;
    }
    if args.searches > 0 {
        let bench = Bench::start(catalogue, args).await?;
        let measured = match args.check {
            true => bench.check().await,
            false => bench.measure(args, &mut report).await,
        };
        bench.served.stop().await;
        measured?;
    }
    report.save(args.csv.as_deref())
}

/// Creates products one by one.
async fn measure_creates(
    catalogue: &dyn Catalogue,
    count: usize,
    report: &mut Report,
) -> Result<(), BenchError> {
    let served = Served::start(catalogue.router(0)).await?;
    let creates = Workload::requests(served.endpoint(), create_requests(count)?);
    let mut scenario = Scenario::new("single creates", creates);
    let created = scenario.run(CREATORS, count).await;
    served.stop().await;
    created?;
    report.measurements(&[scenario.measurement()]);
    catalogue.wait_until_indexed(SYNC_TIMEOUT).await.map_err(BenchError::Catalogue)?;
    report.memory("creates");
    Ok(())
}

/// Makes every search once, then as many as the arguments ask for.
async fn measure_searches(
    workload: &Workload,
    args: &BenchArgs,
    report: &mut Report,
) -> Result<(), BenchError> {
    for (name, searches) in [("each for the first time", workload.len()), ("two facets", args.searches)] {
        let mut scenario = Scenario::new(name, workload.clone());
        scenario.run(args.connections, searches).await?;
        report.measurements(&[scenario.measurement()]);
    }
    Ok(())
}

async fn report_hits(endpoint: &Endpoint, queries: &[Query], report: &mut Report) -> Result<(), BenchError> {
    report.value("products found by a search on average", mean_hits(endpoint, queries).await?, "");
    Ok(())
}

/// A catalogue in this process that is served and searched.
struct Bench<'a> {
    catalogue: &'a dyn Catalogue,
    served: Served,
    sample: Sample,
    queries: Vec<Query>,
}

impl<'a> Bench<'a> {
    async fn start(catalogue: &'a dyn Catalogue, args: &BenchArgs) -> Result<Self, BenchError> {
        let sample = Sample::of(&Endpoint::Router(catalogue.router(0))).await?;
        let queries = match &args.queries {
            Some(file) => queries::queries_of_file(file)?,
            None => queries::misspelt(&sample.queries(), MISSPELT_IN_LOG),
        };
        Ok(Self { catalogue, served: Served::start(catalogue.router(0)).await?, sample, queries })
    }

    /// Prints the ratios that reveal a slow change.
    async fn check(&self) -> Result<(), BenchError> {
        let queries = self.sample.queries();
        let variants = Variants {
            correct: self.over_http(&queries, Facets::Two)?,
            misspelt: self.over_http(&queries::misspelt(&queries, 1), Facets::Two)?,
            index: Workload::index(self.catalogue.index(), &queries, Currency::USD)?,
        };
        check(&variants).await
    }

    async fn measure(&self, args: &BenchArgs, report: &mut Report) -> Result<(), BenchError> {
        measure_searches(&self.over_http(&self.queries, Facets::Two)?, args, report).await?;
        report.memory("searches");
        if args.ratios {
            let plan = Plan::of(args.connections, ROUNDS, args.searches);
            self.compare_layers(plan, report).await?;
            self.compare_spellings(args.connections, report).await?;
            self.measure_answer_cache(args, report).await?;
        }
        if let Some(per_second) = args.writes {
            self.compare_with_writes(per_second, args, report).await?;
            report.memory("writes");
        }
        report_hits(&self.in_process(), &self.queries, report).await
    }

    fn over_http(&self, queries: &[Query], facets: Facets) -> Result<Workload, BenchError> {
        Workload::searches(self.served.endpoint(), queries, facets)
    }

    fn in_process(&self) -> Endpoint {
        Endpoint::Router(self.catalogue.router(0))
    }

    /// Compares searches with and without facets, over HTTP and without a network.
    async fn compare_layers(&self, plan: Plan, report: &mut Report) -> Result<(), BenchError> {
        let index = Workload::index(self.catalogue.index(), &self.queries, Currency::USD)?;
        let scenarios = [
            ("over HTTP", self.over_http(&self.queries, Facets::Two)?),
            ("over HTTP without facets", self.over_http(&self.queries, Facets::None)?),
            ("router in process", Workload::searches(self.in_process(), &self.queries, Facets::Two)?),
            ("index in process", index),
        ];
        let measurements = compare(scenarios, plan).await?;
        report.measurements(&measurements);
        let [http, without_facets, router, index] = &measurements;
        report.value("two facets against none", http.ratio_to(without_facets), " times");
        report.value("over HTTP against the router in process", http.ratio_to(router), " times");
        report.value("over HTTP against the index in process", http.ratio_to(index), " times");
        Ok(())
    }

    /// Compares the same searches spelt correctly and misspelt: each once, before the index has expanded any word, and
    /// then once more.
    async fn compare_spellings(&self, connections: usize, report: &mut Report) -> Result<(), BenchError> {
        let right = self.sample.queries();
        let log = self.over_http(&queries::misspelt(&right, MISSPELT_IN_LOG), Facets::Two)?;
        let all = self.over_http(&queries::misspelt(&right, 1), Facets::Two)?;
        let plan = Plan::of(connections, ROUNDS, right.len());
        let right = self.over_http(&right, Facets::Two)?;
        for time in ["for the first time", "once more"] {
            let scenarios = [
                ("spelt right", right.clone()),
                ("one in five misspelt", log.clone()),
                ("all misspelt", all.clone()),
            ];
            let [right, log, all] = compare(scenarios, plan).await?;
            for measurement in [&right, &log, &all] {
                report.figures(&format!("{} {time}", measurement.name), &measurement.figures());
            }
            let name = format!("one in five misspelt against right {time}");
            report.value(&name, log.ratio_to(&right), " times");
            report.value(&format!("all misspelt against right {time}"), all.ratio_to(&right), " times");
        }
        Ok(())
    }

    /// Measures searches that are answered from the answer cache.
    async fn measure_answer_cache(&self, args: &BenchArgs, report: &mut Report) -> Result<(), BenchError> {
        let router = self.catalogue.router(ANSWER_CACHE_MB);
        let served = Served::start(router.clone()).await?;
        let few = &self.queries[..self.queries.len().min(CACHED_SEARCHES)];
        let http = Workload::searches(served.endpoint(), few, Facets::Two)?;
        let mut first = Scenario::new("to be kept", http.clone());
        first.run(args.connections, http.len()).await?;
        let in_process = Workload::searches(Endpoint::Router(router), few, Facets::Two)?;
        let scenarios =
            [("kept answers over HTTP", http), ("kept answers from the router in process", in_process)];
        let plan = Plan::of(args.connections, ROUNDS, args.searches);
        let measurements = compare(scenarios, plan).await?;
        served.stop().await;
        report.measurements(&measurements);
        Ok(())
    }

    /// Compares searches alone with searches during writes. The longer writes go on, the more and the smaller the
    /// segments of the index are.
    async fn compare_with_writes(
        &self,
        per_second: u32,
        args: &BenchArgs,
        report: &mut Report,
    ) -> Result<(), BenchError> {
        let workload = self.over_http(&self.queries, Facets::Two)?;
        let mut alone = Scenario::new("without writes", workload.clone());
        alone.run(args.connections, args.searches).await?;
        let mut during = Scenario::new("beside writes", workload);
        let writers = Writers::start(&self.served.host, &self.sample.ids().into(), per_second).await?;
        during.run(args.connections, args.searches).await?;
        let probes = FreshnessProbes::start(&self.served.host).await?;
        tokio::time::sleep(FRESHNESS_TIME).await;
        let freshness =
            Measurement { name: "from the 201 to being found", rounds: vec![probes.stop().await?] };
        let written = writers.stop().await?;
        self.catalogue.wait_until_indexed(SYNC_TIMEOUT).await.map_err(BenchError::Catalogue)?;
        let measurements = [alone.measurement(), during.measurement()];
        report.measurements(&measurements);
        report.measurements(&[freshness]);
        report.value("writes", written, " a second");
        let [alone, during] = measurements.map(|it| it.figures().percentile(99.0).as_secs_f64());
        report.value("99% beside writes against without", during / alone, " times");
        Ok(())
    }
}
