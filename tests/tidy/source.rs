//! Separates a Rust file into code and tests, with the rest blank.

/// A source file. `code` and `tests` have the same lines as `text`.
pub(super) struct Source {
    /// The path from the root of the workspace.
    pub(super) path: String,
    /// The unchanged file.
    pub(super) text: String,
    /// The code outside of tests, without comments and the contents of literals.
    pub(super) code: String,
    /// The code of tests, likewise.
    pub(super) tests: String,
}

impl Source {
    pub(super) fn new(path: String, text: String) -> Self {
        let code = without_comments_and_texts(&text);
        let is_test = path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs");
        let (code, tests) = match is_test {
            true => (blank(&code), code),
            false => split_off_tests(&code),
        };
        Self { path, text, code, tests }
    }

    /// Returns true for a file in the `src` folder of a package.
    pub(super) fn is_in_src(&self) -> bool {
        self.path.contains("/src/")
    }

    /// Returns the file without the lines that have code of tests.
    pub(super) fn text_outside_tests(&self) -> String {
        let lines = self.text.lines().zip(self.tests.lines());
        lines.filter(|(_, test)| test.trim().is_empty()).map(|(line, _)| format!("{line}\n")).collect()
    }
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { ' ' }).collect()
}

/// Blanks comments and the contents of literals.
fn without_comments_and_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = out.chars().next_back();
        let skipped = comment_length(rest).or_else(|| literal_length(rest, before));
        let length = skipped.unwrap_or(first.len_utf8());
        let (part, after) = rest.split_at(length);
        match skipped {
            Some(_) => out.push_str(&blank(part)),
            None => out.push_str(part),
        }
        rest = after;
    }
    out
}

/// Returns the length of the comment at the start of a text.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
    Some(text.len())
}

/// Returns the length of the string or character literal at the start of a text; `before` is the preceding character.
fn literal_length(text: &str, before: Option<char>) -> Option<usize> {
    let inside_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !inside_word && let Some(raw) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let start = text.len() - raw.len() + hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
    }
    if text.starts_with('"') {
        return Some(end_of_quoted(text, '"'));
    }
    // A lifetime has a quote too, but none after its first letter.
    let mut chars = text.strip_prefix('\'')?.chars();
    match (chars.next()?, chars.next()?) {
        ('\\', _) => Some(end_of_quoted(text, '\'')),
        (letter, '\'') => Some(letter.len_utf8() + 2),
        _ => None,
    }
}

fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Separates the items under `#[cfg(test)]` from the code.
fn split_off_tests(code: &str) -> (String, String) {
    let (mut kept, mut tests) = (String::new(), String::new());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let end = at + end_of_item(&rest[at..]);
        kept.push_str(&rest[..at]);
        kept.push_str(&blank(&rest[at..end]));
        tests.push_str(&blank(&rest[..at]));
        tests.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    kept.push_str(rest);
    tests.push_str(&blank(rest));
    (kept, tests)
}

/// Returns the end of the item at the start of a text: its semicolon or its closing brace.
fn end_of_item(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

#[test]
fn a_source_is_taken_apart() {
    let text = r##"
// todo! in a comment
/* and /* nested */ dbg! */
fn a<'a>(x: &'a str) -> char { let r = r#"todo!" "#; let q = "\"dbg!"; let c = '"'; let d = '\''; x.unwrap(); 'x' }
#[cfg(test)]
mod tests { fn b() { sleep(1); } }
#[cfg(test)]
mod more;
fn last() { "name.rs"; after() }
"##;
    let source = Source::new("domain/src/x.rs".to_owned(), text.to_owned());
    for gone in ["todo!", "dbg!", "nested", "sleep", "mod more"] {
        assert!(!source.code.contains(gone), "{gone} in {}", source.code);
    }
    assert!(source.code.contains("x.unwrap();") && source.code.contains("after()"), "{}", source.code);
    assert!(source.tests.contains("sleep(1)") && source.tests.contains("mod more;"), "{}", source.tests);
    assert!(!source.tests.contains("unwrap") && !source.tests.contains("last"), "{}", source.tests);
    assert!(
        !source.text_outside_tests().contains("sleep") && source.text_outside_tests().contains("name.rs")
    );
    for part in [&source.code, &source.tests] {
        assert_eq!(part.lines().count(), text.lines().count());
    }
    let test = Source::new("tests/x.rs".to_owned(), "fn a() { dbg!(1) }".to_owned());
    assert!(test.code.trim().is_empty() && test.tests.contains("dbg!"));
}
