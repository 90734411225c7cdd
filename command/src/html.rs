//! HTML in the texts of products, stored as the configuration says.

use std::sync::LazyLock;

use ammonia::Builder;
use domain::input::size_fault;
use domain::{Content, Fault, HtmlPolicy};
use text::markup::plain_text;

/// Rewrites the name and the description of a product as the policy says. The result is the same if it is applied again.
///
/// # Errors
/// If the product is too large with its description as safe HTML, in which a `&` takes five characters.
pub(crate) fn apply(policy: HtmlPolicy, mut content: Content) -> Result<Content, Fault> {
    if policy == HtmlPolicy::Raw {
        return Ok(content);
    }
    let name = plain_text(&content.name);
    // A name must not be empty, so a name that consists of tags only stays unchanged.
    if *name != content.name && !name.is_empty() {
        content.name = name.into_owned();
    }
    let Some(description) = &content.description else { return Ok(content) };
    let rewritten = match policy {
        HtmlPolicy::Safe => SANITIZER.clean(description).to_string(),
        _ => plain_text(description).into_owned(),
    };
    let is_larger = rewritten.len() > description.len();
    content.description = Some(rewritten).filter(|text| !text.is_empty());
    match size_fault(None, &content).filter(|_| is_larger) {
        Some(fault) => Err(Fault { message: format!("as safe HTML, {}", fault.message), ..fault }),
        None => Ok(content),
    }
}

/// Keeps the elements and attributes that `ammonia` allows by default: text, links and images, but no scripts, styles or forms.
static SANITIZER: LazyLock<Builder<'static>> = LazyLock::new(Builder::default);

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;

    fn content(name: &str, description: &str) -> Content {
        let json = serde_json::json!({ "name": name, "description": description }).to_string();
        read_product(json.as_bytes(), Currency::USD).unwrap().content
    }

    fn stored(policy: HtmlPolicy, name: &str, description: &str) -> (String, Option<String>) {
        let once = apply(policy, content(name, description)).unwrap();
        let twice = apply(policy, once.clone()).unwrap();
        assert_eq!(once, twice, "a product that was read can be written back unchanged");
        (once.name, once.description)
    }

    const DESCRIPTION: &str =
        r#"<p onclick="x()">Oak &amp; ash</p><script>alert(1)</script><a href="javascript:x()">more</a>"#;

    #[test]
    fn a_description_is_stored_as_the_policy_says() {
        let name = "Caf&eacute; <b>mug</b>";
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(stored(HtmlPolicy::Raw, name, DESCRIPTION), (name.to_owned(), text(DESCRIPTION)));
        assert_eq!(
            stored(HtmlPolicy::Text, name, DESCRIPTION),
            ("Café mug".to_owned(), text("Oak & ash\nmore"))
        );
        let safe = r#"<p>Oak &amp; ash</p><a rel="noopener noreferrer">more</a>"#;
        assert_eq!(stored(HtmlPolicy::Safe, name, DESCRIPTION), ("Café mug".to_owned(), text(safe)));
    }

    #[test]
    fn a_name_never_becomes_empty_and_a_description_may() {
        let html = "<script>x</script>";
        assert_eq!(stored(HtmlPolicy::Text, html, html), (html.to_owned(), None));
        assert_eq!(stored(HtmlPolicy::Safe, html, html), (html.to_owned(), None));
    }

    #[test]
    fn texts_without_markup_stay() {
        for policy in [HtmlPolicy::Text, HtmlPolicy::Safe] {
            let stored = stored(policy, "A < B, AT&T", "Oak  table\n1 m");
            assert_eq!(stored, ("A < B, AT&T".to_owned(), Some("Oak  table\n1 m".to_owned())));
        }
    }

    #[test]
    fn a_description_that_becomes_too_large_is_a_fault() {
        let content = content("A", &"&".repeat(100_000));
        assert!(apply(HtmlPolicy::Text, content.clone()).is_ok());
        let fault = apply(HtmlPolicy::Safe, content).unwrap_err();
        assert!(fault.message.starts_with("as safe HTML, a product has at most"), "{fault}");
    }
}
