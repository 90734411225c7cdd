//! The parameters that select products for a delete.

use api::parameters::{ParameterReader, unknown_among};
use api::problems::bad_parameters;
use domain::input::{MAX_LABEL_CHARS, parse_label};
use domain::{CategoryPath, FaultKind, Selection, Status};
use jiff::Timestamp;
use runtime::Problem;
use utoipa::IntoParams;

/// The names of the parameters.
const PARAMETERS: [&str; 7] = ["source", "category", "brand", "status", "updatedBefore", "all", "dryRun"];

/// The parameters of `DELETE /products`, for the OpenAPI document. [`SelectionRequest::read`] reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "its fields are only documented")]
pub(super) struct SelectionParameters {
    /// The source of the products. Repeat it for several.
    #[param(nullable = false, min_length = 1, max_length = 128)]
    source: Option<Vec<String>>,
    /// The category of the products, with everything below it. Repeat it for several.
    #[param(nullable = false)]
    category: Option<Vec<String>>,
    /// The brand of the products, as they write it. Repeat it for several.
    #[param(nullable = false)]
    brand: Option<Vec<String>>,
    /// The status of the products. Repeat it for several.
    #[param(nullable = false)]
    status: Option<Vec<Status>>,
    /// Selects products that were last written before this time (RFC 3339).
    #[param(nullable = false, example = "2026-02-01T12:00:00Z")]
    updated_before: Option<String>,
    /// `true` selects every product. Required if there is no condition, refused with one.
    #[param(nullable = false)]
    all: Option<bool>,
    /// `true` counts the products and deletes nothing.
    #[param(nullable = false)]
    dry_run: Option<bool>,
}

/// A request to delete a selection.
#[derive(Debug)]
pub(super) struct SelectionRequest {
    pub(super) selection: Selection,
    pub(super) is_dry_run: bool,
}

impl SelectionRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// 400 with all faults, and if there is no condition.
    pub(super) fn read(mut parameters: ParameterReader) -> Result<Self, Problem> {
        let label = |text: &str| parse_label(text, MAX_LABEL_CHARS);
        let malformed = |message: String| (FaultKind::Malformed, message);
        let selection = Selection {
            sources: parameters.list("source", label),
            categories: parameters.list("category", |text| CategoryPath::parse(text).map_err(malformed)),
            brands: parameters.list("brand", label),
            statuses: parameters.list("status", |text| Status::parse(text).map_err(malformed)),
            updated_before: parameters.parsed("updatedBefore", |text| {
                let example = "must be a time such as `2026-02-01T12:00:00Z`";
                text.parse::<Timestamp>().map_err(|_| malformed(example.to_owned()))
            }),
            ..Selection::default()
        };
        let is_dry_run = parameters.flag("dryRun").unwrap_or_default();
        match (parameters.flag("all").unwrap_or_default(), selection.is_everything()) {
            (false, true) => {
                let message = "must be `true` to select every product; or give `source`, `category`, `brand`, `status` or \
                               `updatedBefore`";
                parameters.fault("all", FaultKind::Missing, message);
            }
            (true, false) => {
                parameters.fault(
                    "all",
                    FaultKind::Malformed,
                    "cannot be combined with a condition; leave out `all` or the condition",
                );
            }
            _ => {}
        }
        parameters.finish(|_| unknown_among(&PARAMETERS)).map_err(|faults| bad_parameters(&faults))?;
        Ok(Self { selection, is_dry_run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<SelectionRequest, Problem> {
        SelectionRequest::read(ParameterReader::of_query(query))
    }

    #[test]
    fn conditions_are_read() {
        let query = "source=erp&source=shop&category=Home+%3E+Lamps&brand=A%26B&status=draft&updatedBefore=2026-02-01T12:00:00Z";
        let SelectionRequest { selection, is_dry_run } = read(query).unwrap();
        assert_eq!(selection.sources, ["erp", "shop"]);
        assert_eq!(selection.categories, [CategoryPath::parse("Home > Lamps").unwrap()]);
        assert_eq!((selection.brands, selection.statuses), (vec!["A&B".to_owned()], vec![Status::Draft]));
        assert!(selection.updated_before.is_some() && !is_dry_run);
        let everything = read("all=true&dryRun=true").unwrap();
        assert!(everything.selection.is_everything() && everything.is_dry_run);
    }

    #[test]
    fn nothing_is_selected_by_a_mistake() {
        for (query, field) in [
            ("", "all"),
            ("all=false", "all"),
            ("dryRun=true", "all"),
            ("all=true&brand=A", "all"),
            ("all=yes", "all"),
            ("source=", "source"),
            ("brnad=A", "brnad"),
            ("status=gone", "status"),
            ("category=%3E", "category"),
            ("updatedBefore=yesterday", "updatedBefore"),
            ("updatedBefore=2026-02-01T12:00:00Z&updatedBefore=2026-02-01T12:00:00Z", "updatedBefore"),
        ] {
            let problem = serde_json::to_value(read(query).unwrap_err()).unwrap();
            assert_eq!(problem["status"], 400, "{query}");
            let errors = problem["errors"].as_array().unwrap();
            assert!(errors.iter().any(|error| error["field"] == field), "{query}: {problem}");
        }
    }
}
