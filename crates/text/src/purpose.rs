//! The two purposes of analysing a text.

/// The purpose of analysing a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To index a text: emits every word in every form in which a query may contain it. A run of a script without spaces
    /// is emitted as its characters and bigrams; `WH-1000XM4` is emitted as its parts and as `wh1000xm4`.
    Document,
    /// To search: emits the longest words only, because each of them must be found. A run of a script without spaces is one
    /// word, see [`crate::cjk`].
    Query,
}
