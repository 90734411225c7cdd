//! Prepares a record for the catalogue: maps and checks it, and turns it into a patch if it is to be merged.

use domain::input::{InputError, ProductInput, RawObject, read_product, read_product_object};
use domain::merge_patch::merge_patch;
use domain::{Currency, Fault, FaultKind, WriteMode};

use crate::covered::Covered;
use crate::field_stats::FieldStats;
use crate::identity::IdOrigin;
use crate::json::{field, write_field, write_key};
use crate::mapping::{map_object, parse_record};
use crate::record::{FeedRecord, Rejected};
use crate::seen_ids::SeenIds;
use crate::table::{TableReport, form_of_record, other_form};

/// Rules for the records of a file.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Currency to write into products that have a price and no currency.
    pub currency: Option<Currency>,
    /// Currency of the catalogue, to check products with. `None` leaves the check to the catalogue.
    pub check: Option<Currency>,
    /// The mode of the writes.
    pub mode: WriteMode,
}

/// A record as it is sent to the catalogue.
#[derive(Debug)]
pub struct Prepared {
    /// A product or a patch as JSON, with an id; `None` if the record itself is that already.
    pub json: Option<Vec<u8>>,
    /// The product, if it was checked. For a patch, only the id is meaningful.
    pub input: Option<ProductInput>,
    /// The origin of the id.
    pub origin: IdOrigin,
}

/// Prepares the records of one file.
pub struct Preparer {
    rules: Rules,
    seen: SeenIds,
    fields: FieldStats,
}

impl Preparer {
    /// Prepares records by rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules, seen: SeenIds::default(), fields: FieldStats::default() }
    }

    /// Prepares a record. Two different products with one id are a fault of the second.
    ///
    /// # Errors
    /// The faults of the record.
    pub fn prepare(&mut self, record: &FeedRecord) -> Result<Prepared, Rejected> {
        let mut rejected = Rejected::from(Vec::new());
        self.prepare_with(record, &mut rejected).map_err(|faults| Rejected { faults, ..rejected })
    }

    /// Prepares a record, and fills in `rejected` as soon as its values are known.
    fn prepare_with(&mut self, record: &FeedRecord, rejected: &mut Rejected) -> Result<Prepared, Vec<Fault>> {
        let json = record.json().map_err(|Rejected { id, sku, origin, faults }| {
            rejected.id.clone_from(id);
            rejected.sku.clone_from(sku);
            rejected.origin = *origin;
            faults.clone()
        })?;
        let object = parse_record(json)?;
        if record.covered.is_none() {
            check_form(&object)?;
            self.fields.add_record(&object);
        }
        (rejected.id, rejected.sku) = (text_of(&object, "id"), text_of(&object, "sku"));
        let mapped = map_object(&object, json.len(), self.rules.currency)?;
        rejected.origin = mapped.origin;
        let speaks = matches!(mapped.origin, IdOrigin::Given | IdOrigin::Code);
        rejected.id = text_of_json(&mapped.id).filter(|_| speaks);
        let rewritten = match self.rules.mode {
            WriteMode::Replace => mapped.rewritten,
            WriteMode::Merge => {
                let product = mapped.rewritten.as_deref().unwrap_or(json);
                Some(match &record.covered {
                    Some(covered) => patch(product, covered),
                    None => patch(product, &Covered::of_record(&object)),
                })
            }
        };
        let written = rewritten.as_deref().unwrap_or(json);
        let check = |currency| match &rewritten {
            None => read_product_object(&object, json.len(), currency),
            Some(rewritten) => read_record(rewritten, currency, self.rules.mode),
        };
        let checked = self.rules.check.map(check).transpose();
        let input = checked.map_err(|error| match error {
            InputError::Faults(faults) => faults.into_list(),
            InputError::Syntax(message) => vec![Fault::new("", FaultKind::Malformed, message)],
        })?;
        match self.seen.earlier_line(&mapped.id, written, record.line) {
            None => Ok(Prepared { json: rewritten, input, origin: mapped.origin }),
            Some(line) => Err(vec![duplicate_id(line, !mapped.origin.is_given())]),
        }
    }

    /// Returns the report on the fields of records in the form of Noren; the reader reports on others.
    pub fn report(&self) -> Option<TableReport> {
        self.fields.report("Noren's own JSON")
    }
}

/// Returns the rejection of a record for a fault, with the id and sku that the record names.
pub(crate) fn rejected(record: &RawObject<'_>, fault: Fault) -> Rejected {
    Rejected { id: text_of(record, "id"), sku: text_of(record, "sku"), ..Rejected::from(fault) }
}

/// Returns a field of a record, if it is a text, or a number as it is written.
fn text_of(record: &RawObject<'_>, name: &str) -> Option<String> {
    text_of_json(field(record, &[name])?.get())
}

fn text_of_json(json: &str) -> Option<String> {
    match json.starts_with(|c: char| c.is_ascii_digit()) {
        true => Some(json.to_owned()),
        false => serde_json::from_str(json).ok(),
    }
}

/// Returns the fault of a record that deletes a product.
pub(crate) fn fault_of_deletion(record: &RawObject<'_>) -> Option<Fault> {
    let deletes = record.0.iter().any(|(key, raw)| key == "delete" && raw.get() == "true");
    let message = "is a line that deletes, which an import of files does not do; delete the product by its id, or send such lines to \
                   `POST /products/bulk`";
    deletes.then(|| Fault::new("delete", FaultKind::Unknown, message))
}

/// Checks that a record of a file in the form of Noren is in no other form.
fn check_form(record: &RawObject<'_>) -> Result<(), Vec<Fault>> {
    let has = |name: &str| record.0.iter().any(|(key, _)| key == name);
    if let Some(fault) = fault_of_deletion(record) {
        return Err(vec![fault]);
    }
    match form_of_record(has) {
        None => Ok(()),
        Some(form) => Err(vec![other_form(form, "Noren's own JSON")]),
    }
}

/// Reads a product, or checks a patch, which may lack the name.
///
/// # Errors
/// The faults of the product, or of the product that the patch would create.
pub fn read_record(json: &[u8], currency: Currency, mode: WriteMode) -> Result<ProductInput, InputError> {
    match mode {
        WriteMode::Replace => read_product(json, currency),
        WriteMode::Merge => read_product(&merge_patch(br#"{"name":"-"}"#, json)?, currency),
    }
}

/// Returns a product with null for each covered field and attribute that it lacks.
fn patch(product: &[u8], covered: &Covered) -> Vec<u8> {
    let Ok(object) = serde_json::from_slice::<RawObject<'_>>(product) else { return product.to_vec() };
    let mut out = Vec::with_capacity(product.len() + 64);
    let mut attributes = RawObject(Vec::new());
    out.push(b'{');
    for (key, raw) in &object.0 {
        match (key.as_ref(), serde_json::from_str::<RawObject<'_>>(raw.get())) {
            ("attributes", Ok(own)) => attributes = own,
            _ => write_field(key, raw.get(), &mut out),
        }
    }
    let missing = covered.fields.iter().filter(|field| !object.0.iter().any(|(key, _)| key == **field));
    for field in missing {
        write_field(field, "null", &mut out);
        // A currency without a price has no meaning.
        let has_currency =
            || covered.fields.contains(&"currency") || object.0.iter().any(|(key, _)| key == "currency");
        if *field == "price" && !has_currency() {
            write_field("currency", "null", &mut out);
        }
    }
    // Flags instead of a set, because a file may have a thousand attributes of which each product has ten.
    let mut is_own = vec![false; covered.attributes.len()];
    for (key, _) in &attributes.0 {
        if let Some(at) = covered.attributes.get_index_of(key.as_ref()) {
            is_own[at] = true;
        }
    }
    let cleared = covered.attributes.iter().zip(&is_own).filter(|(_, is_own)| !**is_own);
    let cleared: Vec<&String> = cleared.map(|(key, _)| key).collect();
    if !attributes.0.is_empty() || !cleared.is_empty() {
        write_key("attributes", &mut out);
        out.push(b'{');
        attributes.0.iter().for_each(|(key, raw)| write_field(key, raw.get(), &mut out));
        cleared.iter().for_each(|key| write_field(key, "null", &mut out));
        out.push(b'}');
    }
    out.push(b'}');
    out
}

fn duplicate_id(line: u64, is_derived: bool) -> Fault {
    let message = match is_derived {
        false => format!("is that of another product in line {line}; give each its own id, or remove one"),
        true => format!(
            "is missing, and the one derived from the product's code or name is that of another product in line {line}; \
             give each its own id"
        ),
    };
    Fault::new("id", FaultKind::Taken, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Original;

    fn merged(json: &str, covered: Option<Covered>) -> serde_json::Value {
        let original = Original::Text(json.as_bytes().to_vec().into());
        let covered = covered.map(std::sync::Arc::new);
        let record = FeedRecord { line: 1, original, json: Ok(None), covered };
        let rules = Rules { currency: None, check: Some(Currency::USD), mode: WriteMode::Merge };
        let prepared = Preparer::new(rules).prepare(&record).unwrap();
        serde_json::from_slice(&prepared.json.unwrap()).unwrap()
    }

    #[test]
    fn null_and_empty_values_clear_what_they_name() {
        let json =
            r#"{"id":"a","brand":null,"Tags":[],"price":2.50,"glaze":"","attributes":{"w":1,"h":null}}"#;
        let expected = serde_json::json!({
            "id": "a", "price": 2.5, "brand": null, "tags": null, "attributes": { "w": 1, "h": null, "glaze": null }
        });
        assert_eq!(merged(json, None), expected);
    }

    #[test]
    fn a_column_without_a_value_clears_its_field() {
        let covered = Covered {
            fields: vec!["name", "stock", "price"],
            attributes: ["colour", "size"].map(str::to_owned).into(),
        };
        let json = r#"{"id":"a","name":"A","price":9.90,"attributes":{"size":"L"}}"#;
        let expected = serde_json::json!({
            "id": "a", "name": "A", "price": 9.9, "stock": null, "attributes": { "size": "L", "colour": null }
        });
        assert_eq!(merged(json, Some(covered)), expected);
    }
}
