//! Git's configuration files (git-config(1), "Configuration File"), read by ourselves: the system's, the person's, the
//! repository's, and what they include. Whether a condition of `includeIf` holds is not asked; its file is read.

use std::path::{Path, PathBuf};

use super::{Discovery, discover};
use crate::world::Surroundings;
use crate::world::lookup::beginning;

/// Bytes that are read of one file.
const MAX_FILE: u64 = 256 << 10;
/// Files that may include one another.
const MAX_DEPTH: usize = 4;

/// All entries that git reads in `folder`, the later ones winning: `section.sub.name` with section and name in small
/// letters, and the value.
pub fn entries(folder: &Path, around: &Surroundings) -> Vec<(String, String)> {
    let home = around.places.homes.first().map(PathBuf::from);
    let mut files = vec![PathBuf::from("/etc/gitconfig")];
    if let Some(home) = &home {
        files.extend([home.join(".config/git/config"), home.join(".gitconfig")]);
    }
    match (&around.repository, discover(folder)) {
        (_, Discovery::Found(repository)) => files.extend([repository.common_dir.join("config"), repository.git_dir.join("config.worktree")]),
        (_, Discovery::Bare(folder)) => files.push(folder.join("config")),
        (Some(repository), Discovery::Unreadable(_)) => files.push(repository.common_dir.join("config")),
        _ => {}
    }
    let mut all = Vec::new();
    for file in files {
        add(&file, home.as_deref(), 0, &mut all);
    }
    all
}

fn add(path: &Path, home: Option<&Path>, depth: usize, all: &mut Vec<(String, String)>) {
    let Some(bytes) = beginning(path, MAX_FILE) else { return };
    for (key, value) in parse(&String::from_utf8_lossy(&bytes)) {
        if depth < MAX_DEPTH && (key == "include.path" || (key.starts_with("includeif.") && key.strip_suffix(".path").is_some())) {
            let included = match (value.strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => path.parent().unwrap_or(path).join(&value),
            };
            add(&included, home, depth + 1, all);
        }
        all.push((key, value));
    }
}

/// The entries of one file. What git would refuse is passed over.
#[must_use]
pub fn parse(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut section = String::new();
    let text = text.replace("\\\r\n", "\\\n");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start();
        if let Some(rest) = line.strip_prefix('[') {
            let (head, rest) = header(rest);
            section = head;
            line = rest.trim_start();
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (name, raw) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        let name = name.trim_end().to_ascii_lowercase();
        // A name alone means true.
        let mut value = raw.map_or_else(|| "true".to_owned(), str::to_owned);
        while value.ends_with('\\') && !value.ends_with("\\\\") {
            value.pop();
            value.push_str(lines.next().unwrap_or(""));
        }
        all.push((format!("{section}.{name}"), raw.map_or(value.clone(), |_| unquoted(&value))));
    }
    all
}

/// `section "sub"]` as `section.sub`, and what is after the bracket.
fn header(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                if !quoted {
                    name.push('.');
                }
                quoted = !quoted;
            }
            '\\' if quoted => name.extend(chars.next().map(|(_, c)| c)),
            ']' if !quoted => return (name, text.get(at + 1..).unwrap_or("")),
            c if quoted => name.push(c),
            c if c.is_whitespace() => {}
            c => name.push(c.to_ascii_lowercase()),
        }
    }
    (name, "")
}

/// A value without its quotes, escapes and comment.
fn unquoted(text: &str) -> String {
    let mut value = String::new();
    let mut quoted = false;
    let mut kept = 0;
    let mut chars = text.trim_start().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => value.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                Some(c) => c,
                None => break,
            }),
            '#' | ';' if !quoted => break,
            c => value.push(c),
        }
        // Blanks at the end count only within quotes.
        if quoted || !c.is_whitespace() {
            kept = value.len();
        }
    }
    value.truncate(kept);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_git_reads_them() {
        let text = "; note\n[core]\n\tbare = false # no\n[alias] pf = push --force\n  long = \"!f() { \\\n git push; }; f\"\n[Remote \"Or\\\"igin\"]\nPush = +refs/*:refs/* \n[a.B]\nflag\n";
        let expected = [
            ("core.bare", "false"),
            ("alias.pf", "push --force"),
            ("alias.long", "!f() {  git push; }; f"),
            ("remote.Or\"igin.push", "+refs/*:refs/*"),
            ("a.b.flag", "true"),
        ];
        let found = parse(text);
        let found: Vec<(&str, &str)> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
    }
}
