//! Sitemaps, as <https://www.sitemaps.org/protocol.html> describes them.

use domain::Product;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// The most products of a sitemap, which the protocol defines.
pub const MAX_PRODUCTS: usize = 50_000;
/// The namespace of sitemaps.
const NAMESPACE: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";

/// A sitemap that is being written.
pub struct Sitemap {
    base: String,
    writer: Writer<Vec<u8>>,
}

impl Sitemap {
    /// Begins a sitemap of the service at this address, which has no slash at the end.
    pub fn new(base: &str) -> Self {
        let mut writer = Writer::new(Vec::new());
        begin(&mut writer, "urlset");
        Self { base: base.to_owned(), writer }
    }

    /// Adds the page of a product.
    pub fn add(&mut self, product: &Product) {
        let address = format!("{}/shop/products/{}", self.base, product.id);
        let day = product.updated_at.strftime("%Y-%m-%d").to_string();
        entry(&mut self.writer, "url", &address, Some(&day));
    }

    /// Returns the sitemap as XML.
    pub fn finish(mut self) -> Vec<u8> {
        end(&mut self.writer, "urlset");
        self.writer.into_inner()
    }
}

/// Returns the list of `count` sitemaps of the service at this address, as XML.
pub fn index(base: &str, count: usize) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    begin(&mut writer, "sitemapindex");
    for number in 1..=count {
        entry(&mut writer, "sitemap", &format!("{base}/sitemap/{number}"), None);
    }
    end(&mut writer, "sitemapindex");
    writer.into_inner()
}

fn begin(writer: &mut Writer<Vec<u8>>, element: &str) {
    write(writer, Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let start = BytesStart::new(element).with_attributes([("xmlns", NAMESPACE)]);
    write(writer, Event::Start(start));
}

fn end(writer: &mut Writer<Vec<u8>>, element: &str) {
    write(writer, Event::End(BytesEnd::new(element)));
}

fn entry(writer: &mut Writer<Vec<u8>>, element: &str, address: &str, day: Option<&str>) {
    let written = writer.create_element(element).write_inner_content(|writer| {
        writer.create_element("loc").write_text_content(BytesText::new(address))?;
        if let Some(day) = day {
            writer.create_element("lastmod").write_text_content(BytesText::new(day))?;
        }
        Ok(())
    });
    // Writing to memory cannot fail.
    let _ = written;
}

/// Writes an event. Writing to memory cannot fail.
fn write(writer: &mut Writer<Vec<u8>>, event: Event<'_>) {
    let _ = writer.write_event(event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped() {
        let xml = String::from_utf8(index("http://shop.example/a&b", 2)).unwrap();
        assert!(xml.contains("<loc>http://shop.example/a&amp;b/sitemap/2</loc>"), "{xml}");
        assert_eq!(xml.matches("<sitemap>").count(), 2);
    }
}
