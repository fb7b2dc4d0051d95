//! The findings of a check, as text for people and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::explain::tier;
use actions::shown::escaped;
use policy::Tier;
use policy::verdict::{Answer, Located};

/// How a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It makes the check fail.
    Fails,
    /// It is only reported.
    Tells,
    /// It is in the baseline.
    Known,
}

impl Level {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Tells => "reports",
            Self::Known => "known",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    pub located: Located,
    pub level: Level,
    /// The same for the same finding in another commit, or some lines further down.
    pub fingerprint: String,
}

/// A whole check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    pub build: &'a str,
    /// `staged`, `all`, or a range.
    pub what: String,
    /// How many commits were checked.
    pub commits: usize,
    /// How many files, counted in each commit.
    pub files: usize,
    pub reported: Vec<Reported>,
    pub notes: Vec<String>,
}

/// The identity of a finding: a hash of its rule, its file and the text of its line (FNV-1a, 64 bits).
pub fn fingerprint(located: &Located) -> String {
    let parts = [located.finding.rule.as_str(), located.path.as_deref().unwrap_or_default(), located.text.as_str()];
    let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// A finding in one text: the rule, its reason and what to do instead.
pub fn message(located: &Located) -> String {
    let finding = &located.finding;
    let mut text = format!("{}: {}", finding.rule, escaped(&finding.reason));
    if !finding.told.is_empty() {
        let _ = write!(text, "\nfact: {}", escaped(&finding.told));
    }
    if finding.answer == Answer::Maybe {
        text.push_str("\nunsure: something that the rule needs to know could not be found out");
    }
    let _ = write!(text, "\ninstead: {}", escaped(finding.instead.strip_prefix("$ ").unwrap_or(&finding.instead)));
    if let Some(commit) = &located.commit {
        let _ = write!(text, "\ncommit: {commit}");
    }
    text
}

impl Checked<'_> {
    /// Findings that are not in the baseline.
    pub fn unknown(&self) -> impl Iterator<Item = &Reported> {
        self.reported.iter().filter(|reported| reported.level != Level::Known)
    }

    /// The check for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for reported in self.unknown() {
            let Located { finding, path, line, commit, .. } = &reported.located;
            let place = match (path, line) {
                (Some(path), Some(line)) => format!("{path}:{line}"),
                (Some(path), None) => path.clone(),
                (None, _) => finding.action.clone(),
            };
            let commit = commit.as_deref().map(|commit| format!(" in {}", commit.get(..12).unwrap_or(commit))).unwrap_or_default();
            let _ = write!(text, "{}{commit}: {} by `{}`: {}", escaped(&place), tier(finding.tier), finding.rule, escaped(&finding.reason));
            if !finding.told.is_empty() {
                let _ = write!(text, "\n  fact: {}", escaped(&finding.told));
            }
            let _ = writeln!(text, "\n  instead: {}", escaped(finding.instead.strip_prefix("$ ").unwrap_or(&finding.instead)));
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {}", escaped(note));
        }
        let known = self.reported.len() - self.unknown().count();
        let fails = self.reported.iter().filter(|reported| reported.level == Level::Fails).count();
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let _ = write!(text, "{} in {}", counted(self.unknown().count(), "finding"), counted(self.files, "file"));
        if self.commits > 0 {
            let _ = write!(text, " of {}", counted(self.commits, "commit"));
        }
        let _ = write!(text, " ({}); {fails} must be fixed", escaped(&self.what));
        if known > 0 {
            let _ = write!(text, ", {known} more in the baseline");
        }
        text
    }

    /// The check for machines. Keys are only ever added.
    pub fn json(&self) -> Value {
        let finding = |reported: &Reported| {
            let Located { finding, path, line, commit, .. } = &reported.located;
            json!({
                "rule": finding.rule,
                "pack": finding.pack,
                "place": finding.place,
                "tier": finding.tier as u8,
                "word": tier(finding.tier),
                "sure": finding.answer == Answer::Yes,
                "path": path,
                "line": line,
                "commit": commit,
                "reason": finding.reason,
                "instead": finding.instead,
                "fact": finding.told,
                "fingerprint": reported.fingerprint,
                "level": reported.level.name(),
            })
        };
        json!({
            "schema": 1,
            "build": self.build,
            "checked": self.what,
            "commits": self.commits,
            "files": self.files,
            "findings": self.reported.iter().map(finding).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// How grave a finding is, in the words of SARIF and of GitHub.
pub const fn grade(tier: Tier) -> &'static str {
    match tier {
        Tier::Prohibited => "error",
        Tier::Supervised => "warning",
        Tier::Metered | Tier::Free => "note",
    }
}
