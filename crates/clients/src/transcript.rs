//! How clients write down what is said in a session.

pub mod calls;

/// Where Claude Code, Codex and Gemini CLI keep transcripts, below the home folder.
pub const FOLDERS: [&str; 3] = [".claude/projects", ".codex/sessions", ".gemini/tmp"];

/// The form of a client's transcript. The crate `spend` reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscriptForm {
    ClaudeCode,
    Codex,
    Gemini,
    Qwen,
    Copilot,
    Kimi,
}

impl TranscriptForm {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::ClaudeCode, Self::Codex, Self::Gemini, Self::Qwen, Self::Copilot, Self::Kimi];
}
