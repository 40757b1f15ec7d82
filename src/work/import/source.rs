//! Where a file comes from. It can be read more than once.

use std::io::{self, Read};
use std::path::PathBuf;

use tokio::runtime::Handle;

use crate::store::Store;
use crate::store::imports::parts;

/// A file that can be read from its beginning any number of times.
pub(crate) trait Source: Send + Sync {
    /// Reads it from its beginning.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;
}

impl Source for PathBuf {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let file = std::fs::File::open(self)?;
        // A pipe would be at its end when it is read again.
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file, and it has to be read twice"));
        }
        Ok(Box::new(file))
    }
}

/// A file that was sent to a page.
pub(crate) struct StoredFile {
    /// The database.
    pub(crate) store: Store,
    /// Where its answers are waited for.
    pub(crate) runtime: Handle,
    /// The id of the import.
    pub(crate) import: i64,
    /// How many bytes it has.
    pub(crate) size: i64,
}

impl Source for StoredFile {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(StoredReader { file: self, next: 0, part: io::Cursor::new(Vec::new()), left: self.size }))
    }
}

struct StoredReader<'a> {
    file: &'a StoredFile,
    next: i32,
    part: io::Cursor<Vec<u8>>,
    left: i64,
}

impl Read for StoredReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.part.position() >= self.part.get_ref().len() as u64 && self.left > 0 {
            let (import, part) = (self.file.import, self.next);
            let read = self.file.store.read(move |connection| Ok(parts::read(connection, import, part)?));
            let bytes = self.file.runtime.block_on(read).map_err(io::Error::other)?;
            // Whoever looks for the rest of a file that was removed must not take it for a shorter one.
            let bytes = bytes.ok_or_else(|| io::Error::other("the file was removed; send it again"))?;
            self.left -= i64::try_from(bytes.len()).unwrap_or(self.left);
            self.next += 1;
            self.part = io::Cursor::new(bytes);
        }
        self.part.read(into)
    }
}
