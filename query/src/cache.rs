//! Answers that are kept until something is written, so that a search that comes again costs microseconds.
//!
//! An answer is kept under its entity tag, which is a hash of the state of the index and of the request. After a commit
//! the state has another name, so an answer of before is never given again: all of them go when the first of the new state
//! is kept. Left to make room by and by, they would fill the cache under steady writes, and be of no use to anybody.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use runtime::Problem;

use crate::awaited::Awaited;
use crate::http::{EntityTag, Keeping, index_failed, not_modified, with_tag};
use crate::{EMPTY_SEARCHES, Service};

const HITS: &str = "noren_answer_cache_hits_total";
const MISSES: &str = "noren_answer_cache_misses_total";
/// What an answer takes besides its bytes, roughly: its key and its place in the cache.
const BYTES_BESIDES: u64 = 128;
/// The size of an answer that the cache is laid out for; others are kept as well.
const USUAL_BYTES: u64 = 16 * 1024;

pub(crate) fn describe_metrics() {
    metrics::describe_counter!(HITS, "answers that were given again from memory");
    metrics::describe_counter!(MISSES, "answers that were not in memory");
}

/// An answer, written as JSON.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) json: Bytes,
    /// Whether it is that of a search for words that found nothing.
    pub(crate) is_empty: bool,
}

/// An answer that was just made.
pub(crate) struct Made {
    pub(crate) json: Vec<u8>,
    pub(crate) is_empty: bool,
    /// The state of the index that all of it was made on; none where that is not known, or there may be two.
    pub(crate) snapshot: Option<String>,
}

/// Answers that are kept, up to a number of bytes.
pub(crate) struct AnswerCache {
    kept: Option<Cache<EntityTag, Answer, BySize>>,
    /// The state of the index that they were made on.
    snapshot: Mutex<String>,
}

#[derive(Clone)]
struct BySize;

impl Weighter<EntityTag, Answer> for BySize {
    fn weight(&self, _: &EntityTag, answer: &Answer) -> u64 {
        answer.json.len() as u64 + BYTES_BESIDES
    }
}

impl AnswerCache {
    /// Keeps up to this many megabytes; with 0 nothing is kept.
    pub(crate) fn of_megabytes(megabytes: u32) -> Self {
        let bytes = u64::from(megabytes) * 1_000_000;
        let usual_count = usize::try_from(bytes / USUAL_BYTES).unwrap_or(usize::MAX);
        let kept = (bytes > 0).then(|| Cache::with_weighter(usual_count, bytes, BySize));
        Self { kept, snapshot: Mutex::default() }
    }

    fn get(&self, tag: &EntityTag) -> Option<Answer> {
        let kept = self.kept.as_ref()?.get(tag);
        let outcome = if kept.is_some() { HITS } else { MISSES };
        metrics::counter!(outcome).increment(1);
        kept
    }

    /// Keeps an answer that was made on this state of the index, and none of another state.
    fn keep(&self, snapshot: &str, tag: EntityTag, answer: Answer) {
        let Some(kept) = &self.kept else { return };
        let mut of = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if *of != snapshot {
            kept.clear();
            snapshot.clone_into(&mut of);
        }
        kept.insert(tag, answer);
    }
}

impl Service {
    /// Answers a GET for what `request` names, once the index holds what is awaited: with 304 where the client has the
    /// answer, from memory, or by `make`.
    pub(crate) async fn respond(
        &self,
        headers: &HeaderMap,
        awaited: &Awaited,
        request: &str,
        make: impl Future<Output = Result<Made, Problem>>,
    ) -> Result<Response, Problem> {
        self.catch_up(awaited).await?;
        let snapshot = self.newest_snapshot().await?;
        let keeping = match awaited.is_nothing() {
            true => Keeping::Shared { max_age_seconds: self.settings.cache_seconds },
            false => Keeping::Private,
        };
        let known = snapshot.as_ref().map(|snapshot| EntityTag::of_request(snapshot, request));
        if let Some(tag) = known.filter(|tag| tag.is_known(headers)) {
            return Ok(not_modified(&tag, keeping));
        }
        let (tag, answer) = match known.and_then(|tag| Some((tag, self.answers.get(&tag)?))) {
            Some(kept) => kept,
            None => self.keep(request, make.await?, snapshot.as_deref()),
        };
        count_if_empty(&answer);
        Ok(if tag.is_known(headers) {
            not_modified(&tag, keeping)
        } else {
            with_tag(answer.json, &tag, keeping)
        })
    }

    /// The answers to requests that come in one body, once the index holds what is awaited: all from memory or all by
    /// `make`, so that they are of one state.
    pub(crate) async fn answers(
        &self,
        awaited: &Awaited,
        requests: &[String],
        make: impl Future<Output = Result<Vec<Made>, Problem>>,
    ) -> Result<Vec<Answer>, Problem> {
        self.catch_up(awaited).await?;
        let snapshot = self.newest_snapshot().await?;
        let kept = snapshot.as_ref().and_then(|snapshot| {
            let tags = requests.iter().map(|request| EntityTag::of_request(snapshot, request));
            tags.map(|tag| self.answers.get(&tag)).collect::<Option<Vec<_>>>()
        });
        let answers = match kept {
            Some(kept) => kept,
            None => {
                let made = requests.iter().zip(make.await?);
                made.map(|(request, made)| self.keep(request, made, snapshot.as_deref()).1).collect()
            }
        };
        answers.iter().for_each(count_if_empty);
        Ok(answers)
    }

    pub(crate) async fn newest_snapshot(&self) -> Result<Option<String>, Problem> {
        self.index.snapshot().await.map_err(|error| index_failed(&error))
    }

    /// Keeps an answer that was made on the state of the index that was the newest `before`. One of a later state would
    /// be right as well, but while there are writes, few ask twice on one state.
    fn keep(&self, request: &str, made: Made, before: Option<&str>) -> (EntityTag, Answer) {
        let Made { mut json, is_empty, snapshot } = made;
        // What writing JSON took in advance would be kept, too.
        json.shrink_to_fit();
        let answer = Answer { json: json.into(), is_empty };
        let tag = match &snapshot {
            Some(snapshot) => EntityTag::of_request(snapshot, request),
            None => EntityTag::of_answer(&answer.json),
        };
        if let Some(snapshot) = snapshot.as_deref().filter(|snapshot| Some(*snapshot) == before) {
            self.answers.keep(snapshot, tag, answer.clone());
        }
        (tag, answer)
    }
}

/// What shoppers look for in vain counts each time.
fn count_if_empty(answer: &Answer) {
    if answer.is_empty {
        metrics::counter!(EMPTY_SEARCHES).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(bytes: usize) -> Answer {
        Answer { json: vec![b'x'; bytes].into(), is_empty: false }
    }

    fn tag(number: usize) -> EntityTag {
        EntityTag::of_request("state", &number.to_string())
    }

    #[test]
    fn no_more_is_kept_than_was_allowed() {
        let answers = AnswerCache::of_megabytes(1);
        for number in 0..300 {
            answers.keep("state", tag(number), answer(10_000));
        }
        let kept = (0..300).filter(|number| answers.get(&tag(*number)).is_some()).count();
        assert!((20..100).contains(&kept), "{kept}");
        answers.keep("state", tag(1000), answer(2_000_000));
        assert!(answers.get(&tag(1000)).is_none(), "one that does not fit");
    }

    #[test]
    fn answers_of_a_state_go_when_the_next_one_has_an_answer() {
        let answers = AnswerCache::of_megabytes(1);
        answers.keep("one", tag(1), answer(1));
        answers.keep("one", tag(2), answer(1));
        assert!(answers.get(&tag(1)).is_some() && answers.get(&tag(2)).is_some());
        answers.keep("two", tag(3), answer(1));
        assert!(answers.get(&tag(1)).is_none() && answers.get(&tag(3)).is_some());
    }

    #[test]
    fn nothing_is_kept_where_the_cache_is_off() {
        let answers = AnswerCache::of_megabytes(0);
        answers.keep("state", tag(1), answer(1));
        assert!(answers.get(&tag(1)).is_none());
    }
}
