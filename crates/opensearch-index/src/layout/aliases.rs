//! The indexes behind an alias: looking at them, and making the first one.
//!
//! The live one has the alias itself, the one that is being built the alias with `-next` behind it, and the one that was
//! live before that with `-previous`. Aliases change in one step.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::Language;
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, CallError, Client, OpenError};
use crate::layout::schema::{
    META_LANGUAGE, META_MADE, META_SCHEMA, META_WEIGHTS, SCHEMA, first_index, index_number, numbered_index,
    template,
};

/// How long one step of making or removing an index may take.
const MAKING_PATIENCE: Duration = Duration::from_secs(30);
/// How long a look at the index may take. It is shorter than the time that a health check has.
const LOOKING_PATIENCE: Duration = Duration::from_millis(1500);

const LOOKING: &str = "looking at the index";
pub(crate) const MAKING: &str = "making the index";

/// An index that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    /// When it was made, in milliseconds since 1970.
    pub(crate) made: i64,
}

/// An index as it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) name: String,
    meta: Value,
}

/// The indexes behind the aliases.
#[derive(Debug, Default)]
pub(crate) struct Family {
    live: Vec<Found>,
    pub(crate) next: Option<Found>,
    pub(crate) previous: Option<Found>,
    /// Of all indexes that noren made for the alias, the highest number.
    highest: u64,
}

/// The alias of the index that is being built.
pub(crate) fn next_alias(alias: &str) -> String {
    format!("{alias}-next")
}

/// The alias of the index that was live before.
pub(crate) fn previous_alias(alias: &str) -> String {
    format!("{alias}-previous")
}

impl Family {
    /// Looks, by one call.
    pub(crate) async fn look(client: &Client) -> Result<Self, OpenError> {
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
        let call = Call {
            method: Method::Get,
            path: format!("{alias},{alias}-v*"),
            query: &[("ignore_unavailable", "true"), ("filter_path", "*.aliases,*.mappings._meta")],
            body: None,
            patience: LOOKING_PATIENCE,
        };
        let indexes: BTreeMap<String, Index> = match client.call(call).await {
            Ok(indexes) => indexes,
            Err(error) if error.status() == Some(404) => BTreeMap::new(),
            Err(error) if matches!(error.status(), Some(401 | 403)) => {
                return Err(OpenError::Denied { alias: alias.clone(), source: error.during(LOOKING) });
            }
            Err(error) => return Err(OpenError::Failed(error.during(LOOKING))),
        };
        let mut family = Self::default();
        for (name, Index { aliases, mappings }) in indexes {
            family.highest = family.highest.max(index_number(alias, &name).unwrap_or(0));
            let has = |alias: &str| aliases.contains_key(alias);
            let found = || Found { name: name.clone(), meta: mappings.meta.clone() };
            if name == *alias || has(alias) {
                family.live.push(found());
            } else if has(&next_alias(alias)) {
                family.next = Some(found());
            } else if has(&previous_alias(alias)) {
                family.previous = Some(found());
            }
        }
        Ok(family)
    }

    /// The name of the live index, whether or not it can be used.
    pub(crate) fn live_name(&self) -> Option<&str> {
        self.live.first().map(|live| live.name.as_str())
    }

    /// The live index, which must be there and of use.
    pub(crate) fn live(&self, client: &Client) -> Result<Ready, OpenError> {
        let alias = client.alias.clone();
        match self.live.as_slice() {
            [] => Err(OpenError::Missing { alias }),
            [live] => live.check(client),
            _ => Err(OpenError::Unusable { alias, reason: "it stands for several indexes".to_owned() }),
        }
    }

    /// Says in the log what is right for a while, but should not stay so.
    pub(crate) fn warn(&self, client: &Client) {
        let weights = client.weights.to_string();
        let noted = self.live.first().and_then(|live| live.meta[META_WEIGHTS].as_str());
        if let Some(noted) = noted.filter(|noted| *noted != weights) {
            tracing::warn!(
                index.weights = noted,
                rules.weights = weights,
                "the index was made with other weights than the rules have; they hold for products that are written from now on, and for all after `noren reindex --back-ends`"
            );
        }
        if let Some(next) = &self.next {
            tracing::warn!(
                index = next.name,
                "an index that was begun is written beside the live one; `noren reindex --back-ends` finishes it, `noren reindex --back-ends --discard` gives it up"
            );
        }
    }

    /// The index that is being built, as far as it can be used.
    pub(crate) fn usable_next(&self, client: &Client) -> Option<Ready> {
        self.next.as_ref()?.check(client).ok()
    }

    /// A name that no index has.
    pub(crate) fn new_name(&self, client: &Client) -> String {
        numbered_index(&client.alias, self.highest.saturating_add(1))
    }
}

impl Found {
    /// Whether this program can use it.
    pub(crate) fn check(&self, client: &Client) -> Result<Ready, OpenError> {
        let alias = client.alias.clone();
        let unusable = |reason: String| OpenError::Unusable { alias: alias.clone(), reason };
        if self.name == alias {
            return Err(unusable("it is the name of an index, not an alias".to_owned()));
        }
        match (self.meta[META_SCHEMA].as_u64(), self.meta[META_MADE].as_i64()) {
            (Some(SCHEMA), Some(made)) => {
                let code = self.meta[META_LANGUAGE].as_str().unwrap_or_default();
                let found = Language::parse(code).map_err(|error| unusable(error.to_string()))?;
                match client.language == found {
                    true => Ok(Ready { made }),
                    false => Err(OpenError::OtherLanguage { alias, found, wanted: client.language }),
                }
            }
            (Some(found), _) if found > SCHEMA => Err(OpenError::Newer { alias, found, known: SCHEMA }),
            (Some(found), _) => Err(OpenError::Older { alias, found, known: SCHEMA }),
            (None, _) => Err(unusable(format!("noren did not make the index {}", self.name))),
        }
    }
}

/// Looks at the index behind the alias, which must be there.
pub(crate) async fn find(client: &Client) -> Result<Ready, OpenError> {
    Family::look(client).await?.live(client)
}

/// Looks at the indexes behind the alias, and makes an empty live one when there is none.
pub(crate) async fn make(client: &Client) -> Result<Family, OpenError> {
    let family = Family::look(client).await?;
    if family.live_name().is_some() {
        return Ok(family);
    }
    let failed = |error: CallError| OpenError::Failed(error.during(MAKING));
    let (alias, index) = (&client.alias, first_index(&client.alias));
    match make_index(client, &index, json!({ alias: { "is_write_index": true } })).await {
        Ok(()) => tracing::info!(index, alias, "made an empty index"),
        // Another process was quicker, or it lost its alias.
        Err(error) if error.name() == "resource_already_exists_exception" => {}
        Err(error) => return Err(failed(error)),
    }
    let family = Family::look(client).await?;
    match family.live_name() {
        Some(_) => Ok(family),
        None => Err(OpenError::Unusable {
            alias: alias.clone(),
            reason: format!("the index {index} is there, but the alias does not stand for it"),
        }),
    }
}

/// Makes an empty index under these aliases.
pub(crate) async fn make_index(client: &Client, index: &str, aliases: Value) -> Result<(), CallError> {
    let alias = &client.alias;
    send(client, Method::Put, format!("_index_template/{alias}"), Some(template(alias))).await?;
    let body = json!({
        "aliases": aliases,
        "mappings": { "_meta": {
            META_SCHEMA: SCHEMA,
            META_MADE: domain::now().as_millisecond(),
            META_LANGUAGE: client.language.code(),
            META_WEIGHTS: client.weights.to_string(),
        } },
    });
    send(client, Method::Put, index.to_owned(), Some(body)).await
}

/// Notes that all documents of an index are made with the weights of this client.
pub(crate) async fn note_weights(client: &Client, found: &Found) -> Result<(), CallError> {
    let weights = Value::from(client.weights.to_string());
    if found.meta[META_WEIGHTS] == weights {
        return Ok(());
    }
    // OpenSearch replaces all of it.
    let mut meta = found.meta.clone();
    meta[META_WEIGHTS] = weights;
    send(client, Method::Put, format!("{}/_mapping", found.name), Some(json!({ "_meta": meta }))).await
}

/// Changes aliases and removes indexes, all in one step.
pub(crate) async fn change_aliases(client: &Client, actions: Vec<Value>) -> Result<(), CallError> {
    send(client, Method::Post, "_aliases".to_owned(), Some(json!({ "actions": actions }))).await
}

/// Sends what makes or removes something.
pub(crate) async fn send(
    client: &Client,
    method: Method,
    path: String,
    body: Option<Value>,
) -> Result<(), CallError> {
    let body = body.map(|body| Bytes::from(body.to_string()));
    let call = Call { method, path, query: &[], body, patience: MAKING_PATIENCE };
    client.call::<Value>(call).await.map(drop)
}
