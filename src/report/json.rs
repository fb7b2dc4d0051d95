//! Judgements for machines. Keys are only ever added.

use serde_json::{Value, json};

use actions::Span;

use super::explain::{Explanation, answer, tier, unknowns};
use actions::Action;
use gate::notes::Note;
use policy::verdict::{Finding, Verdict};

/// A whole judgement. `last` is what is known of the refusal that was judged again, if it was one.
pub fn explanation(explanation: &Explanation, last: Option<&Value>) -> Value {
    let looks: Vec<Value> = explanation
        .looks
        .iter()
        .map(|look| json!({ "action": look.action, "rule": look.rule, "answer": answer(look.answer), "waived": look.waived }))
        .collect();
    json!({
        "event": explanation.event,
        "tool": explanation.tool,
        "cwd": explanation.cwd,
        "mode": explanation.mode,
        "agent": explanation.agent,
        "root": explanation.root.0,
        "why_root": explanation.root.1,
        "policy": explanation.digest,
        "refused": explanation.refused,
        "command": explanation.command,
        "actions": explanation.actions.iter().map(action).collect::<Vec<_>>(),
        "looks": looks,
        "verdict": verdict(explanation.verdict),
        "answer": { "exit": explanation.answer.code, "stdout": explanation.answer.stdout, "stderr": explanation.answer.stderr },
        "notes": explanation.notes.iter().map(note).collect::<Vec<_>>(),
        "would_pass": explanation.passes.iter().map(|way| json!({ "how": way.how, "text": way.text })).collect::<Vec<_>>(),
        "paused_minutes": explanation.paused,
        "last": last,
    })
}

/// What the hook would leave behind.
fn note(note: &Note) -> Value {
    match note {
        Note::LastRefusal(_) => json!({ "kind": "last-refusal" }),
        Note::Written(files) => json!({ "kind": "written", "files": files }),
        Note::Tell { rule, text } => json!({ "kind": "tell", "rule": rule, "text": text }),
        Note::Phase(to) => json!({ "kind": "phase", "to": to.to, "evidence": to.evidence }),
        Note::Tried(_) => json!({ "kind": "tried" }),
        Note::Record(entry) => json!({ "kind": "record", "line": serde_json::from_str::<Value>(&entry.line()).unwrap_or_default() }),
    }
}

pub fn verdict(verdict: &Verdict) -> Value {
    json!({
        "tier": verdict.tier as u8,
        "word": tier(verdict.tier),
        "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule,
        "pack": finding.pack,
        "place": finding.place,
        "tier": finding.tier as u8,
        "answer": answer(finding.answer),
        "unread": finding.unread,
        "fact": Some(&finding.told).filter(|fact| !fact.is_empty()),
        "shadow": finding.shadow,
        "tell": finding.tell,
        "reason": finding.reason,
        "instead": finding.instead,
        "action": finding.action,
        "via": finding.via,
        "span": span(finding.span),
    })
}

/// Bytes of the key `command`.
fn span(span: Option<Span>) -> Value {
    span.map_or(Value::Null, |span| json!({ "start": span.start, "end": span.end }))
}

fn action(action: &Action) -> Value {
    json!({
        "kind": action.deed.kind(),
        "shown": action.shown(),
        "via": action.via,
        "sure": action.sure,
        "from": action.from,
        "span": span(action.span),
        "unknown": unknowns(action),
    })
}
