//! The shape of a product line: a template from which similar products are drawn.

/// A kind of product, with the words and value ranges that its products draw from.
pub(crate) struct ProductLine {
    /// The category path, broad to narrow.
    pub(crate) category: &'static [&'static str],
    /// Prefix of the skus.
    pub(crate) code: &'static str,
    /// Template of a name, with the placeholders `{brand}`, `{series}`, `{style}` and `{noun}`.
    pub(crate) name: &'static str,
    pub(crate) brands: &'static [&'static str],
    pub(crate) series: &'static [&'static str],
    pub(crate) styles: &'static [&'static str],
    pub(crate) nouns: &'static [&'static str],
    /// Japanese names, each with an English tag.
    pub(crate) japanese: &'static [(&'static str, &'static str)],
    /// The lowest and the highest price, in whole dollars.
    pub(crate) price_usd: (i64, i64),
    /// Tags of the line. Every product has the first one.
    pub(crate) tags: &'static [&'static str],
    pub(crate) attributes: &'static [(&'static str, Attribute)],
    /// Sentences that are true of every product of the line.
    pub(crate) sentences: &'static [&'static str],
}

/// The possible values of an attribute.
pub(crate) enum Attribute {
    /// A whole number: `from`, plus any number of steps, up to `to`.
    Whole { from: i64, to: i64, step: i64 },
    /// A number with one decimal; the bounds are in tenths.
    Tenths { from: i64, to: i64 },
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A flag that is true for this percentage of the products.
    Flag { percent: u8 },
    /// One to three of these texts.
    Several(&'static [&'static str]),
}
