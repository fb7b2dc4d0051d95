//! What was found, as workflow commands of GitHub Actions, which annotate the changed lines
//! (docs.github.com, "Workflow commands for GitHub Actions").

use actions::shown::escaped;

use super::changes::{Checked, Level, grade, message};

/// A line for each finding and note.
pub fn commands(checked: &Checked) -> String {
    let mut lines = Vec::new();
    for reported in checked.unknown() {
        let located = &reported.located;
        let command = match grade(located.finding.tier) {
            // What does not fail the job is no error of it.
            "error" if reported.level == Level::Fails => "error",
            "note" => "notice",
            _ => "warning",
        };
        let mut properties = vec![format!("title={}", property(&located.finding.rule))];
        properties.extend(located.path.iter().map(|path| format!("file={}", property(&escaped(path)))));
        properties.extend(located.line.map(|line| format!("line={line}")));
        lines.push(format!("::{command} {}::{}", properties.join(","), data(&message(located))));
    }
    lines.extend(checked.notes.iter().map(|note| format!("::notice title=portcullis::{}", data(&escaped(note)))));
    lines.join("\n")
}

/// A message: `escapeData` of `@actions/core`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value of a property: `escapeProperty` of `@actions/core`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
