//! The pictures of products, drawn by the kind of thing and its colour.

pub(crate) mod colours;
mod kind;
mod kinds;
mod words;

use std::borrow::Cow;

use domain::{AttributeValue, Content};
use text::markup::plain_text;

use kind::DRAWN_COLOUR;
use kinds::KINDS;
use words::last_end;

/// The attributes that name a colour.
const COLOUR_ATTRIBUTES: [&str; 2] = ["colour", "color"];

/// The inputs of a drawing.
#[derive(Debug, Clone)]
pub struct Picture<'a> {
    /// The name of the product.
    pub name: Cow<'a, str>,
    /// Its main category.
    pub category: Option<Cow<'a, str>>,
    /// Its colour in words.
    pub colour: Option<Cow<'a, str>>,
}

impl<'a> Picture<'a> {
    /// Returns the picture of a product.
    pub fn of(content: &'a Content) -> Self {
        let colour = COLOUR_ATTRIBUTES.iter().find_map(|key| match content.attributes.get(*key) {
            Some(AttributeValue::Text(colour)) => Some(Cow::Borrowed(colour.as_str())),
            _ => None,
        });
        let category = content.category().map(|category| category.to_string().into());
        Self { name: plain_text(&content.name), category, colour }
    }

    /// Returns the address of the picture, from the root of the service.
    pub fn address(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("name", &self.name);
        for (name, value) in [("category", &self.category), ("colour", &self.colour)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        format!("shop/picture.svg?{}", query.finish())
    }

    /// Draws the picture, as an SVG document of 240 by 240 units.
    pub fn svg(&self) -> String {
        let name = self.name.to_lowercase();
        let named = || self.category.as_ref().and_then(|category| drawing_of(&category.to_lowercase()));
        let drawing =
            drawing_of(&name).or_else(named).map(Cow::Borrowed).unwrap_or_else(|| monogram(&self.name));
        let colour = self.colour.as_ref().map(|colour| colour.to_lowercase());
        let known = colour.iter().chain([&name]).find_map(|text| colours::named_in(text));
        let colour = known.unwrap_or_else(|| colours::of_name(&name));
        drawing.replacen(DRAWN_COLOUR, &format!("color=\"{colour}\""), 1)
    }
}

/// Returns a tile with the first letter of a name, for a product of an unknown kind.
fn monogram(name: &str) -> Cow<'static, str> {
    let first = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('·');
    let letter = first.to_uppercase();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 240 240\" {DRAWN_COLOUR}>\
         <rect width=\"240\" height=\"240\" fill=\"#eef0f4\"/>\
         <circle cx=\"120\" cy=\"120\" r=\"72\" fill=\"currentColor\"/>\
         <text x=\"120\" y=\"122\" font-family=\"system-ui, sans-serif\" font-size=\"76\" font-weight=\"600\" fill=\"#fff\" \
         stroke=\"#000\" stroke-opacity=\".25\" stroke-width=\"3\" paint-order=\"stroke\" text-anchor=\"middle\" \
         dominant-baseline=\"central\">{letter}</text></svg>"
    )
    .into()
}

/// Returns the drawing whose word ends last in a lower-case text; of those that end there, the one with the longest word.
fn drawing_of(text: &str) -> Option<&'static str> {
    let words = KINDS.into_iter().flatten().flat_map(|kind| kind.words.iter().map(|word| (*word, kind.svg)));
    let found = words.filter_map(|(word, svg)| Some((last_end(text, word)?, word.len(), svg)));
    found.max_by_key(|(end, length, _)| (*end, *length)).map(|(.., svg)| svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(name: &str, category: &str, colour: &str) -> String {
        let optional = |text: &str| (!text.is_empty()).then(|| Cow::Owned(text.to_owned()));
        Picture { name: name.into(), category: optional(category), colour: optional(colour) }.svg()
    }

    #[test]
    fn the_last_word_that_names_a_kind_decides() {
        let same = |a: &str, b: &str| {
            assert_eq!(svg(a, "", "red"), svg(b, "", "red"), "{a}, {b}");
        };
        let other = |a: &str, b: &str| {
            assert_ne!(svg(a, "", "red"), svg(b, "", "red"), "{a}, {b}");
        };
        same("Sable Bread Knife", "Spoon, Hagane Bread Knife");
        same("Halden Aria Headphones", "headphone");
        same("CUCINELLA TEAPOT", "teapot, 1 l");
        same("急須 常滑", "teapot");
        other("teapot", "kettle");
        other("teapotty", "teapot");
        other("Bread Knife", "Knife");
        same("something", "steapot");
    }

    #[test]
    fn a_category_decides_if_the_name_does_not() {
        assert_eq!(svg("Sable 4", "Kitchen > Knives", "red"), svg("knife", "", "red"));
        assert_ne!(svg("Sable 4", "", "red"), svg("knife", "", "red"));
    }

    #[test]
    fn the_colour_is_that_of_the_product() {
        assert!(svg("teapot", "", "Navy").contains("color=\"#2f4468\""));
        assert_eq!(svg("Teapot", "", "Grün"), svg("Teapot", "", "green"));
        assert_ne!(svg("Teapot", "", "Immergrün"), svg("Teapot", "", "green"));
        assert!(svg("Teapot, navy", "", "").contains("color=\"#2f4468\""));
        assert_eq!(svg("teapot a", "", ""), svg("teapot a", "", "no colour"));
    }

    #[test]
    fn every_drawing_can_be_coloured_and_loads_nothing() {
        let letters = ["", "<&", "Äb", "ßb"].map(monogram);
        let drawings = KINDS.into_iter().flatten().map(|kind| kind.svg);
        for svg in drawings.chain(letters.iter().map(|letter| &**letter)) {
            assert_eq!(svg.matches(DRAWN_COLOUR).count(), 1, "{svg}");
            assert!(svg.contains("currentColor"), "{svg}");
            for forbidden in
                ["<script", "<style", "style=", "href", "url(", "<image", "<foreignObject", " on"]
            {
                assert!(!svg.contains(forbidden), "{forbidden} in {svg}");
            }
        }
    }
}
