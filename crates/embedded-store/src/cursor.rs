//! Cursors: the key of the last product of a page and a checksum, so that a made-up number is rejected.

use domain::hash::fnv1a_32;

/// Returns the cursor of the page after the row `key`.
pub(crate) fn after(key: i64) -> String {
    format!("{key:x}.{:08x}", fnv1a_32(&key.to_le_bytes()))
}

/// Returns the key in a cursor; `None` if [`after`] did not make it. The check catches mistakes, not attacks: a cursor
/// grants no rights.
pub(crate) fn parse(cursor: &str) -> Option<i64> {
    let (key, _) = cursor.split_once('.')?;
    let key = i64::from_str_radix(key, 16).ok().filter(|key| *key > 0)?;
    (after(key) == cursor).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_never_change() {
        assert_eq!([after(1), after(300)], ["1.94e7de8d", "12c.241dfce4"]);
        assert_eq!(parse("12c.241dfce4"), Some(300));
        assert_eq!(parse("12d.241dfce4"), None);
    }
}
