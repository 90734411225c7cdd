//! One index folder opened by several programs, and folders in a bad state.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Applied, IndexWriter, PortErrorKind, SearchIndex};
use domain::ports::{Generation, GenerationState, IndexMaintenance, Repair, RepairOutcome};
use domain::search::{Cursor, PageStart, SearchRequest, Sort};
use domain::{Change, Currency, Language, Product, ProductId, Version};
use tantivy_index::{OpenError, SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};

fn writer(folder: &Path) -> Result<TantivyWriter, OpenError> {
    TantivyWriter::open(folder, WriterOptions::default())
}

fn searcher(folder: &Path) -> Result<TantivySearcher, OpenError> {
    TantivySearcher::open(folder, SearcherOptions::default())
}

fn change(id: &str, version: u64, name: &str) -> Change {
    let json = format!(r#"{{"name":"{name}"}}"#);
    let content = domain::input::read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let now = domain::now();
    let id = ProductId::parse(id).unwrap();
    Change::Update(Arc::new(Product {
        id,
        version: Version(version),
        created_at: now,
        updated_at: now,
        content,
    }))
}

/// Returns the folder of the first generation.
fn live(folder: &Path) -> PathBuf {
    folder.join("g1")
}

async fn total(searcher: &TantivySearcher) -> u64 {
    searcher.search(&SearchRequest::all(Currency::USD)).await.unwrap().total
}

#[tokio::test]
async fn a_searcher_may_come_first_and_sees_every_commit_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let early = searcher(folder.path()).unwrap();
    assert_eq!(total(&early).await, 0);
    let writer = writer(folder.path()).unwrap();
    let late = searcher(folder.path()).unwrap();
    // Enough commits that merges happen in between.
    for number in 1..=40 {
        assert_eq!(writer.apply(&[change(&format!("p{number}"), 1, "lamp")]).await.unwrap(), [Applied::Done]);
        assert_eq!(total(&early).await, number);
        assert_eq!(total(&late).await, number);
    }
    drop(writer);
    assert_eq!(total(&early).await, 40);
}

#[tokio::test]
async fn searches_go_on_while_segments_are_merged_away() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path()).unwrap();
    let searcher = Arc::new(searcher(folder.path()).unwrap());
    writer.apply(&(0..50).map(|n| change(&format!("p{n}"), 1, "lamp")).collect::<Vec<_>>()).await.unwrap();
    let searching = Arc::clone(&searcher);
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let searches = tokio::spawn(async move {
        let mut searches = 0;
        while stopped.try_recv().is_err() {
            assert_eq!(total(&searching).await, 50);
            searches += 1;
        }
        searches
    });
    for version in 2..40 {
        let changes: Vec<_> = (0..50).map(|n| change(&format!("p{n}"), version, "lamp")).collect();
        writer.apply(&changes).await.unwrap();
    }
    stop.send(()).unwrap();
    assert!(searches.await.unwrap() > 0);
}

#[test]
fn many_searchers_may_create_the_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| searcher(&path).map(drop))).collect();
        for opened in opening {
            opened.join().unwrap().unwrap();
        }
    });
}

#[tokio::test]
async fn a_second_writer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = writer(folder.path()).unwrap();
    let error = writer(folder.path()).err().unwrap().to_string();
    let place = folder.path().display();
    assert_eq!(
        error,
        format!(
            "another noren process is writing the index in {place}; stop it, use another data folder, or let a command reach its service with --url"
        )
    );
    first.apply(&[change("a", 1, "lamp")]).await.unwrap();
    drop(first);
    let second = writer(folder.path()).unwrap();
    assert_eq!(second.apply(&[change("a", 1, "lamp")]).await.unwrap(), [Applied::Stale]);
}

#[test]
fn a_folder_of_a_newer_version_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    drop(writer(folder.path()).unwrap());
    fs::write(live(folder.path()).join("noren-index.json"), r#"{"format":99,"later":"fields"}"#).unwrap();
    let error = searcher(folder.path()).err().unwrap();
    assert!(matches!(&error, OpenError::Newer { found, .. } if found == "99"), "{error}");
    assert!(error.to_string().contains("update noren"), "{error}");
    assert!(writer(folder.path()).is_err());
}

#[test]
fn a_folder_of_another_language_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let options = |language| SearcherOptions { language, ..SearcherOptions::default() };
    drop(TantivySearcher::open(folder.path(), options(Language::German)).unwrap());
    for error in [writer(folder.path()).err(), searcher(folder.path()).err()].map(Option::unwrap) {
        let wanted = "was made for NOREN_LANGUAGE=de, not en; set NOREN_LANGUAGE=de";
        assert!(error.to_string().contains(wanted), "{error}");
    }
    assert!(TantivySearcher::open(folder.path(), options(Language::German)).is_ok());
}

#[tokio::test]
async fn a_damaged_folder_is_one_line_that_says_what_to_do() {
    let original = tempfile::tempdir().unwrap();
    let filled = writer(original.path()).unwrap();
    filled.apply(&[change("a", 1, "lamp"), change("b", 1, "table")]).await.unwrap();
    drop(filled);
    let segment_file = |extension: &str| {
        let files = fs::read_dir(live(original.path())).unwrap().map(|entry| entry.unwrap().path());
        let file = files.into_iter().find(|path| path.extension().is_some_and(|found| found == extension));
        PathBuf::from(file.unwrap().file_name().unwrap())
    };
    let damages: [(PathBuf, Option<&[u8]>); 7] = [
        ("meta.json".into(), Some(b"{")),
        ("meta.json".into(), Some(b"")),
        ("noren-index.json".into(), Some(b"nonsense")),
        ("noren-index.json".into(), None),
        (segment_file("fast"), Some(b"")),
        (segment_file("term"), None),
        (segment_file("store"), Some(b"too short")),
    ];
    for (file, content) in damages {
        let folder = tempfile::tempdir().unwrap();
        let copied = live(folder.path());
        fs::create_dir(&copied).unwrap();
        fs::copy(original.path().join("generations.json"), folder.path().join("generations.json")).unwrap();
        for entry in fs::read_dir(live(original.path())).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copied.join(entry.file_name())).unwrap();
        }
        match content {
            Some(content) => fs::write(copied.join(&file), content).unwrap(),
            None => fs::remove_file(copied.join(&file)).unwrap(),
        }
        for error in [searcher(folder.path()).err(), writer(folder.path()).err()] {
            let error = error.unwrap_or_else(|| panic!("{} was opened", file.display())).to_string();
            assert!(
                error.contains("rebuild it from the store with `noren reindex --data-dir DIR`")
                    && !error.contains('\n'),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_writer_recovers_when_the_file_system_does() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, away) = (parent.path().join("index"), parent.path().join("away"));
    let writer = writer(&folder).unwrap();
    writer.apply(&[change("a", 1, "lamp")]).await.unwrap();
    fs::rename(&folder, &away).unwrap();
    for _ in 0..2 {
        let error = writer.apply(&[change("a", 2, "lamp"), change("b", 1, "table")]).await.unwrap_err();
        assert!(error.is_transient(), "{}", error.chain());
    }
    assert!(writer.ready().await.is_err());
    fs::rename(&away, &folder).unwrap();
    writer.ready().await.unwrap();
    let applied = writer.apply(&[change("a", 2, "lamp"), change("b", 1, "table")]).await.unwrap();
    assert_eq!(applied, [Applied::Done, Applied::Done]);
    assert_eq!(total(&searcher(&folder).unwrap()).await, 2);
}

#[tokio::test]
async fn the_cursor_of_another_order_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let searcher = searcher(folder.path()).unwrap();
    let mut request = SearchRequest::all(Currency::USD);
    let id = ProductId::parse("a").unwrap();
    request.page.start = PageStart::After(Cursor {
        sort: Sort::Name,
        key: None,
        id,
        interpretation: domain::search::QueryInterpretation::default(),
        restriction: None,
    });
    assert_eq!(searcher.search(&request).await.unwrap_err().kind, PortErrorKind::Internal);
}

#[tokio::test]
async fn a_damaged_folder_is_repaired_by_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let filled = writer(folder.path()).unwrap();
    filled.apply(&[change("a", 1, "lamp")]).await.unwrap();
    drop(filled);
    fs::write(live(folder.path()).join("meta.json"), "{").unwrap();
    let rebuilding = TantivyWriter::open_to_rebuild(folder.path(), WriterOptions::default()).unwrap();
    assert_eq!(rebuilding.generations().await.unwrap().live, None);
    assert!(!rebuilding.create_next().await.unwrap());
    assert!(live(folder.path()).exists(), "the damaged index is kept until another one is live");
    let record = change("a", 1, "lamp").record();
    let repair = Repair { id: record.id().clone(), expected_version: None, record: Some(record) };
    assert_eq!(rebuilding.repair(Generation::Next, &[repair]).await.unwrap(), [RepairOutcome::Done]);
    rebuilding.promote_next().await.unwrap();
    assert!(!live(folder.path()).exists(), "there is no rollback to a damaged index");
    assert_eq!(total(&searcher(folder.path()).unwrap()).await, 1);
}

#[tokio::test]
async fn an_index_that_is_too_old_to_be_read_is_searched_again_once_it_has_been_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("noren-index.json"), r#"{"format":4,"language":"en"}"#).unwrap();
    fs::write(folder.path().join("meta.json"), "{}").unwrap();
    let error = writer(folder.path()).err().unwrap();
    assert!(matches!(&error, OpenError::Older { found, .. } if found == "4"), "{error}");
    assert!(error.to_string().contains("`noren reindex --data-dir DIR`"), "{error}");
    let searcher = searcher(folder.path()).unwrap();
    assert_eq!(searcher.ready().await.unwrap_err().kind, PortErrorKind::Unavailable);
    let upgrading = TantivyWriter::open_to_upgrade(folder.path(), WriterOptions::default()).unwrap();
    upgrading.create_next().await.unwrap();
    assert!(folder.path().join("meta.json").exists(), "the old index is kept until another one is live");
    drop(upgrading);
    // Interrupted: what was there is neither complete nor usable.
    let error = writer(folder.path()).err().unwrap();
    assert!(error.to_string().contains("its rebuild is not complete"), "{error}");
    let upgrading = TantivyWriter::open_to_upgrade(folder.path(), WriterOptions::default()).unwrap();
    assert_eq!(upgrading.generations().await.unwrap().live, None);
    assert!(upgrading.create_next().await.unwrap(), "it is continued");
    assert_eq!(searcher.ready().await.unwrap_err().kind, PortErrorKind::Unavailable);
    upgrading.promote_next().await.unwrap();
    drop(upgrading);
    assert!(!folder.path().join("meta.json").exists());
    let is_ready = async {
        while searcher.ready().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), is_ready).await.unwrap();
    assert_eq!(total(&searcher).await, 0);
    writer(folder.path()).unwrap();
}

#[tokio::test]
async fn an_index_of_the_format_before_is_used_and_replaced_by_one_of_the_current_format() {
    let folder = tempfile::tempdir().unwrap();
    let filled = writer(folder.path()).unwrap();
    filled.apply(&[change("a", 1, "lamp")]).await.unwrap();
    drop(filled);
    let path = live(folder.path()).join("noren-index.json");
    let current = fs::read_to_string(&path).unwrap();
    fs::write(&path, r#"{"format":5,"made":"1","language":"en"}"#).unwrap();
    let opened = writer(folder.path()).unwrap();
    let is_current = |state: Option<GenerationState>| state.map(|state| state.is_current);
    assert_eq!(is_current(opened.generations().await.unwrap().live), Some(false));
    opened.apply(&[change("b", 1, "lamp")]).await.unwrap();
    assert_eq!(total(&searcher(folder.path()).unwrap()).await, 2);
    // An unfinished index of an older format is not continued.
    opened.create_next().await.unwrap();
    drop(opened);
    fs::write(folder.path().join("g2/noren-index.json"), r#"{"format":5,"made":"2","language":"en"}"#)
        .unwrap();
    let opened = writer(folder.path()).unwrap();
    assert!(!opened.create_next().await.unwrap());
    let generations = opened.generations().await.unwrap();
    assert_eq!((is_current(generations.live), is_current(generations.next)), (Some(false), Some(true)));
    assert!(!folder.path().join("g2").exists());
    opened.promote_next().await.unwrap();
    assert_eq!(is_current(opened.generations().await.unwrap().live), Some(true));
    // A newer analysis is as foreign as a newer schema.
    drop(opened);
    let analysis = |version: u32| format!("\"analysis\":{version}");
    let newer = current.replacen(&analysis(text::ANALYSIS), &analysis(text::ANALYSIS + 1), 1);
    assert_ne!(newer, current);
    fs::write(folder.path().join("g3/noren-index.json"), newer).unwrap();
    assert!(matches!(writer(folder.path()), Err(OpenError::Newer { .. })));
}

#[tokio::test]
async fn a_generation_left_by_a_crash_is_removed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    drop(writer(folder.path()).unwrap());
    fs::create_dir(folder.path().join("g7")).unwrap();
    fs::write(folder.path().join("g7/meta.json"), "half").unwrap();
    drop(writer(folder.path()).unwrap());
    assert!(!folder.path().join("g7").exists() && live(folder.path()).exists());
}

#[tokio::test]
async fn files_that_are_not_part_of_an_index_are_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let others = ["notes.txt", "meta.json.bak", "g7/photo.jpg", "g8/2024/photo.jpg", "letters/g1"];
    for file in others {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "somebody's").unwrap();
    }
    let first = writer(folder.path()).unwrap();
    first.create_next().await.unwrap();
    first.promote_next().await.unwrap();
    drop(first);
    let rebuilding = TantivyWriter::open_to_rebuild(folder.path(), WriterOptions::default()).unwrap();
    rebuilding.create_next().await.unwrap();
    rebuilding.promote_next().await.unwrap();
    for file in others {
        assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), "somebody's", "{file}");
    }
    assert_eq!(rebuilding.generations().await.unwrap().live.unwrap().name, "g10", "no name is used twice");
    assert!(!live(folder.path()).exists(), "the generation before the previous one is gone");
}

#[tokio::test]
async fn without_a_pointer_generations_are_kept_until_another_one_is_live() {
    for content in [Some("{"), None] {
        let folder = tempfile::tempdir().unwrap();
        let filled = writer(folder.path()).unwrap();
        filled.apply(&[change("a", 1, "lamp")]).await.unwrap();
        let running = searcher(folder.path()).unwrap();
        drop(filled);
        let pointer = folder.path().join("generations.json");
        match content {
            Some(content) => fs::write(&pointer, content).unwrap(),
            None => fs::remove_file(&pointer).unwrap(),
        }
        let error = writer(folder.path()).err().unwrap().to_string();
        assert!(error.contains("generations.json") && error.contains("`noren reindex"), "{error}");
        let rebuilding = TantivyWriter::open_to_rebuild(folder.path(), WriterOptions::default()).unwrap();
        assert_eq!(rebuilding.generations().await.unwrap().live, None);
        assert_eq!(total(&running).await, 1, "the index that is searched still exists");
        rebuilding.create_next().await.unwrap();
        assert_eq!(total(&running).await, 1, "it exists until another one is live");
        rebuilding.promote_next().await.unwrap();
        assert!(!live(folder.path()).exists());
    }
}

#[tokio::test]
async fn opening_a_generation_is_retried() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path()).unwrap();
    writer.apply(&[change("a", 1, "lamp")]).await.unwrap();
    let searcher = searcher(folder.path()).unwrap();
    writer.create_next().await.unwrap();
    writer.apply(&[change("b", 1, "table"), change("c", 1, "chair")]).await.unwrap();
    writer.promote_next().await.unwrap();
    let (file, away) = (folder.path().join("g2/noren-index.json"), folder.path().join("away"));
    fs::rename(&file, &away).unwrap();
    assert_eq!(total(&searcher).await, 3, "the previous generation is searched");
    fs::rename(&away, &file).unwrap();
    let begun = std::time::Instant::now();
    while total(&searcher).await != 2 {
        assert!(begun.elapsed().as_secs() < 30, "the live generation was never opened");
    }
}

#[test]
fn programs_that_start_at_once_create_one_index() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| searcher(folder.path()).unwrap());
            }
        });
        let pointer = fs::read_to_string(folder.path().join("generations.json")).unwrap();
        assert_eq!(pointer, r#"{"live":"g1"}"#);
    }
}
