//! Whether a test was seen to fail before the code that it asks for is written.

use super::{FileVersion, Judge};
use crate::report_file::{self, Ran};
use crate::syntax::{Node, SourceCode};
use policy::Red;

/// Where tools leave reports of test runs.
const REPORTS: &[&str] = &[
    "junit.xml",
    "*junit*.xml",
    "report.xml",
    "test-results.{xml,json,tap}",
    "test-report.{xml,json}",
    "results.{xml,json,tap}",
    "report.json",
    ".report.json",
    "reports/**/*.{xml,json,tap}",
    "test-results/**/*.{xml,json}",
    "test-reports/**/*.xml",
    "target/nextest/**/junit.xml",
    "target/surefire-reports/*.xml",
    "build/test-results/**/*.xml",
    "_build/test/**/*.xml",
    "TestResults/**/*.xml",
    "coverage/*.json",
];
/// Reports that are looked into.
const MAX_REPORTS: usize = 64;

impl Judge<'_> {
    /// Why a test gives no evidence that the code is missing. `None` if it does, or if none is asked for.
    ///
    /// A report is tied to the test by its content: it speaks of the text as it is only if every test in that is in the
    /// report. What a report does not speak of is unknown, which is not *no*.
    pub(super) fn not_red(&self, test: &str, inline: bool, defines: bool) -> Option<String> {
        // Refactoring changes bodies under green tests.
        if self.section.red == Red::Off || !defines {
            return None;
        }
        let Some(FileVersion::Known(whole)) = self.places.text(test) else { return None };
        let language = self.catalogue.language(test)?;
        let source = SourceCode::new(&whole, language);
        let failed = self.places.tree.seen_to_fail(test, &evidence(&source, &whole, inline)).or_else(|| {
            let reported = self.reports().into_iter().filter_map(|ran| spoken(source.nodes(), &ran)).collect::<Vec<_>>();
            reported.iter().copied().max()
        });
        match (failed, self.section.red) {
            (Some(true), _) | (None, Red::WhenReported) => None,
            (None, _) if !self.places.tree.sees_runs() => None,
            (Some(false), _) => Some(format!("no test in `{test}` fails without it")),
            (None, _) => Some(format!("no failing run of `{test}` in its present form was seen")),
        }
    }

    fn reports(&self) -> Vec<Vec<Ran>> {
        let own = self.section.reports.iter().copied();
        let paths = REPORTS.iter().copied().chain(own).flat_map(|pattern| self.places.found_by(pattern));
        let texts = paths.take(MAX_REPORTS).filter_map(|path| self.places.read_before(&path));
        texts.map(|text| report_file::read(&text)).filter(|ran| !ran.is_empty()).collect()
    }
}

/// What of a file its tests are: all of it, or of one whose tests are beside the code, those alone.
pub fn evidence(source: &SourceCode, whole: &str, inline: bool) -> String {
    if !inline {
        return whole.to_owned();
    }
    let texts = source.nodes().iter().flat_map(|node| source.tokens.get(node.start..node.end).unwrap_or(&[])).map(|token| token.text);
    texts.collect::<Vec<_>>().join(" ")
}

/// Whether a report says that any of these tests failed. `None` if it does not speak of all of them.
fn spoken(nodes: &[Node], ran: &[Ran]) -> Option<bool> {
    let mut failed = false;
    for node in nodes.iter().filter(|node| !node.skipped) {
        let name = bare(&node.name);
        let found: Vec<&Ran> = ran.iter().filter(|ran| names(&ran.name, name)).collect();
        if found.is_empty() {
            return None;
        }
        failed |= found.iter().any(|ran| ran.failed);
    }
    (!nodes.is_empty()).then_some(failed)
}

/// A test's name without quotes and what is before it: `def test_a` is `test_a`.
pub(super) fn bare(name: &str) -> &str {
    let quoted = name.trim_matches(['"', '\'', '`']);
    if quoted.len() < name.len() { quoted } else { name.rsplit(' ').next().unwrap_or(name) }
}

/// Whether a report's name of a test is this one: the whole of it, or its end behind the names of what holds it.
fn names(reported: &str, name: &str) -> bool {
    // Parameters are after it: `test_a[1]`, `adds(int)`.
    let reported = reported.split(['[', '(']).next().filter(|head| !head.is_empty()).unwrap_or(reported).trim_end();
    reported.strip_suffix(name).is_some_and(|head| !head.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_'))
}
