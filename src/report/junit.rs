//! What was found, as `JUnit` XML, as test reports are read by CI: a finding is a test case; what fails the check, fails it.

use std::fmt::Write as _;

use actions::shown::escaped;

use super::changes::{Checked, Level, Reported, message};

/// The whole document.
pub fn suites(checked: &Checked) -> String {
    let count = |level: Level| checked.reported.iter().filter(|reported| reported.level == level).count();
    let (failures, skipped) = (count(Level::Fails), count(Level::Known));
    let tests = checked.reported.len().max(1);
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\"");
    let _ = writeln!(
        xml,
        "<testsuites name=\"portcullis\" {totals}>\n  <testsuite name=\"portcullis {}\" {totals} skipped=\"{skipped}\">",
        in_xml(&escaped(&checked.what))
    );
    if checked.reported.is_empty() {
        let _ = writeln!(xml, "    <testcase classname=\"portcullis\" name=\"no findings\"/>");
    }
    for reported in &checked.reported {
        let _ = writeln!(xml, "    {}", case(reported));
    }
    if !checked.notes.is_empty() {
        let _ = writeln!(xml, "    <system-out>{}</system-out>", in_xml(&checked.notes.iter().map(|note| escaped(note)).collect::<Vec<_>>().join("\n")));
    }
    xml + "  </testsuite>\n</testsuites>"
}

fn case(reported: &Reported) -> String {
    let located = &reported.located;
    let place = located.path.clone().unwrap_or_else(|| located.finding.action.clone());
    let line = located.line.map(|line| format!(":{line}")).unwrap_or_default();
    let head = format!("<testcase classname=\"{}\" name=\"{}\"", in_xml(&located.finding.rule), in_xml(&format!("{}{line}", escaped(&place))));
    let body = in_xml(&message(located));
    match reported.level {
        Level::Fails => {
            format!(
                "{head}><failure type=\"{}\" message=\"{}\">{body}</failure></testcase>",
                in_xml(&located.finding.rule),
                in_xml(&escaped(&located.finding.reason))
            )
        }
        Level::Known => format!("{head}><skipped message=\"in the baseline\"/></testcase>"),
        Level::Tells => format!("{head}><system-out>{body}</system-out></testcase>"),
    }
}

/// A text in XML 1.0, which has no place for control characters.
fn in_xml(text: &str) -> String {
    let mut out = String::new();
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            sign if sign.is_control() => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}
