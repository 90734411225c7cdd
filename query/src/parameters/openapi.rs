//! The parameters in the OpenAPI document.

use utoipa::openapi::path::{ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, ArrayItems, ObjectBuilder, OneOfBuilder, Schema, SchemaType,
    Type,
};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{PartialSchema, ToSchema};

use crate::parameters::body::MAX_SEARCHES;
use crate::parameters::parameter::{Endpoint, Kind, Parameter, TextBounds};
use crate::parameters::table;

/// The body of one search: its parameters as fields.
pub(crate) struct SearchBody;

/// The body of one search or of several.
pub(crate) struct SearchesBody;

/// Returns the parameters of an endpoint.
pub(crate) fn parameters(endpoint: Endpoint) -> Vec<utoipa::openapi::path::Parameter> {
    table::of(endpoint).map(describe).collect()
}

fn describe(parameter: &Parameter) -> utoipa::openapi::path::Parameter {
    let mut described = ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(&*parameter.about))
        .schema(Some(schema(parameter.kind)))
        .build();
    // OpenAPI has no parameters with free names. Each member of an exploded object is sent as a parameter of its own. The
    // values of a list are repeated by default; only facets are separated by commas.
    described.explode = match parameter.kind {
        Kind::Attributes { .. } => Some(true),
        Kind::FacetNames { .. } => Some(false),
        _ => None,
    };
    described.style = described.explode.map(|_| ParameterStyle::Form);
    described
}

fn schema(kind: Kind) -> Schema {
    match kind {
        Kind::Text(bounds) => text(bounds).build().into(),
        Kind::Texts { each, max_items } => list(text(each), max_items).build().into(),
        Kind::FacetNames { max_items } => list(text(TextBounds::NONE), max_items).build().into(),
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
    let choices = (!choices.is_empty()).then(|| choices.iter().copied());
    text.min_length(min_chars).max_length(max_chars).pattern(pattern).enum_values(choices)
}

fn list(item: ObjectBuilder, max_items: usize) -> ArrayBuilder {
    ArrayBuilder::new().items(item).max_items(Some(max_items))
}

impl ToSchema for SearchBody {}

impl PartialSchema for SearchBody {
    fn schema() -> RefOr<Schema> {
        let mut body = ObjectBuilder::new();
        for parameter in table::of(Endpoint::Search) {
            body = body.property(parameter.field_name(), field(parameter));
        }
        body.additional_properties(Some(AdditionalProperties::FreeForm(false))).build().into()
    }
}

fn field(parameter: &Parameter) -> Schema {
    let about = Some(&*parameter.about);
    match (parameter.kind, schema(parameter.kind)) {
        (Kind::Attributes { max_items }, _) => attributes_field(max_items),
        (_, Schema::Array(array)) => one_or_several(array, about),
        (_, Schema::Object(object)) => ObjectBuilder::from(object).description(about).build().into(),
        (_, schema) => schema,
    }
}

impl ToSchema for SearchesBody {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((SearchBody::name().into_owned(), SearchBody::schema()));
    }
}

impl PartialSchema for SearchesBody {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(SearchBody::name());
        let searches =
            ArrayBuilder::new().items(one.clone()).min_items(Some(1)).max_items(Some(MAX_SEARCHES));
        let several = ObjectBuilder::new()
            .description(Some("Several searches, answered on one snapshot of the catalogue."))
            .property("searches", searches)
            .required("searches")
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        Schema::from(OneOfBuilder::new().item(one).item(several).build()).into()
    }
}

/// Returns the schema of a list, or of one of its values alone.
fn one_or_several(list: Array, description: Option<&str>) -> Schema {
    let mut both = OneOfBuilder::new().description(description);
    if let ArrayItems::RefOrSchema(one) = &list.items {
        both = both.item((**one).clone());
    }
    both.item(list).build().into()
}

fn attributes_field(max_items: usize) -> Schema {
    let one = || {
        let types = [Type::String, Type::Number, Type::Boolean];
        ObjectBuilder::new().schema_type(SchemaType::from_iter(types))
    };
    let values = OneOfBuilder::new().item(one()).item(list(one(), max_items));
    let about = "Filters by attributes: keys with a value or a list of values, such as `\"red\"`, `13`, `true`; \
                 `\"10..20\"` is a range of numbers.";
    ObjectBuilder::new()
        .description(Some(about))
        .additional_properties(Some(Schema::from(values.build())))
        .build()
        .into()
}
