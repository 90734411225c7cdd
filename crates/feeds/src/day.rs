//! Days as exports write them.

/// Returns a day as `2026-11-28`, from that form, with or without a time, or from `11/28/26`.
pub(crate) fn day(text: &str) -> Option<String> {
    let date = text.split(['T', ' ', ',']).next().unwrap_or_default();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = date.split(['-', '/']).collect();
    let [first, second, third] = parts[..] else { return None };
    if ![first, second, third].into_iter().all(is_digits) || second.len() > 2 {
        return None;
    }
    match (first.len(), third.len(), date.contains('/')) {
        (4, 1..=2, _) => Some(format!("{first}-{second:0>2}-{third:0>2}")),
        (1..=2, 4, true) => Some(format!("{third}-{first:0>2}-{second:0>2}")),
        (1..=2, 2, true) => Some(format!("20{third}-{first:0>2}-{second:0>2}")),
        _ => None,
    }
}
