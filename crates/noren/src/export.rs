//! `noren export`: all products as NDJSON.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use indicatif::ProgressBar;

use crate::client::{Api, ProductPages};
use crate::failure::{Context as _, Failure};
use crate::part_file::PartFile;
use crate::target::{Access, Target};
use crate::terminal::styled;

/// `noren export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren export > products.ndjson              from the service at http://127.0.0.1:8080
  noren export -o products.ndjson.gz          compressed, because of the file name
  noren export --data-dir ./data | jq -r .name
  NOREN_STORE=dynamodb noren export --back-ends -o products.ndjson.gz
                                              from the store itself, without a service

`noren import` reads the output.")]
pub struct ExportArgs {
    #[command(flatten)]
    pub target: Target,
    /// Write to this file instead of standard output; a name that ends in .gz is compressed
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Writes all products to a file or to standard output.
///
/// # Errors
/// As [`export`], and if the catalogue cannot be opened.
pub(crate) async fn run(args: &ExportArgs) -> Result<(), Failure> {
    let output = args.output.as_deref();
    args.target.with(Access::Store, async |catalogue| export(catalogue.api(), output).await.map(drop)).await
}

/// Writes all products to `output`, or to standard output, and returns their number. A file is complete or absent: it
/// appears under its name once everything is written.
///
/// # Errors
/// If the catalogue cannot be read or the output cannot be written.
pub async fn export(api: &dyn Api, output: Option<&Path>) -> Result<u64, Failure> {
    let Some(path) = output else {
        let mut stdout = BufWriter::new(io::stdout());
        let count = write_all(api, &mut stdout, &ProgressBar::hidden()).await?;
        stdout.flush().context(|| "writing to standard output".to_owned())?;
        return Ok(count);
    };
    let part = PartFile::of(path);
    let writing = || format!("cannot write {}; choose another file with --output", part.path().display());
    let file = File::create(part.path()).context(writing)?;
    let progress =
        styled(ProgressBar::new_spinner(), "{spinner} {pos} products, {per_sec}, {elapsed} elapsed");
    let count = if path.extension().is_some_and(|extension| extension == "gz") {
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
    part.publish(path)?;
    progress.finish_and_clear();
    Ok(count)
}

async fn write_all(api: &dyn Api, output: &mut dyn Write, progress: &ProgressBar) -> Result<u64, Failure> {
    let mut count = 0;
    let mut pages = ProductPages::new(api);
    while let Some(products) = pages.next().await? {
        for product in &products {
            // JSON has line breaks between tokens only, never within a text.
            let line = product.get().replace(['\n', '\r'], " ");
            output.write_all(line.as_bytes()).context(|| "writing products".to_owned())?;
            output.write_all(b"\n").context(|| "writing products".to_owned())?;
        }
        count += products.len() as u64;
        progress.set_position(count);
    }
    Ok(count)
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
    async fn a_failed_export_leaves_an_older_one_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.ndjson");
        std::fs::write(&path, "old").unwrap();
        let failure = export(&pages(true), Some(&path)).await.unwrap_err();
        assert!(failure.to_string().contains("reading a page"), "{failure}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
