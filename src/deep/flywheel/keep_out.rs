//! Inbox and archive are made from the ledger, which each clone has for itself. So they are kept out of commits, and a commit
//! that resolves a suggestion leaves the work tree clean. A page that git tracks is a team's own choice, and stays tracked.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use git2::{Repository, Status};

/// The line before the names of pages in `.git/info/exclude`.
pub const PAGES_MARK: &str = "# pages of the flywheel, made by `portcullis`";

/// Names a page in `.git/info/exclude` if git would show it as a new file. Pages are kept where that cannot be written.
pub(super) fn of_commits(root: &Path, page: &str) {
    let Ok(repository) = Repository::open(root) else { return };
    // Those that are tracked or ignored say something else, and so does one that is not there.
    if repository.status_file(Path::new(page)).is_ok_and(|status| status == Status::WT_NEW) {
        let _ = name(&repository.commondir().join("info/exclude"), page);
    }
}

fn name(exclude: &Path, page: &str) -> io::Result<()> {
    exclude.parent().map_or(Ok(()), fs::create_dir_all)?;
    let before = match fs::read(exclude) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let end = if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" };
    let mut file = OpenOptions::new().append(true).create(true).open(exclude)?;
    file.write_all(format!("{end}{PAGES_MARK}\n{}\n", pattern(page)).as_bytes())
}

/// The pattern that matches this file alone.
fn pattern(page: &str) -> String {
    let escaped: String = page.chars().flat_map(|c| ["*?[\\ ".contains(c).then_some('\\'), Some(c)]).flatten().collect();
    format!("/{escaped}")
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn a_pattern_matches_its_page_alone() {
        for (page, expected) in [("docs/flywheel/pending.md", "/docs/flywheel/pending.md"), ("the [in]box*.md ", r"/the\ \[in]box\*.md\ "), ("!a.md", "/!a.md")]
        {
            assert_eq!(pattern(page), expected);
        }
    }
}
