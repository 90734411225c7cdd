//! The report of `noren explain`.

use api::wire::explain::ProductExplanation;
use api::wire::health::Backlog;
use domain::Status;
use domain::fault::printable;
use serde::Serialize;

use super::excluding_filter;
use super::score_table::score_table;
use super::store_report::{FailedChange, ProductSummary, StoredProduct};

/// The state of a product in store, queue and index.
pub(super) struct Report<'a> {
    pub(super) id: &'a str,
    pub(super) stored: StoredProduct,
    pub(super) backlog: Option<Backlog>,
    /// `None` if they are unknown.
    pub(super) dead_letters: Option<Vec<FailedChange>>,
    /// The response of the query service.
    pub(super) index: ProductExplanation<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReportJson<'a> {
    id: &'a str,
    found: bool,
    reasons: Vec<String>,
    catalogue: &'a StoredProduct,
    #[serde(skip_serializing_if = "Option::is_none")]
    backlog: Option<&'a Backlog>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letters: Option<&'a [FailedChange]>,
    index: &'a ProductExplanation<'a>,
}

impl Report<'_> {
    /// Returns the report for `--json`.
    pub(super) fn to_json(&self) -> ReportJson<'_> {
        ReportJson {
            id: self.id,
            found: self.index.rank.is_some(),
            reasons: self.reasons(),
            catalogue: &self.stored,
            backlog: self.backlog.as_ref(),
            dead_letters: self.dead_letters.as_deref(),
            index: &self.index,
        }
    }

    /// Formats the report.
    pub(super) fn to_text(&self) -> String {
        let name = match &self.stored {
            StoredProduct::Product(product) => format!("  {}", printable(&product.name)),
            StoredProduct::None { .. } | StoredProduct::Unknown { .. } => String::new(),
        };
        let mut lines = vec![format!("{}{name}", self.id)];
        lines.push(format!("  catalogue  {}", self.catalogue_line()));
        lines.push(format!("  index      {}", self.index_line()));
        lines.push(format!("  search     {}", self.search_line()));
        let reasons = self.reasons();
        if !reasons.is_empty() {
            lines.push("why:".to_owned());
            lines.extend(reasons.iter().map(|reason| format!("  - {}", printable(reason))));
        }
        if let Some(corrected) = &self.index.corrected_query {
            lines.push(format!("did you mean: {}", printable(corrected)));
        }
        if !self.index.relaxed.is_empty() {
            // These words are optional so that there are results; products that have them still come first.
            let optional = printable(&self.index.relaxed.join(", ")).to_string();
            lines.push(format!("left out: {optional} (few products have every word)"));
        }
        if let Some(explanation) = &self.index.explanation {
            let phrases = explanation.required.iter().map(|phrase| format!("phrase: {}", printable(phrase)));
            lines.extend(phrases);
            if !explanation.left_out.is_empty() {
                let excluded = printable(&explanation.left_out.join(", ")).to_string();
                lines.push(format!("excluded by the query: {excluded}"));
            }
            if !explanation.words.is_empty() {
                lines.push(score_table(explanation).trim_fmt());
            }
        }
        lines.join("\n")
    }

    fn catalogue_line(&self) -> String {
        match &self.stored {
            StoredProduct::Product(ProductSummary { version, status, .. }) => {
                format!("version {version}, {}", status_name(*status))
            }
            StoredProduct::None { .. } => "no such product".to_owned(),
            StoredProduct::Unknown { error } => format!("not known: {}", printable(error)),
        }
    }

    fn index_line(&self) -> String {
        match (&*self.index.state, self.index.version) {
            ("unknown", _) | (_, None) => "nothing".to_owned(),
            ("hidden", Some(version)) => format!("version {version}, not active"),
            (state, Some(version)) => format!("version {version}, {}", printable(state)),
        }
    }

    fn search_line(&self) -> String {
        let total = match self.index.total {
            1 => "1 product".to_owned(),
            total => format!("{total} products"),
        };
        match self.index.rank {
            Some(rank) => format!("place {rank} of {total}"),
            None if self.index.total == 0 => "nothing is found".to_owned(),
            None => format!("not found among {total}"),
        }
    }

    /// Returns the reasons why the product is not found, or why its indexed version is outdated.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = self.reasons_of_store();
        let ProductExplanation { excluded_by, hidden_by_rule, explanation, rank, total, .. } = &self.index;
        reasons.extend(excluded_by.iter().map(excluding_filter::reason));
        if *hidden_by_rule {
            reasons.push("a rule of the shop hides it in this search".to_owned());
        }
        if rank.is_some() || self.index.state != "active" {
            return reasons;
        }
        let words = explanation.iter().flat_map(|explanation| &explanation.words);
        let missing: Vec<String> =
            words.filter(|word| word.found == "missing").map(|word| format!("`{}`", word.word)).collect();
        match missing.as_slice() {
            [] => {}
            [word] => reasons.push(format!("it lacks the word {word}")),
            words => reasons.push(format!("it lacks the words {}", words.join(", "))),
        }
        if reasons.is_empty() {
            reasons.push(match total {
                1001.. => format!("it is not among the first 1,000 of {total}"),
                _ => {
                    "it has the words with typos or as beginnings only, and enough other products have them \
                      as they were typed"
                        .to_owned()
                }
            });
        }
        reasons
    }

    /// Returns the reasons in the store and in the queue.
    fn reasons_of_store(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let indexed = self.index.version;
        let mut is_behind = false;
        match &self.stored {
            StoredProduct::Product(ProductSummary { version, status, .. }) => {
                if *status != Status::Active {
                    reasons.push(format!("it is {}; only active products are found", status_name(*status)));
                }
                is_behind = indexed.is_none_or(|indexed| indexed < *version);
                if is_behind {
                    let held =
                        indexed.map_or("nothing of it".to_owned(), |indexed| format!("version {indexed}"));
                    reasons.push(format!(
                        "the catalogue has version {version}, the index {held}; {}",
                        self.queue_state()
                    ));
                }
            }
            StoredProduct::None { .. } if matches!(&*self.index.state, "active" | "hidden") => {
                is_behind = true;
                reasons.push(format!(
                    "the catalogue has no such product, and the index still has it; {}",
                    self.queue_state()
                ));
            }
            StoredProduct::None { .. } => reasons.push("the catalogue has no such product".to_owned()),
            StoredProduct::Unknown { .. } if self.index.state == "unknown" => {
                reasons.push("the index has nothing of it".to_owned());
            }
            StoredProduct::Unknown { .. } => {}
        }
        let letters = self.dead_letters.iter().flatten().filter(|_| is_behind);
        reasons.extend(letters.map(|FailedChange { version, reason, receives, at }| {
            format!("version {version} could not be indexed, was tried {receives} times and given up at {at}: {reason}")
        }));
        reasons
    }

    fn queue_state(&self) -> String {
        match &self.backlog {
            Some(backlog) if backlog.waiting + backlog.in_flight > 0 => {
                let count = backlog.waiting + backlog.in_flight;
                let age = backlog.oldest_unsynced_seconds.unwrap_or_default();
                match count {
                    1 => format!("1 change waits to be indexed, for {age:.0} s"),
                    _ => format!("{count} changes wait to be indexed, the oldest for {age:.0} s"),
                }
            }
            Some(_) => "no change waits to be indexed, so this one was given up or lost".to_owned(),
            None => "how many changes wait to be indexed is not known".to_owned(),
        }
    }
}

fn status_name(status: Status) -> &'static str {
    Status::ALL.iter().find(|(_, known)| *known == status).map_or("", |(name, _)| name)
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
