//! Copies and comparisons against those of the standard library.

use super::*;

/// Room around what is copied.
const ROOM: usize = 40;

#[test]
fn copies_of_every_length_take_what_is_there_and_no_more() {
    for count in (0..200).chain([255, 256, 257, 1000]) {
        for far in [0_usize, 1, 2, 7, 8, 15, 16, 17, 31, ROOM] {
            let before: Vec<u8> = (0..=250).cycle().take(count + 2 * ROOM).collect();
            for back in [false, true] {
                let (from, to) = if back { (ROOM - far, ROOM) } else { (ROOM, ROOM - far) };
                let mut wanted = before.clone();
                wanted.copy_within(from..from + count, to);
                let mut found = before.clone();
                let start = found.as_mut_ptr();
                // SAFETY: both places are within the bytes, and `to` is on the side that each of them asks for.
                unsafe { if back { backward(start.add(to), start.add(from), count) } else { forward(start.add(to), start.add(from), count) } }
                assert!(found == wanted, "{count} bytes, {far} apart, back: {back}");
            }
        }
    }
}

#[test]
fn texts_are_ordered_by_their_first_bytes_that_differ() {
    for count in 0..80 {
        let one: Vec<u8> = (0..=250).rev().cycle().take(count).collect();
        // SAFETY: both are that long.
        assert_eq!(unsafe { order(one.as_ptr(), one.as_ptr(), count) }, Ordering::Equal);
        for at in 0..count {
            for change in [1, 0x7f, 0x80, 0xff] {
                let mut other = one.clone();
                other[at] = other[at].wrapping_add(change);
                // What is behind the first difference does not count.
                other[at + 1..].fill(0);
                // SAFETY: as above.
                assert_eq!(unsafe { order(one.as_ptr(), other.as_ptr(), count) }, one.cmp(&other), "byte {at} of {count}");
            }
        }
    }
}
