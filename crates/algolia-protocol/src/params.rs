//! The parameters of one search: members of a JSON object, or pairs of an encoded query string in its member `params`.

use serde_json::{Map, Value};

use crate::error::RequestError;

/// Parameters that are accepted without effect. One kind of search reads some of them, but clients send them with the other kind as well.
const IGNORED: [&str; 51] = [
    "advancedSyntax",
    "advancedSyntaxFeatures",
    "allowTyposOnNumericTokens",
    "alternativesAsExact",
    "analytics",
    "analyticsTags",
    "attributeCriteriaComputedByMinProximity",
    "attributesToHighlight",
    "attributesToSnippet",
    "clickAnalytics",
    "decompoundQuery",
    "disableExactOnAttributes",
    "disableTypoToleranceOnAttributes",
    "disableTypoToleranceOnWords",
    "distinct",
    "enableABTest",
    "enablePersonalization",
    "enableReRanking",
    "enableRules",
    "exactOnSingleWordQuery",
    "explain",
    "extensions",
    "facetingAfterDistinct",
    "getRankingInfo",
    "highlightResults",
    "ignorePlurals",
    "maxFacetHits",
    "minProximity",
    "minWordSizefor1Typo",
    "minWordSizefor2Typos",
    "mode",
    "naturalLanguages",
    "percentileComputation",
    "personalizationImpact",
    "queryLanguages",
    "queryType",
    "relevancyStrictness",
    "removeStopWords",
    "removeWordsIfNoResults",
    "renderingContent",
    "replaceSynonymsInHighlight",
    "responseFields",
    "restrictHighlightAndSnippetArrays",
    "ruleContexts",
    "similarQuery",
    "snippetEllipsisText",
    "sortFacetValuesBy",
    "sumOrFiltersScores",
    "synonyms",
    "typoTolerance",
    "userToken",
];
/// Unsupported parameters that would change the matches.
const UNSUPPORTED: [&str; 14] = [
    "aroundLatLng",
    "aroundLatLngViaIP",
    "aroundPrecision",
    "aroundRadius",
    "insideBoundingBox",
    "insidePolygon",
    "length",
    "minimumAroundRadius",
    "offset",
    "optionalFilters",
    "optionalWords",
    "restrictSearchableAttributes",
    "reRankingApplyFilter",
    "tagFilters",
];

/// The parameters that were not taken yet.
pub(crate) struct Params(Map<String, Value>);

impl Params {
    /// Merges an object with its member `params`: an encoded query string or an object, whose parameters take precedence.
    pub(crate) fn new(mut members: Map<String, Value>) -> Result<Self, RequestError> {
        match members.remove("params") {
            None | Some(Value::Null) => {}
            Some(Value::String(encoded)) => {
                for (name, value) in form_urlencoded::parse(encoded.as_bytes()) {
                    members.insert(name.into_owned(), Value::String(value.into_owned()));
                }
            }
            Some(Value::Object(more)) => members.extend(more),
            Some(_) => return Err(RequestError::invalid("params", "must be a string")),
        }
        members.retain(|_, value| !value.is_null());
        Ok(Self(members))
    }

    /// Takes a string.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, RequestError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(RequestError::invalid(name, "must be a string")),
        }
    }

    /// Takes a number from 0 to `max`.
    pub(crate) fn number(&mut self, name: &str, max: usize) -> Result<Option<usize>, RequestError> {
        let number = match self.0.remove(name) {
            None => return Ok(None),
            Some(Value::String(digits)) => digits.trim().parse().ok(),
            Some(value) => value.as_u64(),
        };
        let number = number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number <= max);
        number
            .map(Some)
            .ok_or_else(|| RequestError::invalid(name, format!("must be a number from 0 to {max}")))
    }

    /// Takes a flag: true for `true` or `"true"`, false for anything else.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        match self.0.remove(name) {
            Some(Value::String(text)) => text == "true",
            value => value == Some(Value::Bool(true)),
        }
    }

    /// Takes a value. A string that begins with `[` is read as JSON.
    pub(crate) fn json(&mut self, name: &str) -> Result<Value, RequestError> {
        match self.0.remove(name) {
            None => Ok(Value::Null),
            Some(Value::String(text)) if text.trim_start().starts_with('[') => {
                serde_json::from_str(&text).map_err(|_| RequestError::invalid(name, "is not JSON"))
            }
            Some(value) => Ok(value),
        }
    }

    /// Takes a list of strings: an array, an array as a string, or a string of parts separated by commas.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, RequestError> {
        let wrong = || RequestError::invalid(name, "must be a list of strings");
        match self.json(name)? {
            Value::Null => Ok(None),
            Value::String(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Ok(Some(parts.map(str::to_owned).collect()))
            }
            Value::Array(values) => {
                let texts = values.into_iter().map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err(wrong()),
                });
                texts.collect::<Result<_, _>>().map(Some)
            }
            _ => Err(wrong()),
        }
    }

    /// Rejects the parameters that were not taken, except those without effect, empty unsupported ones, and names with a leading `_`,
    /// which clients use themselves.
    pub(crate) fn finish(self) -> Result<(), RequestError> {
        for (name, value) in &self.0 {
            let name = name.as_str();
            // Older clients send some unsupported parameters without a value.
            let is_empty = value == "" || value.as_array().is_some_and(Vec::is_empty);
            if UNSUPPORTED.contains(&name) && is_empty {
                continue;
            }
            if UNSUPPORTED.contains(&name) {
                return Err(RequestError::invalid(name, "is a parameter that Noren does not have"));
            }
            if !IGNORED.contains(&name) && !name.starts_with('_') {
                return Err(RequestError::invalid(name, "is not a parameter of a search"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "so that tests read well")]
    fn params(members: Value) -> Params {
        Params::new(members.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn parameters_are_members_or_encoded() {
        let encoded = "query=a%20b+c&page=2&facets=%5B%22x%22%2C%22y%22%5D&clickAnalytics=true&hitsPerPage=";
        for mut params in [
            params(json!({"params": encoded})),
            params(
                json!({"query": "a b c", "page": 2, "facets": ["x", "y"], "clickAnalytics": true, "hitsPerPage": -1}),
            ),
        ] {
            assert_eq!(params.text("query").unwrap().unwrap(), "a b c");
            assert_eq!(params.number("page", 9).unwrap(), Some(2));
            assert_eq!(params.list("facets").unwrap().unwrap(), ["x", "y"]);
            assert!(params.flag("clickAnalytics") && !params.flag("analytics"));
            assert!(params.number("hitsPerPage", 9).is_err());
            assert!(params.finish().is_ok());
        }
        assert_eq!(params(json!({"facets": "x"})).list("facets").unwrap().unwrap(), ["x"]);
        assert!(params(json!({"facets": "[\"x\""})).list("facets").is_err());
        assert!(params(json!({"facets": [1]})).list("facets").is_err());
        assert!(params(json!({"query": 1})).text("query").is_err());
        assert!(Params::new(json!({"params": 1}).as_object().unwrap().clone()).is_err());
    }

    #[test]
    fn what_has_no_effect_is_ignored_and_the_rest_refused() {
        assert!(
            params(json!({"userToken": "x", "analytics": false, "tagFilters": "", "optionalWords": [], "_automaticInsights": true, "x": null}))
                .finish()
                .is_ok()
        );
        for name in ["aroundLatLng", "optionalWords", "qurey"] {
            let error = params(json!({name: "x"})).finish().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
