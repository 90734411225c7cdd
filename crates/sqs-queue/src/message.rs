//! Changes as messages.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use domain::Change;
use domain::ports::{Delivery, Envelope, MAX_RECEIVES, Receipt};

/// The message attribute with the W3C trace context.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// What SQS calls a text.
const TEXT: &str = "String";

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) body: String,
    /// Names and texts, none of them empty.
    pub(crate) attributes: Vec<(&'static str, String)>,
}

impl Outgoing {
    pub(crate) fn new(envelope: &Envelope) -> serde_json::Result<Self> {
        let mut body = serde_json::to_string(&envelope.change)?;
        // SQS takes what XML 1.0 takes. JSON writes all else as an escape by itself, but for these two.
        for (character, escape) in [('\u{fffe}', "\\ufffe"), ('\u{ffff}', "\\uffff")] {
            if body.contains(character) {
                body = body.replace(character, escape);
            }
        }
        let traceparent = envelope.traceparent.clone().filter(|traceparent| !traceparent.is_empty());
        let attributes = traceparent.map(|traceparent| (TRACEPARENT, traceparent)).into_iter().collect();
        Ok(Self { body, attributes })
    }

    /// The bytes that SQS counts.
    pub(crate) fn bytes(&self) -> usize {
        let attribute = |(name, value): &(&str, String)| name.len() + TEXT.len() + value.len();
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }

    /// The attributes as SQS takes them.
    pub(crate) fn message_attributes(&self) -> Option<HashMap<String, MessageAttributeValue>> {
        let attribute = |(name, value): &(&str, String)| {
            let value = MessageAttributeValue::builder().data_type(TEXT).string_value(value).build().ok()?;
            Some(((*name).to_owned(), value))
        };
        let attributes: HashMap<_, _> = self.attributes.iter().filter_map(attribute).collect();
        (!attributes.is_empty()).then_some(attributes)
    }
}

/// Reads a message: its body, and its attribute `traceparent` where it has one.
///
/// # Errors
/// Why the body is no change.
pub fn read_envelope(body: &str, traceparent: Option<&str>) -> Result<Envelope, String> {
    let change: Change = serde_json::from_str(body).map_err(|error| format!("it is no change: {error}"))?;
    Ok(Envelope { change, traceparent: traceparent.map(str::to_owned) })
}

/// A message as it was received; none without a receipt, which SQS always gives.
pub(crate) fn read_delivery(message: &Message) -> Option<Delivery> {
    let body = message.body().unwrap_or_default();
    let receives = number(message, &MessageSystemAttributeName::ApproximateReceiveCount);
    let receives = receives.and_then(|receives| receives.try_into().ok()).unwrap_or(1);
    Some(Delivery {
        receipt: Receipt(message.receipt_handle()?.to_owned()),
        envelope: read_envelope(body, text(message, TRACEPARENT)),
        receives,
        body: (receives >= MAX_RECEIVES).then(|| body.to_owned()),
    })
}

/// A number that SQS keeps of a message.
pub(crate) fn number(message: &Message, name: &MessageSystemAttributeName) -> Option<i64> {
    message.attributes()?.get(name)?.parse().ok()
}

/// A message attribute.
pub(crate) fn text<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.message_attributes()?.get(name)?.string_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::input::read_product;
    use domain::{Currency, Product, ProductId, Version};
    use std::sync::Arc;

    fn envelope(description: &str) -> Envelope {
        let json = serde_json::json!({ "name": "a", "description": description }).to_string();
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let now = domain::now();
        let id = ProductId::parse("a").unwrap();
        let product = Product { id, version: Version(1), created_at: now, updated_at: now, content };
        Envelope { change: Change::Create(Arc::new(product)), traceparent: Some("00-1-2-01".to_owned()) }
    }

    #[test]
    fn every_text_survives_in_characters_that_sqs_takes() {
        let envelope = envelope("a\u{fffe}b\u{ffff}c\u{fffd} \u{10ffff} \u{7f} \\ufffe \" 名");
        let outgoing = Outgoing::new(&envelope).unwrap();
        let taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        assert!(outgoing.body.chars().all(taken), "{}", outgoing.body);
        let read = read_envelope(&outgoing.body, outgoing.attributes.first().map(|(_, text)| text.as_str()));
        assert_eq!(read, Ok(envelope));
    }

    #[test]
    fn what_is_no_change_says_so() {
        let error = read_envelope("{}", None).unwrap_err();
        assert!(error.starts_with("it is no change: missing field"), "{error}");
    }
}
