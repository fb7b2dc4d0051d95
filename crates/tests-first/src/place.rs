//! Files around a change as a judgement sees them: the changes first, then the tree. Packages, candidates, what tests
//! are where.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::{Changed, FileVersion, Tree};
use crate::layout::{Candidate, Captures, Catalogue, Layout, folder, matches};

/// Entries of folders that are looked through for one judgement.
pub(super) const MAX_ENTRIES: usize = 20_000;
/// Folders that hold no tests of this project.
const NOT_OURS: &str = "\
    node_modules target .git vendor dist build .venv venv _build deps obj .terraform Pods .gradle .idea .next \
    coverage __pycache__";

/// A layout for which a path is a source: its package, and what the parts of the path are.
pub(super) type PlacedSource<'c> = (&'c Layout, Vec<String>, Captures);

/// Names in a folder, sorted, each with whether it is a folder.
type FolderNames = Vec<(String, bool)>;
/// Paths of files, sorted.
type FilePaths = Rc<Vec<String>>;

/// A folder, and the layouts that are asked for.
type MarksKey = (String, *const Layout, usize);

pub(super) struct ChangedTree<'a> {
    changes: &'a [Changed],
    by_path: HashMap<&'a str, &'a Changed>,
    pub(super) tree: &'a dyn Tree,
    folders: RefCell<HashMap<String, Rc<FolderNames>>>,
    /// Texts of files of the tree that were read.
    read: RefCell<HashMap<String, Option<Rc<str>>>>,
    /// Files by the folder that they are in, and whether those below it count.
    below: RefCell<HashMap<(String, bool), FilePaths>>,
    /// The length of the checkout's path, by folder.
    checkouts: RefCell<HashMap<String, usize>>,
    /// Packages by the folder and the first of the layouts that are asked for.
    marks: RefCell<HashMap<MarksKey, Rc<Vec<String>>>>,
    looked: Cell<usize>,
    /// Something was not looked at because of a limit.
    cut: Cell<bool>,
}

impl<'a> ChangedTree<'a> {
    pub(super) fn new(changes: &'a [Changed], tree: &'a dyn Tree) -> Self {
        Self {
            changes,
            by_path: changes.iter().map(|change| (change.path.as_str(), change)).collect(),
            tree,
            folders: RefCell::default(),
            read: RefCell::default(),
            below: RefCell::default(),
            checkouts: RefCell::default(),
            marks: RefCell::default(),
            looked: Cell::new(0),
            cut: Cell::new(false),
        }
    }

    /// What the changes make of a file.
    pub(super) fn change(&self, path: &str) -> Option<&'a Changed> {
        self.by_path.get(path).copied()
    }

    /// The names in a folder, with what the changes bring.
    fn names(&self, folder: &str) -> Rc<FolderNames> {
        if let Some(known) = self.folders.borrow().get(folder) {
            return Rc::clone(known);
        }
        let full = self.looked.get() >= MAX_ENTRIES || self.tree.is_late();
        let mut names = if full { Vec::new() } else { self.tree.list(folder.trim_end_matches('/')) };
        self.cut.set(self.cut.get() || full);
        self.looked.set(self.looked.get() + names.len() + 1);
        for change in self.changes {
            let Some(rest) = change.path.strip_prefix(folder) else { continue };
            let (name, is_folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            if change.new == FileVersion::Absent {
                names.retain(|(known, known_folder)| *known_folder || known != name || is_folder);
            } else if names.iter().all(|(known, _)| known != name) {
                names.push((name.to_owned(), is_folder));
            }
        }
        names.sort();
        let names = Rc::new(names);
        self.folders.borrow_mut().insert(folder.to_owned(), Rc::clone(&names));
        names
    }

    /// True if something was not looked at because of a limit, so that what was not found may exist.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.get()
    }

    /// The checkout that a path is in, as a folder: another repository or work tree around it within this one, or the root
    /// (`""`). Another checkout's files are another project's, or the same ones once more.
    pub(super) fn checkout<'p>(&self, path: &'p str) -> &'p str {
        let start = folder(path);
        if let Some(length) = self.checkouts.borrow().get(start) {
            return path.get(..*length).unwrap_or("");
        }
        let mut at = start;
        while !at.is_empty() && !self.is_checkout(at) {
            at = folder(at.trim_end_matches('/'));
        }
        self.checkouts.borrow_mut().insert(start.to_owned(), at.len());
        at
    }

    /// A path as the policy's patterns see it: in another work tree of the same repository, from that tree's root.
    pub(super) fn inner<'p>(&self, path: &'p str) -> &'p str {
        let checkout = self.checkout(path);
        let linked = || self.before(&format!("{checkout}.git")).is_some_and(|text| text.contains("/worktrees/"));
        if !checkout.is_empty() && linked() { path.get(checkout.len()..).unwrap_or(path) } else { path }
    }

    fn is_checkout(&self, folder: &str) -> bool {
        // Sorted, and a file before a folder.
        let names = self.names(folder);
        let at = names.partition_point(|(name, _)| name.as_str() < ".git");
        names.get(at).is_some_and(|(name, _)| name == ".git") && self.tree.is_checkout(folder.trim_end_matches('/'))
    }

    /// The text of a file after the changes. `None` if it does not exist.
    pub(super) fn text(&self, path: &str) -> Option<FileVersion> {
        if let Some(change) = self.by_path.get(path) {
            return match &change.new {
                FileVersion::Absent => None,
                // Only a stretch is known of it: what was there before tells more.
                FileVersion::Known(text) if change.part => {
                    let before = self.read_before(path).unwrap_or_default();
                    Some(FileVersion::Known(format!("{before}\n{text}")))
                }
                known => Some(known.clone()),
            };
        }
        self.before(path).map(|text| FileVersion::Known(text.to_string()))
    }

    /// The text of a file after the changes, where it is known and not a stretch.
    pub(super) fn whole(&self, path: &str) -> Option<Rc<str>> {
        match self.change(path) {
            Some(change) => change.new.known().filter(|_| !change.part).map(Rc::from),
            None => self.before(path),
        }
    }

    /// Whether the repository says that a file is generated: `linguist-generated` in `.gitattributes`.
    pub(super) fn says_generated(&self, path: &str) -> bool {
        // What the change itself makes of that file does not speak of the change.
        let text = match self.by_path.get(".gitattributes") {
            Some(change) => change.old.known().unwrap_or_default().to_owned(),
            None => self.read_before(".gitattributes").unwrap_or_default(),
        };
        let mut told = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let pattern = words.next()?.trim_start_matches('/');
            let says = words.find_map(|word| match word {
                "linguist-generated" | "linguist-generated=true" => Some(true),
                "-linguist-generated" | "linguist-generated=false" => Some(false),
                _ => None,
            })?;
            let name = path.rsplit('/').next().unwrap_or(path);
            (matches(pattern, path) || (!pattern.contains('/') && matches(pattern, name))).then_some(says)
        });
        // The last line that speaks of it holds (gitattributes(5)).
        told.next_back().unwrap_or(false)
    }

    /// The text of a file in the tree.
    pub(super) fn read_before(&self, path: &str) -> Option<String> {
        self.before(path).map(|text| text.to_string())
    }

    fn before(&self, path: &str) -> Option<Rc<str>> {
        if let Some(known) = self.read.borrow().get(path) {
            return known.clone();
        }
        if self.tree.is_late() {
            self.cut.set(true);
            return None;
        }
        let text: Option<Rc<str>> = self.tree.read(path).map(|bytes| Rc::from(String::from_utf8_lossy(&bytes)));
        self.read.borrow_mut().insert(path.to_owned(), text.clone());
        text
    }

    /// The folders of the manifests above a path, the nearest first; the root of its checkout if there is no manifest.
    pub(super) fn packages(&self, path: &str, layout: &Layout, catalogue: &Catalogue) -> Option<Vec<String>> {
        // A layout without manifests of its own goes by those of all others.
        let marked = self.marked(path, if layout.manifest.is_empty() { &catalogue.layouts } else { std::slice::from_ref(layout) });
        if marked.is_empty() && layout.required {
            return None;
        }
        Some(if marked.is_empty() { vec![self.checkout(path).to_owned()] } else { marked.to_vec() })
    }

    /// The folders at or above a path, up to the root of its checkout, that hold a manifest of one of these layouts, the
    /// nearest first.
    fn marked(&self, path: &str, layouts: &[Layout]) -> Rc<Vec<String>> {
        let key = (folder(path).to_owned(), layouts.as_ptr(), layouts.len());
        if let Some(known) = self.marks.borrow().get(&key) {
            return Rc::clone(known);
        }
        let (mut found, root) = (Vec::new(), self.checkout(path));
        let mut at = folder(path);
        loop {
            if layouts.iter().any(|layout| layout.manifest.iter().any(|name| self.has(at, name, &layout.says))) {
                found.push(at.to_owned());
            }
            if at.len() <= root.len() {
                break;
            }
            at = folder(at.trim_end_matches('/'));
        }
        let found = Rc::new(found);
        self.marks.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    /// Whether this kind of project is at home around a path: the policy names it, its manifest is there, a test of it is
    /// in the tree, or no other kind has its manifest and its sources there. Else a deploy script in a package of TypeScript
    /// would need a test of shell scripts.
    fn at_home(&self, path: &str, (layout, packages, captures): &PlacedSource, catalogue: &Catalogue) -> bool {
        let language = |path: &str| catalogue.language(path).map(|language| language.name.as_str());
        let marked = |layout: &Layout| self.marked(path, std::slice::from_ref(layout));
        let tested = || {
            let candidates = packages.iter().flat_map(|package| layout.candidates(path, package, captures));
            let forms: Vec<String> = candidates.filter(|candidate| !candidate.mention).map(|candidate| candidate.form).collect();
            // A form without an ending speaks of all files: those of the same language count.
            let stands = |form: &String, file: &str| (!form.ends_with('*') || language(file) == language(path)) && matches(form, file);
            self.all(self.checkout(path)).iter().any(|file| language(file).is_some() && forms.iter().any(|form| stands(form, file)))
        };
        let others = || {
            catalogue.layouts.iter().any(|other| {
                let is_source = |file: &String, package: &str| language(file) != language(path) && other.source(file, package).is_some();
                marked(other).first().is_some_and(|package| self.all(package).iter().any(|file| is_source(file, package) && !other.exempts(file, package)))
            })
        };
        layout.named || !marked(layout).is_empty() || !others() || tested()
    }

    /// Whether a folder holds a manifest of this name that says any of `says`.
    fn has(&self, folder: &str, name: &str, says: &[String]) -> bool {
        let (inner, name) = name.rsplit_once('/').map_or((String::new(), name), |(inner, name)| (format!("{inner}/"), name));
        let folder = format!("{folder}{inner}");
        let names = self.names(&folder);
        if !name.contains(['*', '[', '{']) && !names.iter().any(|(known, _)| known == name) {
            return false;
        }
        let mut files = names.iter().filter(|(file, is_folder)| !is_folder && matches(name, file));
        files.any(|(file, _)| {
            says.is_empty() || matches!(self.text(&format!("{folder}{file}")), Some(FileVersion::Known(text)) if says.iter().any(|word| text.contains(word)))
        })
    }

    /// The layouts for which a path is a source that may need a test. A path that is a test of one of them is not a source.
    pub(super) fn sources<'c>(&self, path: &str, catalogue: &'c Catalogue) -> Vec<PlacedSource<'c>> {
        let mut placed = Vec::new();
        let Some(language) = catalogue.language(path) else { return placed };
        let name = path.rsplit('/').next().unwrap_or(path);
        let bare = !name.contains('.') && language.extensions.iter().any(String::is_empty);
        for layout in catalogue.layouts.iter().filter(|layout| layout.may_hold(name, bare)) {
            let Some(packages) = self.packages(path, layout, catalogue) else { continue };
            let package = packages.first().map_or("", String::as_str);
            let Some(captures) = layout.source(path, package) else { continue };
            if layout.exempts(path, package) || layout.is_test(path, package) {
                return Vec::new();
            }
            let found = (layout, packages, captures);
            if self.at_home(path, &found, catalogue) {
                placed.push(found);
            }
        }
        // What one layout takes for a source can be among another's tests: their data, their helpers.
        if !placed.is_empty() && self.is_test(path, catalogue) {
            placed.clear();
        }
        placed
    }

    /// Whether a path is a test of any layout.
    pub(super) fn is_test(&self, path: &str, catalogue: &Catalogue) -> bool {
        self.is_of(path, catalogue, &Layout::is_test)
    }

    /// Whether tests in a file of this path are run: it is named as a layout names tests, or the layout allows tests in sources.
    pub(super) fn runs(&self, path: &str, catalogue: &Catalogue) -> bool {
        self.is_of(path, catalogue, &Layout::runs) || self.sources(path, catalogue).iter().any(|(layout, ..)| layout.inline)
    }

    fn is_of(&self, path: &str, catalogue: &Catalogue, is: &dyn Fn(&Layout, &str, &str) -> bool) -> bool {
        let Some(language) = catalogue.language(path) else { return false };
        let speaks = |layout: &&Layout| {
            layout
                .test
                .iter()
                .any(|test| test.ends_with('*') || test.ends_with('}') || language.extensions.iter().any(|extension| test.ends_with(&format!(".{extension}"))))
        };
        catalogue
            .layouts
            .iter()
            .filter(speaks)
            .any(|layout| self.packages(path, layout, catalogue).is_some_and(|packages| packages.iter().any(|package| is(layout, path, package))))
    }

    /// Where tests of a source can be, by all its layouts, each path once.
    pub(super) fn candidates(path: &str, layouts: &[PlacedSource]) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        let mut add = |candidate: Candidate| {
            if all.iter().all(|known| known.path != candidate.path) {
                all.push(candidate);
            }
        };
        for at in 0..2 {
            for (layout, packages, captures) in layouts {
                let Some(package) = packages.get(at) else { continue };
                layout.candidates(path, package, captures).into_iter().for_each(&mut add);
            }
        }
        all
    }

    /// The files that a path with wildcards stands for.
    pub(super) fn found(&self, pattern: &str) -> Vec<String> {
        if !pattern.contains(['*', '[']) {
            let there = match self.by_path.get(pattern) {
                Some(change) => change.new != FileVersion::Absent,
                None => self.tree.exists(pattern),
            };
            return if there { vec![pattern.to_owned()] } else { Vec::new() };
        }
        let literal = folder(pattern.split(['*', '[']).next().unwrap_or(""));
        let deep = pattern.get(literal.len()..).is_some_and(|rest| rest.contains('/'));
        self.below(literal, deep).iter().filter(|path| matches(pattern, path)).cloned().collect()
    }

    /// As [`ChangedTree::found`], for a pattern with choices.
    pub(super) fn found_by(&self, pattern: &str) -> Vec<String> {
        crate::layout::alternatives(pattern).iter().flat_map(|pattern| self.found(pattern)).collect()
    }

    /// Files in a folder; with `deep`, also those below it, but not those of other checkouts.
    fn below(&self, start: &str, deep: bool) -> FilePaths {
        let key = (start.to_owned(), deep);
        if let Some(known) = self.below.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut files = Vec::new();
        let mut left = vec![start.to_owned()];
        while let Some(folder) = left.pop() {
            for (name, is_folder) in self.names(&folder).iter() {
                if !*is_folder {
                    files.push(format!("{folder}{name}"));
                } else if deep && !NOT_OURS.split(' ').any(|other| other == name) {
                    let inner = format!("{folder}{name}/");
                    if !self.is_checkout(&inner) {
                        left.push(inner);
                    }
                }
            }
        }
        files.sort();
        let files = Rc::new(files);
        self.below.borrow_mut().insert(key, Rc::clone(&files));
        files
    }

    /// All files of the tree that could be looked through.
    pub(super) fn all(&self, package: &str) -> FilePaths {
        self.below(package, true)
    }

    /// Candidates for the tests of `path` as a message names them: those first whose form most tests of its checkout have.
    pub(super) fn ranked(&self, path: &str, candidates: Vec<Candidate>, catalogue: &Catalogue) -> Vec<(String, usize)> {
        let files = self.all(self.checkout(path));
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for candidate in candidates.iter().filter(|candidate| !candidate.mention) {
            counts.entry(&candidate.form).or_insert_with(|| {
                let tests = files.iter().filter(|file| matches(&candidate.form, file));
                tests.filter(|file| catalogue.language(file).is_some()).count()
            });
        }
        let named = candidates.iter().filter(|candidate| !candidate.path.contains(['*', '[', '{']) && !candidate.mention);
        let mut named: Vec<(String, usize)> =
            named.map(|candidate| (candidate.path.clone(), counts.get(candidate.form.as_str()).copied().unwrap_or(0))).collect();
        if named.is_empty() {
            // All hold wildcards: shown as they are.
            named = candidates.iter().filter(|candidate| !candidate.mention).map(|candidate| (candidate.path.clone(), 0)).collect();
        }
        // Among those that are as frequent, one in the source's own language.
        let ending = crate::layout::extension(path);
        named.sort_by_key(|(test, count)| (std::cmp::Reverse(*count), crate::layout::extension(test) != ending));
        named
    }
}
