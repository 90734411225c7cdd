//! The rules about documents: README.md and docs.

use std::collections::BTreeSet;
use std::fs;

use super::{files, root, sources};

#[test]
fn readme_lists_every_variable() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let rows: String = readme.lines().filter(|line| line.starts_with('|')).collect();
    let documented = variables(&rows);
    let used: BTreeSet<String> = sources()
        .iter()
        .filter(|source| !source.path.starts_with("tests/"))
        .flat_map(|source| variables(&source.text_outside_tests()))
        .collect();
    assert!(used.contains("NOREN_LISTEN"), "the sources were read");
    assert_eq!(documented, used, "left: the table of the README; right: the code");
}

fn variables(text: &str) -> BTreeSet<String> {
    text.match_indices("NOREN_")
        .map(|(at, _)| {
            let end = text[at..].find(|c: char| !c.is_ascii_uppercase() && c != '_');
            text[at..end.map_or(text.len(), |end| at + end)].to_owned()
        })
        .filter(|name| name != "NOREN_")
        .collect()
}

#[test]
fn links_between_papers_lead_somewhere() {
    let mut links = 0;
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        let text = fs::read_to_string(&path).expect("a paper is text");
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
    assert!(links > 0, "the README links to other papers");
}

#[test]
fn nothing_names_a_place_on_somebodys_machine() {
    // Put together here, so that this file does not break its own rule.
    let places = ["home", "root", "tmp", "work", "Users"].map(|folder| format!("/{folder}/"));
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            let place = places.iter().find(|place| {
                line.match_indices(place.as_str()).any(|(at, _)| {
                    // A longer path or address that has such a folder inside is none of them.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '}' | '-' | '_'))
                })
            });
            assert_eq!(place, None, "{}:{}", path.display(), at + 1);
        }
    }
}
