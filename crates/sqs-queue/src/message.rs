//! Changes as messages.

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use domain::Change;
use domain::ports::{Delivery, Envelope, Receipt};

/// The message attribute with the W3C trace context.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// What SQS calls a text.
const TEXT: &str = "String";

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) body: String,
    pub(crate) traceparent: Option<String>,
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
        Ok(Self { body, traceparent })
    }

    /// The bytes that SQS counts.
    pub(crate) fn bytes(&self) -> usize {
        let attribute = |value: &String| TRACEPARENT.len() + TEXT.len() + value.len();
        self.body.len() + self.traceparent.as_ref().map_or(0, attribute)
    }

    /// The attribute that goes with the body.
    pub(crate) fn attribute(&self) -> Option<MessageAttributeValue> {
        let value = self.traceparent.as_ref()?;
        MessageAttributeValue::builder().data_type(TEXT).string_value(value).build().ok()
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
    let receives = message
        .attributes()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount))
        .and_then(|count| count.parse().ok());
    let traceparent = message
        .message_attributes()
        .and_then(|attributes| attributes.get(TRACEPARENT))
        .and_then(MessageAttributeValue::string_value);
    Some(Delivery {
        receipt: Receipt(message.receipt_handle()?.to_owned()),
        envelope: read_envelope(message.body().unwrap_or_default(), traceparent),
        receives: receives.unwrap_or(1),
    })
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
        let read = read_envelope(&outgoing.body, outgoing.traceparent.as_deref());
        assert_eq!(read, Ok(envelope));
    }

    #[test]
    fn what_is_no_change_says_so() {
        let error = read_envelope("{}", None).unwrap_err();
        assert!(error.starts_with("it is no change: missing field"), "{error}");
    }
}
