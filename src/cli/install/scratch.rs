//! A repository in a temporary folder, which is deleted when the value is dropped.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use gate::world::state;

#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
    _folder: TempDir,
}

impl Scratch {
    /// An empty repository. It is made without git, which might not be installed.
    pub(super) fn new() -> Result<Self, Refusal> {
        let made = || {
            let folder = tempfile::Builder::new().prefix("portcullis-scratch-").tempdir()?;
            let root = fs::canonicalize(&folder)?;
            for name in ["objects", "refs/heads", "info"] {
                fs::create_dir_all(root.join(".git").join(name))?;
            }
            fs::write(root.join(".git/HEAD"), "ref: refs/heads/main\n")?;
            Ok(Self { root, _folder: folder })
        };
        made().map_err(|error: std::io::Error| Refusal::new("no temporary repository could be made", error, "set TMPDIR to a folder that you can write"))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Removes the state that Portcullis kept for it.
    pub(super) fn forget(&self, place: &Place) {
        for name in [state::POLICY, state::ENDED, state::LAST] {
            let _ = state::remove(&place.world.states, &self.root, name);
        }
        for folder in &place.world.states {
            crate::cli::files::remove_if_empty(&folder.join(state::folder_name(&self.root)));
        }
    }
}
