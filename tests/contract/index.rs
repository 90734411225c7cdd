//! What every index must do: a function for each sentence of the ports' documentation, called for each adapter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ports::IndexMaintenance;
use domain::ports::{Applied, IndexWriter, SearchIndex};
use domain::search::{
    AttributeFilter, Boost, Cursor, Facet, FacetRequest, FacetValue, Field, Filters, MatchMode, Page,
    PageStart, SearchAnswer, SearchRequest, Sort, Synonym, Tuning,
};
use domain::{Change, Currency, PriceRange, Product, ProductId, Status, Tombstone, Version};
use opensearch_index::{OpenSearchSearcher, OpenSearchWriter, Options};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};

use crate::services;
use crate::support::opensearch_options;

/// An index that can be closed and opened again.
pub(super) trait Place {
    type Writer: IndexMaintenance;
    type Searcher: SearchIndex;
    /// A new, empty one; none where its server cannot be had.
    async fn new() -> Option<Self>
    where
        Self: Sized;
    /// Opens the writing side; the first time it makes the index.
    async fn writer(&self) -> Self::Writer;
    /// Opens the reading side, as often as one likes.
    async fn searcher(&self) -> Self::Searcher;
    /// Opens both sides.
    async fn open(&self) -> (Self::Writer, Self::Searcher) {
        (self.writer().await, self.searcher().await)
    }
}

pub(super) struct TantivyPlace(tempfile::TempDir);

impl Place for TantivyPlace {
    type Writer = TantivyWriter;
    type Searcher = TantivySearcher;

    async fn new() -> Option<Self> {
        Some(Self(tempfile::tempdir().unwrap()))
    }

    async fn writer(&self) -> TantivyWriter {
        TantivyWriter::open(self.0.path(), WriterOptions::default()).unwrap()
    }

    async fn searcher(&self) -> TantivySearcher {
        TantivySearcher::open(self.0.path(), SearcherOptions::default()).unwrap()
    }
}

pub(super) struct OpenSearchPlace(Options);

impl Place for OpenSearchPlace {
    type Writer = OpenSearchWriter;
    type Searcher = OpenSearchSearcher;

    async fn new() -> Option<Self> {
        let server = services::opensearch().await?;
        Some(Self(opensearch_options(server, &format!("contract-{}", ProductId::generate()))))
    }

    async fn writer(&self) -> OpenSearchWriter {
        OpenSearchWriter::create(&self.0).await.unwrap()
    }

    async fn searcher(&self) -> OpenSearchSearcher {
        OpenSearchSearcher::open(&self.0).await.unwrap()
    }
}

/// The suite for one adapter. Those that reopen take the place itself.
macro_rules! suite {
    ($adapter:ident, $place:ty, [$($test:ident),* $(,)?], reopening: [$($reopening:ident),* $(,)?]) => {
        mod $adapter {
            use super::Place;
            $(#[tokio::test]
            async fn $test() {
                let Some(place) = <$place>::new().await else { return };
                let (writer, searcher) = place.open().await;
                super::$test(&super::Index { writer: &writer, searcher: &searcher }).await;
            })*
            $(#[tokio::test]
            async fn $reopening() {
                let Some(place) = <$place>::new().await else { return };
                super::$reopening(place).await;
            })*
        }
    };
}

macro_rules! suites {
    ($($adapter:ident: $place:ty),* $(,)?) => {$(
        suite!(
            $adapter,
            $place,
            [
                what_was_applied_is_found_at_once,
                an_index_in_order_finds_the_same,
                an_older_or_equal_version_changes_nothing,
                a_delete_leaves_a_tombstone,
                answers_come_in_the_order_given,
                only_active_products_are_found,
                statistics_count_everything_but_tombstones,
                every_field_is_searched,
                every_word_must_be_found,
                words_need_not_be_found_where_few_products_have_all_of_them,
                another_order_leaves_words_out_only_where_nothing_is_found,
                any_word_is_enough_where_that_is_asked_for,
                a_word_is_found_in_singular_and_plural,
                words_are_found_joined_and_apart,
                typos_are_forgiven_as_far_as_the_length_allows,
                the_last_word_is_also_a_beginning,
                exact_comes_above_beginnings_above_typos,
                an_empty_query_finds_everything,
                scripts_without_spaces_are_found,
                case_accents_and_hyphens_do_not_matter,
                hostile_words_are_harmless,
                filters_of_every_field,
                one_field_is_or_and_several_are_and,
                prices_count_in_one_currency_only,
                every_order_with_ids_for_ties,
                pages_and_cursors_divide_the_list,
                a_cursor_keeps_its_place_while_the_catalogue_changes,
                facets_ignore_their_own_filters,
                facet_values_fit_a_prefix,
                a_facet_says_how_many_values_there_are,
                highlights_are_escaped,
                a_misspelt_query_is_corrected,
                synonyms_are_found_behind_what_was_typed,
                synonyms_may_have_several_words_and_any_script,
                stop_words_need_not_be_found,
                pinned_products_come_first_in_their_order,
                pinned_products_must_be_active_and_pass_the_filters,
                pages_and_cursors_go_through_pinned_products,
                hidden_products_are_neither_found_nor_counted,
                boosts_move_products_among_equal_matches,
                boosts_of_one_product_add_up_within_their_bounds,
                several_searches_are_answered_on_one_state,
                the_snapshot_changes_with_each_commit,
                the_newest_state_is_told_and_never_an_older_one,
                versions_are_those_that_searches_see,
            ],
            reopening: [versions_survive_a_restart, products_survive_a_restart]
        );
    )*};
}

suites!(tantivy: super::TantivyPlace, opensearch: super::OpenSearchPlace);

/// Both sides of an index.
struct Index<'a> {
    writer: &'a dyn IndexWriter,
    searcher: &'a dyn SearchIndex,
}

// ------------------------------------------------------------------------------------------------ helpers

fn id(text: &str) -> ProductId {
    ProductId::parse(text).unwrap()
}

/// A product at version 1 from the JSON of its content.
#[expect(clippy::needless_pass_by_value, reason = "the calls read better without a reference")]
fn product(id_text: &str, json: serde_json::Value) -> Product {
    let content = domain::input::read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content;
    let at = jiff::Timestamp::from_millisecond(1_700_000_000_000).unwrap();
    Product { id: id(id_text), version: Version::FIRST, created_at: at, updated_at: at, content }
}

fn named(id: &str, name: &str) -> Product {
    product(id, serde_json::json!({ "name": name }))
}

fn at_version(version: u64, mut product: Product) -> Change {
    product.version = Version(version);
    Change::Update(Arc::new(product))
}

fn deleted(id_text: &str, version: u64) -> Change {
    Change::Delete(Tombstone { id: id(id_text), version: Version(version), deleted_at: domain::now() })
}

fn asking(words: &str) -> SearchRequest {
    SearchRequest { words: words.to_owned(), ..SearchRequest::all(Currency::USD) }
}

fn ids(answer: &SearchAnswer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.product.id.as_str()).collect()
}

impl Index<'_> {
    async fn add(&self, products: impl IntoIterator<Item = Product>) {
        let changes: Vec<_> = products.into_iter().map(|product| Change::Create(Arc::new(product))).collect();
        let applied = self.apply(&changes).await;
        assert!(applied.iter().all(|applied| *applied == Applied::Done), "{applied:?}");
    }

    async fn apply(&self, changes: &[Change]) -> Vec<Applied> {
        self.writer.apply(changes).await.unwrap()
    }

    async fn answer(&self, request: &SearchRequest) -> SearchAnswer {
        self.searcher.search(request).await.unwrap()
    }

    /// The ids found, in order.
    async fn found(&self, request: &SearchRequest) -> Vec<String> {
        let answer = self.answer(request).await;
        assert_eq!(answer.total, answer.hits.len() as u64, "these all fit one page");
        ids(&answer).into_iter().map(str::to_owned).collect()
    }

    /// What has all words.
    async fn words(&self, words: &str) -> Vec<String> {
        self.found(&SearchRequest { match_mode: MatchMode::All, ..asking(words) }).await
    }

    /// What the filter leaves of everything, by id.
    async fn filtered(&self, filter: impl FnOnce(&mut SearchRequest)) -> Vec<String> {
        let mut request = asking("");
        filter(&mut request);
        self.found(&request).await
    }
}

// ----------------------------------------------------------------------------------------------- versions

async fn what_was_applied_is_found_at_once(index: &Index<'_>) {
    index.writer.ready().await.unwrap();
    index.searcher.ready().await.unwrap();
    let mut lamp = named("lamp", "Desk lamp");
    index.add([lamp.clone()]).await;
    assert_eq!(*index.answer(&asking("lamp")).await.hits[0].product, lamp);
    lamp.content.name = "Floor light".to_owned();
    assert_eq!(index.apply(&[at_version(2, lamp)]).await, [Applied::Done]);
    assert_eq!(index.words("light").await, ["lamp"]);
    assert!(index.words("desk").await.is_empty());
}

async fn an_index_in_order_finds_the_same(index: &Index<'_>) {
    for id in ["a", "b", "c"] {
        index.add([named(id, "Desk lamp")]).await;
    }
    index.apply(&[deleted("b", 2)]).await;
    index.writer.optimize().await.unwrap();
    assert_eq!(index.words("lamp").await, ["a", "c"]);
}

async fn an_older_or_equal_version_changes_nothing(index: &Index<'_>) {
    assert_eq!(index.apply(&[at_version(5, named("a", "five"))]).await, [Applied::Done]);
    assert_eq!(index.apply(&[at_version(4, named("a", "four"))]).await, [Applied::Stale]);
    assert_eq!(index.apply(&[at_version(5, named("a", "again"))]).await, [Applied::Stale]);
    assert_eq!(index.apply(&[deleted("a", 5)]).await, [Applied::Stale]);
    let answer = index.answer(&asking("")).await;
    assert_eq!((answer.total, answer.hits[0].product.content.name.as_str()), (1, "five"));
    assert_eq!(index.apply(&[at_version(9, named("a", "nine"))]).await, [Applied::Done]);
    assert_eq!(index.words("nine").await, ["a"]);
}

async fn a_delete_leaves_a_tombstone(index: &Index<'_>) {
    index.add([named("a", "lamp"), named("b", "lamp")]).await;
    assert_eq!(index.apply(&[deleted("a", 2)]).await, [Applied::Done]);
    assert_eq!(index.words("lamp").await, ["b"]);
    assert_eq!(
        index.apply(&[at_version(1, named("a", "lamp")), deleted("b", 1)]).await,
        [Applied::Stale, Applied::Stale]
    );
    assert_eq!(index.apply(&[deleted("a", 2)]).await, [Applied::Stale]);
    assert_eq!(index.words("").await, ["b"]);
    assert_eq!(index.apply(&[at_version(3, named("a", "lamp"))]).await, [Applied::Done]);
    assert_eq!(index.words("lamp").await, ["a", "b"]);
    // Also of a product that the index never saw.
    assert_eq!(index.apply(&[deleted("c", 7)]).await, [Applied::Done]);
    assert_eq!(index.apply(&[at_version(6, named("c", "lamp"))]).await, [Applied::Stale]);
}

async fn answers_come_in_the_order_given(index: &Index<'_>) {
    assert!(index.apply(&[]).await.is_empty());
    index.add([named("b", "two")]).await;
    let changes = [at_version(1, named("a", "x")), at_version(1, named("b", "x")), deleted("c", 1)];
    assert_eq!(index.apply(&changes).await, [Applied::Done, Applied::Stale, Applied::Done]);
    assert_eq!(index.apply(&changes).await, [const { Applied::Stale }; 3]);
}

async fn versions_survive_a_restart(place: impl Place) {
    let (writer, searcher) = place.open().await;
    Index { writer: &writer, searcher: &searcher }
        .apply(&[at_version(3, named("a", "three")), deleted("b", 4)])
        .await;
    drop((writer, searcher));
    let (writer, searcher) = place.open().await;
    let index = Index { writer: &writer, searcher: &searcher };
    let older = [at_version(2, named("a", "two")), at_version(3, named("b", "three"))];
    assert_eq!(index.apply(&older).await, [Applied::Stale, Applied::Stale]);
    assert_eq!(index.words("").await, ["a"]);
    assert_eq!(index.apply(&[at_version(5, named("b", "five"))]).await, [Applied::Done]);
    assert_eq!(index.words("").await, ["a", "b"]);
}

async fn products_survive_a_restart(place: impl Place) {
    let lamp = product("lamp", serde_json::json!({ "name": "Desk lamp", "price": 19.9, "tags": ["a", "b"] }));
    let (writer, searcher) = place.open().await;
    Index { writer: &writer, searcher: &searcher }.add([lamp.clone()]).await;
    drop((writer, searcher));
    let (writer, searcher) = place.open().await;
    let index = Index { writer: &writer, searcher: &searcher };
    assert_eq!(*index.answer(&asking("lamp")).await.hits[0].product, lamp);
}

async fn only_active_products_are_found(index: &Index<'_>) {
    let with_status = |id, status| {
        let mut product = product(id, serde_json::json!({ "name": "lamp", "brand": "B", "price": 1 }));
        product.content.status = status;
        product
    };
    index
        .add([
            with_status("active", Status::Active),
            with_status("draft", Status::Draft),
            with_status("archived", Status::Archived),
        ])
        .await;
    assert_eq!(index.words("lamp").await, ["active"]);
    assert_eq!(index.words("").await, ["active"]);
    let mut request = asking("");
    request.facets = vec![Field::Brand];
    let one = Facet::Values {
        values: vec![FacetValue { value: "B".into(), count: 1 }],
        distinct: 1,
        numbers: None,
    };
    assert_eq!(index.answer(&request).await.facets, [(Field::Brand, one)]);
    index
        .apply(&[
            at_version(2, with_status("active", Status::Draft)),
            at_version(2, with_status("draft", Status::Active)),
        ])
        .await;
    assert_eq!(index.words("lamp").await, ["draft"]);
    // The version of a product that is not found counts all the same.
    assert_eq!(index.apply(&[at_version(2, with_status("active", Status::Active))]).await, [Applied::Stale]);
}

async fn statistics_count_everything_but_tombstones(index: &Index<'_>) {
    assert_eq!(index.searcher.stats().await.unwrap().products, 0);
    let mut draft = named("c", "draft");
    draft.content.status = Status::Draft;
    index.add([named("a", "one"), named("b", "two"), draft]).await;
    index.apply(&[deleted("a", 2)]).await;
    assert_eq!(index.searcher.stats().await.unwrap().products, 2);
}

// -------------------------------------------------------------------------------------------------- words

async fn every_field_is_searched(index: &Index<'_>) {
    let fields = serde_json::json!({
        "name": "alpha", "brand": "bravo", "sku": "charlie", "category": "delta > echo", "tags": ["foxtrot"],
        "description": "golf", "attributes": { "hotel": "india", "juliett": 4711, "kilo": ["lima", "mike"] },
    });
    index.add([product("a", fields), named("b", "something else")]).await;
    for word in
        ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "india", "4711", "lima", "mike"]
    {
        assert_eq!(index.words(word).await, ["a"], "{word}");
    }
    assert!(index.words("hotel").await.is_empty(), "keys are not searched");
}

async fn every_word_must_be_found(index: &Index<'_>) {
    index.add([named("a", "red lamp"), named("b", "red table"), named("c", "green lamp")]).await;
    assert_eq!(index.words("red lamp").await, ["a"]);
    assert_eq!(index.words("lamp red lamp").await, ["a"]);
    assert_eq!(index.words("yellow").await, [""; 0]);
    let mut elsewhere = asking("red lamp");
    elsewhere.filters.brand = vec!["Hikari".to_owned()];
    let answer = index.answer(&elsewhere).await;
    assert_eq!(answer.total, 0);
    elsewhere.match_mode = MatchMode::All;
    assert_eq!(index.answer(&elsewhere).await.relaxed.len(), 0, "filters leave no word out");
}

async fn words_need_not_be_found_where_few_products_have_all_of_them(index: &Index<'_>) {
    index
        .add([
            named("a", "red lamp of paper"),
            named("b", "red table"),
            named("c", "red lamp"),
            named("d", "lamp of paper"),
        ])
        .await;
    let relaxed = async |words: &str| {
        let answer = index.answer(&asking(words)).await;
        let ids: Vec<String> = ids(&answer).into_iter().map(str::to_owned).collect();
        (ids, answer.relaxed)
    };
    for (words, ids, left_out) in [
        ("Purple lamp", &["c", "d", "a"][..], &["Purple"][..]),
        // One of them has to go, and `table` tells more.
        ("lamp table", &["b"], &["lamp"]),
        // Products with more of the words come first.
        ("lamp of paper red", &["a", "d"], &["lamp", "paper", "red"]),
        ("purple yellow", &[], &[]),
        ("purple", &[], &[]),
    ] {
        let (found, relaxed) = relaxed(words).await;
        assert_eq!(
            (found, relaxed),
            (
                ids.iter().map(|id| (*id).to_owned()).collect(),
                left_out.iter().map(|word| (*word).to_owned()).collect()
            ),
            "{words}"
        );
    }
    let strict = SearchRequest { match_mode: MatchMode::All, ..asking("purple lamp") };
    assert_eq!(index.answer(&strict).await.total, 0);
    let search = SearchRequest { facets: vec![Field::Brand], ..asking("purple lamp") };
    let request = FacetRequest { search, field: Field::Brand, prefix: String::new(), limit: 9 };
    index.add([product("e", serde_json::json!({"name": "lamp", "brand": "Hikari"}))]).await;
    let values = index.searcher.facet_values(&request).await.unwrap();
    assert_eq!(values.iter().map(|value| value.count).collect::<Vec<_>>(), [1]);
}

async fn another_order_leaves_words_out_only_where_nothing_is_found(index: &Index<'_>) {
    index.add([named("a", "red lamp"), named("b", "red table"), named("c", "lamp")]).await;
    let by_name = async |words: &str| {
        let answer = index.answer(&SearchRequest { sort: Sort::Name, ..asking(words) }).await;
        ids(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(by_name("red lamp").await, ["a"]);
    assert_eq!(by_name("red sofa").await, ["a", "b"]);
}

async fn any_word_is_enough_where_that_is_asked_for(index: &Index<'_>) {
    index
        .add([named("a", "red lamp"), named("b", "red table"), named("c", "lampshade"), named("d", "ted")])
        .await;
    let answer =
        index.answer(&SearchRequest { match_mode: MatchMode::Any, ..asking("purple red lamp") }).await;
    assert_eq!(ids(&answer)[0], "a", "two words are more than one");
    assert_eq!((answer.total, answer.relaxed.len()), (2, 0), "neither beginnings nor typos are looked for");
}

async fn a_word_is_found_in_singular_and_plural(index: &Index<'_>) {
    index.add([named("one", "battery box"), named("many", "batteries boxes")]).await;
    for words in ["battery", "batteries", "boxes battery", "box batteries"] {
        let answer = index.answer(&asking(words)).await;
        assert_eq!(answer.total, 2, "{words}");
        assert_eq!(answer.corrected_query, None, "{words}");
    }
    let highlights = index.answer(&asking("battery box")).await.hits;
    assert!(highlights.iter().all(|hit| hit.highlights["name"].matches("<em>").count() == 2));
}

async fn words_are_found_joined_and_apart(index: &Index<'_>) {
    index
        .add([
            named("joined", "headphones 256GB"),
            named("apart", "head phones 256 GB"),
            named("neither", "phones for the head 256 of GB"),
        ])
        .await;
    for words in ["headphones", "headphone", "256gb", "256gb headphones"] {
        let mut found = index.words(words).await;
        found.sort();
        assert_eq!(found, ["apart", "joined"], "{words}");
    }
    let mut found = index.words("head phones 256 gb").await;
    found.sort();
    assert_eq!(found, ["apart", "joined", "neither"]);
    let apart = index.answer(&asking("headphones")).await.hits;
    let marked: Vec<&str> = apart.iter().map(|hit| hit.highlights["name"].as_str()).collect();
    assert!(marked.contains(&"<em>head phones</em> 256 GB"), "{marked:?}");
}

async fn typos_are_forgiven_as_far_as_the_length_allows(index: &Index<'_>) {
    let names = ["tv", "sofa", "mouse", "camera", "keyboard", "ps5", "wh1000"];
    index.add(names.map(|name| named(name, name))).await;
    // In front of another word, so that no word counts as a beginning.
    for (words, found) in [
        ("tw", None),
        ("tvs", Some("tv")),
        ("sofx", Some("sofa")),
        ("osfa", Some("sofa")),
        ("osaf", None),
        ("mose", Some("mouse")),
        ("muose", Some("mouse")),
        ("moxxe", None),
        ("camrea", Some("camera")),
        ("kamara", Some("camera")),
        ("kamaxa", None),
        ("kebyoard", Some("keyboard")),
        ("qeybaord", Some("keyboard")),
        ("ps4", None),
        ("wh1001", None),
    ] {
        assert_eq!(index.words(words).await, found.into_iter().collect::<Vec<_>>(), "{words}");
    }
}

async fn the_last_word_is_also_a_beginning(index: &Index<'_>) {
    index.add([named("a", "wireless keyboard"), named("b", "wireless keypad 100"), named("c", "key")]).await;
    assert_eq!(index.words("wireless key").await, ["a", "b"]);
    assert_eq!(index.words("wireless keyb").await, ["a"]);
    assert_eq!(index.words("10").await, ["b"]);
    let answer = index.answer(&asking("wirel key")).await;
    assert_eq!(answer.relaxed, ["wirel"], "only the last word is a beginning");
}

async fn exact_comes_above_beginnings_above_typos(index: &Index<'_>) {
    let weak = |id: &str, word: &str| {
        let description = format!("a long text in which {word} stands once among many others");
        product(id, serde_json::json!({ "name": "thing", "description": description }))
    };
    let rare = [named("typo", "lanp"), named("two-typos", "xanp table")];
    index.add([weak("exact", "lamp"), named("beginning", "lampshade"), named("one", "lampe")]).await;
    index.add(rare).await;
    assert_eq!(index.words("lamp").await, ["exact", "beginning", "one", "typo"]);
    assert_eq!(index.words("lampe").await, ["one", "exact"], "a typo comes behind the word itself");
    index.add([weak("both", "desk lamp"), named("half", "desk lampx desk lamp5 lampp")]).await;
    let answer = index.answer(&SearchRequest { match_mode: MatchMode::All, ..asking("lamp desk") }).await;
    assert_eq!(ids(&answer), ["both", "half"]);
    assert!(answer.hits[0].score > answer.hits[1].score);
}

async fn an_empty_query_finds_everything(index: &Index<'_>) {
    assert!(index.words("").await.is_empty());
    index.add([named("b", "lamp"), named("a", "table")]).await;
    for words in ["", "   ", "!? -"] {
        let answer = index.answer(&asking(words)).await;
        assert_eq!(ids(&answer), ["a", "b"], "{words}");
        assert!(answer.hits.iter().all(|hit| hit.score == 0.0 && hit.highlights.is_empty()), "{words}");
    }
}

async fn scripts_without_spaces_are_found(index: &Index<'_>) {
    index
        .add([
            named("a", "日本語の辞書"),
            named("b", "ノートパソコン"),
            named("c", "빨간색 의자"),
            named("d", "本棚"),
        ])
        .await;
    for (words, found) in [
        ("日本語", vec!["a"]),
        ("辞書", vec!["a"]),
        ("書", vec!["a"]),
        ("パソコン", vec!["b"]),
        ("ﾉｰﾄ", vec!["b"]),
        ("의자", vec!["c"]),
        ("語本", vec![]),
    ] {
        assert_eq!(index.words(words).await, found, "{words}");
    }
    let mut both = index.words("本").await;
    both.sort();
    assert_eq!(both, ["a", "d"]);
}

async fn case_accents_and_hyphens_do_not_matter(index: &Index<'_>) {
    let headphones = serde_json::json!({ "name": "Casque WH-1000XM4", "sku": "SO/77.B" });
    index.add([named("a", "Crème Brûlée"), product("b", headphones)]).await;
    for (words, found) in [
        ("CREME", "a"),
        ("crème brulee", "a"),
        ("wh1000xm4", "b"),
        ("WH-1000XM4", "b"),
        ("so77b", "b"),
        ("SO/77.B", "b"),
        ("ｗｈ１０００ｘｍ４", "b"),
    ] {
        assert_eq!(index.words(words).await, [found], "{words}");
    }
    let long = "x".repeat(200);
    index.add([named("long", &long)]).await;
    assert_eq!(index.words(&long).await, ["long"]);
}

async fn hostile_words_are_harmless(index: &Index<'_>) {
    index.add([named("a", "lamp AND table"), named("b", "lamp")]).await;
    for words in [
        "\"AND ( * \0 ~",
        "name:lamp",
        "*",
        "lamp~2 OR (",
        "a.*|b[^",
        "\u{202e}\u{0}\u{7f}",
        "'; DROP TABLE products; --",
        &"z".repeat(256),
        &"a ".repeat(128),
        &"日".repeat(256),
        &["wort"; 32].join(" "),
        &"\u{301}".repeat(256),
    ] {
        let answer = index.answer(&asking(words)).await;
        assert!(answer.total <= 2, "{words}");
    }
    assert_eq!(index.words("\"lamp\" AND -table").await, ["a"]);
    assert_eq!(index.words("lamp*").await.len(), 2);
}

// ------------------------------------------------------------------------------------------------ filters

async fn shelf(index: &Index<'_>) {
    let products = [
        (
            "a",
            r#"{"name":"Beta","brand":"Acme","category":"Home > Lamps > Desk","tags":["red","new"],"price":10,"stock":3,"attributes":{"watt":5,"colour":"red","dim":true}}"#,
        ),
        (
            "b",
            r#"{"name":"alpha","brand":"acme","category":"Home > Lamps","tags":["red"],"price":20.50,"stock":0,"attributes":{"watt":5.5,"colour":["red","blue"]}}"#,
        ),
        (
            "c",
            r#"{"name":"Gamma","brand":"Bolt","category":"Home","tags":["blue"],"price":30,"attributes":{"watt":"5","colour":"Red"}}"#,
        ),
        ("d", r#"{"name":"delta","category":"Lamps","price":10,"currency":"EUR","stock":1}"#),
        ("e", r#"{"name":"beta","stock":9,"attributes":{"watt":-1}}"#),
    ];
    index.add(products.map(|(id, json)| product(id, serde_json::from_str(json).unwrap()))).await;
}

fn category(path: &str) -> domain::CategoryPath {
    domain::CategoryPath::parse(path).unwrap()
}

fn attribute(key: &str, filters: &[AttributeFilter]) -> BTreeMap<String, Vec<AttributeFilter>> {
    BTreeMap::from([(key.to_owned(), filters.to_vec())])
}

async fn filters_of_every_field(index: &Index<'_>) {
    shelf(index).await;
    let range = |min, max| AttributeFilter::Range { min, max };
    let equals = |value: &str| AttributeFilter::Equals(value.to_owned());
    assert_eq!(index.filtered(|r| r.filters.category = vec![category("Home > Lamps")]).await, ["a", "b"]);
    assert_eq!(index.filtered(|r| r.filters.category = vec![category("Lamps")]).await, ["d"]);
    assert_eq!(index.filtered(|r| r.filters.brand = vec!["Acme".into()]).await, ["a"]);
    assert_eq!(index.filtered(|r| r.filters.tags = vec!["red".into()]).await, ["a", "b"]);
    assert_eq!(index.filtered(|r| r.filters.in_stock = Some(true)).await, ["a", "d", "e"]);
    assert_eq!(index.filtered(|r| r.filters.in_stock = Some(false)).await, ["b", "c"]);
    let price = |min, max| vec![PriceRange { min, max }];
    assert_eq!(index.filtered(|r| r.filters.price = price(Some(1000), Some(2050))).await, ["a", "b"]);
    assert_eq!(index.filtered(|r| r.filters.price = price(Some(1001), None)).await, ["b", "c"]);
    assert_eq!(index.filtered(|r| r.filters.price = price(None, Some(2049))).await, ["a"]);
    for (key, filter, found) in [
        ("watt", range(Some(5.0), Some(5.5)), vec!["a", "b"]),
        ("watt", range(None, Some(5.0)), vec!["a", "e"]),
        ("watt", range(Some(5.1), None), vec!["b"]),
        ("watt", range(Some(7.0), Some(6.0)), vec![]),
        ("watt", equals("5"), vec!["a", "c"]),
        ("watt", equals("5.5"), vec!["b"]),
        ("colour", equals("red"), vec!["a", "b"]),
        ("colour", equals("Red"), vec!["c"]),
        ("dim", equals("true"), vec!["a"]),
        ("unknown", equals("x"), vec![]),
    ] {
        let filtered =
            index.filtered(|r| r.filters.attributes = attribute(key, std::slice::from_ref(&filter))).await;
        assert_eq!(filtered, found, "{key} {filter:?}");
    }
}

async fn one_field_is_or_and_several_are_and(index: &Index<'_>) {
    shelf(index).await;
    let brands = ["Acme".to_owned(), "Bolt".to_owned(), "nobody".to_owned()];
    assert_eq!(index.filtered(|r| r.filters.brand = brands.to_vec()).await, ["a", "c"]);
    let both = |r: &mut SearchRequest| {
        r.filters.brand = brands.to_vec();
        r.filters.in_stock = Some(true);
    };
    assert_eq!(index.filtered(both).await, ["a"]);
    let watts = [AttributeFilter::Equals("5".into()), AttributeFilter::Range { min: None, max: Some(0.0) }];
    assert_eq!(index.filtered(|r| r.filters.attributes = attribute("watt", &watts)).await, ["a", "c", "e"]);
    let colours = |r: &mut SearchRequest| {
        r.filters.attributes = attribute("watt", &watts);
        r.filters.attributes.extend(attribute("colour", &[AttributeFilter::Equals("red".into())]));
    };
    assert_eq!(index.filtered(colours).await, ["a"]);
    let words = |r: &mut SearchRequest| {
        r.words = "lamps".to_owned();
        r.filters.tags = vec!["red".into()];
    };
    assert_eq!(index.filtered(words).await.len(), 2);
}

async fn prices_count_in_one_currency_only(index: &Index<'_>) {
    shelf(index).await;
    let in_euro = |r: &mut SearchRequest| r.currency = Currency::parse("EUR").unwrap();
    let mut request = asking("");
    in_euro(&mut request);
    request.filters.price = vec![PriceRange { min: Some(0), max: None }];
    request.facets = vec![Field::Price];
    let answer = index.answer(&request).await;
    assert_eq!(ids(&answer), ["d"]);
    let Facet::Price(Some(facet)) = &answer.facets[0].1 else { panic!("{answer:?}") };
    assert_eq!((facet.min, facet.max, facet.count), (1000, 1000, 1));
    request.filters.price.clear();
    request.sort = Sort::PriceAsc;
    assert_eq!(index.found(&request).await, ["d", "a", "b", "c", "e"]);
    request.words = "gamma".to_owned();
    let answer = index.answer(&request).await;
    assert_eq!(ids(&answer), ["c"], "other currencies are found by their words");
    assert_eq!(answer.facets[0].1, Facet::Price(None));
}

// ------------------------------------------------------------------------------------------ order, pages

async fn every_order_with_ids_for_ties(index: &Index<'_>) {
    shelf(index).await;
    let mut late = named("late", "Zeta");
    late.created_at = jiff::Timestamp::from_millisecond(1_800_000_000_000).unwrap();
    let mut early = product("early", serde_json::json!({ "name": "ÉTA", "price": 30 }));
    early.created_at = jiff::Timestamp::from_millisecond(-5).unwrap();
    index.add([late, early]).await;
    for (sort, order) in [
        (Sort::Relevance, ["a", "b", "c", "d", "e", "early", "late"]),
        (Sort::PriceAsc, ["a", "b", "c", "early", "d", "e", "late"]),
        (Sort::PriceDesc, ["c", "early", "b", "a", "d", "e", "late"]),
        (Sort::Newest, ["late", "a", "b", "c", "d", "e", "early"]),
        (Sort::Name, ["b", "a", "e", "d", "c", "late", "early"]),
    ] {
        assert_eq!(index.filtered(|r| r.sort = sort).await, order, "{sort:?}");
    }
}

async fn pages_and_cursors_divide_the_list(index: &Index<'_>) {
    // In two commits, so that pages reach over parts of the index.
    for part in 0..2 {
        index
            .add((0..6).map(|n| {
                product(&format!("p{n}{part}"), serde_json::json!({ "name": "lamp", "price": n % 3 }))
            }))
            .await;
    }
    for sort in Sort::ALL.map(|(_, sort)| sort) {
        let mut request = SearchRequest { sort, ..asking("lamp") };
        request.page.size = 100;
        let all = index.found(&request).await;
        assert_eq!(all.len(), 12);
        for size in [1, 5, 6, 12] {
            let (mut by_number, mut by_cursor) = (Vec::new(), Vec::new());
            let mut start = PageStart::Number(1);
            for number in 1..=12_usize.div_ceil(size) {
                let page = Page { start: PageStart::Number(number), size };
                let answer = index.answer(&SearchRequest { page, ..request.clone() }).await;
                assert_eq!(answer.total, 12);
                by_number.extend(ids(&answer).into_iter().map(str::to_owned));
                let page = Page { start, size };
                let answer = index.answer(&SearchRequest { page, ..request.clone() }).await;
                assert_eq!(answer.total, 12);
                by_cursor.extend(ids(&answer).into_iter().map(str::to_owned));
                assert_eq!(answer.next.is_some(), number * size < 12, "{sort:?} {size} {number}");
                // A client hands back what it got.
                let cursor = answer.next.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
                start = cursor.map_or(PageStart::Number(1), PageStart::After);
            }
            assert_eq!(by_number, all, "{sort:?} {size}");
            assert_eq!(by_cursor, all, "{sort:?} {size}");
        }
        let beyond = Page { start: PageStart::Number(50), size: 10 };
        let answer = index.answer(&SearchRequest { page: beyond, ..request }).await;
        assert_eq!((answer.hits.len(), answer.total, answer.next), (0, 12, None));
    }
}

async fn a_cursor_keeps_its_place_while_the_catalogue_changes(index: &Index<'_>) {
    let priced = |id: &str, price: u32| product(id, serde_json::json!({ "name": id, "price": price }));
    for (round, sort) in [Sort::PriceAsc, Sort::Name, Sort::Relevance].into_iter().enumerate() {
        let version = |n: usize| (round * 10 + n) as u64;
        let four = [("b", 2), ("d", 4), ("f", 6), ("h", 8)]
            .map(|(id, price)| at_version(version(1), priced(id, price)));
        assert_eq!(index.apply(&four).await, [const { Applied::Done }; 4]);
        let page = Page { start: PageStart::Number(1), size: 2 };
        let first = index.answer(&SearchRequest { sort, page, ..asking("") }).await;
        assert_eq!(ids(&first), ["b", "d"], "{sort:?}");
        // The product of the cursor goes; others come before and behind it.
        let changes = [
            deleted("d", version(2)),
            at_version(version(2), priced("c", 3)),
            at_version(version(2), priced("e", 5)),
        ];
        index.apply(&changes).await;
        let page = Page { start: PageStart::After(first.next.unwrap()), size: 2 };
        let second = index.answer(&SearchRequest { sort, page, ..asking("") }).await;
        assert_eq!(ids(&second), ["e", "f"], "{sort:?}");
        index.apply(&[deleted("c", version(3)), deleted("e", version(3))]).await;
    }
}

// ------------------------------------------------------------------------------------------------- facets

fn values(facet: &Facet) -> Vec<(&str, u64)> {
    match facet {
        Facet::Values { values, .. } => {
            values.iter().map(|value| (value.value.as_str(), value.count)).collect()
        }
        Facet::Price(_) => panic!("{facet:?}"),
    }
}

async fn facets_ignore_their_own_filters(index: &Index<'_>) {
    shelf(index).await;
    let mut request = asking("");
    let colour = Field::Attribute("colour".into());
    request.facets = vec![Field::Brand, Field::Category, Field::Tags, Field::Price, colour];
    request.filters.brand = vec!["Acme".into()];
    request.filters.price = vec![PriceRange { min: None, max: Some(2500) }];
    let answer = index.answer(&request).await;
    assert_eq!(answer.total, 1);
    let order: Vec<_> = answer.facets.iter().map(|(field, _)| field.clone()).collect();
    assert_eq!(order, request.facets);
    let facet = |at: usize| &answer.facets[at].1;
    assert_eq!(values(facet(0)), [("Acme", 1), ("acme", 1)], "by the price alone");
    assert_eq!(values(facet(1)), [("Home", 1), ("Home > Lamps", 1), ("Home > Lamps > Desk", 1)]);
    assert_eq!(values(facet(2)), [("new", 1), ("red", 1)]);
    assert_eq!(values(facet(4)), [("red", 1)]);
    let Facet::Price(Some(price)) = facet(3) else { panic!("{answer:?}") };
    assert_eq!((price.min, price.max, price.count), (1000, 1000, 1), "by the brand alone");
    request.filters.brand.clear();
    let answer = index.answer(&request).await;
    let expected = domain::search::price_facet(&[(1000, 1), (2050, 1), (3000, 1)]);
    assert_eq!(answer.facets[3].1, Facet::Price(expected), "its own filter does not count");
}

async fn facet_values_fit_a_prefix(index: &Index<'_>) {
    shelf(index).await;
    let mut request =
        FacetRequest { search: asking(""), field: Field::Brand, prefix: "AC".into(), limit: 10 };
    let values = async |request: &FacetRequest| -> Vec<(String, u64)> {
        let values = index.searcher.facet_values(request).await.unwrap();
        values.into_iter().map(|value| (value.value, value.count)).collect()
    };
    assert_eq!(values(&request).await, [("Acme".into(), 1), ("acme".into(), 1)]);
    request.limit = 1;
    assert_eq!(values(&request).await, [("Acme".into(), 1)]);
    request = FacetRequest { field: Field::Category, prefix: "lam".into(), limit: 9, ..request };
    let expected = [("Lamps", 1), ("Home > Lamps", 2), ("Home > Lamps > Desk", 1)];
    assert_eq!(
        values(&request).await,
        expected.map(|(value, count)| (value.to_owned(), count)),
        "words inside"
    );
    request.prefix = "hmoe > lam".into();
    let expected = [("Home > Lamps", 2), ("Home > Lamps > Desk", 1)];
    assert_eq!(
        values(&request).await,
        expected.map(|(value, count)| (value.to_owned(), count)),
        "with a typo"
    );
    request.prefix = "lapm".into();
    request.limit = 1;
    assert_eq!(values(&request).await, [("Home > Lamps".into(), 2)]);
    request = FacetRequest { field: Field::Category, prefix: String::new(), limit: 2, ..request };
    assert_eq!(values(&request).await, [("Home".into(), 3), ("Home > Lamps".into(), 2)]);
    request.search.words = "delta".into();
    assert_eq!(values(&request).await, [("Lamps".into(), 1)]);
    request.search.words.clear();
    request.search.filters.in_stock = Some(false);
    assert_eq!(values(&request).await, [("Home".into(), 2), ("Home > Lamps".into(), 1)]);
}

async fn a_facet_says_how_many_values_there_are(index: &Index<'_>) {
    let long = "long ".repeat(500);
    index
        .add((0..30).map(|n| {
            let attributes =
                serde_json::json!({ "n": n, "s": [format!("s{}", n % 3), "all", "all"], "long": long });
            product(&format!("p{n}"), serde_json::json!({ "name": "x", "attributes": attributes }))
        }))
        .await;
    let mut request = asking("");
    request.facet_values = 2;
    request.facets = ["n", "s", "long", "none"].map(|key| Field::Attribute(key.to_owned())).to_vec();
    let answer = index.answer(&request).await;
    let distinct: Vec<usize> = answer
        .facets
        .iter()
        .map(|(_, facet)| match facet {
            Facet::Values { distinct, .. } => *distinct,
            Facet::Price(_) => panic!("{facet:?}"),
        })
        .collect();
    assert_eq!(distinct, [30, 4, 1, 0]);
    assert_eq!(values(&answer.facets[0].1), [("0", 1), ("1", 1)]);
    assert_eq!(values(&answer.facets[1].1), [("all", 30), ("s0", 10)], "a value counts once for a product");
    assert_eq!(values(&answer.facets[2].1), [(long.as_str(), 30)], "also when it is long");
    request.filters.attributes = attribute("long", &[AttributeFilter::Equals(long.clone())]);
    assert_eq!(index.answer(&request).await.total, 30);
    request.filters.attributes = attribute("long", &[AttributeFilter::Equals(format!("{long}."))]);
    assert_eq!(index.answer(&request).await.total, 0);
}

// ---------------------------------------------------------------------------------------------- the rest

async fn highlights_are_escaped(index: &Index<'_>) {
    let lamp = serde_json::json!({
        "name": "<b>Desk</b> lamp & \"lampshade\"", "brand": "Lampé", "sku": "L-1",
        "category": "Home > Lamps", "tags": ["a<b", "lamp"], "description": format!("{} the lamp's {}", "word ".repeat(99), "end ".repeat(99)),
    });
    index.add([product("a", lamp)]).await;
    let highlights = index.answer(&asking("lamp")).await.hits.remove(0).highlights;
    assert_eq!(
        highlights["name"],
        "&lt;b&gt;Desk&lt;/b&gt; <em>lamp</em> &amp; &quot;<em>lampshade</em>&quot;"
    );
    assert_eq!(highlights["brand"], "<em>Lampé</em>");
    assert_eq!(highlights["category"], "Home &gt; <em>Lamps</em>");
    assert_eq!(highlights["tags"], "a&lt;b, <em>lamp</em>");
    assert!(!highlights.contains_key("sku"));
    let description = &highlights["description"];
    assert!(
        description.contains("the <em>lamp&#39;s</em>") && description.chars().count() <= 230,
        "{description}"
    );
    let highlights = index.answer(&asking("laamp")).await.hits.remove(0).highlights;
    assert!(highlights["name"].contains("<em>lamp</em>"), "a typo is marked where it was found");
    index.add([named("ja", "日本語の本")]).await;
    let highlights = index.answer(&asking("日本語")).await.hits.remove(0).highlights;
    assert_eq!(highlights["name"], "<em>日本語</em>の本");
}

async fn a_misspelt_query_is_corrected(index: &Index<'_>) {
    index.add([named("a", "Intel processor"), named("b", "intel processor"), named("c", "professor")]).await;
    let corrected = async |words: &str| index.answer(&asking(words)).await.corrected_query;
    assert_eq!(corrected("procesor intle").await.as_deref(), Some("processor intel"));
    assert_eq!(corrected("Qqqqqqqq").await, None, "nothing was found");
    assert_eq!(corrected("«Procesor», please").await.as_deref(), Some("«processor», please"));
    assert_eq!(corrected("«Procesor»: intel").await.as_deref(), Some("«processor»: intel"));
    assert_eq!(corrected("processor intel").await, None);
    assert_eq!(corrected("intel proc").await, None, "a beginning is no mistake");
    assert_eq!(corrected("").await, None);
}

// ----------------------------------------------------------------------------------------- the shop's rules

/// All words, so that nothing is found by a part of them.
fn tuned(words: &str, tuning: Tuning) -> SearchRequest {
    SearchRequest { match_mode: MatchMode::All, tuning, ..asking(words) }
}

fn synonym(from: &str, to: &[&str]) -> Synonym {
    Synonym { from: from.to_owned(), to: to.iter().map(|to| (*to).to_owned()).collect() }
}

fn pinning(products: &[&str]) -> Tuning {
    Tuning { pinned: products.iter().map(|product| id(product)).collect(), ..Tuning::default() }
}

fn hiding(products: &[&str]) -> Tuning {
    Tuning { hidden: products.iter().map(|product| id(product)).collect(), ..Tuning::default() }
}

async fn synonyms_are_found_behind_what_was_typed(index: &Index<'_>) {
    index.add([named("a", "black notebook"), named("b", "black laptop"), named("c", "black table")]).await;
    let tuning = Tuning { synonyms: vec![synonym("laptop", &["notebook"])], ..Tuning::default() };
    for words in ["laptop", "Laptops", "black laptop"] {
        let answer = index.answer(&tuned(words, tuning.clone())).await;
        assert_eq!(ids(&answer), ["b", "a"], "{words}");
        assert_eq!((answer.corrected_query, answer.relaxed.len()), (None, 0), "{words}");
        assert!(answer.hits[1].highlights["name"].contains("<em>notebook</em>"), "{words}");
    }
    assert_eq!(index.found(&tuned("notebook", tuning)).await, ["a"], "in one direction");
    assert_eq!(index.words("laptop").await, ["b"], "only where it was asked for");
}

async fn synonyms_may_have_several_words_and_any_script(index: &Index<'_>) {
    index
        .add([
            named("a", "mobile for seniors"),
            named("b", "a smart and small handset"),
            named("c", "smart glasses"),
            named("d", "スマートフォン用"),
            named("e", "phone"),
        ])
        .await;
    let synonyms = vec![
        synonym("cell phone", &["mobile", "smart handset", "スマートフォン"]),
        synonym("スマホ", &["mobile"]),
    ];
    let found = async |words: &str| {
        let tuning = Tuning { synonyms: synonyms.clone(), ..Tuning::default() };
        let mut found = index.found(&tuned(words, tuning)).await;
        found.sort();
        found
    };
    assert_eq!(found("cell phones").await, ["a", "b", "d"]);
    assert_eq!(found("cell phone seniors").await, ["a"]);
    assert_eq!(found("スマホ").await, ["a"]);
    assert_eq!(found("phone").await, ["e"]);
}

async fn stop_words_need_not_be_found(index: &Index<'_>) {
    index.add([named("a", "laptop bag"), named("b", "bag for a laptop"), named("c", "the book")]).await;
    let tuning = Tuning { stop_words: vec!["for".to_owned(), "the".to_owned()], ..Tuning::default() };
    let answer = index.answer(&tuned("Bag for the laptop", tuning.clone())).await;
    assert_eq!((answer.total, answer.relaxed.len()), (2, 0));
    assert_eq!(index.found(&tuned("the", tuning)).await, ["c"], "where nothing else is left");
}

/// Four products: three lamps, and one that is none.
async fn lamps(index: &Index<'_>) {
    let lamp = |id, name, brand, tags: &[&str]| {
        product(id, serde_json::json!({ "name": name, "brand": brand, "tags": tags }))
    };
    index
        .add([
            lamp("a", "lamp", "Akari", &["red"]),
            lamp("b", "lamp", "Bolt", &["red", "blue"]),
            lamp("c", "lamp", "Cobalt", &["blue"]),
            lamp("d", "table", "Akari", &["red"]),
        ])
        .await;
}

async fn pinned_products_come_first_in_their_order(index: &Index<'_>) {
    lamps(index).await;
    let mut request = tuned("lamp", pinning(&["d", "c", "nobody", "d"]));
    request.facets = vec![Field::Brand];
    let answer = index.answer(&request).await;
    assert_eq!((ids(&answer), answer.total), (vec!["d", "c", "a", "b"], 4));
    assert_eq!(values(&answer.facets[0].1), [("Akari", 2), ("Bolt", 1), ("Cobalt", 1)], "they are found");
    let values = FacetRequest { search: request.clone(), field: Field::Brand, prefix: "a".into(), limit: 9 };
    assert_eq!(index.searcher.facet_values(&values).await.unwrap()[0].count, 2);
    assert_eq!(index.found(&tuned("", pinning(&["c"]))).await, ["c", "a", "b", "d"]);
    assert_eq!(index.found(&tuned("zzzzzz", pinning(&["d"]))).await, ["d"]);
    for sort in [Sort::Name, Sort::PriceAsc, Sort::PriceDesc, Sort::Newest] {
        request.sort = sort;
        assert_eq!(index.found(&request).await, ["a", "b", "c"], "{sort:?} has an order of its own");
    }
}

async fn pinned_products_must_be_active_and_pass_the_filters(index: &Index<'_>) {
    lamps(index).await;
    let mut draft = named("draft", "lamp");
    draft.content.status = Status::Draft;
    index.add([draft]).await;
    index.apply(&[deleted("c", 2)]).await;
    let mut request = tuned("lamp", pinning(&["draft", "c", "b", "d"]));
    assert_eq!(index.found(&request).await, ["b", "d", "a"]);
    request.filters.brand = vec!["Akari".to_owned()];
    assert_eq!(index.found(&request).await, ["d", "a"]);
}

async fn pages_and_cursors_go_through_pinned_products(index: &Index<'_>) {
    lamps(index).await;
    let request = tuned("lamp", pinning(&["d", "c"]));
    let (mut by_number, mut by_cursor, mut start) = (Vec::new(), Vec::new(), PageStart::Number(1));
    for number in 1..=4 {
        let page = Page { start: PageStart::Number(number), size: 1 };
        by_number
            .extend(ids(&index.answer(&SearchRequest { page, ..request.clone() }).await).concat().chars());
        let answer = index.answer(&SearchRequest { page: Page { start, size: 1 }, ..request.clone() }).await;
        by_cursor.extend(ids(&answer).concat().chars());
        assert_eq!((answer.total, answer.next.is_some()), (4, number < 4));
        let cursor = answer.next.map(|cursor| Cursor::decode(&cursor.encode()).unwrap());
        start = cursor.map_or(PageStart::Number(1), PageStart::After);
    }
    assert_eq!((by_number, by_cursor), (vec!['d', 'c', 'a', 'b'], vec!['d', 'c', 'a', 'b']));
}

async fn hidden_products_are_neither_found_nor_counted(index: &Index<'_>) {
    lamps(index).await;
    let mut request = tuned("lamp", hiding(&["b", "nobody"]));
    request.facets = vec![Field::Brand];
    for (_, sort) in Sort::ALL {
        request.sort = sort;
        let answer = index.answer(&request).await;
        assert_eq!((ids(&answer), answer.total), (vec!["a", "c"], 2), "{sort:?}");
        assert_eq!(values(&answer.facets[0].1), [("Akari", 1), ("Cobalt", 1)], "{sort:?}");
    }
    let values = FacetRequest { search: request, field: Field::Brand, prefix: "b".into(), limit: 9 };
    assert_eq!(index.searcher.facet_values(&values).await.unwrap(), []);
    assert_eq!(index.found(&tuned("", hiding(&["a", "b", "c"]))).await, ["d"]);
    let both = Tuning { pinned: vec![id("a")], ..hiding(&["a"]) };
    assert_eq!(index.found(&tuned("lamp", both)).await, ["b", "c"], "also when they are pinned");
}

async fn boosts_move_products_among_equal_matches(index: &Index<'_>) {
    lamps(index).await;
    let of = |brand: &str, by| {
        let filters = Filters { brand: vec![brand.to_owned()], ..Filters::default() };
        Boost { filters, by }
    };
    let found = async |words: &str, boosts: &[Boost]| {
        index.found(&tuned(words, Tuning { boosts: boosts.to_vec(), ..Tuning::default() })).await
    };
    assert_eq!(found("lamp", &[of("Cobalt", 0.1)]).await, ["c", "a", "b"]);
    assert_eq!(found("lamp", &[of("Akari", -0.1)]).await, ["b", "c", "a"]);
    assert_eq!(found("lamp", &[of("Bolt", 0.2), of("Cobalt", 0.3), of("Akari", 1.0)]).await, ["a", "c", "b"]);
    index.add([product("e", serde_json::json!({ "name": "lamb", "brand": "Cobalt" }))]).await;
    let boosts = [of("Cobalt", 1.0), of("Akari", -1.0), of("Bolt", -1.0)];
    assert_eq!(found("lamp", &boosts).await, ["c", "a", "b", "e"], "a typo stays behind the word itself");
    let weak = serde_json::json!({ "name": "thing", "brand": "Far", "description": "seldom is a lamp so far behind" });
    index.add([product("f", weak)]).await;
    assert_eq!(found("lamp", &[]).await, ["a", "b", "c", "f", "e"]);
    assert_eq!(
        found("lamp", &[of("Far", 1.0)]).await,
        ["f", "a", "b", "c", "e"],
        "by all that a place is worth"
    );
    let mut request = tuned("lamp", Tuning { boosts: vec![of("Cobalt", 1.0)], ..Tuning::default() });
    request.sort = Sort::Name;
    assert_eq!(index.found(&request).await, ["e", "a", "b", "c", "f"], "other orders are as they were");
}

async fn boosts_of_one_product_add_up_within_their_bounds(index: &Index<'_>) {
    lamps(index).await;
    let of =
        |tag: &str, by| Boost { filters: Filters { tags: vec![tag.to_owned()], ..Filters::default() }, by };
    let found =
        async |boosts: Vec<Boost>| index.found(&tuned("lamp", Tuning { boosts, ..Tuning::default() })).await;
    assert_eq!(found(vec![of("red", 0.2), of("blue", 0.3)]).await, ["b", "c", "a"]);
    assert_eq!(found(vec![of("red", 0.2), of("blue", -0.2)]).await, ["a", "b", "c"]);
    assert_eq!(found(vec![of("red", 1.0), of("blue", 1.0)]).await, ["a", "b", "c"], "twice is not more");
    assert_eq!(found(vec![of("red", -1.0), of("blue", -1.0)]).await, ["a", "b", "c"], "nor less");
}

async fn several_searches_are_answered_on_one_state(index: &Index<'_>) {
    shelf(index).await;
    let faceted = SearchRequest { facets: vec![Field::Brand], ..asking("") };
    let requests = [asking("beta"), faceted, asking("lmps"), asking("nothing")];
    let together = index.searcher.search_all(&requests).await.unwrap();
    let mut alone = Vec::new();
    for request in &requests {
        alone.push(index.answer(request).await);
    }
    assert_eq!(together, alone);
    assert!(index.searcher.search_all(&[]).await.unwrap().is_empty());
    let write = async {
        for number in 0..20 {
            index.add([named(&format!("p{number}"), "chair")]).await;
        }
    };
    let search = async {
        for _ in 0..10 {
            let answers =
                index.searcher.search_all(&[asking("chair"), asking("chiar"), asking("")]).await.unwrap();
            assert!(answers.iter().all(|answer| answer.snapshot == answers[0].snapshot));
            assert_eq!(answers[0].total + 5, answers[2].total);
        }
    };
    tokio::join!(write, search);
}

async fn the_snapshot_changes_with_each_commit(index: &Index<'_>) {
    let snapshot = async || index.answer(&asking("")).await.snapshot;
    let empty = snapshot().await;
    index.add([named("a", "one")]).await;
    let one = snapshot().await;
    assert_ne!(empty, one);
    assert_eq!(one, snapshot().await);
    index.apply(&[at_version(1, named("a", "stale"))]).await;
    assert_eq!(one, snapshot().await, "nothing was changed");
    index.apply(&[deleted("a", 2)]).await;
    assert_ne!(one, snapshot().await);
}

async fn the_newest_state_is_told_and_never_an_older_one(index: &Index<'_>) {
    let newest = async || index.searcher.snapshot().await.unwrap();
    let mut before = None;
    for number in 0..5 {
        index.add([product(&format!("p{number}"), serde_json::json!({ "name": "lamp" }))]).await;
        let told = newest().await;
        assert!(told.is_none() || told != before, "a state of before the write: {told:?}");
        let searched = index.answer(&asking("")).await.snapshot;
        let told = newest().await;
        assert!(told.as_ref().is_none_or(|told| *told == searched), "{told:?}, searched on {searched}");
        before = Some(searched);
    }
}

async fn versions_are_those_that_searches_see(index: &Index<'_>) {
    let versions = async |ids: &[&str]| {
        let ids: Vec<ProductId> = ids.iter().map(|text| id(text)).collect();
        let versions = index.searcher.versions(&ids).await.unwrap();
        versions.into_iter().map(|version| version.map(|Version(version)| version)).collect::<Vec<_>>()
    };
    assert_eq!(versions(&[]).await, []);
    assert_eq!(versions(&["a"]).await, [None]);
    let draft = product("draft", serde_json::json!({ "name": "lamp", "status": "draft" }));
    index.apply(&[at_version(3, named("a", "lamp")), at_version(4, draft), deleted("gone", 5)]).await;
    assert_eq!(
        versions(&["gone", "nobody", "a", "draft", "a"]).await,
        [Some(5), None, Some(3), Some(4), Some(3)]
    );
    for version in 4..10 {
        index.apply(&[at_version(version, named("a", &format!("v{version}")))]).await;
        assert_eq!(versions(&["a"]).await, [Some(version)]);
        assert_eq!(index.words(&format!("v{version}")).await, ["a"]);
    }
    index.apply(&[at_version(2, named("a", "older"))]).await;
    assert_eq!(versions(&["a"]).await, [Some(9)]);
}
