//! What was found, as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format").

use std::fmt::Write as _;

use serde_json::{Value, json};

use actions::shown::escaped;

use super::changes::{Checked, Level, Reported, grade, message};
use gate::world::PROJECT_POLICY;
use policy::verdict::Finding;

/// The schema that the log names, and is tested against.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Where the paths of the log begin.
const ROOT: &str = "SRCROOT";

/// The whole log.
pub fn log(checked: &Checked) -> Value {
    let mut rules: Vec<&Finding> = Vec::new();
    for reported in &checked.reported {
        if !rules.iter().any(|known| known.rule == reported.located.finding.rule) {
            rules.push(&reported.located.finding);
        }
    }
    let results: Vec<Value> = checked.reported.iter().map(|reported| result(reported, &rules)).collect();
    let notes: Vec<Value> = checked.notes.iter().map(|note| json!({ "level": "note", "message": { "text": escaped(note) } })).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "portcullis", "version": checked.build, "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>() } },
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notes }],
            "results": results,
        }],
    })
}

fn described(rule: &Finding) -> Value {
    json!({
        "id": rule.rule,
        "shortDescription": { "text": escaped(&rule.reason) },
        "help": { "text": format!("instead: {}", escaped(rule.instead.strip_prefix("$ ").unwrap_or(&rule.instead))) },
        "defaultConfiguration": { "level": grade(rule.tier) },
        "properties": { "tags": [rule.pack], "place": rule.place },
    })
}

fn result(reported: &Reported, rules: &[&Finding]) -> Value {
    let located = &reported.located;
    let mut result = json!({
        "ruleId": located.finding.rule,
        "ruleIndex": rules.iter().position(|rule| rule.rule == located.finding.rule),
        "level": grade(located.finding.tier),
        "message": { "text": message(located) },
        "partialFingerprints": { "portcullis/v1": reported.fingerprint },
        "properties": { "tier": located.finding.tier as u8, "commit": located.commit },
    });
    // Code scanning refuses a log in which one result has no place. What is about a commit has none in a file: the policy,
    // in which the rule is or could be, stands for it.
    let (path, line) = (located.path.as_deref().unwrap_or(PROJECT_POLICY), located.line.unwrap_or(1));
    let place = json!({ "artifactLocation": { "uri": uri(path), "uriBaseId": ROOT }, "region": { "startLine": line } });
    result["locations"] = json!([{ "physicalLocation": place }]);
    if reported.level == Level::Known {
        result["suppressions"] = json!([{ "kind": "external", "justification": "in the baseline" }]);
    }
    result
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
