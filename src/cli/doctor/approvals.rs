//! Checks who may approve, and whether files of approvals are damaged or not ours.

use super::CheckResults;
use crate::approval::{NAMESPACE, signers, store};
use crate::cli::place::Place;
use crate::deep::approval::signers_of;
use gate::world::system;
use policy::Policy;

const PART: &str = "approval";

/// Looks at `[approval]` and at the files of approvals.
pub(super) fn look(place: &Place, findings: &mut CheckResults) {
    for (path, why) in store::look(&place.around.memory).foreign {
        findings.warn(PART, format!("{} does not count: {why}", path.display()), "remove the file, and find out who wrote it");
    }
    // A policy with mistakes is reported above.
    let Ok(bytes) = place.policy() else { return };
    let Some(section) = Policy::open(&bytes).and_then(|policy| policy.approval) else { return };
    if section.signers.is_empty() {
        if section.terminal {
            findings.ok(PART, "a person approves with a typed word, on a terminal of their own");
        } else {
            findings.warn(PART, "`[approval]` lets nobody approve", "name `signers` (`portcullis approve --setup` makes a key), or set `terminal = true`");
        }
        return;
    }
    let file = signers_of(Some(&section), &place.around, &place.world);
    let text = match file.text() {
        Ok(text) => text,
        Err(why) => return findings.warn(PART, format!("nobody can approve: {why}"), "`portcullis approve --setup` makes a key, and the file"),
    };
    let lines = signers::unreadable_lines(&text);
    if !lines.is_empty() {
        let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
        findings.warn(
            PART,
            format!("`{}`: these lines cannot be read and allow nobody: {}", section.signers, numbers.join(", ")),
            "see ALLOWED SIGNERS in `man ssh-keygen`",
        );
    }
    match signers::count(&text, NAMESPACE, system::now()) {
        0 => findings.warn(PART, format!("no key of `{}` may sign now", section.signers), "`portcullis approve --setup` makes a key and adds it"),
        count => findings.ok(PART, format!("{count} {} may approve ({})", if count == 1 { "key" } else { "keys" }, section.signers)),
    }
}
