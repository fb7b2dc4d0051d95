//! The answer when a call cannot be judged. Every error path of the hooks ends in this table.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

use actions::shown::{escaped, escaped_lines};
use clients::MomentKind;

/// What broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Standard input was closed.
    InputClosed,
    /// The input is larger than the limit.
    InputTooLarge,
    /// The input is not the JSON of an event.
    InputUnreadable(String),
    /// The input of a known tool does not have the form that the tool takes.
    CallMalformed { tool: String, why: String },
    /// The event named on the command line is not the one in the input.
    EventMismatch { argument: String, input: String },
    /// The lines that git passes to its `pre-push` hook could not be read.
    PushUnreadable(String),
    /// The repository that is pushed from could not be read.
    RepositoryUnreadable(String),
    /// The folder of the session is not known.
    FolderUnknown,
    /// A folder or file that decides which policy applies could not be read.
    Unreadable { path: String, why: String },
    /// The policy has mistakes.
    PolicyInvalid(String),
    /// The compiled policy does not open.
    PolicyDamaged,
    /// The compiled policy opens, and one of its records cannot be read.
    RuleDamaged,
    /// The judgement asked for a fact that nobody answers.
    Unanswered,
    /// The cold binary is missing, or cannot be started.
    ColdMissing { path: String, why: String },
    /// The cold binary was started, and what it gave back is no answer.
    ColdFailed { path: String, why: String },
    /// A file of what was used up so far is not as it was written. The path.
    StateDamaged(String),
    /// What was used up so far cannot be read or written.
    StateUnusable(String),
    /// There was no time to judge the call.
    Busy,
    /// The two binaries are not of one build.
    BuildMismatch { hot: String, cold: String },
    /// The program panicked.
    Panic(String),
    /// The answer could not be written.
    AnswerUnwritable,
    /// The file with the last refusal could not be written.
    LastUnwritable(String),
    /// A judgement or a signal could not be recorded, or the files that a session wrote could not be noted.
    RecordUnwritable(String),
}

/// The answer to a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The call is denied, with a text that says what broke and how to fix it.
    Deny,
    /// The agent's work continues; nothing is printed.
    GoOn,
}

/// The answer to a failure for an event of this kind.
pub fn conclude(failure: &Failure, kind: MomentKind) -> Conclusion {
    match (failure, kind) {
        // An event that only informs never interrupts the work.
        (_, MomentKind::Observing) => Conclusion::GoOn,
        // A record that fails never changes a verdict; the next session reports it to the person when it starts.
        (Failure::LastUnwritable(_) | Failure::RecordUnwritable(_), _) => Conclusion::GoOn,
        // For all others it is not known what would be allowed.
        (_, MomentKind::Guarding | MomentKind::Asking) => Conclusion::Deny,
    }
}

/// What broke, in one line.
pub fn what(failure: &Failure) -> String {
    escaped(said(failure).0.lines().next().unwrap_or_default()).into_owned()
}

/// The text of a failure for a call: what broke, and how to fix it. Of a policy's mistakes it has the first.
pub fn text(failure: &Failure) -> String {
    let (what, fix) = said(failure);
    framed(&if matches!(failure, Failure::PolicyInvalid(_)) { first_mistakes(&what) } else { what }, fix)
}

/// As [`text`], with all mistakes of a policy: for a person who asks.
pub fn whole_text(failure: &Failure) -> String {
    let (what, fix) = said(failure);
    framed(&what, fix)
}

fn framed(what: &str, fix: &str) -> String {
    // Each call has two of them ready, so they are put together without the machinery of `format!`.
    ["denied: Portcullis could not judge this call\nwhy: ", &escaped_lines(what), "\nfix: ", fix].concat()
}

/// Mistakes of a policy that a denial shows.
const MAX_MISTAKES: usize = 3;

/// The first mistakes of a list in which a blank line is between two, and how many more there are.
fn first_mistakes(text: &str) -> String {
    let mistakes: Vec<&str> = text.split("\n\n").collect();
    let more = mistakes.len().saturating_sub(MAX_MISTAKES);
    let shown = mistakes.iter().take(MAX_MISTAKES).copied().collect::<Vec<_>>().join("\n\n");
    if more == 0 { shown } else { format!("{shown}\n\nand {more} more") }
}

/// What keeps a repository from being read, by a word of the message, and what helps.
const UNREADABLE: [(&str, &str); 5] = [
    ("is not in this clone", "run `git fetch --refetch --no-filter`, which brings the objects that a partial clone leaves out"),
    ("'link'", "run `git update-index --no-split-index`, and `git config --unset core.splitIndex` if it is set: this version cannot read a split index"),
    ("'sdir'", "run `git sparse-checkout reapply --no-sparse-index`: this version cannot read a sparse index, the checkout itself may stay sparse"),
    (
        "refstorage",
        "a person can store the refs in files (`git refs migrate --ref-format=files`), or take the hooks out (`portcullis init --git --undo`): this version cannot read refs in tables",
    ),
    ("extensions.", "a person can take the hooks out (`portcullis init --git --undo`), or unset this extension: this version does not know it"),
];

/// What broke and how to fix it.
fn said(failure: &Failure) -> (String, &'static str) {
    match failure {
        Failure::InputClosed => ("standard input is closed".to_owned(), "let the agent's client start the hook, with the event on standard input"),
        Failure::InputTooLarge => (format!("the tool call is larger than {} MiB, which is the limit", crate::MAX_INPUT >> 20), "split it into smaller calls"),
        Failure::InputUnreadable(why) => (
            format!("the tool call could not be read: {}", escaped(why)),
            "send it again without duplicate keys, unpaired surrogates (\\ud800) or nesting beyond 128 levels; if that is not the cause, tell the user",
        ),
        Failure::CallMalformed { tool, why } => {
            (format!("the call of `{}` cannot be judged: {}", escaped(tool), escaped(why)), "send the call again in the form that the tool documents")
        }
        Failure::EventMismatch { argument, input } => (
            format!("the hook is wired to `{}` but received `{}`", escaped(argument), escaped(input)),
            "run `portcullis init` again; it writes one entry for each event",
        ),
        Failure::PushUnreadable(why) => (
            format!("git's description of the push could not be read: {}", escaped(why)),
            "let git start `portcullis-git pre-push` as its pre-push hook, with git's input and git's arguments (`\"$@\"`)",
        ),
        Failure::RepositoryUnreadable(why) => {
            let known = UNREADABLE.iter().find(|(mark, _)| why.contains(mark));
            (format!("the repository could not be read: {}", escaped(why)), known.map_or("run it in the repository, as git does", |(_, fix)| fix))
        }
        Failure::FolderUnknown => ("the folder of the session is not known".to_owned(), "send `cwd` with the event, or set `CLAUDE_PROJECT_DIR`"),
        Failure::Unreadable { path, why } => {
            (format!("`{}` could not be read: {}", escaped(path), escaped(why)), "make it readable for the user that the agent runs as")
        }
        Failure::PolicyInvalid(mistakes) => {
            (format!("the policy has mistakes\n{mistakes}"), "a person must fix the policy; `portcullis doctor` shows the mistakes")
        }
        Failure::PolicyDamaged => ("the built-in policy of this binary is damaged".to_owned(), "a person must install Portcullis again (`portcullis install`)"),
        Failure::RuleDamaged => (
            "a rule in the compiled policy cannot be read".to_owned(),
            "a person must delete the file `policy` in the state folder, which `portcullis doctor` names; without policy files, install Portcullis again",
        ),
        Failure::Unanswered => ("the judgement needs a fact that nothing can answer".to_owned(), "report this as a bug, with the command that was judged"),
        Failure::ColdMissing { path, why } => (
            format!("this call needs `{}`, which could not be started: {}", escaped(path), escaped(why)),
            "a person must install Portcullis again (`portcullis install`)",
        ),
        Failure::ColdFailed { path, why } => (
            format!("this call needs `{}`, which gave no answer: {}", escaped(path), escaped(why)),
            "a person must install Portcullis again (`portcullis install`)",
        ),
        Failure::StateDamaged(path) => (
            format!("`{}`, which says how much of a limit or a budget is used, is damaged", escaped(path)),
            "a person must run `portcullis state reset`, which keeps the damaged file under another name and counts anew",
        ),
        Failure::StateUnusable(why) => (
            format!("how much of a limit or a budget is used cannot be read or written: {}", escaped(why)),
            "make the state folder writable, and make room on its disk; `portcullis doctor` names it",
        ),
        Failure::Busy => (
            "this machine is busy, and the judgement did not come to an end in time".to_owned(),
            "send the same call again when less is running; a large command can be split into smaller calls",
        ),
        Failure::BuildMismatch { hot, cold } => (
            format!("portcullis-hook is of build {}, portcullis of build {}", escaped(hot), escaped(cold)),
            "a person must install both from one source (`portcullis install`)",
        ),
        Failure::Panic(what) => (
            ["Portcullis itself failed: ", &escaped(what)].concat(),
            "report this as a bug, with the command that was judged; a simpler form of the command may work",
        ),
        Failure::AnswerUnwritable => ("the answer could not be written".to_owned(), "start the hook with standard output and standard error open"),
        Failure::RecordUnwritable(why) => {
            (format!("nothing can be recorded: {}", escaped(why)), "make the state folder writable; `portcullis doctor` names it")
        }
        Failure::LastUnwritable(why) => (format!("the refusal could not be saved: {}", escaped(why)), "make the state folder writable"),
    }
}
