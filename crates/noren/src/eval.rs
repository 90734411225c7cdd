//! `noren eval`: measures the relevance of search results against rated products.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use api::wire::search::SearchAnswer;
use clap::Args;
use domain::fault::printable;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::client::{Api, read_json};
use crate::failure::{Context as _, Failure};
use crate::target::{Access, Target};
use crate::terminal::print;

/// Number of products that NDCG takes into account.
const DEPTH: usize = 10;
/// Page size: enough for [`DEPTH`] products to remain when unrated ones are removed.
const PAGE_SIZE: usize = 100;

/// `noren eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren eval judgments.csv                       against the service at http://127.0.0.1:8080
  noren eval judgments.csv --worst 20            with the 20 queries with the lowest NDCG@10
  noren eval judgments.csv --min 0.75            for CI: fails if NDCG@10 is lower
  NOREN_RULES=rules.toml noren eval judgments.csv --data-dir ./data
                                                 the effect of a rules file, without a service

A file of judgments is a CSV file with the columns query, product_id and rating, and one row per rated product: 0 is \
irrelevant, 3 is exactly what the shopper wants. NDCG@10 is 1 if the best products come first; unrated products count as \
irrelevant. Judged NDCG@10 ignores unrated products. MRR is 1 divided by the rank of the first relevant product. Exit code: \
0 measured, 1 below --min or failed, 2 wrong arguments.")]
pub struct EvalArgs {
    /// The file of judgments
    #[arg(value_name = "JUDGMENTS.csv")]
    pub judgments: PathBuf,
    #[command(flatten)]
    pub target: Target,
    /// Fail if NDCG@10 is below this number from 0 to 1
    #[arg(long, value_name = "NDCG", value_parser = fraction)]
    pub min: Option<f64>,
    /// Number of queries with the lowest NDCG@10 to list
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub worst: usize,
    /// Write JSON, with every query
    #[arg(long)]
    pub json: bool,
}

/// Parses a number from 0 to 1.
fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if (0.0..=1.0).contains(&fraction) => Ok(fraction),
        _ => Err("must be a number from 0 to 1, such as 0.75".to_owned()),
    }
}

/// Ratings of the products for a query, by id. 0 is irrelevant; higher is better.
type Ratings = HashMap<String, f64>;

/// The measures of all queries.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// Number of queries in the file.
    queries: usize,
    /// Number of queries with a product rated above 0. The means are over these.
    useful: usize,
    ndcg: f64,
    judged_ndcg: f64,
    mrr: f64,
    /// Queries without results.
    without_hits: Vec<String>,
    /// Queries with a product rated above 0, lowest NDCG first.
    by_query: Vec<Scored>,
}

#[derive(Debug, Serialize)]
struct Scored {
    query: String,
    ndcg: f64,
}

/// Searches for every query of a file of judgments, and writes the measures to standard output.
///
/// # Errors
/// If the file or the catalogue cannot be read, or NDCG@10 is below `--min`.
pub(crate) async fn eval(args: &EvalArgs) -> Result<(), Failure> {
    args.target.with(Access::Search, async |catalogue| measure(catalogue.api(), args).await).await
}

async fn measure(api: &dyn Api, args: &EvalArgs) -> Result<(), Failure> {
    let judgments = read_judgments(&args.judgments)?;
    let progress = ProgressBar::new(judgments.len() as u64);
    let mut report = Report::new(judgments.len());
    for (query, ratings) in &judgments {
        let results = search(api, query).await?;
        report.add(query, ratings, &results);
        progress.inc(1);
    }
    progress.finish_and_clear();
    if report.useful == 0 {
        let file = args.judgments.display();
        return Err(Failure::new(format!(
            "{file}: no product is rated above 0, so there is nothing to measure"
        )));
    }
    report.finish();
    let text = match args.json {
        true => serde_json::to_string_pretty(&report).context(|| "writing the measures".to_owned())? + "\n",
        false => report.text(args.worst),
    };
    print(&text)?;
    match args.min {
        Some(min) if report.ndcg < min => {
            Err(Failure::new(format!("NDCG@10 is {:.4}, and --min asks for {min}", report.ndcg)))
        }
        _ => Ok(()),
    }
}

/// Reads the ratings by query. The file has the columns `query`, `product_id` and `rating`, and a row for each rated product.
fn read_judgments(path: &Path) -> Result<BTreeMap<String, Ratings>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        query: String,
        product_id: String,
        rating: f64,
    }
    let name = path.display();
    let mut rows = csv::Reader::from_path(path).context(|| format!("cannot read {name}"))?;
    let mut judgments = BTreeMap::<String, Ratings>::new();
    for (number, row) in rows.deserialize::<Row>().enumerate() {
        let Row { query, product_id, rating } = row.context(|| {
            format!("{name} is no file of judgments with the columns query, product_id and rating")
        })?;
        if query.trim().is_empty() || !rating.is_finite() || rating < 0.0 {
            // The first row has the names.
            let line = number + 2;
            let fault = "a query must not be empty, and a rating not be below 0";
            return Err(Failure::new(format!("{name}:{line}: {fault}")));
        }
        judgments.entry(query).or_default().insert(product_id, rating);
    }
    match judgments.is_empty() {
        true => Err(Failure::new(format!("{name} has no judgments"))),
        false => Ok(judgments),
    }
}

/// Returns the ids of the first results, best first.
async fn search(api: &dyn Api, query: &str) -> Result<Vec<String>, Failure> {
    let parameters = [("query", query.to_owned()), ("pageSize", PAGE_SIZE.to_string())];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value));
    let body = api.get("/products/search", &parameters).await?.success()?;
    let answer: SearchAnswer<'_> = read_json(&body, "the response")?;
    Ok(answer.products.hits.iter().map(|hit| hit.product.id.to_string()).collect())
}

impl Report {
    fn new(queries: usize) -> Self {
        let (without_hits, by_query) = (Vec::new(), Vec::new());
        Self { queries, useful: 0, ndcg: 0.0, judged_ndcg: 0.0, mrr: 0.0, without_hits, by_query }
    }

    /// Adds the results of a query.
    fn add(&mut self, query: &str, ratings: &Ratings, results: &[String]) {
        if results.is_empty() {
            self.without_hits.push(query.to_owned());
        }
        let rating = |id: &String| ratings.get(id).copied();
        let all: Vec<f64> = results.iter().map(|id| rating(id).unwrap_or(0.0)).collect();
        let judged: Vec<f64> = results.iter().filter_map(rating).collect();
        let Some(ideal) = ideal_gain(ratings) else { return };
        let ndcg = gain(&all) / ideal;
        self.useful += 1;
        self.ndcg += ndcg;
        self.judged_ndcg += gain(&judged) / ideal;
        self.mrr += all.iter().position(|rating| *rating > 0.0).map_or(0.0, |at| 1.0 / (at + 1) as f64);
        self.by_query.push(Scored { query: query.to_owned(), ndcg });
    }

    /// Turns sums into means, and sorts the queries.
    fn finish(&mut self) {
        let useful = self.useful as f64;
        self.ndcg /= useful;
        self.judged_ndcg /= useful;
        self.mrr /= useful;
        self.by_query.sort_by(|a, b| a.ndcg.total_cmp(&b.ndcg).then_with(|| a.query.cmp(&b.query)));
    }

    fn text(&self, worst: usize) -> String {
        let Self { queries, useful, ndcg, judged_ndcg, mrr, without_hits, by_query } = self;
        let mut text = format!(
            "{queries} queries, {useful} with a product rated above 0\n\n\
             NDCG@10          {ndcg:.4}\n\
             judged NDCG@10   {judged_ndcg:.4}   products that nobody rated left out\n\
             MRR              {mrr:.4}   of the first product rated above 0\n\
             without a hit    {}\n",
            without_hits.len()
        );
        let mut list = |title: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "\n{title}\n{}\n", lines.join("\n"));
            }
        };
        list("found nothing:", without_hits.iter().map(|query| format!("  {}", printable(query))).collect());
        let worst = by_query.iter().take(worst);
        list(
            "lowest NDCG@10:",
            worst.map(|one| format!("  {:.3}  {}", one.ndcg, printable(&one.query))).collect(),
        );
        text
    }
}

/// Returns the discounted cumulative gain of the first [`DEPTH`] ratings: a product with rating *r* at rank *n* contributes
/// (2^*r* - 1) / log2(*n* + 1). Järvelin and Kekäläinen, *Cumulated gain-based evaluation of IR techniques* (2002), with
/// the gain of Burges and others, *Learning to rank using gradient descent* (2005).
fn gain(ratings: &[f64]) -> f64 {
    let ranks = ratings.iter().take(DEPTH).zip(2u32..);
    // An empty sum is -0.
    0.0 + ranks.map(|(rating, rank)| (rating.exp2() - 1.0) / f64::from(rank).log2()).sum::<f64>()
}

/// Returns the largest gain that a list of these products can have, or `None` if no product is relevant.
fn ideal_gain(ratings: &Ratings) -> Option<f64> {
    let mut best: Vec<f64> = ratings.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    Some(gain(&best)).filter(|gain| *gain > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_match_their_definitions() {
        let ratings: Ratings =
            [("a", 3.0), ("b", 1.0), ("c", 0.0)].map(|(id, rating)| (id.to_owned(), rating)).into();
        let report = |found: &[&str]| {
            let mut report = Report::new(1);
            let found: Vec<String> = found.iter().map(|id| (*id).to_owned()).collect();
            report.add("q", &ratings, &found);
            report.finish();
            (report.ndcg, report.judged_ndcg, report.mrr)
        };
        let ideal = 7.0 + 1.0 / 3f64.log2();
        assert_eq!(report(&["a", "b"]), (1.0, 1.0, 1.0));
        let (ndcg, judged, mrr) = report(&["x", "c", "b", "a"]);
        let expected = (0.5 + 7.0 / 5f64.log2()) / ideal;
        assert!((ndcg - expected).abs() < 1e-12 && mrr == 1.0 / 3.0, "{ndcg} {mrr}");
        let expected = (1.0 / 3f64.log2() + 3.5) / ideal;
        assert!((judged - expected).abs() < 1e-12, "{judged}");
        let nothing = report(&[]);
        assert_eq!(nothing, (0.0, 0.0, 0.0));
        assert!(nothing.0.is_sign_positive(), "it is shown without a sign");
    }
}
