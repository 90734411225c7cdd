//! What a search is asked by: query strings, JSON bodies, cursors, sync tokens and the shop's rules.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use domain::search::{Cursor, MAX_QUERY_CHARS, SearchRequest};
use domain::{Currency, Language, SyncToken};
use rules::{Locale, Rules};
use search_parameters::RequiredVersions;
use search_parameters::{self as parameters, Endpoint, ParsedSearch, Searches};
use text::query::Query;

use super::fuzz;

const ENDPOINTS: [Endpoint; 5] =
    [Endpoint::Search, Endpoint::FacetValues, Endpoint::Suggest, Endpoint::Similar, Endpoint::Explain];
/// Each has its own word forms.
const LANGUAGES: [Language; 5] =
    [Language::English, Language::EnglishSnowball, Language::German, Language::Turkish, Language::Russian];
/// The most faults that a response or a log lists.
const MAX_FAULTS: usize = 50;

/// Checks that a search is equal to its canonical form, which names it in the cache. The writes that it waits for are not part of it.
fn check_canonical_form(endpoint: Endpoint, mut parsed: ParsedSearch) {
    let written = parameters::write(endpoint, &parsed);
    parsed.required = RequiredVersions::default();
    // The canonical form of a query that was cut is within the bounds; the key of the cache says apart that it was cut.
    parsed.is_truncated = false;
    let again = parameters::read(endpoint, &written, Currency::USD);
    assert_eq!(again.as_ref(), Ok(&parsed), "{endpoint:?}: {written}");
}

#[test]
fn a_query_string_is_equal_to_its_canonical_form_or_rejected() {
    fuzz("query_string", |input| {
        let text = String::from_utf8_lossy(input);
        for endpoint in ENDPOINTS {
            match parameters::read(endpoint, &text, Currency::USD) {
                Ok(parsed) => check_canonical_form(endpoint, parsed),
                Err(faults) => assert!(!faults.is_empty() && faults.listed().len() <= MAX_FAULTS),
            }
        }
        let _ = parameters::read_facet_field(&text);
    });
}

#[test]
fn a_search_body_is_equal_to_its_canonical_form_or_rejected() {
    fuzz("search_body", |input| match parameters::read_searches(input, Currency::USD) {
        Ok(Searches::One(parsed)) => check_canonical_form(Endpoint::Search, *parsed),
        Ok(Searches::Several(several)) => {
            assert!(several.len() <= parameters::MAX_SEARCHES);
            several.into_iter().for_each(|parsed| check_canonical_form(Endpoint::Search, parsed));
        }
        Err(_) => {}
    });
}

#[test]
fn words_of_a_query_become_terms() {
    fuzz("words", |input| {
        let words: String = String::from_utf8_lossy(input).chars().take(MAX_QUERY_CHARS).collect();
        for language in LANGUAGES {
            let query = Query::new(
                &SearchRequest { words: words.clone(), ..SearchRequest::all(Currency::USD) },
                language,
            );
            assert!(query.words.len() <= domain::search::MAX_QUERY_WORDS, "{language:?}");
        }
    });
}

#[test]
fn a_cursor_that_can_be_read_can_be_written_and_read_again() {
    fuzz("cursor", |json| {
        // A mutation of the base64 is seldom JSON any more, so that of the JSON is encoded, too.
        for text in [BASE64_URL_SAFE_NO_PAD.encode(json), String::from_utf8_lossy(json).into_owned()] {
            if let Some(cursor) = Cursor::decode(&text) {
                let _ = cursor.is_valid();
                assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor), "{text}");
            }
        }
    });
}

#[test]
fn a_sync_token_has_one_form() {
    fuzz("sync_token", |input| {
        let text = String::from_utf8_lossy(input);
        if let Ok(token) = text.parse::<SyncToken>() {
            assert_eq!(token.to_string(), text);
        }
    });
}

#[test]
fn a_rules_file_is_read_or_its_faults_are_listed() {
    fuzz("rules", |input| match Rules::parse(input, Locale::default()) {
        Ok(rules) => {
            let now = domain::now();
            for words in ["", "tea pot", "lamp", "東京"] {
                let _ = rules.tuning(words, Currency::USD, now);
            }
            let _ = rules.summary(now);
        }
        Err(faults) => assert!(!faults.to_string().is_empty()),
    });
}
