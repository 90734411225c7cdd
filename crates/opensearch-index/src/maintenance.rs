//! What the indexes hold, mending it, and building the next one beside the live one.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::ports::{Applied, PortError, PortErrorKind};
use domain::ports::{
    CompareDepth, Generation, GenerationState, Generations, IndexEntry, IndexMaintenance, Repair,
    RepairOutcome,
};
use domain::{ProductId, Record, Version};
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use text::projection::{Projector, fingerprint};

use crate::answer::documents;
use crate::client::{Call, CallError};
use crate::schema::{field, state};
use crate::setup::{
    Family, MAKING, Ready, change_aliases, make_index, next_alias, note_weights, previous_alias, send,
};
use crate::writer::{Bulk, Item, OpenSearchWriter, index_lines, version_number};

/// How long reading what is held may take.
const READING_PATIENCE: Duration = Duration::from_secs(30);
/// How long a document of an earlier version is tried to be put in the place of a later one. OpenSearch remembers the
/// version of what was removed for the `gc_deletes` of the index, a second.
const LOWERING_PATIENCE: Duration = Duration::from_secs(20);
/// How often it is tried.
const LOWERING_PAUSE: Duration = Duration::from_millis(500);

const READING: &str = "reading what the index holds";
const SWITCHING: &str = "switching indexes";

/// A document as it is held.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "_id")]
    id: String,
    #[serde(rename = "_version")]
    version: Option<u64>,
    /// What is read by id says whether it is there; what was searched for is.
    found: Option<bool>,
    #[serde(rename = "_source")]
    source: Option<Source>,
}

#[derive(Deserialize)]
struct Source {
    state: String,
    product: Option<String>,
    print: Option<String>,
}

impl Document {
    fn held(self, look: CompareDepth) -> Result<Option<IndexEntry>, PortError> {
        let (Some(version), Some(source)) = (self.version.filter(|_| self.found != Some(false)), self.source)
        else {
            return Ok(None);
        };
        let id = ProductId::parse(&self.id)
            .map_err(|reason| PortError::new(PortErrorKind::Internal, READING, reason))?;
        let fingerprint = match look {
            CompareDepth::Versions => None,
            CompareDepth::Documents => {
                // A document without it was made by somebody else, and equals none.
                let print = source.print.and_then(|print| u64::from_str_radix(&print, 16).ok());
                Some(fingerprint(source.product.unwrap_or_default().as_bytes(), print.unwrap_or_default()))
            }
        };
        let is_live = source.state != state::DELETED;
        Ok(Some(IndexEntry { id, version: Version(version), is_live, fingerprint }))
    }
}

/// The fields that a look reads.
fn fields(look: CompareDepth) -> &'static [&'static str] {
    match look {
        CompareDepth::Versions => &[field::STATE],
        CompareDepth::Documents => &[field::STATE, field::PRINT, field::PRODUCT],
    }
}

impl OpenSearchWriter {
    fn alias_of(&self, generation: Generation) -> String {
        match generation {
            Generation::Live => self.client.alias.clone(),
            Generation::Next => next_alias(&self.client.alias),
        }
    }

    async fn ready_of(&self, generation: Generation) -> Result<Ready, PortError> {
        let family = Family::look(&self.client).await?;
        match generation {
            Generation::Live => Ok(family.live(&self.client)?),
            Generation::Next => family.usable_next(&self.client).ok_or_else(no_next),
        }
    }

    async fn count(&self, alias: &str) -> Result<u64, PortError> {
        #[derive(Deserialize)]
        struct Count {
            count: u64,
        }
        let path = format!("{alias}/_count");
        let call = Call { method: Method::Get, path, query: &[], body: None, patience: READING_PATIENCE };
        let count: Count = self.client.call(call).await.map_err(|error: CallError| error.during(READING))?;
        Ok(count.count)
    }

    /// Sends an item for each mend and makes visible what it did.
    async fn send_repairs(
        &self,
        alias: &str,
        repairs: &[&Repair],
        mut lines: impl FnMut(&Repair) -> Result<Bytes, String>,
    ) -> Result<Vec<RepairOutcome>, PortError> {
        let mut applied = vec![Applied::Done; repairs.len()];
        let mut bulk = Bulk::new(self, alias);
        for (place, repair) in repairs.iter().enumerate() {
            match lines(repair) {
                Ok(lines) => bulk.add(Item { place, lines }, &mut applied).await?,
                Err(reason) => applied[place] = Applied::Refused(reason),
            }
        }
        bulk.finish(&mut applied).await?;
        self.refresh(alias).await?;
        let repaired = |applied| match applied {
            Applied::Done => RepairOutcome::Done,
            Applied::Stale => RepairOutcome::Overtaken,
            Applied::Refused(reason) => RepairOutcome::Refused(reason),
        };
        Ok(applied.into_iter().map(repaired).collect())
    }

    /// The lines of the first step of a mend, which is mostly the only one: what lies there is removed, or replaced.
    fn first_lines(repair: &Repair, made: i64, projector: &mut Projector) -> Result<Bytes, String> {
        let Some(record) = repair.record.as_ref().filter(|_| !is_lower(repair)) else {
            return removal(repair);
        };
        // The same version again is taken only where it is meant.
        let version_type = match repair.expected_version == Some(record.version()) {
            true => "external_gte",
            false => "external",
        };
        index_lines(record, version_type, made, projector)
    }

    /// Puts documents of earlier versions where later ones were removed, as soon as OpenSearch takes them.
    async fn lower(
        &self,
        alias: &str,
        made: i64,
        repairs: &[&Repair],
    ) -> Result<Vec<RepairOutcome>, PortError> {
        let (begun, mut projector) = (tokio::time::Instant::now(), self.projector());
        loop {
            let repaired = self
                .send_repairs(alias, repairs, |repair| match &repair.record {
                    Some(record) => index_lines(record, "external", made, &mut projector),
                    None => removal(repair),
                })
                .await?;
            // What was written in the first rounds is overtaken in the later ones, by itself.
            if begun.elapsed() > LOWERING_PATIENCE || !repaired.contains(&RepairOutcome::Overtaken) {
                return Ok(repaired);
            }
            let ids: Vec<ProductId> = repairs.iter().map(|repair| repair.id.clone()).collect();
            let held = self.held_in(alias, &ids, CompareDepth::Versions).await?;
            if held.iter().all(Option::is_some) {
                return Ok(repairs.iter().map(|_| RepairOutcome::Done).collect());
            }
            tokio::time::sleep(LOWERING_PAUSE).await;
        }
    }

    async fn held_in(
        &self,
        alias: &str,
        ids: &[ProductId],
        look: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        let query = [("_source_includes", &*fields(look).join(","))];
        let documents: Vec<Document> =
            documents(&self.client, alias, ids, &query, (READING_PATIENCE, READING)).await?;
        documents.into_iter().map(|document| document.held(look)).collect()
    }
}

/// Whether a mend puts an earlier version in the place of a later one, as after a restore of the store.
fn is_lower(repair: &Repair) -> bool {
    repair.record.as_ref().is_some_and(|record| Some(record.version()) < repair.expected_version)
}

/// The line that removes what a mend saw, and nothing later.
fn removal(repair: &Repair) -> Result<Bytes, String> {
    let version = version_number(repair.expected_version.unwrap_or(Version::FIRST))?;
    let action = json!({ "delete": {
        "_id": repair.id.as_str(), "version": version, "version_type": "external_gte",
    } });
    Ok(Bytes::from(format!("{action}\n")))
}

fn no_next() -> PortError {
    PortError::bare(PortErrorKind::Unavailable, "no index is being built")
}

#[async_trait]
impl IndexMaintenance for OpenSearchWriter {
    fn expected_entries(&self, records: &[Record]) -> Vec<Result<IndexEntry, String>> {
        self.projector().expected_entries(records)
    }

    async fn entries(
        &self,
        generation: Generation,
        ids: &[ProductId],
        look: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        self.held_in(&self.alias_of(generation), ids, look).await
    }

    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        look: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        #[derive(Deserialize)]
        struct Answer {
            hits: Hits,
        }
        #[derive(Deserialize)]
        struct Hits {
            #[serde(default)]
            hits: Vec<Document>,
        }
        let query = match after {
            None => json!({ "match_all": {} }),
            Some(after) => json!({ "range": { field::ID: { "gt": after.as_str() } } }),
        };
        let body = json!({
            "size": limit, "track_total_hits": false, "query": query, "sort": [{ field::ID: "asc" }],
            "version": true, "_source": fields(look),
        });
        let call = Call {
            method: Method::Post,
            path: format!("{}/_search", self.alias_of(generation)),
            query: &[("allow_partial_search_results", "false")],
            body: Some(Bytes::from(body.to_string())),
            patience: READING_PATIENCE,
        };
        let answer: Answer =
            self.client.call(call).await.map_err(|error: CallError| error.during(READING))?;
        let held = answer.hits.hits.into_iter().map(|document| document.held(look));
        held.filter_map(Result::transpose).collect()
    }

    async fn repair(
        &self,
        generation: Generation,
        repairs: &[Repair],
    ) -> Result<Vec<RepairOutcome>, PortError> {
        if repairs.is_empty() {
            return Ok(Vec::new());
        }
        let (alias, Ready { made }) = (self.alias_of(generation), self.ready_of(generation).await?);
        let all: Vec<&Repair> = repairs.iter().collect();
        let mut projector = self.projector();
        let mut repaired =
            self.send_repairs(&alias, &all, |repair| Self::first_lines(repair, made, &mut projector)).await?;
        // Where a later version was removed just now, the earlier one follows.
        let lower: Vec<usize> = (0..repairs.len())
            .filter(|at| is_lower(&repairs[*at]) && repaired[*at] == RepairOutcome::Done)
            .collect();
        if !lower.is_empty() {
            let rest: Vec<&Repair> = lower.iter().map(|at| &repairs[*at]).collect();
            for (at, second) in lower.into_iter().zip(self.lower(&alias, made, &rest).await?) {
                repaired[at] = second;
            }
        }
        Ok(repaired)
    }

    async fn generations(&self) -> Result<Generations, PortError> {
        let family = Family::look(&self.client).await?;
        let live = match (family.live(&self.client), family.live_name()) {
            (Ok(_), Some(name)) => {
                let documents = self.count(&self.client.alias).await?;
                Some(GenerationState { name: name.to_owned(), documents })
            }
            _ => None,
        };
        let next = match (&family.next, family.usable_next(&self.client)) {
            (Some(next), Some(_)) => {
                let documents = self.count(&next_alias(&self.client.alias)).await?;
                Some(GenerationState { name: next.name.clone(), documents })
            }
            _ => None,
        };
        Ok(Generations { live, next, previous: family.previous.map(|previous| previous.name) })
    }

    async fn create_next(&self) -> Result<bool, PortError> {
        let family = Family::look(&self.client).await?;
        if family.usable_next(&self.client).is_some() {
            return Ok(true);
        }
        if family.next.is_some() {
            self.discard_next().await?;
        }
        let name = family.new_name(&self.client);
        let aliases = json!({ next_alias(&self.client.alias): {} });
        make_index(&self.client, &name, aliases).await.map_err(|error| error.during(MAKING))?;
        tracing::info!(index = name, "made an empty index to build");
        Ok(false)
    }

    async fn restore_previous(&self) -> Result<bool, PortError> {
        let family = Family::look(&self.client).await?;
        let Some(previous) = family.previous else { return Ok(false) };
        if let Err(error) = previous.check(&self.client) {
            tracing::warn!(%error, "the previous index cannot be used");
            return Ok(false);
        }
        self.discard_next().await?;
        let alias = &self.client.alias;
        let actions = vec![
            remove_alias(&previous.name, &previous_alias(alias)),
            json!({ "add": { "index": previous.name, "alias": next_alias(alias) } }),
        ];
        change_aliases(&self.client, actions).await.map_err(|error| error.during(SWITCHING))?;
        Ok(true)
    }

    async fn promote_next(&self) -> Result<(), PortError> {
        let family = Family::look(&self.client).await?;
        let Some(next) = &family.next else { return Err(no_next()) };
        // All of it was compared with what this writer makes of the store.
        note_weights(&self.client, next).await.map_err(|error| error.during(SWITCHING))?;
        let alias = &self.client.alias;
        let mut actions = vec![
            remove_alias(&next.name, &next_alias(alias)),
            json!({ "add": { "index": next.name, "alias": alias, "is_write_index": true } }),
        ];
        if let Some(live) = family.live_name() {
            actions.push(remove_alias(live, alias));
            actions.push(json!({ "add": { "index": live, "alias": previous_alias(alias) } }));
        }
        actions.extend(family.previous.iter().map(|previous| remove_index(&previous.name)));
        change_aliases(&self.client, actions).await.map_err(|error| error.during(SWITCHING))
    }

    async fn discard_next(&self) -> Result<(), PortError> {
        let Some(next) = Family::look(&self.client).await?.next else { return Ok(()) };
        // Its alias first: where somebody has made it the live one meanwhile, it has that alias no more and stays.
        let alias = remove_alias(&next.name, &next_alias(&self.client.alias));
        match change_aliases(&self.client, vec![alias]).await {
            Ok(()) => {}
            Err(error) if error.status() == Some(404) => return Ok(()),
            Err(error) => return Err(error.during(SWITCHING)),
        }
        let removed = send(&self.client, Method::Delete, next.name, None).await;
        removed.map_err(|error| error.during("removing the index that was being built"))
    }
}

/// Takes an alias from an index that has it; nothing of what is asked for with it happens where it has not.
fn remove_alias(index: &str, alias: &str) -> Value {
    json!({ "remove": { "index": index, "alias": alias, "must_exist": true } })
}

fn remove_index(name: &str) -> Value {
    json!({ "remove_index": { "index": name } })
}
