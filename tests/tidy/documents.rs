//! The rules about documents: README.md and docs.

use std::fs;

use super::files;

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
