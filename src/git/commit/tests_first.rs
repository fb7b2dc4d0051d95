//! Tests first, for what is committed: all files of a commit together, by the true texts.

use std::collections::HashSet;

use crate::deep::changes::Changes;
use crate::deep::committed::Committed;
use actions::change::Id;
use actions::change::files::{Content, File, FileText};
use gate::failure::Failure;
use gate::judge::today;
use policy::verdict::Located;
use policy::{Policy, TestsFirst, Tier};
use tests_first::{Changed, FileVersion, judge};

/// Judges the files of a commit that concern tests.
///
/// # Errors
///
/// An object that is missing.
pub(super) fn tested(files: &[File], around: &Committed, changes: &Changes, policies: &[Policy], commit: Option<&Id>) -> Result<Vec<Located>, Failure> {
    let mut located: Vec<Located> = Vec::new();
    for section in policies.iter().filter_map(|policy| policy.tests_first.as_ref()) {
        let texts = texts(files, section, changes)?;
        let found = if texts.is_empty() { Vec::new() } else { judge(&texts, around, section, today()) };
        for finding in found.into_iter().filter(|finding| !finding.shadow && finding.tier >= Tier::Supervised) {
            let path = finding.action.split_once(' ').map(|(_, path)| path.to_owned());
            if !located.iter().any(|known| known.finding.rule == finding.rule && known.path == path) {
                located.push(Located { finding, path, line: None, commit: commit.map(|id| id.digits().to_owned()), text: String::new() });
            }
        }
    }
    Ok(located)
}

fn texts(files: &[File], section: &TestsFirst, changes: &Changes) -> Result<Vec<Changed>, Failure> {
    let mut texts = Vec::new();
    let concerns = |file: &File| section.concerns(&file.path) || file.from.as_deref().is_some_and(|from| section.concerns(from));
    for file in files.iter().filter(|file| concerns(file)) {
        let content = changes.content(file).map_err(Failure::RepositoryUnreadable)?;
        if !file.others.is_empty() {
            // Of a merge only its own lines: what it adds is taken for what was not there before.
            let own: HashSet<usize> = content.added.iter().map(|(line, _)| *line).collect();
            let before = |new: &str| new.split_inclusive('\n').enumerate().filter(|(at, _)| !own.contains(&(at + 1))).map(|(_, line)| line).collect::<String>();
            let old = content.new.lines().map_or(FileVersion::Unknown, |new| FileVersion::Known(before(new)));
            texts.push(Changed { path: file.path.clone(), old, new: side(content.new), part: false });
            continue;
        }
        let Content { old, new, .. } = content;
        match &file.from {
            None => texts.push(Changed { path: file.path.clone(), old: side(old), new: side(new), part: false }),
            Some(from) => {
                texts.push(Changed { path: from.clone(), old: side(old), new: FileVersion::Absent, part: false });
                texts.push(Changed { path: file.path.clone(), old: FileVersion::Absent, new: side(new), part: false });
            }
        }
    }
    Ok(texts)
}

fn side(text: FileText) -> FileVersion {
    match text {
        FileText::None => FileVersion::Absent,
        FileText::Lines(text) => FileVersion::Known(text),
        FileText::Unread => FileVersion::Unknown,
    }
}
