//! The file of known findings. It can only shrink, so that old findings are fixed over time and new ones are not added.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::files::{self, Edit};
use crate::cli::refusal::Refusal;
use crate::report::changes::{Level, Reported};

/// The form of the file.
const SCHEMA: u64 = 1;

/// Rule, path and fingerprint.
type KnownFinding = (String, String, String);

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
        let entry = (reported.located.finding.rule.clone(), reported.located.path.clone().unwrap_or_default(), reported.fingerprint.clone());
        let known = left.get_mut(&entry).filter(|count| **count > 0).map(|count| *count -= 1).is_some();
        if known || first {
            reported.level = Level::Known;
            kept.push(entry);
        }
    }
    let gone: usize = left.values().sum();
    if write {
        kept.sort();
        let findings: Vec<Value> = kept.iter().map(|(rule, path, fingerprint)| json!({ "rule": rule, "path": path, "fingerprint": fingerprint })).collect();
        let text = serde_json::to_string_pretty(&json!({ "schema": SCHEMA, "findings": findings })).unwrap_or_default() + "\n";
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
    let file: Value = serde_json::from_slice(bytes).map_err(|error| refused(&error.to_string()))?;
    if file.get("schema").and_then(Value::as_u64) != Some(SCHEMA) {
        return Err(refused("its `schema` is not 1"));
    }
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    let entry = |entry: &Value| Some((text(entry, "rule")?, text(entry, "path")?, text(entry, "fingerprint")?));
    let findings = file.get("findings").and_then(Value::as_array).ok_or_else(|| refused("it has no `findings`"))?;
    findings.iter().map(entry).collect::<Option<_>>().ok_or_else(|| refused("a finding lacks its rule, path or fingerprint"))
}
