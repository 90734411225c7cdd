//! The terms that an index has of one product, to tell which words of a query find it.

use domain::Content;
use foldhash::HashMap;

use crate::query::{Term, Way};
use crate::runs::each_run;
use crate::weights::Weigher;

/// The terms of a product.
pub(crate) struct Terms {
    levels: HashMap<Term, u8>,
    /// Its runs of scripts without spaces, each behind a line break.
    runs: String,
}

impl Terms {
    pub(crate) fn of(content: &Content, weigher: &mut Weigher) -> Self {
        let mut levels = HashMap::default();
        weigher.weigh(content, |dictionary, text, level| {
            levels.insert(Term { dictionary, text: text.to_owned() }, level);
        });
        let mut runs = String::new();
        each_run(content, |run| {
            runs.push('\n');
            runs.push_str(run);
        });
        Self { levels, runs }
    }

    /// The level of what the way finds; none where it does not find the product.
    pub(crate) fn level(&self, way: &Way) -> Option<u8> {
        let has_all = way.terms.iter().all(|term| self.levels.contains_key(term));
        let is_found = has_all && (!way.is_phrase || self.runs.contains(&run_of(way)));
        way.terms.first().filter(|_| is_found).and_then(|term| self.levels.get(term)).copied()
    }

    /// The level of a term.
    pub(crate) fn level_of(&self, term: &Term) -> Option<u8> {
        self.levels.get(term).copied()
    }

    /// All of them, each with its level, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Term, u8)> {
        self.levels.iter().map(|(term, level)| (term, *level))
    }
}

/// The run that overlapping pairs of characters make.
fn run_of(way: &Way) -> String {
    let mut run = String::new();
    for (at, pair) in way.terms.iter().enumerate() {
        run.extend(pair.text.chars().skip(usize::from(at > 0)));
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use domain::Currency;
    use domain::input::read_product;
    use domain::search::SearchRequest;

    fn is_found(name: &str, query: &str) -> bool {
        let json = format!("{{\"name\":{name:?}}}");
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let terms = Terms::of(&content, &mut Weigher::new(domain::Language::default()));
        let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
        let words = Query::of(&request, domain::Language::default()).words;
        !words.is_empty() && words.iter().all(|word| word.ways.iter().any(|way| terms.level(way).is_some()))
    }

    #[test]
    fn a_run_is_found_where_its_characters_are_neighbours() {
        assert!(is_found("東京都立大学", "京都立"));
        assert!(is_found("東京", "京"));
        assert!(!is_found("東京 京都", "東京都"), "not over the space");
        assert!(!is_found("京都東京", "京都京"));
        assert!(is_found("Desk lamps", "lamp") && is_found("Headphones", "head phones"));
        assert!(!is_found("Desk lamp", "lam"));
    }
}
