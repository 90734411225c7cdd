//! The indexes compared with a brute-force search, on random catalogues and requests, and with each other, down to the
//! scores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alike;
mod catalogue;
mod reference;
mod routes;

use std::collections::BTreeSet;

use domain::Language;
use domain::ports::{IndexWriter, SearchIndex};
use domain::search::{FacetRequest, Field, MatchMode, Page, PageStart, SearchAnswer, SearchRequest, Sort};

use crate::support::{indexes, scaled};

use catalogue::{Catalogue, IDS, random_request, random_restriction, random_tuning};
use reference::{Class, Found};

const CATALOGUES: u64 = 10;
const REQUESTS: usize = 50;
/// The number of searches in one call, after each ran alone.
const SEARCHES_AT_ONCE: usize = 7;

#[tokio::test]
async fn tantivy_answers_as_the_brute_force_search_does() {
    for seed in 0..scaled(CATALOGUES, 3) {
        let (_folder, writer, searcher) = indexes::tantivy(Language::English);
        compare(&writer, &searcher, seed).await;
    }
}

#[tokio::test]
async fn opensearch_answers_as_the_brute_force_search_does() {
    for seed in 0..scaled(CATALOGUES, 3) {
        let Some((writer, searcher)) = indexes::opensearch("oracle", Language::English).await else { return };
        compare(&writer, &searcher, seed).await;
    }
}

#[tokio::test]
async fn facets_of_real_products_in_tantivy_equal_a_count_over_the_file() {
    let (_folder, writer, searcher) = indexes::tantivy(Language::English);
    compare_facets_of_real_products(&writer, &searcher).await;
}

#[tokio::test]
async fn facets_of_real_products_in_opensearch_equal_a_count_over_the_file() {
    let Some((writer, searcher)) = indexes::opensearch("oracle", Language::English).await else { return };
    compare_facets_of_real_products(&writer, &searcher).await;
}

/// Fills an empty index with the catalogue of this seed and runs the requests of this seed.
async fn compare(writer: &dyn IndexWriter, index: &dyn SearchIndex, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut catalogue = Catalogue::default();
    for round in 0..random.usize(1..12) {
        let (changes, expected) = catalogue.random_changes(&mut random);
        let applied = writer.apply(&changes).await.unwrap();
        assert_eq!(applied, expected, "seed {seed}, round {round}: {changes:?}");
    }
    assert_eq!(index.stats().await.unwrap().products, catalogue.live().count() as u64, "seed {seed}");
    let (ids, expected): (Vec<_>, Vec<_>) = catalogue.indexed().into_iter().unzip();
    assert_eq!(index.get(&ids).await.unwrap(), expected, "seed {seed}");
    let mut requests = Vec::new();
    for number in 0..REQUESTS {
        let mut request = random_request(&mut random);
        request.match_mode =
            *random.choice(&[MatchMode::Most, MatchMode::Most, MatchMode::All, MatchMode::Any]).unwrap();
        if random.bool() {
            request.tuning = random_tuning(IDS, &mut random);
        }
        request.restriction = random_restriction(&mut random);
        let context = format!("seed {seed}, request {number}: {request:?}");
        let expected = reference::search(catalogue.live(), &request);
        compare_pages(index, &request, &expected, &context).await;
        compare_facet_values(index, &request, &catalogue, &mut random, &context).await;
        requests.push(request);
    }
    for several in requests.chunks(SEARCHES_AT_ONCE) {
        compare_with_each_alone(index, several).await;
    }
}

/// Checks that several searches in one call return what each returns alone, on one snapshot.
async fn compare_with_each_alone(index: &dyn SearchIndex, requests: &[SearchRequest]) {
    let answers = index.search_all(requests).await.unwrap();
    assert_eq!(answers.len(), requests.len());
    for (answer, request) in answers.iter().zip(requests) {
        assert_eq!(answer, &index.search(request).await.unwrap(), "{request:?}");
        assert_eq!(answer.snapshot, answers[0].snapshot, "{request:?}");
    }
}

/// Reads the whole result, by page numbers and by cursors.
async fn compare_pages(
    index: &dyn SearchIndex,
    request: &SearchRequest,
    expected: &Found<'_>,
    context: &str,
) {
    for by_cursor in [false, true] {
        let mut listed = Vec::new();
        let mut page = request.page.clone();
        for number in 1.. {
            let request = SearchRequest { page: page.clone(), ..request.clone() };
            let answer = index.search(&request).await.unwrap();
            assert_eq!(answer.total, expected.products.len() as u64, "total; {context}");
            assert_eq!(answer.facets, expected.facets, "facets; {context}");
            let relaxed: Vec<String> = answer.relaxed.iter().map(|word| reference::folded(word)).collect();
            assert_eq!(relaxed, expected.relaxed, "words left out; {context}");
            let remaining = expected.products.len() - listed.len();
            assert_eq!(answer.hits.len(), remaining.min(request.page.size), "page {number}; {context}");
            assert_eq!(
                answer.next.is_some(),
                remaining > request.page.size,
                "next of page {number}; {context}"
            );
            let next = answer.next.clone();
            listed.extend(answer.hits);
            match next {
                None => break,
                Some(cursor) if by_cursor => page.start = PageStart::After(cursor),
                Some(_) => page.start = PageStart::Number(number + 1),
            }
        }
        for hit in &listed {
            let known = expected.products.iter().find(|found| found.product.id == hit.product.id);
            assert_eq!(known.map(|known| known.product), Some(&hit.product), "{context}");
        }
        let ids: Vec<&str> = listed.iter().map(|hit| hit.product.id.as_str()).collect();
        let wanted: Vec<&str> = expected.products.iter().map(|found| found.product.id.as_str()).collect();
        if request.sort == Sort::Relevance && expected.has_words {
            // The reference knows only classes; within a class the index decides the order, by scores that never
            // increase.
            assert_eq!(ids.iter().collect::<BTreeSet<_>>(), wanted.iter().collect(), "{context}");
            assert_eq!(ids.len(), wanted.len(), "{context}");
            let class = |id: &str| -> (usize, Class) {
                let found = expected.products.iter().find(|found| found.product.id.as_str() == id).unwrap();
                // Pinned products have no class.
                (found.pinned, if found.pinned > 0 { Class::default() } else { found.class })
            };
            for pair in listed.windows(2) {
                let (first, second) = (&pair[0], &pair[1]);
                let (better, worse) = (class(first.product.id.as_str()), class(second.product.id.as_str()));
                assert!(better >= worse, "{better:?} before {worse:?}; {ids:?}; {context}");
                assert!(first.score >= second.score, "{context}");
                assert!(first.score > second.score || first.product.id < second.product.id, "{context}");
            }
        } else {
            assert_eq!(ids, wanted, "by cursor: {by_cursor}; {context}");
        }
    }
}

async fn compare_facet_values(
    index: &dyn SearchIndex,
    request: &SearchRequest,
    catalogue: &Catalogue,
    random: &mut fastrand::Rng,
    context: &str,
) {
    let field = catalogue::random_facet(random);
    if field == Field::Price {
        return;
    }
    let prefix = random
        .choice([
            "", "", "r", "R", "wo", "Home > L", "1", "zzz", "lam", "wodden", "hoem ta", "cafe", "co", "raed",
        ])
        .unwrap()
        .to_owned();
    let facet = FacetRequest { search: request.clone(), field, prefix, limit: random.usize(1..6) };
    let expected = reference::facet_values(catalogue.live(), &facet);
    let context = format!("{} {:?} {}; {context}", facet.field, facet.prefix, facet.limit);
    assert_eq!(index.facet_values(&facet).await.unwrap(), expected, "{context}");
}

/// Compares the facets of the Icecat catalogue if it is beside the checkout, otherwise of a generated one.
async fn compare_facets_of_real_products(writer: &dyn IndexWriter, index: &dyn SearchIndex) {
    let products = catalogue::real_products(3000).unwrap_or_else(|| {
        println!(
            "there is no ../shared/data/icecat.ndjson.gz beside the checkout: made products take its place"
        );
        let mut made = Catalogue::default();
        let mut random = fastrand::Rng::with_seed(99);
        (0..10).for_each(|_| drop(made.random_changes(&mut random)));
        made.live().cloned().collect()
    });
    for part in products.chunks(1000) {
        let changes: Vec<_> = part.iter().cloned().map(domain::Change::Create).collect();
        writer.apply(&changes).await.unwrap();
    }
    let mut keys: BTreeSet<&String> =
        products.iter().flat_map(|product| product.content.attributes.keys()).collect();
    let mut facets = vec![Field::Brand, Field::Category, Field::Tags, Field::Price];
    facets.extend(keys.iter().take(16).map(|key| Field::Attribute((*key).clone())));
    keys.clear();
    for words in ["", "hp", "procesor intle", "lamp"] {
        let mut request = SearchRequest::all(domain::Currency::USD);
        request.words = words.to_owned();
        request.facets.clone_from(&facets);
        request.page = Page { start: PageStart::Number(1), size: 100 };
        let expected = reference::search(products.iter(), &request);
        let SearchAnswer { total, facets: counted, .. } = index.search(&request).await.unwrap();
        assert_eq!(total, expected.products.len() as u64, "{words}");
        assert_eq!(counted, expected.facets, "{words}");
    }
}
