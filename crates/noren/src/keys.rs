//! `noren keys`: creates, lists, shows, rotates and revokes API keys.

use access::{RateLimit, Scope};
use api::wire::keys::{CreateKey, CreatedKey, Expiry, Key, Keys};
use axum::body::Bytes;
use clap::{Args, Subcommand};
use domain::fault::printable;

use crate::client::read_json;
use crate::failure::{Context as _, Failure};
use crate::target::{Access, CatalogueHandle, Target};
use crate::terminal::{print, print_response, table};

/// `noren keys`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  noren keys create --data-dir ./data --name ops --scopes admin      the first key
  noren keys create --name storefront --scopes search
  noren keys list
  noren keys rotate 0123456789abcdef --overlap 86400
  noren keys revoke 0123456789abcdef

A key is shown once, when it is created: only a hash of it is stored. The scopes are search, read (products as they are stored), write \
and admin; none includes another. A service asks for keys with NOREN_ACCESS=keys."
)]
pub struct KeysArgs {
    /// The command.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// The commands of `noren keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Create a key and print it
    Create(CreateArgs),
    /// List all keys
    List(ListArgs),
    /// Show a key
    #[command(after_help = "\
Examples:
  noren keys show 0123456789abcdef
  noren keys show 0123456789abcdef --json")]
    Show(ShowArgs),
    /// Replace a key by a new one, which is printed
    Rotate(RotateArgs),
    /// Revoke a key, within 5 seconds everywhere
    #[command(after_help = "\
Examples:
  noren keys revoke 0123456789abcdef
  noren keys revoke 0123456789abcdef --data-dir ./data")]
    Revoke(ShowArgs),
}

/// `noren keys create`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren keys create --data-dir ./data --name ops --scopes admin
  noren keys create --name importer --scopes read,write --expires 2030-01-31T00:00:00Z
  noren keys create --name storefront --scopes search --rate-limit 600/60
  noren keys create --name acme-shop --scopes search --filter brand=Acme
  NOREN_ACCESS_STORE=dynamodb noren keys create --back-ends --name ops --scopes admin")]
pub struct CreateArgs {
    #[command(flatten)]
    pub target: Target,
    /// Name of the key, for people
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Rights of the key: search, read, write, admin; separated by commas
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    pub scopes: Vec<Scope>,
    /// Time from which on the key is not accepted, such as 2030-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub expires: Option<Expiry>,
    /// Most requests in a number of seconds, such as 600/60, counted by all processes together
    #[arg(long, value_name = "REQUESTS/SECONDS")]
    pub rate_limit: Option<RateLimit>,
    /// Filter of every search with this key, as in the query string of a search, such as brand=Acme
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

/// `noren keys list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren keys list
  noren keys list --data-dir ./data
  noren keys list --json | jq -r '.keys[].name'")]
pub struct ListArgs {
    #[command(flatten)]
    pub target: Target,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

/// `noren keys show` and `noren keys revoke`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Id of the key: the part after nrn_
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub target: Target,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

/// `noren keys rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren keys rotate 0123456789abcdef
  noren keys rotate 0123456789abcdef --overlap 0     the old key is refused from now on")]
pub struct RotateArgs {
    #[command(flatten)]
    pub key: ShowArgs,
    /// Seconds for which the old key is accepted beside the new one
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub overlap: u32,
}

fn parse_time(text: &str) -> Result<Expiry, String> {
    Expiry::try_from(text.to_owned()).map_err(|_| "write a time such as 2030-01-31T12:00:00Z".to_owned())
}

/// Runs a command.
///
/// # Errors
/// If the access store cannot be opened, the service refuses the request, or the output cannot be written.
pub(crate) async fn keys(args: KeysArgs) -> Result<(), Failure> {
    match args.command {
        KeysCommand::Create(args) => create(args).await,
        KeysCommand::List(args) => list(&args).await,
        KeysCommand::Show(args) => show(&args).await,
        KeysCommand::Rotate(args) => rotate(&args).await,
        KeysCommand::Revoke(args) => revoke(&args).await,
    }
}

async fn create(args: CreateArgs) -> Result<(), Failure> {
    let CreateArgs { target, name, scopes, expires, rate_limit, filter, json } = args;
    let new = CreateKey { name, scopes, expires_at: expires, rate_limit, filter };
    let body = serde_json::to_vec(&new).context(|| "writing the key".to_owned())?;
    show_created(&post(&target, Access::NewKeys, "/admin/keys", body).await?, json)
}

async fn rotate(RotateArgs { key, overlap }: &RotateArgs) -> Result<(), Failure> {
    let path = format!("/admin/keys/{}/rotate?overlapSeconds={overlap}", id_in_path(&key.id)?);
    show_created(&post(&key.target, Access::Keys, &path, Vec::new()).await?, key.json)
}

async fn post(target: &Target, access: Access, path: &str, body: Vec<u8>) -> Result<Bytes, Failure> {
    let post = async |catalogue: &CatalogueHandle| catalogue.api().post(path, body.into()).await?.success();
    target.with(access, post).await
}

/// Prints a new key: the key alone on standard output, so that a script can read it, and the rest on standard error.
fn show_created(body: &[u8], is_json: bool) -> Result<(), Failure> {
    if is_json {
        return print(&String::from_utf8_lossy(body));
    }
    let CreatedKey { key, record, old_expires_at } = read_json(body, "the new key")?;
    print(&key)?;
    let (name, id, scopes) = (printable(&record.name).to_string(), record.id, scopes_of(&record.scopes));
    eprintln!("key {id} ({name}) may: {scopes}. It is shown this once; keep it where secrets are kept.");
    if let Some(at) = old_expires_at {
        eprintln!("The old key is accepted until {at}.");
    }
    Ok(())
}

async fn list(args: &ListArgs) -> Result<(), Failure> {
    let body = get(&args.target, "/admin/keys").await?;
    print_response(&body, args.json, |body| Ok(render_list(&read_json(body, "the keys")?)))
}

fn render_list(Keys { keys }: &Keys) -> String {
    if keys.is_empty() {
        return "no keys".to_owned();
    }
    let mut table = table(["Id", "Name", "Scopes", "State", "Created", "Last used"]);
    for key in keys {
        table.add_row([
            key.id.clone(),
            printable(&key.name).to_string(),
            scopes_of(&key.scopes),
            state_of(key),
            key.created_at.clone(),
            key.last_used_at.clone().unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    table.trim_fmt()
}

async fn show(args: &ShowArgs) -> Result<(), Failure> {
    let path = format!("/admin/keys/{}", id_in_path(&args.id)?);
    print_key(&get(&args.target, &path).await?, args.json)
}

async fn revoke(args: &ShowArgs) -> Result<(), Failure> {
    let path = format!("/admin/keys/{}", id_in_path(&args.id)?);
    let delete = async |catalogue: &CatalogueHandle| catalogue.api().delete(&path).await?.success();
    print_key(&args.target.with(Access::Keys, delete).await?, args.json)
}

async fn get(target: &Target, path: &str) -> Result<Bytes, Failure> {
    target.with(Access::Keys, async |catalogue| catalogue.api().get(path, &[]).await?.success()).await
}

/// Returns the id if it cannot change the path of a request.
fn id_in_path(id: &str) -> Result<&str, Failure> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let fault =
        "the id of a key has 16 digits of 0-9 and a-f: the part after nrn_; `noren keys list` shows it";
    if is_id { Ok(id) } else { Err(Failure::usage(fault)) }
}

fn print_key(body: &[u8], is_json: bool) -> Result<(), Failure> {
    print_response(body, is_json, |body| Ok(render_key(&read_json(body, "the key")?)))
}

fn render_key(key: &Key) -> String {
    let limit =
        key.rate_limit.map(|limit| format!("{} requests in {} s", limit.requests, limit.window_seconds));
    let none = || "none".to_owned();
    let rows = [
        ("id", key.id.clone()),
        ("name", key.name.clone()),
        ("scopes", scopes_of(&key.scopes)),
        ("state", state_of(key)),
        ("filter", key.filter.clone().unwrap_or_else(none)),
        ("limit", limit.unwrap_or_else(none)),
        ("created", key.created_at.clone()),
        ("last used", key.last_used_at.clone().unwrap_or_else(|| "never".to_owned())),
    ];
    rows.map(|(name, value)| format!("{name:<10}{}", printable(&value))).join("\n")
}

fn scopes_of(scopes: &[Scope]) -> String {
    scopes.iter().copied().collect::<access::Scopes>().to_string()
}

fn state_of(key: &Key) -> String {
    match (&key.revoked_at, &key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => format!("expires {at}"),
        (None, None) => "valid".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_change_the_path() {
        assert!(id_in_path("0123456789abcdef").is_ok());
        for id in ["", "../dead-letters", "a/b", "a?b", "a b"] {
            assert!(id_in_path(id).is_err(), "{id}");
        }
    }
}
