//! Value ids: numbers for the values of [`VALUE_FIELDS`]. A value has the same id in all segments. The counts of segments can
//! therefore be added by id, and only the values that a facet lists are converted to text.
//!
//! [`VALUE_FIELDS`]: crate::layout::value_field::VALUE_FIELDS

use std::collections::HashMap;
use std::sync::Arc;

use domain::CategoryPath;

use crate::layout::value_field::{VALUE_FIELD_COUNT, ValueShape};

/// The id of a value, in all segments.
pub(crate) type ValueId = u32;
/// Stands for a missing value, of a document without one, or for a missing parent.
pub(crate) const NO_VALUE: ValueId = ValueId::MAX;

/// The values of one field by id.
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueTable {
    texts: Vec<Arc<str>>,
    ids: HashMap<Arc<str>, ValueId>,
    /// The parent of each value, [`NO_VALUE`] if it has none. A parent always has a lower id than its children.
    parents: Vec<ValueId>,
}

impl ValueTable {
    /// Returns the id of a value that some product has or had.
    pub(crate) fn id(&self, text: &str) -> Option<ValueId> {
        self.ids.get(text).copied()
    }

    pub(crate) fn text(&self, id: ValueId) -> &str {
        self.texts.get(id as usize).map_or("", |text| text)
    }

    /// Returns the parent of a value; [`NO_VALUE`] if it has none.
    pub(crate) fn parent(&self, id: ValueId) -> ValueId {
        self.parents.get(id as usize).copied().unwrap_or(NO_VALUE)
    }

    /// Returns the number of ids.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Returns the id of a value, assigning the next one if it is new. Also assigns ids to the ancestors of a path.
    pub(super) fn add(&mut self, text: &str, shape: ValueShape) -> ValueId {
        if let Some(known) = self.id(text) {
            return known;
        }
        let parent = match text.rsplit_once(CategoryPath::SEPARATOR) {
            Some((parent, _)) if shape == ValueShape::Paths => self.add(parent, shape),
            _ => NO_VALUE,
        };
        let id = self.texts.len() as ValueId;
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.ids.insert(text, id);
        self.parents.push(parent);
        id
    }
}

/// The tables of all value fields, in the order of [`VALUE_FIELDS`](crate::layout::value_field::VALUE_FIELDS).
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueTables(pub(crate) [Arc<ValueTable>; VALUE_FIELD_COUNT]);

impl ValueTables {
    /// Returns the number of values in all tables.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|table| table.len()).sum()
    }
}
