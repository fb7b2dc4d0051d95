//! Reads the lines of a record in their order, from a remembered place on, through new files, and waits for none.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::export::ExportLine;
use gate::world::record;

/// The form of the file of a position.
const FORMAT: u64 = 1;

/// How far a destination has the lines of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// The digest of the last linked line that it has. Empty: none.
    pub chain: String,
    /// Lines without a link that it has behind that one.
    pub behind: usize,
    /// Lines that were taken in all, and those of them that the destination refused.
    pub sent: u64,
    pub rejected: u64,
}

impl FeedPosition {
    /// Reads what was remembered. `None`: nothing, or in a form of a later version.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let value: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let number = |key: &str| value.get(key).and_then(Value::as_u64);
        (number("format")? == FORMAT).then_some(Self {
            chain: value.get("chain")?.as_str()?.to_owned(),
            behind: usize::try_from(number("behind")?).ok()?,
            sent: number("sent")?,
            rejected: number("rejected")?,
        })
    }

    /// Remembers it. `to` is the destination, for people who look at the file.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn write(&self, path: &Path, to: &str) -> io::Result<()> {
        let Self { chain, behind, sent, rejected } = self;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{}", json!({ "format": FORMAT, "to": to, "chain": chain, "behind": behind, "sent": sent, "rejected": rejected }))?;
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    }

    /// The position after a line.
    pub fn pass(&mut self, line: &ExportLine) {
        if line.linked {
            (self.chain, self.behind) = (line.id.clone(), 0);
        } else {
            self.behind += 1;
        }
        self.sent += 1;
    }
}

/// The lines of the record in a folder, one after the other.
#[derive(Debug)]
pub struct RecordFeed {
    folder: PathBuf,
    name: String,
    reader: Option<(u64, BufReader<File>)>,
    /// The beginning of a line whose end is not written yet.
    rest: Vec<u8>,
    /// Lines that are no lines of a record.
    pub unreadable: u64,
    /// The remembered line is no longer kept, so lines may be missing.
    pub gap: bool,
}

impl RecordFeed {
    /// Reads on behind a position.
    ///
    /// # Errors
    ///
    /// A file of the record cannot be read.
    pub fn after(folder: &Path, position: &FeedPosition) -> io::Result<Self> {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut feed = Self { folder: folder.to_path_buf(), name, reader: None, rest: Vec::new(), unreadable: 0, gap: false };
        if position.chain.is_empty() {
            feed.skip(position.behind)?;
            return Ok(feed);
        }
        let wanted = format!("\"chain\":\"{}\"}}", position.chain);
        for path in feed.files() {
            let mut reader = open(&path)?;
            let mut line = Vec::new();
            loop {
                line.clear();
                if reader.1.read_until(b'\n', &mut line)? == 0 {
                    break;
                }
                if line.trim_ascii_end().ends_with(wanted.as_bytes()) {
                    feed.reader = Some(reader);
                    feed.skip(position.behind)?;
                    return Ok(feed);
                }
            }
        }
        feed.gap = true;
        Ok(feed)
    }

    fn files(&self) -> Vec<PathBuf> {
        record::files(std::slice::from_ref(&self.folder))
    }

    fn skip(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            self.next()?;
        }
        Ok(())
    }

    /// The lines that are there now, at most `most`.
    ///
    /// # Errors
    ///
    /// A file of the record cannot be read.
    pub fn batch(&mut self, most: usize) -> io::Result<Vec<ExportLine>> {
        let mut lines = Vec::new();
        while lines.len() < most
            && let Some(line) = self.next()?
        {
            lines.push(line);
        }
        Ok(lines)
    }

    /// The next line. `None`: it is not written yet.
    fn next(&mut self) -> io::Result<Option<ExportLine>> {
        loop {
            let Some((number, reader)) = &mut self.reader else {
                let Some(first) = self.files().into_iter().next() else { return Ok(None) };
                self.reader = Some(open(&first)?);
                continue;
            };
            let number = *number;
            reader.read_until(b'\n', &mut self.rest)?;
            if self.rest.ends_with(b"\n") {
                let text = String::from_utf8_lossy(self.rest.trim_ascii()).into_owned();
                self.rest.clear();
                match ExportLine::read(&text, &self.name) {
                    Some(line) => return Ok(Some(line)),
                    None => self.unreadable += u64::from(!text.is_empty()),
                }
                continue;
            }
            // The end of this file. Is there a newer one?
            let files = self.files();
            let place = files.iter().position(|path| fs::metadata(path).is_ok_and(|found| found.ino() == number));
            let next = match place {
                Some(at) => files.get(at + 1),
                // It was removed, so all that is left is newer.
                None => files.first(),
            };
            let Some(next) = next else { return Ok(None) };
            self.rest.clear();
            self.reader = Some(open(next)?);
        }
    }
}

/// A file with its number.
fn open(path: &Path) -> io::Result<(u64, BufReader<File>)> {
    let file = File::open(path)?;
    Ok((file.metadata()?.ino(), BufReader::with_capacity(64 << 10, file)))
}
