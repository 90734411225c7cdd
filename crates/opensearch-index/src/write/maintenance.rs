//! The maintenance side: comparing, repairing, and replacing the live index with a rebuilt one.

use async_trait::async_trait;
use domain::ports::{
    CompareDepth, Generation, GenerationState, Generations, IndexEntry, IndexMaintenance, PortError,
    PortErrorKind, Repair, RepairOutcome,
};
use domain::{ProductId, Record};
use serde_json::json;

use crate::layout::admin::{
    add_alias, add_write_alias, create_index, delete_index, remove_alias, remove_index, update_aliases,
};
use crate::layout::aliases::{CREATING, IndexAliases, UsableIndex, next_alias, previous_alias};
use crate::write::entries;
use crate::write::repair::Repairer;
use crate::write::writer::OpenSearchWriter;

const SWITCHING: &str = "switching the aliases of the index";

impl OpenSearchWriter {
    fn alias_of(&self, generation: Generation) -> String {
        match generation {
            Generation::Live => self.client.alias.clone(),
            Generation::Next => next_alias(&self.client.alias),
        }
    }

    async fn usable(&self, generation: Generation) -> Result<UsableIndex, PortError> {
        let aliases = IndexAliases::load_patiently(&self.client).await?;
        match generation {
            Generation::Live => Ok(aliases.live(&self.client)?),
            Generation::Next => aliases.usable_next(&self.client).ok_or_else(no_next),
        }
    }

    /// Returns the depth at which a generation can be compared. In a live index of an older format all documents may differ until
    /// it is rebuilt, so only their versions can be compared.
    async fn depth(&self, generation: Generation, wanted: CompareDepth) -> Result<CompareDepth, PortError> {
        if wanted == CompareDepth::Versions || generation == Generation::Next {
            return Ok(wanted);
        }
        Ok(if self.usable(generation).await?.is_current { wanted } else { CompareDepth::Versions })
    }
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
        depth: CompareDepth,
    ) -> Result<Vec<Option<IndexEntry>>, PortError> {
        let depth = self.depth(generation, depth).await?;
        entries::entries(&self.client, &self.alias_of(generation), ids, depth).await
    }

    async fn scan(
        &self,
        generation: Generation,
        after: Option<&ProductId>,
        limit: usize,
        depth: CompareDepth,
    ) -> Result<Vec<IndexEntry>, PortError> {
        let depth = self.depth(generation, depth).await?;
        entries::scan(&self.client, &self.alias_of(generation), after, limit, depth).await
    }

    async fn repair(
        &self,
        generation: Generation,
        repairs: &[Repair],
    ) -> Result<Vec<RepairOutcome>, PortError> {
        if repairs.is_empty() {
            return Ok(Vec::new());
        }
        let mut repairer = Repairer {
            client: &self.client,
            alias: &self.alias_of(generation),
            index_created_at: self.usable(generation).await?.created_at,
            projector: self.projector(),
        };
        repairer.repair(repairs).await
    }

    async fn generations(&self) -> Result<Generations, PortError> {
        let aliases = IndexAliases::load_patiently(&self.client).await?;
        let live = match (aliases.live(&self.client), aliases.live_name()) {
            (Ok(UsableIndex { is_current, .. }), Some(name)) => {
                let documents = entries::count(&self.client, &self.client.alias).await?;
                Some(GenerationState { name: name.to_owned(), documents, is_current })
            }
            _ => None,
        };
        let next = match (&aliases.next, aliases.usable_next(&self.client)) {
            (Some(next), Some(UsableIndex { is_current, .. })) => {
                let documents = entries::count(&self.client, &next_alias(&self.client.alias)).await?;
                Some(GenerationState { name: next.name.clone(), documents, is_current })
            }
            _ => None,
        };
        Ok(Generations { live, next, previous: aliases.previous.map(|previous| previous.name) })
    }

    async fn create_next(&self) -> Result<bool, PortError> {
        let aliases = IndexAliases::load_patiently(&self.client).await?;
        if aliases.usable_next(&self.client).is_some_and(|next| next.is_current) {
            return Ok(true);
        }
        if aliases.next.is_some() {
            self.discard_next().await?;
        }
        let name = aliases.unused_name(&self.client);
        let next = json!({ next_alias(&self.client.alias): {} });
        match create_index(&self.client, &name, next, Some(self.claims.first())).await {
            Ok(()) => {
                tracing::info!(index = name, "created an empty index to build");
                Ok(false)
            }
            // Another process has created it concurrently.
            Err(error) if error.error_type() == "resource_already_exists_exception" => Ok(true),
            Err(error) => Err(error.during(CREATING)),
        }
    }

    async fn claim_next(&self) -> Result<bool, PortError> {
        let aliases = IndexAliases::load_patiently(&self.client).await?;
        let next = aliases.next.ok_or_else(no_next)?;
        let Some(claim) = self.claims.renewed(next.claim()) else { return Ok(false) };
        let recorded = next.record_claim(&self.client, &claim).await;
        recorded.map(|()| true).map_err(|error| error.during("claiming the index that is being built"))
    }

    async fn restore_previous(&self) -> Result<bool, PortError> {
        let aliases = IndexAliases::load_patiently(&self.client).await?;
        let Some(previous) = aliases.previous else { return Ok(false) };
        if let Err(error) = previous.check(&self.client) {
            tracing::warn!(%error, "the previous index cannot be used");
            return Ok(false);
        }
        self.discard_next().await?;
        let alias = &self.client.alias;
        let actions = vec![
            remove_alias(&previous.name, &previous_alias(alias)),
            add_alias(&previous.name, &next_alias(alias)),
        ];
        update_aliases(&self.client, actions).await.map_err(|error| error.during(SWITCHING))?;
        Ok(true)
    }

    async fn promote_next(&self) -> Result<(), PortError> {
        let aliases = IndexAliases::load_patiently(&self.client).await?;
        let Some(next) = &aliases.next else { return Err(no_next()) };
        // The caller has compared the whole index with this writer's projection of the store.
        next.record_weights(&self.client).await.map_err(|error| error.during(SWITCHING))?;
        let alias = &self.client.alias;
        let mut actions =
            vec![remove_alias(&next.name, &next_alias(alias)), add_write_alias(&next.name, alias)];
        if let Some(live) = aliases.live_name() {
            actions.push(remove_alias(live, alias));
            actions.push(add_alias(live, &previous_alias(alias)));
        }
        actions.extend(aliases.previous.iter().map(|previous| remove_index(&previous.name)));
        update_aliases(&self.client, actions).await.map_err(|error| error.during(SWITCHING))
    }

    async fn discard_next(&self) -> Result<(), PortError> {
        let Some(next) = IndexAliases::load_patiently(&self.client).await?.next else { return Ok(()) };
        // The alias is removed first. If another process has promoted the index meanwhile, the index no longer has that
        // alias, and it must stay.
        let actions = vec![remove_alias(&next.name, &next_alias(&self.client.alias))];
        match update_aliases(&self.client, actions).await {
            Ok(()) => {}
            Err(error) if error.status() == Some(404) => return Ok(()),
            Err(error) => return Err(error.during(SWITCHING)),
        }
        let removed = delete_index(&self.client, &next.name).await;
        removed.map_err(|error| error.during("removing the index that was being built"))
    }
}
