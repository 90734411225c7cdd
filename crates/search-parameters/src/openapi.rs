//! The parameters in the OpenAPI document.

use serde_json::{Value, json};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, ArrayItems, ObjectBuilder, OneOfBuilder, Schema, Type,
};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

use crate::body::MAX_SEARCHES;
use crate::parameter::{Endpoint, Example, Kind, Parameter, TextBounds};
use crate::table;

/// The schema of the values of one attribute in a body.
const ATTRIBUTE_FILTER: &str = "AttributeFilter";

/// The body of one search: its parameters as fields.
pub struct SearchBody;

/// The body of several searches.
struct SearchBatch;

/// The body of one search or of several.
pub struct SearchesBody;

/// Returns the parameters of an endpoint.
pub fn parameters(endpoint: Endpoint) -> Vec<utoipa::openapi::path::Parameter> {
    table::of(endpoint).map(describe).collect()
}

fn describe(parameter: &Parameter) -> utoipa::openapi::path::Parameter {
    let mut described = ParameterBuilder::new()
        .name(parameter.field_name())
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(&*parameter.about))
        .schema(Some(schema(parameter.kind)))
        .example(parameter.example.map(example))
        .build();
    // The values of a list are repeated by default; only names are separated by commas.
    (described.style, described.explode) = match parameter.kind {
        Kind::Attributes { .. } => (Some(ParameterStyle::DeepObject), Some(true)),
        Kind::Names { .. } => (Some(ParameterStyle::Form), Some(false)),
        _ => (None, None),
    };
    described
}

fn example(example: Example) -> Value {
    match example {
        Example::Value(value) => json!(value),
        Example::List(values) => json!(values),
        Example::Attribute { key, value } => json!({ key: value }),
    }
}

fn schema(kind: Kind) -> Schema {
    match kind {
        Kind::Text(bounds) => text(bounds).build().into(),
        Kind::Texts { each, max_items } => list(text(each), max_items).build().into(),
        Kind::Names { each, max_items } => list(text(each), max_items).build().into(),
        Kind::Number { min, max, default } => {
            let number =
                ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(min)).maximum(Some(max));
            number.default(default.map(Into::into)).build().into()
        }
        Kind::Seconds { max, default } => {
            let seconds = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0));
            let seconds = seconds.maximum(Some(max.as_secs())).default(Some(default.as_secs().into()));
            seconds.build().into()
        }
        Kind::Flag { default } => {
            ObjectBuilder::new().schema_type(Type::Boolean).default(default.map(Into::into)).build().into()
        }
        Kind::Attributes { .. } => {
            let any = Schema::from(text(TextBounds::NONE).build());
            ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(any)).build().into()
        }
    }
}

fn text(bounds: TextBounds) -> ObjectBuilder {
    let TextBounds { min_chars, max_chars, pattern, choices, choices_help: _ } = bounds;
    let text = ObjectBuilder::new().schema_type(Type::String);
    let choices = (!choices.is_empty() && pattern.is_none()).then(|| choices.iter().copied());
    text.min_length(min_chars).max_length(max_chars).pattern(pattern).enum_values(choices)
}

fn list(item: impl Into<ArrayItems>, max_items: usize) -> ArrayBuilder {
    ArrayBuilder::new().items(item).max_items(Some(max_items))
}

impl ToSchema for SearchBody {
    /// Adds a named schema for every union, so that generated clients have a type for it.
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for parameter in table::of(Endpoint::Search) {
            match (parameter.kind, schema(parameter.kind)) {
                (Kind::Attributes { max_items }, _) => {
                    schemas.push((ATTRIBUTE_FILTER.to_owned(), attribute_filter(max_items).into()));
                }
                (_, Schema::Array(array)) => {
                    schemas.push((values_name(parameter), one_or_several(array).into()));
                }
                _ => {}
            }
        }
    }
}

impl PartialSchema for SearchBody {
    fn schema() -> RefOr<Schema> {
        let mut body = ObjectBuilder::new().description(Some("A search: its parameters as fields."));
        for parameter in table::of(Endpoint::Search) {
            body = body.property(parameter.field_name(), field(parameter));
        }
        body.additional_properties(Some(AdditionalProperties::FreeForm(false))).build().into()
    }
}

fn field(parameter: &Parameter) -> RefOr<Schema> {
    let about = &*parameter.about;
    match (parameter.kind, schema(parameter.kind)) {
        (Kind::Attributes { .. }, _) => attributes_field().into(),
        (_, Schema::Array(_)) => {
            let mut values = Ref::from_schema_name(values_name(parameter));
            values.description = about.to_owned();
            values.into()
        }
        (_, Schema::Object(mut object)) => {
            // Client generators treat a field with a default as always present, so the description states the default instead.
            let default = object.default.take();
            let default = default.map(|default| format!(" Default: `{default}`.")).unwrap_or_default();
            let object = ObjectBuilder::from(object).description(Some(format!("{about}{default}")));
            Schema::from(object.build()).into()
        }
        (_, schema) => schema.into(),
    }
}

/// Returns the name of the schema for the values of a field: `brand` has `BrandValues`.
fn values_name(parameter: &Parameter) -> String {
    let (first, rest) = parameter.name.split_at(1);
    format!("{}{rest}Values", first.to_ascii_uppercase())
}

impl ToSchema for SearchBatch {}

impl PartialSchema for SearchBatch {
    fn schema() -> RefOr<Schema> {
        let searches = ArrayBuilder::new()
            .items(Ref::from_schema_name(SearchBody::name()))
            .min_items(Some(1))
            .max_items(Some(MAX_SEARCHES));
        ObjectBuilder::new()
            .description(Some("Several searches, answered on one snapshot of the catalogue."))
            .property("searches", searches)
            .required("searches")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build()
            .into()
    }
}

impl ToSchema for SearchesBody {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((SearchBody::name().into_owned(), SearchBody::schema()));
        SearchBody::schemas(schemas);
        schemas.push((SearchBatch::name().into_owned(), SearchBatch::schema()));
    }
}

impl PartialSchema for SearchesBody {
    /// The schema of several searches comes first: clients that try the schemas in order would accept any object as one search.
    fn schema() -> RefOr<Schema> {
        let bodies = OneOfBuilder::new()
            .description(Some("One search, or several."))
            .item(Ref::from_schema_name(SearchBatch::name()))
            .item(Ref::from_schema_name(SearchBody::name()));
        Schema::from(bodies.build()).into()
    }
}

/// Returns the schema of either a list or a single value of it.
fn one_or_several(list: Array) -> Schema {
    let mut both = OneOfBuilder::new().description(Some("One value, or a list of values."));
    if let ArrayItems::RefOrSchema(one) = &list.items {
        both = both.item((**one).clone());
    }
    both.item(list).build().into()
}

fn attributes_field() -> Schema {
    let about = "Filters by attributes: keys with a value or a list of values, such as `\"red\"`, `13`, `true`; \
                 `\"10..20\"` is a range of numbers.";
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(about))
        .additional_properties(Some(Ref::from_schema_name(ATTRIBUTE_FILTER)))
        .build()
        .into()
}

fn attribute_filter(max_items: usize) -> Schema {
    let about = "The value of an attribute, or a list of values of which one is enough; a text such as `10..20` is a range \
                 of numbers. In a list, write numbers as texts.";
    let mut filter = OneOfBuilder::new().description(Some(about));
    for kind in [Type::String, Type::Number, Type::Boolean] {
        filter = filter.item(ObjectBuilder::new().schema_type(kind));
    }
    filter.item(list(text(TextBounds::NONE), max_items)).build().into()
}
