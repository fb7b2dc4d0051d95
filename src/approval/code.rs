//! Codes of requests: short, easy to read out, and never one that could be guessed or taken for another.

use std::fs::File;
use std::io::{self, Read as _};

/// Letters and digits that nobody takes for each other.
const ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
/// Signs of a code, without the dash.
const LENGTH: usize = 8;

/// A new code, such as `K7QM-2XRD`.
///
/// # Errors
///
/// The system gives no random bytes.
pub fn fresh() -> io::Result<String> {
    let mut source = File::open("/dev/urandom")?;
    let mut code = String::new();
    while code.len() <= LENGTH {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        // As many bytes stand for each sign: those behind the last whole round are drawn again.
        let Some(sign) = ALPHABET.get(usize::from(byte[0]) % ALPHABET.len()).filter(|_| usize::from(byte[0]) < 256 - 256 % ALPHABET.len()) else { continue };
        if code.len() == LENGTH / 2 {
            code.push('-');
        }
        code.push(char::from(*sign));
    }
    Ok(code)
}

/// A code as a person may type it: small letters, without the dash, with blanks around. `None` if it is not a code.
#[must_use]
pub fn read(text: &str) -> Option<String> {
    let signs: Vec<char> = text.trim().chars().filter(|sign| *sign != '-' && *sign != ' ').map(|sign| sign.to_ascii_uppercase()).collect();
    let known = |sign: &char| u8::try_from(*sign).is_ok_and(|sign| ALPHABET.contains(&sign));
    if signs.len() != LENGTH || !signs.iter().all(known) {
        return None;
    }
    let (front, back) = signs.split_at_checked(LENGTH / 2)?;
    Some(format!("{}-{}", front.iter().collect::<String>(), back.iter().collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_code_is_read_back_however_it_is_typed() {
        for _ in 0..200 {
            let code = fresh().expect("random bytes");
            assert_eq!(code.len(), LENGTH + 1);
            assert_eq!(read(&code).as_deref(), Some(code.as_str()));
            assert_eq!(read(&format!(" {} ", code.to_lowercase().replace('-', ""))).as_deref(), Some(code.as_str()));
        }
        for wrong in ["", "K7QM", "K7QM-2XR", "K7QM-2XRDA", "K7QM-2XR0", "K7QM/2XRD", "../../etc", "K7QM-2XRÖ"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
