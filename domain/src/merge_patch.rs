//! JSON merge patch (RFC 7396) on raw JSON, so that a price that is not patched keeps its digits.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use crate::input::{Field, InputError, MAX_FIELDS, RawObject};

/// Applies `patch` to the JSON object `target`: null removes a field, an object is merged, any other value replaces the field.
///
/// # Errors
/// Fails if `patch` is not a JSON object, or has more than [`MAX_FIELDS`] fields.
pub fn merge_patch(target: &[u8], patch: &[u8]) -> Result<Vec<u8>, InputError> {
    let mut merged = Vec::with_capacity(target.len() + patch.len());
    let patch = RawObject::parse_at_most(patch, MAX_FIELDS, "a patch")?;
    write_at_depth(&RawObject::parse(target)?.0, &patch.0, &mut merged, 0);
    Ok(merged)
}

/// The depth to which objects are merged. A product cannot be nested deeper; deeper values replace the field.
const MAX_DEPTH: usize = 16;

/// Writes the merged object. The time is linear in the size of both.
fn write_at_depth(target: &[Field<'_>], patch: &[Field<'_>], out: &mut Vec<u8>, depth: usize) {
    out.push(b'{');
    let patched: HashSet<&str> = patch.iter().map(|(key, _)| key.as_ref()).collect();
    for (key, value) in target.iter().filter(|(key, _)| !patched.contains(key.as_ref())) {
        write_key(key, out);
        out.extend_from_slice(value.get().as_bytes());
    }
    // The last of several equal keys counts, as in most JSON parsers.
    let last: HashMap<&str, usize> =
        patch.iter().enumerate().map(|(at, (key, _))| (key.as_ref(), at)).collect();
    let old: HashMap<&str, &RawValue> = target.iter().map(|(key, value)| (key.as_ref(), *value)).collect();
    for (at, (key, value)) in patch.iter().enumerate() {
        if value.get() == "null" || last.get(key.as_ref()) != Some(&at) {
            continue;
        }
        write_key(key, out);
        match as_object(value).filter(|_| depth < MAX_DEPTH) {
            Some(fields) => {
                let old = old.get(key.as_ref()).and_then(|old| as_object(old));
                write_at_depth(&old.map_or(vec![], |old| old.0), &fields.0, out, depth + 1);
            }
            None => out.extend_from_slice(value.get().as_bytes()),
        }
    }
    out.push(b'}');
}

fn as_object(value: &RawValue) -> Option<RawObject<'_>> {
    value.get().starts_with('{').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

fn write_key(key: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.extend_from_slice(serde_json::Value::from(key).to_string().as_bytes());
    out.push(b':');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    /// The pseudocode of RFC 7396, section 2.
    fn specified(target: Value, patch: Value) -> Value {
        let Value::Object(patch) = patch else { return patch };
        let mut target = match target {
            Value::Object(target) => target,
            _ => Map::new(),
        };
        for (key, value) in patch {
            match value {
                Value::Null => _ = target.remove(&key),
                value => {
                    let old = target.remove(&key).unwrap_or(Value::Null);
                    target.insert(key, specified(old, value));
                }
            }
        }
        Value::Object(target)
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "[a\"\\\\é]{0,3}".prop_map(Value::from)
        ];
        let value = leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        prop::collection::btree_map("[a-d]", value, 0..5)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn merging_follows_the_rfc(target in object(), patch in object()) {
            let merged = merge_patch(target.to_string().as_bytes(), patch.to_string().as_bytes()).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&merged).unwrap(), specified(target, patch));
        }
    }

    #[test]
    fn digits_are_kept() {
        let merged = merge_patch(br#"{"price":19.90,"a":{"b":1}}"#, br#"{"a":{"c":2.50}}"#).unwrap();
        assert_eq!(String::from_utf8(merged).unwrap(), r#"{"price":19.90,"a":{"b":1,"c":2.50}}"#);
        assert!(merge_patch(b"{}", json!([1]).to_string().as_bytes()).is_err());
    }
}
