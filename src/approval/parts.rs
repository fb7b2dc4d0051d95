//! What an approval is bound to: everything that decides what a call would do. Each part is a text with a name, and the
//! digest is made of all of them, so that a person sees just what is bound, and a difference can be named.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use actions::json::{Json, quoted};
use actions::word::Word;
use actions::{Action, Change, Deed, ToolCall};
use gate::stall;
use gate::world::layers::FoundLayer;
use policy::verdict::Verdict;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The names of the parts, and what a difference in each is called.
const NAMES: &[(&str, &str)] = &[
    ("call", "the command or its input"),
    ("folder", "the folder"),
    ("git", "the branch, a commit, a remote or uncommitted work"),
    ("files", "the content of a file that the call reads or runs"),
    ("paths", "where a path leads"),
    ("policy", "the policy"),
    ("agent", "the agent or its client"),
    ("rules", "what the rules say of it"),
    ("cost", "what it costs"),
    ("reading", "how the call is read"),
];
/// Parts that follow from others: they are named only if nothing else differs.
const FOLLOWING: &[&str] = &["rules", "cost", "reading", "paths"];
/// Parts that may differ for two calls to be called near.
const NEAR: usize = 2;
/// Files of which the content is bound; of more, only how many.
const MAX_FILES: usize = 512;
/// Bytes of a file that are read. A longer one is bound by its place, size and times.
const MAX_CONTENT: u64 = 64 << 20;
/// Fields of an input that say nothing of what is done, and that a model words anew each time.
const IDLE: [&str; 2] = ["description", "timeout"];

/// Parts with their names, in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallParts(Vec<(String, String)>);

impl CallParts {
    pub fn add(&mut self, name: &str, text: String) {
        debug_assert!(NAMES.iter().any(|(known, _)| *known == name), "{name}");
        self.0.push((name.to_owned(), text));
    }

    /// The text of a part; empty if it is missing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }

    /// SHA-256 over names and texts, each behind its length, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"portcullis call 1\n");
        for (name, text) in &self.0 {
            for part in [name, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        hexadecimal(&hash.finalize())
    }

    /// How many parts differ, and which in words, if the two are near each other. `None`: they are not, or nothing differs.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<(usize, String)> {
        let differ: Vec<&(&str, &str)> = NAMES.iter().filter(|(name, _)| self.text(name) != other.text(name)).collect();
        let first: Vec<&&(&str, &str)> = differ.iter().filter(|(name, _)| !FOLLOWING.contains(name)).collect();
        if differ.is_empty() || first.len() > NEAR || !are_alike(self.text("call"), other.text("call")) {
            return None;
        }
        let mut words: Vec<String> = Vec::new();
        for (name, what) in if first.is_empty() { differ.iter().collect() } else { first } {
            let lines = changed_line(self.text(name), other.text(name)).filter(|_| matches!(*name, "files" | "git" | "folder"));
            words.push(lines.map_or_else(|| (*what).to_owned(), |line| format!("{what} ({line})")));
        }
        Some((words.len(), words.join(", and ")))
    }
}

/// True if two calls are of one tool, and their commands begin with the same word: others have nothing to do with each other.
fn are_alike(one: &str, other: &str) -> bool {
    let begin = |text: &str| -> (String, String) {
        let mut lines = text.lines();
        let (tool, command) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let word = command.split_whitespace().next().filter(|word| !word.starts_with('{')).unwrap_or_default();
        (tool.to_owned(), word.to_owned())
    };
    begin(one) == begin(other)
}

/// The first line that only one of two texts has, without the digest in front of it.
fn changed_line(one: &str, other: &str) -> Option<String> {
    let known: BTreeSet<&str> = other.lines().collect();
    let line = one.lines().find(|line| !known.contains(line))?;
    let shown = line.split_once("  ").map_or(line, |(_, path)| path);
    Some(actions::clip(shown))
}

/// The command or input of a call in one form: keys in order, and without what says nothing of it.
#[must_use]
pub fn call(call: &ToolCall) -> String {
    let input = match &call.input {
        Json::Object(fields) => Json::Object(fields.iter().filter(|(name, _)| !IDLE.contains(&name.as_str())).cloned().collect()),
        other => other.clone(),
    };
    let mut text = format!("{}\n", call.name);
    // The command as it is written, for the person; the whole input behind it.
    if let Some(command) = actions::tools::command_line(call) {
        let _ = writeln!(text, "{command}");
    }
    canonical(&input, &mut text);
    text
}

fn canonical(json: &Json, out: &mut String) {
    match json {
        Json::Object(fields) => {
            let mut fields: Vec<&(String, Json)> = fields.iter().collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            out.push('{');
            for (name, value) in fields {
                let _ = write!(out, "{}:", quoted(name));
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Json::List(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Json::Text(text) => out.push_str(&quoted(text)),
        Json::Null => out.push_str("null"),
        other => out.push_str(&other.scalar().unwrap_or_default()),
    }
}

/// The actions, as they are judged.
#[must_use]
pub fn reading(actions: &[Action]) -> String {
    let mut hash = Sha256::new();
    for action in actions {
        let text = format!("{action:?}");
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hexadecimal(&hash.finalize())
}

/// What the rules say: the first line names the rule and the reason, the others what was found.
#[must_use]
pub fn rules(verdict: &Verdict) -> String {
    let mut text = String::new();
    for finding in verdict.holding() {
        // How far a limit is used changes with every call, and is no part of what is approved.
        if finding.used_up.is_some() || finding.rule == stall::RULE {
            let _ = writeln!(text, "{}: there is no room for it now: {}", finding.rule, finding.action.replace('\n', " "));
            continue;
        }
        let told = if finding.told.is_empty() { String::new() } else { format!(" ({})", finding.told) };
        let sure = if finding.answer == policy::verdict::Answer::Yes { "" } else { "perhaps " };
        let _ = writeln!(text, "{sure}{}: {}{told}: {}", finding.rule, finding.reason.replace('\n', " "), finding.action.replace('\n', " "));
    }
    text
}

/// The layers of the policy, by their content.
#[must_use]
pub fn policy(found: &[FoundLayer]) -> String {
    let mut text = format!("{}\n", gate::BUILD);
    for layer in found {
        let content = if layer.identity.is_empty() { "absent".to_owned() } else { content(&layer.path) };
        let _ = writeln!(text, "{content}  {} {}", layer.layer.name(), layer.path.display());
    }
    text
}

/// Where the paths of the actions lead.
#[must_use]
pub fn paths(actions: &[Action]) -> String {
    let mut lines = BTreeSet::new();
    for (how, path) in actions.iter().filter_map(touched) {
        lines.insert(format!("{how} {path} → {}", real(Path::new(path)).display()));
    }
    lines.into_iter().take(MAX_FILES).collect::<Vec<_>>().join("\n")
}

fn touched(action: &Action) -> Option<(&'static str, &str)> {
    let (how, word): (_, &Word) = match &action.deed {
        Deed::Write(write) => ("write", &write.path.word),
        Deed::Delete(delete) => ("delete", &delete.path.word),
        Deed::Read(read) => ("read", &read.path.word),
        Deed::Run(run) => ("in", &run.folder),
        _ => return None,
    };
    Some((how, word.literal()?))
}

/// The real path of the nearest folder that exists, with the rest behind it.
fn real(path: &Path) -> std::path::PathBuf {
    let mut at = path;
    loop {
        if let Ok(real) = fs::canonicalize(at) {
            return real.join(path.strip_prefix(at).unwrap_or(Path::new("")));
        }
        match at.parent() {
            Some(parent) => at = parent,
            None => return path.to_path_buf(),
        }
    }
}

/// The content of the files that the judgement opened, and of those that the call reads.
#[must_use]
pub fn files(opened: &BTreeSet<String>, actions: &[Action]) -> String {
    let mut all = opened.clone();
    for action in actions {
        match &action.deed {
            Deed::Read(read) => all.extend(read.path.word.literal().map(str::to_owned)),
            Deed::Write(write) => match &write.change {
                Change::Copy { from, .. } => drop(all.insert(from.clone())),
                Change::Edited(edited) => all.extend(edited.from.iter().cloned()),
                _ => {}
            },
            _ => {}
        }
    }
    let mut text: Vec<String> = all.iter().take(MAX_FILES).map(|path| format!("{}  {path}", content(Path::new(path)))).collect();
    if all.len() > MAX_FILES {
        text.push(format!("and {} more", all.len() - MAX_FILES));
    }
    text.join("\n")
}

/// The SHA-256 of a file, or what is there instead.
#[must_use]
pub fn content(path: &Path) -> String {
    let Ok(mut file) = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path) else {
        return if path.symlink_metadata().is_ok() { "unreadable".to_owned() } else { "absent".to_owned() };
    };
    match file.metadata() {
        Ok(found) if found.is_dir() => "folder".to_owned(),
        Ok(found) if found.is_file() && found.len() <= MAX_CONTENT => digest_of(&mut file).unwrap_or_else(|| "unreadable".to_owned()),
        Ok(found) => format!("{}-{}-{}-{}-{}", found.dev(), found.ino(), found.len(), found.mtime_nsec(), found.ctime()),
        Err(_) => "unreadable".to_owned(),
    }
}

fn digest_of(file: &mut File) -> Option<String> {
    let (mut hash, mut block) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut block).ok()? {
            0 => return Some(hexadecimal(&hash.finalize())),
            length => hash.update(block.get(..length)?),
        }
    }
}

/// The SHA-256 of a text.
#[must_use]
pub fn digest(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(call: &str, folder: &str, git: &str) -> CallParts {
        let mut parts = CallParts::default();
        let call = &format!("tool\n{call}\n{{}}");
        for (name, text) in [("call", call.as_str()), ("folder", folder), ("git", git), ("reading", call)] {
            parts.add(name, text.to_owned());
        }
        parts
    }

    #[test]
    fn each_difference_changes_the_digest_and_is_named() {
        let one = parts("git push", "/r", "HEAD main 1");
        for (other, words) in [
            (parts("git  push", "/r", "HEAD main 1"), "the command"),
            (parts("git push", "/s", "HEAD main 1"), "the folder"),
            (parts("git push", "/r", "HEAD other 1"), "the branch"),
            (parts("git push/", "r", "HEAD main 1"), "the command"),
        ] {
            assert_ne!(one.digest(), other.digest());
            assert!(one.difference(&other).is_some_and(|(_, text)| text.contains(words)), "{:?}", one.difference(&other));
        }
        assert_eq!(one.difference(&one.clone()), None);
        assert_eq!(one.difference(&parts("git push a", "/x", "HEAD y 2")), None);
        assert_eq!(one.difference(&parts("ls", "/r", "HEAD main 1")), None);
        // Known, so that a change of the form does not pass unseen.
        assert_eq!(CallParts::default().digest(), digest("portcullis call 1\n"));
    }

    #[test]
    fn an_input_is_the_same_whatever_the_order_of_its_keys_and_its_description() {
        let tool = |input: &str| call(&ToolCall { name: "tool".to_owned(), input: Json::read(input.as_bytes()).expect("JSON") });
        let one = tool(r#"{"command":"git push","description":"a","run_in_background":true}"#);
        assert_eq!(one, tool(r#"{"run_in_background":true,"description":"b","timeout":5,"command":"git push"}"#));
        for other in [r#"{"command":"git push ","run_in_background":true}"#, r#"{"command":"git push","run_in_background":false}"#, r#"{"command":"git push"}"#]
        {
            assert_ne!(one, tool(other), "{other}");
        }
    }
}
