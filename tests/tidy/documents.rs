//! The rules about Markdown documents, and about paths in every file.

use std::collections::BTreeSet;
use std::fs;

use super::{files, root};

#[test]
fn links_between_documents_lead_somewhere() {
    let mut links = 0;
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        let text = fs::read_to_string(&path).expect("a document is text");
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            links += 1;
            let found = path.parent().is_some_and(|folder| folder.join(file).exists());
            assert!(found, "{}: {target} does not exist", path.display());
        }
    }
    assert!(links > 0, "the README links to other documents");
}

#[test]
fn no_file_names_a_path_of_a_developers_machine() {
    // Assembled here, so that this file does not break its own rule.
    let places = ["home", "root", "tmp", "work", "Users"].map(|folder| format!("/{folder}/"));
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            let place = places.iter().find(|place| {
                line.match_indices(place.as_str()).any(|(at, _)| {
                    // A longer path or address may contain such a folder.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '}' | '-' | '_'))
                })
            });
            assert_eq!(place, None, "{}:{}", path.display(), at + 1);
        }
    }
}

/// Returns the text if it is a name as tests have them: words in lower case, joined by underscores.
fn as_test_name(text: &str) -> Option<&str> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (is_name && text.matches('_').count() >= 2).then_some(text)
}

/// Returns the names of the functions of a source.
fn functions(source: &str) -> impl Iterator<Item = &str> {
    source.match_indices("fn ").map(|(at, _)| {
        let name = &source[at + 3..];
        name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
    })
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let document = fs::read_to_string(root().join("docs/SECURITY.md")).expect("there is a threat model");
    let named: BTreeSet<&str> = document.split('`').skip(1).step_by(2).filter_map(as_test_name).collect();
    assert!(named.len() > 40, "the names were read: {named:?}");
    let sources = files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let sources: Vec<String> = sources.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let known: BTreeSet<&str> = sources.iter().flat_map(|source| functions(source)).collect();
    let missing: Vec<&&str> = named.difference(&known).collect();
    assert!(missing.is_empty(), "docs/SECURITY.md names tests that do not exist: {missing:?}");
}

#[test]
fn the_threat_model_has_a_test_for_each_risk() {
    let document = fs::read_to_string(root().join("docs/SECURITY.md")).expect("there is a threat model");
    for risk in 1..=10 {
        let start = document.find(&format!("\n### API{risk} "));
        let section = &document[start.unwrap_or_else(|| panic!("API{risk} is missing")) + 1..];
        let section = section.split("\n### ").next().unwrap_or_default();
        let tests = section.split('`').skip(1).step_by(2).filter_map(as_test_name).count();
        assert!(tests > 0, "API{risk} names no test");
    }
}
