//! The order of what was found, and the part of it that a page shows.

use std::collections::HashMap;

use domain::ports::{PortError, PortErrorKind};
use domain::search::{Cursor, PageStart, QueryInterpretation, SearchRequest, Sort, SortKey};
use domain::{Currency, ProductId};
use tantivy::columnar::{Column, StrColumn};
use tantivy::{DocAddress, DocId};

use crate::search::columns::Prices;
use crate::search::filters::{first_after, first_at_or_after};
use crate::search::snapshot::Segment;

/// The key of a product that has no value in the order: behind all others.
const MISSING: u64 = u64::MAX;

/// Which part of the list to keep.
pub(crate) struct Window<'a> {
    pub(crate) sort: Sort,
    currency: Currency,
    after: Option<&'a Cursor>,
    /// Products before the page.
    skip: usize,
    size: usize,
}

impl<'a> Window<'a> {
    pub(crate) fn new(request: &'a SearchRequest) -> Result<Self, PortError> {
        let size = request.page.size;
        let (skip, after) = match &request.page.start {
            PageStart::Number(number) => (number.saturating_sub(1).saturating_mul(size), None),
            PageStart::After(cursor) => (0, Some(cursor)),
        };
        if let Some(cursor) = after
            && (cursor.sort != request.sort || !cursor.is_valid())
        {
            return Err(PortError::bare(PortErrorKind::Internal, "the cursor belongs to another order"));
        }
        Ok(Self { sort: request.sort, currency: request.currency, after, skip, size })
    }

    /// A window that keeps nothing.
    pub(crate) fn none(request: &SearchRequest) -> Self {
        Self { sort: Sort::Relevance, currency: request.currency, after: None, skip: 0, size: 0 }
    }

    /// How the words were read for the pages before, when there are any.
    pub(crate) fn reading(&self) -> Option<&'a QueryInterpretation> {
        self.after.map(|cursor| &cursor.interpretation)
    }

    /// Products that a segment must keep: those up to the end of the page, and one to know whether more follows.
    fn keep(&self) -> usize {
        if self.size == 0 { 0 } else { self.skip.saturating_add(self.size).saturating_add(1) }
    }

    /// The places of the page in order, and whether more follow.
    pub(crate) fn page(
        &self,
        mut places: Vec<Place>,
        segments: &[Segment],
    ) -> tantivy::Result<(Vec<Place>, bool)> {
        // Within a segment the ordinals of ids compare as the ids do.
        places.sort_unstable_by(|a, b| {
            let place = |place: &Place| (place.address.segment_ord, place.id);
            a.key.cmp(&b.key).then_with(|| place(a).cmp(&place(b)))
        });
        let page = self.skip..self.skip.saturating_add(self.size);
        let mut start = 0;
        for equal in places.chunk_by_mut(|a, b| a.key == b.key) {
            let end = start + equal.len();
            let is_of_one =
                equal.iter().all(|place| place.address.segment_ord == equal[0].address.segment_ord);
            if start <= page.end && page.start < end && !is_of_one {
                sort_by_id(equal, segments)?;
            }
            start = end;
        }
        let more = places.len() > page.end;
        Ok((places.into_iter().skip(self.skip).take(self.size).collect(), more))
    }

    /// The cursor of the page behind this product.
    pub(crate) fn cursor(&self, place: &Place, id: ProductId, reading: &QueryInterpretation) -> Cursor {
        let Key { number, text } = &place.key;
        let key = match self.sort {
            _ if *number == MISSING => None,
            Sort::Relevance => Some(SortKey::Score(place.score.to_bits())),
            Sort::PriceAsc => Some(SortKey::Number(tantivy::u64_to_i64(*number))),
            Sort::PriceDesc | Sort::Newest => Some(SortKey::Number(tantivy::u64_to_i64(!*number))),
            Sort::Name => Some(SortKey::Text(text.clone())),
        };
        Cursor { sort: self.sort, key, id, interpretation: reading.clone() }
    }
}

/// Reads the ids of places in several segments, which costs more than all else about them.
fn sort_by_id(places: &mut [Place], segments: &[Segment]) -> tantivy::Result<()> {
    let mut ids = HashMap::new();
    for (number, segment) in (0..).zip(segments) {
        let here = places.iter().filter(|place| place.address.segment_ord == number).map(|place| place.id);
        let texts = texts(segment.id.as_ref(), here)?;
        ids.extend(texts.into_iter().map(|(ordinal, text)| ((number, ordinal), text)));
    }
    places.sort_by(|a, b| {
        let id = |place: &Place| ids.get(&(place.address.segment_ord, place.id));
        id(a).cmp(&id(b))
    });
    Ok(())
}

/// A product's place in the list over all segments.
pub(crate) struct Place {
    key: Key,
    /// The ordinal of the id in its segment.
    id: u64,
    pub(crate) score: f32,
    pub(crate) address: DocAddress,
}

/// Keys compare in the order of the list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    number: u64,
    text: String,
}

/// The best of one segment.
pub(crate) struct SegmentTop<'a> {
    values: Values<'a>,
    ids: Option<&'a StrColumn>,
    after: Option<Bound>,
    keep: usize,
    kept: Vec<Entry>,
    /// Once there are enough: nothing behind it is kept.
    last: Option<(u64, u64)>,
}

/// Where a cursor lies among the keys of a segment.
struct Bound {
    key: u64,
    /// Whether a product of the segment may have the key of the cursor; else `key` is the first one behind it.
    is_exact: bool,
    /// The ordinal of the first id behind the cursor's.
    id: u64,
}

enum Values<'a> {
    Score,
    Price { prices: Prices<'a>, is_descending: bool },
    Newest(Option<&'a Column<i64>>),
    Name(Option<&'a StrColumn>),
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    id: u64,
    document: DocId,
    score: f32,
}

impl<'a> SegmentTop<'a> {
    pub(crate) fn new(window: &Window<'_>, segment: &'a Segment) -> tantivy::Result<Self> {
        let prices = || segment.columns().prices(window.currency);
        let values = match window.sort {
            Sort::Relevance => Values::Score,
            Sort::PriceAsc => Values::Price { prices: prices(), is_descending: false },
            Sort::PriceDesc => Values::Price { prices: prices(), is_descending: true },
            Sort::Newest => Values::Newest(segment.created_at.as_ref()),
            Sort::Name => Values::Name(segment.name.as_ref()),
        };
        let ids = segment.id.as_ref();
        let after = window.after.map(|cursor| values.bound(cursor, ids)).transpose()?;
        Ok(Self { values, ids, after, keep: window.keep(), kept: Vec::new(), last: None })
    }

    /// Takes a product that was found.
    pub(crate) fn add(&mut self, document: DocId, score: f32) {
        if self.keep == 0 {
            return;
        }
        let key = self.values.key(document, score);
        if self.last.is_some_and(|(last, _)| key > last) {
            return;
        }
        let id = self.ids.and_then(|ids| ids.ords().first(document)).unwrap_or(MISSING);
        if self.last.is_some_and(|last| (key, id) > last)
            || self.after.as_ref().is_some_and(|after| !after.is_before(key, id))
        {
            return;
        }
        self.kept.push(Entry { key, id, document, score });
        if self.kept.len() >= self.keep.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.keep {
            let (_, last, _) =
                self.kept.select_nth_unstable_by_key(self.keep - 1, |entry| (entry.key, entry.id));
            self.last = Some((last.key, last.id));
            self.kept.truncate(self.keep);
        }
    }

    /// What was kept, comparable with what other segments kept.
    pub(crate) fn places(mut self, segment: u32) -> tantivy::Result<Vec<Place>> {
        self.cut();
        let names = match self.values {
            Values::Name(names) => Some(texts(names, self.kept.iter().map(|entry| entry.key))?),
            _ => None,
        };
        let place = |entry: &Entry| {
            let name = names.as_ref().and_then(|names| names.get(&entry.key));
            let key = match name {
                Some(name) => Key { number: 0, text: name.clone() },
                None => Key { number: entry.key, text: String::new() },
            };
            let id = entry.id;
            Place { key, id, score: entry.score, address: DocAddress::new(segment, entry.document) }
        };
        Ok(self.kept.iter().map(place).collect())
    }
}

impl Values<'_> {
    /// A number that is smaller the further ahead the product comes.
    fn key(&self, document: DocId, score: f32) -> u64 {
        match self {
            Self::Score => score_key(score.to_bits()),
            Self::Price { prices, is_descending } => {
                prices.of(document).map_or(MISSING, |price| number_key(price, *is_descending))
            }
            Self::Newest(column) => {
                column.and_then(|column| column.first(document)).map_or(MISSING, |at| number_key(at, true))
            }
            Self::Name(column) => column.and_then(|column| column.ords().first(document)).unwrap_or(MISSING),
        }
    }

    fn bound(&self, cursor: &Cursor, ids: Option<&StrColumn>) -> tantivy::Result<Bound> {
        let (key, is_exact) = match (&cursor.key, self) {
            (Some(SortKey::Score(bits)), _) => (score_key(*bits), true),
            (Some(SortKey::Number(number)), Self::Price { is_descending, .. }) => {
                (number_key(*number, *is_descending), true)
            }
            (Some(SortKey::Number(number)), _) => (number_key(*number, true), true),
            (Some(SortKey::Text(name)), Self::Name(Some(names))) => {
                let at = first_at_or_after(names, name.as_bytes())?;
                (at, first_after(names, name.as_bytes())? > at)
            }
            _ => (MISSING, true),
        };
        let id = ids.map_or(Ok(0), |ids| first_after(ids, cursor.id.as_str().as_bytes()))?;
        Ok(Bound { key, is_exact, id })
    }
}

impl Bound {
    fn is_before(&self, key: u64, id: u64) -> bool {
        key > self.key || (key == self.key && (!self.is_exact || id >= self.id))
    }
}

fn score_key(bits: u32) -> u64 {
    // The bits of floats that are not negative compare as the floats do.
    u64::from(!bits)
}

fn number_key(number: i64, is_descending: bool) -> u64 {
    let key = tantivy::i64_to_u64(number);
    if is_descending { !key } else { key }
}

/// The texts of ordinals of a column.
pub(crate) fn texts(
    column: Option<&StrColumn>,
    ordinals: impl Iterator<Item = u64>,
) -> tantivy::Result<HashMap<u64, String>> {
    let Some(column) = column else { return Ok(HashMap::new()) };
    let terms = column.dictionary().num_terms() as u64;
    let mut ordinals: Vec<u64> = ordinals.filter(|ordinal| *ordinal < terms).collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    let mut texts = HashMap::with_capacity(ordinals.len());
    let mut next = ordinals.iter();
    column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
        if let Some(ordinal) = next.next() {
            texts.insert(*ordinal, String::from_utf8_lossy(term).into_owned());
        }
    })?;
    Ok(texts)
}
