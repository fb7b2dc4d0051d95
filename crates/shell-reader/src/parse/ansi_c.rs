//! What `$'…'` stands for. Escapes as in the bash manual, "ANSI-C Quoting", and as bash 5.2 does where that is silent; for zsh
//! as zsh 5.9 does.

use crate::escapes::{self, low_byte, number};

/// Decodes the text between `$'` and `'`. Bytes that are not UTF-8 become U+FFFD. True: a zero byte ended it.
pub(super) fn decode(text: &str, zsh: bool) -> (String, bool) {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut zero = false;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let (byte, length) = match (first, tail) {
            (b'\\', [b'e' | b'E', ..]) => (0x1b, 1),
            (b'\\', [escape @ (b'\\' | b'\'' | b'"' | b'?'), ..]) => (*escape, 1),
            (b'\\', [b'C' | b'M', b'-', plain, ..]) if zsh => (if tail.first() == Some(&b'C') { plain & 0x1f } else { plain | 0x80 }, 3),
            (b'\\', [b'x', b'{', digits @ ..]) if !zsh => {
                let (value, length) = number(digits, 16, usize::MAX);
                let closed = length > 0 && digits.get(length) == Some(&b'}');
                (low_byte(value), 2 + length + usize::from(closed))
            }
            (b'\\', [letter @ (b'x' | b'u' | b'U'), digits @ ..]) => {
                let most = match letter {
                    b'x' => 2,
                    b'u' => 4,
                    _ => 8,
                };
                let (value, length) = number(digits, 16, most);
                rest = digits.get(length..).unwrap_or_default();
                match (letter, length, value) {
                    (_, 0, _) if !zsh => bytes.extend_from_slice(&[b'\\', *letter]),
                    (_, _, 0) => {
                        zero = true;
                        break;
                    }
                    (b'x', ..) => bytes.push(low_byte(value)),
                    _ => encode(value & 0x7fff_ffff, &mut bytes),
                }
                continue;
            }
            (b'\\', [b'c', b'?', ..]) if !zsh => (0x7f, 2),
            (b'\\', [b'c', b'\\', more @ ..]) if !zsh => (b'\\' & 0x1f, 2 + usize::from(more.first() == Some(&b'\\'))),
            (b'\\', [b'c', control, ..]) if !zsh => (control.to_ascii_uppercase() & 0x1f, 2),
            // Zsh drops the backslash of what is no escape.
            (b'\\', escape @ [other, ..]) if zsh => escapes::byte(escape).unwrap_or((*other, 1)),
            (b'\\', escape) => escapes::byte(escape).unwrap_or((b'\\', 0)),
            (plain, _) => (*plain, 0),
        };
        if byte == 0 {
            // The shell holds strings that end at a zero byte.
            zero = true;
            break;
        }
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    (String::from_utf8_lossy(&bytes).into_owned(), zero)
}

/// Adds a code point as UTF-8 was first meant, up to six bytes long: bash also writes values that are not code points.
fn encode(value: u32, bytes: &mut Vec<u8>) {
    let more = [0x7f, 0x7ff, 0xffff, 0x1f_ffff, 0x3ff_ffff].iter().filter(|most| value > **most).count();
    let first = if more == 0 { 0 } else { 0xff00 >> (more + 1) & 0xff };
    bytes.push(low_byte(first | value >> (6 * more)));
    bytes.extend((0..more).rev().map(|at| low_byte(0x80 | value >> (6 * at) & 0x3f)));
}
