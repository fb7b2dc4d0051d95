//! The place in which a command was started: folders, the repository around them, and the policy that applies there.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::deep::Cold;
use clients::Invocation;
use gate::call::{self, Purpose};
use gate::failure::Failure;
use gate::world::layers::{self, FoundLayer};
use gate::world::{Surroundings, World};
use policy::{Layer, Policy};

use super::canary;
use super::refusal::Refusal;

#[derive(Clone, Debug)]
pub struct Place {
    pub world: World,
    pub cwd: PathBuf,
    pub around: Surroundings,
}

impl Place {
    /// The place `cwd`, or the folder of this process.
    ///
    /// # Errors
    ///
    /// The folder is not known, or the files of the policy cannot be found.
    pub fn at(cwd: Option<&Path>) -> Result<Self, Refusal> {
        let world = World::real();
        let here = std::env::current_dir().map_err(|_| Failure::FolderUnknown);
        let cwd = match cwd {
            Some(cwd) if cwd.is_absolute() => cwd.to_path_buf(),
            Some(cwd) => here?.join(cwd),
            None => here?,
        };
        let around = world.at(&cwd)?;
        Ok(Self { world, cwd, around })
    }

    /// The place of a session that starts in `root`, which the client exports as the project.
    ///
    /// # Errors
    ///
    /// The files of the policy cannot be found.
    pub fn in_project(root: &Path) -> Result<Self, Refusal> {
        let world = World { project_dir: Some(root.to_path_buf()), ..World::real() };
        let around = world.at(root)?;
        Ok(Self { world, cwd: root.to_path_buf(), around })
    }

    /// The files of all layers, as they are.
    ///
    /// # Errors
    ///
    /// It cannot be found out whether a file exists.
    pub fn layers(&self) -> Result<Vec<FoundLayer>, Refusal> {
        Ok(layers::look(&self.around.layers)?)
    }

    /// True if all built-in rules are in shadow mode.
    ///
    /// # Errors
    ///
    /// As [`Place::policy`].
    pub fn watches(&self) -> Result<bool, Refusal> {
        let bytes = self.policy()?;
        let rules = Policy::open(&bytes).and_then(|policy| policy.all_rules()).unwrap_or_default();
        let mut built_in = rules.iter().filter(|rule| rule.layer == Layer::BuiltIn).peekable();
        Ok(built_in.peek().is_some() && built_in.all(|rule| rule.shadow))
    }

    /// True if nothing holds the call that `init` and `doctor` send to see a denial, because the rules that match it only watch.
    pub fn lets_trial_through(&self) -> bool {
        let event = Invocation::new(None, None).read(canary::before_command(canary::DENIED, &self.cwd, "default").as_bytes());
        let judged = event.ok().and_then(|event| call::judged(&event, &self.world, &Cold, Purpose::Verdict).ok().flatten());
        let verdict = judged.map(|judged| judged.judgement.verdict);
        verdict.is_some_and(|verdict| verdict.holding().next().is_none() && verdict.findings.iter().any(|finding| finding.shadow))
    }

    /// The compiled policy that applies here, by the same function as the hook.
    ///
    /// # Errors
    ///
    /// It has mistakes, or cannot be read.
    pub fn policy(&self) -> Result<Cow<'static, [u8]>, Refusal> {
        policy_bytes(&self.world, &self.around)
    }
}

/// The compiled policy that applies in these surroundings.
///
/// # Errors
///
/// It has mistakes, or cannot be read.
pub fn policy_bytes(world: &World, around: &Surroundings) -> Result<Cow<'static, [u8]>, Refusal> {
    let bytes = gate::call::policy_around(around, world, &Cold).map_err(Failure::from)?;
    // A policy that does not open is reported here once, so that callers need not do it.
    Policy::open(&bytes).ok_or(Failure::PolicyDamaged)?;
    Ok(bytes)
}

/// The folder of the programs by a path that an update does not remove: Homebrew keeps each version in a folder of its own
/// (`PREFIX/Cellar/NAME/VERSION/bin`), and links the newest one as `PREFIX/opt/NAME`.
pub fn lasting(binaries: &Path) -> PathBuf {
    let cellar = binaries.ancestors().nth(3).filter(|folder| folder.ends_with("Cellar"));
    let linked = cellar.and_then(|cellar| Some(cellar.parent()?.join("opt").join(binaries.ancestors().nth(2)?.file_name()?).join("bin")));
    linked.filter(|folder| std::fs::canonicalize(folder).is_ok_and(|real| real == binaries)).unwrap_or_else(|| binaries.to_path_buf())
}

/// A path as text, which settings files and command lines need.
///
/// # Errors
///
/// It is not UTF-8.
pub fn text(path: &Path) -> Result<&str, Refusal> {
    path.to_str()
        .ok_or_else(|| Refusal::new(format!("cannot use `{}`", path.display()), "its name is not UTF-8, which settings files must be", "use another folder"))
}
