//! The README against the program: every command of its tour is run as it stands, and its output is compared.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Running, command, repository, wait_within};

/// The time in which a write of the tour must be searchable.
const SEARCHABLE: std::time::Duration = std::time::Duration::from_secs(10);

// ------------------------------------------------------------------------------------------------ the README

/// A fenced block of code.
struct Block {
    language: String,
    text: String,
}

/// Returns the code blocks under a heading of the README.
fn blocks(heading: &str) -> Vec<Block> {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let start = readme.split(&format!("\n## {heading}\n")).nth(1);
    let section = start.unwrap_or_else(|| panic!("the README has a heading `{heading}`"));
    let section = section.split("\n## ").next().unwrap_or_default();
    // Between fences, text and code alternate.
    let mut parts = section.split("```").skip(1).step_by(2);
    std::iter::from_fn(|| parts.next().and_then(|part| part.split_once('\n')))
        .map(|(language, text)| Block { language: language.to_owned(), text: text.to_owned() })
        .collect()
}

// ------------------------------------------------------------------------------------------------ comparison

/// Returns what counts in an output.
///
/// 1. White space outside double quotes is dropped, because the README breaks long lines.
/// 2. The time that a search took is dropped. Everything else is the same in each run, also scores: they depend on
///    the products only.
fn comparable(text: &str) -> String {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut dense = text.to_owned();
    dense.retain(|c| {
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_quoted || !c.is_whitespace()
    });
    let mut parts = dense.split("\"took\":");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "\"took\":" + part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
    })
}

/// Compares an output with the one in the README, where `…` stands for any text. Returns the first part of the README
/// that is not in the output.
fn difference(documented: &str, output: &str) -> Option<String> {
    let (documented, output) = (comparable(documented), comparable(output));
    let parts: Vec<&str> = documented.split('…').collect();
    let mut rest = output.as_str();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let found = match (at, is_last) {
            (0, true) => (rest == *part).then_some(""),
            (0, false) => rest.strip_prefix(part),
            (_, true) => rest.strip_suffix(part),
            (_, false) => rest.split_once(part).map(|(_, after)| after),
        };
        match found {
            Some(after) => rest = after,
            None => return Some((*part).to_owned()),
        }
    }
    None
}

#[test]
fn a_false_line_of_the_readme_is_a_difference() {
    let output =
        "HTTP/1.1 200 OK\r\netag: \"2\"\r\ndate: today\r\n\r\n{\"id\":\"a b\",\"total\":16,\"took\":1.5}\n";
    let documented = "HTTP/1.1 200 OK\netag: \"2\"\n…\n{\"id\":\"a b\",\n  \"total\":16, \"took\":9.25}\n";
    assert_eq!(difference(documented, output), None);
    for (true_text, false_text) in [
        ("200", "201"),
        ("\"2\"", "\"1\""),
        ("a b", "ab"),
        ("16", "1"),
        ("16", "…1"),
        ("\"took\":9.25", "\"took\":9.25,\"page\":1"),
        ("etag", "server: x\netag"),
    ] {
        let documented = documented.replacen(true_text, false_text, 1);
        assert!(difference(&documented, output).is_some(), "{documented}");
    }
}

// ---------------------------------------------------------------------------------------------- the shell

/// A service, and a shell in which the commands of the README reach it.
struct Shell {
    service: Running,
    /// Working directory of the service and of the shell.
    folder: TempDir,
}

impl Shell {
    /// Starts `noren serve` in an empty folder.
    async fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let serve = [&["serve"], arguments].concat();
        let service =
            Running::start_with("noren", &serve, |command| _ = command.current_dir(folder.path())).await;
        let shell = Self { service, folder };
        shell.put_noren_on_the_path();
        shell
    }

    /// Writes a script `noren` that adds the address of this service to the commands that take one. Their default is
    /// the address in the README.
    fn put_noren_on_the_path(&self) {
        let noren = command("noren");
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\n  backup | cost | rules) exec {noren:?} \"$@\" ;;\nesac\nexec {noren:?} \"$@\" --url {}\n",
            self.service.url,
            noren = noren.get_program(),
        );
        let bin = self.folder.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("noren"), script).unwrap();
        let executable = Command::new("chmod").arg("+x").arg(bin.join("noren")).status().unwrap();
        assert!(executable.success());
    }

    /// Runs a command of the README. Returns its output; its errors are part of it, as on a terminal.
    fn run(&self, text: &str) -> String {
        let here = self.service.url.trim_start_matches("http://");
        let text = text.replace("127.0.0.1:8080", here);
        // `command` removes the variables of Noren.
        let clean = command("noren");
        let mut shell = Command::new("timeout");
        for (variable, value) in clean.get_envs() {
            assert!(value.is_none(), "{variable:?} is removed");
            shell.env_remove(variable);
        }
        let bin = self.folder.path().join("bin");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        shell.args(["60", "sh", "-ec", &text, "README"]).env("PATH", path).current_dir(self.folder.path());
        let output = shell.stdin(Stdio::null()).output().expect("there is a shell");
        // curl writes its progress there, but not on a terminal.
        let errors = if text.starts_with("curl") { Vec::new() } else { output.stderr };
        let output = [output.stdout, errors].concat();
        String::from_utf8(output).expect("the output is UTF-8").replace(here, "127.0.0.1:8080")
    }

    /// Runs a command until its output is the documented one, because a write is searchable a moment later.
    async fn expect(&self, text: &str, documented: &str) {
        let is_documented = async || difference(documented, &self.run(text)).is_none();
        if !wait_within(SEARCHABLE, is_documented).await {
            let output = self.run(text);
            let part = difference(documented, &output);
            panic!("the README is not true for\n{text}\nnot found: {part:?}\nthe output is:\n{output}");
        }
    }
}

/// Writes products that the commands of the README find, as NDJSON, and gzipped for `noren import`.
fn write_products(folder: &Path, count: usize) {
    let line = |n| {
        let product = json!({"id": format!("sku-{n}"), "name": format!("Green tea {n}"), "price": 19.5});
        format!("{product}\n")
    };
    let lines: String = (1..=count).map(line).collect();
    std::fs::write(folder.join("products.ndjson"), &lines).unwrap();
    let zipped = Command::new("gzip").args(["-k", "products.ndjson"]).current_dir(folder).status().unwrap();
    assert!(zipped.success());
}

// ---------------------------------------------------------------------------------------------- the tests

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_shows_what_the_program_does() {
    let start = blocks("Start").into_iter().map(|block| block.text).collect::<String>();
    assert!(start.contains("noren -- serve --demo\n"), "the README starts what this test starts: {start}");
    let shell = Shell::start(&["--demo"]).await;
    let mut blocks = blocks("A tour in two minutes").into_iter().peekable();
    let mut steps = 0;
    while let Some(step) = blocks.next() {
        assert_eq!(step.language, "sh", "{}", step.text);
        let documented = blocks.next_if(|block| block.language.is_empty());
        let documented = documented.unwrap_or_else(|| panic!("no output is shown of\n{}", step.text)).text;
        // A write is shown with the head of its response. It is sent once for each response, and never again.
        if step.text.starts_with("curl -i") {
            for documented in documented.split("\n\n") {
                let output = shell.run(&step.text);
                let difference = difference(documented, &output);
                assert_eq!(difference, None, "of\n{}\nthe output is:\n{output}", step.text);
            }
        } else {
            shell.expect(&step.text, &documented).await;
        }
        steps += 1;
    }
    assert!(steps >= 10, "only {steps} steps were read");
}

#[test]
fn the_archive_and_the_image_have_the_version_of_the_programs() {
    let version = env!("CARGO_PKG_VERSION");
    let start: String = blocks("Start").into_iter().map(|block| block.text).collect();
    let targets = std::fs::read_to_string(repository().join("release/targets")).unwrap();
    let target = targets.lines().next().unwrap();
    for named in [format!("tar -xzf noren-{version}-{target}.tar.gz\n"), format!(" noren:{version} ")] {
        assert!(start.contains(&named), "the README names {named}: {start}");
    }
    let changelog = std::fs::read_to_string(repository().join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains(&format!("\n## [{version}] - ")), "CHANGELOG.md has the version {version}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_for_own_products_work_as_they_stand() {
    let shell = Shell::start(&[]).await;
    let folder = shell.folder.path();
    write_products(folder, 200);
    std::fs::write(folder.join("judgments.csv"), "query,product_id,rating\ngreen tea 7,sku-7,3\n").unwrap();
    std::fs::copy(repository().join("docs/rules.example.toml"), folder.join("rules.toml")).unwrap();
    let outputs = [
        ("noren import ", "…200 created…"),
        ("curl ", "{\"id\":…\"status\":\"queued\"…"),
        ("noren search ", "…Green tea…200 products…"),
        ("noren explain ", "sku-1…version 1, active…place…of 200…"),
        ("noren export ", ""),
        ("noren backup ", "wrote a snapshot of the store to store.db…"),
        ("noren import ", "…200 unchanged, 0 rejected, 0 deleted…"),
        ("noren delete ", "0 products would be deleted"),
        ("noren dlq ", "no dead letters"),
        ("noren eval ", "…NDCG@10…"),
        ("noren rules ", "rules.toml is right: …"),
        ("noren cost ", "…total…"),
        ("noren verify ", "200 products and tombstones compared: the index equals the store"),
        ("noren reindex ", "searches use the index g2 now, with 200 products and tombstones…"),
    ];
    let block = &blocks("Your own products")[0];
    // A comment may have a line of its own.
    let lines: Vec<&str> = block.text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    assert_eq!(lines.len(), outputs.len(), "{lines:#?}");
    for (line, (command, output)) in lines.into_iter().zip(outputs) {
        assert!(line.starts_with(command), "{line} is not {command}");
        shell.expect(line, output).await;
    }
    let exported = std::fs::read_to_string(folder.join("products.ndjson")).unwrap();
    assert_eq!(exported.lines().count(), 200, "the whole catalogue");
    assert!(folder.join("store.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_shows_what_the_program_prints() {
    let shell = Shell::start(&["--demo"]).await;
    let blocks = blocks("Your own products");
    let console: Vec<&Block> = blocks.iter().filter(|block| block.language == "console").collect();
    let commands: Vec<&str> = console.iter().flat_map(|block| block.text.split("$ ")).skip(1).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let (command, documented) = command.split_once('\n').expect("an output is shown");
        shell.expect(command, documented).await;
    }
}
