//! One condition of a filter: `brand:Acme`, `price >= 10`, `price:10 TO 20`.

use domain::search::{AttributeFilter, Field, Filters};
use domain::{CategoryPath, Currency, Money, MoneyError, PriceRange};

use crate::attribute::Attribute;

/// A condition on one attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) attribute: Attribute,
    pub(crate) test: Test,
    pub(crate) is_negated: bool,
}

/// The test of a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// The attribute has this value.
    Is(String),
    /// The attribute is a number in this range.
    Range(Range),
}

/// A range of numbers, as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Range {
    pub(crate) min: Option<Bound>,
    pub(crate) max: Option<Bound>,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    /// The number as written. Prices are parsed from it, because a float would not be exact.
    text: String,
    number: f64,
    is_exclusive: bool,
}

/// The comparison operators. Longer ones come first, so that `<` does not match the start of `<=`.
pub(crate) const OPERATORS: [&str; 6] = ["<=", ">=", "!=", "=", "<", ">"];

impl Bound {
    fn parse(text: &str, is_exclusive: bool) -> Result<Self, String> {
        let text = text.trim();
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let number = number.ok_or_else(|| format!("`{text}` is not a number"))?;
        Ok(Self { text: text.to_owned(), number, is_exclusive })
    }
}

impl Condition {
    /// Parses `attribute:value`. A minus before the value negates it, and a backslash before the minus makes it part of the value.
    pub(crate) fn parse_facet(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once(':').filter(|(name, _)| !name.is_empty()) else {
            return Err(format!("`{text}` must be `attribute:value`"));
        };
        let (value, is_negated) = match value.strip_prefix('-') {
            Some(value) => (value, true),
            None => (value.strip_prefix('\\').filter(|value| value.starts_with('-')).unwrap_or(value), false),
        };
        Ok(Self { attribute: Attribute::parse_filter(name)?, test: Test::Is(value.to_owned()), is_negated })
    }

    /// Returns the condition that an attribute has a value.
    pub(crate) fn is(name: &str, value: String) -> Result<Self, String> {
        match name {
            "" => Err("lacks the name of an attribute".to_owned()),
            name => Ok(Self {
                attribute: Attribute::parse_filter(name)?,
                test: Test::Is(value),
                is_negated: false,
            }),
        }
    }

    /// Parses `attribute >= number` with any comparison, or `attribute:number TO number`.
    pub(crate) fn parse_numeric(text: &str) -> Result<Self, String> {
        let operator = OPERATORS
            .iter()
            .filter_map(|operator| Some((text.find(operator)?, operator)))
            .min_by_key(|(at, operator)| (*at, std::cmp::Reverse(operator.len())));
        if let Some((at, operator)) = operator {
            return Self::compare(&text[..at], operator, &text[at + operator.len()..]);
        }
        let range = text.rsplit_once(':').and_then(|(name, range)| Some((name, range.split_once(" TO ")?)));
        match range {
            Some((name, (min, max))) => Self::between(name, min, max),
            None => Err(format!("`{text}` must be `attribute >= number` or `attribute:number TO number`")),
        }
    }

    /// Returns the condition that a number is between two others, inclusive.
    pub(crate) fn between(name: &str, min: &str, max: &str) -> Result<Self, String> {
        let range = Range { min: Some(Bound::parse(min, false)?), max: Some(Bound::parse(max, false)?) };
        Self::numeric(name, range, false)
    }

    /// Returns the condition of a comparison.
    pub(crate) fn compare(name: &str, operator: &str, number: &str) -> Result<Self, String> {
        let bound = |is_exclusive| Bound::parse(number, is_exclusive).map(Some);
        let range = match operator {
            "<" | "<=" => Range { min: None, max: bound(operator == "<")? },
            ">" | ">=" => Range { min: bound(operator == ">")?, max: None },
            _ => Range { min: bound(false)?, max: bound(false)? },
        };
        Self::numeric(name, range, operator == "!=")
    }

    fn numeric(name: &str, range: Range, is_negated: bool) -> Result<Self, String> {
        let attribute = Attribute::parse_filter(name.trim())?;
        match attribute {
            _ if name.trim().is_empty() => Err("lacks the name of an attribute".to_owned()),
            Attribute::Field(Field::Price | Field::Attribute(_)) => {
                Ok(Self { attribute, test: Test::Range(range), is_negated })
            }
            _ => Err(format!("`{}` has no numbers to compare", name.trim())),
        }
    }

    /// Adds the value or range to the filter of its field; a value of `inStock` replaces the previous one. The caller handles the
    /// negation.
    pub(crate) fn add_to(&self, filters: &mut Filters, currency: Currency) -> Result<(), String> {
        match (&self.attribute, &self.test) {
            (Attribute::Field(Field::Brand), Test::Is(value)) => filters.brand.push(value.clone()),
            (Attribute::Field(Field::Tags), Test::Is(value)) => filters.tags.push(value.clone()),
            (Attribute::Field(Field::Category) | Attribute::Level(_), Test::Is(value)) => {
                let path = CategoryPath::parse(value).map_err(|error| format!("`{value}` {error}"))?;
                filters.category.push(path);
            }
            (Attribute::InStock, Test::Is(value)) => {
                let is_wanted =
                    value.parse().map_err(|_| format!("inStock is `true` or `false`, not `{value}`"))?;
                filters.in_stock = Some(is_wanted);
            }
            (Attribute::Field(Field::Attribute(key)), test) => {
                let filter = match test {
                    Test::Is(value) => AttributeFilter::Equals(value.clone()),
                    Test::Range(range) => range.of_numbers(),
                };
                filters.attributes.entry(key.clone()).or_default().push(filter);
            }
            (Attribute::Field(Field::Price), Test::Range(range)) => {
                filters.price.push(range.of_prices(currency))
            }
            (Attribute::Field(Field::Price), Test::Is(value)) => {
                filters.price.push(Range::exactly(value)?.of_prices(currency));
            }
            (Attribute::Field(Field::Stock), _) | (_, Test::Range(_)) => {
                return Err("has no numbers to compare".to_owned());
            }
        }
        Ok(())
    }
}

impl Range {
    fn exactly(number: &str) -> Result<Self, String> {
        let bound = Bound::parse(number, false)?;
        Ok(Self { min: Some(bound.clone()), max: Some(bound) })
    }

    /// Narrows the range to its intersection with the other one.
    pub(crate) fn narrow(&mut self, other: Self) {
        let is_higher =
            |new: &Bound, old: &Bound| (new.number, new.is_exclusive) > (old.number, old.is_exclusive);
        let is_lower =
            |new: &Bound, old: &Bound| (new.number, !new.is_exclusive) < (old.number, !old.is_exclusive);
        if let Some(new) = other.min
            && self.min.as_ref().is_none_or(|old| is_higher(&new, old))
        {
            self.min = Some(new);
        }
        if let Some(new) = other.max
            && self.max.as_ref().is_none_or(|old| is_lower(&new, old))
        {
            self.max = Some(new);
        }
    }

    fn of_numbers(&self) -> AttributeFilter {
        let end = |bound: &Option<Bound>, next: fn(f64) -> f64| {
            let bound = bound.as_ref()?;
            Some(if bound.is_exclusive { next(bound.number) } else { bound.number })
        };
        AttributeFilter::Range { min: end(&self.min, f64::next_up), max: end(&self.max, f64::next_down) }
    }

    /// Returns the prices in the range, in minor units.
    fn of_prices(&self, currency: Currency) -> PriceRange {
        let min = self.min.as_ref().map(|bound| {
            let (below, is_exact) = bound.minor_units(currency);
            if is_exact && !bound.is_exclusive { below } else { below.saturating_add(1) }
        });
        let max = self.max.as_ref().map(|bound| {
            let (below, is_exact) = bound.minor_units(currency);
            if is_exact && bound.is_exclusive { below.saturating_sub(1) } else { below }
        });
        PriceRange { min, max }
    }
}

impl Bound {
    /// Rounds down to minor units. Returns true if the result is exact. Of a negative number, only the sign is exact.
    fn minor_units(&self, currency: Currency) -> (i64, bool) {
        match Money::parse(&self.text, currency) {
            Ok(money) => (money.minor_units(), true),
            // No price is negative, so all negative bounds select the same prices.
            Err(MoneyError::Negative) => (-1, true),
            Err(_) => {
                let scaled = self.number * 10_f64.powi(currency.decimals() as i32);
                // The conversion saturates, so a huge bound stays at the limit.
                (scaled.floor() as i64, scaled.floor() == scaled)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(condition: &Condition) -> Filters {
        let mut filters = Filters::default();
        condition.add_to(&mut filters, Currency::USD).unwrap();
        filters
    }

    #[test]
    fn a_facet_filter_splits_at_the_first_colon() {
        let facet = |text: &str| {
            let Condition { test, is_negated, .. } = Condition::parse_facet(text).unwrap();
            (test, is_negated)
        };
        let is = |value: &str| Test::Is(value.to_owned());
        assert_eq!(facet("brand:Acme"), (is("Acme"), false));
        assert_eq!(facet("brand:a:b"), (is("a:b"), false));
        assert_eq!(facet("brand:-Acme"), (is("Acme"), true));
        assert_eq!(facet(r"brand:\-odd"), (is("-odd"), false));
        assert_eq!(facet(r"brand:\odd"), (is(r"\odd"), false));
        assert_eq!(facet("brand:"), (is(""), false));
        for text in ["brand", ":Acme", ""] {
            assert!(Condition::parse_facet(text).is_err(), "{text}");
        }
        let path = &filters(&Condition::parse_facet("categories.lvl1:Home > Lamps").unwrap()).category[0];
        assert_eq!(path.to_string(), "Home > Lamps");
    }

    #[test]
    fn prices_are_compared_in_minor_units() {
        for (text, min, max) in [
            ("price>=10", Some(1000), None),
            ("price > 10", Some(1001), None),
            ("price<=19.99", None, Some(1999)),
            ("price < 20", None, Some(1999)),
            ("price=5.5", Some(550), Some(550)),
            ("price:10 TO 20.5", Some(1000), Some(2050)),
            ("price>=10.005", Some(1001), None),
            ("price<=10.005", None, Some(1000)),
            ("price<10.005", None, Some(1000)),
            ("price>=-5", Some(-1), None),
            ("price>=1e1", Some(1000), None),
        ] {
            assert_eq!(
                filters(&Condition::parse_numeric(text).unwrap()).price,
                [PriceRange { min, max }],
                "{text}"
            );
        }
        for text in [
            "price",
            "price>=",
            "price>=ten",
            "price>=inf",
            "brand>=1",
            "inStock=1",
            "price:10 20",
            ">=10",
            " > 1",
        ] {
            assert!(Condition::parse_numeric(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_of_attributes_are_compared_exactly() {
        let filter = |text: &str| {
            let filters = filters(&Condition::parse_numeric(text).unwrap());
            filters.attributes["width"][0].clone()
        };
        let range = |min, max| AttributeFilter::Range { min, max };
        assert_eq!(filter("width>=10"), range(Some(10.0), None));
        assert_eq!(filter("attributes.width > -1.5"), range(Some((-1.5_f64).next_up()), None));
        assert_eq!(filter("width<10"), range(None, Some(10_f64.next_down())));
        assert!(Condition::parse_numeric("width != 3").unwrap().is_negated);
    }

    #[test]
    fn ranges_narrow_each_other() {
        let range = |text: &str| match Condition::parse_numeric(text).unwrap().test {
            Test::Range(range) => range,
            Test::Is(_) => panic!("{text}"),
        };
        let mut narrowed = range("price>=10");
        for text in ["price<=50", "price>=5", "price>10", "price<=70", "price<50"] {
            narrowed.narrow(range(text));
        }
        assert_eq!(narrowed.of_prices(Currency::USD), PriceRange { min: Some(1001), max: Some(4999) });
    }
}
