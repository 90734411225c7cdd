//! Records and changes: the state of a product in the store, and the messages from `command` to `sync`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::product::{Product, ProductId, Version};

/// The tombstone of a deleted product. It keeps the version, so that no version is used twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// The deleted product.
    pub id: ProductId,
    /// The version of the delete.
    pub version: Version,
    /// The time of the delete.
    pub deleted_at: Timestamp,
}

/// The state of a product in the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A product.
    Live(Arc<Product>),
    /// A deleted product.
    Deleted(Tombstone),
}

impl Record {
    /// Returns the id.
    pub fn id(&self) -> &ProductId {
        match self {
            Self::Live(product) => &product.id,
            Self::Deleted(tombstone) => &tombstone.id,
        }
    }

    /// Returns the version of the product or of its delete.
    pub fn version(&self) -> Version {
        match self {
            Self::Live(product) => product.version,
            Self::Deleted(tombstone) => tombstone.version,
        }
    }

    /// Returns the product unless it was deleted.
    pub fn live(&self) -> Option<&Arc<Product>> {
        match self {
            Self::Live(product) => Some(product),
            Self::Deleted(_) => None,
        }
    }
}

/// The kind of a change, for other programs that read the messages. `sync` itself only uses the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// The product was created, for the first time or after a delete.
    Create,
    /// The product was replaced or patched.
    Update,
    /// The product was deleted.
    Delete,
}

impl Action {
    /// Returns the name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// One version of a product on its way from the store to the index.
///
/// As JSON: `{"action":"CREATE","id":…,"version":1,"at":…,"product":{…}}`; a delete has no product.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The product was created.
    Create(Arc<Product>),
    /// The product was replaced or patched.
    Update(Arc<Product>),
    /// The product was deleted.
    Delete(Tombstone),
}

impl Change {
    /// Creates the change that results in this record when it is applied to any earlier one.
    pub fn to(record: Record) -> Self {
        match record {
            Record::Live(product) => Self::Update(product),
            Record::Deleted(tombstone) => Self::Delete(tombstone),
        }
    }

    /// Returns the kind of change.
    pub fn action(&self) -> Action {
        match self {
            Self::Create(_) => Action::Create,
            Self::Update(_) => Action::Update,
            Self::Delete(_) => Action::Delete,
        }
    }

    /// Returns the id of the product.
    pub fn id(&self) -> &ProductId {
        match self {
            Self::Create(product) | Self::Update(product) => &product.id,
            Self::Delete(tombstone) => &tombstone.id,
        }
    }

    /// Returns the version of the product after the change.
    pub fn version(&self) -> Version {
        match self {
            Self::Create(product) | Self::Update(product) => product.version,
            Self::Delete(tombstone) => tombstone.version,
        }
    }

    /// Returns the time of the change.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Create(product) | Self::Update(product) => product.updated_at,
            Self::Delete(tombstone) => tombstone.deleted_at,
        }
    }

    /// Returns the product after the change unless it was deleted.
    pub fn product(&self) -> Option<&Arc<Product>> {
        match self {
            Self::Create(product) | Self::Update(product) => Some(product),
            Self::Delete(_) => None,
        }
    }

    /// Returns the record after the change.
    pub fn record(&self) -> Record {
        match self {
            Self::Create(product) | Self::Update(product) => Record::Live(Arc::clone(product)),
            Self::Delete(tombstone) => Record::Deleted(tombstone.clone()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeJson<P> {
    action: Action,
    id: ProductId,
    version: Version,
    at: Timestamp,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    product: Option<P>,
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ChangeJson {
            action: self.action(),
            id: self.id().clone(),
            version: self.version(),
            at: self.at(),
            product: self.product(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let json = ChangeJson::<Product>::deserialize(deserializer)?;
        match (json.action, json.product) {
            (Action::Delete, None) => {
                Ok(Self::Delete(Tombstone { id: json.id, version: json.version, deleted_at: json.at }))
            }
            (Action::Delete, Some(_)) => Err(D::Error::custom("a DELETE must not have a product")),
            (_, None) => Err(D::Error::missing_field("product")),
            (_, Some(product)) if product.id != json.id || product.version != json.version => {
                Err(D::Error::custom("the product has another id or version than its change"))
            }
            (Action::Create, Some(product)) => Ok(Self::Create(Arc::new(product))),
            (Action::Update, Some(product)) => Ok(Self::Update(Arc::new(product))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::read_product;
    use crate::money::{Currency, MAX_MINOR_UNITS, Money};
    use proptest::prelude::*;
    use serde_json::json;

    fn attribute() -> impl Strategy<Value = serde_json::Value> {
        prop_oneof![
            "[^\\x00]{0,12}".prop_map(serde_json::Value::from),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(serde_json::Value::from),
            prop::collection::vec("[a-zé ]{0,6}", 0..3).prop_map(serde_json::Value::from),
        ]
    }

    prop_compose! {
        fn product_json()(
            name in "[a-zé名]{1,20}", description in prop::option::of("[^\\x00]{0,40}"),
            brand in prop::option::of("[A-Z][a-z]{0,8}"), tags in prop::collection::btree_set("[a-z]{1,5}", 0..4),
            minor in prop::option::of(0..=MAX_MINOR_UNITS), stock in prop::option::of(0..100_000_u64),
            attributes in prop::collection::btree_map("[a-z.é]{1,8}", attribute(), 0..5),
            categories in prop::collection::vec("[AB]( > [AB]){0,2}", 0..4),
        ) -> String {
            let mut json = json!({
                "name": name, "description": description, "brand": brand, "tags": tags, "stock": stock,
                "attributes": attributes, "categories": categories
            }).to_string();
            if let Some(minor) = minor {
                let price = Money::from_minor_units(minor, Currency::USD).unwrap();
                json.insert_str(1, &format!("\"price\":{price},"));
            }
            json
        }
    }

    proptest! {
        #[test]
        fn a_change_survives_its_message(json in product_json(), version in 1..u64::MAX) {
            let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
            let product = Arc::new(Product {
                id: ProductId::generate(), version: Version(version), created_at: crate::now(),
                updated_at: crate::now(), content,
            });
            for change in [
                Change::Create(Arc::clone(&product)),
                Change::Update(Arc::clone(&product)),
                Change::Delete(Tombstone { id: product.id.clone(), version: product.version, deleted_at: crate::now() }),
            ] {
                let message = serde_json::to_string(&change).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Change>(&message).unwrap(), &change);
            }
        }

        #[test]
        fn a_product_that_was_read_is_written_back_unchanged(json in product_json()) {
            let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
            let product = Product {
                id: ProductId::generate(), version: Version::FIRST, created_at: crate::now(),
                updated_at: crate::now(), content,
            };
            let again = read_product(&serde_json::to_vec(&product).unwrap(), Currency::USD).unwrap();
            prop_assert_eq!(again.id, Some(product.id));
            prop_assert_eq!(again.content, product.content);
        }
    }
}
