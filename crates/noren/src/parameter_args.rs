//! The flags that set search parameters. They follow from the table of the query service.

use std::ffi::OsStr;
use std::fmt;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use domain::Currency;
use search_parameters::{Endpoint, Flag, Kind, Parameter, TextBounds, table};

/// An endpoint whose parameters have flags.
pub trait FlagsOf: fmt::Debug + 'static {
    /// The endpoint.
    const ENDPOINT: Endpoint;
}

/// The flags of `GET /products/search`.
#[derive(Debug)]
pub enum OfSearch {}

/// The flags of `GET /products/{id}/explain`.
#[derive(Debug)]
pub enum OfExplain {}

impl FlagsOf for OfSearch {
    const ENDPOINT: Endpoint = Endpoint::Search;
}

impl FlagsOf for OfExplain {
    const ENDPOINT: Endpoint = Endpoint::Explain;
}

/// The search parameters that are set by flags.
#[derive(Debug)]
pub struct ParameterArgs<E> {
    parameters: Vec<(String, String)>,
    endpoint: PhantomData<E>,
}

impl<E> ParameterArgs<E> {
    /// Returns the parameters that were given, in the order of the table.
    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }
}

impl<E: FlagsOf> Args for ParameterArgs<E> {
    fn augment_args(command: Command) -> Command {
        command.args(flags(E::ENDPOINT).map(|(parameter, flag)| arg(parameter, flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<E: FlagsOf> FromArgMatches for ParameterArgs<E> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let parameters = flags(E::ENDPOINT).flat_map(|(parameter, flag)| values(parameter, flag, matches));
        Ok(Self { parameters: parameters.collect(), endpoint: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn flags(endpoint: Endpoint) -> impl Iterator<Item = (&'static Parameter, Flag)> {
    table::of(endpoint).filter_map(|parameter| Some((parameter, parameter.flag?)))
}

fn arg(parameter: &'static Parameter, flag: Flag) -> Arg {
    let arg = Arg::new(flag.name).long(flag.name).help(flag.help);
    let Some(value_name) = flag.value_name else { return arg.action(ArgAction::SetTrue) };
    let action = match parameter.kind {
        Kind::Texts { .. } | Kind::Names { .. } | Kind::Attributes { .. } => ArgAction::Append,
        Kind::Text(_) | Kind::Number { .. } | Kind::Seconds { .. } | Kind::Flag { .. } => ArgAction::Set,
    };
    let is_price_range = parameter.name == "priceRange";
    // The printed table has fixed columns, so `--fields` needs `--json`.
    let arg = if parameter.name == "fields" { arg.requires("json") } else { arg };
    // `-50` is a range without a lower end.
    arg.value_name(value_name)
        .action(action)
        .allow_hyphen_values(is_price_range)
        .value_parser(parser(parameter))
}

/// Returns the parser of a value, which yields a `String`. The service checks bounds and reports all faults at once.
fn parser(parameter: &Parameter) -> ValueParser {
    match parameter.kind {
        Kind::Text(bounds) if !bounds.choices.is_empty() => ChoiceParser(bounds).into(),
        Kind::Text(_) if parameter.name == "currency" => {
            ValueParser::new(|code: &str| code.parse::<Currency>().map(|currency| currency.to_string()))
        }
        Kind::Number { .. } => {
            ValueParser::new(|number: &str| number.parse::<u32>().map(|number| number.to_string()))
        }
        Kind::Attributes { .. } => ValueParser::new(check_pair),
        Kind::Text(_)
        | Kind::Texts { .. }
        | Kind::Names { .. }
        | Kind::Seconds { .. }
        | Kind::Flag { .. } => ValueParser::string(),
    }
}

/// Parses one of the choices, which help and completions list. A parameter with a pattern also takes other values, which the service
/// checks.
#[derive(Clone)]
struct ChoiceParser(TextBounds);

impl TypedValueParser for ChoiceParser {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let is_further = |text: &str| self.0.pattern.is_some() && text.contains('.');
        match value.to_str().filter(|text| is_further(text)) {
            Some(text) => Ok(text.to_owned()),
            None => PossibleValuesParser::new(self.choices()).parse_ref(command, arg, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.choices()))
    }
}

impl ChoiceParser {
    fn choices(&self) -> impl Iterator<Item = PossibleValue> {
        let choices = self.0.choices.iter().zip(self.0.choices_help);
        choices.map(|(name, help)| PossibleValue::new(*name).help(*help))
    }
}

fn check_pair(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.is_empty() => Ok(text.to_owned()),
        _ => Err("must be KEY=VALUE, such as colour=red".to_owned()),
    }
}

/// Returns the parameters that a flag sets.
fn values(parameter: &Parameter, flag: Flag, matches: &ArgMatches) -> Vec<(String, String)> {
    let pair = |value: String| (parameter.name.to_owned(), value);
    if flag.value_name.is_none() {
        return matches.get_flag(flag.name).then(|| pair("true".to_owned())).into_iter().collect();
    }
    let values: Vec<&String> = matches.get_many(flag.name).into_iter().flatten().collect();
    match parameter.kind {
        _ if values.is_empty() => Vec::new(),
        Kind::Names { .. } => {
            vec![pair(values.into_iter().map(String::as_str).collect::<Vec<_>>().join(","))]
        }
        Kind::Attributes { .. } => {
            let pairs = values.into_iter().filter_map(|pair| pair.split_once('='));
            let field = parameter.field_name();
            pairs.map(|(key, value)| (format!("{field}.{key}"), value.to_owned())).collect()
        }
        _ => values.into_iter().map(|value| pair(value.clone())).collect(),
    }
}
