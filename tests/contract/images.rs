//! The contract of [`ImageStore`]: a test of each sentence of its documentation, for each store.
//!
//! To test another adapter, add it to the `on_each!` block.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

use std::sync::Arc;
use std::time::Duration;

use aws_setup::Aws;
use command::FolderImages;
use domain::ProductId;
use domain::image::{ImageKey, ImageName, ImageType, ImageVersion};
use domain::ports::{ImageSize, ImageStore, PortErrorKind, StoredImage};
use s3_images::{OpenError, S3Images};
use tempfile::TempDir;

use crate::support::{S3, S3_BUCKET, http_client, on_each};

/// A store under test, with its own data.
struct Stores {
    store: Arc<dyn ImageStore>,
    /// The same data, opened again as another process would.
    another: Arc<dyn ImageStore>,
    _data: Option<TempDir>,
    _server: Option<S3>,
}

fn folder() -> Option<Stores> {
    let data = tempfile::tempdir().unwrap();
    let open = || Arc::new(FolderImages::open(data.path().join("images")).unwrap());
    Some(Stores { store: open(), another: open(), _data: Some(data), _server: None })
}

async fn bucket_of(server: &S3) -> S3Images {
    let aws = Aws::local(&server.url).await.unwrap();
    S3Images::unchecked(&aws, S3_BUCKET).unwrap().checked().await.unwrap()
}

async fn bucket() -> Option<Stores> {
    let server = S3::start().await;
    let (store, another) = (bucket_of(&server).await, bucket_of(&server).await);
    Some(Stores { store: Arc::new(store), another: Arc::new(another), _data: None, _server: Some(server) })
}

fn key(product: &str, version: u8, name: &str) -> ImageKey {
    ImageKey {
        product: ProductId::parse(product).unwrap(),
        version: ImageVersion::of_sha256(&[version; 32]),
        name: ImageName::parse(name).unwrap(),
    }
}

async fn store_image(store: &dyn ImageStore, key: &ImageKey, chunks: &[&[u8]]) -> bool {
    let mut upload = store.begin(0).await.unwrap();
    for chunk in chunks {
        upload.write(chunk).await.unwrap();
    }
    upload.finish(key, ImageType::Png).await.unwrap()
}

async fn read(store: &dyn ImageStore, key: &ImageKey) -> Option<Vec<u8>> {
    let StoredImage { bytes, mut reader } = store.open(key).await.unwrap()?;
    let mut read = Vec::new();
    while let Some(chunk) = reader.next().await.unwrap() {
        assert!(!chunk.is_empty());
        read.extend(chunk);
    }
    assert_eq!(bytes, read.len() as u64);
    Some(read)
}

async fn keys(store: &dyn ImageStore, product: &str) -> Vec<String> {
    let listed = store.list(&ProductId::parse(product).unwrap()).await.unwrap();
    let mut keys: Vec<String> = listed.iter().map(|image| image.key.to_string()).collect();
    keys.sort();
    keys
}

async fn an_image_is_read_as_it_was_written(store: &dyn ImageStore, another: &dyn ImageStore) {
    let large = vec![7; 1024 * 1024];
    let key = key("a:b~c", 1, "front.png");
    assert!(store_image(store, &key, &[b"first ", b"", &large, b" last"]).await);
    for store in [store, another] {
        assert_eq!(read(store, &key).await.unwrap(), [b"first ", &large[..], b" last"].concat());
    }
}

async fn an_image_that_is_not_there_is_none(store: &dyn ImageStore, _: &dyn ImageStore) {
    store_image(store, &key("lamp", 1, "a.png"), &[b"x"]).await;
    for other in [key("cup", 1, "a.png"), key("lamp", 2, "a.png"), key("lamp", 1, "b.png")] {
        assert_eq!(read(store, &other).await, None);
    }
}

async fn an_upload_that_is_dropped_stores_nothing(store: &dyn ImageStore, _: &dyn ImageStore) {
    let mut upload = store.begin(9).await.unwrap();
    upload.write(b"half").await.unwrap();
    drop(upload);
    assert_eq!(keys(store, "lamp").await, [""; 0]);
}

async fn an_image_that_is_stored_again_counts_as_stored_now(
    store: &dyn ImageStore,
    another: &dyn ImageStore,
) {
    let (first, second) = (key("lamp", 1, "a.png"), key("lamp", 2, "a.png"));
    assert!(store_image(store, &first, &[b"1"]).await);
    assert!(store_image(store, &second, &[b"2"]).await);
    let newest = async || {
        let listed = another.list(&first.product).await.unwrap();
        assert_eq!(listed.len(), 2);
        listed.into_iter().max_by_key(|image| image.stored_at).unwrap().key
    };
    assert_eq!(newest().await, second);
    assert!(!store_image(store, &first, &[b"1"]).await);
    assert_eq!(newest().await, first);
    assert_eq!(read(store, &first).await.unwrap(), b"1");
}

async fn a_list_has_the_images_of_one_product(store: &dyn ImageStore, another: &dyn ImageStore) {
    assert_eq!(keys(store, "lamp").await, [""; 0]);
    let of_lamp = [key("lamp", 1, "a.png"), key("lamp", 2, "a.png"), key("lamp", 1, "a-b_c.png")];
    for key in of_lamp.iter().chain([&key("Lamp", 1, "a.png"), &key("lamp-1", 1, "a.png")]) {
        store_image(store, key, &[b"x"]).await;
    }
    let mut expected = of_lamp.map(|key| key.to_string());
    expected.sort();
    assert_eq!(keys(another, "lamp").await, expected);
}

async fn a_removed_image_is_gone(store: &dyn ImageStore, another: &dyn ImageStore) {
    let (removed, kept) = (key("lamp", 1, "a.png"), key("lamp", 2, "a.png"));
    for key in [&removed, &kept] {
        store_image(store, key, &[b"x"]).await;
    }
    another.remove(&removed).await.unwrap();
    another.remove(&removed).await.unwrap();
    assert_eq!(read(store, &removed).await, None);
    assert_eq!(keys(store, "lamp").await, [kept.to_string()]);
    another.remove(&kept).await.unwrap();
    assert!(store_image(store, &removed, &[b"again"]).await);
    assert_eq!(read(store, &removed).await.unwrap(), b"again");
}

on_each! {
    {
        in_a_folder: folder();
        in_a_bucket: bucket().await;
    }
    {
        |stores| (&*stores.store, &*stores.another) [
            an_image_is_read_as_it_was_written,
            an_image_that_is_not_there_is_none,
            an_upload_that_is_dropped_stores_nothing,
            an_image_that_is_stored_again_counts_as_stored_now,
            a_list_has_the_images_of_one_product,
            a_removed_image_is_gone,
        ]
    }
}

const SIZE: ImageSize = ImageSize { bytes: 5, kind: ImageType::Webp };

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_takes_no_images_from_clients() {
    let stores = folder().unwrap();
    let allowed =
        stores.store.allow_upload(&key("lamp", 1, "a"), SIZE, Duration::from_secs(60)).await.unwrap();
    assert_eq!(allowed, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_send_one_image_of_its_size_and_type_in_time() {
    let server = S3::start().await;
    let store = bucket_of(&server).await;
    let key = key("lamp", 1, "a.webp");
    let allow = async |lifetime| {
        store.allow_upload(&key, SIZE, Duration::from_secs(lifetime)).await.unwrap().unwrap()
    };
    let allowed = allow(60).await;
    let send = async |url: &str, body: &'static [u8], kind: &str| {
        let mut request = http_client().put(url).body(body);
        for (name, value) in &allowed.headers {
            request = request.header(*name, if *name == "content-type" { kind } else { value });
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(&allowed.url, b"123456", "image/webp").await, 403, "another size");
    assert_eq!(send(&allowed.url, b"12345", "text/html").await, 403, "another type");
    assert_eq!(
        send(&allowed.url.replace("a.webp", "b.webp"), b"12345", "image/webp").await,
        403,
        "another key"
    );
    assert_eq!(server.keys(), [""; 0]);
    assert_eq!(send(&allowed.url, b"12345", "image/webp").await, 200);
    assert_eq!(send(&allowed.url, b"54321", "image/webp").await, 412, "once only");
    assert_eq!(read(&store, &key).await.unwrap(), b"12345");
    let caching = "public, max-age=31536000, immutable";
    assert_eq!(server.headers_of(&format!("images/{key}")), ["image/webp", caching]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_many_objects_has_pages() {
    let server = S3::start().await;
    let store = bucket_of(&server).await;
    let stores = (0..=255).map(|version| {
        let store = &store;
        async move {
            for name in ["a", "b", "c", "d"] {
                store_image(store, &key("lamp", version, name), &[b"x"]).await;
            }
        }
    });
    futures::future::join_all(stores).await;
    assert_eq!(keys(&store, "lamp").await.len(), 1024);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_refuses_for_a_moment_is_asked_again() {
    let server = S3::start().await;
    let store = bucket_of(&server).await;
    server.fail_next(2);
    store_image(&store, &key("lamp", 1, "a"), &[b"x"]).await;
    server.fail_next(9);
    let error = store.remove(&key("lamp", 1, "a")).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Throttled);
    assert!(!error.chain().contains("X-Amz-Signature"), "{}", error.chain());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_cannot_be_used_says_why() {
    let server = S3::start().await;
    let aws = Aws::local(&server.url).await.unwrap();
    let open = async |bucket: &str| S3Images::unchecked(&aws, bucket).unwrap().checked().await.err();
    assert!(matches!(open("another-bucket").await, Some(OpenError::NoBucket { .. })));
    server.fail_next(9);
    assert!(open(S3_BUCKET).await.is_some_and(|error| error.is_transient()));
    for name in ["", "ab", "Noren", "a/b", "a b c", &"a".repeat(64)] {
        assert!(matches!(S3Images::unchecked(&aws, name), Err(OpenError::InvalidName { .. })), "{name}");
    }
    drop(server);
    assert!(open(S3_BUCKET).await.is_some_and(|error| error.is_transient()));
}
