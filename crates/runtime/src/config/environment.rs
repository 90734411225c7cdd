//! The `NOREN_*` variables of the process.

use crate::StartError;

const PREFIX: &str = "NOREN_";
/// The minimum similarity, from 0 to 1, of the known variable that an error suggests.
const MIN_SIMILARITY: f64 = 0.8;

/// Rejects variables that begin with `NOREN_` and are not among `known`: such a variable is most likely misspelt, and
/// the setting would silently keep its default. An empty variable counts as unset.
///
/// Variables that Kubernetes sets for a Service named `noren` are ignored.
///
/// # Errors
/// Names the first unknown variable, and the known one that is most like it or, if none is, all of them.
pub fn check_environment(known: &[String]) -> Result<(), StartError> {
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let names = set.filter_map(|(name, _)| name.into_string().ok());
    match first_unknown(names, known) {
        None => Ok(()),
        Some(name) => {
            let instead = match most_similar(&name, known) {
                Some(similar) => format!("did you mean {similar}? If not, unset it"),
                None => format!("unset it or write one of {}", known.join(", ")),
            };
            Err(StartError::usage(format!("unknown variable {name}; {instead}")))
        }
    }
}

/// Returns the known variable for which `name` was probably meant. The prefix, which all share, does not count.
fn most_similar<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let rest = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_owned();
    let rated = known.iter().map(|known| (strsim::jaro_winkler(&rest(name), &rest(known)), known.as_str()));
    let best = rated.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(similarity, _)| *similarity >= MIN_SIMILARITY).map(|(_, known)| known)
}

fn first_unknown(mut names: impl Iterator<Item = String>, known: &[String]) -> Option<String> {
    names.find(|name| match name.strip_prefix(PREFIX) {
        Some(rest) => !known.contains(name) && !is_set_by_kubernetes(rest),
        None => false,
    })
}

/// Returns true for the rest of a variable that Kubernetes sets for a Service: `SERVICE_HOST`, `SERVICE_PORT`,
/// `SERVICE_PORT_` with the name of a port, `PORT`, and for each port such as `PORT_8080_TCP` its URL and the three parts
/// of it.
fn is_set_by_kubernetes(rest: &str) -> bool {
    if matches!(rest, "SERVICE_HOST" | "SERVICE_PORT" | "PORT") || rest.starts_with("SERVICE_PORT_") {
        return true;
    }
    let Some((port, protocol)) = rest.strip_prefix("PORT_").and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let (protocol, part) = protocol.split_once('_').unwrap_or((protocol, "PORT"));
    is_port && matches!(protocol, "TCP" | "UDP" | "SCTP") && matches!(part, "PROTO" | "PORT" | "ADDR")
}

/// Makes the flags of a command and its subcommands ignore variables that are empty: Compose files and CI systems pass unset
/// variables on as empty ones.
#[must_use]
pub fn ignore_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|flag| {
        let variable = flag.get_env().and_then(std::env::var_os);
        // A flag without a variable is left as it is.
        if variable.is_some_and(|value| value.is_empty()) { flag.env(None::<&'static str>) } else { flag }
    });
    command.mut_subcommands(ignore_empty_variables)
}

/// Returns the variables of all flags of a command and its subcommands, sorted.
pub fn variables_of(command: &clap::Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|flag| flag.get_env()?.to_str().map(str::to_owned));
    let mut variables: Vec<String> = own.chain(command.get_subcommands().flat_map(variables_of)).collect();
    variables.sort();
    variables.dedup();
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(names: &[&str]) -> Option<String> {
        first_unknown(names.iter().map(|name| (*name).to_owned()), &["NOREN_LISTEN".to_owned()])
    }

    #[test]
    fn a_misspelt_variable_is_rejected() {
        assert_eq!(unknown(&["PATH", "NOREN_LISTEN"]), None);
        assert_eq!(unknown(&["NOREN_LISTEN", "NOREN_LISTN"]).as_deref(), Some("NOREN_LISTN"));
    }

    #[test]
    fn a_misspelt_variable_suggests_the_right_one() {
        let known = [
            "ACCESS",
            "ACCESS_TABLE",
            "API_KEY",
            "CACHE_SECONDS",
            "CREATE_TABLES",
            "DATA_DIR",
            "DYNAMODB_TABLE",
            "HOSTS",
            "IMPORT_MAX_MB",
            "INDEX",
            "LANGUAGE",
            "LISTEN",
            "OPENSEARCH_INDEX",
            "OPENSEARCH_URL",
            "QUEUE",
            "RULES",
            "SQS_QUEUE",
            "STORE",
        ]
        .map(|name| format!("{PREFIX}{name}"));
        for (name, meant) in [
            ("NOREN_LISTN", Some("NOREN_LISTEN")),
            ("NOREN_CACHE_SECOND", Some("NOREN_CACHE_SECONDS")),
            ("NOREN_DATADIR", Some("NOREN_DATA_DIR")),
            ("NOREN_DYNAMO_TABLE", Some("NOREN_DYNAMODB_TABLE")),
            ("NOREN_APIKEY", Some("NOREN_API_KEY")),
            ("NOREN_OPENSEARCH", Some("NOREN_OPENSEARCH_URL")),
            ("NOREN_LANG", Some("NOREN_LANGUAGE")),
            ("NOREN_RULE", Some("NOREN_RULES")),
            ("NOREN_FOO", None),
            ("NOREN_VERSION", None),
        ] {
            assert_eq!(most_similar(name, &known), meant, "{name}");
        }
    }

    #[test]
    fn variables_of_a_kubernetes_service_are_ignored() {
        let set = [
            "NOREN_SERVICE_HOST",
            "NOREN_SERVICE_PORT",
            "NOREN_SERVICE_PORT_HTTP",
            "NOREN_PORT",
            "NOREN_PORT_8080_TCP",
            "NOREN_PORT_8080_TCP_PROTO",
            "NOREN_PORT_8080_TCP_PORT",
            "NOREN_PORT_8080_TCP_ADDR",
            "NOREN_PORT_53_UDP_ADDR",
        ];
        assert_eq!(unknown(&set), None);
        for other in [
            "NOREN_SERVICE",
            "NOREN_SERVICE_HOSTS",
            "NOREN_PORTS",
            "NOREN_PORT_TCP",
            "NOREN_PORT__TCP",
            "NOREN_PORT_8080_HTTP",
            "NOREN_PORT_8080_TCP_NAME",
            "NOREN_PORT_8080_TCP_ADDR_2",
        ] {
            assert_eq!(unknown(&[other]).as_deref(), Some(other));
        }
    }
}
