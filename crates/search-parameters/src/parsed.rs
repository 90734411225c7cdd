//! The values of the parameters of a request.

use api::wire::fields::ChosenField;
use domain::search::{PageStart, Restriction, SearchRequest, Sort};
use domain::{Currency, Fault, FaultKind};

use crate::required_versions::RequiredVersions;

/// The parameters of a request, read and checked. Those that the endpoint does not take have their defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSearch {
    /// The search; its facets are those that were named.
    pub request: SearchRequest,
    /// True if the query was longer than the bounds, and was cut at them.
    pub is_truncated: bool,
    /// True if facets are also selected automatically: `facets=*`.
    pub auto_facets: bool,
    /// The fields of the products in the answer; all if empty.
    pub fields: Vec<ChosenField>,
    /// True if the answer explains the rank of each product.
    pub explain: bool,
    /// The writes that the answer must reflect. They do not select products, so they are not part of the cache key.
    pub required: RequiredVersions,
    /// The prefix of the values to list.
    pub prefix: String,
    /// The most values, completions or products of a list; 0 for endpoints without such a limit.
    pub limit: usize,
}

impl ParsedSearch {
    /// Returns the parameters that ask for `request` and nothing else.
    pub fn of(request: SearchRequest) -> Self {
        Self {
            request,
            is_truncated: false,
            auto_facets: false,
            fields: Vec::new(),
            explain: false,
            required: RequiredVersions::default(),
            prefix: String::new(),
            limit: 0,
        }
    }

    /// Restricts the search to the products that the client may find.
    ///
    /// # Errors
    /// If the page begins at the cursor of a search with another restriction.
    pub fn restricted_to(mut self, restriction: &Restriction) -> Result<Self, Fault> {
        if let PageStart::After(cursor) = &self.request.page.start
            && cursor.restriction != restriction.fingerprint()
        {
            let message = "belongs to a search with other credentials; begin at the first page";
            return Err(Fault::new("cursor", FaultKind::Malformed, message));
        }
        self.request.restriction = restriction.clone();
        Ok(self)
    }
}

/// Parameters while they are read.
pub(crate) struct Draft {
    /// The values so far.
    pub(crate) parsed: ParsedSearch,
    /// True if the currency could not be read, so the number of its decimals is unknown.
    pub(crate) has_unknown_currency: bool,
    /// The order, if one is named.
    pub(crate) sort: Option<Sort>,
    /// The number of the page, if one is named.
    pub(crate) page: Option<usize>,
}

impl Draft {
    /// Returns the defaults, with prices in `currency`.
    pub(crate) fn new(currency: Currency) -> Self {
        let parsed = ParsedSearch::of(SearchRequest::all(currency));
        Self { parsed, has_unknown_currency: false, sort: None, page: None }
    }
}
