//! The rules about source files.

use super::modules::{Circle, Modules};
use super::source::Source;
use super::{members, root, sources};

/// The maximum number of lines of a file in a `src` folder, comments and tests included.
const MAX_LINES: usize = 500;
/// The maximum number of lines of a `main.rs`.
const MAX_MAIN_LINES: usize = 30;
/// The maximum number of documentation comments in the workspace that begin with What, Whether or How.
const MAX_QUESTIONS: usize = 19;

#[test]
fn a_main_file_only_starts_things() {
    let mains: Vec<Source> =
        sources().into_iter().filter(|source| source.path.ends_with("src/main.rs")).collect();
    assert!(mains.len() >= 4, "there are four binaries");
    for main in mains {
        let lines = main.text.lines().count();
        assert!(lines <= MAX_MAIN_LINES, "{} has {lines} lines", main.path);
    }
}

#[test]
fn no_source_has_what_is_forbidden() {
    let everywhere = ["todo!", "unimplemented!", "dbg!", "#[allow(", "#![allow("];
    let mut wrong = Vec::new();
    for source in sources() {
        wrong.extend(find_all(&source.path, &source.code, &[&everywhere[..], &[".unwrap()"]].concat()));
        wrong.extend(find_all(&source.path, &source.tests, &everywhere));
        // The support module waits for conditions, with a bound. The simulation has simulated time.
        let may_wait = ["tests/support", "tests/faults/simulation/world.rs"];
        if !may_wait.iter().any(|path| source.path.starts_with(path)) {
            wrong.extend(find_all(&source.path, &source.tests, &["sleep("]));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn nothing_that_runs_panics_when_nobody_reads_its_output() {
    let panicking = [" println!(", " print!(", " eprintln!(", " eprint!("];
    let programs = sources().into_iter().filter(|source| source.is_in_src());
    let wrong: Vec<String> =
        programs.flat_map(|source| find_all(&source.path, &source.code, &panicking)).collect();
    assert_eq!(wrong, [""; 0], "use `runtime::out_line!` and `runtime::err_line!`");
}

fn find_all(path: &str, code: &str, needles: &[&str]) -> Vec<String> {
    let lines = code.lines().enumerate();
    lines
        .flat_map(|(at, line)| {
            let found = needles.iter().filter(move |needle| line.contains(**needle));
            found.map(move |needle| format!("{path}:{}: {needle}", at + 1))
        })
        .collect()
}

#[test]
fn no_source_file_is_too_long() {
    let long = sources().into_iter().filter(|source| source.is_in_src()).filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > MAX_LINES).then(|| format!("{} has {lines} lines; split it", source.path))
    });
    assert_eq!(long.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn no_modules_of_a_crate_depend_on_each_other_in_a_circle() {
    let sources = sources();
    let mut wrong = Vec::new();
    for member in members() {
        let folder = member.folder.strip_prefix(root()).expect("a member is in the workspace").join("src");
        let folder = folder.to_string_lossy().into_owned();
        for Circle { modules, edges } in Modules::new(&folder, sources.iter()).circles() {
            let edges: Vec<String> = edges.iter().map(|(from, to)| format!("{from} -> {to}")).collect();
            wrong.push(format!("{}: {modules:?}: {}", member.name, edges.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{} circles:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn documentation_begins_with_a_verb_or_a_noun() {
    let mut found = Vec::new();
    for source in sources() {
        let mut is_inside = false;
        for (at, line) in source.text.lines().enumerate() {
            let text = ["///", "//!"].iter().find_map(|sign| line.trim_start().strip_prefix(sign));
            let first = text.filter(|_| !is_inside).and_then(|text| text.split_whitespace().next());
            if first.is_some_and(|word| ["What", "Whether", "How"].contains(&word)) {
                found.push(format!("{}:{}: {}", source.path, at + 1, line.trim()));
            }
            is_inside = text.is_some();
        }
    }
    assert!(found.len() <= MAX_QUESTIONS, "{} of them:\n{}", found.len(), found.join("\n"));
}

#[test]
fn errors_are_written_to_be_joined() {
    for source in sources() {
        for (at, _) in source.text.match_indices("#[error(\"") {
            let text = source.text[at + 9..].split("\")]").next().unwrap_or_default();
            let mut letters = text.chars();
            let sentence = letters.next().is_some_and(char::is_uppercase)
                && letters.next().is_some_and(char::is_lowercase);
            assert!(
                !sentence && !text.ends_with('.'),
                "{}: `{text}` must start in lower case and end without a full stop",
                source.path
            );
        }
    }
}
