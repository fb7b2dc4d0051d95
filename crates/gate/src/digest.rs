//! `BLAKE2b` (RFC 7693) with a digest of 16 bytes and no key: what chains the lines of the record. Nobody can find another text
//! with the digest of a given one. Plain code, because the hook links nothing but libc; it takes half the instructions of SHA-256.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

/// Bytes of a digest.
pub const BYTES: usize = 16;
/// Signs of a digest in hexadecimal.
pub const SIGNS: usize = 2 * BYTES;
/// Bytes of a block.
const BLOCK: usize = 128;

/// Where each state begins (RFC 7693, 2.6).
const BEGIN: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
/// The order of the words of a block in each round (RFC 7693, 2.7).
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
/// Rounds of a block.
const ROUNDS: usize = 12;

/// The digest of the texts, one behind the other, in hexadecimal.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; SIGNS] {
    let mut state = BEGIN;
    // The parameters: length of the digest, no key, one leaf.
    state[0] ^= 0x0101_0000 ^ BYTES as u64;
    let (mut block, mut filled, mut count) = ([0_u8; BLOCK], 0, 0_u128);
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            // The last block is known only when nothing follows it.
            if filled == BLOCK {
                count += BLOCK as u128;
                compress(&mut state, &block, count, false);
                filled = 0;
            }
            let (now, later) = rest.split_at(rest.len().min(BLOCK - filled));
            if let Some(place) = block.get_mut(filled..filled + now.len()) {
                place.copy_from_slice(now);
            }
            (rest, filled) = (later, filled + now.len());
        }
    }
    block.iter_mut().skip(filled).for_each(|byte| *byte = 0);
    compress(&mut state, &block, count + filled as u128, true);
    let [low, high, ..] = state.map(u64::to_le_bytes);
    let mut signs = [0; SIGNS];
    for (pair, made) in signs.as_chunks_mut::<2>().0.iter_mut().zip(hexadecimal(low).iter().chain(&hexadecimal(high))) {
        *pair = *made;
    }
    signs
}

/// The two hexadecimal digits of each byte.
pub(crate) fn hexadecimal(bytes: [u8; 8]) -> [[u8; 2]; 8] {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    bytes.map(|byte| [digit(byte >> 4), digit(byte & 15)])
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of the count")]
fn compress(state: &mut [u64; 8], block: &[u8; BLOCK], count: u128, last: bool) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let mut v = [0; 16];
    v[..8].copy_from_slice(state);
    v[8..].copy_from_slice(&BEGIN);
    v[12] ^= count as u64;
    v[13] ^= (count >> 64) as u64;
    if last {
        v[14] = !v[14];
    }
    for round in 0..ROUNDS {
        let order = &ORDER[round % ORDER.len()];
        mix(&mut v, [0, 4, 8, 12], words[order[0]], words[order[1]]);
        mix(&mut v, [1, 5, 9, 13], words[order[2]], words[order[3]]);
        mix(&mut v, [2, 6, 10, 14], words[order[4]], words[order[5]]);
        mix(&mut v, [3, 7, 11, 15], words[order[6]], words[order[7]]);
        mix(&mut v, [0, 5, 10, 15], words[order[8]], words[order[9]]);
        mix(&mut v, [1, 6, 11, 12], words[order[10]], words[order[11]]);
        mix(&mut v, [2, 7, 8, 13], words[order[12]], words[order[13]]);
        mix(&mut v, [3, 4, 9, 14], words[order[14]], words[order[15]]);
    }
    for (at, word) in state.iter_mut().enumerate() {
        *word ^= v[at] ^ v[at + 8];
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "the whole is a third of the instructions when the indexes are constants")]
const fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `b2sum -l 128` of coreutils 9.1 and `hashlib.blake2b(digest_size=16)` of Python give.
    #[test]
    fn the_digest_is_that_of_other_programs() {
        let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let known: &[(&[u8], &str)] = &[
            (b"", "cae66941d9efbd404e4d88758ea67670"),
            (b"abc", "cf4ab791c62b8d2b2109c90275287816"),
            (long.get(..127).unwrap(), "28b1296c7d4807883de6ee4ec04dcc0a"),
            (long.get(..128).unwrap(), "a74787004ef589e31149183900d0294a"),
            (long.get(..129).unwrap(), "aaf1b0371f6d4ee49ee4fb5ddd9c49ef"),
            (long.get(..256).unwrap(), "c2472c0ac37a8dbdb25f05ada0d82643"),
            (&long, "978a3f8b45508a42fe7f0f99caf2c423"),
        ];
        for (text, digest_of_it) in known {
            assert_eq!(std::str::from_utf8(&digest(&[text])).unwrap(), *digest_of_it, "{} bytes", text.len());
            for at in [0, 1, 127, 128, 129, 300] {
                let (one, other) = text.split_at(at.min(text.len()));
                assert_eq!(digest(&[one, other]), digest(&[text]), "cut at {at}");
            }
        }
    }
}
