//! The price that a shopper pays now, of a product with a regular price and a sale price.

use crate::day::day;

/// The prices of a product, as JSON numbers.
#[derive(Debug, Default)]
pub(crate) struct Prices {
    pub(crate) regular: Option<String>,
    pub(crate) sale: Option<String>,
    /// The first and the last day of the sale, as written.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// A price with the attribute that keeps the other one.
#[derive(Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) price: Option<String>,
    pub(crate) attribute: Option<(&'static str, String)>,
    /// True if a day of the sale cannot be read, so that the sale price is not used.
    pub(crate) has_unreadable_day: bool,
}

impl Prices {
    /// Chooses the sale price if it is lower and today is within the sale.
    pub(crate) fn choose(self, today: &str) -> Chosen {
        // A sale price of 0 says that there is no sale.
        let Some(sale) = self.sale.filter(|sale| sale.contains(|c: char| ('1'..='9').contains(&c))) else {
            return Chosen { price: self.regular, attribute: None, has_unreadable_day: false };
        };
        let days = [&self.from, &self.to].map(|text| text.as_deref().map(day));
        let has_unreadable_day = days.contains(&Some(None));
        let is_begun = days[0].iter().flatten().all(|from| from.as_str() <= today);
        let is_open = days[1].iter().flatten().all(|to| today <= to.as_str());
        let value = |number: &str| number.parse::<f64>().unwrap_or(f64::INFINITY);
        let is_lower = self.regular.as_deref().is_none_or(|regular| value(&sale) <= value(regular));
        let is_valid = !has_unreadable_day && is_begun && is_open && is_lower;
        match (is_valid, self.regular) {
            (true, Some(regular)) => {
                Chosen { price: Some(sale), attribute: Some(("regular_price", regular)), has_unreadable_day }
            }
            (true, None) => Chosen { price: Some(sale), attribute: None, has_unreadable_day },
            (false, regular) => {
                Chosen { price: regular, attribute: Some(("sale_price", sale)), has_unreadable_day }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(regular: &str, sale: &str, from: &str, to: &str) -> (Option<String>, Option<&'static str>) {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let prices = Prices { regular: some(regular), sale: some(sale), from: some(from), to: some(to) };
        let chosen = prices.choose("2026-11-28");
        (chosen.price, chosen.attribute.map(|(name, _)| name))
    }

    #[test]
    fn a_sale_price_counts_within_its_days_if_it_is_lower() {
        let price = |price: &str, other| (Some(price.to_owned()), Some(other));
        assert_eq!(chosen("65", "55", "", ""), price("55", "regular_price"));
        assert_eq!(chosen("65", "55", "2026-11-28", "2026-11-28T23:00+0100"), price("55", "regular_price"));
        assert_eq!(chosen("65", "55", "2026-12-01", ""), price("65", "sale_price"));
        assert_eq!(chosen("65", "55", "", "11/27/26"), price("65", "sale_price"));
        assert_eq!(chosen("65", "75", "", ""), price("65", "sale_price"));
        assert_eq!(chosen("65", "55", "soon", ""), price("65", "sale_price"));
        assert_eq!(chosen("", "55", "", ""), (Some("55".to_owned()), None));
        assert_eq!(chosen("65", "0.00", "", ""), (Some("65".to_owned()), None));
    }
}
