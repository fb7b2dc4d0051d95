//! Texts of files as a session leaves them: what it wrote, and what later edits, patches and commands of it make of that. A text
//! that a call may change in a way that cannot be followed is not known any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use actions::lookup::Lookups;
use actions::program::Programs;
use actions::shell::Setting;
use actions::{Action, Change, Deed, ToolCall, tools};

use crate::deep::tests_first::changed_text;

/// Texts that are kept, and the bytes of one.
const MAX_TEXTS: usize = 400;
const MAX_TEXT: usize = 64 << 10;

/// Texts of files by their full paths.
pub type KnownTexts = BTreeMap<String, Arc<str>>;

/// What a call changed, with the text before it: `None` where none was known.
pub type ChangedTexts = Vec<(String, Option<Arc<str>>)>;

/// Follows the texts of one session.
#[derive(Clone, Debug, Default)]
pub struct FollowedTexts {
    known: Arc<KnownTexts>,
}

impl FollowedTexts {
    /// As they are now.
    #[must_use]
    pub fn now(&self) -> Arc<KnownTexts> {
        self.known.clone()
    }

    /// A call of the session, taken as one that succeeds. Returns what it changed, for [`Self::undo`].
    pub fn call(&mut self, call: &ToolCall, cwd: &str, programs: &Programs) -> ChangedTexts {
        if let Some((path, text)) = tools::whole_write(call) {
            return self.put(&full(path, cwd), Some(text.into())).into_iter().collect();
        }
        if !self.concerns(call) {
            return Vec::new();
        }
        let setting = Setting { cwd: cwd.to_owned(), home: None, temporary: "/tmp".to_owned(), root: cwd.to_owned(), zsh: false };
        let (actions, _) = tools::of(call, &setting, programs, Lookups::default());
        actions.iter().flat_map(|action| self.action(action)).collect()
    }

    /// The call did not succeed after all.
    pub fn undo(&mut self, changed: ChangedTexts) {
        for (path, before) in changed.into_iter().rev() {
            self.put(&path, before);
        }
    }

    /// Whether a call may change one of the texts, or write one that will be known. Most calls do neither, and are not read.
    fn concerns(&self, call: &ToolCall) -> bool {
        if tools::writes_file(&call.name) {
            return true;
        }
        let Some(line) = tools::command_line(call) else { return false };
        // A here-document writes a text that is known.
        let names = || self.known.keys().map(|path| path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name));
        line.contains("<<") || names().any(|name| line.contains(name))
    }

    fn action(&mut self, action: &Action) -> ChangedTexts {
        match &action.deed {
            Deed::Write(write) => {
                let Some(path) = write.path.word.literal() else { return Vec::new() };
                let (is_known, new) = match &write.change {
                    Change::Attributes { .. } => return Vec::new(),
                    Change::Tree(_) => return self.forget_below(path),
                    Change::Whole(text) => (true, Some(text.clone())),
                    Change::Copy { from, append: false } => (true, self.known.get(from).map(ToString::to_string)),
                    change => {
                        let before = self.known.get(path);
                        // An edit of nothing makes a new file.
                        let makes = matches!(change, Change::Edits(edits) if edits.first().is_some_and(|(old, ..)| old.is_empty()));
                        let text = before.map(|text| &**text).or(makes.then_some(""));
                        (before.is_some() || makes, text.and_then(|text| changed_text(text, change)))
                    }
                };
                if is_known { self.put(path, new.map(Into::into)).into_iter().collect() } else { Vec::new() }
            }
            Deed::Delete(delete) => match delete.path.word.literal() {
                Some(path) => self.forget_below(path),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// A file or a folder goes, or other files take its place.
    fn forget_below(&mut self, path: &str) -> ChangedTexts {
        let below = format!("{}/", path.trim_end_matches('/'));
        let gone: Vec<String> = self.known.keys().filter(|known| *known == path || known.starts_with(&below)).cloned().collect();
        gone.iter().filter_map(|path| self.put(path, None)).collect()
    }

    /// Sets a text, or forgets it. Returns what was there, if that is another one.
    fn put(&mut self, path: &str, text: Option<Arc<str>>) -> Option<(String, Option<Arc<str>>)> {
        let before = self.known.get(path).cloned();
        let text = text.filter(|text| text.len() <= MAX_TEXT && (before.is_some() || self.known.len() < MAX_TEXTS));
        if before == text {
            return None;
        }
        let known = Arc::make_mut(&mut self.known);
        match text {
            Some(text) => known.insert(path.to_owned(), text),
            None => known.remove(path),
        };
        Some((path.to_owned(), before))
    }
}

/// A path as a full one.
#[must_use]
pub fn full(path: &str, cwd: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", cwd.trim_end_matches('/')) }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
