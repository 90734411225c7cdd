//! The filter of a key or a tenant token: a query string of filters only.

use domain::search::{Condition, Restriction, SearchRequest};
use domain::{Currency, Fault, FaultKind, Faults};

use crate::parameter::Endpoint;
use crate::read::read;

/// Reads a filter, such as `brand=Acme&attributes.market=de`: the filters of a search, with the same meaning. Prices are in
/// `default_currency` unless the filter names another.
///
/// # Errors
/// All faults together; the field of each is the name of the parameter. A filter without any condition is a fault, and so is a
/// parameter that is not a filter.
pub fn read_filter(filter: &str, default_currency: Currency) -> Result<Restriction, Faults> {
    let SearchRequest { filters, currency, .. } = read(Endpoint::Filter, filter, default_currency)?.request;
    if filters.count() == 0 {
        let message = "must have at least one condition, such as `brand=Acme`";
        return Err(Fault::new("", FaultKind::Missing, message).into());
    }
    Ok(Restriction::to(vec![Condition { filters, currency }]))
}

/// Returns a check of filters without a search, for example of the filter of a new key. Its faults are those of [`read_filter`].
pub fn filter_check(default_currency: Currency) -> impl Fn(&str) -> Result<(), Faults> {
    move |filter| read_filter(filter, default_currency).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    fn faults(filter: &str) -> Vec<String> {
        let faults = read_filter(filter, Currency::USD).unwrap_err();
        faults.listed().iter().map(|fault| fault.field.clone()).collect()
    }

    #[test]
    fn a_filter_has_the_filters_of_a_search() {
        let filter = "category=Home&brand=A&brand=B&tags=new&priceRange=-100&inStock=true&attributes.market=de\
                      &attributes[w]=1..2&currency=EUR";
        let restriction = read_filter(filter, Currency::USD).unwrap();
        let [Condition { filters, currency }] = restriction.conditions() else { panic!("{restriction:?}") };
        assert_eq!((filters.count(), currency.code()), (8, "EUR"));
        let search = read(Endpoint::Search, filter, Currency::USD).unwrap();
        assert_eq!(search.request.filters, *filters);
    }

    #[test]
    fn nothing_else_is_a_filter() {
        let filters = ["category", "brand", "tags", "priceRange", "inStock", "attributes.KEY", "currency"];
        let others = table::all().iter().map(|row| row.name).filter(|name| !filters.contains(name));
        for name in others {
            assert_eq!(faults(&format!("brand=A&{name}=1")), [name]);
        }
        assert_eq!(faults("brand=A&?brand=B&page=1&brnad=C"), ["?brand", "brnad", "page"]);
        assert_eq!(faults("inStock=perhaps&inStock=true"), ["inStock", "inStock"]);
        for nothing in ["", "&", "currency=EUR"] {
            assert_eq!(faults(nothing), [""], "{nothing}");
        }
        let many: String = (0..=20).map(|n| format!("&brand={n}")).collect();
        assert_eq!(faults(&many), [""], "as many as a search has");
    }
}
