//! The lines in `.git/info/exclude` that keep what is one person's own out of commits. Text in, text out.

use clients::claude_code::LOCAL_SETTINGS;

use crate::deep::flywheel::PAGES_MARK;
use clients::wiring::WIRINGS;

/// Files that git must ignore.
pub const LINES: [&str; 2] = [LOCAL_SETTINGS, ".portcullis/"];
const MARK: &str = "# made by `portcullis init`";
/// The same, where the text before had no line end, so that it can lose it again.
const MARK_AFTER_OPEN_LINE: &str = "# made by `portcullis init`; the line above had no end";

/// All lines that are ever added.
fn known_lines() -> impl Iterator<Item = &'static str> {
    LINES.into_iter().chain(WIRINGS.iter().filter_map(|wiring| wiring.local))
}

/// The text with those of the lines that it lacks.
pub fn with(text: &str, lines: &[&'static str]) -> String {
    let missing: Vec<&str> = lines.iter().copied().filter(|line| !text.lines().any(|known| known.trim_end() == *line)).collect();
    if missing.is_empty() {
        return text.to_owned();
    }
    let open = !text.is_empty() && !text.ends_with('\n');
    let (end, mark) = if open { ("\n", MARK_AFTER_OPEN_LINE) } else { ("", MARK) };
    format!("{text}{end}{mark}\n{}\n", missing.join("\n"))
}

/// The text without the lines that [`with`] added, and without the flywheel's pages. `None` if nothing is left.
pub fn without(text: &str) -> Option<String> {
    let mut kept = String::new();
    let (mut ours, mut page) = (false, false);
    for line in text.split_inclusive('\n') {
        if std::mem::replace(&mut page, line.trim_end() == PAGES_MARK) || page {
            continue;
        }
        match line.trim_end() {
            MARK => ours = true,
            MARK_AFTER_OPEN_LINE => {
                ours = true;
                kept.truncate(kept.strip_suffix('\n').map_or(kept.len(), str::len));
            }
            known if ours && known_lines().any(|line| line == known) => {}
            _ => {
                ours = false;
                kept.push_str(line);
            }
        }
    }
    (!kept.is_empty()).then_some(kept)
}
