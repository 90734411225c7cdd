//! Bodies of writes: products and patches.

use domain::Currency;
use domain::input::read_product;
use domain::merge_patch::merge_patch;
use serde_json::Value;

use super::fuzz;

#[test]
fn a_product_is_read_or_rejected() {
    fuzz("product", |input| {
        for code in ["USD", "JPY", "KWD"] {
            let _ = read_product(input, Currency::parse(code).unwrap());
        }
    });
}

#[test]
fn a_patch_changes_nothing_the_second_time() {
    // The product is on the first line, the patch below.
    fuzz("patch", |input| {
        let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (target, patch) = input.split_at(end);
        let Ok(once) = merge_patch(target, patch) else { return };
        let twice = merge_patch(&once, patch).expect("a merged object is an object");
        let value = |json: &[u8]| serde_json::from_slice::<Value>(json).ok();
        assert_eq!(value(&twice), value(&once));
    });
}
