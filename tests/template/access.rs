//! Who may use the functions: the parameters, and the table of API keys.

use std::collections::BTreeSet;

use clap::{Args as _, Command, FromArgMatches as _};
use runtime::config::{Access, AccessStoreKind, Anonymous, Reach};
use serde_json::{Value, json};

use super::{Template, texts};

/// Returns the access control of the functions with these values of parameters; the others have their defaults.
fn access(template: &Template, parameters: &[(&str, &str)]) -> Access {
    let variables = &template.0["Globals"]["Function"]["Environment"]["Variables"];
    let command = Access::augment_args(Command::new("function"));
    let flag_of = |variable: &str| {
        let mut flags = command.get_arguments();
        let flag = flags.find(|flag| flag.get_env().is_some_and(|env| env == variable))?;
        flag.get_long().map(str::to_owned)
    };
    let value = |value: &Value| match value["Ref"].as_str() {
        Some(name) => {
            let given = parameters.iter().find(|(parameter, _)| *parameter == name);
            let default = template.0["Parameters"][name]["Default"].as_str();
            given.map(|(_, value)| *value).or(default).unwrap_or(name).to_owned()
        }
        None => value.as_str().unwrap().to_owned(),
    };
    // Other variables are of telemetry.
    let of_access =
        variables.as_object().unwrap().iter().filter_map(|(name, text)| Some((flag_of(name)?, text)));
    let flags: Vec<(String, String)> = of_access.map(|(flag, text)| (flag, value(text))).collect();
    assert_eq!(flags.len(), 8, "{flags:?}");
    // An empty variable counts as unset.
    let flags = flags.into_iter().filter(|(_, value)| !value.is_empty());
    let flags: Vec<String> = flags.map(|(flag, value)| format!("--{flag}={value}")).collect();
    let matches = command.try_get_matches_from([vec!["function".to_owned()], flags].concat());
    Access::from_arg_matches(&matches.unwrap()).unwrap()
}

#[test]
fn functions_ask_for_keys_and_let_everyone_search_unless_a_parameter_says_otherwise() {
    let template = Template::load();
    let default = access(&template, &[]);
    default.check(Reach::Lambda).unwrap();
    assert!(default.accepts_keys());
    assert_eq!(default.anonymous, Anonymous::Search);
    assert!(default.root_key_hash.is_none());
    let hash = "0".repeat(64);
    let closed = access(&template, &[("AnonymousSearch", "nothing"), ("RootKeyHash", &hash)]);
    assert_eq!(closed.anonymous, Anonymous::Nothing);
    assert!(closed.root_key_hash.is_some());
    let open = access(&template, &[("Access", "none")]);
    open.check(Reach::Lambda).unwrap();
    assert!(!open.accepts_keys());
}

#[test]
fn every_value_that_a_parameter_allows_is_one_of_its_variable() {
    let template = Template::load();
    for parameter in ["Access", "AnonymousSearch"] {
        for value in texts(&template.0["Parameters"][parameter]["AllowedValues"]) {
            access(&template, &[(parameter, value)]).check(Reach::Lambda).unwrap();
        }
    }
}

#[test]
fn keys_are_in_a_table_like_that_of_the_products() {
    let template = Template::load();
    let access = access(&template, &[]);
    assert_eq!(
        (access.access_store, access.access_table.as_str()),
        (AccessStoreKind::Dynamodb, "AccessTable")
    );
    let resources = &template.0["Resources"];
    assert_eq!(resources["AccessTable"], resources["Table"], "its schema, its encryption and its protection");
    assert_eq!(
        template.properties("AccessTable")["TimeToLiveSpecification"],
        json!({"AttributeName": "expires", "Enabled": true})
    );
}

/// A function that answers no requests needs no keys.
#[test]
fn only_functions_that_answer_requests_may_use_the_keys() {
    let template = Template::load();
    let users = |action: &str| -> BTreeSet<&str> {
        let roles = template.of_type("AWS::IAM::Role").into_iter();
        let may = roles.filter(|(_, properties)| {
            let statements = properties["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
            statements.iter().any(|statement| {
                statement["Resource"]["Fn::GetAtt"] == "AccessTable.Arn"
                    && texts(&statement["Action"]).contains(&action)
            })
        });
        may.map(|(name, _)| name).collect()
    };
    assert_eq!(users("dynamodb:GetItem"), ["CommandRole", "QueryRole"].into());
    assert_eq!(users("dynamodb:UpdateItem"), ["CommandRole", "QueryRole"].into());
    for action in ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"] {
        assert_eq!(users(action), ["CommandRole"].into(), "{action}");
    }
    for action in ["dynamodb:Scan", "dynamodb:*"] {
        assert_eq!(users(action), [].into(), "{action}");
    }
}
