//! Tags of a queue.

use std::collections::HashMap;

/// Tags of a queue, by name.
pub(crate) type Tags = HashMap<String, String>;

/// The tag with the id of a queue.
pub(crate) const QUEUE: &str = "noren-queue";

/// Returns the tags of a queue that is created now.
pub(crate) fn tags_of_a_new_queue() -> Tags {
    Tags::from([(QUEUE.to_owned(), format!("{:032x}", fastrand::u128(..)))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_new_queue_has_an_id_of_its_own() {
        assert_ne!(tags_of_a_new_queue(), tags_of_a_new_queue());
    }
}
