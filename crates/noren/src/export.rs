//! `noren export`: the whole catalogue as NDJSON.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::Api;
use crate::failure::{Context as _, Failure};

/// Products asked for at once.
const PAGE_PRODUCTS: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow)]
    products: Vec<&'a RawValue>,
    next_cursor: Option<String>,
}

/// Writes every product to `output`, or to standard output, and tells how many there were. A file is complete or
/// not there at all: it gets its name when everything is in it.
///
/// # Errors
/// When the catalogue cannot be read or the output not be written.
pub async fn export(api: &dyn Api, output: Option<&Path>) -> Result<u64, Failure> {
    let Some(path) = output else {
        let mut stdout = BufWriter::new(io::stdout());
        let count = write_all(api, &mut stdout, &ProgressBar::hidden()).await?;
        stdout.flush().context(|| "writing to standard output".to_owned())?;
        return Ok(count);
    };
    let part = PartFile::beside(path);
    let writing = || format!("writing to {}", part.0.display());
    let file = File::create(&part.0).context(writing)?;
    let progress = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {pos} products, {per_sec}, {elapsed} gone")
            .context(|| "preparing the progress".to_owned())?,
    );
    let count = if path.extension().is_some_and(|ending| ending == "gz") {
        let mut encoder = GzEncoder::new(BufWriter::new(&file), Compression::default());
        let count = write_all(api, &mut encoder, &progress).await?;
        encoder.finish().and_then(|mut rest| rest.flush()).context(writing)?;
        count
    } else {
        let mut plain = BufWriter::new(&file);
        let count = write_all(api, &mut plain, &progress).await?;
        plain.flush().context(writing)?;
        count
    };
    file.sync_all().context(writing)?;
    std::fs::rename(&part.0, path).context(|| format!("naming {}", path.display()))?;
    progress.finish_and_clear();
    Ok(count)
}

async fn write_all(api: &dyn Api, output: &mut dyn Write, progress: &ProgressBar) -> Result<u64, Failure> {
    let mut count = 0;
    let mut cursor: Option<String> = None;
    loop {
        let mut parameters = vec![("limit".to_owned(), PAGE_PRODUCTS.to_string())];
        parameters.extend(cursor.iter().map(|cursor| ("cursor".to_owned(), cursor.clone())));
        let body = api.get("/products", &parameters).await?;
        let page: Page<'_> = serde_json::from_slice(&body)
            .context(|| "reading a page of products; is this address a noren service".to_owned())?;
        for product in &page.products {
            // A line break in JSON stands between its parts only, never inside a text.
            let line = product.get().replace(['\n', '\r'], " ");
            output.write_all(line.as_bytes()).context(|| "writing products".to_owned())?;
            output.write_all(b"\n").context(|| "writing products".to_owned())?;
        }
        count += page.products.len() as u64;
        progress.set_position(count);
        if page.next_cursor.is_some() && page.next_cursor == cursor {
            return Err(Failure::new("the service answers the same page again and again"));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(count);
        }
    }
}

/// A file under a name of its own until it is complete; what is left of a failure is removed.
pub(crate) struct PartFile(pub(crate) PathBuf);

impl PartFile {
    pub(crate) fn beside(path: &Path) -> Self {
        let mut name = OsString::from(path);
        name.push(".part");
        Self(name.into())
    }

    /// Removes what a process that was killed left.
    pub(crate) fn remove(&self) {
        // Mostly there is none.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // After success there is none any more.
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::InProcess;
    use axum::extract::RawQuery;
    use axum::routing::get;
    use std::io::Read as _;

    /// Pages of one product each, the last one broken when `is_broken`.
    fn pages(is_broken: bool) -> InProcess {
        let list = async move |RawQuery(query): RawQuery| match query.as_deref() {
            Some("limit=500") => {
                "{\"products\":[{\"id\":\"a\",\n\"price\":1.50}],\"nextCursor\":\"2&\"}".to_owned()
            }
            Some("limit=500&cursor=2%26") if is_broken => "{\"products\":[".to_owned(),
            Some("limit=500&cursor=2%26") => r#"{"products":[{"id":"b"}],"nextCursor":null}"#.to_owned(),
            other => panic!("unexpected query {other:?}"),
        };
        InProcess(axum::Router::new().route("/products", get(list)))
    }

    #[tokio::test]
    async fn every_page_becomes_lines_with_the_digits_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("x.ndjson");
        assert_eq!(export(&pages(false), Some(&plain)).await.unwrap(), 2);
        let expected = "{\"id\":\"a\", \"price\":1.50}\n{\"id\":\"b\"}\n";
        assert_eq!(std::fs::read_to_string(&plain).unwrap(), expected);

        let zipped = folder.path().join("x.ndjson.gz");
        export(&pages(false), Some(&zipped)).await.unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(&zipped).unwrap()).read_to_string(&mut text).unwrap();
        assert_eq!(text, expected);
    }

    #[tokio::test]
    async fn an_export_that_fails_leaves_an_older_one_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.ndjson");
        std::fs::write(&path, "old").unwrap();
        let failure = export(&pages(true), Some(&path)).await.unwrap_err();
        assert!(failure.to_string().contains("reading a page"), "{failure}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
