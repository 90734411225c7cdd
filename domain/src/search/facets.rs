//! The counts of the values of a field among matching products.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::product::AttributeValue;
use crate::search::dates::DateFacet;

/// The counts of one facet. A product counts if it matches the words and passes every filter except those on the facet's own
/// field. If some words are optional and products with every word pass all filters, only products with every word count, and
/// pinned ones.
#[derive(Debug, Clone, PartialEq)]
pub enum Facet {
    /// The facet of a field with named values.
    Values {
        /// The most frequent values, by count descending, then by value ascending: numbers at the start of a value in their order,
        /// then texts.
        values: Vec<FacetValue>,
        /// The number of different values, including those beyond `values`.
        distinct: usize,
        /// The values of an attribute that are numbers; `None` if no value is one.
        numbers: Option<NumberFacet>,
        /// The values of an attribute that are dates; `None` if no value is one.
        dates: Option<DateFacet>,
    },
    /// The facet of the price; `None` if no matching product has a price in the currency.
    Price(Option<PriceFacet>),
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacetValue {
    /// The value.
    pub value: String,
    /// The number of products that have it.
    pub count: u64,
}

/// The numbers that an attribute has in matching products.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberFacet {
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// The number of products that have a number.
    pub count: u64,
    /// Buckets from the lowest to the highest number without gaps, see [`number_facet`].
    pub histogram: Vec<NumberBucket>,
}

/// The products with a number from `from` up to, but excluding, `to`. The last bucket includes `to`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberBucket {
    /// The lowest number of the bucket.
    pub from: f64,
    /// The lower bound of the next bucket.
    pub to: f64,
    /// The number of products in it.
    pub count: u64,
}

/// The most buckets in a histogram of numbers.
pub const MAX_NUMBER_BUCKETS: usize = 10;

/// The prices of matching products, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceFacet {
    /// The lowest.
    pub min: i64,
    /// The highest.
    pub max: i64,
    /// The number of products that have a price in the currency.
    pub count: u64,
    /// Buckets from the lowest to the highest price without gaps, see [`price_facet`].
    pub histogram: Vec<PriceBucket>,
}

/// The products with a price from `from` to `to` inclusive, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceBucket {
    /// The lowest price of the bucket.
    pub from: i64,
    /// The highest price of the bucket.
    pub to: i64,
    /// The number of products in it.
    pub count: u64,
}

/// The most buckets in a histogram of prices.
pub const MAX_PRICE_BUCKETS: i64 = 10;

/// Computes the facet of prices, given as pairs of a price and its frequency; `None` without prices.
///
/// The histogram has at most [`MAX_PRICE_BUCKETS`] buckets of equal width. The width is 1, 2 or 5 times a power of ten minor
/// units, as small as possible. Each bucket begins at a multiple of the width. The first bucket holds the lowest price, the
/// last one the highest.
pub fn price_facet(prices: &[(i64, u64)]) -> Option<PriceFacet> {
    let counted = || prices.iter().copied().filter(|(_, count)| *count > 0);
    let min = counted().map(|(price, _)| price).min()?;
    let max = counted().map(|(price, _)| price).max()?;
    let width = bucket_width(min, max);
    let first = min / width;
    let mut histogram: Vec<PriceBucket> = (first..=max / width)
        .map(|at| PriceBucket { from: at * width, to: (at + 1) * width - 1, count: 0 })
        .collect();
    let mut total = 0;
    for (price, count) in counted() {
        total += count;
        // The bucket exists: every price is between the lowest and the highest.
        if let Some(bucket) = usize::try_from(price / width - first).ok().and_then(|at| histogram.get_mut(at))
        {
            bucket.count += count;
        }
    }
    Some(PriceFacet { min, max, count: total, histogram })
}

/// Returns the width of the buckets of [`price_facet`], in minor units.
pub fn bucket_width(min: i64, max: i64) -> i64 {
    let steps = (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)));
    let fits = |width: &i64| max / width - min / width < MAX_PRICE_BUCKETS;
    steps.into_iter().find(fits).unwrap_or(i64::MAX)
}

/// Computes the facet of numbers, given as pairs of a number and its frequency; `None` without numbers.
///
/// The histogram has at most [`MAX_NUMBER_BUCKETS`] buckets of equal width. The width is 1, 2 or 5 times a power of ten, as
/// small as possible. Each bucket begins at a multiple of the width. Numbers that are all equal have one bucket.
pub fn number_facet(numbers: &[(f64, u64)]) -> Option<NumberFacet> {
    let counted = || numbers.iter().copied().filter(|(number, count)| *count > 0 && number.is_finite());
    let min = counted().map(|(number, _)| number).min_by(f64::total_cmp)?;
    let max = counted().map(|(number, _)| number).max_by(f64::total_cmp)?;
    let count = counted().map(|(_, count)| count).sum();
    let ends = number_ends(min, max);
    let mut histogram: Vec<NumberBucket> =
        ends.windows(2).map(|ends| NumberBucket { from: ends[0], to: ends[1], count: 0 }).collect();
    for (number, count) in counted() {
        // The first bucket begins at or below the lowest number, and the last one includes its upper bound.
        let at = histogram.partition_point(|bucket| bucket.from <= number).saturating_sub(1);
        if let Some(bucket) = histogram.get_mut(at) {
            bucket.count += count;
        }
    }
    Some(NumberFacet { min, max, count, histogram })
}

/// Returns the lower bounds of the buckets of [`number_facet`], followed by the upper bound of the last one.
fn number_ends(min: f64, max: f64) -> Vec<f64> {
    let ends = |digit: f64, power: i32| {
        // Negative powers of ten are inexact in binary; dividing by the positive power rounds only once.
        let scaled = |steps: f64| match power {
            0.. => steps * digit * 10_f64.powi(power),
            _ => steps * digit / 10_f64.powi(-power),
        };
        let width = scaled(1.0);
        let (mut first, mut last) = ((min / width).floor(), (max / width).ceil());
        // Rounding: 0.6 / 0.2 is slightly less than 3.
        if scaled(first + 1.0) <= min {
            first += 1.0;
        }
        last = last.max(first + 1.0);
        let is_fitting =
            last - first <= MAX_NUMBER_BUCKETS as f64 && scaled(first) <= min && max <= scaled(last);
        (is_fitting && width.is_normal() && scaled(first).is_finite() && scaled(last).is_finite())
            .then(|| (0..=(last - first) as usize).map(|step| scaled(first + step as f64)).collect())
    };
    // A width below a tenth of the range would give too many buckets.
    let power = ((max - min) / MAX_NUMBER_BUCKETS as f64).log10().floor().clamp(-300.0, 300.0) as i32;
    let widths = (0..3).flat_map(|more| [1.0, 2.0, 5.0].map(|digit| (digit, power + more)));
    let fitting = widths.into_iter().find_map(|(digit, power)| ends(digit, power));
    fitting.filter(|_| min < max).unwrap_or_else(|| vec![min, max])
}

impl AttributeValue {
    /// Returns the texts by which facets count the value and filters compare it: a string as [`facet_text`], a number in its
    /// shortest form (`13`, `13.3`), a boolean as `true` or `false`, and each element of a list as a string.
    pub fn facet_values(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (one, many): (Option<Cow<'_, str>>, &[String]) = match self {
            Self::Text(text) => (Some(facet_text(text)), &[]),
            Self::Flag(flag) => (Some(Cow::Borrowed(if *flag { "true" } else { "false" })), &[]),
            Self::Number(number) => (Some(Cow::Owned(shortest_number(number))), &[]),
            Self::List(list) => (None, list),
        };
        one.into_iter().chain(many.iter().map(|text| facet_text(text)))
    }

    /// Returns the value if it is a number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }
}

/// Returns the text by which facets count a value and filters compare it: without spaces around it and in Unicode's composed form
/// (NFC), so that values that look alike are one.
pub fn facet_text(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    match text.is_ascii() || is_nfc(text) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().collect()),
    }
}

/// Formats a number so that `13.0` and `13` are one value of a facet.
fn shortest_number(number: &serde_json::Number) -> String {
    match number.as_f64() {
        // Adding zero turns -0 into 0.
        Some(float) if !number.is_i64() && !number.is_u64() => (float + 0.0).to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_histogram_holds_every_price_once(prices in prop::collection::vec((0..=crate::money::MAX_MINOR_UNITS, 1..5_u64), 1..40)) {
            let facet = price_facet(&prices).unwrap();
            prop_assert!(facet.histogram.len() as i64 <= MAX_PRICE_BUCKETS);
            prop_assert_eq!(facet.histogram.iter().map(|bucket| bucket.count).sum::<u64>(), facet.count);
            for bucket in &facet.histogram {
                let inside = prices.iter().filter(|(price, _)| (bucket.from..=bucket.to).contains(price));
                prop_assert_eq!(bucket.count, inside.map(|(_, count)| count).sum::<u64>());
            }
            for pair in facet.histogram.windows(2) {
                prop_assert_eq!(pair[0].to + 1, pair[1].from);
            }
        }

        #[test]
        fn a_histogram_of_numbers_holds_every_number_once(numbers in prop::collection::vec((-1e9..1e9_f64, 1..5_u64), 1..40)) {
            let facet = number_facet(&numbers).unwrap();
            prop_assert!(facet.histogram.len() <= MAX_NUMBER_BUCKETS);
            prop_assert_eq!(facet.histogram.iter().map(|bucket| bucket.count).sum::<u64>(), facet.count);
            let last = facet.histogram.len() - 1;
            for (at, bucket) in facet.histogram.iter().enumerate() {
                let inside = numbers.iter().filter(|(number, _)| {
                    bucket.from <= *number && (*number < bucket.to || at == last)
                });
                prop_assert_eq!(bucket.count, inside.map(|(_, count)| count).sum::<u64>());
            }
            prop_assert!(facet.histogram[0].from <= facet.min && facet.max <= facet.histogram[last].to);
        }
    }

    #[test]
    fn histograms_of_numbers_have_round_ends() {
        let ends = |numbers: &[f64]| {
            let numbers: Vec<(f64, u64)> = numbers.iter().map(|number| (*number, 1)).collect();
            let facet = number_facet(&numbers).unwrap();
            facet.histogram.iter().map(|bucket| (bucket.from, bucket.to, bucket.count)).collect::<Vec<_>>()
        };
        assert_eq!(ends(&[13.3, 13.3]), [(13.3, 13.3, 2)]);
        assert_eq!(
            ends(&[1.0, 2.0, 3.0]).iter().map(|bucket| bucket.1).collect::<Vec<_>>(),
            [1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0]
        );
        assert_eq!(ends(&[0.6, 2.0]).first(), Some(&(0.6, 0.8, 1)));
        assert_eq!(ends(&[-1.0, 0.0]).last(), Some(&(-0.1, 0.0, 1)));
        assert_eq!(ends(&[-5.0, 95.0]).len(), 6);
        assert_eq!(ends(&[f64::MIN, f64::MAX]), [(f64::MIN, f64::MAX, 2)]);
        assert_eq!(number_facet(&[(f64::NAN, 1), (2.0, 0)]), None);
    }

    #[test]
    fn numbers_have_one_form_in_facets() {
        let value = |json: &str| serde_json::from_str::<AttributeValue>(json).unwrap();
        let facets = |json: &str| value(json).facet_values().map(String::from).collect::<Vec<_>>();
        assert_eq!(facets("13.0"), ["13"]);
        assert_eq!(facets("13"), ["13"]);
        assert_eq!(facets("13.3"), ["13.3"]);
        assert_eq!((facets("-0"), facets("-0.0"), facets("1e3")), (facets("0"), facets("0"), facets("1000")));
        assert_eq!(facets("9007199254740993"), ["9007199254740993"]);
        assert_eq!(facets(r#"" e\u0301 ""#), ["é"], "trimmed and composed");
        assert_eq!(facets(r#"["a ","b"]"#), ["a", "b"]);
        assert_eq!(facets("true"), ["true"]);
        assert_eq!(facets(r#"["a","b"]"#), ["a", "b"]);
    }
}
