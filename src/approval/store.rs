//! Requests and approvals as files, in one folder for all work trees of a repository. A request is `CODE.request`, an
//! approval `CODE.approval`, its use `CODE.used`, its end `CODE.revoked`. Each is written beside its place and linked or
//! renamed into it, so that of two processes exactly one uses an approval.
//!
//! `gate::world::approved` writes `CODE.ended` behind a use. If that says that the call did not run, `CODE.used.2` can follow.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use gate::world::approved::{self, UseEnd, end_of_name, put_first};
use gate::world::record::in_first;
use gate::world::system;
use gate::world::waiting::{FOLDER, WAITS};
use serde::{Deserialize, Serialize};

use super::code;
use super::parts::CallParts;

/// The format of the files.
pub const FORMAT: u32 = 1;
/// Seconds after which files are removed.
const KEPT: u64 = 7 * 24 * 3600;
/// Requests that are kept; then the oldest give way.
const MAX_REQUESTS: usize = 64;
/// Uses of one approval, of which all but the last did not run.
const MAX_USES: u8 = 4;
/// How often an approval is given back although nobody said that its call did not run.
const MAX_UNHEARD: usize = 1;
/// The largest file.
const MAX_FILE: u64 = 4 << 20;

/// A call that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    pub format: u32,
    pub code: String,
    pub digest: String,
    /// When, in seconds since 1970.
    pub asked: u64,
    pub session: String,
    /// The client's or git's name of the event.
    pub event: String,
    /// What the digest is made of. The person is shown these, and nothing else.
    pub parts: CallParts,
}

/// How a person approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalWay {
    Key,
    Terminal,
}

/// What a person left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    pub format: u32,
    /// The text that is signed.
    pub statement: String,
    pub way: ApprovalWay,
    #[serde(default)]
    pub signature: Option<String>,
    /// The account.
    pub by: String,
    /// Refs under which something is kept.
    #[serde(default)]
    pub kept: Vec<String>,
}

/// The use of an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalUse {
    pub format: u32,
    pub time: u64,
    pub session: String,
    /// The call that used it; empty: the client gives calls no names.
    pub call: String,
    pub signer: String,
}

/// A request with what became of it.
#[derive(Clone, Debug)]
pub struct KnownRequest {
    pub request: ApprovalRequest,
    pub approval: Option<ApprovalRecord>,
    /// The use that counts. `None`: there was none, or its call did not run.
    pub used: Option<ApprovalUse>,
    /// The number of that use, or of the next, from 1.
    pub number: u8,
    pub revoked: bool,
    /// It waited too long.
    pub late: bool,
}

/// What the folders hold.
#[derive(Clone, Debug, Default)]
pub struct ApprovalShelf {
    /// The newest last.
    pub requests: Vec<KnownRequest>,
    /// Files that are damaged, or that are not ours: path and why.
    pub foreign: Vec<(PathBuf, String)>,
}

impl ApprovalShelf {
    #[must_use]
    pub fn find(&self, code: &str) -> Option<&KnownRequest> {
        self.requests.iter().find(|known| known.request.code == code)
    }
}

fn folders(memory: &[PathBuf]) -> Vec<PathBuf> {
    memory.iter().map(|folder| folder.join(FOLDER)).collect()
}

/// Reads everything.
#[must_use]
pub fn look(memory: &[PathBuf]) -> ApprovalShelf {
    let mut shelf = ApprovalShelf::default();
    for folder in folders(memory) {
        let mut names: Vec<String> = fs::read_dir(&folder).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let path = folder.join(name);
            let known = name.split_once('.').filter(|(code, _)| code::read(code).as_deref() == Some(*code));
            match known {
                Some((code, "request")) => match request_at(&folder, code) {
                    Ok(known) => {
                        if let Err(why) = &known.1 {
                            shelf.foreign.push((folder.join(format!("{code}.approval")), why.clone()));
                        }
                        shelf.requests.push(known.0);
                    }
                    Err(why) => shelf.foreign.push((path, why)),
                },
                Some((code, end)) if is_behind_request(end) && names.iter().any(|other| *other == format!("{code}.request")) => {}
                Some((_, end)) if is_behind_request(end) => shelf.foreign.push((path, "there is no request of this code".to_owned())),
                _ => shelf.foreign.push((path, "it is not a file of approvals".to_owned())),
            }
        }
    }
    shelf.requests.sort_by_key(|known| known.request.asked);
    shelf
}

/// What files are named that belong to a request, behind its code.
fn ends_behind_request() -> impl Iterator<Item = String> {
    let once = ["approval", "statement", "revoked", "over", "pre-push", "reference-transaction"].map(str::to_owned);
    let of_use = (1..=MAX_USES).flat_map(|number| ["used", "ended"].map(|what| end_of_name(what, number)));
    once.into_iter().chain(of_use)
}

fn is_behind_request(end: &str) -> bool {
    ends_behind_request().any(|known| known == end)
}

/// A request, and why its approval cannot be read.
fn request_at(folder: &Path, code: &str) -> Result<(KnownRequest, Result<(), String>), String> {
    let request: ApprovalRequest = read_json(&folder.join(format!("{code}.request")))?.ok_or("it is gone")?;
    if request.format != FORMAT || request.code != code {
        return Err("it is of another format, or under another name".to_owned());
    }
    if request.parts.digest() != request.digest {
        return Err("its digest is not that of what it shows".to_owned());
    }
    let (approval, why) = match read_json::<ApprovalRecord>(&folder.join(format!("{code}.approval"))) {
        Ok(Some(record)) if record.format == FORMAT => (Some(record), Ok(())),
        Ok(None) => (None, Ok(())),
        Ok(Some(_)) => (None, Err("it is of another format".to_owned())),
        Err(why) => (None, Err(why)),
    };
    let (used, number) = uses(folder, code);
    let late = system::now() > request.asked.saturating_add(WAITS);
    Ok((KnownRequest { request, approval, used, number, revoked: is_there(folder, code, "revoked"), late }, why))
}

fn is_there(folder: &Path, code: &str, end: &str) -> bool {
    fs::symlink_metadata(folder.join(format!("{code}.{end}"))).is_ok()
}

/// The use of an approval that counts, if there is one, and the number of the next.
fn uses(folder: &Path, code: &str) -> (Option<ApprovalUse>, u8) {
    let mut unheard = 0;
    for number in 1..=MAX_USES {
        let name = end_of_name("used", number);
        if !is_there(folder, code, &name) {
            return (is_there(folder, code, "over").then(unknown_use), number);
        }
        let ended = folder.join(format!("{code}.{}", end_of_name("ended", number)));
        let end = fs::read_to_string(ended).map_or(UseEnd::Ran, |text| UseEnd::of_file(&text));
        unheard += usize::from(end == UseEnd::Unheard);
        if end == UseEnd::Ran || unheard > MAX_UNHEARD || number == MAX_USES {
            // Whatever is there in place of a use, the approval is used.
            return (Some(read_json(&folder.join(format!("{code}.{name}"))).ok().flatten().unwrap_or_else(unknown_use)), number);
        }
    }
    (Some(unknown_use()), MAX_USES)
}

fn unknown_use() -> ApprovalUse {
    ApprovalUse { format: FORMAT, time: 0, session: String::new(), call: String::new(), signer: String::new() }
}

/// A file of ours. `Ok(None)`: it does not exist.
fn read_json<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<Option<T>, String> {
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(file) => file,
    };
    let found = file.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() || found.uid() != system::user() || found.len() > MAX_FILE {
        return Err("it is not a file of this user's".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("it cannot be read: {error}"))
}

/// Keeps a request, and clears away what is old.
///
/// # Errors
///
/// No folder takes it.
pub fn ask(memory: &[PathBuf], request: &ApprovalRequest) -> io::Result<()> {
    let bytes = serde_json::to_vec_pretty(request)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other("the call is too large to be kept for a person"));
    }
    in_first(&folders(memory), |folder| {
        // The folder above it is made by whoever keeps something first.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        put(folder, &format!("{}.request", request.code), &bytes)?;
        clear(folder);
        Ok(())
    })
}

/// Removes what is old, and the oldest requests where there are too many. Those that were approved and not used stay.
fn clear(folder: &Path) {
    let mut known: Vec<(u64, String, bool)> = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(code) = name.strip_suffix(".request").and_then(code::read) else { continue };
        let Ok(asked) = entry.metadata().map(|found| u64::try_from(found.mtime()).unwrap_or(0)) else { continue };
        let open = folder.join(format!("{code}.approval")).exists() && uses(folder, &code).0.is_none();
        known.push((asked, code, open));
    }
    known.sort();
    let (now, many) = (system::now(), known.len().saturating_sub(MAX_REQUESTS));
    for (at, (asked, code, open)) in known.iter().enumerate() {
        if (at < many && !open) || now > asked.saturating_add(KEPT) {
            // The approval goes first: without it nothing else counts.
            for end in ends_behind_request().chain(["request".to_owned()]) {
                let _ = fs::remove_file(folder.join(format!("{code}.{end}")));
            }
        }
    }
}

/// Puts a file in its place, over one that is there.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let done = file.write_all(bytes).and_then(|()| fs::rename(&temporary, folder.join(name)));
    let _ = fs::remove_file(&temporary);
    done
}

/// Puts a file in its place. `Ok(false)`: one is there.
fn put_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<bool> {
    match put_first(&folder.join(name), bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// The folder in which a request is.
fn folder_of(memory: &[PathBuf], code: &str) -> io::Result<PathBuf> {
    let found = folders(memory).into_iter().find(|folder| folder.join(format!("{code}.request")).is_file());
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no request {code}")))
}

/// Uses an approval up, as its use of this number. `Ok(false)`: it was used before.
///
/// # Errors
///
/// It could not be written, so nothing may go by the approval.
pub fn take(memory: &[PathBuf], code: &str, number: u8, used: &ApprovalUse) -> io::Result<bool> {
    put_new(&folder_of(memory, code)?, &format!("{code}.{}", end_of_name("used", number)), &serde_json::to_vec(used)?)
}

/// Lets one of git's hooks go by an approval that its call used. `Ok(false)`: the hook did already. So the call runs, and its use
/// is never given back.
///
/// # Errors
///
/// It could not be written.
pub fn follow(memory: &[PathBuf], known: &KnownRequest, hook: &str) -> io::Result<bool> {
    let (folder, code) = (folder_of(memory, &known.request.code)?, &known.request.code);
    if let Some(memory) = folder.parent() {
        approved::runs(memory, code, known.number);
    }
    put_new(&folder, &format!("{code}.{hook}"), timed().as_bytes())
}

fn timed() -> String {
    format!("{{\"format\":{FORMAT},\"time\":{}}}\n", system::now())
}

/// Keeps an approval.
///
/// # Errors
///
/// It could not be written.
pub fn approve(memory: &[PathBuf], code: &str, record: &ApprovalRecord) -> io::Result<()> {
    put(&folder_of(memory, code)?, &format!("{code}.approval"), &serde_json::to_vec_pretty(record)?)
}

/// Takes an approval back.
///
/// # Errors
///
/// It could not be written.
pub fn revoke(memory: &[PathBuf], code: &str) -> io::Result<()> {
    put_new(&folder_of(memory, code)?, &format!("{code}.revoked"), timed().as_bytes()).map(|_| ())
}

/// Keeps a statement that was printed to be signed elsewhere.
///
/// # Errors
///
/// It could not be written.
pub fn print(memory: &[PathBuf], code: &str, statement: &str) -> io::Result<()> {
    put(&folder_of(memory, code)?, &format!("{code}.statement"), statement.as_bytes())
}

/// The statement that was printed last.
#[must_use]
pub fn printed(memory: &[PathBuf], code: &str) -> Option<String> {
    let folder = folder_of(memory, code).ok()?;
    let text = fs::read_to_string(folder.join(format!("{code}.statement"))).ok()?;
    (text.len() as u64 <= MAX_FILE).then_some(text)
}
