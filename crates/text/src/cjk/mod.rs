//! Texts in scripts that are written without spaces between words, or with optional ones: Japanese, Chinese, Korean, Thai, Lao,
//! Khmer and Burmese.
//!
//! Consecutive characters of such scripts form a *run*. Finding word boundaries in a run needs a dictionary, so a run of a
//! product is indexed as its single characters and its overlapping pairs (bigrams), and a run of a query matches where its
//! bigrams are adjacent and in order.
//!
//! Kana are folded like the first level of JIS X 4061 collation: hiragana and katakana are equal, so are small and large kana
//! (`キャノン`, `キヤノン`), and iteration marks equal what they repeat (`いすゞ`, `いすず`). `ヴ` is folded into the row of
//! `バ`, which the Japanese cabinet notice of 1991 on writing foreign words allows.
//!
//! Two more differences are tried by the query only, because folding them in products would find unrelated words: whether a
//! long vowel is written with its mark or as a vowel (`ラーメン`, `らあめん`), and whether it is written at the end of a word,
//! where JIS Z 8301 omits it (`プリンター`, `プリンタ`).

mod builder;
mod kana;
mod run;
mod script;
mod spellings;

pub(crate) use builder::CjkRunBuilder;
pub use run::CjkRun;
pub(crate) use script::is_spaceless;
pub use script::{bigrams, is_cjk};
pub use spellings::spellings;

#[cfg(test)]
mod tests;
