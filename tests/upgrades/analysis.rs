//! The version of the analysis of texts, which decides whether an index is rebuilt.

use domain::ports::{IndexMaintenance as _, ProductStore as _};
use domain::{Language, hash::fnv1a_32};
use embedded_store::EmbeddedStore;
use tantivy_index::{TantivyWriter, WriterOptions};

use super::{RECORDS, unpack};

/// The digest of all documents of the fixture in English and in German, by the version of the analysis (`text::ANALYSIS`).
const DIGESTS: [(u32, [u32; 2]); 5] = [
    (1, [231_190_085, 3_948_056_892]),
    (2, [393_947_046, 1_513_700_351]),
    (3, [393_947_046, 2_227_719_993]),
    (4, [393_947_046, 2_227_719_993]),
    (5, [393_947_046, 2_227_719_993]),
];

/// Otherwise an index of an earlier analysis would be used as if it were current.
#[tokio::test]
async fn documents_change_only_with_the_version_of_the_analysis() {
    let folder = tempfile::tempdir().unwrap();
    unpack(5, folder.path());
    let store = EmbeddedStore::open(folder.path(), embedded_store::Options::default()).unwrap();
    let page = store.scan(None, usize::try_from(RECORDS).unwrap()).await.unwrap();
    assert_eq!(page.records.len() as u64, RECORDS);
    let mut digests = Vec::new();
    for language in [Language::English, Language::parse("de").unwrap()] {
        let index = tempfile::tempdir().unwrap();
        let options = WriterOptions { language, ..WriterOptions::default() };
        let writer = TantivyWriter::open(index.path(), options).unwrap();
        let file = std::fs::read_to_string(index.path().join("g1/noren-index.json")).unwrap();
        let (version, _) = DIGESTS[DIGESTS.len() - 1];
        assert!(
            file.contains(&format!("\"analysis\":{version},")),
            "add a digest for the new analysis: {file}"
        );
        let entries = writer.expected_entries(&page.records);
        let prints: Vec<u8> = entries
            .into_iter()
            .flat_map(|entry| entry.unwrap().fingerprint.unwrap().0.to_le_bytes())
            .collect();
        digests.push(fnv1a_32(&prints));
    }
    let (version, known) = DIGESTS[DIGESTS.len() - 1];
    assert_eq!(digests, known, "documents differ from those of analysis {version}: increase text::ANALYSIS");
}
