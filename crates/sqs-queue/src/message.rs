//! Messages: changes in the form that SQS accepts.

use std::collections::HashMap;

use aws_sdk_sqs::types::{BatchResultErrorEntry, Message, MessageAttributeValue, MessageSystemAttributeName};
use domain::Change;
use domain::ports::{Delivery, Envelope, MAX_RECEIVES, PortError, PortErrorKind, Receipt};

/// The message attribute with the W3C trace context.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The data type of a string in SQS.
const TEXT: &str = "String";

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) body: String,
    /// Names and values of message attributes, none of them empty.
    pub(crate) attributes: Vec<(&'static str, String)>,
}

impl Outgoing {
    pub(crate) fn new(envelope: &Envelope) -> serde_json::Result<Self> {
        let mut body = serde_json::to_string(&envelope.change)?;
        // SQS accepts the characters of XML 1.0. The JSON writer escapes all others, except for these two.
        for (character, escape) in [('\u{fffe}', "\\ufffe"), ('\u{ffff}', "\\uffff")] {
            if body.contains(character) {
                body = body.replace(character, escape);
            }
        }
        let traceparent = envelope.traceparent.clone().filter(|traceparent| !traceparent.is_empty());
        let attributes = traceparent.map(|traceparent| (TRACEPARENT, traceparent)).into_iter().collect();
        Ok(Self { body, attributes })
    }

    /// Returns the size that SQS counts, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let attribute = |(name, value): &(&str, String)| name.len() + TEXT.len() + value.len();
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }

    /// Returns the attributes in the SDK's form.
    pub(crate) fn message_attributes(&self) -> Option<HashMap<String, MessageAttributeValue>> {
        let attribute = |(name, value): &(&str, String)| {
            let value = MessageAttributeValue::builder().data_type(TEXT).string_value(value).build().ok()?;
            Some(((*name).to_owned(), value))
        };
        let attributes: HashMap<_, _> = self.attributes.iter().filter_map(attribute).collect();
        (!attributes.is_empty()).then_some(attributes)
    }
}

/// Decodes a message from its body and its attribute `traceparent`.
///
/// # Errors
/// The reason why the body is not a change.
pub fn read_envelope(body: &str, traceparent: Option<&str>) -> Result<Envelope, String> {
    let change: Change =
        serde_json::from_str(body).map_err(|error| format!("it is not a change: {error}"))?;
    Ok(Envelope { change, traceparent: traceparent.map(str::to_owned) })
}

/// Converts a received message; `None` if it has no receipt, which SQS always sets.
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

/// Returns a numeric system attribute.
pub(crate) fn number(message: &Message, name: &MessageSystemAttributeName) -> Option<i64> {
    message.attributes()?.get(name)?.parse().ok()
}

/// Returns a message attribute.
pub(crate) fn text<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.message_attributes()?.get(name)?.string_value()
}

/// Converts an entry that failed in a batch call; `context` names the operation.
pub(crate) fn batch_error(failed: &BatchResultErrorEntry, context: &str) -> PortError {
    let kind = if failed.sender_fault { PortErrorKind::Internal } else { PortErrorKind::Throttled };
    let text = failed.message.as_deref().unwrap_or("no reason given");
    PortError::bare(kind, format!("{context}: {}: {text}", failed.code))
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
    fn every_text_survives_in_characters_that_sqs_accepts() {
        let envelope = envelope("a\u{fffe}b\u{ffff}c\u{fffd} \u{10ffff} \u{7f} \\ufffe \" 名");
        let outgoing = Outgoing::new(&envelope).unwrap();
        let is_accepted = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        assert!(outgoing.body.chars().all(is_accepted), "{}", outgoing.body);
        let read = read_envelope(&outgoing.body, outgoing.attributes.first().map(|(_, text)| text.as_str()));
        assert_eq!(read, Ok(envelope));
    }

    #[test]
    fn a_body_that_is_not_a_change_is_an_error() {
        let error = read_envelope("{}", None).unwrap_err();
        assert!(error.starts_with("it is not a change: missing field"), "{error}");
    }
}
