//! `noren explain`: why a search finds a product or does not, by what both sides know.

use std::io::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use domain::ports::DeadLetter;
use domain::{Status, Version};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cli::ExplainArgs;
use crate::client::{Api, success};
use crate::failure::{Context as _, Failure};
use crate::search::printable;

/// The dead letters that are looked through, the newest ones.
pub const DEAD_LETTERS: usize = 10_000;

/// Asks the side that writes and the side that reads, and writes what they know to standard output. `dead` are all dead
/// letters, where they can be known.
///
/// # Errors
/// When the index cannot be asked, finds fault with the parameters, or nobody reads the output.
pub async fn explain(
    writes: &dyn Api,
    reads: &dyn Api,
    dead: Option<Vec<DeadLetter>>,
    args: &ExplainArgs,
) -> Result<(), Failure> {
    let id = args.id.as_str();
    let catalogue = catalogue(writes, id).await;
    let backlog = backlog(writes).await;
    let mut parameters: Vec<(String, String)> =
        args.query.iter().map(|query| ("query".to_owned(), query.clone())).collect();
    parameters.extend(args.filters.parameters());
    let body = reads.get(&format!("/products/{id}/explain"), &parameters).await?;
    let index: &RawValue =
        serde_json::from_slice(&body).context(|| "reading the answer; is this a noren service".to_owned())?;
    let found: Found = serde_json::from_str(index.get())
        .context(|| "reading the answer; is this a noren service".to_owned())?;
    let dead_letters = dead.map(|dead| letters_of(dead, id));
    let report = Report { id, catalogue, backlog, dead_letters, index, found };
    let mut text = match args.json {
        true => serde_json::to_string(&report.to_json()).context(|| "writing the report".to_owned())?,
        false => report.to_text(),
    };
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes()).context(|| "writing the report".to_owned())
}

/// What the catalogue holds of a product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
enum Held {
    Product(HeldProduct),
    /// There is no such product.
    None {
        found: bool,
    },
    /// The writing side did not say.
    Unknown {
        error: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct HeldProduct {
    name: String,
    version: Version,
    status: Status,
}

async fn catalogue(writes: &dyn Api, id: &str) -> Held {
    let read = async || -> Result<Held, Failure> {
        let (status, body) = writes.ask(&format!("/products/{id}"), &[]).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(Held::None { found: false });
        }
        let body = success(status, body)?;
        let product = serde_json::from_slice(&body).context(|| "reading the product".to_owned())?;
        Ok(Held::Product(product))
    };
    read().await.unwrap_or_else(|failure| Held::Unknown { error: failure.to_string() })
}

/// What waits to be indexed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backlog {
    waiting: u64,
    in_flight: u64,
    #[serde(default)]
    oldest_unsynced_seconds: f64,
}

/// None where the writing side does not tell.
async fn backlog(writes: &dyn Api) -> Option<Backlog> {
    #[derive(Deserialize)]
    struct Ready {
        backlog: Option<Backlog>,
    }
    // A service that is not ready tells all the same.
    let (_, body) = writes.ask("/health/ready", &[]).await.ok()?;
    serde_json::from_slice::<Ready>(&body).ok()?.backlog
}

/// A change that could not be indexed.
#[derive(Debug, Serialize)]
struct Letter {
    version: Version,
    reason: String,
    receives: u32,
    at: String,
}

fn letters_of(dead: Vec<DeadLetter>, id: &str) -> Vec<Letter> {
    let own = dead.into_iter().filter(|letter| letter.id.as_ref().is_some_and(|own| own.as_str() == id));
    let letter = |DeadLetter { version, reason, receives, dead_lettered_at, .. }| {
        Some(Letter { version: version?, reason: reason?, receives, at: dead_lettered_at?.to_string() })
    };
    // In a data folder, all of these are kept.
    own.filter_map(letter).collect()
}

/// What the reading side knows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    state: String,
    version: Option<Version>,
    rank: Option<u64>,
    total: u64,
    #[serde(default)]
    excluded_by: Vec<Excluding>,
    #[serde(default)]
    hidden_by_rule: bool,
    explanation: Option<Explanation>,
    corrected_query: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Excluding {
    filter: String,
    wanted: Vec<String>,
    has: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Explanation {
    base: f32,
    words: Vec<Word>,
    #[serde(default)]
    phrases: Vec<Phrase>,
    #[serde(default)]
    boost: f32,
    #[serde(default)]
    pinned: bool,
}

#[derive(Debug, Deserialize)]
struct Word {
    word: String,
    found: String,
    #[serde(rename = "as")]
    found_as: Option<String>,
    #[serde(rename = "in")]
    fields: Vec<String>,
    level: u8,
    score: f32,
}

#[derive(Debug, Deserialize)]
struct Phrase {
    words: String,
    score: f32,
}

/// What both sides know.
struct Report<'a> {
    id: &'a str,
    catalogue: Held,
    backlog: Option<Backlog>,
    /// None where they cannot be known.
    dead_letters: Option<Vec<Letter>>,
    /// As the reading side said it.
    index: &'a RawValue,
    found: Found,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportJson<'a> {
    id: &'a str,
    found: bool,
    reasons: Vec<String>,
    catalogue: &'a Held,
    #[serde(skip_serializing_if = "Option::is_none")]
    backlog: Option<&'a Backlog>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letters: Option<&'a [Letter]>,
    index: &'a RawValue,
}

impl Report<'_> {
    fn to_json(&self) -> ReportJson<'_> {
        ReportJson {
            id: self.id,
            found: self.found.rank.is_some(),
            reasons: self.reasons(),
            catalogue: &self.catalogue,
            backlog: self.backlog.as_ref(),
            dead_letters: self.dead_letters.as_deref(),
            index: self.index,
        }
    }

    fn to_text(&self) -> String {
        let name = match &self.catalogue {
            Held::Product(product) => format!("  {}", printable(&product.name)),
            Held::None { .. } | Held::Unknown { .. } => String::new(),
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
        if let Some(corrected) = &self.found.corrected_query {
            lines.push(format!("did you mean: {}", printable(corrected)));
        }
        if let Some(explanation) = &self.found.explanation
            && !explanation.words.is_empty()
        {
            lines.push(explanation.table().trim_fmt());
        }
        lines.join("\n")
    }

    fn catalogue_line(&self) -> String {
        match &self.catalogue {
            Held::Product(HeldProduct { version, status, .. }) => {
                format!("version {version}, {}", status_name(*status))
            }
            Held::None { .. } => "no such product".to_owned(),
            Held::Unknown { error } => format!("not known: {}", printable(error)),
        }
    }

    fn index_line(&self) -> String {
        match (self.found.state.as_str(), self.found.version) {
            ("unknown", _) | (_, None) => "nothing".to_owned(),
            ("hidden", Some(version)) => format!("version {version}, not active"),
            (state, Some(version)) => format!("version {version}, {}", printable(state)),
        }
    }

    fn search_line(&self) -> String {
        let total = match self.found.total {
            1 => "1 product".to_owned(),
            total => format!("{total} products"),
        };
        match self.found.rank {
            Some(rank) => format!("place {rank} of {total}"),
            None if self.found.total == 0 => "nothing is found".to_owned(),
            None => format!("not found among {total}"),
        }
    }

    /// Why it is not found; and whether what is found is out of date.
    fn reasons(&self) -> Vec<String> {
        let mut reasons = self.reasons_of_catalogue();
        let Found { excluded_by, hidden_by_rule, explanation, rank, total, .. } = &self.found;
        reasons.extend(excluded_by.iter().map(Excluding::reason));
        if *hidden_by_rule {
            reasons.push("a rule of the shop hides it in this search".to_owned());
        }
        if rank.is_some() || self.found.state != "active" {
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

    /// What the catalogue and the way from it into the index have to do with it.
    fn reasons_of_catalogue(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let indexed = self.found.version;
        let mut is_behind = false;
        match &self.catalogue {
            Held::Product(HeldProduct { version, status, .. }) => {
                if *status != Status::Active {
                    reasons.push(format!("it is {}; only active products are found", status_name(*status)));
                }
                is_behind = indexed.is_none_or(|indexed| indexed < *version);
                if is_behind {
                    let held =
                        indexed.map_or("nothing of it".to_owned(), |indexed| format!("version {indexed}"));
                    reasons.push(format!(
                        "the catalogue has version {version}, the index {held}; {}",
                        self.way_into_index()
                    ));
                }
            }
            Held::None { .. } if matches!(self.found.state.as_str(), "active" | "hidden") => {
                is_behind = true;
                reasons.push(format!(
                    "the catalogue has no such product, and the index still has it; {}",
                    self.way_into_index()
                ));
            }
            Held::None { .. } => reasons.push("the catalogue has no such product".to_owned()),
            Held::Unknown { .. } if self.found.state == "unknown" => {
                reasons.push("the index has nothing of it".to_owned());
            }
            Held::Unknown { .. } => {}
        }
        let letters = self.dead_letters.iter().flatten().filter(|_| is_behind);
        reasons.extend(letters.map(|Letter { version, reason, receives, at }| {
            format!("version {version} could not be indexed, was tried {receives} times and given up at {at}: {reason}")
        }));
        reasons
    }

    fn way_into_index(&self) -> String {
        match &self.backlog {
            Some(backlog) if backlog.waiting + backlog.in_flight > 0 => format!(
                "{} changes wait to be indexed, the oldest for {:.0} s",
                backlog.waiting + backlog.in_flight,
                backlog.oldest_unsynced_seconds
            ),
            Some(_) => "no change waits to be indexed, so this one was given up or lost".to_owned(),
            None => "how many changes wait to be indexed is not known".to_owned(),
        }
    }
}

impl Excluding {
    fn reason(&self) -> String {
        let wanted = self.wanted.join(" or ");
        match self.has.as_slice() {
            [] => format!("it has no {}; the search asks for {wanted}", self.field()),
            has => format!("its {} is {}; the search asks for {wanted}", self.field(), has.join(", ")),
        }
    }

    fn field(&self) -> &str {
        match self.filter.as_str() {
            "priceRange" => "price",
            "inStock" => "stock",
            "tags" => "tag",
            filter => filter.strip_prefix("attributes.").unwrap_or(filter),
        }
    }
}

impl Explanation {
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(["Word", "Found", "As", "In", "Level", "Score"]);
        let number = |number: String| Cell::new(number).set_alignment(CellAlignment::Right);
        for word in &self.words {
            let level = if word.level > 0 { word.level.to_string() } else { String::new() };
            table.add_row([
                Cell::new(printable(&word.word)),
                Cell::new(printable(&in_words(&word.found))),
                Cell::new(printable(word.found_as.as_deref().unwrap_or_default())),
                Cell::new(printable(&word.fields.join(", "))),
                number(level),
                number(format!("{:.2}", word.score)),
            ]);
        }
        let phrases =
            self.phrases.iter().map(|phrase| (format!("\"{}\"", phrase.words), "neighbours", phrase.score));
        let boost = (self.boost != 0.0).then(|| ("rules of the shop".to_owned(), "", self.boost));
        let sum = self.base
            + self.boost
            + self.words.iter().map(|word| word.score).sum::<f32>()
            + self.phrases.iter().map(|phrase| phrase.score).sum::<f32>();
        let last = match self.pinned {
            true => ("a rule puts it first".to_owned(), "", f32::NAN),
            false => ("together".to_owned(), "", sum),
        };
        let begin = ("to begin with".to_owned(), "", self.base);
        for (what, found, score) in phrases.chain(boost).chain([begin, last]) {
            let score = if score.is_nan() { String::new() } else { format!("{score:.2}") };
            let cells =
                [Cell::new(printable(&what)), Cell::new(found), Cell::new(""), Cell::new(""), Cell::new("")];
            table.add_row(cells.into_iter().chain([number(score)]));
        }
        table
    }
}

/// `oneTypo` as people write it.
fn in_words(found: &str) -> String {
    let mut words = String::new();
    for c in found.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

fn status_name(status: Status) -> &'static str {
    Status::ALL.iter().find(|(_, known)| *known == status).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn held(version: u64, status: Status) -> Held {
        Held::Product(HeldProduct { name: "Lamp".to_owned(), version: Version(version), status })
    }

    fn reasons(catalogue: Held, waiting: Option<u64>, dead: Vec<Letter>, index: &str) -> Vec<String> {
        let index = raw(index);
        let backlog =
            waiting.map(|waiting| Backlog { waiting, in_flight: 0, oldest_unsynced_seconds: waiting as f64 });
        let found = serde_json::from_str(index.get()).unwrap();
        Report { id: "lamp", catalogue, backlog, dead_letters: Some(dead), index: &index, found }.reasons()
    }

    #[test]
    fn the_way_into_the_index_is_told() {
        let active = r#"{"state":"active","version":2,"rank":1,"total":1}"#;
        let letter = || Letter {
            version: Version(3),
            reason: "it cannot be held".to_owned(),
            receives: 5,
            at: "2026-11-25T10:00:00Z".to_owned(),
        };
        let cases = [
            (held(2, Status::Active), None, vec![letter()], active, vec![]),
            (
                held(3, Status::Active),
                Some(7),
                vec![],
                active,
                vec![
                    "the catalogue has version 3, the index version 2; 7 changes wait to be indexed, the oldest for 7 s",
                ],
            ),
            (
                held(3, Status::Active),
                Some(0),
                vec![letter()],
                active,
                vec![
                    "the catalogue has version 3, the index version 2; no change waits to be indexed, so this one was given up or lost",
                    "version 3 could not be indexed, was tried 5 times and given up at 2026-11-25T10:00:00Z: it cannot be held",
                ],
            ),
            (
                held(1, Status::Draft),
                None,
                vec![],
                r#"{"state":"unknown","total":0}"#,
                vec![
                    "it is draft; only active products are found",
                    "the catalogue has version 1, the index nothing of it; how many changes wait to be indexed is not known",
                ],
            ),
            (
                Held::None { found: false },
                None,
                vec![],
                r#"{"state":"unknown","total":0}"#,
                vec!["the catalogue has no such product"],
            ),
            (
                Held::None { found: false },
                Some(0),
                vec![],
                active,
                vec![
                    "the catalogue has no such product, and the index still has it; no change waits to be indexed, so this one was given up or lost",
                ],
            ),
            (
                Held::Unknown { error: "no".to_owned() },
                None,
                vec![],
                r#"{"state":"unknown","total":0}"#,
                vec!["the index has nothing of it"],
            ),
        ];
        for (catalogue, waiting, dead, index, expected) in cases {
            let shown = format!("{catalogue:?}");
            assert_eq!(reasons(catalogue, waiting, dead, index), expected, "{shown} {index}");
        }
    }

    #[test]
    fn what_the_search_has_against_it_is_told() {
        let index =
            |rest: &str, total: u64| format!(r#"{{"state":"active","version":1,"total":{total}{rest}}}"#);
        let told =
            |rest: &str, total: u64| reasons(held(1, Status::Active), None, Vec::new(), &index(rest, total));
        let filters = r#","hiddenByRule":true,"excludedBy":[
            {"filter":"brand","wanted":["HP","Dell"],"has":["Acer"]},
            {"filter":"priceRange","wanted":["-20.00"],"has":[]},
            {"filter":"attributes.colour","wanted":["red"],"has":["blue","green"]}]"#;
        assert_eq!(
            told(filters, 3),
            [
                "its brand is Acer; the search asks for HP or Dell",
                "it has no price; the search asks for -20.00",
                "its colour is blue, green; the search asks for red",
                "a rule of the shop hides it in this search",
            ]
        );
        let words = |words: &str| format!(r#","explanation":{{"base":1,"words":[{words}]}}"#);
        let word = |found: &str| format!(r#"{{"word":"w","found":"{found}","in":[],"level":0,"score":0}}"#);
        assert_eq!(told(&words(&word("missing")), 3), ["it lacks the word `w`"]);
        let two = format!("{},{},{}", word("missing"), word("exact"), word("missing"));
        assert_eq!(told(&words(&two), 3), ["it lacks the words `w`, `w`"]);
        assert!(told(&words(&word("oneTypo")), 3)[0].starts_with("it has the words with typos"));
        assert_eq!(told(&words(&word("exact")), 1234), ["it is not among the first 1,000 of 1234"]);
    }

    #[test]
    fn what_each_part_counts_is_a_table() {
        let index = raw(
            r#"{"state":"active","version":2,"rank":3,"total":9,"explanation":{"base":1,"boost":0.5,
                "words":[{"word":"lmap","found":"oneTypo","as":"lamp","in":["name","tags"],"level":24,"score":6.25},
                {"word":"x\u001b","found":"missing","in":[],"level":0,"score":0}],
                "phrases":[{"words":"lmap x","score":0.25}]}}"#,
        );
        let found = serde_json::from_str(index.get()).unwrap();
        let catalogue = held(2, Status::Active);
        let report =
            Report { id: "lamp-1", catalogue, backlog: None, dead_letters: None, index: &index, found };
        let text = report.to_text();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let head = [
            "lamp-1  Lamp",
            "  catalogue  version 2, active",
            "  index      version 2, active",
            "  search     place 3 of 9 products",
        ];
        assert_eq!(lines[..4], head);
        let cells = |line: &str| -> Vec<String> {
            line.split(['│', '┆'])
                .map(|cell| cell.trim().to_owned())
                .filter(|cell| !cell.is_empty())
                .collect()
        };
        let row = |begin: &str| cells(lines.iter().find(|line| line.contains(begin)).unwrap());
        assert_eq!(row("one typo"), ["lmap", "one typo", "lamp", "name, tags", "24", "6.25"]);
        assert_eq!(row("neighbours"), ["\"lmap x\"", "neighbours", "0.25"]);
        assert_eq!(row("rules of the shop"), ["rules of the shop", "0.50"]);
        assert_eq!(row("together"), ["together", "8.00"]);
        assert!(!text.contains('\u{1b}'), "data steers the terminal");
    }
}
