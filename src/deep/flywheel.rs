//! The flywheel on the disk: its ledger in the repository's memory, its inbox and archive in the work tree.
//! All changes are made under one lock that dies with its process. The crate `flywheel` decides what is suggested and what resolves it.

pub mod history;
pub mod same_lines;
mod keep_out;

pub use keep_out::PAGES_MARK;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flywheel::Suggestion;
use flywheel::ledger::{LedgerStep, Standing, What, standings};
use flywheel::page;
use gate::record::Entry;
use gate::world::pending;
use gate::world::record::{self, in_first};

/// How often the lock is tried, and how long is waited in between: three seconds in all, half of the cold binary's deadline.
const TRIES: u32 = 3000;
const PAUSE: Duration = Duration::from_millis(1);
/// Bytes of each of the record's two last files, from their ends, in which signals are paired: some days of work.
const WINDOW: u64 = 1 << 20;
/// Bytes of an inbox, an archive or a ledger that are read.
const MAX_FILE: u64 = 32 << 20;

/// The flywheel's files, locked.
#[derive(Debug)]
pub struct Desk {
    folder: PathBuf,
    _lock: File,
    /// Numbers of all suggestions that were ever captured.
    known: Vec<u64>,
}

impl Desk {
    /// Opens it in the first of the folders that takes it, once nobody else has it.
    ///
    /// # Errors
    ///
    /// The last folder's error, or [`io::ErrorKind::WouldBlock`] if another process keeps the lock.
    pub fn open(folders: &[PathBuf]) -> io::Result<Self> {
        in_first(folders, |folder| {
            let lock = record::open(&folder.join("flywheel.lock"))?;
            record::lock(&lock, TRIES, PAUSE)?;
            let mut desk = Self { folder: folder.to_path_buf(), _lock: lock, known: Vec::new() };
            desk.known = desk.index()?;
            desk.recover()?;
            Ok(desk)
        })
    }

    /// The state of each suggestion.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<String, Standing> {
        standings(&self.ledger())
    }

    fn ledger(&self) -> String {
        read(&self.folder.join(LEDGER)).unwrap_or_default()
    }

    /// Whether it was ever captured.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        number(id).is_some_and(|id| self.known.contains(&id))
    }

    /// How many suggestions of a session were captured.
    #[must_use]
    pub fn captured_in(&self, session: &str) -> usize {
        let text = format!("\"session\":{}", actions::json::quoted(session));
        self.ledger().lines().filter(|line| line.contains("\"what\":\"captured\"") && line.contains(&text)).count()
    }

    /// Appends steps to the ledger, with one write.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn step(&mut self, steps: &[LedgerStep]) -> io::Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        let ledger = record::open(&self.folder.join(LEDGER))?;
        append(&ledger, &steps.iter().map(LedgerStep::line).collect::<String>())?;
        let captured: Vec<u64> = steps.iter().filter(|step| step.what == What::Captured).filter_map(|step| number(&step.id)).collect();
        self.known.extend(&captured);
        // The numbers first: a length that is right speaks for them.
        let index = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.folder.join(INDEX))?;
        let first = (self.known.len() - captured.len() + 1) * 8;
        index.write_all_at(&captured.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<_>>(), first as u64)?;
        index.write_all_at(&ledger.metadata()?.size().to_le_bytes(), 0)
    }

    /// The numbers of all suggestions in the ledger. A file of its own holds them, after the length of the ledger that they were
    /// read from. If that is not the present length, they are read again.
    fn index(&self) -> io::Result<Vec<u64>> {
        let length = fs::metadata(self.folder.join(LEDGER)).map_or(0, |found| found.size());
        let bytes = fs::read(self.folder.join(INDEX)).unwrap_or_default();
        let (words, _) = bytes.as_chunks::<8>();
        let mut words = words.iter().map(|word| u64::from_le_bytes(*word));
        if words.next().unwrap_or(0) == length {
            return Ok(words.collect());
        }
        let known: Vec<u64> =
            self.ledger().lines().filter_map(LedgerStep::read).filter(|step| step.what == What::Captured).filter_map(|step| number(&step.id)).collect();
        put(&self.folder.join(INDEX), &[length].iter().chain(&known).flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>())?;
        Ok(known)
    }

    /// Completes the work of a process that died. Its captured suggestions are in a separate file.
    fn recover(&mut self) -> io::Result<()> {
        let path = self.folder.join(BEGUN);
        let Some(text) = fs::exists(&path)?.then(|| read(&path)).flatten() else { return Ok(()) };
        let mut lines = text.lines();
        let (root, inbox) = (PathBuf::from(lines.next().unwrap_or_default()), lines.next().unwrap_or_default().to_owned());
        let steps: Vec<LedgerStep> = lines.filter_map(LedgerStep::read).filter(|step| !self.knows(&step.id)).collect();
        let new: Vec<&Suggestion> = steps.iter().filter_map(|step| step.suggestion.as_ref()).collect();
        // The work tree may be gone by now.
        if !new.is_empty() && self.put_in(&root, &inbox, &new).is_ok() {
            self.step(&steps)?;
        }
        fs::remove_file(path)
    }

    /// Puts suggestions that were never captured into the inbox, each with what its document was (`was`); gives those.
    ///
    /// What is begun is noted first, so that a process that dies in between leaves nothing half done.
    ///
    /// # Errors
    ///
    /// The system's, or the inbox lies outside the repository.
    pub fn capture(&mut self, root: &Path, inbox: &str, session: &str, new: Vec<(Suggestion, Vec<String>)>) -> io::Result<Vec<Suggestion>> {
        let mut ids = std::collections::HashSet::new();
        let new: Vec<_> = new.into_iter().filter(|(one, _)| !self.knows(&one.id) && ids.insert(one.id.clone())).collect();
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let path = within(root, inbox)?;
        let step = |(one, was): &(Suggestion, Vec<String>)| {
            let (suggestion, session, was) = (Some(one.clone()), session.to_owned(), was.clone());
            LedgerStep { suggestion, session, was, ..LedgerStep::of(What::Captured, &one.id, one.time) }
        };
        let steps: Vec<LedgerStep> = new.iter().map(step).collect();
        let begun = steps.iter().map(LedgerStep::line).collect::<String>();
        put(&self.folder.join(BEGUN), format!("{}\n{inbox}\n{begun}", root.display()).as_bytes())?;
        let entries: String = new.iter().map(|(one, _)| page::render(one)).collect();
        add(&path, page::INBOX, &entries)?;
        keep_out::of_commits(root, inbox);
        self.step(&steps)?;
        fs::remove_file(self.folder.join(BEGUN))?;
        Ok(new.into_iter().map(|(one, _)| one).collect())
    }

    /// Appends entries to the inbox that are not in it.
    ///
    /// # Errors
    ///
    /// As [`Desk::capture`].
    pub fn put_in(&self, root: &Path, inbox: &str, new: &[&Suggestion]) -> io::Result<()> {
        let path = within(root, inbox)?;
        let there = whole(&path)?;
        let entries: String = new.iter().filter(|one| !there.contains(&format!("\n`{}` ", one.id))).map(|one| page::render(one)).collect();
        add(&path, page::INBOX, &entries)?;
        keep_out::of_commits(root, inbox);
        Ok(())
    }

    /// The entries of the inbox.
    #[must_use]
    pub fn inbox(root: &Path, inbox: &str) -> Vec<Suggestion> {
        let text = within(root, inbox).ok().and_then(|path| read(&path)).unwrap_or_default();
        page::parse(&text).into_iter().map(|placed| placed.suggestion).collect()
    }

    /// Takes entries out of a page.
    ///
    /// # Errors
    ///
    /// As [`Desk::capture`].
    pub fn take_out(&self, root: &Path, file: &str, ids: &[&str]) -> io::Result<()> {
        self.rewrite(root, file, |text| page::without(text, ids))
    }

    /// Rewrites a document of the repository if `change` changes it.
    ///
    /// # Errors
    ///
    /// As [`Desk::capture`].
    pub fn rewrite(&self, root: &Path, file: &str, change: impl Fn(&str) -> String) -> io::Result<()> {
        let path = within(root, file)?;
        loop {
            let before = whole(&path)?;
            let after = change(&before);
            if after == before {
                return Ok(());
            }
            // A person may have saved it meanwhile.
            if whole(&path)? == before {
                return put(&path, after.as_bytes());
            }
        }
    }

    /// Moves suggestions from the inbox into the archive, each with how it ended.
    ///
    /// # Errors
    ///
    /// As [`Desk::capture`].
    pub fn end(&self, root: &Path, (inbox, archive): (&str, &str), ended: &[(&Suggestion, String)]) -> io::Result<()> {
        if ended.is_empty() {
            return Ok(());
        }
        let path = within(root, archive)?;
        let (there, open) = (whole(&path)?, whole(&within(root, inbox)?)?);
        let entries: String =
            ended.iter().filter(|(one, _)| !there.contains(&format!("\n`{}` ", one.id))).map(|(one, how)| page::ended(one, &open, how)).collect();
        add(&path, page::ARCHIVE, &entries)?;
        keep_out::of_commits(root, archive);
        self.take_out(root, inbox, &ended.iter().map(|(one, _)| one.id.as_str()).collect::<Vec<_>>())
    }

    /// The commit of `HEAD` at the last check of a work tree.
    #[must_use]
    pub fn looked_at(&self, root: &Path) -> Option<String> {
        let heads = read(&self.folder.join(HEADS))?;
        heads.lines().find_map(|line| line.split_once(' ').filter(|(_, of)| Path::new(of) == root).map(|(commit, _)| commit.to_owned()))
    }

    /// Notes that commit.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn look_at(&self, root: &Path, commit: &str) -> io::Result<()> {
        let before = read(&self.folder.join(HEADS)).unwrap_or_default();
        // Work trees come and go.
        let others = before.lines().filter(|line| line.split_once(' ').is_some_and(|(_, of)| Path::new(of) != root && Path::new(of).exists()));
        let own = format!("{commit} {}\n", root.display());
        put(&self.folder.join(HEADS), others.chain([own.as_str()]).collect::<Vec<_>>().join("\n").as_bytes())
    }

    /// Leaves a text for whichever event comes next in a work tree.
    ///
    /// # Errors
    ///
    /// The system's.
    pub fn leave(&self, root: &Path, text: &str) -> io::Result<()> {
        pending::leave(std::slice::from_ref(&self.folder), root, text)
    }
}

const LEDGER: &str = "flywheel.jsonl";
const INDEX: &str = "flywheel.index";
const BEGUN: &str = "flywheel.begun";
const HEADS: &str = "flywheel.heads";

fn number(id: &str) -> Option<u64> {
    u64::from_str_radix(id, 16).ok()
}

/// What the record holds of the last days.
#[must_use]
pub fn signals(folders: &[PathBuf]) -> Vec<Entry> {
    let files = record::files(folders);
    let last = files.iter().skip(files.len().saturating_sub(2)).filter_map(|path| tail(path, WINDOW));
    let mut seen = record::SeenEntries::default();
    last.flat_map(|text| text.lines().filter_map(|line| Entry::read(line.as_bytes())).filter(|entry| seen.is_new(entry)).collect::<Vec<_>>()).collect()
}

/// The text of a document of the repository. `None` if it is not a file, is too large or cannot be read.
#[must_use]
pub fn text_of(root: &Path, file: &str) -> Option<String> {
    read(&root.join(file))
}

/// A document, to be appended to. A link in its place is not followed: the repository is others' work, and would name what
/// is written to.
fn document(path: &Path) -> io::Result<File> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let file = OpenOptions::new().read(true).append(true).create(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    // What is not read any more would be lost sight of.
    if file.metadata()?.size() > MAX_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(file) }
}

/// Adds entries to a document. A new document begins with `head`.
fn add(path: &Path, head: &str, entries: &str) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let file = document(path)?;
    let head = if file.metadata()?.size() == 0 { head } else { "" };
    append(&file, &format!("{head}{entries}"))
}

/// The full path of a document, which is a file or nothing yet, and of whose folders none leads out of the repository.
fn within(root: &Path, file: &str) -> io::Result<PathBuf> {
    let outside = || io::Error::other(format!("`{file}` leads out of the repository"));
    let path = root.join(file);
    let folder = path.parent().ok_or_else(outside)?;
    let root = fs::canonicalize(root)?;
    let mut there = folder;
    while !there.exists() {
        there = there.parent().ok_or_else(outside)?;
    }
    if !fs::canonicalize(there)?.starts_with(&root) {
        return Err(outside());
    }
    if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) { Err(outside()) } else { Ok(path) }
}

/// Appends with one write, on a line of its own.
fn append(file: &File, text: &str) -> io::Result<()> {
    let size = file.metadata()?.size();
    // The disk may be full. Half an entry is worse than none.
    record::write_line(file, size, text).inspect_err(|_| drop(file.set_len(size)))
}

/// The bytes of a file. `None` if it does not exist. Only plain files are opened: reading a pipe would wait.
///
/// # Errors
///
/// It is no file, larger than is read, or the system's.
fn bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(found) if !found.is_file() || found.size() > MAX_FILE => Err(io::Error::other(format!("`{}` is no file that can be kept here", path.display()))),
        Ok(_) => fs::read(path).map(Some),
    }
}

/// The text of a file that can be rewritten; empty if it does not exist.
///
/// # Errors
///
/// As [`bytes`], or it is not UTF-8.
fn whole(path: &Path) -> io::Result<String> {
    String::from_utf8(bytes(path)?.unwrap_or_default()).map_err(|_| io::Error::other(format!("`{}` is not UTF-8", path.display())))
}

/// The text of a file that is only read.
fn read(path: &Path) -> Option<String> {
    let bytes = bytes(path).ok().flatten()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The last bytes of a file, from the beginning of a line.
fn tail(path: &Path, most: u64) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let from = file.metadata().ok()?.len().saturating_sub(most);
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Some(if from == 0 { text } else { text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default() })
}

/// Puts a file in its place by one rename, with the mode of the one before it.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mode = fs::Permissions::from_mode(fs::metadata(path).map_or(0o644, |found| found.mode() & 0o7777));
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(mode)?;
    file.persist(path)?;
    Ok(())
}
