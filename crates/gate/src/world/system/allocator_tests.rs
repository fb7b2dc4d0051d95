//! Blocks of the allocator.

use super::*;

/// Every byte of every living block keeps what its owner wrote, whatever is taken, grown and given back around it.
#[test]
fn blocks_keep_to_themselves() {
    let mut living: Vec<(*mut u8, Layout, u8)> = Vec::new();
    let mut seed = 1_u32;
    let mut draw = |below: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 8) % below) as usize
    };
    for round in 0..4000_u32 {
        let mark = u8::try_from(round % 251).unwrap();
        let check = |block: *mut u8, layout: Layout, mark: u8| {
            // SAFETY: the block is alive and `layout.size()` bytes of it were written.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            assert!(bytes.iter().all(|byte| *byte == mark), "round {round}");
        };
        match draw(4) {
            0 if !living.is_empty() => {
                let (block, layout, old) = living.swap_remove(draw(u32::try_from(living.len()).unwrap()));
                check(block, layout, old);
                // SAFETY: it came from `Bump` with this layout and is forgotten here.
                unsafe { Bump.dealloc(block, layout) };
            }
            1 if !living.is_empty() => {
                let (block, layout, old) = living.swap_remove(draw(u32::try_from(living.len()).unwrap()));
                let size = draw(3000) + 1;
                // SAFETY: as above, and `size` is not zero.
                let block = unsafe { Bump.realloc(block, layout, size) };
                let kept = Layout::from_size_align(layout.size().min(size), layout.align()).unwrap();
                check(block, kept, old);
                let layout = Layout::from_size_align(size, layout.align()).unwrap();
                // SAFETY: the block is `size` bytes long now.
                unsafe { block.write_bytes(mark, size) };
                living.push((block, layout, mark));
            }
            _ => {
                let layout = Layout::from_size_align(draw(2000) + 1, 1 << draw(8)).unwrap();
                // SAFETY: the size is not zero.
                let block = unsafe { Bump.alloc(layout) };
                assert!(!block.is_null());
                assert_eq!(block.addr() % layout.align(), 0);
                // SAFETY: the block is that long.
                unsafe { block.write_bytes(mark, layout.size()) };
                living.push((block, layout, mark));
            }
        }
    }
    for (block, layout, mark) in living {
        // SAFETY: the block is alive and written.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        assert!(bytes.iter().all(|byte| *byte == mark));
    }
}

#[test]
fn threads_that_take_at_once_share_nothing() {
    let fill = |mark: u8| {
        let layout = Layout::from_size_align(3000, 8).unwrap();
        let blocks: Vec<usize> = (0..400)
            .map(|_| {
                // SAFETY: the size is not zero.
                let block = unsafe { Bump.alloc(layout) };
                // SAFETY: the block is that long.
                unsafe { block.write_bytes(mark, layout.size()) };
                block.expose_provenance()
            })
            .collect();
        for block in blocks {
            // SAFETY: the block is alive and written by this thread.
            let bytes = unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance::<u8>(block), layout.size()) };
            assert!(bytes.iter().all(|byte| *byte == mark));
        }
    };
    std::thread::scope(|scope| (1..=8).for_each(|mark| drop(scope.spawn(move || fill(mark)))));
}

#[test]
fn what_the_system_cannot_give_is_null() {
    let layout = Layout::from_size_align(isize::MAX as usize - 4096, 16).unwrap();
    // SAFETY: the size is not zero.
    assert!(unsafe { Bump.alloc(layout) }.is_null());
}
