//! The allocator of the hook. Memory is never given back, because the process ends so soon.
//! A page costs when it is first touched, so blocks are side by side, and the last one grows where it is.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::hint;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Bytes that need no system call: an ordinary call gets by with them.
const FIRST_REGION: usize = 256 * 1024;
/// Bytes of a further region at the least.
const REGION: usize = 1 << 20;
/// A request that needs a region of its own gets this many times its size, so that it can continue growing in place.
/// Pages that are not touched cost nothing.
const ROOM_TO_GROW: usize = 4;

/// A bump allocator for short-lived processes, to be set as `#[global_allocator]`.
///
/// Only the block taken last is ever given back or grown in place. All instances share one arena; a spin flag guards
/// it, so that it is sound in a process with threads too, if not fast.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bump;

/// The region in use.
struct Arena {
    start: *mut u8,
    next: *mut u8,
    end: *mut u8,
}

struct SharedArena {
    taken: AtomicBool,
    arena: UnsafeCell<Arena>,
}

// SAFETY: `arena` is reached through `with` alone, which lets in one thread at a time; the regions it points to live as
// long as the process and belong to no thread.
unsafe impl Sync for SharedArena {}

#[repr(align(64))]
struct FirstRegion(UnsafeCell<[u8; FIRST_REGION]>);

// SAFETY: the bytes are only reached through blocks that the arena gives out, each to one owner.
unsafe impl Sync for FirstRegion {}

static FIRST: FirstRegion = FirstRegion(UnsafeCell::new([0; FIRST_REGION]));

static SHARED: SharedArena = {
    let start = FIRST.0.get().cast::<u8>();
    let end = start.wrapping_add(FIRST_REGION);
    SharedArena { taken: AtomicBool::new(false), arena: UnsafeCell::new(Arena { start, next: start, end }) }
};

/// Where the last block ends, as far as a thread can tell that has not the arena to itself.
static LAST_END: AtomicUsize = AtomicUsize::new(0);

/// Does `work` alone on the arena. `work` neither panics nor allocates, so the flag is always given back.
fn with<T>(work: impl FnOnce(&mut Arena) -> T) -> T {
    while SHARED.taken.swap(true, Ordering::Acquire) {
        hint::spin_loop();
    }
    // SAFETY: the flag was free and is now ours, so this is the only reference to the arena until it is given back.
    let arena = unsafe { &mut *SHARED.arena.get() };
    let result = work(arena);
    LAST_END.store(arena.next.addr(), Ordering::Relaxed);
    SHARED.taken.store(false, Ordering::Release);
    result
}

impl Arena {
    /// A block from the region in use, or from a new one; null if the system has no more.
    fn take(&mut self, layout: Layout) -> *mut u8 {
        if let Some(block) = self.carve(layout) {
            return block;
        }
        let Some(need) = layout.size().checked_add(layout.align()) else { return ptr::null_mut() };
        if !self.open(need.saturating_mul(ROOM_TO_GROW).max(REGION)) && !self.open(need) {
            return ptr::null_mut();
        }
        self.carve(layout).unwrap_or(ptr::null_mut())
    }

    fn carve(&mut self, layout: Layout) -> Option<*mut u8> {
        let mask = layout.align() - 1;
        let start = self.next.addr().checked_add(mask)? & !mask;
        let stop = start.checked_add(layout.size())?;
        if stop > self.end.addr() {
            return None;
        }
        let block = self.next.with_addr(start);
        self.next = self.next.with_addr(stop);
        Some(block)
    }

    /// Goes over to a new region of `size` bytes; what was left of the old one is given up.
    fn open(&mut self, size: usize) -> bool {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
        // SAFETY: an anonymous private mapping at an address of the kernel's choice changes no memory that is in use.
        let region = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
        if region == libc::MAP_FAILED {
            return false;
        }
        let start = region.cast::<u8>();
        *self = Self { start, next: start, end: start.wrapping_add(size) };
        true
    }

    /// Whether the `size` bytes at `block` are the last ones given out of the region in use.
    fn is_last(&self, block: usize, size: usize) -> bool {
        block >= self.start.addr() && block.checked_add(size) == Some(self.next.addr())
    }

    /// Makes the last block `new` bytes long where it is, if that can be done.
    fn resize(&mut self, block: usize, old: usize, new: usize) -> Option<*mut u8> {
        let stop = block.checked_add(new)?;
        if !self.is_last(block, old) || stop > self.end.addr() {
            return None;
        }
        self.next = self.next.with_addr(stop);
        // The pointer is made from the region's own, which may reach all of it; the caller's may only reach the old size.
        Some(self.next.with_addr(block))
    }
}

/// Functions of their own, for there are some thousand places that take or give back: in each of them, they would make the
/// program a fifth longer.
#[inline(never)]
fn take(layout: Layout) -> *mut u8 {
    with(|arena| arena.take(layout))
}

#[inline(never)]
fn give_back(block: *mut u8, size: usize) {
    // Nearly always it is another block that is the last one. Whoever is told wrongly gives back nothing, or asks once more.
    if block.addr().wrapping_add(size) == LAST_END.load(Ordering::Relaxed) {
        with(|arena| arena.resize(block.addr(), size, 0));
    }
}

#[inline(never)]
fn resized(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    if let Some(same) = with(|arena| arena.resize(block.addr(), layout.size(), size)) {
        return same;
    }
    if size <= layout.size() {
        return block;
    }
    let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
    let moved = with(|arena| arena.take(wanted));
    if !moved.is_null() {
        // SAFETY: the caller is `realloc`, whose old block holds `layout.size()` bytes; the new one has more, and they do not
        // overlap, since the old one was not given back.
        unsafe { ptr::copy_nonoverlapping(block, moved, layout.size()) };
    }
    moved
}

// SAFETY: `take` gives out blocks of the size and alignment asked for, inside a region that is never unmapped, and never
// gives out a byte again before the block that contained it was deallocated; nothing here panics.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give_back(block, layout.size());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        resized(block, layout, size)
    }
}

#[cfg(test)]
#[path = "allocator_tests.rs"]
mod tests;
