//! A repository in a temporary folder that goes when it is dropped.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::world::{state, system};

/// A scratch repository.
#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
}

impl Scratch {
    /// An empty repository, made by hand: git need not be there for the gate to be tried.
    pub(super) fn new() -> Result<Self, Refusal> {
        let folder = std::env::temp_dir().join(format!("portcullis-scratch-{}-{}", std::process::id(), system::now_ns()));
        let refused =
            |error| Refusal::new("no scratch repository could be made", format!("`{}`: {error}", folder.display()), "set TMPDIR to a folder that is yours");
        // Not recursive: a folder that somebody else laid there is an error.
        fs::DirBuilder::new().mode(0o700).create(&folder).map_err(refused)?;
        let scratch = Self { root: fs::canonicalize(&folder).map_err(refused)? };
        for name in ["objects", "refs/heads", "info"] {
            fs::create_dir_all(scratch.root.join(".git").join(name)).map_err(refused)?;
        }
        fs::write(scratch.root.join(".git/HEAD"), "ref: refs/heads/main\n").map_err(refused)?;
        Ok(scratch)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Takes away what the gate has kept for it.
    pub(super) fn forget(&self, place: &Place) {
        for name in [state::POLICY, state::LAST] {
            let _ = state::remove(&place.world.states, &self.root, name);
        }
        for folder in &place.world.states {
            crate::cli::files::remove_if_empty(&folder.join(state::folder_name(&self.root)));
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.root);
    }
}
