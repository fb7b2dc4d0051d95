//! Secrets and what only looks like them. Secrets are put together here, so that no scanner takes this file for a leak.

use super::shape::{base62, crc32};
use super::*;

/// Signs drawn by lot, the same in every run.
struct Lot(u64);

impl Lot {
    fn draw(&mut self, letters: &str, count: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..count)
            .map(|_| {
                self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                letters[usize::try_from(self.0 >> 33).unwrap() % letters.len()]
            })
            .collect()
    }
}

const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn body(format: &Format, lot: &mut Lot) -> String {
    let letters = match format.letters {
        Letters::Hex => "0123456789abcdef".to_owned(),
        Letters::Base32 => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".to_owned(),
        Letters::Alnum => ALNUM.to_owned(),
        Letters::Upper => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".to_owned(),
        Letters::Url | Letters::Dotted => format!("{ALNUM}_-"),
    };
    let mut body = lot.draw(&letters, format.least);
    match (format.check, format.mark) {
        (Check::Crc | Check::MaybeCrc, _) => {
            let key = body.get(..format.least - 6).unwrap().to_owned();
            body = format!("{key}{}", String::from_utf8(base62(crc32(key.as_bytes())).to_vec()).unwrap());
        }
        (Check::Holds(part), _) => body.replace_range(20..20 + part.len(), part),
        (_, "SG.") => body.replace_range(22..23, "."),
        (_, "pat") => body.replace_range(14..15, "."),
        _ => {}
    }
    body
}

#[test]
fn githubs_checksum_is_the_published_one() {
    assert_eq!(&base62(crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")), b"0mLq17");
}

/// Of a thousand drawn by lot few may look like a placeholder or like no chance, whatever the form.
#[test]
fn every_form_is_found_wherever_it_stands() {
    let mut lot = Lot(7);
    for format in FORMATS.iter().filter(|format| format.mark != "eyJ") {
        let mut missed = 0;
        for round in 0..200 {
            let secret = format!("{}{}", format.mark, body(format, &mut lot));
            let text = match round % 6 {
                0 => secret.clone(),
                1 => format!("KEY={secret}\n"),
                2 => format!("{{\"a\":\"{secret}\"}}"),
                3 => format!("call('{secret}')."),
                4 => format!("https://host/?a={secret}&b"),
                _ => format!("it is {secret}."),
            };
            let found = find(&text);
            let whole = found.iter().any(|found| text.get(found.range.clone()) == Some(secret.as_str()));
            missed += usize::from(!whole);
            assert!(!redact(&text).contains(&secret) || !whole, "{text}");
        }
        assert!(missed <= 8, "{}: {missed} of 200 were missed", format.mark);
    }
}
