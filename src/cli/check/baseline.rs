//! The file of known findings. It can only shrink, so that old findings are fixed over time and new ones are not added.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::files::{self, Edit};
use crate::cli::refusal::Refusal;
use crate::report::changes::{Level, Reported};

/// The form of the file.
const SCHEMA: u64 = 1;

/// The file.
#[derive(Serialize, Deserialize)]
struct Baseline {
    schema: u64,
    findings: Vec<KnownFinding>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct KnownFinding {
    rule: String,
    path: String,
    fingerprint: String,
}

/// Marks the findings that the baseline contains, and writes the file if asked to. Returns notes for the report.
///
/// # Errors
///
/// The file cannot be read or written, or is not a baseline.
pub(super) fn apply(path: &Path, write: bool, reported: &mut [Reported]) -> Result<Vec<String>, Refusal> {
    let (_, before) = files::read(path)?;
    if before.is_none() && !write {
        let why = format!("there is no `{}`", path.display());
        return Err(Refusal::usage("nothing was checked", why, "create it with `--write-baseline`"));
    }
    let first = before.is_none();
    let mut left: BTreeMap<KnownFinding, usize> = BTreeMap::new();
    for entry in before.as_deref().map(|bytes| entries(path, bytes)).transpose()?.unwrap_or_default() {
        *left.entry(entry).or_default() += 1;
    }
    let mut kept: Vec<KnownFinding> = Vec::new();
    for reported in reported {
        let located = &reported.located;
        let (rule, path) = (located.finding.rule.clone(), located.path.clone().unwrap_or_default());
        let entry = KnownFinding { rule, path, fingerprint: reported.fingerprint.clone() };
        let known = left.get_mut(&entry).filter(|count| **count > 0).map(|count| *count -= 1).is_some();
        if known || first {
            reported.level = Level::Known;
            kept.push(entry);
        }
    }
    let gone: usize = left.values().sum();
    if write {
        kept.sort();
        let text = serde_json::to_string_pretty(&Baseline { schema: SCHEMA, findings: kept }).unwrap_or_default() + "\n";
        Edit::of(path, files::FILE, |_| Ok(Some(text.into_bytes())))?.apply()?;
    }
    let note = match (gone, write) {
        (0, _) => None,
        (gone, true) => Some(format!("{gone} known findings no longer exist and were removed from the baseline")),
        (gone, false) => Some(format!("{gone} known findings no longer exist; `--write-baseline` removes them from the baseline")),
    };
    Ok(note.into_iter().collect())
}

fn entries(path: &Path, bytes: &[u8]) -> Result<Vec<KnownFinding>, Refusal> {
    let refused = |why: &str| {
        Refusal::usage("nothing was checked", format!("`{}` is not a baseline: {why}", path.display()), "delete it and create it again with `--write-baseline`")
    };
    let file: Baseline = serde_json::from_slice(bytes).map_err(|error| refused(&error.to_string()))?;
    if file.schema == SCHEMA { Ok(file.findings) } else { Err(refused("its `schema` is not 1")) }
}
