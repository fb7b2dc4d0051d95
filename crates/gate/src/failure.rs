//! What is concluded when nothing can be concluded: every error path of the gate ends in this table.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use clients::Kind;

/// What broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Standard input was closed.
    InputClosed,
    /// The input is larger than is read.
    InputTooLarge,
    /// The input is not the JSON of an event.
    InputUnreadable(String),
    /// The event named on the command line is not the one in the input.
    EventMismatch { argument: String, input: String },
    /// What git says of a push could not be read.
    PushUnreadable(String),
    /// The repository that is pushed from could not be read.
    RepositoryUnreadable(String),
    /// The folder of the session is not known.
    FolderUnknown,
    /// A folder or file that decides which policy holds could not be looked at.
    Unreadable { path: String, why: String },
    /// The policy has mistakes.
    PolicyInvalid(String),
    /// A compiled policy is damaged.
    PolicyDamaged,
    /// The cold binary asked for itself.
    Unanswered,
    /// The cold binary is not there, or cannot be started.
    ColdMissing { path: String, why: String },
    /// The two binaries are not of one build.
    BuildMismatch { hot: String, cold: String },
    /// The program panicked.
    Panic(String),
    /// The answer could not be written.
    AnswerUnwritable,
    /// The file with the last refusal could not be written.
    LastUnwritable(String),
    /// A judgement or a signal could not be recorded, or what a session wrote could not be remembered.
    RecordUnwritable(String),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The call is denied, with a text that says what broke and how to mend it.
    Deny,
    /// The agent's work goes on; nothing is said.
    GoOn,
}

/// The table.
pub fn conclude(failure: &Failure, kind: Kind) -> Conclusion {
    match (failure, kind) {
        // Work is never broken by an event that only tells.
        (_, Kind::Observing) => Conclusion::GoOn,
        // The record of a judgement never changes it; the start of the next session tells the person.
        (Failure::LastUnwritable(_) | Failure::RecordUnwritable(_), _) => Conclusion::GoOn,
        // For all others: what would be let through is not known.
        (
            Failure::InputClosed
            | Failure::InputTooLarge
            | Failure::InputUnreadable(_)
            | Failure::EventMismatch { .. }
            | Failure::PushUnreadable(_)
            | Failure::RepositoryUnreadable(_)
            | Failure::FolderUnknown
            | Failure::Unreadable { .. }
            | Failure::PolicyInvalid(_)
            | Failure::PolicyDamaged
            | Failure::Unanswered
            | Failure::ColdMissing { .. }
            | Failure::BuildMismatch { .. }
            | Failure::Panic(_)
            | Failure::AnswerUnwritable,
            Kind::Guarding | Kind::Asking,
        ) => Conclusion::Deny,
    }
}

/// What broke, in one line.
pub fn what(failure: &Failure) -> String {
    said(failure).0.lines().next().unwrap_or_default().to_owned()
}

/// What broke, and how to mend it.
pub fn text(failure: &Failure) -> String {
    let (what, mend) = said(failure);
    format!("denied: the gate could not judge this call\nwhy: {what}\nmend: {mend}")
}

fn said(failure: &Failure) -> (String, &'static str) {
    match failure {
        Failure::InputClosed => ("standard input is closed".to_owned(), "the hook must be started by the agent's client, with the event on standard input"),
        Failure::InputTooLarge => {
            (format!("the tool call is larger than {} MiB, which is more than the gate reads", crate::MAX_INPUT >> 20), "split it into smaller calls")
        }
        Failure::InputUnreadable(why) => (
            format!("the tool call could not be read: {why}"),
            "send it again without duplicate keys, unpaired surrogates (\\ud800) or nesting beyond 128 levels; if the client's form has changed, tell the person",
        ),
        Failure::EventMismatch { argument, input } => {
            (format!("the hook is wired to `{argument}` but was sent `{input}`"), "run `portcullis init` again; it writes each event's own entry")
        }
        Failure::PushUnreadable(why) => (
            format!("what git says of the push could not be read: {why}"),
            "`portcullis-git pre-push` is started by git as its pre-push hook, with git's lines on standard input and git's arguments (`\"$@\"`)",
        ),
        Failure::RepositoryUnreadable(why) => (
            format!("the repository could not be read: {why}"),
            "run it in the repository, as git does; where objects are missing (a partial clone), `git fetch --refetch`",
        ),
        Failure::FolderUnknown => ("the folder of the session is not known".to_owned(), "the event must carry `cwd`, or `CLAUDE_PROJECT_DIR` must be set"),
        Failure::Unreadable { path, why } => (format!("`{path}` could not be looked at: {why}"), "make it readable for the person the agent runs as"),
        Failure::PolicyInvalid(mistakes) => {
            (format!("the policy has mistakes\n{mistakes}"), "a person mends the policy; `portcullis doctor` shows the mistakes")
        }
        Failure::PolicyDamaged => ("the built-in policy of this binary is damaged".to_owned(), "a person installs the gate again (`portcullis install`)"),
        Failure::Unanswered => ("a question of the judgement was left without an answer".to_owned(), "report it with the command that was judged"),
        Failure::ColdMissing { path, why } => {
            (format!("this call needs `{path}`, which could not be started: {why}"), "a person installs the gate again (`portcullis install`)")
        }
        Failure::BuildMismatch { hot, cold } => {
            (format!("portcullis-hook is of build {hot}, portcullis of build {cold}"), "a person installs both from one source (`portcullis install`)")
        }
        Failure::Panic(what) => {
            (format!("the gate itself broke: {what}"), "report it with the command that was judged; meanwhile another way of doing it may pass")
        }
        Failure::AnswerUnwritable => ("the answer could not be written".to_owned(), "start the hook with standard output and standard error open"),
        Failure::RecordUnwritable(why) => (format!("nothing can be recorded: {why}"), "make the state folder writable; `portcullis doctor` names it"),
        Failure::LastUnwritable(why) => (format!("the refusal could not be noted: {why}"), "make the state folder writable"),
    }
}
