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

fn body(format: &SecretFormat, lot: &mut Lot) -> String {
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

/// Whatever is side by side: what is found are whole characters in order, and what is taken out is gone.
#[test]
fn any_text_can_be_searched() {
    let mut lot = Lot(3);
    let key = lot.draw(ALNUM, 70);
    let pieces = [
        "=",
        ":",
        "://",
        "@",
        " ",
        "\n",
        "\"",
        "'",
        "\\\"",
        "é",
        "\u{1f600}",
        "-----BEGIN",
        " RSA PRIVATE KEY-----",
        "-----END",
        "token",
        "password",
        "secret_access_key",
        "AccountKey",
        "-p",
        "--password",
        "Bearer",
        "mysql",
        "hooks.slack.com",
        "/services/T",
        "discord.com",
        "/api/webhooks/",
        "1234567890",
        ":AA",
        ".atlasv1.",
        "8Q~",
        "eyJ",
        "SG.",
        "sk-",
        "T3BlbkFJ",
        "AKIA",
        "<",
        "${",
        ">",
        "&",
        "?",
        ",",
        "{",
        &key,
        "a.b",
        "https",
    ];
    for _ in 0..20_000 {
        let count = 1 + usize::from(lot.draw("0123456789", 1).as_bytes()[0] - b'0') * 2;
        let text: String = (0..count)
            .map(|_| {
                let draw = lot.draw(ALNUM, 2).bytes().map(usize::from).sum::<usize>();
                pieces[draw * 31 % pieces.len()]
            })
            .collect();
        let found = find(&text);
        assert!(found.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "{text:?}: {found:?}");
        assert!(found.iter().all(|found| text.get(found.range.clone()).is_some_and(|secret| !secret.is_empty())), "{text:?}: {found:?}");
        let (redacted, shown): (String, Vec<String>) = (redact(&text), found.iter().map(|found| found.shown(&text)).collect());
        for found in &found {
            let secret = text.get(found.range.clone()).unwrap();
            assert!(!redacted.contains(secret) || text.matches(secret).count() > 1, "{text:?}: {redacted}");
        }
        assert!(shown.iter().all(|shown| shown.len() <= 8 * 4 + 3));
    }
}

/// A long text that a search could be slow on.
#[test]
#[expect(clippy::disallowed_types, reason = "a test may look at the clock")]
fn the_time_is_linear() {
    for piece in
        ["eyJ-", "=", "pwd=", "token: ", "://", ":", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----\n", "a", "ghp_", "discord.com/api/webhooks/", "\"", "é"]
    {
        let begun = std::time::Instant::now();
        let text = piece.repeat((1 << 18) / piece.len());
        let _ = (find(&text), redact(&text));
        assert!(begun.elapsed().as_secs() < 10, "{piece:?} took {:?}", begun.elapsed());
    }
}
