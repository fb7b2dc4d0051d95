//! What a process says when it breaks or runs out of time. A client allows the call if a signal ended the hook,
//! so every failure ends in a handler that gives a prepared answer. `hook` prepares it.

use std::cell::UnsafeCell;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use super::exit;

/// Bytes of the handlers' own stack: they must run when the ordinary one is used up. The kernel stores the processor's
/// registers there, which takes up to some 11 kB on x86-64.
const HANDLER_STACK: usize = 64 * 1024;
/// A pipe that is writable at all takes this many bytes without waiting (`PIPE_BUF` on Linux; 512 is POSIX's least).
const PIPE_BUF: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };
/// Milliseconds to wait for a reader of the last words. The exit code counts without them.
const PATIENCE_MS: i32 = 100;
/// Seconds of processor time after which a process is taken to run away, whatever the machine does besides.
const PROCESSOR_SECONDS: u8 = 5;
/// The exit code that every known host takes as a refusal.
const REFUSE: i32 = 2;

/// Ways in which a process breaks by itself. `SIGTRAP` is what an impossible branch raises on some processors,
/// `SIGSYS` what a sandbox raises, `SIGXCPU` the limit of processor time.
const BREAKING: [libc::c_int; 8] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGTRAP, libc::SIGSYS, libc::SIGXCPU];

/// The answer of a process that cannot give its own any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWords {
    /// The exit code.
    pub code: i32,
    /// Said after a crash.
    pub crash: Said,
    /// Said after the deadline.
    pub late: Said,
}

/// A text for each stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Written to standard output, unless an answer was begun there already.
    pub stdout: &'static str,
    /// Written to standard error.
    pub stderr: &'static str,
}

static LAST_WORDS: AtomicPtr<LastWords> = AtomicPtr::new(ptr::null_mut());
static ANSWER_BEGUN: AtomicBool = AtomicBool::new(false);

#[repr(align(64))]
struct HandlerStack(UnsafeCell<[u8; HANDLER_STACK]>);

// SAFETY: Rust code never reads or writes it; the kernel hands it to one handler at a time, in the thread that called
// `guard`.
unsafe impl Sync for HandlerStack {}

static STACK: HandlerStack = HandlerStack(UnsafeCell::new([0; HANDLER_STACK]));

/// Sees to it that a crash, an abort, a stack overflow and `deadline_ms` milliseconds of wall time from now (0: no
/// deadline) end this process with `words`, and that a reader that has gone away is an error and not a signal. With a deadline,
/// processor time is limited too.
///
/// Called again, it replaces words and deadline. Call it from the main thread: an overflow is only caught there.
pub fn guard(words: LastWords, deadline_ms: u32) {
    // A handler may be reading the old words at any later time, so they are never freed.
    LAST_WORDS.store(Box::into_raw(Box::new(words)), Ordering::Release);

    // SAFETY: all zero is a valid `stack_t`: null, no flags, no bytes.
    let mut stack: libc::stack_t = unsafe { mem::zeroed() };
    stack.ss_sp = STACK.0.get().cast();
    stack.ss_size = HANDLER_STACK;
    // SAFETY: the memory is static and nobody else's; without an old stack to tell, null is allowed.
    unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };

    for signal in BREAKING.into_iter().chain([libc::SIGALRM, libc::SIGPROF]) {
        handle(signal, on_signal as *const () as libc::sighandler_t);
    }
    // Both then come back as errors of `write`.
    handle(libc::SIGPIPE, libc::SIG_IGN);
    handle(libc::SIGXFSZ, libc::SIG_IGN);
    let_through();
    rearm(deadline_ms);
    if deadline_ms > 0 {
        let mut value = milliseconds(0);
        value.it_value.tv_sec = PROCESSOR_SECONDS.into();
        // SAFETY: the value is of the right type and outlives the call; the old one is not asked for.
        unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const value, ptr::null_mut()) };
    }
}

/// Stops the clock that [`guard`] started.
pub fn disarm() {
    rearm(0);
}

/// Sets the clock that [`guard`] started anew; 0 stops it.
pub fn rearm(deadline_ms: u32) {
    let value = milliseconds(deadline_ms);
    // SAFETY: the value is of the right type and outlives the call; the old one is not asked for.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const value, ptr::null_mut()) };
}

/// Standard output carries a part of an answer from now on; last words must not get mixed into it.
pub(super) fn answer_begins() {
    ANSWER_BEGUN.store(true, Ordering::Relaxed);
}

/// A timer that fires once after `count` milliseconds; 0 stops it.
fn milliseconds(count: u32) -> libc::itimerval {
    // SAFETY: all zero is a valid `itimerval`: a stopped timer.
    let mut value: libc::itimerval = unsafe { mem::zeroed() };
    value.it_value.tv_sec = (count / 1000).into();
    value.it_value.tv_usec = ((count % 1000) as u16).into();
    value.it_value.tv_usec *= 1000;
    value
}

fn handle(signal: libc::c_int, handler: libc::sighandler_t) {
    // SAFETY: all zero is a valid `sigaction`: the default action, no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_ONSTACK;
    // Everything waits while last words are being said, the deadline too.
    // SAFETY: the mask is a place of the right type.
    unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    // SAFETY: the handler is `SIG_IGN` or `on_signal`, which has the form asked for and does what handlers may do.
    unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
}

/// Signals that a parent blocked stay blocked across `execve`; then a deadline would never come.
fn let_through() {
    // SAFETY: all zero is a valid place to fill; `sigemptyset` fills it.
    let mut set: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: `set` is a place of the right type.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in BREAKING.into_iter().chain([libc::SIGALRM, libc::SIGPROF]) {
        // SAFETY: as above, and the number is a signal's.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    // SAFETY: `set` is filled and outlives the call.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut()) };
}

/// INVARIANT: from here on only what is safe in a signal handler: no allocation, no lock, no panic; `poll`, `write`
/// and `_exit`.
extern "C" fn on_signal(signal: libc::c_int) {
    if matches!(signal, libc::SIGALRM | libc::SIGPROF) { speak(|words| words.late) } else { speak(|words| words.crash) }
}

fn speak(which: fn(&LastWords) -> Said) -> ! {
    // SAFETY: the pointer is null or comes from a box that is never freed or changed.
    let words = unsafe { LAST_WORDS.load(Ordering::Acquire).as_ref() };
    let Some(words) = words else { exit(REFUSE) };
    let said = which(words);
    if !ANSWER_BEGUN.load(Ordering::Relaxed) {
        say(libc::STDOUT_FILENO, said.stdout);
    }
    say(libc::STDERR_FILENO, said.stderr);
    exit(words.code)
}

/// Writes `text` as far as the reader takes it: a full pipe must not keep the exit code back.
fn say(fd: libc::c_int, text: &str) {
    for chunk in text.as_bytes().chunks(PIPE_BUF) {
        let mut left = chunk;
        while !left.is_empty() {
            let mut asked = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
            // SAFETY: one entry, which outlives the call.
            if unsafe { libc::poll(&raw mut asked, 1, PATIENCE_MS) } != 1 {
                return;
            }
            // SAFETY: the bytes are readable for the length given.
            let written = unsafe { libc::write(fd, left.as_ptr().cast(), left.len()) };
            match usize::try_from(written).ok().and_then(|count| left.get(count..)) {
                Some(rest) if written > 0 => left = rest,
                _ => return,
            }
        }
    }
}
