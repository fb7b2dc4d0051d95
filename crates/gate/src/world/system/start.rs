//! The beginning of the hook's process, in place of the standard library's: that one sets up handlers and a stack of its own,
//! which `last_words` replaces, and takes ten system calls for it.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt as _;
use std::ptr;

/// What a process was started with.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// Pointers to texts, each ended by NUL. A null pointer is behind the last one.
    arguments: *const *const c_char,
    /// As the arguments: `NAME=value`.
    environment: *const *const c_char,
}

/// Makes a function that takes a [`Started`] the beginning of the program. The program has `#![no_main]`.
#[macro_export]
macro_rules! begins_with {
    ($begin:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(_count: i32, arguments: *const *const std::ffi::c_char, environment: *const *const std::ffi::c_char) -> i32 {
            // SAFETY: these are what the C library gives to `main`, and nothing ran before.
            $begin(unsafe { $crate::world::system::Started::new(arguments, environment) })
        }
    };
}

impl Started {
    /// What `main` is given. A standard stream that is closed is opened on the null device, as the standard library does it: a
    /// file that is opened later must not take its place.
    ///
    /// # Safety
    ///
    /// Both lists are as the C library makes them, and nothing changes them or their texts as long as the process lives.
    #[must_use]
    pub unsafe fn new(arguments: *const *const c_char, environment: *const *const c_char) -> Self {
        open_streams();
        Self { arguments, environment }
    }

    /// The arguments, without the program's name.
    pub fn arguments(self) -> impl Iterator<Item = &'static OsStr> {
        texts(self.arguments).skip(1).map(|text| {
            // SAFETY: as `new` was promised, it is a text ended by NUL that lives as long as the process.
            OsStr::from_bytes(unsafe { CStr::from_ptr(text) }.to_bytes())
        })
    }

    /// The value of a variable of the environment. The first one counts, as for the C library.
    pub fn variable(self, name: &str) -> Option<&'static OsStr> {
        let first = name.bytes().next().unwrap_or(b'=');
        let value = |text: *const c_char| {
            let mut at = text.cast::<u8>();
            // SAFETY: a text has at least the NUL that ends it.
            if unsafe { *at } != first {
                return None;
            }
            for byte in name.bytes().chain(*b"=") {
                // SAFETY: all bytes before this one are those of the name, so none of them is the NUL that ends the text.
                if unsafe { *at } != byte {
                    return None;
                }
                at = at.wrapping_add(1);
            }
            // SAFETY: as above; the rest of a text is one too.
            Some(OsStr::from_bytes(unsafe { CStr::from_ptr(at.cast()) }.to_bytes()))
        };
        texts(self.environment).find_map(value)
    }
}

/// The texts of a list that a null pointer ends. A null pointer in place of the list is an empty one.
fn texts(list: *const *const c_char) -> impl Iterator<Item = *const c_char> {
    let mut next = list;
    std::iter::from_fn(move || {
        if next.is_null() {
            return None;
        }
        // SAFETY: the list was promised to `Started::new`, and no pointer in front of this one is null.
        let text = unsafe { *next };
        next = if text.is_null() { ptr::null() } else { next.wrapping_add(1) };
        (!text.is_null()).then_some(text)
    })
}

fn open_streams() {
    let mut asked = [0, 1, 2].map(|fd| libc::pollfd { fd, events: 0, revents: 0 });
    // SAFETY: three entries, which outlive the call.
    let polled = unsafe { libc::poll(asked.as_mut_ptr(), 3, 0) } >= 0;
    for entry in asked {
        if if polled { entry.revents & libc::POLLNVAL != 0 } else { is_closed(entry.fd) } {
            // SAFETY: the name is a text ended by NUL. The lowest number that is free is the one of the stream.
            unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        }
    }
}

/// Whether no file is open under this number.
fn is_closed(fd: c_int) -> bool {
    // SAFETY: this call takes two numbers.
    unsafe { libc::fcntl(fd, libc::F_GETFD) == -1 }
}
