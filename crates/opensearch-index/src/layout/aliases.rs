//! The indexes behind the aliases of the generations.
//!
//! The live index has the alias itself, the next one the alias with the suffix `-next`, the previous one with the
//! suffix `-previous`. Aliases change in one atomic step.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use domain::Language;
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::error::{CallError, OpenError};
use crate::layout::admin;
use crate::layout::schema::{
    META_ANALYSIS, META_CLAIM, META_CREATED_AT, META_LANGUAGE, META_SCHEMA, META_WEIGHTS, READABLE_FROM,
    SCHEMA, first_index, index_number, numbered_index,
};

/// The time limit for reading the aliases. It is shorter than that of a health check.
const LOAD_TIMEOUT: Duration = Duration::from_millis(1500);
/// The time limit for reading them in a comparison or a rebuild, which must not fail because OpenSearch is busy for a moment.
const PATIENT_LOAD_TIMEOUT: Duration = Duration::from_secs(30);

const LOADING: &str = "reading the aliases of the index";
/// The context of errors of creating an index.
pub(crate) const CREATING: &str = "creating the index";

/// An index that this program can read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsableIndex {
    /// The time of its creation, in milliseconds since 1970.
    pub(crate) created_at: i64,
    /// False for an older schema or analysis, which a rebuild replaces.
    pub(crate) is_current: bool,
}

/// The format of an index: its schema, then the version of the analysis of its texts. Formats are ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Format {
    schema: u64,
    /// 0 if the index does not record it.
    analysis: u64,
}

impl Format {
    /// The format of the indexes that this version creates.
    const CURRENT: Self = Self { schema: SCHEMA, analysis: text::ANALYSIS as u64 };
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.analysis {
            0 => write!(f, "{}", self.schema),
            analysis => write!(f, "{}.{analysis}", self.schema),
        }
    }
}

/// The name and metadata of an index.
#[derive(Debug, Clone)]
pub(crate) struct IndexInfo {
    pub(crate) name: String,
    /// The `_meta` of its mapping.
    meta: Value,
}

/// The indexes behind the aliases at one moment.
#[derive(Debug, Default)]
pub(crate) struct IndexAliases {
    /// More than one only if somebody else has changed the aliases.
    live: Vec<IndexInfo>,
    pub(crate) next: Option<IndexInfo>,
    pub(crate) previous: Option<IndexInfo>,
    /// The highest number in the names of the alias's indexes, of any schema.
    highest_number: u64,
}

/// Returns the alias of the index that is being built.
pub(crate) fn next_alias(alias: &str) -> String {
    format!("{alias}-next")
}

/// Returns the alias of the index that was live before.
pub(crate) fn previous_alias(alias: &str) -> String {
    format!("{alias}-previous")
}

impl IndexAliases {
    /// Loads the indexes behind the aliases in one call.
    pub(crate) async fn load(client: &Client) -> Result<Self, OpenError> {
        Self::load_within(client, LOAD_TIMEOUT).await
    }

    /// Loads the indexes as [`Self::load`] does, for a comparison or a rebuild: waits longer.
    pub(crate) async fn load_patiently(client: &Client) -> Result<Self, OpenError> {
        Self::load_within(client, PATIENT_LOAD_TIMEOUT).await
    }

    async fn load_within(client: &Client, limit: Duration) -> Result<Self, OpenError> {
        #[derive(Deserialize)]
        struct Index {
            #[serde(default)]
            aliases: BTreeMap<String, Value>,
            #[serde(default)]
            mappings: Mappings,
        }
        #[derive(Default, Deserialize)]
        struct Mappings {
            #[serde(default, rename = "_meta")]
            meta: Value,
        }
        let alias = &client.alias;
        let call = Call::new(Method::Get, format!("{alias},{alias}-v*"), limit)
            .query(&[("ignore_unavailable", "true"), ("filter_path", "*.aliases,*.mappings._meta")]);
        let indexes: BTreeMap<String, Index> = match client.call(call).await {
            Ok(indexes) => indexes,
            Err(error) if error.status() == Some(404) => BTreeMap::new(),
            Err(error) if matches!(error.status(), Some(401 | 403)) => {
                return Err(OpenError::Denied { alias: alias.clone(), source: error.during(LOADING) });
            }
            Err(error) => return Err(OpenError::Failed(error.during(LOADING))),
        };
        let mut loaded = Self::default();
        for (name, Index { aliases, mappings }) in indexes {
            loaded.highest_number = loaded.highest_number.max(index_number(alias, &name).unwrap_or(0));
            let has = |alias: &str| aliases.contains_key(alias);
            let info = || IndexInfo { name: name.clone(), meta: mappings.meta.clone() };
            if name == *alias || has(alias) {
                loaded.live.push(info());
            } else if has(&next_alias(alias)) {
                loaded.next = Some(info());
            } else if has(&previous_alias(alias)) {
                loaded.previous = Some(info());
            }
        }
        Ok(loaded)
    }

    /// Loads the indexes, and creates an empty live one if there is none.
    pub(crate) async fn load_or_create(client: &Client) -> Result<Self, OpenError> {
        let loaded = Self::load(client).await?;
        if loaded.live_name().is_some() {
            return Ok(loaded);
        }
        let (alias, index) = (&client.alias, first_index(&client.alias));
        match admin::create_index(client, &index, json!({ alias: { "is_write_index": true } }), None).await {
            Ok(()) => tracing::info!(index, alias, "created an empty index"),
            // Another process has created it concurrently, or it exists without its alias.
            Err(error) if error.error_type() == "resource_already_exists_exception" => {}
            Err(error) if matches!(error.status(), Some(401 | 403)) => {
                return Err(OpenError::Denied { alias: alias.clone(), source: error.during(CREATING) });
            }
            Err(error) => return Err(OpenError::Failed(error.during(CREATING))),
        }
        let loaded = Self::load(client).await?;
        match loaded.live_name() {
            Some(_) => Ok(loaded),
            None => Err(OpenError::Unusable {
                alias: alias.clone(),
                reason: format!("the index {index} exists, but does not have the alias"),
            }),
        }
    }

    /// Returns the name of the live index, even if it is not usable.
    pub(crate) fn live_name(&self) -> Option<&str> {
        self.live.first().map(|live| live.name.as_str())
    }

    /// Returns the live index.
    ///
    /// # Errors
    /// Fails if there is none, or if this program cannot use it.
    pub(crate) fn live(&self, client: &Client) -> Result<UsableIndex, OpenError> {
        let alias = client.alias.clone();
        match self.live.as_slice() {
            [] => Err(OpenError::Missing { alias }),
            [live] => live.check(client),
            _ => Err(OpenError::Unusable { alias, reason: "several indexes have it".to_owned() }),
        }
    }

    /// Returns the index that is being built, if there is one that this program can use.
    pub(crate) fn usable_next(&self, client: &Client) -> Option<UsableIndex> {
        self.next.as_ref()?.check(client).ok()
    }

    /// Returns a name that no index has.
    pub(crate) fn unused_name(&self, client: &Client) -> String {
        numbered_index(&client.alias, self.highest_number.saturating_add(1))
    }

    /// Logs a warning for each temporary state that an operator should end.
    pub(crate) fn warn(&self, client: &Client) {
        if self.live(client).is_ok_and(|live| !live.is_current) {
            tracing::warn!(
                index = self.live_name(),
                "the index has the schema of an older version; it is searched and written until it has been rebuilt, by a \
                 noren-sync that has the store (NOREN_STORE) or by `noren reindex --back-ends`"
            );
        }
        let weights = client.weights.to_string();
        let recorded = self.live.first().and_then(|live| live.meta[META_WEIGHTS].as_str());
        if let Some(recorded) = recorded.filter(|recorded| *recorded != weights) {
            tracing::warn!(
                index.weights = recorded,
                rules.weights = weights,
                "the index was built with other weights than the rules have; the new weights apply to products written \
                 from now on, and to all products after `noren reindex --back-ends`"
            );
        }
        if let Some(next) = &self.next {
            tracing::warn!(
                index = next.name,
                "an unfinished index is kept up to date beside the live one; finish it with \
                 `noren reindex --back-ends`, or remove it with `noren reindex --back-ends --discard`"
            );
        }
    }
}

impl IndexInfo {
    /// Checks that this program can use the index.
    pub(crate) fn check(&self, client: &Client) -> Result<UsableIndex, OpenError> {
        let alias = client.alias.clone();
        let unusable = |reason: String| OpenError::Unusable { alias: alias.clone(), reason };
        if self.name == alias {
            return Err(unusable("it is the name of an index, not an alias".to_owned()));
        }
        let not_ours = || unusable(format!("noren did not make the index {}", self.name));
        let schema = self.meta[META_SCHEMA].as_u64().ok_or_else(not_ours)?;
        // Schemas before 5 do not record the analysis.
        let found = Format { schema, analysis: self.meta[META_ANALYSIS].as_u64().unwrap_or_default() };
        let texts = |alias: String| (alias, found.to_string(), Format::CURRENT.to_string());
        if found > Format::CURRENT {
            let (alias, found, known) = texts(alias);
            return Err(OpenError::Newer { alias, found, known });
        }
        if schema < READABLE_FROM {
            let (alias, found, known) = texts(alias);
            return Err(OpenError::Older { alias, found, known });
        }
        let created_at = self.meta[META_CREATED_AT].as_i64().ok_or_else(not_ours)?;
        let code = self.meta[META_LANGUAGE].as_str().unwrap_or_default();
        let language = Language::parse(code).map_err(|error| unusable(error.to_string()))?;
        match client.language == language {
            true => Ok(UsableIndex { created_at, is_current: found == Format::CURRENT }),
            false => Err(OpenError::OtherLanguage { alias, found: language, wanted: client.language }),
        }
    }

    /// Returns the claim of the process that fills the index.
    pub(crate) fn claim(&self) -> Option<&str> {
        self.meta[META_CLAIM].as_str()
    }

    /// Replaces the claim.
    pub(crate) async fn record_claim(&self, client: &Client, claim: &str) -> Result<(), CallError> {
        let mut meta = self.meta.clone();
        meta[META_CLAIM] = claim.into();
        admin::put_meta(client, &self.name, &meta).await
    }

    /// Records that all documents of the index were built with the weights of this client.
    pub(crate) async fn record_weights(&self, client: &Client) -> Result<(), CallError> {
        let weights = Value::from(client.weights.to_string());
        if self.meta[META_WEIGHTS] == weights {
            return Ok(());
        }
        let mut meta = self.meta.clone();
        meta[META_WEIGHTS] = weights;
        admin::put_meta(client, &self.name, &meta).await
    }
}

/// Checks that there is a live index that this program can use.
pub(crate) async fn check_live(client: &Client) -> Result<UsableIndex, OpenError> {
    IndexAliases::load(client).await?.live(client)
}
