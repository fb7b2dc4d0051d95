//! What would make a stopped call pass: small changes, each judged as the call was, and kept only if nothing holds it then.

use std::ops::Range;

use serde_json::Value;

use crate::cli::approvals;
use crate::cli::place::Place;
use crate::cli::unblock::waiver;
use crate::deep::Cold;
use crate::report::explain::WayThrough;
use actions::Deed;
use actions::json::Json;
use actions::shown::escaped;
use clients::Event;
use gate::call::{self, Judged, Purpose};
use gate::world::World;
use policy::verdict::Finding;
use policy::{Policy, Rule};
use shell_reader::parse;

/// Changes of a command that are tried. Each costs a judgement.
const MAX_TRIES: usize = 24;
/// Ways that are shown.
const MAX_WAYS: usize = 4;
/// The branch that is proposed in the place of a protected one.
const BRANCH: &str = "my-topic";

/// The ways past what holds a call, the smallest change first. `known` are all rules, `kept` is the text of the refusal that is
/// explained again.
pub(super) fn ways(event: &Event, judged: &Judged, world: &World, known: &[Rule], input: &[u8], kept: Option<&str>) -> Vec<WayThrough> {
    let mut rules: Vec<&str> = Vec::new();
    for finding in judged.judgement.verdict.holding() {
        if !rules.contains(&finding.rule.as_str()) {
            rules.push(&finding.rule);
        }
    }
    if rules.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(command) = call::command(event) {
        let mut tries = 0;
        for (how, text) in changes(command, judged) {
            if tries == MAX_TRIES || found.len() == MAX_WAYS {
                break;
            }
            // A text that is not shown as it is could not be copied.
            if text == command || escaped(&text) != text.as_str() || found.iter().any(|way: &WayThrough| way.text == text) {
                continue;
            }
            tries += 1;
            if passes(event, command, &text, world) {
                found.push(WayThrough { how, text });
            }
        }
    }
    let place = Place { world: world.clone(), cwd: world.project_dir.clone().unwrap_or_else(|| judged.around.root.clone()), around: judged.around.clone() };
    // A waiver exempts from one open rule, so it helps where no other one holds the call.
    let open = |name: &&str| known.iter().any(|rule| rule.open && rule.name == *name);
    if let [rule] = rules.as_slice()
        && open(rule)
    {
        let value: Option<Value> = serde_json::from_slice(input).ok();
        let proposed = waiver::proposed(rule, value.as_ref(), &place);
        if proposed.covers.is_some() {
            found.push(WayThrough { how: format!("the rule `{rule}` is open: with this waiver in `portcullis.toml`"), text: proposed.text });
        }
    }
    found.extend(kept.and_then(|text| approval(text, &place)));
    found
}

/// Changed commands, and how each differs.
fn changes(command: &str, judged: &Judged) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let holding: Vec<&Finding> = judged.judgement.verdict.holding().collect();
    let spans: Vec<Range<usize>> = holding.iter().filter_map(|finding| finding.span).map(|span| span.start as usize..span.end as usize).collect();
    for span in &spans {
        let flags: Vec<Range<usize>> = words(command, span).into_iter().filter(|word| is_flag(command.get(word.clone()).unwrap_or_default())).collect();
        for flag in &flags {
            all.push((format!("without `{}`", command.get(flag.clone()).unwrap_or_default()), without(command, std::slice::from_ref(flag))));
        }
        if flags.len() > 1 {
            all.push(("without its flags".to_owned(), without(command, &flags)));
        }
    }
    for finding in &holding {
        if let Some(instead) = finding.instead.strip_prefix("$ ") {
            all.push((format!("what `{}` says to do instead", finding.rule), instead.to_owned()));
        }
    }
    for branch in branches(judged) {
        all.push(("to another branch".to_owned(), replaced(command, &branch)));
    }
    if judged.judgement.actions.iter().any(|action| matches!(action.deed, Deed::Run(_))) {
        all.push(("on a branch of its own".to_owned(), format!("git switch -c {BRANCH} && {command}")));
    }
    all
}

/// The words of a part of a command between blanks.
fn words(command: &str, span: &Range<usize>) -> Vec<Range<usize>> {
    let Some(text) = command.get(span.clone()) else { return Vec::new() };
    let mut words = Vec::new();
    let mut at = 0;
    for word in text.split(char::is_whitespace) {
        if !word.is_empty() {
            words.push(span.start + at..span.start + at + word.len());
        }
        // What splits is one character of a command, a blank, a tab or a line end.
        at += word.len() + text.get(at + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    words
}

/// A flag without anything that the shell would read in its own way.
fn is_flag(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && word != "--" && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:@,+".contains(c))
}

fn without(command: &str, cut: &[Range<usize>]) -> String {
    let mut text = String::new();
    let mut from = 0;
    for range in cut {
        text.push_str(command.get(from..range.start).unwrap_or_default().trim_end_matches(' '));
        from = range.end;
    }
    text + command.get(from..).unwrap_or_default()
}

/// Branches that a command pushes to, as it names them.
fn branches(judged: &Judged) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for action in &judged.judgement.actions {
        if let Deed::Push(push) = &action.deed
            && let Some(target) = push.target.as_ref().map(ToString::to_string)
        {
            let branch = target.trim_start_matches("refs/heads/").to_owned();
            if !branch.is_empty() && !all.contains(&branch) {
                all.push(branch);
            }
        }
    }
    all
}

/// A command with the last word, or end of a word, that names a branch replaced.
fn replaced(command: &str, branch: &str) -> String {
    let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || ":/+".contains(c));
    let found = command.rmatch_indices(branch).map(|(at, _)| at).find(|at| {
        let (before, after) = (command.get(..*at).unwrap_or_default(), command.get(at + branch.len()..).unwrap_or_default());
        is_edge(before.chars().next_back()) && after.chars().next().is_none_or(char::is_whitespace)
    });
    match found {
        Some(at) => format!("{}{BRANCH}{}", command.get(..at).unwrap_or_default(), command.get(at + branch.len()..).unwrap_or_default()),
        None => command.to_owned(),
    }
}

/// True if a call with another command is one that the shell accepts and that nothing holds.
fn passes(event: &Event, command: &str, changed: &str, world: &World) -> bool {
    if changed.trim().is_empty() || parse::read(changed).faults.iter().any(|fault| fault.refused_by_shell) {
        return false;
    }
    let mut event = event.clone();
    let Some(Json::Object(fields)) = event.tool.as_mut().map(|tool| &mut tool.input) else { return false };
    let Some((_, text)) = fields.iter_mut().find(|(_, value)| matches!(value, Json::Text(text) if text == command)) else { return false };
    *text = Json::Text(changed.to_owned());
    let judged = call::judged(&event, world, &Cold, Purpose::Verdict);
    judged.is_ok_and(|judged| judged.is_some_and(|judged| judged.judgement.verdict.holding().next().is_none() && !judged.judgement.actions.is_empty()))
}

/// The approval that a refusal names, as long as it can be given.
fn approval(text: &str, place: &Place) -> Option<WayThrough> {
    const COMMAND: &str = "portcullis approve ";
    let code = text.split(COMMAND).nth(1)?.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().filter(|code| !code.is_empty())?;
    let bytes = place.policy().ok()?;
    Policy::open(&bytes).and_then(|policy| policy.approval)?;
    let known = approvals::find(code, "").ok()?.known;
    let open = known.used.is_none() && !known.revoked && !known.late;
    open.then(|| WayThrough { how: "once, after a person approved it".to_owned(), text: format!("{COMMAND}{code}") })
}
