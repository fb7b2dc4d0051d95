//! Why a command failed: what was not done, why, and how to fix it.

use std::fmt;

use actions::shown::{escaped, escaped_lines};
use gate::failure::{self, Failure};

/// The command failed, or it found something that must be fixed.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Nothing could be judged.
pub const UNJUDGED: u8 = 3;

/// A command that failed. All three texts are clauses in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub what: String,
    pub why: String,
    pub fix: String,
    pub code: u8,
}

impl Refusal {
    pub fn new(what: impl Into<String>, why: impl fmt::Display, fix: impl Into<String>) -> Self {
        let (what, why, fix) = (what.into(), why.to_string(), fix.into());
        Self { what: escaped(&what).into_owned(), why: escaped(&why).into_owned(), fix: escaped(&fix).into_owned(), code: FAILED }
    }

    /// A command line that asks for something that does not exist.
    pub fn usage(what: impl Into<String>, why: impl fmt::Display, fix: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(what, why, fix) }
    }
}

impl From<Failure> for Refusal {
    /// The texts of failures are in `gate::failure`, because agents read them too.
    fn from(failure: Failure) -> Self {
        let text = failure::whole_text(&failure);
        let (why, fix) = text.split_once("\nwhy: ").and_then(|(_, rest)| rest.rsplit_once("\nfix: ")).unwrap_or((&text, "run `portcullis doctor`"));
        Self { what: "nothing was judged; in this state the hook denies every call".to_owned(), why: why.to_owned(), fix: fix.to_owned(), code: UNJUDGED }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "portcullis: {}\nwhy: {}\nfix: {}", escaped_lines(&self.what), escaped_lines(&self.why), escaped_lines(&self.fix))
    }
}

impl std::error::Error for Refusal {}
