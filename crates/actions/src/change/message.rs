//! The message of a commit as git will keep it: without comments and what is below the scissors line.

/// What git does to a message before it is committed (git-commit(1), "--cleanup").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// Comments go.
    Strip,
    /// Comments stay.
    Whitespace,
    /// As `Whitespace`, and all below the scissors line goes.
    Scissors,
    /// Nothing goes.
    Verbatim,
}

/// The line below which git cuts (`wt-status.c`), behind the comment sign and a blank.
const SCISSORS: &str = "------------------------ >8 ------------------------";

/// The message that is committed. `comment` is what a comment begins with.
pub fn cleaned(text: &str, cleanup: Cleanup, comment: &str) -> String {
    if cleanup == Cleanup::Verbatim {
        return text.to_owned();
    }
    let scissors = format!("{comment} {SCISSORS}");
    // With `--verbose` the difference is below the scissors line in every mode in which an editor was open.
    let cut = matches!(cleanup, Cleanup::Scissors | Cleanup::Strip);
    let kept = text
        .lines()
        .take_while(|line| !(cut && line.trim_end() == scissors))
        .filter(|line| cleanup != Cleanup::Strip || !line.starts_with(comment))
        .map(str::trim_end);
    let mut message = String::new();
    for line in kept {
        // Several empty lines are one.
        if !(line.is_empty() && (message.is_empty() || message.ends_with("\n\n"))) {
            message.push_str(line);
            message.push('\n');
        }
    }
    message.truncate(message.trim_end().len());
    message
}
