//! A drawing and the words for what it shows.

/// A drawing, with the words that name what it shows.
pub(super) struct Kind {
    /// An SVG document whose root has the colour [`DRAWN_COLOUR`].
    pub(super) svg: &'static str,
    /// Lower-case words in the singular.
    pub(super) words: &'static [&'static str],
}

/// The colour of the drawings, which the colour of the product replaces.
pub(super) const DRAWN_COLOUR: &str = "color=\"#6b7c8f\"";
