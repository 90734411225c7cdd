//! The variables of the programs, and the table of them in the README.

use std::collections::BTreeSet;
use std::fs;

use clap::CommandFactory;

use crate::support::repository;

fn variables_of<C: CommandFactory>() -> BTreeSet<String> {
    runtime::config::variables_of(&C::command()).into_iter().collect()
}

fn known() -> BTreeSet<String> {
    api::config::variables().into_iter().collect()
}

#[test]
fn the_known_variables_are_those_of_all_programs() {
    let programs = [
        variables_of::<command::service::Config>(),
        variables_of::<sync::service::Config>(),
        variables_of::<query::service::Config>(),
        variables_of::<noren::cli::Cli>(),
    ];
    // The client reads these alone: a flag with a key could be read by other users of the machine.
    let of_the_client = ["NOREN_API_KEY", "NOREN_API_KEY_FILE"].map(str::to_owned);
    let all: BTreeSet<String> = programs.into_iter().flatten().chain(of_the_client).collect();
    assert!(all.contains("NOREN_LISTEN") && all.len() > 10, "{all:?}");
    assert_eq!(known(), all);
}

#[test]
fn the_readme_lists_every_variable() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `NOREN_"));
    let documented: BTreeSet<String> =
        rows.filter_map(|row| row.split('`').next()).map(|name| format!("NOREN_{name}")).collect();
    assert_eq!(documented, known(), "left: the table of the README; right: the programs");
}

#[test]
fn the_readme_names_the_default_of_every_variable() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let commands = [
        command::service::Config::command(),
        sync::service::Config::command(),
        query::service::Config::command(),
    ];
    for flag in commands.iter().flat_map(|command| command.get_arguments()) {
        let Some(variable) = flag.get_env().and_then(|variable| variable.to_str()) else { continue };
        let default = flag.get_default_values().first().and_then(|value| value.to_str());
        let Some(default) = default.filter(|default| !default.is_empty()) else { continue };
        let row = format!("| `{variable}` | `{default}` |");
        assert!(readme.contains(&row), "the README has no row that begins with {row}");
    }
}
