//! The template for AWS compared with the code: what the functions read, send and promise, and the documents about it.

mod access;
mod alarms;
mod api;
mod functions;
mod queue;

use std::fs;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

use crate::support::repository;

/// A template, with its functions in their long form: `!Ref X` is `{"Ref": "X"}`.
pub(crate) struct Template(Value);

impl Template {
    /// Reads deploy/template.yaml.
    pub(crate) fn load() -> Self {
        let text = file("deploy/template.yaml");
        let documents = Yaml::load_from_str(&text).expect("the template is YAML");
        Self(to_json(&documents[0]))
    }

    /// Returns the properties of a resource.
    pub(crate) fn properties(&self, resource: &str) -> &Value {
        let properties = &self.0["Resources"][resource]["Properties"];
        assert!(properties.is_object(), "the template has {resource}");
        properties
    }

    /// Returns the names and the properties of all resources of a type.
    fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.0["Resources"].as_object().unwrap();
        let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        let found: Vec<_> = found.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect();
        assert!(!found.is_empty(), "the template has {kind}");
        found
    }

    /// Returns the routes of the API.
    fn routes(&self) -> Vec<Route<'_>> {
        let paths = self.properties("Api")["DefinitionBody"]["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, operations)| {
            operations
                .as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        });
        operations.map(|(path, method, operation)| Route::new(path, method, operation)).collect()
    }
}

/// A route of the API. Without method and path it is that of all other requests.
#[derive(Debug)]
struct Route<'a> {
    function: &'a str,
    method: Option<&'a str>,
    path: Option<&'a str>,
    is_signed: bool,
}

impl<'a> Route<'a> {
    fn new(path: &'a str, method: &'a str, operation: &'a Value) -> Self {
        let integration = operation["x-amazon-apigateway-integration"]["$ref"].as_str().unwrap();
        let function = integration.strip_prefix("#/components/x-amazon-apigateway-integrations/").unwrap();
        let is_default = path == "$default";
        assert_eq!(operation.get("isDefaultRoute").is_some(), is_default, "{path}");
        let signed = json!({"Fn::If": ["SignsWrites", [{"AWS_IAM": []}], []]});
        let security = operation.get("security");
        assert!(security.is_none_or(|security| *security == signed), "{path}: {security:?}");
        let is_signed = security.is_some();
        let method = match method {
            "x-amazon-apigateway-any-method" => "ANY",
            "options" => "OPTIONS",
            other => other,
        };
        Self {
            function,
            method: (!is_default).then_some(method),
            path: (!is_default).then_some(path),
            is_signed,
        }
    }
}

fn file(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the words of a list of texts.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => json!(value),
            Scalar::Integer(value) => json!(value),
            Scalar::FloatingPoint(value) => json!(value.into_inner()),
            Scalar::String(value) => json!(value),
        },
        Yaml::Sequence(values) => values.iter().map(to_json).collect(),
        Yaml::Mapping(members) => {
            let member =
                |(key, value)| (to_json(key).as_str().expect("keys are texts").to_owned(), to_json(value));
            Value::Object(members.iter().map(member).collect::<Map<_, _>>())
        }
        Yaml::Tagged(tag, value) => {
            let name = if tag.suffix == "Ref" { "Ref".to_owned() } else { format!("Fn::{}", tag.suffix) };
            json!({ name: to_json(value) })
        }
        other => panic!("the template has {other:?}"),
    }
}

#[test]
fn functions_of_a_template_are_read_in_their_long_form() {
    let documents =
        Yaml::load_from_str("a: !Ref B\nb: !If [C, !Sub \"${D}\", 1]\nc: !GetAtt E.Arn\n").unwrap();
    let expected = json!({
        "a": {"Ref": "B"}, "b": {"Fn::If": ["C", {"Fn::Sub": "${D}"}, 1]}, "c": {"Fn::GetAtt": "E.Arn"}
    });
    assert_eq!(to_json(&documents[0]), expected);
}
