//! What `$'…'` stands for. Escapes as in the bash manual, "ANSI-C Quoting", and as bash 5.2 does where that is silent.

/// Decodes the text between `$'` and `'`. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn decode(text: &str) -> String {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let Some(escape) = rest.next() else {
            bytes.push(b'\\');
            break;
        };
        let plain = match escape {
            b'a' => 0x07,
            b'b' => 0x08,
            b'e' | b'E' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'\\' | b'\'' | b'"' | b'?' => escape,
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    let Some(digit) = rest.next_if(|next| (b'0'..=b'7').contains(next)) else { break };
                    value = value * 8 + u32::from(digit - b'0');
                }
                low_byte(value)
            }
            b'x' => {
                let braced = rest.next_if_eq(&b'{').is_some();
                if let Some(value) = hexadecimal(&mut rest, if braced { usize::MAX } else { 2 }) {
                    if braced {
                        rest.next_if_eq(&b'}');
                    }
                    low_byte(value)
                } else if braced {
                    0
                } else {
                    bytes.push(b'\\');
                    b'x'
                }
            }
            b'u' | b'U' => {
                match hexadecimal(&mut rest, if escape == b'u' { 4 } else { 8 }) {
                    Some(0) => break,
                    Some(value) => {
                        encode(value & 0x7fff_ffff, &mut bytes);
                    }
                    None => bytes.extend_from_slice(&[b'\\', escape]),
                }
                continue;
            }
            b'c' => match rest.next() {
                Some(b'?') => 0x7f,
                Some(b'\\') => {
                    rest.next_if_eq(&b'\\');
                    b'\\' & 0x1f
                }
                Some(control) => control.to_ascii_uppercase() & 0x1f,
                None => {
                    bytes.extend_from_slice(b"\\c");
                    continue;
                }
            },
            other => {
                bytes.push(b'\\');
                other
            }
        };
        if plain == 0 {
            // The shell holds strings that end at a zero byte.
            break;
        }
        bytes.push(plain);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Adds a code point as UTF-8 was first meant, up to six bytes long: bash writes those that are none, too.
fn encode(value: u32, bytes: &mut Vec<u8>) {
    let more = [0x7f, 0x7ff, 0xffff, 0x1f_ffff, 0x3ff_ffff].iter().filter(|most| value > **most).count();
    let first = if more == 0 { 0 } else { 0xff00 >> (more + 1) & 0xff };
    bytes.push(low_byte(first | value >> (6 * more)));
    bytes.extend((0..more).rev().map(|at| low_byte(0x80 | value >> (6 * at) & 0x3f)));
}

fn low_byte(value: u32) -> u8 {
    (value & 0xff) as u8
}

/// Up to `limit` hexadecimal digits. None: there is none.
fn hexadecimal(rest: &mut std::iter::Peekable<std::str::Bytes<'_>>, limit: usize) -> Option<u32> {
    let mut value: Option<u32> = None;
    for _ in 0..limit {
        let Some(digit) = rest.next_if(u8::is_ascii_hexdigit) else { break };
        let digit = char::from(digit).to_digit(16).unwrap_or_default();
        value = Some(value.unwrap_or_default().wrapping_shl(4) | digit);
    }
    value
}
