//! The character set of a file: UTF-8, UTF-16 or Windows-1252, detected by content.

use std::io::{self, BufRead, BufReader};

use csv::ByteRecord;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

/// A stream of bytes.
pub(crate) type Input = Box<dyn BufRead + Send>;

/// Removes a byte order mark, and decodes UTF-16. Returns the stream, and true if it was UTF-16.
///
/// # Errors
/// If the stream cannot be read.
pub(crate) fn decode_utf16(mut input: Input) -> io::Result<(Input, bool)> {
    let beginning = input.fill_buf()?;
    let encoding = match beginning {
        [0xef, 0xbb, 0xbf, ..] => {
            input.consume(3);
            return Ok((input, false));
        }
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => UTF_16LE,
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => UTF_16BE,
        _ => return Ok((input, false)),
    };
    Ok((decoded(input, encoding), true))
}

/// Decodes a stream whose character set is known.
pub(crate) fn decoded(input: Input, encoding: &'static Encoding) -> Input {
    Box::new(BufReader::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(input)))
}

/// Decodes rows of a file whose character set is only known once a letter beyond ASCII occurs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowDecoder {
    charset: Charset,
    /// Numbers of rows with letters beyond ASCII that are UTF-8, and that are not.
    utf8_rows: u64,
    other_rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    /// All rows so far were ASCII.
    Ascii,
    Utf8,
    /// The file was UTF-16 and is decoded already.
    Utf16,
    /// The file was in this character set, as the user says, and is decoded already.
    Given(&'static Encoding),
    Windows1252,
}

impl RowDecoder {
    /// Creates a decoder for the first reading of a file.
    pub(crate) fn new(is_utf16: bool) -> Self {
        let charset = if is_utf16 { Charset::Utf16 } else { Charset::Ascii };
        Self { charset, utf8_rows: 0, other_rows: 0 }
    }

    /// Creates a decoder for a file that was decoded from a character set.
    pub(crate) fn of(encoding: &'static Encoding) -> Self {
        Self { charset: Charset::Given(encoding), utf8_rows: 0, other_rows: 0 }
    }

    /// Returns the row that names the columns in UTF-8. It may be UTF-8 although the rows are in another character set.
    pub(crate) fn decode_header(
        &mut self,
        row: ByteRecord,
    ) -> Result<ByteRecord, (ByteRecord, &'static str)> {
        match self.charset == Charset::Windows1252 && row.iter().all(|cell| std::str::from_utf8(cell).is_ok())
        {
            true => Ok(row),
            false => self.decode(row),
        }
    }

    /// Returns the row in UTF-8, or a fault if it is in another character set than the file.
    pub(crate) fn decode(&mut self, row: ByteRecord) -> Result<ByteRecord, (ByteRecord, &'static str)> {
        let bytes = row.as_slice();
        if bytes.is_ascii() {
            return Ok(row);
        }
        let is_utf8 = row.iter().all(|cell| std::str::from_utf8(cell).is_ok());
        *(if is_utf8 { &mut self.utf8_rows } else { &mut self.other_rows }) += 1;
        if self.charset == Charset::Ascii {
            self.charset = if is_utf8 { Charset::Utf8 } else { Charset::Windows1252 };
        }
        match (self.charset, is_utf8) {
            (Charset::Windows1252, true) => {
                Err((row, "is UTF-8, unlike other rows; save the file in one character set, as UTF-8"))
            }
            (Charset::Windows1252, false) => {
                let decode = |cell| WINDOWS_1252.decode_without_bom_handling(cell).0;
                let row: csv::StringRecord = row.iter().map(|cell| decode(cell).into_owned()).collect();
                Ok(row.into_byte_record())
            }
            (Charset::Utf16, true) if String::from_utf8_lossy(bytes).contains('\u{fffd}') => {
                Err((row, "has bytes that are not UTF-16; save the file as UTF-8"))
            }
            (Charset::Given(_), true) if String::from_utf8_lossy(bytes).contains('\u{fffd}') => {
                Err((row, "has bytes that are not in the character set of --encoding"))
            }
            (_, true) => Ok(row),
            (_, false) => Err((row, "is not UTF-8, unlike other rows; save the file as UTF-8")),
        }
    }

    /// Decides on the character set after all rows. Returns false if rows were decoded otherwise before: one wrong byte in
    /// an early row must not change the letters of all others.
    pub(crate) fn decide(&mut self) -> bool {
        let decided = match self.charset {
            Charset::Utf16 | Charset::Given(_) | Charset::Ascii => self.charset,
            _ if self.utf8_rows >= self.other_rows => Charset::Utf8,
            _ => Charset::Windows1252,
        };
        (self.utf8_rows, self.other_rows) = (0, 0);
        decided == std::mem::replace(&mut self.charset, decided)
    }

    /// Returns a warning if the character set is a guess.
    pub(crate) fn warning(&self) -> Option<String> {
        let message = "the file is not UTF-8 and names no character set, so it is read in Windows-1252; if letters are wrong, name \
                       another, such as --encoding windows-1251 (`encoding=` over HTTP)";
        (self.charset == Charset::Windows1252).then(|| message.to_owned())
    }

    /// Returns the name of the character set if it is not UTF-8.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self.charset {
            Charset::Windows1252 => Some("Windows-1252"),
            Charset::Utf16 => Some("UTF-16"),
            Charset::Given(encoding) => Some(encoding.name()),
            Charset::Ascii | Charset::Utf8 => None,
        }
    }
}
