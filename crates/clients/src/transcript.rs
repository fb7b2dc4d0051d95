//! How clients write down what is said in a session.

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
