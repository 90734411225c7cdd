//! The help texts against the program: every example is accepted by the command line, and text fits any terminal.

use clap::CommandFactory as _;

/// Returns the examples in a help text: the lines that are indented and call a program of Noren, without comments.
fn examples(help: &str) -> Vec<String> {
    let examples = help.split("Examples:\n").nth(1).unwrap_or_default();
    let lines = examples.lines().take_while(|line| !line.trim().is_empty());
    // Two spaces separate a command from its comment. Lines that are indented deeper continue a comment.
    let commands = lines.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    commands.map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect()
}

/// Splits an example into the arguments that the program receives, as a shell does.
fn arguments(example: &str) -> Vec<String> {
    let (mut words, mut is_quoted) = (vec![String::new()], false);
    for c in example.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    assert!(!is_quoted, "the quotes of {example} are balanced");
    let program = words.iter().position(|word| word.starts_with("noren")).expect("a program of Noren");
    // What stands before the program are variables, or a command that is piped into it.
    let is_of_a_shell = |word: &String| ["|", ">", "<"].contains(&word.as_str());
    words.split_off(program).into_iter().take_while(|word| !is_of_a_shell(word)).collect()
}

/// Returns a line below the examples that continues on the next one. A terminal breaks lines where it ends; a line that was
/// broken before is broken twice.
fn broken_line(help: &str) -> Option<&str> {
    let text = help.split("Examples:\n").nth(1).unwrap_or_default();
    let paragraphs = text.split_once("\n\n").map_or("", |(_, below)| below);
    let mut lines = paragraphs.lines().zip(paragraphs.lines().skip(1));
    let continues = |line: &str| !line.is_empty() && !line.starts_with(' ');
    lines.find(|(line, next)| continues(line) && continues(next)).map(|(line, _)| line)
}

/// Parses every example of a command and of its subcommands. Returns their number.
fn check(path: &str, command: &clap::Command, root: &clap::Command) -> usize {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = examples(&help);
    assert!(!examples.is_empty(), "`{path} --help` has no examples");
    for example in &examples {
        let arguments = arguments(example);
        let called = arguments.join(" ");
        assert!(called.starts_with(path), "`{path} --help` has an example of another command: {example}");
        if let Err(error) = root.clone().try_get_matches_from(&arguments) {
            panic!("`{path} --help` has an example that is refused: {example}\n{error}");
        }
    }
    // The width where the output is no terminal.
    let wide = help.lines().find(|line| line.starts_with("  ") && line.chars().count() > 100);
    assert_eq!(wide, None, "`{path} --help` has an example that does not fit a line");
    assert_eq!(broken_line(&help), None, "`{path} --help` has a paragraph with a line break of its own");
    let subcommands = command.get_subcommands().filter(|command| command.get_name() != "help");
    let below = subcommands.map(|below| check(&format!("{path} {}", below.get_name()), below, root));
    examples.len() + below.sum::<usize>()
}

#[test]
fn every_example_of_a_help_text_is_accepted_and_its_text_wraps() {
    for (command, least) in [
        (noren::cli::Cli::command(), 50),
        (command::service::Config::command(), 3),
        (sync::service::Config::command(), 3),
        (query::service::Config::command(), 2),
    ] {
        let count = check(command.get_name(), &command, &command);
        assert!(count >= least, "{} has {count} examples", command.get_name());
    }
}
