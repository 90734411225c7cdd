//! What the pass over a search's matches reads of each document, in plain memory: packed columns cost several times as
//! much for each look, and there are hundreds of thousands in one search.
//!
//! Values have numbers that are the same in all segments, so that counts of segments add up and only the values that
//! are shown become texts.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use domain::CategoryPath;
use tantivy::DocId;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentReader;

use crate::layout::document::currency_number;
use crate::layout::schema::column;

/// The number of a value, in all segments.
pub(crate) type ValueId = u32;
/// Stands for no value.
pub(crate) const NO_VALUE: ValueId = ValueId::MAX;
/// Stands for no price.
const NO_PRICE: i64 = i64::MIN;

/// The values of one field, by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, ValueId>,
    /// Of a category the one above it.
    parents: Vec<ValueId>,
}

impl Values {
    /// The number of a value that some product has, or had.
    pub(crate) fn number(&self, text: &str) -> Option<ValueId> {
        self.numbers.get(text).copied()
    }

    pub(crate) fn text(&self, number: ValueId) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// The category above one; [`NO_VALUE`] above a broad one.
    pub(crate) fn parent(&self, number: ValueId) -> ValueId {
        self.parents.get(number as usize).copied().unwrap_or(NO_VALUE)
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    fn add(&mut self, text: &str) -> ValueId {
        if let Some(known) = self.number(text) {
            return known;
        }
        let parent = match text.rsplit_once(CategoryPath::SEPARATOR) {
            Some((above, _)) => self.add(above),
            None => NO_VALUE,
        };
        let number = self.texts.len() as ValueId;
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        self.parents.push(parent);
        number
    }
}

/// The values of the fields with few of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct AllValues {
    pub(crate) brands: Arc<Values>,
    pub(crate) categories: Arc<Values>,
    pub(crate) tags: Arc<Values>,
}

impl AllValues {
    /// How many there are in all.
    pub(crate) fn len(&self) -> usize {
        self.brands.len() + self.categories.len() + self.tags.len()
    }
}

/// The columns of a segment.
pub(crate) struct Columns {
    /// The brand of each document.
    pub(crate) brand: Vec<ValueId>,
    /// The category of each document; those above it are its parents.
    pub(crate) category: Vec<ValueId>,
    pub(crate) tags: Lists,
    /// Minor units, [`NO_PRICE`] without a price.
    price: Vec<i64>,
    /// The place of each price's currency in `currencies`.
    currency: Vec<u8>,
    currencies: Vec<u64>,
    in_stock: Vec<bool>,
}

/// Some values for each document.
pub(crate) struct Lists {
    /// Where the values of a document begin; those of the next one follow.
    starts: Vec<u32>,
    values: Vec<ValueId>,
}

impl Lists {
    pub(crate) fn of(&self, document: DocId) -> &[ValueId] {
        let at = document as usize;
        &self.values[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// The prices of a segment in one currency.
#[derive(Clone, Copy)]
pub(crate) struct Prices<'a> {
    price: &'a [i64],
    currency: &'a [u8],
    wanted: Option<u8>,
}

impl Prices<'_> {
    /// The price in minor units, when the document has one in the currency.
    pub(crate) fn of(&self, document: DocId) -> Option<i64> {
        let at = document as usize;
        let price = self.price[at];
        (price != NO_PRICE && Some(self.currency[at]) == self.wanted).then_some(price)
    }
}

impl Columns {
    /// Reads the columns of a segment; values that are new get the next numbers.
    pub(crate) fn read(reader: &SegmentReader, values: &mut AllValues) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let documents = 0..reader.max_doc();
        let brand = read_single(columns.str(column::BRAND)?.as_ref(), documents.clone(), &mut values.brands)?;
        // Paths sort behind those above them, so a document's last one is its own.
        let category =
            read_single(columns.str(column::CATEGORY)?.as_ref(), documents.clone(), &mut values.categories)?;
        let tags = read_lists(columns.str(column::TAGS)?.as_ref(), documents.clone(), &mut values.tags)?;
        let amounts: Option<Column<i64>> = columns.column_opt(column::PRICE)?;
        let codes: Option<Column<u64>> = columns.column_opt(column::CURRENCY)?;
        let stock: Option<Column<u64>> = columns.column_opt(column::IN_STOCK)?;
        let mut currencies = Vec::new();
        let (mut price, mut currency, mut in_stock) = (Vec::new(), Vec::new(), Vec::new());
        for document in documents {
            let amount = amounts.as_ref().and_then(|amounts| amounts.first(document));
            let code = codes.as_ref().and_then(|codes| codes.first(document)).unwrap_or_default();
            price.push(amount.unwrap_or(NO_PRICE));
            currency.push(place_of(code, &mut currencies));
            in_stock.push(stock.as_ref().and_then(|stock| stock.first(document)) == Some(1));
        }
        Ok(Self { brand, category, tags, price, currency, currencies, in_stock })
    }

    pub(crate) fn prices(&self, currency: domain::Currency) -> Prices<'_> {
        let number = currency_number(currency);
        let wanted = self.currencies.iter().position(|known| *known == number);
        Prices {
            price: &self.price,
            currency: &self.currency,
            wanted: wanted.and_then(|at| u8::try_from(at).ok()),
        }
    }

    pub(crate) fn is_in_stock(&self, document: DocId) -> bool {
        self.in_stock[document as usize]
    }
}

/// There are fewer than 256 currencies, ISO 4217 has not even 200.
fn place_of(code: u64, currencies: &mut Vec<u64>) -> u8 {
    let at = currencies.iter().position(|known| *known == code).unwrap_or_else(|| {
        currencies.push(code);
        currencies.len() - 1
    });
    u8::try_from(at).unwrap_or(u8::MAX)
}

fn read_single(
    column: Option<&StrColumn>,
    documents: Range<DocId>,
    values: &mut Arc<Values>,
) -> tantivy::Result<Vec<ValueId>> {
    let Some(column) = column else { return Ok(vec![NO_VALUE; documents.len()]) };
    let numbers = numbers_of(column, values)?;
    let ordinals = column.ords();
    let last = |document| ordinals.values_for_doc(document).max();
    let number = |ordinal: u64| numbers.get(ordinal as usize).copied();
    Ok(documents.map(|document| last(document).and_then(number).unwrap_or(NO_VALUE)).collect())
}

fn read_lists(
    column: Option<&StrColumn>,
    documents: Range<DocId>,
    values: &mut Arc<Values>,
) -> tantivy::Result<Lists> {
    let mut lists = Lists { starts: vec![0], values: Vec::new() };
    let numbers = column.map(|column| numbers_of(column, values)).transpose()?.unwrap_or_default();
    for document in documents {
        let ordinals = column.into_iter().flat_map(|column| column.ords().values_for_doc(document));
        lists.values.extend(ordinals.filter_map(|ordinal| numbers.get(ordinal as usize).copied()));
        lists.starts.push(lists.values.len() as u32);
    }
    Ok(lists)
}

/// The numbers of the values of a segment, by its ordinals.
fn numbers_of(column: &StrColumn, values: &mut Arc<Values>) -> tantivy::Result<Vec<ValueId>> {
    let mut numbers = Vec::with_capacity(column.dictionary().num_terms());
    let mut terms = column.dictionary().stream()?;
    while terms.advance() {
        let text = String::from_utf8_lossy(terms.key());
        let number = match values.number(&text) {
            Some(known) => known,
            // Searches read the values as they were; this makes others of them.
            None => Arc::make_mut(values).add(&text),
        };
        numbers.push(number);
    }
    Ok(numbers)
}
