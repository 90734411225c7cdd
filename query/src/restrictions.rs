//! The filters of keys and tenants, which restrict every search of theirs.

use std::sync::Arc;

use axum::http::StatusCode;
use domain::Currency;
use domain::search::Restriction;
use quick_cache::sync::Cache;
use runtime::Problem;

use search_parameters::read_filter;

/// The most filters that are kept in parsed form.
const MAX_CACHED: usize = 1000;

/// A parser of the filters of principals. It keeps up to [`MAX_CACHED`] of them in parsed form.
pub(crate) struct Restrictions {
    currency: Currency,
    parsed: Cache<Arc<str>, Restriction>,
}

impl Restrictions {
    /// Creates a parser that reads prices in `currency`, unless a filter names another.
    pub(crate) fn new(currency: Currency) -> Self {
        Self { currency, parsed: Cache::new(MAX_CACHED) }
    }

    /// Returns the restriction to the products that pass all filters.
    ///
    /// # Errors
    /// 403 if a filter is invalid, because without it the client would find more than it may.
    pub(crate) fn of(&self, filters: &[Arc<str>]) -> Result<Restriction, Problem> {
        let mut all = Restriction::default();
        for filter in filters {
            all = all.and(&self.parse(filter)?);
        }
        Ok(all)
    }

    fn parse(&self, filter: &Arc<str>) -> Result<Restriction, Problem> {
        if let Some(parsed) = self.parsed.get(filter) {
            return Ok(parsed);
        }
        let parsed = read_filter(filter, self.currency).map_err(|faults| {
            tracing::warn!(error.chain = %faults, "the filter of a key or a tenant token is invalid");
            Problem::new(
                StatusCode::FORBIDDEN,
                "the filter of these credentials is invalid: they need another one",
            )
        })?;
        self.parsed.insert(Arc::clone(filter), parsed.clone());
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(filters: &[&str]) -> Result<Restriction, Problem> {
        let filters: Vec<Arc<str>> = filters.iter().map(|filter| Arc::from(*filter)).collect();
        let restrictions = Restrictions::new(Currency::USD);
        let first = restrictions.of(&filters)?;
        assert_eq!(first, restrictions.of(&filters)?, "from the cache");
        Ok(first)
    }

    #[test]
    fn all_filters_apply() {
        assert!(of(&[]).unwrap().is_none());
        assert_eq!(of(&["brand=Acme", "inStock=true"]).unwrap().conditions().len(), 2);
        assert_eq!(of(&["brand=Acme", "brand=Other"]).unwrap().conditions().len(), 2, "and, not or");
    }

    #[test]
    fn an_invalid_filter_refuses_the_request() {
        for filters in
            [&["brand=Acme", "query=x"][..], &["colour=red"], &[""], &["brand="], &["priceRange=x"]]
        {
            let problem = of(filters).unwrap_err();
            assert_eq!(problem.status(), StatusCode::FORBIDDEN, "{filters:?}");
            assert!(!problem.detail().contains("Acme"));
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let restrictions = Restrictions::new(Currency::USD);
        for number in 0..3 * MAX_CACHED {
            restrictions.of(&[Arc::from(format!("brand={number}"))]).unwrap();
        }
        assert!(restrictions.parsed.len() <= MAX_CACHED);
    }
}
