//! The allocator of the hook. Memory is never given back, because the process ends so soon.
//! A page costs when it is first touched, so blocks are side by side, and the last one grows where it is.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::hint;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// Bytes that need no system call: an ordinary call gets by with them.
const FIRST_REGION: usize = 256 * 1024;
/// Bytes of a further region at the least.
const REGION: usize = 1 << 20;
/// A request that needs a region of its own gets this many times its size, so that it can continue growing in place.
/// Pages that are not touched cost nothing.
const ROOM_TO_GROW: usize = 4;

/// A bump allocator for short-lived processes, to be set as `#[global_allocator]`.
///
/// Only the block taken last is ever given back or grown in place. All instances share one region. A block is taken by one
/// exchange of where the next one begins, so that it is sound in a process with threads too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bump;

#[repr(align(64))]
struct FirstRegion(UnsafeCell<[u8; FIRST_REGION]>);

// SAFETY: the bytes are only reached through blocks that are given out, each to one owner.
unsafe impl Sync for FirstRegion {}

static FIRST: FirstRegion = FirstRegion(UnsafeCell::new([0; FIRST_REGION]));

/// The region in use: where it begins and ends, and where its next block begins. Another region is never taken up again, so an
/// exchange of `NEXT` succeeds only if the two others were of the same region.
static START: AtomicPtr<u8> = AtomicPtr::new(FIRST.0.get().cast());
static END: AtomicPtr<u8> = AtomicPtr::new(FIRST.0.get().cast::<u8>().wrapping_add(FIRST_REGION));
static NEXT: AtomicPtr<u8> = AtomicPtr::new(FIRST.0.get().cast());
/// A thread goes over to a new region.
static OPENING: AtomicBool = AtomicBool::new(false);

/// The block that begins at `next` or behind it, and where it ends. `None`: there is no room in front of `end`.
fn carved(next: *mut u8, end: *mut u8, layout: Layout) -> Option<(*mut u8, *mut u8)> {
    let mask = layout.align() - 1;
    let start = next.addr().checked_add(mask)? & !mask;
    let stop = start.checked_add(layout.size())?;
    (stop <= end.addr()).then(|| (next.with_addr(start), next.with_addr(stop)))
}

/// A block; null if the system has no more memory. This and the two below are functions of their own, for there are some
/// thousand places that take or give back: in each of them, they would make the program a fifth longer.
#[inline(never)]
fn take(layout: Layout) -> *mut u8 {
    try_to_take(layout).unwrap_or_else(|_| take_from_another(layout))
}

/// A block of the region in use. Error: there is no room, and where the block was to begin; or nothing, for another thread was
/// faster.
fn try_to_take(layout: Layout) -> Result<*mut u8, Option<*mut u8>> {
    let next = NEXT.load(Ordering::Acquire);
    let (block, stop) = carved(next, END.load(Ordering::Acquire), layout).ok_or(Some(next))?;
    NEXT.compare_exchange(next, stop, Ordering::AcqRel, Ordering::Relaxed).map(|_| block).map_err(|_| None)
}

#[cold]
#[inline(never)]
fn take_from_another(layout: Layout) -> *mut u8 {
    loop {
        match try_to_take(layout) {
            Ok(block) => return block,
            Err(Some(next)) if !open(next, layout) => return ptr::null_mut(),
            Err(_) => {}
        }
    }
}

/// Goes over to a new region with room for a block, unless another thread did it since `seen` was the next block's place; what
/// was left of the old region is given up. False: the system has no more memory.
#[cold]
#[inline(never)]
fn open(seen: *mut u8, layout: Layout) -> bool {
    let Some(need) = layout.size().checked_add(layout.align()) else { return false };
    while OPENING.swap(true, Ordering::Acquire) {
        hint::spin_loop();
    }
    let mut done = true;
    if NEXT.load(Ordering::Acquire) == seen {
        let wished = need.saturating_mul(ROOM_TO_GROW).max(REGION);
        match mapped(wished).map(|region| (region, wished)).or_else(|| mapped(need).map(|region| (region, need))) {
            Some((region, size)) => {
                // Nothing fits behind the last address, so until the end all others come here and wait.
                NEXT.store(ptr::without_provenance_mut(usize::MAX), Ordering::Release);
                START.store(region, Ordering::Release);
                END.store(region.wrapping_add(size), Ordering::Release);
                NEXT.store(region, Ordering::Release);
            }
            None => done = false,
        }
    }
    OPENING.store(false, Ordering::Release);
    done
}

/// New memory of `size` bytes. `None`: the system has no more.
fn mapped(size: usize) -> Option<*mut u8> {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON);
    // SAFETY: an anonymous private mapping at an address of the kernel's choice changes no memory that is in use.
    let region = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
    (region != libc::MAP_FAILED).then(|| region.cast())
}

/// Makes a block `new` bytes long where it is, if it is the last one and there is room.
fn resize(block: *mut u8, old: usize, new: usize) -> Option<*mut u8> {
    let next = NEXT.load(Ordering::Acquire);
    let stop = block.addr().checked_add(new)?;
    // A block may end where a later region begins.
    let is_last = block.addr().checked_add(old) == Some(next.addr()) && block.addr() >= START.load(Ordering::Acquire).addr();
    if !is_last || stop > END.load(Ordering::Acquire).addr() {
        return None;
    }
    NEXT.compare_exchange(next, next.with_addr(stop), Ordering::AcqRel, Ordering::Relaxed).ok()?;
    // The pointer is made from the region's own, which may reach all of it; the caller's may only reach the old size.
    Some(next.with_addr(block.addr()))
}

#[inline(never)]
fn give_back(block: *mut u8, size: usize) {
    resize(block, size, 0);
}

#[inline(never)]
fn resized(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    if let Some(same) = resize(block, layout.size(), size) {
        return same;
    }
    if size <= layout.size() {
        return block;
    }
    let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
    let moved = take(wanted);
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
