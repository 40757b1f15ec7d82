//! A file's bytes as UTF-8. What cannot be told is an error: no character is replaced.

use std::io::{self, Read};

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};

use crate::token::import::options::Encoding;

/// Bytes read at once.
const BUFFER: usize = 64 * 1024;
/// Most bytes of a line: a token's longest fields take some 10 KiB, if each character is escaped.
pub(super) const LONGEST_LINE: usize = 1024 * 1024;

/// Reads a file as UTF-8.
pub(super) struct Utf8Reader<'a> {
    inner: Box<dyn Read + Send + 'a>,
    decoder: encoding_rs::Decoder,
    /// How characters are stored.
    pub(super) encoding: Encoding,
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    is_at_end: bool,
    /// The last character was a carriage return.
    is_after_return: bool,
    hasher: Sha256,
    /// Whether the quotes so far come in pairs.
    is_quoted: bool,
    /// How many more bytes may be read before somebody says that a line has ended.
    allowance: usize,
}

impl<'a> Utf8Reader<'a> {
    /// Of a file; finds out how it is encoded by its byte order mark, or takes what is `chosen`, or UTF-8.
    ///
    /// # Errors
    /// It is a spreadsheet or in UTF-16 without a mark, or its mark contradicts what is chosen.
    pub(super) fn new(mut inner: Box<dyn Read + Send + 'a>, chosen: Option<Encoding>) -> io::Result<Self> {
        let mut raw = Vec::with_capacity(BUFFER);
        inner.by_ref().take(BUFFER as u64).read_to_end(&mut raw)?;
        let hasher = Sha256::new_with_prefix(&raw);
        let (encoding, mark) = encoding_of(&raw, chosen)?;
        raw.drain(..mark);
        let decoder = match encoding {
            Encoding::Utf8 => UTF_8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Ok(Self {
            inner,
            decoder: decoder.new_decoder_without_bom_handling(),
            encoding,
            raw,
            text: Vec::new(),
            given: 0,
            is_at_end: false,
            is_after_return: false,
            hasher,
            is_quoted: false,
            allowance: LONGEST_LINE,
        })
    }

    /// Allows another line to be read.
    pub(super) fn allow_line(&mut self) {
        self.allowance = LONGEST_LINE + BUFFER;
    }

    /// Whether a quote was opened that is not closed.
    pub(super) fn is_quoted(&self) -> bool {
        self.is_quoted
    }

    /// The digest of all bytes, when all are read.
    pub(super) fn digest(&self) -> Option<String> {
        use base64::Engine;
        let all = self.is_at_end && self.given == self.text.len();
        let digest: [u8; 32] = self.hasher.clone().finalize().into();
        all.then(|| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest))
    }

    /// Makes every line end with a line feed, so that lines are counted alike whoever wrote the file. Between quotes, too: no
    /// cell that is imported goes over lines.
    fn end_lines_alike(&mut self) {
        let mut is_after_return = self.is_after_return;
        self.text.retain_mut(|byte| {
            let is_second = is_after_return && *byte == b'\n';
            is_after_return = *byte == b'\r';
            if is_after_return {
                *byte = b'\n';
            }
            !is_second
        });
        self.is_after_return = is_after_return;
    }

    /// Decodes some more.
    fn fill(&mut self) -> io::Result<()> {
        if self.raw.is_empty() {
            self.inner.by_ref().take(BUFFER as u64).read_to_end(&mut self.raw)?;
            self.hasher.update(&self.raw);
        }
        let is_last = self.raw.is_empty();
        let most = self.decoder.max_utf8_buffer_length_without_replacement(self.raw.len()).unwrap_or(4 * BUFFER);
        self.text.resize(most.max(16), 0);
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(&self.raw, &mut self.text, is_last);
        self.text.truncate(written);
        self.end_lines_alike();
        self.raw.drain(..read);
        self.given = 0;
        if let DecoderResult::Malformed(..) = result {
            return Err(malformed(self.encoding));
        }
        self.is_at_end = is_last;
        Ok(())
    }
}

impl Read for Utf8Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_at_end {
            self.fill()?;
        }
        let length = into.len().min(self.text.len() - self.given);
        if length > self.allowance {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the line is longer than 1 MiB; perhaps a quote in it never ends",
            ));
        }
        self.allowance -= length;
        let given = &self.text[self.given..self.given + length];
        into[..length].copy_from_slice(given);
        self.is_quoted = given.iter().fold(self.is_quoted, |is_quoted, byte| is_quoted ^ (*byte == b'"'));
        self.given += length;
        Ok(length)
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// How a file is encoded that begins so, and the length of its byte order mark.
fn encoding_of(head: &[u8], chosen: Option<Encoding>) -> io::Result<(Encoding, usize)> {
    const MARKS: [(&[u8], Encoding); 3] =
        [(&[0xEF, 0xBB, 0xBF], Encoding::Utf8), (&[0xFF, 0xFE], Encoding::Utf16Le), (&[0xFE, 0xFF], Encoding::Utf16Be)];
    if head.starts_with(b"PK\x03\x04") || head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(refused("it is a spreadsheet; save it as CSV (UTF-8), and import that"));
    }
    if let Some((mark, encoding)) = MARKS.into_iter().find(|(mark, _)| head.starts_with(mark)) {
        if chosen.is_some_and(|chosen| chosen != encoding) {
            let why =
                format!("its byte order mark says that it is {}; let Tessera detect the encoding", encoding.word());
            return Err(refused(&why));
        }
        return Ok((encoding, mark.len()));
    }
    let is_wide = matches!(chosen, Some(Encoding::Utf16Le | Encoding::Utf16Be));
    if !is_wide && head.contains(&0) {
        return Err(refused(
            "it is not a text file, or it is UTF-16 without a byte order mark; then choose utf-16le or utf-16be",
        ));
    }
    Ok((chosen.unwrap_or(Encoding::Utf8), 0))
}

fn malformed(encoding: Encoding) -> io::Error {
    let hint = match encoding {
        Encoding::Utf8 => "; if a spreadsheet on Windows wrote it, choose windows-1252, or save it as CSV UTF-8",
        _ => "; choose another encoding",
    };
    refused(&format!("it has a character that is not {}{hint}", encoding.word()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], chosen: Option<Encoding>) -> Result<String, String> {
        let mut text = String::new();
        let reader = Utf8Reader::new(Box::new(bytes), chosen);
        let read = reader.and_then(|mut reader| reader.read_to_string(&mut text));
        read.map(|_| text).map_err(|error| error.to_string())
    }

    fn utf16(text: &str, is_little: bool) -> Vec<u8> {
        let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_are_understood_and_removed() {
        assert_eq!(read("\u{feff}Größe".as_bytes(), None).unwrap(), "Größe");
        for is_little in [true, false] {
            assert_eq!(read(&utf16("\u{feff}Größe 😀", is_little), None).unwrap(), "Größe 😀");
        }
        assert_eq!(read(b"", None).unwrap(), "");
        assert_eq!(read("Größe".as_bytes(), None).unwrap(), "Größe");
    }

    #[test]
    fn other_encodings_are_taken_when_they_are_chosen() {
        assert_eq!(read(b"Gr\xf6\xdfe \x80", Some(Encoding::Windows1252)).unwrap(), "Größe €");
        assert_eq!(read(&utf16("Größe", true), Some(Encoding::Utf16Le)).unwrap(), "Größe");
    }

    #[test]
    fn nothing_is_guessed() {
        let why = |bytes: &[u8], chosen| read(bytes, chosen).unwrap_err();
        assert!(why(b"Gr\xf6\xdfe", None).contains("not utf-8; if a spreadsheet on Windows"));
        assert!(why(&utf16("abc", true), None).contains("choose utf-16le"));
        assert!(why(b"\xef\xbb\xbfabc", Some(Encoding::Windows1252)).contains("says that it is utf-8"));
        assert!(why(b"PK\x03\x04...", None).contains("a spreadsheet"));
        assert!(why(&utf16("a", true)[..1], Some(Encoding::Utf16Le)).contains("not utf-16le"), "half a character");
        assert!(why(&[0xD8, 0x00, 0x00, 0x41], Some(Encoding::Utf16Be)).contains("not utf-16be"), "half a pair");
    }

    #[test]
    fn a_line_that_never_ends_is_not_held_in_memory() {
        let endless = "x".repeat(3 * LONGEST_LINE);
        assert!(read(endless.as_bytes(), None).unwrap_err().contains("longer than 1 MiB"));
    }
}
