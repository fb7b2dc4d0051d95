//! Why a command of the people's door was not done: what, why, and what to do about it.

use std::fmt;

use gate::failure::{self, Failure};

/// It was not done, or what was found is not well.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// Nothing could be judged.
pub const UNJUDGED: u8 = 3;

/// A command that was not done. All three texts are clauses in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub what: String,
    pub why: String,
    pub mend: String,
    pub code: u8,
}

impl Refusal {
    pub fn new(what: impl Into<String>, why: impl fmt::Display, mend: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.to_string(), mend: mend.into(), code: FAILED }
    }

    /// A command line that asks for what there is not.
    pub fn usage(what: impl Into<String>, why: impl fmt::Display, mend: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(what, why, mend) }
    }
}

impl From<Failure> for Refusal {
    /// The gate's own failures are worded in `failure`, for the agent too.
    fn from(failure: Failure) -> Self {
        let text = failure::text(&failure);
        let (why, mend) = text.split_once("\nwhy: ").and_then(|(_, rest)| rest.rsplit_once("\nmend: ")).unwrap_or((&text, "run `portcullis doctor`"));
        Self { what: "not judged: guarding events are denied".to_owned(), why: why.to_owned(), mend: mend.to_owned(), code: UNJUDGED }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "portcullis: {}\nwhy: {}\nmend: {}", self.what, self.why, self.mend)
    }
}

impl std::error::Error for Refusal {}
