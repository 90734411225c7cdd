//! `noren eval`: how good a catalogue's search is, by queries whose products people rated.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::cli::EvalArgs;
use crate::client::Api;
use crate::failure::{Context as _, Failure};
use crate::search::printable;

/// Products that NDCG looks at.
const DEPTH: usize = 10;
/// Products asked for: enough for [`DEPTH`] to be left when those that nobody rated are taken out.
const ASKED: usize = 100;

/// The ratings of a query's products, by id: 0 is useless, more is better.
type Ratings = HashMap<String, f64>;

/// What the queries were worth.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// Queries in the file.
    queries: usize,
    /// Those for which a product is rated above 0; the means are over them.
    useful: usize,
    ndcg: f64,
    judged_ndcg: f64,
    mrr: f64,
    /// Queries that found nothing.
    without_hits: Vec<String>,
    /// The lowest first.
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
/// When the file or the catalogue cannot be read, or NDCG@10 is less than what `--min` asks for.
pub async fn eval(api: &dyn Api, args: &EvalArgs) -> Result<(), Failure> {
    let judgments = read_judgments(&args.judgments)?;
    let progress = ProgressBar::new(judgments.len() as u64);
    let mut report = Report::new(judgments.len());
    for (query, ratings) in &judgments {
        let found = found(api, query).await?;
        report.add(query, ratings, &found);
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
    std::io::stdout().write_all(text.as_bytes()).context(|| "writing the measures".to_owned())?;
    match args.min {
        Some(min) if report.ndcg < min => {
            Err(Failure::new(format!("NDCG@10 is {:.4}, and --min asks for {min}", report.ndcg)))
        }
        _ => Ok(()),
    }
}

/// The ratings by query. The file has the columns `query`, `product_id` and `rating`, and a row for each product.
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

/// The ids of the first products found, best first.
async fn found(api: &dyn Api, query: &str) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Answer {
        products: Vec<Product>,
    }
    #[derive(Deserialize)]
    struct Product {
        id: String,
    }
    let parameters = [("query", query.to_owned()), ("pageSize", ASKED.to_string())];
    let body = api.get("/products/search", &parameters.map(|(name, value)| (name.to_owned(), value))).await?;
    let answer: Answer = serde_json::from_slice(&body)
        .context(|| "reading the answer; is this address a noren service".to_owned())?;
    Ok(answer.products.into_iter().map(|product| product.id).collect())
}

impl Report {
    fn new(queries: usize) -> Self {
        let (without_hits, by_query) = (Vec::new(), Vec::new());
        Self { queries, useful: 0, ndcg: 0.0, judged_ndcg: 0.0, mrr: 0.0, without_hits, by_query }
    }

    fn add(&mut self, query: &str, ratings: &Ratings, found: &[String]) {
        if found.is_empty() {
            self.without_hits.push(query.to_owned());
        }
        let rating = |id: &String| ratings.get(id).copied();
        let all: Vec<f64> = found.iter().map(|id| rating(id).unwrap_or(0.0)).collect();
        let judged: Vec<f64> = found.iter().filter_map(rating).collect();
        let Some(ideal) = ideal_gain(ratings) else { return };
        let ndcg = gain(&all) / ideal;
        self.useful += 1;
        self.ndcg += ndcg;
        self.judged_ndcg += gain(&judged) / ideal;
        self.mrr += all.iter().position(|rating| *rating > 0.0).map_or(0.0, |at| 1.0 / (at + 1) as f64);
        self.by_query.push(Scored { query: query.to_owned(), ndcg });
    }

    /// Makes means of the sums.
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
                // Writing into a text cannot fail.
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

/// Discounted cumulative gain of the first [`DEPTH`] ratings: a product of rating *r* in place *n* is worth
/// (2^*r* - 1) / log2(*n* + 1). Järvelin and Kekäläinen, *Cumulated gain-based evaluation of IR techniques* (2002), with
/// the gain of Burges and others, *Learning to rank using gradient descent* (2005).
fn gain(ratings: &[f64]) -> f64 {
    let places = ratings.iter().take(DEPTH).zip(2u32..);
    // The sum of nothing would be -0.
    0.0 + places.map(|(rating, place)| (rating.exp2() - 1.0) / f64::from(place).log2()).sum::<f64>()
}

/// The most that a list of these products could gain; none when no product is of any use.
fn ideal_gain(ratings: &Ratings) -> Option<f64> {
    let mut best: Vec<f64> = ratings.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    Some(gain(&best)).filter(|gain| *gain > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_those_of_the_papers() {
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
