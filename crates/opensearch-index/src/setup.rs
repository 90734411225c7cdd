//! Making the index, and looking whether the one there is can be used.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::Language;
use opensearch::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Call, CallError, Client, OpenError};
use crate::schema::{META_LANGUAGE, META_MADE, META_SCHEMA, SCHEMA, first_index, template};

/// How long one step of making an index may take.
const MAKING_PATIENCE: Duration = Duration::from_secs(30);
/// How long a look at the index may take. It is shorter than the time that a health check has.
const LOOKING_PATIENCE: Duration = Duration::from_millis(1500);

const LOOKING: &str = "looking at the index";

/// An index that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ready {
    /// When it was made, in milliseconds since 1970.
    pub(crate) made: i64,
}

/// Looks at the index behind the alias; none when there is no such alias.
async fn look(client: &Client) -> Result<Option<Ready>, OpenError> {
    #[derive(Deserialize)]
    struct Index {
        mappings: Mappings,
    }
    #[derive(Deserialize)]
    struct Mappings {
        #[serde(default, rename = "_meta")]
        meta: Value,
    }
    let call = Call {
        method: Method::Get,
        path: format!("{}/_mapping", client.alias),
        query: &[],
        body: None,
        patience: LOOKING_PATIENCE,
    };
    let indexes: BTreeMap<String, Index> = match client.call(call).await {
        Ok(indexes) => indexes,
        Err(error) => {
            return match error.status() {
                Some(404) => Ok(None),
                Some(401 | 403) => {
                    Err(OpenError::Denied { alias: client.alias.clone(), source: error.during(LOOKING) })
                }
                _ => Err(OpenError::Failed(error.during(LOOKING))),
            };
        }
    };
    let alias = client.alias.clone();
    let unusable = |reason: String| OpenError::Unusable { alias: alias.clone(), reason };
    let mut indexes = indexes.into_iter();
    let (Some((name, index)), None) = (indexes.next(), indexes.next()) else {
        return Err(unusable("it stands for several indexes".to_owned()));
    };
    if name == alias {
        return Err(unusable("it is the name of an index, not an alias".to_owned()));
    }
    let meta = &index.mappings.meta;
    match (meta[META_SCHEMA].as_u64(), meta[META_MADE].as_i64()) {
        (Some(SCHEMA), Some(made)) => {
            let code = meta[META_LANGUAGE].as_str().unwrap_or_default();
            let found = Language::parse(code).map_err(|error| unusable(error.to_string()))?;
            match client.language == found {
                true => Ok(Some(Ready { made })),
                false => Err(OpenError::OtherLanguage { alias, found, wanted: client.language }),
            }
        }
        (Some(found), _) if found > SCHEMA => Err(OpenError::Newer { alias, found, known: SCHEMA }),
        (Some(found), _) => Err(unusable(format!("its schema {found} is older than {SCHEMA}"))),
        (None, _) => Err(unusable(format!("noren did not make the index {name}"))),
    }
}

/// Looks at the index behind the alias, which must be there.
pub(crate) async fn find(client: &Client) -> Result<Ready, OpenError> {
    look(client).await?.ok_or_else(|| OpenError::Missing { alias: client.alias.clone() })
}

/// Looks at the index behind the alias, and makes an empty one when there is none.
pub(crate) async fn make(client: &Client) -> Result<Ready, OpenError> {
    if let Some(ready) = look(client).await? {
        return Ok(ready);
    }
    let failed = |error: CallError| OpenError::Failed(error.during("making the index"));
    let (alias, index) = (&client.alias, first_index(&client.alias));
    put(client, format!("_index_template/{alias}"), &template(alias)).await.map_err(failed)?;
    let made = domain::now().as_millisecond();
    let body = json!({
        "aliases": { alias: { "is_write_index": true } },
        "mappings": { "_meta": {
            META_SCHEMA: SCHEMA, META_MADE: made, META_LANGUAGE: client.language.code(),
        } },
    });
    match put(client, index.clone(), &body).await {
        Ok(()) => tracing::info!(index, alias, "made an empty index"),
        // Another process was quicker, or it lost its alias.
        Err(error) if error.name() == "resource_already_exists_exception" => {}
        Err(error) => return Err(failed(error)),
    }
    look(client).await?.ok_or_else(|| OpenError::Unusable {
        alias: alias.clone(),
        reason: format!("the index {index} is there, but the alias does not stand for it"),
    })
}

async fn put(client: &Client, path: String, body: &Value) -> Result<(), CallError> {
    let body = Some(Bytes::from(body.to_string()));
    let call = Call { method: Method::Put, path, query: &[], body, patience: MAKING_PATIENCE };
    client.call::<Value>(call).await.map(drop)
}
