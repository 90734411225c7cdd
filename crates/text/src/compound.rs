//! What a word is in a text that names a product: the thing itself, or what the thing is for.
//!
//! A laptop bag is a bag, and so is a bag for a laptop. In English, and in languages that build words as it does, the
//! last word of a compound names the thing, and what stands behind `for` does not. That is all that is looked at: no
//! dictionary knows which words are things. In other languages nearly all words are things, so nothing is lost there.

use std::ops::Range;

/// Words behind which a product is not named, but what it goes with, where it belongs or what comes with it. `f/` and
/// `w/` stand for the first two.
const LINKS: [&str; 14] = [
    "for",
    "with",
    "f",
    "w",
    "to",
    "in",
    "on",
    "by",
    "from",
    "including",
    "incl",
    "compatible",
    "replaces",
    "fits",
];
/// Further words that no word before them tells more about.
const PARTICLES: [&str; 8] = ["a", "an", "the", "and", "or", "of", "at", "per"];

/// How a word stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Role {
    /// A further word follows, which it tells more about: `laptop` in `laptop bag`.
    pub(crate) is_modifier: bool,
    /// It stands behind a word like `for`.
    pub(crate) is_linked: bool,
}

impl Role {
    /// What an occurrence of the thing itself is worth, in the unit of all roles.
    pub(crate) const WHOLE: u16 = 40;

    /// What an occurrence of a word is worth: 0.85 for one that tells more about the next, half behind a link.
    pub(crate) fn worth(self) -> u16 {
        match (self.is_modifier, self.is_linked) {
            (false, false) => Self::WHOLE,
            (true, false) => 34,
            (false, true) => 20,
            (true, true) => 17,
        }
    }

    /// What two neighbours are worth, of which the second one stands so. That a product is a `laser printer` says more
    /// than that one is part of its name, as in `laser printer toner`.
    pub(crate) fn worth_of_pair(self) -> u16 {
        if self.is_modifier || self.is_linked { Self::WHOLE / 4 } else { Self::WHOLE }
    }
}

/// Reads the words of a text in order.
#[derive(Debug, Default)]
pub(crate) struct RoleReader {
    has_begun: bool,
    /// Where the last word ends, if it may be part of a compound.
    last_end: Option<usize>,
    is_linked: bool,
}

impl RoleReader {
    /// Takes the next word and its place: whether the word before it tells more about this one, and whether this one is
    /// behind a link.
    pub(crate) fn next(&mut self, text: &str, word: &str, at: &Range<usize>) -> (bool, bool) {
        // At the start of a text there is nothing yet that a link could join to something.
        let is_link = self.has_begun && LINKS.contains(&word);
        self.has_begun = true;
        let is_apart =
            self.last_end.replace(at.end).and_then(|end| text.get(end..at.start)).is_some_and(|gap| {
                // Punctuation ends a compound, and a hyphen makes a model number more often than one.
                !gap.is_empty() && gap.chars().all(char::is_whitespace)
            });
        let is_described =
            is_apart && !is_link && !PARTICLES.contains(&word) && word.chars().all(char::is_alphabetic);
        let is_linked = self.is_linked;
        self.is_linked |= is_link;
        (is_described, is_linked)
    }

    /// Ends a compound before something that is no word.
    pub(crate) fn interrupt(&mut self) {
        self.has_begun = true;
        self.last_end = None;
    }

    /// Whether what comes now is behind a link.
    pub(crate) fn is_linked(&self) -> bool {
        self.is_linked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Purpose, words};

    /// Each word of the text with its role.
    fn roles(text: &str) -> Vec<(String, Role)> {
        let (mut reader, mut found) = (RoleReader::default(), Vec::<(String, Role)>::new());
        words(text, Purpose::Query, |word, at| {
            let (is_described, is_linked) = reader.next(text, word, &at);
            if let Some((_, last)) = found.last_mut() {
                last.is_modifier = is_described;
            }
            found.push((word.to_owned(), Role { is_modifier: false, is_linked }));
        });
        found
    }

    fn things(text: &str) -> Vec<String> {
        let is_thing = |(word, role): (String, Role)| (role == Role::default()).then_some(word);
        roles(text).into_iter().filter_map(is_thing).collect()
    }

    #[test]
    fn the_last_word_of_a_compound_is_the_thing() {
        for (text, expected) in [
            ("Laptop bag", vec!["bag"]),
            ("laser printer 1200 dpi", vec!["printer", "dpi"]),
            ("Laser printer, toner", vec!["printer", "toner"]),
            ("Laptop and tablet stand", vec!["laptop", "stand"]),
            ("USB-C hub (black)", vec!["usb", "hub", "black"]),
            ("Café table", vec!["table"]),
        ] {
            let things: Vec<String> = things(text);
            assert_eq!(things, expected, "{text}");
        }
    }

    #[test]
    fn what_a_product_is_for_is_not_the_thing() {
        assert_eq!(things("Bag for a laptop, black"), ["bag", "for"]);
        assert_eq!(things("Holder f/ iPod"), ["holder", "f"]);
        assert_eq!(things("In-car charger"), ["in", "charger"], "nothing stands before it");
        let roles = roles("Stand for laptop screens");
        assert_eq!(roles[2].1, Role { is_modifier: true, is_linked: true });
        assert!(roles[2].1.worth() < roles[3].1.worth() && roles[3].1.worth() < roles[0].1.worth());
    }
}
