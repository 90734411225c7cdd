//! Messages: change events of a queue, and the SQS events of AWS Lambda.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsEvent;
use domain::ports::{Applied, IndexWriter, PortError};
use domain::{Change, Language};
use runtime::Deadline;
use sqs_queue::read_envelope;
use text::field_weights::FieldWeights;
use text::projection::Projector;

use super::fuzz;

#[test]
fn a_change_survives_the_wire_and_becomes_a_document() {
    fuzz("change", |input| {
        let text = String::from_utf8_lossy(input);
        let Ok(envelope) = read_envelope(&text, None) else { return };
        let written = serde_json::to_string(&envelope.change).unwrap();
        assert_eq!(read_envelope(&written, None).unwrap().change, envelope.change, "{written}");
        let record = envelope.change.record();
        for language in [Language::English, Language::German, Language::Turkish] {
            let mut projector = Projector::new(language, FieldWeights::default());
            projector.project(&record).unwrap().entry();
        }
    });
}

/// An index that holds every change.
struct Index;

#[async_trait]
impl IndexWriter for Index {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        Ok(vec![Applied::Done; changes.len()])
    }

    fn back_end(&self) -> &'static str {
        "test"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}

/// SQS delivers a message again if the response names it, and all messages if it names one that the event does not have.
#[test]
fn the_messages_of_an_sqs_event_that_are_no_changes_are_named_and_no_others() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    fuzz("sqs_event", |input| {
        let Ok(event) = serde_json::from_slice::<SqsEvent>(input) else { return };
        let unreadable: HashSet<String> = event
            .records
            .iter()
            .filter(|message| {
                serde_json::from_str::<Change>(message.body.as_deref().unwrap_or_default()).is_err()
            })
            .map(|message| message.message_id.clone().unwrap_or_default())
            .collect();
        let deadline = Deadline::before(SystemTime::now() + Duration::from_secs(60), Duration::ZERO);
        let response = runtime.block_on(sync::lambda::apply(&Index, event, deadline));
        let named: HashSet<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        assert_eq!(named, unreadable);
    });
}
