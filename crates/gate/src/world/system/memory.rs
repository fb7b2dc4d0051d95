//! Copying and comparing of bytes, for the static hook. The C library of that target copies with an instruction of the processor
//! that takes longer to begin than a short copy takes, and compares byte by byte. Nearly all copies of a call are short.

use std::cmp::Ordering;

/// A block that one instruction moves.
type Block = u128;
/// Bytes of a block.
const BLOCK: usize = size_of::<Block>();
/// The most bytes of which all are read before one is written.
const SHORT: usize = 4 * BLOCK;

/// Copies `count` bytes. The places may overlap if `to` is in front of `from`.
///
/// # Safety
///
/// Both places are valid for `count` bytes.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is the body of the functions that the compiler calls")]
unsafe fn forward(to: *mut u8, from: *const u8, count: usize) {
    if count > SHORT {
        // SAFETY: all blocks are within `count` bytes. The last one may overlap the one before it, and is read before anything
        // is written; each other is read before a block at or behind its place is written.
        unsafe {
            let end = count - BLOCK;
            let last = from.add(end).cast::<Block>().read_unaligned();
            let mut at = 0;
            while at < end {
                let block = from.add(at).cast::<Block>().read_unaligned();
                to.add(at).cast::<Block>().write_unaligned(block);
                at += BLOCK;
            }
            to.add(end).cast::<Block>().write_unaligned(last);
        }
        return;
    }
    // SAFETY: as the caller's.
    unsafe { short(to, from, count) }
}

/// Copies `count` bytes, the last ones first. The places may overlap if `to` is behind `from`.
///
/// # Safety
///
/// Both places are valid for `count` bytes.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is the body of a function that the compiler calls")]
unsafe fn backward(to: *mut u8, from: *const u8, count: usize) {
    if count > SHORT {
        // SAFETY: as in `forward`, from the other end.
        unsafe {
            let first = from.cast::<Block>().read_unaligned();
            let mut left = count;
            while left > BLOCK {
                left -= BLOCK;
                let block = from.add(left).cast::<Block>().read_unaligned();
                to.add(left).cast::<Block>().write_unaligned(block);
            }
            to.cast::<Block>().write_unaligned(first);
        }
        return;
    }
    // SAFETY: as the caller's.
    unsafe { short(to, from, count) }
}

/// Copies [`SHORT`] bytes or fewer, all of which are read before one is written: the places may overlap.
///
/// # Safety
///
/// Both places are valid for `count` bytes.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is the body of the functions that the compiler calls")]
unsafe fn short(to: *mut u8, from: *const u8, count: usize) {
    macro_rules! ends {
        ($half:ty) => {{
            let end = count - size_of::<$half>();
            // SAFETY: both halves are within `count` bytes, which is at least one of them and at most two.
            unsafe {
                let (first, last) = (from.cast::<$half>().read_unaligned(), from.add(end).cast::<$half>().read_unaligned());
                to.cast::<$half>().write_unaligned(first);
                to.add(end).cast::<$half>().write_unaligned(last);
            }
        }};
    }
    match count {
        33.. => ends!([Block; 2]),
        16.. => ends!(Block),
        8.. => ends!(u64),
        4.. => ends!(u32),
        2.. => ends!(u16),
        1 => {
            // SAFETY: both places are valid for this byte.
            unsafe { *to = *from }
        }
        0 => {}
    }
}

/// The order of two texts of `count` bytes, as that of their first bytes that differ.
///
/// # Safety
///
/// Both places are valid for `count` bytes.
#[inline(always)]
#[allow(clippy::inline_always, reason = "it is the body of the functions that the compiler calls")]
unsafe fn order(one: *const u8, other: *const u8, count: usize) -> Ordering {
    const WORD: usize = size_of::<u64>();
    // SAFETY: the callers below keep `at` so that the word is within `count` bytes.
    let word = |text: *const u8, at: usize| u64::from_be(unsafe { text.add(at).cast::<u64>().read_unaligned() });
    if count < WORD {
        for at in 0..count {
            // SAFETY: it is within `count` bytes.
            let (one, other) = unsafe { (*one.add(at), *other.add(at)) };
            if one != other {
                return one.cmp(&other);
            }
        }
        return Ordering::Equal;
    }
    let end = count - WORD;
    let mut at = 0;
    while at < end {
        let (one, other) = (word(one, at), word(other, at));
        if one != other {
            return one.cmp(&other);
        }
        at += WORD;
    }
    // It may overlap the word before it, which is equal.
    word(one, end).cmp(&word(other, end))
}

#[cfg(not(test))]
mod called_by_the_compiler {
    use super::{Ordering, backward, forward, order};

    // SAFETY: the name is that of the C library, and this does what that one promises.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { forward(to, from, count) };
        to
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the caller's promise. Where the places overlap, the copy begins at the end that is not written first.
        unsafe { if to.addr().wrapping_sub(from.addr()) >= count { forward(to, from, count) } else { backward(to, from, count) } }
        to
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
        // SAFETY: the caller's promise.
        match unsafe { order(one, other, count) } {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    // SAFETY: as above.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
        // SAFETY: the caller's promise.
        i32::from(unsafe { order(one, other, count) } != Ordering::Equal)
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
