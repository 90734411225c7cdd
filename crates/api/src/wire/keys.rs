//! API keys, as `/admin/keys` reads and writes them.

use access::{KeyRecord, NewKey, RateLimit, Scope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A right of a key.
#[derive(utoipa::ToSchema)]
#[schema(as = Scope, rename_all = "lowercase")]
#[expect(dead_code, reason = "it is only documented")]
enum ScopeName {
    Search,
    Read,
    Write,
    Admin,
}

/// A key to be created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateKey {
    /// A name for people.
    #[schema(min_length = 1, max_length = 100, examples("storefront"))]
    pub name: String,
    /// The rights of the key: `search`, `read` (products as they are stored), `write`, `admin`. None includes another.
    #[schema(value_type = Vec<ScopeName>, min_items = 1, examples(json!(["search"])))]
    pub scopes: Vec<Scope>,
    /// From when on the key is not accepted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Expiry>,
    /// The most requests in a window of time, counted by all processes together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateLimitSchema>)]
    pub rate_limit: Option<RateLimit>,
    /// The filter of every search with this key, as in the query string of a search: `brand=Acme&attributes.market=de`. Only
    /// for a key with the scope `search` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 2000)]
    pub filter: Option<String>,
}

/// A time at which a key expires. Its own type, so that an error names the field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expiry(pub Timestamp);

impl TryFrom<String> for Expiry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let at = text.parse().map(Self);
        at.map_err(|_| "expiresAt must be a time of RFC 3339, such as 2030-01-31T12:00:00Z".to_owned())
    }
}

impl From<Expiry> for String {
    fn from(Expiry(at): Expiry) -> Self {
        at.to_string()
    }
}

/// A limit of requests.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RateLimit)]
#[expect(dead_code, reason = "describes access::RateLimit, which knows no OpenAPI")]
struct RateLimitSchema {
    /// The most requests in a window.
    #[schema(minimum = 1)]
    requests: u32,
    /// The length of a window in seconds.
    #[schema(minimum = 1)]
    window_seconds: u32,
}

impl From<CreateKey> for NewKey {
    fn from(CreateKey { name, scopes, expires_at, rate_limit, filter }: CreateKey) -> Self {
        Self { name, scopes: scopes.into(), expires_at: expires_at.map(|Expiry(at)| at), rate_limit, filter }
    }
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The public part of the key.
    #[schema(examples("0123456789abcdef"))]
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The rights of the key.
    #[schema(value_type = Vec<ScopeName>)]
    pub scopes: Vec<Scope>,
    /// The filter of every search with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The most requests in a window of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RateLimitSchema>)]
    pub rate_limit: Option<RateLimit>,
    /// When the key was created, RFC 3339.
    pub created_at: String,
    /// From when on the key is not accepted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When the key was revoked, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// The hour in which the key was used last, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

impl From<KeyRecord> for Key {
    fn from(record: KeyRecord) -> Self {
        let text = |at: Timestamp| at.to_string();
        Self {
            id: record.id.to_string(),
            name: record.name,
            scopes: record.scopes.into(),
            filter: record.filter,
            rate_limit: record.rate_limit,
            created_at: text(record.created_at),
            expires_at: record.expires_at.map(text),
            revoked_at: record.revoked_at.map(text),
            last_used_at: record.last_used_at.map(text),
        }
    }
}

/// All API keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Keys {
    /// The keys, the oldest first.
    pub keys: Vec<Key>,
}

/// A new API key with its secret, which is shown this once.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedKey {
    /// The key itself: send it as `X-API-Key`.
    pub key: String,
    /// The key without its secret.
    #[serde(flatten)]
    pub record: Key,
    /// After a rotation, until when the old key is accepted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_expires_at: Option<String>,
}
