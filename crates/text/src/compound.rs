//! The grammatical role of a word in a text that names a product: it names the product itself, or what the product is for.
//!
//! A laptop bag is a bag, and so is a bag for a laptop. In English, and in languages that form compounds like it, the last word
//! of a compound is its head, which names the product, and the words after `for` do not. Nothing else is considered: there is
//! no dictionary of nouns. In languages that put the thing first, the words after it describe it, also after `de`: a `housse
//! d'ordinateur` is no computer.

use std::ops::Range;

use domain::Language;

use crate::counting::counts;
use crate::grammar::{introduces_contents, is_link, is_particle, is_postposition};

/// The relation of a word to the text before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Relation {
    /// The word before modifies this one.
    pub(crate) is_modified: bool,
    /// The word follows a link word such as `for`.
    pub(crate) is_linked: bool,
    /// The word continues a name, so the word before does not yet name the thing: `shirt` in `T-shirt`, `of` in `set of mugs`.
    pub(crate) continues_name: bool,
    /// Only a space or an apostrophe separates the word from the one before: `d'ordinateur`.
    pub(crate) is_adjacent: bool,
    /// The word says how many of a thing there are, or which one, and names no thing itself.
    pub(crate) counts: bool,
    /// The word introduces what a set consists of, which is the thing: `of` in `set of mugs`, `with` in `set with 6 mugs`.
    pub(crate) introduces_contents: bool,
    /// The word links the word before it: `için` in `çocuklar için kulaklık`.
    pub(crate) links_before: bool,
}

/// The role of a word in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CompoundRole {
    /// The word modifies the next one: `laptop` in `laptop bag`.
    pub(crate) is_modifier: bool,
    /// The word follows a link word such as `for`.
    pub(crate) is_linked: bool,
}

impl CompoundRole {
    /// The value of one occurrence of a head. The values of other roles are fractions of it.
    pub(crate) const HEAD_VALUE: u16 = 40;

    /// Returns the value of one occurrence: 0.85 of a head's for a modifier, half after a link word.
    pub(crate) fn value(self) -> u16 {
        match (self.is_modifier, self.is_linked) {
            (false, false) => Self::HEAD_VALUE,
            (true, false) => 34,
            (false, true) => 20,
            (true, true) => 17,
        }
    }

    /// Returns the value of two adjacent words of which the second has this role. A product that is a `laser printer` counts
    /// more than one that merely has it in its name, such as `laser printer toner`.
    pub(crate) fn pair_value(self) -> u16 {
        if self.is_modifier || self.is_linked { Self::HEAD_VALUE / 4 } else { Self::HEAD_VALUE }
    }
}

/// Determines the roles of the words of a text, read in order.
#[derive(Debug)]
pub(crate) struct CompoundReader {
    language: Language,
    has_begun: bool,
    /// The end of the last word, if that may be part of a compound.
    last_end: Option<usize>,
    is_linked: bool,
    /// True once a word may have named the thing: what follows is no more than a part of it, as in `knife set with block`.
    has_thing: bool,
    /// True if the last word counts.
    last_counts: bool,
}

impl CompoundReader {
    /// Creates a reader of one text.
    pub(crate) fn new(language: Language) -> Self {
        Self {
            language,
            has_begun: false,
            last_end: None,
            is_linked: false,
            has_thing: false,
            last_counts: false,
        }
    }

    /// Reads the next word, which may be a part of the product's brand.
    pub(crate) fn next(&mut self, text: &str, word: &str, span: &Range<usize>, is_brand: bool) -> Relation {
        let counts = counts(word, text.get(span.end..).unwrap_or(""), self.language);
        let introduces_contents =
            self.last_counts && !self.has_thing && introduces_contents(word, self.language);
        // The first word of a text has nothing before it that it could link.
        let is_link = self.has_begun && !introduces_contents && is_link(word, self.language);
        self.has_begun = true;
        let gap = self.last_end.replace(span.end).and_then(|end| text.get(end..span.start)).unwrap_or("");
        // Punctuation ends a compound, and so does a hyphen: it mostly joins model numbers.
        let is_apart = !gap.is_empty() && gap.chars().all(char::is_whitespace);
        let is_adjacent = is_apart || matches!(gap, "'" | "\u{2019}");
        let links_before = is_adjacent && is_postposition(word, self.language);
        let may_be_modified = !is_link
            && !links_before
            && !introduces_contents
            && !is_particle(word, self.language)
            && word.chars().all(char::is_alphabetic);
        self.has_thing |= may_be_modified && !counts && !is_brand;
        self.last_counts = counts;
        let is_linked = self.is_linked;
        self.is_linked |= is_link;
        Relation {
            is_modified: is_apart && may_be_modified,
            is_linked,
            continues_name: (is_apart || gap == "-") && (may_be_modified || word == "of"),
            is_adjacent,
            counts,
            introduces_contents,
            links_before,
        }
    }

    /// Ends the compound at a token that is not a word.
    pub(crate) fn interrupt(&mut self) {
        self.has_begun = true;
        self.last_end = None;
    }

    /// Returns true if the next word follows a link word.
    pub(crate) fn is_linked(&self) -> bool {
        self.is_linked
    }
}

/// Finds the words that describe the thing before them, in a language that puts the thing first: `bureau` in `lampe de bureau`.
#[derive(Debug, Default)]
pub(crate) struct ThingFirstReader {
    has_thing: bool,
    is_linked: bool,
}

impl ThingFirstReader {
    /// Reads the next word. Returns true if it describes a thing before it: no punctuation and no link word is between them.
    pub(crate) fn next(&mut self, relation: &Relation, may_name: bool) -> bool {
        if !relation.is_adjacent || relation.is_linked != self.is_linked {
            self.has_thing = false;
        }
        self.is_linked = relation.is_linked;
        let is_modifier = self.has_thing && may_name;
        self.has_thing |= may_name;
        is_modifier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Purpose, words};

    /// Returns each word of the text with its role.
    fn roles(text: &str) -> Vec<(String, CompoundRole)> {
        let (mut reader, mut found) =
            (CompoundReader::new(Language::English), Vec::<(String, CompoundRole)>::new());
        words(text, Purpose::Query, |word, span| {
            let Relation { is_modified, is_linked, .. } = reader.next(text, word, &span, false);
            if let Some((_, last)) = found.last_mut() {
                last.is_modifier = is_modified;
            }
            found.push((word.to_owned(), CompoundRole { is_modifier: false, is_linked }));
        });
        found
    }

    fn heads(text: &str) -> Vec<String> {
        let is_head =
            |(word, role): (String, CompoundRole)| (role == CompoundRole::default()).then_some(word);
        roles(text).into_iter().filter_map(is_head).collect()
    }

    #[test]
    fn the_last_word_of_a_compound_is_its_head() {
        for (text, expected) in [
            ("Laptop bag", vec!["bag"]),
            ("laser printer 1200 dpi", vec!["printer", "dpi"]),
            ("Laser printer, toner", vec!["printer", "toner"]),
            ("Laptop and tablet stand", vec!["laptop", "stand"]),
            ("USB-C hub (black)", vec!["usb", "hub", "black"]),
            ("Café table", vec!["table"]),
        ] {
            let heads: Vec<String> = heads(text);
            assert_eq!(heads, expected, "{text}");
        }
    }

    #[test]
    fn what_a_product_is_for_is_not_its_head() {
        assert_eq!(heads("Bag for a laptop, black"), ["bag", "for"]);
        assert_eq!(heads("Holder f/ iPod"), ["holder", "f"]);
        assert_eq!(heads("In-car charger"), ["in", "charger"], "nothing stands before it");
        let roles = roles("Stand for laptop screens");
        assert_eq!(roles[2].1, CompoundRole { is_modifier: true, is_linked: true });
        assert!(roles[2].1.value() < roles[3].1.value() && roles[3].1.value() < roles[0].1.value());
    }
}
