//! What a coding agent's transcript says was spent: one answer of the model at a time, counted once. Opens no file.
//!
//! The rules are those observed with the clients named at each form; where a transcript shows less than was spent, that is
//! said at the form.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

mod forms;
mod price;

use std::path::{Path, PathBuf};

pub use clients::TranscriptForm;

pub use price::{PRICED_ON, Price, cost, price_of};

/// Tokens of one answer, each counted in one place only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// Input that was not in the cache.
    pub input: u64,
    /// Input that was read from the cache.
    pub cache_read: u64,
    /// Input that was written to the cache for five minutes, or for a time that is not said.
    pub cache_write: u64,
    /// Input that was written to the cache for an hour.
    pub cache_write_hour: u64,
    /// Output, with what the model thought.
    pub output: u64,
}

/// One answer of the model's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelAnswer {
    /// Tells it from all others, in all files. Lines with the same key are of one answer, and the largest output counts.
    pub key: String,
    pub model: String,
    pub usage: TokenUsage,
    /// False: it was interrupted, so more may have been spent.
    pub whole: bool,
    /// Days since 1970-01-01 (UTC), where the line says when.
    pub day: Option<i64>,
    /// The branch that was checked out, where the line says so.
    pub branch: Option<String>,
}

/// The day of `2026-11-30T23:59:00.000Z`.
fn day(time: &str) -> Option<i64> {
    let mut parts = time.get(..10)?.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    // Counted in years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// What earlier lines of a file say of the later ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinesBefore {
    /// The model of the turn, where a line of its own names it.
    pub model: String,
}

/// The answer that a line speaks of. `None`: it speaks of none, or it is no whole line.
pub fn answer(form: TranscriptForm, line: &str, before: &mut LinesBefore) -> Option<ModelAnswer> {
    // Most lines are long and say nothing of it.
    if !marks(form).iter().any(|mark| line.contains(mark)) {
        return None;
    }
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let answer = match form {
        TranscriptForm::ClaudeCode => forms::claude_code(&line),
        TranscriptForm::Codex => forms::codex(&line, before),
        TranscriptForm::Gemini => forms::gemini(&line),
        TranscriptForm::Qwen => forms::qwen(&line),
        TranscriptForm::Copilot => forms::copilot(&line),
        TranscriptForm::Kimi => forms::kimi(&line),
    };
    let text = |key: &str| line.get(key).and_then(serde_json::Value::as_str);
    let branch = text("gitBranch").filter(|branch| !branch.is_empty()).map(str::to_owned);
    answer.map(|answer| ModelAnswer { day: text("timestamp").and_then(day), branch, ..answer })
}

/// Words of which one is in each line that counts.
fn marks(form: TranscriptForm) -> &'static [&'static str] {
    match form {
        TranscriptForm::ClaudeCode => &["\"assistant\""],
        TranscriptForm::Codex => &["token_usage_record", "turn_context"],
        TranscriptForm::Gemini => &["\"tokens\""],
        TranscriptForm::Qwen => &["qwen-code.api_response"],
        TranscriptForm::Copilot => &["session.usage_record", "session.compaction_complete"],
        TranscriptForm::Kimi => &["usage.record"],
    }
}

/// Folders beside a session's transcript in which its sub-agents have theirs.
#[must_use]
pub fn folders(form: TranscriptForm, transcript: &Path) -> Vec<PathBuf> {
    match form {
        TranscriptForm::ClaudeCode => vec![transcript.with_extension("").join("subagents")],
        TranscriptForm::Kimi => transcript.parent().and_then(Path::parent).map(Path::to_path_buf).into_iter().collect(),
        _ => Vec::new(),
    }
}
