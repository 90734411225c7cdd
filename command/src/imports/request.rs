//! The request for an import: the format of its file, and how it is read.

use api::parameters::{ParameterReader, unknown_among};
use api::problems::bad_parameters;
use domain::{FaultKind, MaxDelete, WriteMode};
use feeds::{Format, Mark, Sniffed, TableOptions};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use runtime::Problem;
use runtime::body::check_content_type;

use super::checkpoint::SyncState;
use super::file_options::FileOptions;
use crate::routes::take_source;

/// Media types of files, with the formats that they name. Types that a page of another site may send without a CORS preflight, such as
/// `text/plain`, are not among them.
const TYPES: [(&str, Kind); 17] = [
    ("application/x-ndjson", Kind::Lines),
    ("application/ndjson", Kind::Lines),
    ("application/jsonl", Kind::Lines),
    ("application/json", Kind::Json),
    ("application/ld+json", Kind::Json),
    ("text/csv", Kind::Table),
    ("text/tab-separated-values", Kind::Table),
    ("application/xml", Kind::Xml),
    ("text/xml", Kind::Xml),
    ("application/rss+xml", Kind::Xml),
    ("application/atom+xml", Kind::Xml),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Kind::Workbook),
    ("application/zip", Kind::Any),
    ("application/x-zip-compressed", Kind::Any),
    ("application/gzip", Kind::Any),
    ("application/x-gzip", Kind::Any),
    ("application/octet-stream", Kind::Any),
];

/// The values of `format`.
const FORMATS: [(&str, Kind); 6] = [
    ("ndjson", Kind::Json),
    ("json", Kind::Json),
    ("csv", Kind::Table),
    ("tsv", Kind::Table),
    ("xml", Kind::Xml),
    ("xlsx", Kind::Workbook),
];

/// The most columns that a request may map.
const MAX_MAPPED: usize = 50;

/// The format that a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// NDJSON by its media type: lines of Noren's own products are read as `POST /products/bulk` does.
    Lines,
    Json,
    Table,
    Xml,
    Workbook,
    /// Detected from the content.
    Any,
}

/// A request for an import.
#[derive(Debug)]
pub(super) struct ImportRequest {
    kind: Kind,
    options: FileOptions,
    /// The source of the products.
    pub(super) source: Option<String>,
    /// The guard of a synchronisation; `None` for every other import.
    max_delete: Option<MaxDelete>,
}

/// The values of `mode`.
enum Mode {
    Write(WriteMode),
    Sync,
}

impl ImportRequest {
    /// Reads the content type and the parameters.
    ///
    /// # Errors
    /// 415 for an unknown content type, 400 for faults of the parameters.
    pub(super) fn read(headers: &HeaderMap, mut parameters: ParameterReader) -> Result<Self, Problem> {
        let types = TYPES.map(|(name, _)| name);
        check_content_type(headers, &types)?;
        let mode = parameters.parsed("mode", |text| match text {
            "sync" => Ok(Mode::Sync),
            text => WriteMode::parse(text)
                .map(Mode::Write)
                .ok_or_else(|| (FaultKind::Malformed, "must be `merge`, `replace` or `sync`".to_owned())),
        });
        let max_delete = parameters.parsed("maxDelete", |text| {
            text.parse::<MaxDelete>().map_err(|message| (FaultKind::Malformed, message.to_owned()))
        });
        let (mode, max_delete) = match (mode, max_delete) {
            (Some(Mode::Sync), max) => (None, Some(max.unwrap_or_default())),
            (Some(Mode::Write(mode)), None) => (Some(mode), None),
            (None, None) => (None, None),
            (_, Some(_)) => {
                parameters.fault("maxDelete", FaultKind::Malformed, "is possible with `mode=sync` only");
                (None, None)
            }
        };
        let source = take_source(&mut parameters);
        let mut options = FileOptions { mode, ..FileOptions::default() };
        let format = parameters.parsed("format", |text| {
            let found = FORMATS.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind);
            found.ok_or_else(|| {
                let names = FORMATS.map(|(name, _)| name).join("`, `");
                (FaultKind::Malformed, format!("must be one of `{names}`"))
            })
        });
        options.decimal = parameters.parsed("decimal", |text| match text {
            "comma" => Ok(Mark::Comma),
            "point" => Ok(Mark::Point),
            _ => Err((FaultKind::Malformed, "must be `comma` or `point`".to_owned())),
        });
        let charset = |name: &str| TableOptions::default().set_encoding(name).map(|()| name.to_owned());
        let named = parameters
            .parsed("encoding", |name| charset(name).map_err(|message| (FaultKind::Malformed, message)));
        options.encoding = match (named, charset_of(headers)) {
            (None, Some(name)) => Some(charset(name).map_err(|message| {
                let detail = format!("in the content type, {message}");
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
            })?),
            (named, _) => named,
        };
        let map = parameters.list("map", |text| match text.rsplit_once('=') {
            Some((column, field)) => Ok((column.to_owned(), field.to_owned())),
            None => {
                Err((FaultKind::Malformed, "must be a column and its field, such as `title=name`".to_owned()))
            }
        });
        parameters.at_most("map", "values", map.len(), MAX_MAPPED);
        options.map = map;
        let known = ["format", "mode", "source", "maxDelete", "decimal", "encoding", "map"];
        parameters.finish(|_| unknown_among(&known)).map_err(|faults| bad_parameters(&faults))?;
        let kind = format.unwrap_or_else(|| kind_of(headers));
        options.format = match kind {
            Kind::Lines | Kind::Json => Some(Format::Ndjson),
            Kind::Table => Some(Format::Csv),
            Kind::Xml | Kind::Workbook | Kind::Any => None,
        };
        Ok(Self { kind, options, source, max_delete })
    }

    /// Returns a request with NDJSON, for tests.
    #[cfg(test)]
    pub(super) fn of_lines() -> Self {
        Self { kind: Kind::Lines, options: FileOptions::default(), source: None, max_delete: None }
    }

    /// Returns a request whose format is detected from the file, for tests.
    #[cfg(test)]
    pub(super) fn with_any_format(self) -> Self {
        Self { kind: Kind::Any, ..self }
    }

    /// Returns true if an empty file is a job without lines.
    pub(super) fn may_be_empty(&self) -> bool {
        self.kind == Kind::Lines
    }

    /// Returns the mode of the writes, if the request names one.
    pub(super) fn mode(&self) -> Option<WriteMode> {
        self.options.mode
    }

    /// Returns the state of a synchronisation, if the import is one.
    pub(super) fn sync(&self) -> Option<SyncState> {
        self.max_delete.map(|max_delete| SyncState { max_delete, is_planned: false })
    }

    /// Returns the options of the conversion, or `None` if the lines are applied as they are.
    ///
    /// # Errors
    /// If the file is in another format than the request says.
    pub(super) fn conversion(self, found: Sniffed) -> Result<Option<FileOptions>, String> {
        let is_plain = matches!(found, Sniffed::NorenLines | Sniffed::Text);
        let is_bare =
            self.options.map.is_empty() && self.options.decimal.is_none() && self.options.encoding.is_none();
        let missing = match (self.kind, found) {
            (Kind::Lines, _) if is_plain && is_bare => return Ok(None),
            (Kind::Xml, Sniffed::Xml | Sniffed::Packed) | (Kind::Workbook, Sniffed::Packed) => None,
            (Kind::Xml, _) => Some("XML"),
            (Kind::Workbook, _) => Some("spreadsheet"),
            _ => None,
        };
        match missing {
            None => Ok(Some(self.options)),
            Some(name) => {
                let formats = FORMATS.map(|(name, _)| name).join(", ");
                Err(format!(
                    "the file is no {name}; files are {formats}, also in gzip or zip: leave out `format`, and send \
                     `content-type: application/octet-stream`, to have the format detected"
                ))
            }
        }
    }
}

/// Returns the character set that the content type names, unless it is UTF-8, which is detected from the content.
fn charset_of(headers: &HeaderMap) -> Option<&str> {
    let mut parameters = content_type(headers).split(';').skip(1).filter_map(|text| text.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    let charset = charset.trim().trim_matches('"');
    (!charset.eq_ignore_ascii_case("utf-8")).then_some(charset)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Returns the format that the content type names.
fn kind_of(headers: &HeaderMap) -> Kind {
    let given = content_type(headers).split(';').next().unwrap_or_default().trim();
    TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(given)).map_or(Kind::Any, |(_, kind)| *kind)
}
