//! Dead letters, as `/admin/dead-letters` responds with them.

use domain::ports::{DeadLetter, DeadLetterKey, DeadLetterList};
use domain::{ProductId, Version};
use serde::{Deserialize, Serialize};

/// A message that could not be indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// Its key.
    #[schema(value_type = String, examples("17"))]
    pub key: DeadLetterKey,
    /// The product; absent if the message is unreadable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, examples("lamp-1"))]
    pub id: Option<ProductId>,
    /// The version that the message was sent for; absent if the message is unreadable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, examples(3))]
    pub version: Option<Version>,
    /// The error of the last attempt; absent if the queue recorded none, for example SQS after a crash of the consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The number of receives.
    pub receives: u32,
    /// The time at which it was dead-lettered, RFC 3339; absent if the queue did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_at: Option<String>,
    /// The message as text; only in the response for one letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        let DeadLetter { key, id, version, reason, receives, dead_lettered_at, body } = letter;
        Self { key, id, version, reason, receives, died_at: dead_lettered_at.map(|at| at.to_string()), body }
    }
}

/// A list of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Letters {
    /// The letters, newest first, without their messages.
    pub dead_letters: Vec<Letter>,
    /// True if there are further letters.
    pub more: bool,
}

impl From<DeadLetterList> for Letters {
    fn from(DeadLetterList { letters, more }: DeadLetterList) -> Self {
        let without_body = |letter| Letter { body: None, ..Letter::from(letter) };
        Self { dead_letters: letters.into_iter().map(without_body).collect(), more }
    }
}

/// A selection of dead letters: either `keys` or `all`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SelectionBody)]
pub struct LetterSelection {
    /// The keys of 1 to 500 letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 500)]
    pub keys: Option<Vec<String>>,
    /// `true` selects the newest 500. If the response says that there are `more`, repeat the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
}

/// The result of a retry or a removal of dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Outcome)]
pub struct LettersOutcome {
    /// The keys of the letters that were enqueued again or removed.
    #[schema(value_type = Vec<String>)]
    pub done: Vec<DeadLetterKey>,
    /// The letters that stay.
    pub refused: Vec<RefusedLetter>,
    /// True if `all` was given and there are further letters.
    pub more: bool,
}

/// A letter that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Refused)]
pub struct RefusedLetter {
    /// Its key.
    #[schema(value_type = String)]
    pub key: DeadLetterKey,
    /// The reason.
    pub reason: String,
}
