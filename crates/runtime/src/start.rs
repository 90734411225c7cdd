//! The start of a process. Every reason not to start is one line that says what to do.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};
use rustix::fs::Mode;

use crate::config::{AccessLog, AuditLog};
use crate::start_error::{StartError, exit_code};
use crate::telemetry::Logs;

/// The flag of every service that checks a running service instead of serving.
const CHECK_HEALTH: &str = "check-health";

/// Runs the `main` of a service: reads flags and variables, rejects variables that are not among `known`, starts
/// logging, and runs the service to its end. With `--check-health` it checks the service that is already running instead.
pub fn run<C, F>(service: &'static str, known: &[String], run: impl FnOnce(C) -> F) -> ExitCode
where
    C: clap::Parser,
    F: Future<Output = Result<(), StartError>>,
{
    let help = "Check whether the service at the address of --listen is ready; exit code 0 or 1";
    let flag = Arg::new(CHECK_HEALTH).long(CHECK_HEALTH).action(ArgAction::SetTrue).help(help);
    let mut command = C::command().arg(flag);
    let version = command.get_version().unwrap_or_default().to_owned();
    let mut matches = match matches(&mut command, std::env::args_os()) {
        Ok(matches) => matches,
        Err(error) => return exit_code(Err(error)),
    };
    if matches.get_flag(CHECK_HEALTH) {
        return exit_code(check_health(&matches));
    }
    let logs = logs_of(&matches);
    let config =
        C::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command).exit());
    let started = || {
        keep_files_private();
        crate::config::check_environment(known)?;
        crate::telemetry::start(service, &version, &logs)?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::because("cannot start the threads of the service", error))
    };
    let ended = started().and_then(|runtime| runtime.block_on(run(config)));
    crate::telemetry::stop();
    exit_code(ended)
}

/// Reads what to log, before the configuration is taken from `matches`.
fn logs_of(matches: &ArgMatches) -> Logs {
    Logs {
        audit: matches.try_get_one("audit").ok().flatten().copied().unwrap_or(AuditLog::Off),
        access: matches.try_get_one("access_log").ok().flatten().copied().unwrap_or(AccessLog::All),
        stage: matches.try_get_one("stage").ok().flatten().cloned().unwrap_or_default(),
    }
}

/// Makes the files that this process creates from now on readable by its own user alone, whatever umask it inherited: the data
/// folder, exports and backups hold the whole catalogue, drafts too. Existing files keep their permissions.
pub fn keep_files_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Parses flags and variables. `--help` and `--version` end the process, as usual for a command line.
///
/// # Errors
/// Names the flag or the variable that is wrong.
pub fn parse<C: clap::Parser>(arguments: impl Iterator<Item = OsString>) -> Result<C, StartError> {
    let mut command = C::command();
    let mut matches = matches(&mut command, arguments)?;
    Ok(C::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.format(&mut command).exit()))
}

/// Reads flags from their variables alone, with the defaults of a program that is started without flags.
///
/// # Errors
/// Names the variable whose value is invalid.
pub fn parse_variables<C: clap::Args>() -> Result<C, StartError> {
    let mut command = C::augment_args(clap::Command::new("noren"));
    let matches = matches(&mut command, std::iter::once("noren".into()))?;
    C::from_arg_matches(&matches).map_err(|error| StartError::usage(usage_line(&error.to_string())))
}

fn matches(
    command: &mut clap::Command,
    arguments: impl Iterator<Item = OsString>,
) -> Result<ArgMatches, StartError> {
    let arguments: Vec<OsString> = arguments.collect();
    *command = crate::config::ignore_empty_variables(std::mem::take(command));
    let is_flag_given = |flag: &Arg| {
        let name = flag.get_long().map(|name| format!("--{name}")).unwrap_or_default();
        let given = arguments.iter().filter_map(|argument| argument.to_str());
        given.into_iter().any(|argument| argument.split('=').next() == Some(&name))
    };
    match command.try_get_matches_from_mut(&arguments) {
        Ok(matches) => Ok(matches),
        // Help and version.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        Err(error) => match invalid_flag(command, &error).filter(|flag| !is_flag_given(flag)) {
            Some(flag) => Err(invalid_variable(flag, &error)),
            None => Err(StartError::usage(usage_line(&text_of(&error)))),
        },
    }
}

/// Formats an error of the command line.
fn text_of(error: &clap::Error) -> String {
    let text = error.to_string();
    match std::error::Error::source(error) {
        Some(source) => text.replace(&source.to_string(), &advice_of(source)),
        None => text,
    }
}

/// Returns what to write instead of an invalid value. Errors of numbers only say what is wrong.
fn advice_of(source: &(dyn std::error::Error + 'static)) -> String {
    let text = source.to_string();
    // Such as `70000 is not in 1..=65535`.
    if let Some((low, high)) = text.split_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
        return format!("write a whole number from {low} to {high}");
    }
    match (source.is::<std::num::ParseIntError>(), source.is::<std::num::ParseFloatError>()) {
        (true, _) => "write a whole number".to_owned(),
        (_, true) => "write a number".to_owned(),
        _ => text,
    }
}

/// Joins the lines of an error of the command line, without the usage that follows them.
fn usage_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let mut line = String::new();
    for part in lines.filter(|line| !line.is_empty() && !line.starts_with("For more information")) {
        let separator = match line.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) if part.starts_with(['[', '<', '-']) => " ",
            Some(_) => "; ",
        };
        line = format!("{line}{separator}{part}");
    }
    format!("{}; --help lists the flags", line.strip_prefix("error: ").unwrap_or(&line))
}

/// Returns the flag whose value is invalid, if that is the error.
fn invalid_flag<'a>(command: &'a clap::Command, error: &clap::Error) -> Option<&'a Arg> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    // Such as `--currency <CODE>` or `--create-tables[=<true|false>]`.
    let Some(ContextValue::String(usage)) = error.get(ContextKind::InvalidArg) else { return None };
    find_flag(command, usage.strip_prefix("--")?.split([' ', '[', '=']).next()?)
}

fn find_flag<'a>(command: &'a clap::Command, name: &str) -> Option<&'a Arg> {
    let own = command.get_arguments().find(|flag| flag.get_long() == Some(name) && flag.get_env().is_some());
    own.or_else(|| command.get_subcommands().find_map(|command| find_flag(command, name)))
}

/// Returns the error for the value of a variable, in one line.
fn invalid_variable(flag: &Arg, error: &clap::Error) -> StartError {
    let variable = flag.get_env().unwrap_or_default().to_string_lossy();
    let value = match error.get(ContextKind::InvalidValue) {
        // It may contain a password.
        Some(ContextValue::String(value)) if !flag.is_hide_env_values_set() => format!("={value}"),
        _ => String::new(),
    };
    let message = format!("{variable}{value} cannot be used");
    if let Some(source) = std::error::Error::source(error) {
        return StartError::usage(format!("{message}: {}", advice_of(source)));
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) => {
            StartError::usage(format!("{message}; write one of {}", valid.join(", ")))
        }
        _ => StartError::usage(message),
    }
}

/// Checks the service that was started with the same flags and variables.
fn check_health(matches: &ArgMatches) -> Result<(), StartError> {
    let listen = matches.try_get_one::<SocketAddr>("listen").ok().flatten();
    crate::probe::check(*listen.ok_or_else(|| StartError::new("this service listens nowhere"))?)
}

#[cfg(test)]
mod tests {
    use clap::{Command, arg};

    use super::*;

    fn command() -> Command {
        let currency = arg!(--currency <CODE>).env("NOREN_TEST_CURRENCY").value_parser(["EUR", "USD"]);
        let import = Command::new("import").arg(currency).arg(arg!(<FILE> ...)).arg(arg!(--limit [N] ...));
        Command::new("noren").subcommand(import.arg(arg!(--size <N>).value_parser(clap::value_parser!(u8))))
    }

    fn invalid(arguments: &[&str]) -> Option<String> {
        let mut command = command();
        let error = command.try_get_matches_from_mut(arguments).unwrap_err();
        invalid_flag(&command, &error).map(|flag| flag.get_id().to_string())
    }

    #[test]
    fn only_an_invalid_value_of_a_flag_with_a_variable_may_come_from_the_variable() {
        assert_eq!(invalid(&["noren", "import", "file", "--currency", "XXX"]).as_deref(), Some("currency"));
        assert_eq!(invalid(&["noren", "import", "file", "--size", "300"]), None);
        assert_eq!(invalid(&["noren", "import"]), None);
        assert_eq!(invalid(&["noren", "export"]), None);
    }

    #[test]
    fn an_invalid_number_says_what_to_write() {
        for (size, advice) in [
            (
                "300",
                "invalid value '300' for '--size <N>': write a whole number from 0 to 255; --help lists the flags",
            ),
            ("many", "invalid value 'many' for '--size <N>': write a whole number; --help lists the flags"),
        ] {
            let error =
                command().try_get_matches_from_mut(["noren", "import", "file", "--size", size]).unwrap_err();
            assert_eq!(usage_line(&text_of(&error)), advice);
        }
    }
}
