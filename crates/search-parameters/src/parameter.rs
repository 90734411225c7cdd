//! A search parameter: one row of the [table](super::table).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use api::parameters::ParameterReader;

use crate::parsed::{Draft, ParsedSearch};

/// The prefix of the name of a parameter that filters by an attribute; the key follows.
pub(crate) const ATTRIBUTE_PREFIX: &str = "attributes.";
/// The beginning of the other form of this name, `attributes[KEY]`, which OpenAPI calls `deepObject`.
pub(crate) const ATTRIBUTE_BRACKET: &str = "attributes[";

/// The complete definition of one parameter.
///
/// The query string, the JSON body, the cache key, the OpenAPI document, "did you mean" and the flags of the command line
/// are derived from it. To add a parameter that only changes the answer, add a row to the [table](super::table), a field to
/// [`ParsedSearch`] and the behaviour of that field.
pub struct Parameter {
    /// The name in a query string, `pageSize`. `attributes.KEY` stands for `attributes.` followed by any key.
    pub name: &'static str,
    /// Names that other services use for it, [folded](text::did_you_mean::fold). They are not accepted; the error suggests this parameter.
    pub aliases: &'static [&'static str],
    /// The endpoints that take it.
    pub endpoints: &'static [Endpoint],
    /// The type and the bounds of its value.
    pub kind: Kind,
    /// The description in the OpenAPI document, in Markdown.
    pub about: Cow<'static, str>,
    /// The value that tools such as Swagger UI send at first; `None` if they should leave the parameter out.
    pub example: Option<Example>,
    /// The flag of the command line; `None` if it has none.
    pub flag: Option<Flag>,
    /// The parameters to read first, because the bounds of this one depend on them.
    pub(crate) needs: &'static [&'static str],
    /// Takes the values from the request, and reports their faults.
    pub(crate) read: fn(&Self, &mut ParameterReader, &mut Draft),
    /// Appends the values to the canonical query string, unless they are the default.
    pub(crate) write: fn(&Self, &ParsedSearch, &mut String),
}

impl Parameter {
    /// Returns the name of the field in a JSON body.
    pub fn field_name(&self) -> &'static str {
        match self.kind {
            Kind::Attributes { .. } => self.name.trim_end_matches(".KEY"),
            _ => self.name,
        }
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// An endpoint that takes parameters, or the filter of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/products/search`.
    Search,
    /// `/products/facets/{field}`.
    FacetValues,
    /// `/products/suggest`.
    Suggest,
    /// `/products/{id}/similar`.
    Similar,
    /// `/products/{id}/explain`.
    Explain,
    /// The filter of a key or a tenant token, which restricts all endpoints.
    Filter,
}

/// The type and the bounds of a parameter.
///
/// In a query string, parameters that take several values are repeated. In a JSON body they are lists, or one value alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text(TextBounds),
    /// Several strings.
    Texts {
        /// The bounds of each.
        each: TextBounds,
        /// The most values.
        max_items: usize,
    },
    /// Several names of fields. In a query string they may also be separated by commas.
    Names {
        /// The bounds of each.
        each: TextBounds,
        /// The most names.
        max_items: usize,
    },
    /// An integer.
    Number {
        /// The least value.
        min: usize,
        /// The greatest value.
        max: usize,
        /// The documented default.
        default: Option<usize>,
    },
    /// Seconds, with decimals.
    Seconds {
        /// The greatest value; the least is 0.
        max: Duration,
        /// The default.
        default: Duration,
    },
    /// `true` or `false`.
    Flag {
        /// The default; `None` if leaving the parameter out differs from both.
        default: Option<bool>,
    },
    /// Conditions on attributes. In a query string, each key is a parameter; in a JSON body, the field is an object of keys
    /// with a string, number or boolean each, or a list of these.
    Attributes {
        /// The most values per key.
        max_items: usize,
    },
}

/// The bounds of a string, as the OpenAPI document states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextBounds {
    /// The fewest characters.
    pub min_chars: Option<usize>,
    /// The most characters.
    pub max_chars: Option<usize>,
    /// A regular expression that the string matches, for documentation only: nothing here applies it.
    pub pattern: Option<&'static str>,
    /// The allowed values; empty if any is allowed. With a pattern, other values that match it are allowed as well.
    pub choices: &'static [&'static str],
    /// The description of each choice, in the same order.
    pub choices_help: &'static [&'static str],
}

impl TextBounds {
    /// No bounds.
    pub const NONE: Self =
        Self { min_chars: None, max_chars: None, pattern: None, choices: &[], choices_help: &[] };
}

/// An example in the OpenAPI document. The examples of an endpoint together are a request that the demo catalogue answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// The only value.
    Value(&'static str),
    /// The values of a list.
    List(&'static [&'static str]),
    /// The value of an attribute.
    Attribute {
        /// The key.
        key: &'static str,
        /// The value.
        value: &'static str,
    },
}

/// A flag of the command line that sets a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The name without dashes, `in-stock`.
    pub name: &'static str,
    /// The placeholder of its value; `None` for a flag without one, which sets the parameter to `true`.
    pub value_name: Option<&'static str>,
    /// The help text.
    pub help: &'static str,
}
