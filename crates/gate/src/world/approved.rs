//! Uses of approvals by calls, and what came of them. The cold binary takes an approval before a call; here it is written down how
//! the call ended, so that an approval of a call which did not run can be used after all.
//!
//! Whatever decides is a file that is made once and never changed: `CODE.used` and `CODE.ended`, for a later use with its number
//! behind them. Of two processes that say how a use ended the first counts. If the end that counts was wrong, `CODE.over`
//! closes the approval for good. The store of records only leads from a call to its approval.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Surroundings;
use super::meters::CallIdentity;
use super::store::{APPROVED, Slot, Store, VALUE};
use super::system::{now, now_ms};
use super::waiting::FOLDER;
use crate::record::hash;

/// Bytes of a code.
pub const CODE: usize = 9;
/// The format of the files.
const FORMAT: u32 = 1;
/// Milliseconds for which a use is of interest: no approval lasts longer.
const KEPT: u64 = 24 * 3_600_000;

/// How a call ended that used an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseEnd {
    /// It ran.
    Ran,
    /// The client said that it refused the call.
    Refused,
    /// The turn ended, and nothing was heard of the call.
    Unheard,
}

impl UseEnd {
    const fn name(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Refused => "refused",
            Self::Unheard => "unheard",
        }
    }

    /// What a file begins with that says it.
    fn front(self) -> String {
        format!("{{\"format\":{FORMAT},\"end\":\"{}\",", self.name())
    }

    /// What a file holds that says it.
    #[must_use]
    pub fn line(self) -> String {
        format!("{}\"time\":{}}}\n", self.front(), now())
    }

    /// What a file says. What cannot be read is the end that gives nothing back.
    #[must_use]
    pub fn of_file(text: &str) -> Self {
        [Self::Refused, Self::Unheard].into_iter().find(|end| text.starts_with(&end.front())).unwrap_or(Self::Ran)
    }
}

/// A use of an approval: the code, which use of it, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KnownUse {
    code: [u8; CODE],
    number: u8,
    session: u64,
    agent: u64,
}

impl KnownUse {
    fn pack(self) -> [u8; VALUE] {
        let mut bytes = [0; VALUE];
        let all = self.code.into_iter().chain([self.number]).chain(self.session.to_le_bytes()).chain(self.agent.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        bytes
    }

    fn unpack(bytes: [u8; VALUE]) -> Option<Self> {
        let (code, rest) = bytes.split_first_chunk::<CODE>()?;
        let (number, rest) = rest.split_first()?;
        let (session, rest) = rest.split_first_chunk::<8>()?;
        let agent = rest.first_chunk::<8>()?;
        let is_code = code.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-');
        is_code.then_some(Self { code: *code, number: *number, session: u64::from_le_bytes(*session), agent: u64::from_le_bytes(*agent) })
    }
}

/// The end of the name of the file that says of one use that it began (`used`) or ended (`ended`).
#[must_use]
pub fn end_of_name(what: &str, number: u8) -> String {
    if number <= 1 { what.to_owned() } else { format!("{what}.{number}") }
}

/// Remembers that a call uses an approval, so that its end is found. If that is lost, the approval stays used.
///
/// # Errors
///
/// It cannot be kept.
pub fn began(call: CallIdentity, code: &str, number: u8, around: &Surroundings) -> io::Result<()> {
    let Some(code) = code.as_bytes().first_chunk::<CODE>() else { return Ok(()) };
    let known = KnownUse { code: *code, number, session: hash(around.session.as_bytes()), agent: hash(around.agent.as_bytes()) };
    let mut store = Store::open(&around.memory, APPROVED)?;
    for key in keys(call) {
        store.update(key, |_| Some(Slot { key, time: now_ms(), value: known.pack() }))?;
    }
    Ok(())
}

/// The keys of a call, without doubles.
fn keys(call: CallIdentity) -> impl Iterator<Item = u64> {
    let [id, like] = call.keys();
    [id].into_iter().chain((like != id).then_some(like))
}

/// A call ended, or the client refused it.
pub fn ended(call: CallIdentity, end: UseEnd, around: &Surroundings) {
    let Some(store) = Store::look(&around.memory, APPROVED) else { return };
    let session = hash(around.session.as_bytes());
    let found = keys(call).find_map(|key| store.get(key).and_then(|slot| KnownUse::unpack(slot.value))).filter(|known| known.session == session);
    if let Some(known) = found {
        close(store.folder(), &known, end);
    }
}

/// The turn of an agent ended, and nothing of it runs any more; `whole`: the session did, with all its agents.
pub fn turn_ended(whole: bool, around: &Surroundings) {
    for (folder, known) in open_uses(whole, around) {
        close(&folder, &known, UseEnd::Unheard);
    }
}

/// A session that broke off is continued. Whether its calls ran before is not known, so nothing of them is given back.
pub fn session_resumed(around: &Surroundings) {
    for (folder, known) in open_uses(true, around) {
        close(&folder, &known, UseEnd::Ran);
    }
}

/// The uses of a session whose end is not known, of one agent or of all.
fn open_uses(whole: bool, around: &Surroundings) -> Vec<(PathBuf, KnownUse)> {
    // Where a client names no session, the end of one would be that of any other.
    let Some(store) = Store::look(&around.memory, APPROVED).filter(|_| !around.session.is_empty()) else { return Vec::new() };
    let (session, agent, clock) = (hash(around.session.as_bytes()), hash(around.agent.as_bytes()), now_ms());
    let recent = store.all().into_iter().filter(|slot| clock.saturating_sub(slot.time) < KEPT);
    let mut own: Vec<KnownUse> = Vec::new();
    for known in recent.filter_map(|slot| KnownUse::unpack(slot.value)) {
        if known.session == session && (whole || known.agent == agent) && !own.contains(&known) {
            own.push(known);
        }
    }
    let folder = store.folder().to_path_buf();
    let is_open = |known: &KnownUse| fs::symlink_metadata(path(&folder, known, &end_of_name("ended", known.number))).is_err();
    own.into_iter().filter(is_open).map(|known| (folder.clone(), known)).collect()
}

fn path(memory: &Path, known: &KnownUse, end: &str) -> PathBuf {
    memory.join(FOLDER).join(format!("{}.{end}", String::from_utf8_lossy(&known.code)))
}

/// A call runs that uses an approval: one of git's hooks was started by it.
pub fn runs(memory: &Path, code: &str, number: u8) {
    if let Some(code) = code.as_bytes().first_chunk::<CODE>() {
        close(memory, &KnownUse { code: *code, number, session: 0, agent: 0 }, UseEnd::Ran);
    }
}

/// Writes down how a use ended. A call that ran although its approval was given back closes the approval.
fn close(memory: &Path, known: &KnownUse, end: UseEnd) {
    if fs::symlink_metadata(path(memory, known, "request")).is_err() {
        return;
    }
    let place = path(memory, known, &end_of_name("ended", known.number));
    let other_counts = put_first(&place, end.line().as_bytes()).is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists);
    if other_counts && end == UseEnd::Ran && fs::read_to_string(&place).is_ok_and(|text| UseEnd::of_file(&text) != UseEnd::Ran) {
        let _ = put_first(&path(memory, known, "over"), end.line().as_bytes());
    }
}

/// Makes a file with its content, if none is there.
///
/// # Errors
///
/// [`io::ErrorKind::AlreadyExists`], or the system's.
pub fn put_first(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = target.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let temporary = target.with_file_name(format!(".{name}.{}", std::process::id()));
    let _ = fs::remove_file(&temporary);
    let new = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| file.write_all(bytes));
    let done = new(&temporary).and_then(|()| fs::hard_link(&temporary, target));
    let _ = fs::remove_file(&temporary);
    match done {
        // A file system without links. The file is there before what it says; half of one gives nothing back.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => new(target),
        done => done,
    }
}
