//! Keeps the first matches of a segment in the order of a search.

use domain::search::Direction;
use tantivy::DocId;
use tantivy::columnar::StrColumn;

use crate::search::order::{CursorPosition, Key, MISSING, SegmentOrder};
use crate::search::ordinals::terms_of;
use crate::search::ranking::{Match, score};
use crate::search::segment::Segment;
use crate::search::window::{RankedProduct, Window};

/// The first matches of one segment.
pub(crate) struct SegmentTop<'a> {
    segment: &'a Segment,
    order: SegmentOrder<'a>,
    ids: Option<&'a StrColumn>,
    after: Option<CursorPosition>,
    keep: usize,
    kept: Vec<Entry>,
    /// The key and id of the last entry to keep, once there are enough.
    last: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    /// The ordinal of the id.
    id: u64,
    document: DocId,
    score: f32,
}

impl<'a> SegmentTop<'a> {
    pub(crate) fn new(window: &Window<'a>, segment: &'a Segment) -> tantivy::Result<Self> {
        let order = SegmentOrder::new(window.sort, window.currency, window.collation, segment)?;
        let ids = segment.id.as_ref();
        let after = window.after.map(|cursor| order.position(cursor, ids)).transpose()?;
        Ok(Self { segment, order, ids, after, keep: window.keep(), kept: Vec::new(), last: None })
    }

    /// Adds matches.
    pub(crate) fn add_all(&mut self, matches: &[Match]) {
        if self.keep == 0 {
            return;
        }
        for found in matches {
            let score = score(found.steps);
            let key = self.order.key(found.document, score);
            // Most matches of a large result end here.
            if self.last.is_none_or(|(last, _)| key <= last) {
                self.add(key, found.document, score);
            }
        }
    }

    fn add(&mut self, key: u64, document: DocId, score: f32) {
        let id = self.ids.and_then(|ids| ids.ords().first(document)).unwrap_or(MISSING);
        if self.last.is_some_and(|last| (key, id) > last)
            || self.after.as_ref().is_some_and(|after| !after.is_before(key, id))
        {
            return;
        }
        self.kept.push(Entry { key, id, document, score });
        if self.kept.len() >= self.keep.saturating_mul(2) {
            self.truncate();
        }
    }

    fn truncate(&mut self) {
        if self.kept.len() > self.keep {
            let (_, last, _) =
                self.kept.select_nth_unstable_by_key(self.keep - 1, |entry| (entry.key, entry.id));
            self.last = Some((last.key, last.id));
            self.kept.truncate(self.keep);
        }
    }

    /// Returns the kept matches, comparable with those of other segments.
    pub(crate) fn into_products(mut self) -> tantivy::Result<Vec<RankedProduct>> {
        self.truncate();
        let keys = self.keys()?;
        let product = |(entry, key): (&Entry, Key)| {
            let address = self.segment.address(entry.document);
            RankedProduct { key, id: entry.id, score: entry.score, address }
        };
        Ok(self.kept.iter().zip(keys).map(product).collect())
    }

    /// Returns the keys of the kept matches, comparable with those of other segments.
    fn keys(&self) -> tantivy::Result<Vec<Key>> {
        let keys = || self.kept.iter().map(|entry| entry.key);
        let (texts, direction) = match &self.order {
            SegmentOrder::Name(names, _) => {
                let names = terms_of(*names, keys())?;
                (keys().map(|key| names.get(&key).cloned()).collect(), Direction::Ascending)
            }
            SegmentOrder::Attribute(order) => (order.values(keys())?, order.direction),
            _ => return Ok(keys().map(Key::of_number).collect()),
        };
        let key = |(text, key): (Option<String>, u64)| match text {
            Some(text) => Key::of_text(text, direction),
            None => Key::of_number(key),
        };
        Ok(texts.into_iter().zip(keys()).map(key).collect())
    }
}
