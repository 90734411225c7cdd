//! Tenant tokens are accepted as long as their parent key is, also those that the programs of docs/TENANTS.md make.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use access::{ApiKey, Keyring, NewKey, Principal, RateLimit, Refusal, Scope, Scopes, TenantToken};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use sqlite_access::SqliteAccess;

/// The environment variable that the programs read the key from.
const KEY: &str = "SEARCH_KEY";

struct Shop {
    keyring: Keyring,
    _folder: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteAccess::open(&folder.path().join("access.sqlite")).unwrap();
        Self { keyring: Keyring::new(Arc::new(store)), _folder: folder }
    }

    async fn key(&self, scopes: Scopes) -> ApiKey {
        let filter = (scopes == Scope::Search.into()).then(|| "inStock=true".to_owned());
        let rate_limit = Some(RateLimit { requests: 100, window_seconds: 60 });
        let new = NewKey { name: "shop".to_owned(), scopes, expires_at: None, rate_limit, filter };
        self.keyring.create(new, Timestamp::now()).await.unwrap().0
    }

    async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
        TenantToken::read(token).unwrap().verify(&self.keyring, now).await
    }
}

/// Runs the program in this language in docs/TENANTS.md, and returns the token that it makes. `None` if the interpreter is not
/// installed.
fn documented(language: &str, interpreter: &[&str], print: &str, key: &ApiKey) -> Option<String> {
    let page: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/TENANTS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("the page has the program");
    let program = format!("{}{print}", rest.split_once("```").expect("it has an end").0);
    let mut command = Command::new(interpreter[0]);
    let output = command.args(&interpreter[1..]).arg(program).env(KEY, key.expose()).output();
    let Ok(output) = output else {
        println!("{} is not installed", interpreter[0]);
        return None;
    };
    assert!(output.status.success(), "{language}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// Returns a token of this key.
fn token(key: &ApiKey) -> String {
    let claims = format!(r#"{{"key":"{}","exp":{},"filter":"brand=A"}}"#, key.id(), i64::from(u32::MAX));
    let text = format!("nrt_{}", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(key.hash().as_bytes()).unwrap().chain_update(&text);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}_{digits}")
}

#[tokio::test]
async fn the_documented_programs_make_tokens_that_are_accepted() {
    let shop = Shop::open();
    let key = shop.key(Scope::Search.into()).await;
    for (language, interpreter, print) in [
        ("python", &["python3", "-c"][..], "print(token)"),
        ("javascript", &["node", "-e"], "console.log(token)"),
        ("php", &["php", "-r"], "echo $token;"),
        ("bash", &["bash", "-c"], "echo \"$token\""),
    ] {
        let Some(token) = documented(language, interpreter, print, &key) else { continue };
        let now = Timestamp::now();
        let principal = shop.verify(&token, now).await.unwrap();
        let filters: Vec<&str> = principal.filters.iter().map(|filter| &**filter).collect();
        assert_eq!(filters, ["inStock=true", "attributes.market=de"], "{language}");
        assert_eq!(principal.scopes, Scope::Search.into());
        assert_eq!(
            principal.parent_rate_limit.map(|(id, limit)| (id, limit.requests)),
            Some((key.id().clone(), 100))
        );
        let later = now + SignedDuration::from_secs(3601);
        assert!(matches!(shop.verify(&token, later).await, Err(Refusal::Expired)), "{language}");
    }
    let used = shop.keyring.key(key.id()).await.unwrap().unwrap();
    assert!(used.last_used_at.is_some(), "the use of a token is a use of its key");
}

#[tokio::test]
async fn a_token_ends_with_its_parent() {
    let shop = Shop::open();
    let now = Timestamp::now();
    let revoked = shop.key(Scope::Search.into()).await;
    let text = token(&revoked);
    shop.verify(&text, now).await.unwrap();
    shop.keyring.revoke(revoked.id(), now).await.unwrap();
    assert!(matches!(shop.verify(&text, now).await, Err(Refusal::Revoked)));
    let rotated = shop.key(Scope::Search.into()).await;
    let text = token(&rotated);
    let overlap = SignedDuration::from_secs(60);
    shop.keyring.rotate(rotated.id(), overlap, now).await.unwrap();
    shop.verify(&text, now).await.unwrap();
    assert!(matches!(shop.verify(&text, now + overlap + overlap).await, Err(Refusal::Expired)));
}

#[tokio::test]
async fn a_token_is_refused_like_an_unknown_one_unless_its_parent_signed_it_and_may_only_search() {
    let shop = Shop::open();
    let now = Timestamp::now();
    let is_invalid = async |text: &str| matches!(shop.verify(text, now).await, Err(Refusal::Invalid));
    let unknown = ApiKey::generate().unwrap();
    assert!(is_invalid(&token(&unknown)).await);
    for scopes in [Scopes::all(), Scope::Read.into(), [Scope::Search, Scope::Read].into_iter().collect()] {
        assert!(is_invalid(&token(&shop.key(scopes).await)).await, "{scopes}");
    }
    let key = shop.key(Scope::Search.into()).await;
    let (own, other) = (token(&key), token(&unknown));
    let foreign_mac = format!("{}{}", &own[..own.len() - 64], &other[other.len() - 64..]);
    assert!(is_invalid(&foreign_mac).await);
    shop.keyring.revoke(key.id(), now).await.unwrap();
    assert!(is_invalid(&foreign_mac).await, "only those with the right MAC learn that a key is revoked");
}
