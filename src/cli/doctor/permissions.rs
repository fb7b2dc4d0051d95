//! Checks who can change what decides: the programs that clients start, their folder, and the policies; and whether the
//! programs may be started.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{CheckResults, Repair, wiring};
use crate::cli::place::Place;
use crate::cli::terminal::{shell_word, shown};
use clients::settings::PROGRAM;
use policy::Layer;

const PART: &str = "files";
/// The person's program.
const COLD: &str = "portcullis";

/// Looks at programs and policies.
pub(super) fn look(place: &Place, findings: &mut CheckResults) {
    let before = findings.0.len();
    // The owner of the home folder is the person whose installation this is.
    let me = place.world.homes.iter().find_map(|home| fs::metadata(home).ok()).map(|known| known.uid());
    let mut programs: Vec<PathBuf> = wiring::programs(place);
    programs.extend(place.world.binaries.iter().flat_map(|folder| [folder.join(PROGRAM), folder.join(COLD)]));
    programs.sort();
    programs.dedup();
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in &programs {
        let Ok(known) = fs::metadata(path) else { continue };
        writable(path, &known, me, true, findings);
        owner(path, &known, me, findings);
        if known.is_file() && known.mode() & 0o111 == 0 {
            let (text, fix) = (format!("`{}` is not executable, so nothing starts it", shown(path)), format!("chmod u+x {}", quoted(path)));
            report(text, fix, Some(Repair::Executable(path.clone())).filter(|_| me == Some(known.uid())), findings);
        }
        folders.extend(path.parent().map(Path::to_path_buf).filter(|folder| !folders.contains(folder)));
    }
    for folder in &folders {
        let Ok(known) = fs::metadata(folder) else { continue };
        if known.mode() & 0o002 != 0 && known.mode() & 0o1000 == 0 {
            let text = format!("everyone on this machine can replace the programs in `{}`", shown(folder));
            let repair = Some(Repair::ReadOnly(folder.clone())).filter(|_| me == Some(known.uid()));
            report(text, format!("chmod o-w {}", quoted(folder)), repair, findings);
        }
    }
    for file in place.layers().unwrap_or_default().iter().filter(|file| !file.identity.is_empty()) {
        let Ok(known) = fs::metadata(&file.path) else { continue };
        writable(&file.path, &known, me, file.layer != Layer::Project, findings);
        if file.layer == Layer::Organisation && known.uid() != 0 {
            let text = format!("the organisation's policy `{}` does not belong to root, so its owner can change it", shown(&file.path));
            findings.warn(PART, text, format!("sudo chown root {}", quoted(&file.path)));
        } else if file.layer == Layer::User {
            owner(&file.path, &known, me, findings);
        }
    }
    if findings.0.len() == before {
        findings.ok(PART, "nobody else can change the programs and the policies");
    }
}

/// A file that others can change. `group`: other members of its group count too.
fn writable(path: &Path, known: &fs::Metadata, me: Option<u32>, group: bool, findings: &mut CheckResults) {
    let repair = || Some(Repair::ReadOnly(path.to_path_buf())).filter(|_| me == Some(known.uid()));
    if known.mode() & 0o002 != 0 {
        report(format!("everyone on this machine can change `{}`", shown(path)), format!("chmod go-w {}", quoted(path)), repair(), findings);
    // A group with the number of its owner is that person's own.
    } else if group && known.mode() & 0o020 != 0 && known.gid() != known.uid() && known.gid() != 0 {
        report(format!("the group {} can change `{}`", known.gid(), shown(path)), format!("chmod g-w {}", quoted(path)), repair(), findings);
    }
}

/// A file of somebody who is neither root nor the person.
fn owner(path: &Path, known: &fs::Metadata, me: Option<u32>, findings: &mut CheckResults) {
    if known.uid() != 0 && me.is_some_and(|me| me != known.uid()) {
        let text = format!("`{}` belongs to another user (number {}), who can change it", shown(path), known.uid());
        findings.fail(PART, text, "install Portcullis again as yourself (`portcullis install`), or as root");
    }
}

fn report(text: String, fix: String, repair: Option<Repair>, findings: &mut CheckResults) {
    match repair {
        Some(repair) => findings.broken(PART, text, fix, repair),
        None => findings.fail(PART, text, fix),
    }
}

fn quoted(path: &Path) -> String {
    shell_word(&path.to_string_lossy())
}

/// Another `portcullis` that comes first on the `PATH`: what a person types is not what was installed.
pub(super) fn on_path(place: &Place, findings: &mut CheckResults) {
    let Some(own) = place.world.binaries.as_ref().map(|folder| folder.join(COLD)) else { return };
    let Some(first) = found(COLD) else { return };
    let same = || {
        let length = |path: &Path| fs::metadata(path).map(|known| known.len()).ok();
        fs::canonicalize(&first).ok() == fs::canonicalize(&own).ok() || length(&first) == length(&own) && fs::read(&first).ok() == fs::read(&own).ok()
    };
    if own.is_file() && !same() {
        let text = format!("`portcullis` on the PATH is `{}`, which is another one than this", shown(&first));
        findings.warn("build", text, format!("remove it, or put `{}` first on the PATH", shown(own.parent().unwrap_or(&own))));
    }
}

/// A program on the `PATH`.
pub(super) fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let is_program = |path: &PathBuf| fs::metadata(path).is_ok_and(|known| known.is_file() && known.mode() & 0o111 != 0);
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(is_program)
}
