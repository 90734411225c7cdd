//! Keeps `category` and `categories` consistent in merge patches.

use domain::CategoryPath;
use domain::input::{InputError, MAX_FIELDS, RawObject};
use serde_json::json;

/// Returns the merge patch to apply to a product before `patch`, so that one of the two fields changes both:
///
/// 1. `categories` alone replaces all categories, or with null removes them.
/// 2. `category` alone replaces the main category and keeps the others, or with null removes all.
///
/// Returns `None` for a patch of neither or of both. If one of both is null, the other decides.
///
/// # Errors
/// Fails if `patch` is not a JSON object, or has more than [`MAX_FIELDS`] fields.
pub(crate) fn before_patch(categories: &[CategoryPath], patch: &[u8]) -> Result<Option<String>, InputError> {
    let patch = RawObject::parse_at_most(patch, MAX_FIELDS, "a patch")?;
    // The last of several equal keys counts, as in the patch itself.
    let value = |name: &str| patch.0.iter().rfind(|(key, _)| *key == name).map(|(_, value)| value.get());
    Ok(match (value("category"), value("categories")) {
        (None, Some(_)) => Some(json!({ "category": null })),
        (Some(main), None) => Some(json!({ "categories": with_main(categories, main) })),
        (None, None) | (Some(_), Some(_)) => None,
    }
    .map(|patch| patch.to_string()))
}

/// Replaces the main category by `main`, a JSON value, and keeps the others. Returns `None` if no others remain, or `main` is no path.
fn with_main(categories: &[CategoryPath], main: &str) -> Option<Vec<CategoryPath>> {
    let main: CategoryPath = serde_json::from_str(main).ok()?;
    let others = categories.iter().skip(1).filter(|other| **other != main).cloned();
    let all: Vec<CategoryPath> = std::iter::once(main.clone()).chain(others).collect();
    (all.len() > 1).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;
    use domain::merge_patch::merge_patch;
    use serde_json::Value;

    /// Returns the categories after a patch, or the fields at fault.
    fn patched(categories: &[&str], patch: &Value) -> Result<Vec<String>, Vec<String>> {
        let (patch, name) = (patch.to_string(), "Lamp");
        let json = match categories {
            [] => json!({ "name": name }),
            [only] => json!({ "name": name, "category": only }),
            [main, ..] => json!({ "name": name, "category": main, "categories": categories }),
        };
        let content = |json: &[u8]| read_product(json, Currency::USD).map(|input| input.content);
        let before = content(json.to_string().as_bytes()).unwrap().categories;
        let mut json = json.to_string().into_bytes();
        if let Some(change) = before_patch(&before, patch.as_bytes()).unwrap() {
            json = merge_patch(&json, change.as_bytes()).unwrap();
        }
        match content(&merge_patch(&json, patch.as_bytes()).unwrap()) {
            Ok(content) => Ok(content.categories.iter().map(ToString::to_string).collect()),
            Err(InputError::Faults(faults)) => {
                Err(faults.into_list().into_iter().map(|fault| fault.field).collect())
            }
            Err(InputError::Syntax(error)) => panic!("{error}"),
        }
    }

    fn becomes(before: &[&str], patch: &Value, after: &[&str]) {
        let after = after.iter().map(|path| (*path).to_owned()).collect();
        assert_eq!(patched(before, patch), Ok(after), "{before:?} with {patch}");
    }

    #[test]
    fn the_list_alone_decides_all_categories() {
        for before in [&[][..], &["A"], &["A", "B > C"]] {
            becomes(before, &json!({ "categories": ["B > C", "D"] }), &["B > C", "D"]);
            becomes(before, &json!({ "categories": ["D"] }), &["D"]);
            becomes(before, &json!({ "categories": [] }), &[]);
            becomes(before, &json!({ "categories": null }), &[]);
        }
    }

    #[test]
    fn the_main_category_alone_keeps_the_others() {
        becomes(&[], &json!({ "category": "A" }), &["A"]);
        becomes(&["A"], &json!({ "category": "D" }), &["D"]);
        becomes(&["A", "B > C"], &json!({ "category": "D" }), &["D", "B > C"]);
        becomes(&["A", "B > C"], &json!({ "category": "A" }), &["A", "B > C"]);
        becomes(&["A", "B > C", "D"], &json!({ "category": "B>C" }), &["B > C", "D"]);
        becomes(&["A", "B > C"], &json!({ "category": "B > C" }), &["B > C"]);
        becomes(&["A", "B > C"], &json!({ "category": null }), &[]);
        becomes(&["A", "B > C"], &json!({ "name": "Desk" }), &["A", "B > C"]);
    }

    #[test]
    fn both_must_agree_unless_one_is_null() {
        becomes(&["A", "B"], &json!({ "category": "C", "categories": ["C", "A"] }), &["C", "A"]);
        becomes(&["A", "B"], &json!({ "category": "C", "categories": null }), &["C"]);
        becomes(&["A", "B"], &json!({ "category": null, "categories": ["C", "D"] }), &["C", "D"]);
        becomes(&["A", "B"], &json!({ "category": null, "categories": null }), &[]);
        let fault = Err(vec!["category".to_owned()]);
        assert_eq!(patched(&["A", "B"], &json!({ "category": "C", "categories": ["D", "C"] })), fault);
    }

    #[test]
    fn a_faulty_category_is_one_fault() {
        for main in [json!(7), json!("> >"), json!(["A"])] {
            assert_eq!(patched(&["A", "B"], &json!({ "category": main })), Err(vec!["category".to_owned()]));
        }
        let fault = Err(vec!["categories.1".to_owned()]);
        assert_eq!(patched(&["A"], &json!({ "categories": ["A", ">"] })), fault);
    }
}
