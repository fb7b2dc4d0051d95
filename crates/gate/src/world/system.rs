//! Functions of the operating system that the standard library does not have: the allocator, the last words
//! of a process that breaks, whole reads and writes, asking another binary, file identities.
//! This is the only module in which `unsafe` can be; each block says why it is sound. Nothing is judged here.
#![expect(unsafe_code, reason = "signals, mmap, poll and the memory file have no safe form in std")]

mod allocator;
mod files;
mod hand_over;
mod last_words;
#[cfg(any(test, all(target_os = "linux", target_env = "musl")))]
mod memory;
mod start;
mod stream;

use std::ffi::{CStr, OsStr};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::links::without_links;

pub use allocator::Bump;
pub(super) use files::is_without_links;
pub use files::open;
pub use hand_over::{Asked, ask};
pub use last_words::{LastWords, Said, disarm, guard, rearm};
pub use start::Started;
pub use stream::{ReadFault, read_all, read_at, read_some, write_all};

/// An entry of the password database that needs more room than this is not read.
const MAX_PASSWORD_ENTRY: usize = 1 << 20;

/// Bytes of the password file that are read by hand.
const PASSWORD_FILE: usize = 4096;

/// What the kernel puts behind the name of a running program whose file is gone.
const DELETED: &[u8] = b" (deleted)";

/// Ends the process at once with `code`: no destructor, no buffer, no exit handler runs.
pub fn exit(code: i32) -> ! {
    // SAFETY: `_exit` takes any number, touches no memory of ours and does not return.
    unsafe { libc::_exit(code) }
}

/// What tells one state of a file from another without reading it.
///
/// `mtime_ns` alone can be set back at will (`touch -d`); `ctime_ns` cannot. Two changes within one tick of the file
/// system's clock look alike, so an entry as young as what was made from it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The device that holds the file.
    pub dev: u64,
    /// Its number on that device.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// Last change of the content, nanoseconds since 1970 (wrapping after 2262: only equality is asked for).
    pub mtime_ns: i64,
    /// Last change of content or metadata, in the same measure.
    pub ctime_ns: i64,
}

impl Identity {
    fn of(found: &fs::Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(rest);
        Self {
            dev: found.dev(),
            ino: found.ino(),
            size: found.size(),
            mtime_ns: nanoseconds(found.mtime(), found.mtime_nsec()),
            ctime_ns: nanoseconds(found.ctime(), found.ctime_nsec()),
        }
    }
}

/// The identity of the file that `path` leads to, links followed; `None` if nothing is there.
///
/// # Errors
///
/// The `errno` of everything else (`EACCES`, `ELOOP`, …): a folder that cannot be searched does not prove
/// absence.
pub fn identity(path: &Path) -> Result<Option<Identity>, i32> {
    match fs::metadata(path) {
        Ok(found) => Ok(Some(Identity::of(&found))),
        Err(error) => absence(&error),
    }
}

/// As [`identity`], for a file whose name alone decides something, and true if that name is a link. A link that leads to
/// nothing is no absence.
///
/// # Errors
///
/// As [`identity`], and `ENOENT` for a link that leads to nothing.
pub fn named_identity(path: &Path) -> Result<Option<(Identity, bool)>, i32> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => fs::metadata(path).map(|found| Some((Identity::of(&found), true))).map_err(|error| errno_of(&error)),
        Ok(found) => Ok(Some((Identity::of(&found), false))),
        Err(error) => absence(&error),
    }
}

/// Nothing, if that is what the error says.
fn absence<T>(error: &io::Error) -> Result<Option<T>, i32> {
    match errno_of(error) {
        libc::ENOENT | libc::ENOTDIR => Ok(None),
        errno => Err(errno),
    }
}

/// The `errno` behind `error`; `EINVAL` for what the standard library refuses by itself (a NUL in a path).
pub(crate) fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EINVAL)
}

/// The file of the running program.
///
/// While the program is being replaced by a newer one, the kernel marks the old name as deleted; then this is the name
/// without the mark, where the newer one is.
///
/// # Errors
///
/// Where the system does not tell (Linux without `/proc`).
pub fn own_path() -> io::Result<PathBuf> {
    if let Some(path) = path_as_started().filter(|path| without_links(path, None).is_ok_and(|real| real == *path)) {
        return Ok(path);
    }
    // `/proc/self/exe` on Linux, `_NSGetExecutablePath` on macOS.
    let path = std::env::current_exe()?;
    match path.as_os_str().as_bytes().strip_suffix(DELETED) {
        // A file may really be called so.
        Some(name) if matches!(identity(&path), Ok(None)) => Ok(PathBuf::from(OsStr::from_bytes(name))),
        _ => Ok(path),
    }
}

/// The name by which this program was started, if it is a whole path. To ask `/proc` costs three times as much as to see that
/// there is no link in it.
fn path_as_started() -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: `getauxval` takes any number and touches no memory of ours.
        let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
        let name = ptr::with_exposed_provenance::<libc::c_char>(usize::try_from(name).ok()?);
        if name.is_null() {
            return None;
        }
        // SAFETY: it is not null, so it is what the kernel left there (getauxval(3)): a text ended by NUL, which nothing changes as
        // long as the process lives.
        let name = unsafe { CStr::from_ptr(name) };
        Some(PathBuf::from(OsStr::from_bytes(name.to_bytes()))).filter(|path| path.is_absolute())
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// The folder of the running program. `None` where the system does not tell. It is found out once: asking costs as much as
/// fifteen looks at files.
pub fn own_folder() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(|| own_path().ok().and_then(|path| path.parent().map(Path::to_path_buf))).as_deref()
}

static FACTS_END: OnceLock<Instant> = OnceLock::new();

/// Sets how long facts may be looked for from now on. Without a call there is no limit.
pub fn limit_facts(time: Duration) {
    let _ = FACTS_END.set(Instant::now() + time);
}

/// Does `work`, as long as facts may be looked for. `None`: there was no time, and nobody waits for the work any more.
pub fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let Some(end) = FACTS_END.get() else { return Some(work()) };
    let (sender, receiver) = std::sync::mpsc::channel();
    let started = std::thread::Builder::new().spawn(move || sender.send(work()).ok());
    started.ok().and_then(|_| receiver.recv_timeout(end.saturating_duration_since(Instant::now())).ok())
}

/// Seconds since 1970; 0 if the clock is before that.
pub fn now() -> u64 {
    since_1970().as_secs()
}

/// Milliseconds since 1970; 0 if the clock is before that.
pub fn now_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// When the call began that this process answers.
static BEGUN: OnceLock<Duration> = OnceLock::new();

/// Says when the call began that this process answers: the time after the start of the machine.
pub fn begin(at: Duration) {
    let _ = BEGUN.set(at);
}

/// Microseconds since the call began. `None`: nobody said when.
pub fn took() -> Option<u64> {
    let elapsed = since_boot().saturating_sub(*BEGUN.get()?);
    Some(elapsed.as_secs().saturating_mul(1_000_000).saturating_add(elapsed.subsec_micros().into()))
}

/// Nanoseconds since 1970; 0 if the clock is before that.
pub fn now_ns() -> u128 {
    since_1970().as_nanos()
}

fn since_1970() -> Duration {
    clock(libc::CLOCK_REALTIME).unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The time of a clock that runs since this machine was started.
pub fn since_boot() -> Duration {
    clock(libc::CLOCK_MONOTONIC).unwrap_or_default()
}

/// What a clock says. The kernel is asked by a call: a process that looks at the clock three times pays more for the page from
/// which it could be read.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn clock(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the place is of the type that the kernel of a 64-bit system fills, and lives beyond the call.
    if unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so `time` is filled.
    let time = unsafe { time.assume_init() };
    // A time before 1970 is taken for 1970, as by the caller.
    Some(Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

/// The C library is asked.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn clock(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the place is of the right type and lives beyond the call.
    if unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so `time` is filled.
    let time = unsafe { time.assume_init() };
    Some(Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0)))
}

/// Whether a descriptor leads to the null device.
///
/// Rust's start-up opens it in place of a standard stream that was closed, so what is written there may be lost.
pub fn is_null_device(fd: i32) -> bool {
    let null = std::fs::File::open("/dev/null").ok().and_then(|null| device(std::os::fd::AsRawFd::as_raw_fd(&null)));
    null.is_some() && device(fd) == null
}

/// The device that a descriptor leads to.
fn device(fd: i32) -> Option<libc::dev_t> {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `found` is a place of the right type that lives beyond the call.
    if unsafe { libc::fstat(fd, found.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so `found` is filled.
    Some(unsafe { found.assume_init() }.st_rdev)
}

/// Whether this process may write to a folder, by the kernel's own word.
pub fn is_writable(path: &Path) -> bool {
    let Ok(path) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return false };
    // SAFETY: `path` ends in a null byte and lives beyond the call, which only reads it.
    unsafe { libc::access(path.as_ptr(), libc::W_OK) == 0 }
}

/// The user as whom this process opens files.
#[must_use]
pub fn user() -> u32 {
    // SAFETY: `geteuid` takes nothing, touches no memory of ours and cannot fail.
    known_at_start(StartValue::User).unwrap_or_else(|| unsafe { libc::geteuid() })
}

/// The user who started this process.
fn real_user() -> u32 {
    // SAFETY: `getuid` takes nothing, touches no memory of ours and cannot fail.
    known_at_start(StartValue::RealUser).unwrap_or_else(|| unsafe { libc::getuid() })
}

/// What the kernel gives each process when it starts. Nothing here changes a user later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StartValue {
    User,
    RealUser,
}

#[cfg(target_os = "linux")]
fn known_at_start(value: StartValue) -> Option<u32> {
    let kind = if value == StartValue::User { libc::AT_EUID } else { libc::AT_UID };
    // SAFETY: the place is this thread's own number of the last error.
    unsafe { *libc::__errno_location() = 0 };
    // SAFETY: `getauxval` takes any number and touches no memory of ours.
    let user = unsafe { libc::getauxval(kind) };
    // 0 is a user, and the answer where the kernel did not say it.
    if user == 0 && errno_of(&io::Error::last_os_error()) != 0 { None } else { u32::try_from(user).ok() }
}

#[cfg(not(target_os = "linux"))]
fn known_at_start(_value: StartValue) -> Option<u32> {
    None
}

/// What the password database knows of the real user of this process: unlike the environment, a judged project cannot set
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The home folder, where it is an absolute path.
    pub home: Option<PathBuf>,
    /// The login shell.
    pub shell: PathBuf,
}

/// Seconds by which local time is ahead of UTC at a time in seconds since 1970. Zero if it is not known.
pub fn ahead_of_utc(time: i64) -> i64 {
    let mut parts = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers are to places of the right types that live beyond the call.
    let done = unsafe { libc::localtime_r(&raw const time, parts.as_mut_ptr()) };
    if done.is_null() {
        return 0;
    }
    // SAFETY: the call succeeded, so it has filled `parts`.
    unsafe { parts.assume_init() }.tm_gmtoff
}

/// The account of the real user; `None` if the password database has none. The local file is read by hand, for the C
/// library takes ten system calls for it. Which lines it does not understand, and other sources, are the library's.
pub fn account() -> Option<Account> {
    let user = real_user();
    let file = if cfg!(target_os = "linux") { open(Path::new("/etc/passwd"), libc::O_RDONLY, 0).ok() } else { None };
    let mut room = [const { MaybeUninit::uninit() }; PASSWORD_FILE];
    let bytes = file.and_then(|file| read_some(&file, &mut room).ok()).unwrap_or_default();
    // The last line may be cut.
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').and_then(|end| bytes.get(..end)).unwrap_or(&[]);
    whole.split(|byte| *byte == b'\n').find_map(|line| account_in(line, user)).or_else(|| account_by_library(user))
}

/// The account in a line of `passwd` (passwd(5)), if it is this user's.
fn account_in(line: &[u8], user: u32) -> Option<Account> {
    let mut fields = line.split(|byte| *byte == b':').skip(2);
    let id: u32 = str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let (home, shell) = (fields.nth(2)?, fields.next()?);
    let path = |bytes: &[u8]| Path::new(OsStr::from_bytes(bytes)).to_path_buf();
    (id == user && fields.next().is_none()).then(|| Account { home: Some(path(home)).filter(|home| home.is_absolute()), shell: path(shell) })
}

/// [`account`] by the C library, which asks every source of the password database.
fn account_by_library(user: u32) -> Option<Account> {
    let mut room = vec![0_u8; 1024];
    loop {
        let mut entry = MaybeUninit::<libc::passwd>::uninit();
        let mut found: *mut libc::passwd = ptr::null_mut();
        // SAFETY: `entry` and `found` are places of the right types, `room` is writable for the length given, and all
        // three live beyond the call.
        let fault = unsafe { libc::getpwuid_r(user, entry.as_mut_ptr(), room.as_mut_ptr().cast(), room.len(), &raw mut found) };
        match fault {
            0 if found.is_null() => return None,
            0 => {
                // SAFETY: the call succeeded and `found` is not null, so it points to `entry`, now filled.
                let (home, shell) = unsafe { ((*found).pw_dir, (*found).pw_shell) };
                let path = |text: *mut libc::c_char| {
                    if text.is_null() {
                        return PathBuf::new();
                    }
                    // SAFETY: `text` is not null; it points to a text within `room`, ended by NUL, that outlives this use.
                    let text = unsafe { CStr::from_ptr(text) };
                    Path::new(OsStr::from_bytes(text.to_bytes())).to_path_buf()
                };
                return Some(Account { home: Some(path(home)).filter(|home| home.is_absolute()), shell: path(shell) });
            }
            libc::EINTR => {}
            libc::ERANGE if room.len() < MAX_PASSWORD_ENTRY => room.resize(room.len() * 4, 0),
            _ => return None,
        }
    }
}

#[cfg(test)]
#[path = "system_tests.rs"]
mod tests;
