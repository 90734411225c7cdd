//! The text of a field that may contain HTML.
//!
//! Product feeds write descriptions, and sometimes names, as HTML. Only its text is indexed, highlighted and shown in snippets:
//! tags, attributes, comments, scripts and styles are left out, and character references are decoded.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::data::NAMED_ENTITIES;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::signs::is_digits;

/// The longest character reference, in bytes, without `&` and `;`. HTML defines none that is longer.
const MAX_REFERENCE_BYTES: usize = 32;
/// The start of a CDATA section, without the `<`.
const CDATA: &str = "![CDATA[";

/// Elements that begin a new line, so that the words before and after them are separate.
const BLOCKS: [&str; 50] = [
    "address",
    "article",
    "aside",
    "audio",
    "blockquote",
    "body",
    "br",
    "button",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "ul",
    "video",
];
/// Other elements. A name that is in neither list is text: `HDMI <male> to <female>`.
const INLINES: [&str; 70] = [
    "a", "abbr", "acronym", "area", "b", "base", "bdi", "bdo", "big", "blink", "canvas", "cite", "code",
    "col", "colgroup", "data", "datalist", "del", "dfn", "em", "embed", "font", "frame", "frameset",
    "hgroup", "i", "iframe", "img", "input", "ins", "kbd", "label", "link", "map", "mark", "marquee", "math",
    "meta", "meter", "noscript", "object", "optgroup", "output", "param", "path", "picture", "progress", "q",
    "rp", "rt", "ruby", "s", "samp", "script", "select", "small", "source", "span", "strike", "strong",
    "style", "sub", "sup", "svg", "template", "textarea", "tfoot", "thead", "title", "tt",
];
/// The rest of them.
const MORE_INLINES: [&str; 6] = ["u", "var", "wbr", "noembed", "noframes", "track"];
/// Elements whose content is not text of the product.
const HIDDEN: [&str; 8] = ["script", "style", "iframe", "noembed", "noframes", "svg", "math", "template"];
/// Hidden elements of other languages than HTML, which are empty if their tag ends with `/>`.
const FOREIGN: [&str; 2] = ["svg", "math"];
/// The most bytes in which the end tag of a custom element is looked for, so that a text of many such tags is not read to its end from
/// each of them.
const MAX_CUSTOM_BYTES: usize = 16 << 10;
/// The longest prefix of the name of an element that is not of HTML: `o:p`, `st1:place`.
const MAX_PREFIX: usize = 3;

/// Returns the text of a field: without markup, with character references decoded and white space collapsed, each block on a line
/// of its own. A field without markup is returned as it is.
///
/// A `<` that begins no HTML tag and a `&` that begins no complete character reference are text, as in `A < B` and `AT&T`.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    // One pass over the bytes decides for nearly all texts.
    if !text.bytes().any(|byte| matches!(byte, b'<' | b'&')) {
        return Cow::Borrowed(text);
    }
    let Some(queue) = markup_of(text) else { return Cow::Borrowed(text) };
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    // The tokenizer only stops early at scripts, if the sink asks it to.
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    Cow::Owned(tokenizer.sink.0.into_inner().text)
}

/// Returns the text for the tokenizer, with each `<` and `&` escaped that begins no markup; `None` if the text has no markup.
fn markup_of(text: &str) -> Option<BufferQueue> {
    let queue = BufferQueue::default();
    let last_end = text.rfind('>');
    let (mut start, mut has_markup, mut end_of_cdata) = (0, false, 0);
    for (at, sign) in text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'<' | b'&')) {
        let rest = &text[at + 1..];
        if at < end_of_cdata {
            continue;
        }
        if rest.starts_with(CDATA) {
            end_of_cdata = rest.find("]]>").map_or(text.len(), |length| at + 1 + length);
        }
        let is_markup = match sign {
            b'<' => match last_end.is_some_and(|end| end > at) {
                true => begins_tag(rest),
                false => is_cut_off(rest),
            },
            _ => begins_reference(rest),
        };
        has_markup |= is_markup;
        if !is_markup {
            queue.push_back(StrTendril::from(&text[start..at]));
            queue.push_back(StrTendril::from(if sign == b'<' { "&lt;" } else { "&amp;" }));
            start = at + 1;
        }
    }
    queue.push_back(StrTendril::from(&text[start..]));
    has_markup.then_some(queue)
}

/// Returns true if a tag, a comment or the like begins with `<` and this text.
fn begins_tag(rest: &str) -> bool {
    if ["!--", CDATA, "?xml"].iter().any(|start| rest.starts_with(start)) {
        return true;
    }
    let name = rest.strip_prefix(['/', '!']).unwrap_or(rest);
    let (name, after) = name.split_at(name_length(name));
    let ends = after.starts_with(['>', '/', ' ', '\t', '\n', '\u{B}', '\u{C}', '\r']);
    ends && (is_element(name) || is_custom(name, rest))
}

/// Returns true for a tag that the end of the text cuts off, as feeds with limits do: `<img src="a.jpg`, `</p`. A name alone may be
/// text.
fn is_cut_off(rest: &str) -> bool {
    let name = rest.strip_prefix('/').unwrap_or(rest);
    let (name, after) = name.split_at(name_length(name));
    let has_attribute = || {
        let attribute = after.trim_start();
        let length = attribute.bytes().take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'-').count();
        attribute.len() < after.len() && length > 0 && attribute[length..].trim_start().starts_with('=')
    };
    let is_end = rest.starts_with('/') && after.is_empty();
    is_element(name) && (is_end || has_attribute())
}

/// Returns the length of the name of an element at the start of a text.
fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-')).count()
}

/// Returns true for the name of an HTML element, or of one of Office's such as `o:p`.
fn is_element(name: &str) -> bool {
    let is_name = |known: &&str| known.eq_ignore_ascii_case(name);
    let is_known = BLOCKS.iter().chain(&INLINES).chain(&MORE_INLINES).any(is_name);
    let prefix = name.split_once(':').map(|(prefix, _)| prefix);
    is_known
        || prefix.is_some_and(|prefix| prefix.len() <= MAX_PREFIX)
        || name.eq_ignore_ascii_case("doctype")
}

/// Returns true for a custom element, whose name has a hyphen. It needs an end tag, so that `<male-to-female>` alone is text.
fn is_custom(name: &str, rest: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.contains('-')
        && (rest.starts_with('/')
            || rest[..rest.floor_char_boundary(MAX_CUSTOM_BYTES)].contains(&format!("</{name}")))
}

/// Returns true if a complete character reference begins with `&` and this text.
fn begins_reference(rest: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let length = rest.bytes().take(MAX_REFERENCE_BYTES).take_while(is_part).count();
    if rest.as_bytes().get(length) != Some(&b';') {
        return false;
    }
    match rest[..length].strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !number.is_empty() && is_digits(number),
        },
        // The prefixes of names are keys too, with zeros as values.
        None => NAMED_ENTITIES.get(&rest[..=length]).is_some_and(|(first, _)| *first != 0),
    }
}

/// Collects the text of tokens.
#[derive(Default)]
struct Sink(RefCell<Collected>);

#[derive(Default)]
struct Collected {
    text: String,
    /// The white space before the next character.
    gap: Option<char>,
    /// The element whose content is left out.
    hidden: Option<&'static str>,
}

impl Collected {
    fn push(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        for c in text.chars() {
            if c.is_whitespace() {
                self.gap.get_or_insert(' ');
                continue;
            }
            if let Some(gap) = self.gap.take()
                && !self.text.is_empty()
            {
                self.text.push(gap);
            }
            self.text.push(c);
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if BLOCKS.contains(&name) {
            self.gap = Some('\n');
        }
        if tag.kind == TagKind::EndTag {
            self.hidden = self.hidden.filter(|hidden| *hidden != name);
            return TokenSinkResult::Continue;
        }
        if tag.self_closing && FOREIGN.contains(&name) {
            return TokenSinkResult::Continue;
        }
        let Some(hidden) = HIDDEN.into_iter().find(|hidden| *hidden == name) else {
            return TokenSinkResult::Continue;
        };
        self.gap.get_or_insert(' ');
        self.hidden = Some(hidden);
        TokenSinkResult::RawData(if name == "script" { RawKind::ScriptData } else { RawKind::Rawtext })
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut collected = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => collected.push(&text),
            Token::TagToken(tag) => return collected.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    /// Reads CDATA sections as text, as XML does.
    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_attributes_comments_scripts_and_styles_are_no_text() {
        for (html, text) in [
            (r#"<p class="table">Oak <b>shelf</b></p>"#, "Oak shelf"),
            ("One<!-- two > --> three", "One three"),
            ("<script>if (a < b) { table() }</script>Lamp<style>p { color: red }</style>", "Lamp"),
            ("<STYLE type='text/css'>.x{}</STYLE><P>Lamp</P>", "Lamp"),
            ("<img src=x alt='a > b'>Lamp<o:p></o:p>", "Lamp"),
            ("<!DOCTYPE html><html><body>Lamp</body></html>", "Lamp"),
            ("<script>never closed, with a >", ""),
            ("<![CDATA[Lamp & shade]]>", "Lamp & shade"),
            ("<iframe src=x>frame</iframe>Lamp", "Lamp"),
            ("<svg width=9><title>Icon</title><path d='M0'/></svg>Lamp<svg/>shade", "Lampshade"),
            ("<math><mi>x</mi></math>Lamp<template><p>Row</p></template>", "Lamp"),
            ("Lamp <img src=\"a.jpg", "Lamp"),
            ("<p>Lamp</p", "Lamp"),
            ("Lamp <a class='x' href='https://shop.example/", "Lamp"),
            ("A <st1:place w:st=\"on\">Lamp</st1:place><O:P></O:P>", "A Lamp"),
            ("<my-element size=9>Lamp</my-element>", "Lamp"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    #[test]
    fn blocks_part_words_and_other_elements_do_not() {
        for (html, text) in [
            ("<ul><li>Oak</li><li>Ash</li></ul>", "Oak\nAsh"),
            ("one<br>two<br/>three", "one\ntwo\nthree"),
            ("<table><tr><td>Width</td><td>3 m</td></tr></table>", "Width\n3 m"),
            ("H<sub>2</sub>O, <b>Gore</b>-Tex", "H2O, Gore-Tex"),
            ("<div>\n  a&nbsp; \n b </div>", "a b"),
            ("Herren<wbr>schuhe", "Herrenschuhe"),
            ("Oak<button>Buy</button>Ash<video></video>Elm<audio></audio>Fir", "Oak\nBuy\nAsh\nElm\nFir"),
            ("<figure>Oak</figure>Ash<select><option>Elm<option>Fir</select>", "Oak\nAsh\nElm\nFir"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    #[test]
    fn character_references_are_decoded_once() {
        for (html, text) in [
            ("Caf&eacute; mug", "Café mug"),
            ("22 &micro;F &#189; &#x2122; &quot;x&quot;", "22 µF ½ ™ \"x\""),
            ("Home &amp; Garden", "Home & Garden"),
            ("&amp;eacute;", "&eacute;"),
            ("&lt;b&gt;", "<b>"),
        ] {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    #[test]
    fn what_is_no_markup_is_text_as_it_stands() {
        for text in [
            "Oak  table",
            "AT&T",
            "R&D; x",
            "a < b > c",
            "HDMI <male> to <female>",
            "<3",
            "5<6 >",
            "I <b",
            "Rock&regular;",
            "Fish&copy2",
            "&;",
            "&#;",
            "<>",
            "</>",
            "<-->",
            "<b",
            "x <a",
            "<book>",
            "size < 5 cm",
            "width <b = 5",
            "HDMI <male-to-female> cable",
            "a <male=5",
        ] {
            assert!(matches!(plain_text(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(plain_text("AT&T <b>5 < 6</b> & <male>"), "AT&T 5 < 6 & <male>");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(<|&|>|/|!|-|;|b|p|script|\\PC){0,40}") {
            let plain = plain_text(&text);
            prop_assert!(plain.len() <= 2 * text.len());
        }
    }
}
