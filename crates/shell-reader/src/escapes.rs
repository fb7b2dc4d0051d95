//! Escapes as C writes them, which shells, git and most languages have in common. What each adds is where it is read.

/// The byte that an escape stands for whose backslash was passed over, and how many bytes it takes: a letter, or up to
/// three octal digits. `None`: it is neither.
pub fn byte(text: &[u8]) -> Option<(u8, usize)> {
    let plain = match text.first()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => {
            let (value, length) = number(text, 8, 3);
            return (length > 0).then(|| (low_byte(value), length));
        }
    };
    Some((plain, 1))
}

/// The number that up to `most` digits at the start make, and how many there are.
pub fn number(text: &[u8], radix: u32, most: usize) -> (u32, usize) {
    let digits = text.iter().take(most).map_while(|byte| char::from(*byte).to_digit(radix));
    digits.fold((0, 0), |(value, length), digit| (value.wrapping_mul(radix).wrapping_add(digit), length + 1))
}

/// What is left of a number in a byte, as `\\777` leaves `\\377`.
pub fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}
