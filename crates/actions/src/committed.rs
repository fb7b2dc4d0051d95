//! What a commit does, file by file: the writes and deletions that tools would have made. Reads no object.

use super::{Action, Change, Commit, Deed, Delete, Write, path::Path};
use crate::change::files::{Content, File, FileKind, FileText};

/// What a change does to a file, in the work tree `root`. `lines` of the added ones are taken.
pub fn of_file(root: &str, file: &File, content: &Content, lines: usize) -> Vec<Action> {
    let gone = |path: &str, moved: bool| Action::from(Deed::Delete(Delete { path: place(root, path), recursive: false, moved }));
    let mut actions: Vec<Action> = file.from.iter().map(|from| gone(from, true)).collect();
    match &file.new {
        None => actions.push(gone(&file.path, false)),
        Some(_) => actions.push(Action::from(Deed::Write(Write { path: place(root, &file.path), change: change(file, content, lines) }))),
    }
    actions
}

/// The commit itself.
pub fn of_commit(root: &str, message: Option<&str>, author: &str, files: &[File]) -> Action {
    let touches = files.iter().filter(|file| file.new.is_some()).map(|file| place(root, &file.path)).collect();
    let gone = files.iter().filter_map(|file| if file.new.is_none() { Some(&file.path) } else { file.from.as_ref() });
    let deletes = gone.map(|path| place(root, path)).collect();
    Action::from(Deed::Commit(Commit { message: message.map(str::to_owned), author: author.to_owned(), touches, deletes }))
}

/// Where a path of the repository is.
pub fn place(root: &str, path: &str) -> Path {
    Path { shown: path.to_owned(), ..Path::known(root, path) }
}

fn change(file: &File, content: &Content, lines: usize) -> Change {
    let same = file.old.as_ref().zip(file.new.as_ref()).is_some_and(|(old, new)| old.id == new.id);
    let taken = || content.added.iter().take(lines).map(|(_, line)| line.as_str());
    match (&content.old, &content.new) {
        _ if same && file.from.is_none() => Change::Attributes { tree: false },
        _ if file.new.as_ref().is_some_and(|new| new.kind == FileKind::Module) => Change::Unknown,
        (_, FileText::Unread | FileText::None) => Change::Unknown,
        (FileText::Lines(_), FileText::Lines(_)) => Change::Patch { added: joined(taken()), removed: joined(content.removed.iter().map(String::as_str)) },
        (FileText::None | FileText::Unread, FileText::Lines(text)) if lines >= content.added.len() && file.others.is_empty() => Change::Whole(text.clone()),
        (FileText::None | FileText::Unread, FileText::Lines(_)) => Change::Whole(joined(taken())),
    }
}

fn joined<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}
