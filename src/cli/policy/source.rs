//! `portcullis policy --source NAME`: the sentences of documents that rules name, each with the rules that hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::cli::refusal::Refusal;
use crate::cli::terminal::{TextStyle, say, say_json, styled};
use policy_compiler::examples::RuleExamples;
use policy_compiler::packs::PACKS;

/// Tables of documents whose sentences are known beyond their ids.
const TABLES: &[&str] = &[include_str!("../../../policies/sources/seeds.toml")];

/// A table of documents.
#[derive(Default, Deserialize)]
struct SourceTable {
    name: String,
    /// Their titles by the keys that rows name.
    documents: BTreeMap<String, String>,
    row: Vec<SourceRow>,
}

/// A sentence of a document, and what of it no rule holds.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRow {
    pub id: String,
    /// The document, by its key in the table.
    #[serde(default)]
    pub document: String,
    /// What it demands.
    #[serde(default)]
    pub demand: String,
    /// Another part that holds it.
    pub also: Option<String>,
    /// What it needs that this version does not have.
    pub later: Option<String>,
    /// Why no gate can hold it.
    pub never: Option<String>,
    #[serde(skip_deserializing)]
    pub rules: Vec<SourcedRule>,
}

/// A rule that names a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SourcedRule {
    pub rule: String,
    /// Its pack, or its layer's name.
    pub pack: String,
    pub tier: u8,
    /// It applies here.
    pub on: bool,
    #[serde(skip)]
    source: Vec<String>,
}

/// The rules that name a sentence: those of `here`, and those of shipped packs that are off.
fn sourced(here: &[RuleExamples]) -> Vec<SourcedRule> {
    let rule =
        |rule: &RuleExamples| SourcedRule { rule: rule.name.clone(), pack: rule.pack.clone(), tier: rule.tier as u8, on: true, source: rule.source.clone() };
    let mut all: Vec<SourcedRule> = here.iter().filter(|rule| !rule.source.is_empty()).map(rule).collect();
    let known: BTreeSet<&str> = here.iter().map(|rule| rule.name.as_str()).collect();
    let off = PACKS
        .iter()
        .filter_map(|(_, text)| text.parse::<toml::Table>().ok())
        .flat_map(|pack| of_pack(&pack))
        .filter(|rule| !known.contains(rule.rule.as_str()));
    all.extend(off.collect::<Vec<_>>());
    all
}

/// The rules of a shipped pack that name sentences, as rules that are off.
fn of_pack(pack: &toml::Table) -> Vec<SourcedRule> {
    let text = |table: &toml::Table, key: &str| table.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let rules = pack.get("rule").and_then(toml::Value::as_array);
    let of_rule = |rule: &toml::Table| {
        let source = match rule.get("source")? {
            toml::Value::String(one) => vec![one.clone()],
            many => many.as_array()?.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        };
        let tier = rule.get("tier").and_then(toml::Value::as_integer).and_then(|tier| u8::try_from(tier).ok()).unwrap_or(0);
        Some(SourcedRule { rule: text(rule, "name"), pack: text(pack, "pack"), tier, on: false, source })
    };
    rules.into_iter().flatten().filter_map(toml::Value::as_table).filter_map(of_rule).collect()
}

/// The table of a source, its rows with their rules. A source without a table has the rows that rules name. `None` if nothing
/// names it.
fn table(name: &str, rules: &[SourcedRule]) -> Option<SourceTable> {
    let tables = TABLES.iter().filter_map(|text| toml::from_str::<SourceTable>(text).ok());
    let mut table = tables.into_iter().find(|table| table.name == name).unwrap_or_default();
    let rows = &mut table.row;
    let ids = |rule: &SourcedRule| rule.source.iter().filter_map(|id| Some(id.strip_prefix(name)?.strip_prefix(':')?.to_owned())).collect::<Vec<_>>();
    for rule in rules {
        for id in ids(rule) {
            let at = rows.iter().position(|row| row.id == id).unwrap_or_else(|| {
                rows.push(SourceRow { id, document: String::new(), demand: String::new(), also: None, later: None, never: None, rules: Vec::new() });
                rows.len() - 1
            });
            if let Some(row) = rows.get_mut(at) {
                row.rules.push(rule.clone());
            }
        }
    }
    (!table.row.is_empty()).then_some(table)
}

/// The rows of a source, with the shipped rules and no others.
#[must_use]
pub fn shipped(name: &str) -> Vec<SourceRow> {
    table(name, &sourced(&[])).unwrap_or_default().row
}

/// Shows the table of a source.
///
/// # Errors
///
/// Nothing names it.
pub fn show(name: &str, here: &[RuleExamples], json: bool) -> Result<ExitCode, Refusal> {
    let rules = sourced(here);
    let Some(SourceTable { row: rows, documents, .. }) = table(name, &rules) else {
        let names: BTreeSet<&str> = rules.iter().flat_map(|rule| &rule.source).filter_map(|id| id.split_once(':')).map(|(name, _)| name).collect();
        return Err(Refusal::usage("nothing is shown", format!("no rule names a sentence of `{name}`"), policy_compiler::mistake::suggestion(name, names)));
    };
    if json {
        say_json(&rows);
        return Ok(ExitCode::SUCCESS);
    }
    let mut document = "";
    for row in &rows {
        if row.document != document {
            document = &row.document;
            let title = documents.get(document).map_or("", String::as_str);
            say(&styled(&format!("{document} {title}"), TextStyle::Bold));
        }
        say(&format!("  {:<6} {}\n         {}", row.id, row.demand, held(row)));
    }
    let empty = rows.iter().filter(|row| row.rules.is_empty()).count();
    say(&format!("{} rows, {} with rules, {empty} without", rows.len(), rows.len() - empty));
    Ok(ExitCode::SUCCESS)
}

/// What holds a row, in a line.
fn held(row: &SourceRow) -> String {
    let rule = |rule: &SourcedRule| {
        let off = if rule.on { "" } else { ", off here" };
        format!("{} ({}{off})", rule.rule, rule.pack)
    };
    let rules: Vec<String> = row.rules.iter().map(rule).collect();
    let rules = (!rules.is_empty()).then(|| rules.join(", "));
    let also = row.also.as_ref().map(|also| if row.rules.is_empty() { format!("by {also}") } else { format!("also: {also}") });
    let later = row.later.as_ref().map(|later| format!("not in this version: {later}"));
    let never = row.never.as_ref().map(|never| format!("no gate can hold it: {never}"));
    let parts: Vec<String> = [rules, also, later, never].into_iter().flatten().collect();
    if parts.is_empty() { "no rule".to_owned() } else { parts.join("; ") }
}
