//! The state of the index that searches look at: its segments with their columns opened, renewed when a commit,
//! of this or of another process, has replaced the list of segments.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use domain::{Language, ProductId};
use serde::Deserialize;
use tantivy::columnar::{BytesColumn, Column, StrColumn};
use tantivy::index::{InvertedIndexReader, SegmentId, SegmentReader};
use tantivy::schema::Field;
use tantivy::{DocAddress, DocId, IndexReader, ReloadPolicy, Searcher};
use text::dictionary::Dictionary;

use crate::layout::folder::{Folder, META_FILE};
use crate::layout::live_document::{id_term, living};
use crate::layout::schema::{Fields, STATE_ACTIVE, STATE_DELETED, column};
use crate::search::columns::{AllValues, Columns};
use crate::search::expansion::{Beginnings, KnownWords};
use crate::search::vocabulary::Vocabulary;

/// Blocks of stored products that a snapshot keeps unpacked, for each segment; a block has 16 KB.
const CACHED_BLOCKS: usize = 32;
/// How often a reload is tried again because another commit came between; then what is there is taken.
const RELOADS: usize = 5;

/// One state of the index.
pub(crate) struct Snapshot {
    pub(crate) searcher: Searcher,
    pub(crate) segments: Vec<Segment>,
    pub(crate) fields: Fields,
    pub(crate) language: Language,
    /// Changes with each commit.
    pub(crate) name: String,
    pub(crate) known_words: KnownWords,
    pub(crate) values: AllValues,
    products: OnceLock<u64>,
}

/// A segment with the columns that searches need.
pub(crate) struct Segment {
    pub(crate) reader: SegmentReader,
    words: Arc<InvertedIndexReader>,
    codes: Arc<InvertedIndexReader>,
    pairs: Arc<InvertedIndexReader>,
    stems: Arc<InvertedIndexReader>,
    /// The field of runs.
    pub(crate) runs: Field,
    pub(crate) id: Option<StrColumn>,
    version: Option<Column<u64>>,
    state: Option<Column<u64>>,
    pub(crate) attributes: Option<StrColumn>,
    pub(crate) numbers: Option<BytesColumn>,
    memory: Arc<InMemory>,
    pub(crate) created_at: Option<Column<i64>>,
    pub(crate) name: Option<StrColumn>,
}

/// What is kept of a segment in plain memory. Segments never change, so the next snapshot takes it over.
struct InMemory {
    columns: Columns,
    /// Read when the first misspelt word comes.
    vocabulary: OnceLock<Vocabulary>,
    beginnings: Beginnings,
}

impl Segment {
    fn open(reader: &SegmentReader, fields: Fields, memory: Arc<InMemory>) -> tantivy::Result<Self> {
        let columns = reader.fast_fields();
        Ok(Self {
            reader: reader.clone(),
            words: reader.inverted_index(fields.words)?,
            codes: reader.inverted_index(fields.codes)?,
            pairs: reader.inverted_index(fields.pairs)?,
            stems: reader.inverted_index(fields.stems)?,
            runs: fields.runs,
            id: columns.str(column::ID)?,
            version: columns.column_opt(column::VERSION)?,
            state: columns.column_opt(column::STATE)?,
            attributes: columns.str(column::ATTRIBUTES)?,
            numbers: columns.bytes(column::NUMBERS)?,
            memory,
            created_at: columns.column_opt(column::CREATED_AT)?,
            name: columns.str(column::NAME)?,
        })
    }

    /// The words of a dictionary with their documents.
    pub(crate) fn lists_of(&self, dictionary: Dictionary) -> &InvertedIndexReader {
        match dictionary {
            Dictionary::Words => &self.words,
            Dictionary::Codes => &self.codes,
            Dictionary::Pairs => &self.pairs,
            Dictionary::Stems => &self.stems,
        }
    }

    /// The columns that each match is looked up in.
    pub(crate) fn columns(&self) -> &Columns {
        &self.memory.columns
    }

    /// The words without digits.
    pub(crate) fn vocabulary(&self) -> tantivy::Result<&Vocabulary> {
        if let Some(read) = self.memory.vocabulary.get() {
            return Ok(read);
        }
        // Two searches may read it at once; one of them was in vain.
        let vocabulary = Vocabulary::read(&self.words)?;
        Ok(self.memory.vocabulary.get_or_init(|| vocabulary))
    }

    /// What short beginnings stand for.
    pub(crate) fn beginnings(&self) -> &Beginnings {
        &self.memory.beginnings
    }

    fn state(&self, document: DocId) -> Option<u64> {
        self.state.as_ref().and_then(|state| state.first(document))
    }

    /// Every document that search may find.
    pub(crate) fn active(&self) -> impl Iterator<Item = DocId> + '_ {
        self.reader.doc_ids_alive().filter(|document| self.state(*document) == Some(STATE_ACTIVE))
    }
}

impl Snapshot {
    fn open(searcher: Searcher, folder: &Folder, name: String, memory: &mut Memory) -> tantivy::Result<Self> {
        let (fields, language) = (folder.fields, folder.language);
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for (reader, memory) in searcher.segment_readers().iter().zip(memory.of(&searcher)?) {
            segments.push(Segment::open(reader, fields, memory)?);
        }
        Ok(Self {
            searcher,
            segments,
            fields,
            language,
            name,
            known_words: KnownWords::default(),
            values: memory.values.clone(),
            products: OnceLock::new(),
        })
    }

    /// Where the newest document of an id is, with its version and its state.
    pub(crate) fn held(&self, id: &ProductId) -> tantivy::Result<Option<(DocAddress, u64, u64)>> {
        let term = id_term(self.fields, id);
        for (segment, number) in self.segments.iter().zip(0..) {
            let ids = segment.reader.inverted_index(self.fields.id)?;
            if let Some(document) = living(&segment.reader, &ids, &term)?
                && let Some(version) = segment.version.as_ref().and_then(|version| version.first(document))
                && let Some(state) = segment.state(document)
            {
                return Ok(Some((DocAddress::new(number, document), version, state)));
            }
        }
        Ok(None)
    }

    /// Products that are not deleted.
    pub(crate) fn products(&self) -> u64 {
        *self.products.get_or_init(|| {
            let of_segment = |segment: &Segment| {
                let alive = segment.reader.doc_ids_alive();
                alive.filter(|document| segment.state(*document) != Some(STATE_DELETED)).count() as u64
            };
            self.segments.iter().map(of_segment).sum()
        })
    }
}

/// What is kept of the segments of the newest snapshot.
#[derive(Default)]
struct Memory {
    segments: HashMap<SegmentId, Arc<InMemory>>,
    values: AllValues,
    /// How many values there were when those that nobody has any more were last forgotten.
    values_then: usize,
}

/// So many times the values that there were before, and so many in any case, may there be until those that no product
/// has any more are forgotten.
const VALUES_GROW: usize = 2;
const MIN_VALUES: usize = 20_000;

impl Memory {
    /// What is kept of each segment, read where it is new.
    fn of(&mut self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<InMemory>>> {
        if self.values.len() > MIN_VALUES.max(VALUES_GROW * self.values_then) {
            // The numbers of values change, so all columns are read anew.
            *self = Self::default();
        }
        let mut all = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            let kept = match self.segments.get(&reader.segment_id()) {
                Some(known) => Arc::clone(known),
                None => {
                    let columns = Columns::read(reader, &mut self.values)?;
                    Arc::new(InMemory {
                        columns,
                        vocabulary: OnceLock::new(),
                        beginnings: Beginnings::default(),
                    })
                }
            };
            all.push(kept);
        }
        let ids = searcher.segment_readers().iter().map(SegmentReader::segment_id);
        self.segments = ids.zip(all.iter().cloned()).collect();
        if self.values_then == 0 {
            self.values_then = self.values.len();
        }
        Ok(all)
    }
}

/// Gives out the newest snapshot.
pub(crate) struct Snapshots {
    folder: Folder,
    reader: IndexReader,
    current: RwLock<Loaded>,
    /// Held while a snapshot is loaded.
    loading: Mutex<Memory>,
}

#[derive(Clone)]
struct Loaded {
    snapshot: Arc<Snapshot>,
    /// The list of segments it was loaded from.
    #[expect(dead_code, reason = "a file that is open keeps its number, so that no later one gets it")]
    meta: Arc<File>,
    meta_number: (u64, u64),
}

impl Snapshots {
    pub(crate) fn open(folder: Folder) -> tantivy::Result<Self> {
        let reader = folder
            .index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(CACHED_BLOCKS)
            .try_into()?;
        let mut memory = Memory::default();
        let loaded = load(&folder, &reader, &mut memory)?;
        Ok(Self { folder, reader, current: RwLock::new(loaded), loading: Mutex::new(memory) })
    }

    /// The state of the last commit.
    pub(crate) fn newest(&self) -> tantivy::Result<Arc<Snapshot>> {
        let number = number_of(&fs::metadata(self.folder.path.join(META_FILE))?);
        if let Some(snapshot) = self.current_if(number) {
            return Ok(snapshot);
        }
        let mut memory = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        // Another search may have loaded it while this one waited.
        let number = number_of(&fs::metadata(self.folder.path.join(META_FILE))?);
        if let Some(snapshot) = self.current_if(number) {
            return Ok(snapshot);
        }
        let loaded = load(&self.folder, &self.reader, &mut memory)?;
        let snapshot = Arc::clone(&loaded.snapshot);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(snapshot)
    }

    /// The name of the state of the last commit; none where it is not loaded yet.
    pub(crate) fn name_of_newest(&self) -> Option<String> {
        let number = number_of(&fs::metadata(self.folder.path.join(META_FILE)).ok()?);
        self.current_if(number).map(|snapshot| snapshot.name.clone())
    }

    fn current_if(&self, number: (u64, u64)) -> Option<Arc<Snapshot>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (current.meta_number == number).then(|| Arc::clone(&current.snapshot))
    }

    /// The folder of the index.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }
}

pub(crate) fn number_of(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn load(folder: &Folder, reader: &IndexReader, memory: &mut Memory) -> tantivy::Result<Loaded> {
    #[derive(Deserialize)]
    struct Meta {
        opstamp: u64,
    }
    let path = folder.path.join(META_FILE);
    let mut tries = 0;
    loop {
        tries += 1;
        let file = File::open(&path)?;
        let meta: Meta = serde_json::from_reader(std::io::BufReader::new(&file))
            .map_err(|error| tantivy::TantivyError::InternalError(format!("{META_FILE}: {error}")))?;
        reader.reload()?;
        let meta_number = number_of(&file.metadata()?);
        // Replaced meanwhile: what was loaded may be newer than its name says.
        if number_of(&fs::metadata(&path)?) != meta_number && tries < RELOADS {
            continue;
        }
        let name = format!("{}-{:x}", folder.made, meta.opstamp);
        let snapshot = Arc::new(Snapshot::open(reader.searcher(), folder, name, memory)?);
        return Ok(Loaded { snapshot, meta: Arc::new(file), meta_number });
    }
}
