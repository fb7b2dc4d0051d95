//! The text that a person signs: which request, until when, and in words what it is about. It is read back line by line,
//! and anything that does not have just this form is no statement.

use std::fmt::Write as _;

use actions::shown::escaped;

/// The first line.
const FIRST: &str = "portcullis approval, format 1";
/// Signs of a line that says what the request is about.
const MAX_WORDS: usize = 400;

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalStatement {
    pub code: String,
    /// The digest of the request.
    pub digest: String,
    /// When it begins and ends, in seconds since 1970.
    pub from: u64,
    pub until: u64,
    /// What it is about, for the person: lines of words, which nothing goes by.
    pub about: Vec<String>,
}

impl ApprovalStatement {
    /// The text, with its end.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { code, digest, from, until, about } = self;
        let mut text = format!("{FIRST}\ncode: {code}\ndigest: {digest}\nfrom: {from}\nuntil: {until}\n");
        for line in about {
            let words: String = line.chars().take(MAX_WORDS).collect();
            let cut = if words.len() < line.len() { "…" } else { "" };
            let _ = writeln!(text, "about: {}{cut}", escaped(&words));
        }
        text
    }

    /// Reads a statement. `None` if it has another form.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next() != Some(FIRST) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
        let (code, digest, from, until) = (field("code")?, field("digest")?, field("from")?, field("until")?);
        let about: Option<Vec<String>> = lines.map(|line| line.strip_prefix("about: ").map(str::to_owned)).collect();
        let whole = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        (whole && super::code::read(&code).as_ref() == Some(&code)).then_some(Self {
            code,
            digest,
            from: from.parse().ok()?,
            until: until.parse().ok()?,
            about: about?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_back_and_nothing_else_is_one() {
        let statement = ApprovalStatement {
            code: "K7QM-2XRD".to_owned(),
            digest: "ab".repeat(32),
            from: 10,
            until: 20,
            about: vec!["git push\nuntil: 99999999999".to_owned(), "rule".to_owned()],
        };
        let text = statement.text();
        assert!(!text.contains("\nuntil: 9"), "{text}");
        let read = ApprovalStatement::read(&text).expect("a statement");
        assert_eq!((read.code.as_str(), read.from, read.until, read.about.len()), ("K7QM-2XRD", 10, 20, 2));
        for (from, to) in [
            ("format 1", "format 2"),
            ("code: ", "code:"),
            ("until: 20", "until: 20 "),
            ("until: 20\n", ""),
            ("about: r", "r"),
            ("rule\n", "rule"),
            ("K7QM", "K7Q0"),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(ApprovalStatement::read(&text.replacen(from, to, 1)), None, "{from} → {to}");
        }
    }
}
