//! `noren keys`, on a folder and on a running service.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::shop::{Key, Shop, get, request};
use crate::support::{Answer, finished, wait_until};

const KEYS: [(&str, &str); 1] = [("NOREN_ACCESS", "keys")];
/// The time within which a revoked key is refused everywhere.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn the_first_key_is_created_before_the_first_start_and_others_while_a_service_runs() {
    let shop = Shop::new();
    let folder = format!("{}/new", shop.folder());
    let create = ["keys", "create", "--data-dir", &folder, "--name", "ops", "--scopes", "admin"];
    let output = finished("noren", &create, &[]);
    let first = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{first}");
    assert!(
        first.ends_with('\n') && first.lines().count() == 1 && first.starts_with("nrn_"),
        "the key alone"
    );
    let first = first.trim();

    let later = shop.key("admin");
    let service = shop.start("noren", &KEYS).await;
    get(&service, "/admin/keys", &later.key).await.expect(200);
    get(&service, "/admin/keys", first).await.expect(401);
    let third = shop.key("read");
    get(&service, "/products", &third.key).await.expect(200);

    let other = Shop::new();
    assert!(other.keys(&["create", "--name", "ops", "--scopes", "admin"]).status.success());
    let listed = other.keys(&["list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(
        (&listed["keys"][0]["name"], &listed["keys"][0]["scopes"]),
        (&json!("ops"), &json!(["admin"]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_managed_at_a_running_service_with_a_key_from_a_file_or_a_variable() {
    let shop = Shop::new();
    let admin = shop.key("admin");
    let service = shop.start("noren", &KEYS).await;
    let file = format!("{}/admin-key", shop.folder());
    std::fs::write(&file, format!("{}\n", admin.key)).unwrap();
    let by_file = |arguments: &[&str]| {
        let arguments = [&["keys"], arguments, &["--url", &service.url, "--api-key-file", &file]].concat();
        finished("noren", &arguments, &[])
    };
    let by_variable = |arguments: &[&str], variable: (&str, &str)| {
        let arguments = [&["keys"], arguments, &["--url", &service.url]].concat();
        finished("noren", &arguments, &[variable])
    };

    let shop_key = Key::of(&by_file(&["create", "--name", "web shop", "--scopes", "search", "--json"]));
    get(&service, "/products/search", &shop_key.key).await.expect(200);
    let shown = by_variable(&["show", &shop_key.id], ("NOREN_API_KEY", &admin.key));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("web shop") && shown.contains("search") && shown.contains("valid"), "{shown}");
    let listed = by_variable(&["list"], ("NOREN_API_KEY_FILE", &file));
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&shop_key.id) && listed.contains(&admin.id), "{listed}");
    for text in [&shown, &listed] {
        let secret = shop_key.key.split('_').nth(2).unwrap();
        assert!(!text.contains(secret), "a secret is shown once");
    }
    let used: Value =
        get(&service, &format!("/admin/keys/{}", admin.id), &admin.key).await.expect(200).json();
    let hour = used["lastUsedAt"].as_str().unwrap();
    assert!(hour.ends_with(":00:00Z"), "to the hour: {hour}");
    let revoked = by_file(&["revoke", &shop_key.id]);
    assert!(String::from_utf8(revoked.stdout).unwrap().contains("revoked 20"));
    get(&service, "/products/search", &shop_key.key).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_how_to_give_a_key() {
    let shop = Shop::new();
    let search = shop.key("search");
    let service = shop.start("noren", &KEYS).await;
    let no_variable: &[(&str, &str)] = &[];
    for arguments in [&["keys", "list"][..], &["search", "tea"], &["export"], &["verify"], &["dlq", "list"]] {
        let arguments = [arguments, &["--url", &service.url]].concat();
        for (variables, words) in [
            (no_variable, &["--api-key-file", "NOREN_API_KEY", "scope"][..]),
            (&[("NOREN_API_KEY", "nonsense")][..], &["--api-key-file", "NOREN_API_KEY", "invalid"][..]),
        ] {
            let output = finished("noren", &arguments, variables);
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{arguments:?}: {error}");
            assert!(words.iter().all(|word| error.contains(word)), "{arguments:?}: {error}");
        }
        if arguments[0] == "search" {
            continue;
        }
        let output = finished("noren", &arguments, &[("NOREN_API_KEY", &search.key)]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("lack the scope"), "{arguments:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_in_one_process_is_refused_in_every_other_within_5_seconds() {
    let shop = Shop::new();
    let (admin, key) = (shop.key("admin"), shop.key("search,read"));
    let sync = shop.start("noren-sync", &KEYS).await;
    let command = shop.start("noren-command", &KEYS).await;
    let query = shop.start("noren-query", &KEYS).await;
    get(&command, "/products", &key.key).await.expect(200);
    get(&query, "/products/search", &key.key).await.expect(200);
    get(&sync, "/metrics", &key.key).await.expect(403);
    let revoke = request(&command, Method::DELETE, &format!("/admin/keys/{}", key.id));
    Answer::of(revoke.header("x-api-key", &admin.key)).await.expect(200);
    let revoked = Instant::now();
    get(&command, "/products", &key.key).await.problem(401);
    for (service, path) in [(&query, "/products/search"), (&sync, "/metrics")] {
        wait_until("the key is refused", async || {
            get(service, path, &key.key).await.status == StatusCode::UNAUTHORIZED
        })
        .await;
        assert!(revoked.elapsed() <= REVOKED_WITHIN, "{}: {:?}", service.name, revoked.elapsed());
        let problem = get(service, path, &key.key).await.problem(401);
        assert!(problem["detail"].as_str().unwrap().contains("revoked"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_is_accepted_beside_its_successor_until_the_overlap_ends() {
    let shop = Shop::new();
    let old = shop.key_with("search", &["--rate-limit", "1000/60"]);
    let service = shop.start("noren", &KEYS).await;
    let rotated = shop.keys(&["rotate", &old.id, "--overlap", "3600", "--json"]);
    let new = Key::of(&rotated);
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!(
        (&rotated["scopes"], &rotated["rateLimit"], &rotated["name"]),
        (&json!(["search"]), &json!({"requests": 1000, "windowSeconds": 60}), &json!("search"))
    );
    let until: jiff::Timestamp = rotated["oldExpiresAt"].as_str().unwrap().parse().unwrap();
    let seconds = until.as_second() - jiff::Timestamp::now().as_second();
    assert!((3500..=3600).contains(&seconds), "{seconds}");
    assert_ne!((&old.id, &old.key), (&new.id, &new.key));
    for key in [&old, &new] {
        get(&service, "/products/search", &key.key).await.expect(200);
    }
    let twice = shop.keys(&["rotate", &old.id]);
    let error = String::from_utf8(twice.stderr).unwrap();
    assert!(!twice.status.success() && error.contains(&format!("replaced by `{}`", new.id)), "{error}");
    let newest = Key::of(&shop.keys(&["rotate", &new.id, "--overlap", "0", "--json"]));
    wait_until("the rotated key is refused", async || {
        get(&service, "/products/search", &new.key).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    get(&service, "/products/search", &newest.key).await.expect(200);
    get(&service, "/products/search", &old.key).await.expect(200);
    let again = shop.keys(&["rotate", &new.id]);
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && error.contains("revoked or expired"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_a_filter_that_cannot_be_read_is_not_created() {
    let shop = Shop::new();
    let admin = shop.key("admin");
    for program in ["noren", "noren-command"] {
        let service = shop.start(program, &KEYS).await;
        for filter in ["brnad=Acme", "page=2", "priceRange=cheap", "currency=EUR"] {
            let new = json!({"name": "shop", "scopes": ["search"], "filter": filter});
            let create = request(&service, Method::POST, "/admin/keys").header("x-api-key", &admin.key);
            let problem = Answer::of(create.json(&new)).await.problem(422);
            assert_eq!(problem["errors"][0]["field"], "filter", "{program}: {problem}");
        }
    }
    let output = shop.keys(&["create", "--name", "shop", "--scopes", "search", "--filter", "brnad=Acme"]);
    let error = String::from_utf8(output.stderr).unwrap();
    let is_clear = error.contains("filter") && error.contains("brnad") && error.contains("`brand`");
    assert!(!output.status.success() && is_clear && error.lines().count() == 1, "{error}");
    assert!(output.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_when_it_expires() {
    let shop = Shop::new();
    let service = shop.start("noren", &KEYS).await;
    let end = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4)).to_string();
    let key = shop.key_with("search", &["--expires", &end]);
    get(&service, "/products/search", &key.key).await.expect(200);
    wait_until("the key has expired", async || {
        get(&service, "/products/search", &key.key).await.status == StatusCode::UNAUTHORIZED
    })
    .await;
    let problem = get(&service, "/products/search", &key.key).await.problem(401);
    assert!(problem["detail"].as_str().unwrap().contains("expired"), "{problem}");
    assert!(jiff::Timestamp::now().to_string() >= end);
}

/// A typing error in the name of a folder must not look like a catalogue without keys.
#[tokio::test(flavor = "multi_thread")]
async fn only_create_makes_an_access_store() {
    let shop = Shop::new();
    let id = "0123456789abcdef";
    let missing = format!("{}/typo", shop.folder());
    for folder in [&missing, shop.folder()] {
        for command in [&["list"][..], &["show", id], &["revoke", id], &["rotate", id]] {
            let output = finished("noren", &[&["keys"], command, &["--data-dir", folder]].concat(), &[]);
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{command:?}: {error}");
            assert!(error.contains(folder) && error.contains("there "), "{command:?}: {error}");
        }
    }
    assert!(!std::path::Path::new(&missing).exists());
    assert_eq!(std::fs::read_dir(shop.folder()).unwrap().count(), 0);
    let configured = finished("noren", &["keys", "list", "--back-ends"], &[("NOREN_DATA_DIR", &missing)]);
    assert!(!configured.status.success() && !std::path::Path::new(&missing).exists(), "{configured:?}");
    shop.key("admin");
    assert!(shop.keys(&["list"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_accepts_no_keys_says_so() {
    let shop = Shop::new();
    let service = shop.start("noren", &[]).await;
    for command in [&["list"][..], &["create", "--name", "a", "--scopes", "read"]] {
        let output = finished("noren", &[&["keys"], command, &["--url", &service.url]].concat(), &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains("accepts no API keys"), "{error}");
        assert!(error.contains("NOREN_ACCESS=keys") && error.lines().count() == 1, "{error}");
    }
    let query = shop.start("noren-query", &KEYS).await;
    let problem = get(&query, "/admin/keys", &shop.key("admin").key).await.problem(404);
    assert!(problem["detail"].as_str().unwrap().contains("noren-command"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restrictions_of_a_key_are_shown_when_it_is_made_and_its_end_when_it_has_come() {
    let shop = Shop::new();
    let restricted = ["--rate-limit", "5/60", "--filter", "brand=Acme", "--expires", "2099-01-31T00:00:00Z"];
    let output = shop.keys(&[&["create", "--name", "a", "--scopes", "search"], &restricted[..]].concat());
    let (key, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(key.starts_with("nrn_") && key.lines().count() == 1, "the key alone: {key}");
    for words in ["expires at 2099-01-31T00:00:00Z", "5 requests in 60 s", "brand=Acme"] {
        assert!(said.contains(words), "{said}");
    }
    let unrestricted = shop.keys(&["create", "--name", "a", "--scopes", "search"]);
    assert_eq!(String::from_utf8(unrestricted.stderr).unwrap().lines().count(), 1);

    let ended = shop.key("read");
    let rotated = shop.keys(&["rotate", &ended.id, "--overlap", "0"]);
    assert!(rotated.status.success(), "{rotated:?}");
    for command in [&["list"][..], &["show", &ended.id]] {
        let text = String::from_utf8(shop.keys(command).stdout).unwrap();
        assert!(text.contains("expired 20"), "{text}");
    }
    let range =
        shop.keys(&["create", "--name", "a", "--scopes", "read", "--expires", "9999-12-31T00:00:00Z"]);
    let error = String::from_utf8(range.stderr).unwrap();
    assert!(range.status.code() == Some(2) && error.contains("must be before 9999-12-30"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_without_a_key_are_an_error_before_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty-key");
    std::fs::write(&file, "\n").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, variable, words) in [
        (vec!["--api-key-file", file], ("NOREN_API_KEY", "x"), ["empty-key", "is empty"]),
        (vec!["--api-key-file", "/dev/zero"], ("NOREN_API_KEY", "x"), ["/dev/zero", "8192 bytes"]),
        (vec![], ("NOREN_API_KEY_FILE", file), ["empty-key", "is empty"]),
        (vec![], ("NOREN_API_KEY", " "), ["NOREN_API_KEY", "spaces only"]),
    ] {
        // Only root can listen on port 1, and no common service does.
        let arguments = [&["keys", "list", "--url", "http://127.0.0.1:1"], &arguments[..]].concat();
        let output = finished("noren", &arguments, &[variable]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}
