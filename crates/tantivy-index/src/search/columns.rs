//! The columns that a search reads for each match, as arrays in memory.
//!
//! A search may have hundreds of thousands of matches, and reads brand, category, price and stock of each. A lookup takes
//! about ten nanoseconds in a packed column of tantivy and about one in an array. The arrays take some 20 bytes per product. Like
//! their segment, they never change, so a commit reads those of new segments only.

use std::ops::Range;
use std::sync::Arc;

use domain::Currency;
use tantivy::DocId;
use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentReader;

use crate::layout::encoding::currency_number;
use crate::layout::schema::column;
use crate::layout::value_field::{VALUE_FIELDS, ValueField, ValueShape};
use crate::search::values::{NO_VALUE, ValueId, ValueTable, ValueTables};

/// Means that a document has no price.
const NO_PRICE: i64 = i64::MIN;

/// The columns of a segment.
pub(crate) struct SegmentColumns {
    /// The columns of [`VALUE_FIELDS`], in that order.
    pub(crate) values: Vec<ValueColumn>,
    pub(crate) in_stock: Vec<bool>,
    /// Minor units; [`NO_PRICE`] without a price.
    price: Vec<i64>,
    /// The currency of each price, as an index into `currencies`; 0 without a price.
    currency: Vec<u8>,
    /// The currencies of the prices.
    currencies: Vec<u64>,
}

/// The values of one field by document.
pub(crate) enum ValueColumn {
    /// At most one value per document. Paths are stored without their ancestors, here and in a list.
    Single(Vec<ValueId>),
    /// Any number of values. Takes more memory and time, so a segment has lists of paths only if one of its documents has
    /// several.
    List(ValueLists),
}

/// A list of values for each document.
pub(crate) struct ValueLists {
    /// The start in `values` of the list of each document, followed by the end of the last list.
    starts: Vec<u32>,
    values: Vec<ValueId>,
}

impl ValueLists {
    fn new() -> Self {
        Self { starts: vec![0], values: Vec::new() }
    }

    /// Adds the list of the next document.
    fn push(&mut self, values: impl Iterator<Item = ValueId>) {
        self.values.extend(values);
        self.starts.push(self.values.len() as u32);
    }

    /// Returns the only value of each document, [`NO_VALUE`] if it has none; `None` if a document has several.
    fn only_values(&self) -> Option<Vec<ValueId>> {
        let lists = self.starts.windows(2).map(|ends| &self.values[ends[0] as usize..ends[1] as usize]);
        lists
            .map(|list| match list {
                [] => Some(NO_VALUE),
                [only] => Some(*only),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn get(&self, document: DocId) -> &[ValueId] {
        let at = document as usize;
        &self.values[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// The prices of a segment in one currency.
#[derive(Clone, Copy)]
pub(crate) struct Prices<'a> {
    price: &'a [i64],
    /// The currency of each price and the wanted one; `None` if all prices are in that, as in most catalogues.
    currency: Option<(&'a [u8], Option<u8>)>,
}

impl Prices<'_> {
    /// Returns the price in minor units; `None` if the document has no price in the currency.
    pub(crate) fn get(&self, document: DocId) -> Option<i64> {
        let at = document as usize;
        let price = self.price[at];
        let is_wanted = || self.currency.is_none_or(|(currency, wanted)| Some(currency[at]) == wanted);
        (price != NO_PRICE && is_wanted()).then_some(price)
    }
}

impl SegmentColumns {
    /// Reads the columns of a segment. New values get the next ids.
    pub(crate) fn read(reader: &SegmentReader, tables: &mut ValueTables) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        let documents = 0..reader.max_doc();
        let mut values = Vec::with_capacity(VALUE_FIELDS.len());
        for (field, table) in VALUE_FIELDS.iter().zip(&mut tables.0) {
            let column = columns.str(field.column)?;
            values.push(ValueColumn::read(column.as_ref(), documents.clone(), field, table)?);
        }
        let amounts: Option<Column<i64>> = columns.column_opt(column::PRICE)?;
        let codes: Option<Column<u64>> = columns.column_opt(column::CURRENCY)?;
        let stock: Option<Column<u64>> = columns.column_opt(column::IN_STOCK)?;
        let mut currencies = Vec::new();
        let count = documents.len();
        let (mut price, mut currency) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut in_stock = Vec::with_capacity(count);
        for document in documents {
            let amount = amounts.as_ref().and_then(|amounts| amounts.first(document));
            let code = codes.as_ref().and_then(|codes| codes.first(document)).unwrap_or_default();
            price.push(amount.unwrap_or(NO_PRICE));
            currency.push(amount.map_or(0, |_| currency_index(code, &mut currencies)));
            in_stock.push(stock.as_ref().and_then(|stock| stock.first(document)) == Some(1));
        }
        Ok(Self { values, in_stock, price, currency, currencies })
    }

    /// Returns the prices in a currency.
    pub(crate) fn prices(&self, currency: Currency) -> Prices<'_> {
        let number = currency_number(currency);
        let wanted = self.currencies.iter().position(|known| *known == number);
        let wanted = wanted.and_then(|at| u8::try_from(at).ok());
        let is_only = self.currencies == [number];
        Prices { price: &self.price, currency: (!is_only).then_some((&self.currency, wanted)) }
    }
}

/// Returns the index of a currency, adding it if it is new. ISO 4217 has fewer than 200 currencies, so 8 bits are enough.
fn currency_index(code: u64, currencies: &mut Vec<u64>) -> u8 {
    let at = currencies.iter().position(|known| *known == code).unwrap_or_else(|| {
        currencies.push(code);
        currencies.len() - 1
    });
    u8::try_from(at).unwrap_or(u8::MAX)
}

impl ValueColumn {
    fn read(
        column: Option<&StrColumn>,
        documents: Range<DocId>,
        field: &ValueField,
        table: &mut Arc<ValueTable>,
    ) -> tantivy::Result<Self> {
        let ids = column.map(|column| ids_of(column, field.shape, table)).transpose()?.unwrap_or_default();
        let values = |document| {
            let ordinals = column.into_iter().flat_map(move |column| column.ords().values_for_doc(document));
            ordinals.filter_map(|ordinal| ids.get(ordinal as usize).copied())
        };
        if field.shape == ValueShape::Single {
            return Ok(Self::Single(
                documents.map(|document| values(document).next().unwrap_or(NO_VALUE)).collect(),
            ));
        }
        let mut lists = ValueLists::new();
        let mut own = Vec::new();
        for document in documents {
            own.clear();
            own.extend(values(document));
            match field.shape {
                ValueShape::Paths => lists.push(narrowest(&own, table)),
                ValueShape::Single | ValueShape::List => lists.push(own.iter().copied()),
            }
        }
        Ok(match lists.only_values().filter(|_| field.shape == ValueShape::Paths) {
            Some(values) => Self::Single(values),
            None => Self::List(lists),
        })
    }
}

/// Returns the paths that are not ancestors of another one. `paths` must contain all ancestors of each path.
fn narrowest<'a>(paths: &'a [ValueId], table: &'a ValueTable) -> impl Iterator<Item = ValueId> + 'a {
    let is_parent = |id: ValueId| paths.iter().any(|path| table.parent(*path) == id);
    paths.iter().copied().filter(move |id| !is_parent(*id))
}

/// Returns the value ids of a column by ordinal.
fn ids_of(
    column: &StrColumn,
    shape: ValueShape,
    table: &mut Arc<ValueTable>,
) -> tantivy::Result<Vec<ValueId>> {
    let mut ids = Vec::with_capacity(column.dictionary().num_terms());
    let mut terms = column.dictionary().stream()?;
    while terms.advance() {
        let text = String::from_utf8_lossy(terms.key());
        let id = match table.id(&text) {
            Some(known) => known,
            // Running searches keep the table that they have; this copies it once.
            None => Arc::make_mut(table).add(&text, shape),
        };
        ids.push(id);
    }
    Ok(ids)
}
