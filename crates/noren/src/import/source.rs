//! The products of an import.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use demo::demo_catalogue;
use domain::{Product, Version};
use feeds::{FeedError, FeedReader, Format, TableOptions};

/// The products of an import.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files; `-` is standard input.
    Files(Vec<PathBuf>),
    /// The demo catalogue.
    Demo,
}

impl Source {
    /// Opens the files one after the other. A file is opened once the iterator reaches it.
    pub(super) fn readers<'a>(
        &'a self,
        format: Option<Format>,
        table: &'a TableOptions,
    ) -> Box<dyn Iterator<Item = Result<FeedReader, FeedError>> + 'a> {
        match self {
            Self::Files(files) => {
                Box::new(files.iter().map(move |path| FeedReader::open(path, format, table)))
            }
            Self::Demo => {
                let products = Box::new(Cursor::new(demo_products()));
                Box::new(std::iter::once(FeedReader::of(products, Path::new("demo.ndjson"), format, table)))
            }
        }
    }

    /// Returns the number of files.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Demo => 1,
        }
    }

    /// Returns the size of all files in bytes, or `None` if it is not known in advance.
    pub(super) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Files(files) => files.iter().map(|path| size(path)).sum(),
            Self::Demo => Some(demo_products().len() as u64),
        }
    }
}

/// Returns the size of a regular file.
fn size(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().filter(|it| it.is_file()).map(|it| it.len())
}

/// Returns the demo catalogue as a file of products.
fn demo_products() -> Vec<u8> {
    let mut lines = Vec::new();
    let now = domain::now();
    for input in demo_catalogue() {
        let id = input.id.expect("every product of the demo catalogue has an id");
        let (created_at, updated_at) = (now, now);
        let product = Product { id, version: Version::FIRST, created_at, updated_at, content: input.content };
        serde_json::to_writer(&mut lines, &product).expect("a product can be written to memory as JSON");
        lines.push(b'\n');
    }
    lines
}
