//! A work tree as gates look at it: its files, what changed in it, and the commit that its branch began at. Read with libgit2,
//! which starts no program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use actions::json::quoted;
use gate::world::Surroundings;
use git2::{DiffOptions, ObjectType, Oid, Repository, StatusOptions};
use policy::Policy;
use tests_first::layout::matches;

/// How long files are looked at.
const MAX_LOOK: Duration = Duration::from_secs(10);
/// Branches that work is usually merged into, where the policy names none.
const USUAL: &[&str] = &["main", "master"];
/// The mode of an entry that is another repository.
const SUBMODULE: u32 = 0o160_000;

/// A work tree.
pub struct GatedTree {
    pub root: PathBuf,
    repository: Repository,
    /// Branches that work is merged into.
    targets: Vec<String>,
    begun: Instant,
}

/// A file as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
    /// Git knows it.
    pub tracked: bool,
    /// Size, inode, and times of change of the text and of the status, in nanoseconds.
    stat: [i128; 4],
    /// The hash of its text.
    id: String,
}

/// The files of a work tree that git knows or would add.
pub type SeenFiles = BTreeMap<String, SeenFile>;

/// Why something about a work tree is not known.
pub type TreeResult<T> = Result<T, String>;

fn told(error: git2::Error) -> String {
    error.message().to_owned()
}

impl GatedTree {
    /// The work tree around a call.
    ///
    /// # Errors
    ///
    /// There is no repository, or it cannot be read.
    pub fn open(around: &Surroundings, policy: &Policy) -> TreeResult<Self> {
        let Some(found) = &around.repository else { return Err("there is no git repository here".to_owned()) };
        let repository = crate::deep::commits::open(&found.git_dir).map_err(told)?;
        let literal = policy.protected.iter().filter_map(policy::pattern::Pattern::literal).map(str::to_owned);
        let targets = USUAL.iter().map(|name| (*name).to_owned()).chain(literal).collect();
        Ok(Self { root: found.root.clone(), repository, targets, begun: Instant::now() })
    }

    /// The commit that is checked out. `None`: there is no commit yet.
    #[must_use]
    pub fn head(&self) -> Option<Oid> {
        self.repository.head().ok()?.peel_to_commit().ok().map(|commit| commit.id())
    }

    /// The commit at which this branch began: where it left the branch that it is merged into; on that branch itself what the
    /// remote has of it, else the commit at which the first phase began (`begun`). `None`: that is not known.
    #[must_use]
    pub fn base(&self, begun: &str) -> Option<Oid> {
        let head = self.head()?;
        let branch = self.repository.head().ok().and_then(|head| head.shorthand().ok().map(str::to_owned)).unwrap_or_default();
        let remotes = self.repository.remotes().ok();
        let remotes: Vec<String> = remotes.iter().flat_map(|names| names.iter().flatten().flatten().map(str::to_owned)).collect();
        let of_remote = |name: &String| {
            let heads = ["HEAD".to_owned()].into_iter().chain(self.targets.iter().cloned());
            heads.map(|branch| format!("refs/remotes/{name}/{branch}")).collect::<Vec<_>>()
        };
        let own = self.targets.iter().filter(|target| **target != branch).map(|target| format!("refs/heads/{target}"));
        let names: Vec<String> = remotes.iter().flat_map(of_remote).chain(own).collect();
        let commit = |name: &String| self.repository.find_reference(name).ok()?.peel_to_commit().ok().map(|commit| commit.id());
        // A branch that is merged into another knows its beginning by the youngest commit that it shares with any of them.
        let bases = names.iter().filter_map(commit).filter_map(|other| self.repository.merge_base(head, other).ok());
        let youngest = bases.reduce(|one, other| if self.repository.graph_descendant_of(other, one).unwrap_or(false) { other } else { one });
        youngest.or_else(|| {
            let begun = self.repository.revparse_single(begun).ok()?.peel_to_commit().ok()?.id();
            (begun == head || self.repository.graph_descendant_of(head, begun).unwrap_or(false)).then_some(begun)
        })
    }

    /// The files that git knows or would add, as they are now.
    ///
    /// # Errors
    ///
    /// They cannot be read, or there was no time for all of them.
    pub fn files(&self) -> TreeResult<SeenFiles> {
        let mut found = SeenFiles::new();
        for (path, tracked) in self.paths()? {
            if let Some(file) = self.look(&path, tracked, None)? {
                found.insert(path, file);
            }
        }
        Ok(found)
    }

    /// The paths of these files, and whether git knows them.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn paths(&self) -> TreeResult<BTreeMap<String, bool>> {
        let mut index = self.repository.index().map_err(told)?;
        // Another process may have written it since.
        index.read(false).map_err(told)?;
        let name = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        let mut paths: BTreeMap<String, bool> = index.iter().filter(|entry| entry.mode != SUBMODULE).map(|entry| (name(&entry.path), true)).collect();
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true).include_ignored(false).include_unmodified(false);
        let statuses = self.repository.statuses(Some(&mut options)).map_err(told)?;
        for entry in statuses.iter().filter(|entry| entry.status().is_wt_new()) {
            let path = name(entry.path_bytes());
            if !path.ends_with('/') {
                paths.entry(path).or_insert(false);
            }
        }
        Ok(paths)
    }

    /// A file as it is now. `known` is one whose hash is taken over if nothing about the file changed. `None`: it is not there.
    fn look(&self, path: &str, tracked: bool, known: Option<&SeenFile>) -> TreeResult<Option<SeenFile>> {
        if self.begun.elapsed() > MAX_LOOK {
            return Err("there was no time to look at all files".to_owned());
        }
        let full = self.root.join(path);
        let Ok(data) = fs::symlink_metadata(&full) else { return Ok(None) };
        let time = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        let stat = [i128::from(data.size()), i128::from(data.ino()), time(data.mtime(), data.mtime_nsec()), time(data.ctime(), data.ctime_nsec())];
        let id = match known.filter(|known| known.stat == stat) {
            Some(known) => known.id.clone(),
            None if data.is_symlink() => {
                let target = fs::read_link(&full).map_err(|error| error.to_string())?;
                Oid::hash_object(ObjectType::Blob, target.as_os_str().as_bytes()).map_err(told)?.to_string()
            }
            None if data.is_file() => Oid::hash_file(ObjectType::Blob, &full).map_err(told)?.to_string(),
            None => return Ok(None),
        };
        Ok(Some(SeenFile { tracked, stat, id }))
    }

    /// The first file that git knows and that was written, added or removed since `then`. `apart` are files that do not count.
    ///
    /// # Errors
    ///
    /// As [`GatedTree::files`].
    pub fn written_since(&self, then: &SeenFiles, apart: &[&str]) -> TreeResult<Option<String>> {
        let now = self.paths()?;
        let tracked_then = then.iter().filter(|(_, file)| file.tracked).map(|(path, _)| path);
        let tracked_now = now.iter().filter(|(_, tracked)| **tracked).map(|(path, _)| path);
        for path in tracked_then.chain(tracked_now) {
            if apart.contains(&path.as_str()) {
                continue;
            }
            let known = then.get(path);
            if self.look(path, true, known)?.map(|file| file.id).as_ref() != known.map(|file| &file.id) {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }

    /// The files that differ from a commit. Without one: all files.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn changed(&self, base: Option<Oid>) -> TreeResult<Vec<String>> {
        let diff = self.diff(base)?;
        let path = |delta: git2::DiffDelta| delta.new_file().path().or_else(|| delta.old_file().path()).map(|path| path.to_string_lossy().into_owned());
        Ok(diff.deltas().filter_map(path).collect())
    }

    /// How many lines of these paths were added and removed since a commit.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn changed_lines(&self, base: Option<Oid>) -> TreeResult<usize> {
        let stats = self.diff(base)?.stats().map_err(told)?;
        Ok(stats.insertions() + stats.deletions())
    }

    fn diff(&self, base: Option<Oid>) -> TreeResult<git2::Diff<'_>> {
        let tree = base.map(|base| self.repository.find_commit(base).and_then(|commit| commit.tree())).transpose().map_err(told)?;
        let mut options = DiffOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).show_untracked_content(true).ignore_submodules(true).context_lines(0);
        self.repository.diff_tree_to_workdir_with_index(tree.as_ref(), Some(&mut options)).map_err(told)
    }

    /// The text of a file in a commit.
    #[must_use]
    pub fn text_at(&self, commit: Oid, path: &str) -> Option<Vec<u8>> {
        let tree = self.repository.find_commit(commit).ok()?.tree().ok()?;
        let entry = tree.get_path(Path::new(path)).ok()?;
        Some(self.repository.find_blob(entry.id()).ok()?.content().to_vec())
    }

    /// The text of a file as it is now.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        let full = self.root.join(path);
        fs::metadata(&full).ok().filter(|data| data.is_file() && data.len() <= MAX_TEXT)?;
        Some(String::from_utf8_lossy(&fs::read(full).ok()?).into_owned())
    }

    /// When a file was written last, in milliseconds since 1970.
    #[must_use]
    pub fn written_at(&self, path: &str) -> Option<i64> {
        let data = fs::metadata(self.root.join(path)).ok()?;
        Some(data.mtime() * 1000 + data.mtime_nsec() / 1_000_000)
    }

    /// When anything about a file changed last, in milliseconds since 1970. Nobody can set this time.
    #[must_use]
    pub fn changed_at(&self, path: &str) -> Option<i64> {
        let data = fs::metadata(self.root.join(path)).ok()?;
        Some(data.ctime() * 1000 + data.ctime_nsec() / 1_000_000)
    }
}

/// Bytes of a file that are read.
const MAX_TEXT: u64 = 16 << 20;

/// Whether a path fits one of these globs.
#[must_use]
pub fn fits(globs: &[&str], path: &str) -> bool {
    globs.iter().any(|glob| matches(glob, path))
}

/// Files as text, a line each.
#[must_use]
pub fn laid_down(files: &SeenFiles) -> String {
    let mut text = String::new();
    for (path, SeenFile { tracked, stat: [size, inode, written, changed], id }) in files {
        let tracked = u8::from(*tracked);
        let _ = writeln!(text, "{tracked} {id} {size} {inode} {written} {changed} {}", quoted(path));
    }
    text
}

/// Reads what [`laid_down`] wrote.
#[must_use]
pub fn read_back(text: &str) -> Option<SeenFiles> {
    let row = |line: &str| {
        let mut words = line.splitn(7, ' ');
        let (tracked, id) = (words.next()? == "1", words.next()?.to_owned());
        let mut number = || words.next()?.parse::<i128>().ok();
        let stat = [number()?, number()?, number()?, number()?];
        let path: String = serde_json::from_str(words.next()?).ok()?;
        Some((path, SeenFile { tracked, stat, id }))
    };
    text.lines().map(row).collect()
}
