//! What the hook gives back to the client that started it.

/// How an answer stops what was about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A person is asked.
    Ask,
    /// It is denied.
    Deny,
}

/// What the process gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookAnswer {
    /// The exit code.
    pub code: i32,
    /// Standard output: nothing, or one JSON object.
    pub stdout: String,
    /// Standard error: nothing, or the reason of a denial.
    pub stderr: String,
    /// What the client makes of it. `None`: nothing is stopped.
    pub held: Option<Held>,
}

impl HookAnswer {
    /// Nothing to say; never an explicit allow, which would skip the person's own prompts.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Exit 2, the reason on standard error, an empty standard output. Claude Code 2.1.329, Codex 0.169.0 and Gemini CLI 0.61.0
    /// deny on it (observed). Codex and Gemini need the reason: without one they continue.
    #[must_use]
    pub fn exit_two(reason: &str) -> Self {
        Self { code: 2, stdout: String::new(), stderr: [reason, "\n"].concat(), held: Some(Held::Deny) }
    }

    /// A JSON object on standard output, with exit 0.
    #[must_use]
    pub fn json(object: String, held: Option<Held>) -> Self {
        Self { code: 0, stdout: object, stderr: String::new(), held }
    }
}
