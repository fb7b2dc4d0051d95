//! Makes suggestions from entries of the record that belong together in a session. Only the recorded outcome counts: a failure
//! with the word success in its text is a failure.

use std::collections::HashMap;

use super::drift::is_test;
use super::{Suggestion, SuggestionKind, code, holds};
use actions::program::{Program, ProgramWay};
use actions::tools::{runs_command, writes_file};
use clients::Moment;
use gate::record::{Entry, Held, Outcome};
use policy::Policy;

/// How often the same failure comes before it is worth a word.
const OFTEN: usize = 3;
/// Calls after a denial, or after a change, among which the other way is looked for.
const SOON: usize = 6;
/// Files that are named as changed.
const NAMED: usize = 4;

/// Words of the shell itself whose failure is an answer, as that of some programs is ([`ProgramWay::Answers`]).
const SHELL_WORDS: &str = "test [ [[ true false exit cd";
/// Exit codes of what was stopped from outside: by a time limit (`timeout`) or a signal.
const STOPPED: &[i64] = &[124, 130, 137, 143];
/// Endings of names of configuration files. A fix in such a file is easily forgotten.
const SETTINGS: &str = "\
    .toml .json .yaml .yml .ini .cfg .conf .env .lock .properties .plist .gradle .kts .tf .nix Dockerfile Makefile \
    justfile Gemfile Rakefile .env.example .npmrc .nvmrc .tool-versions requirements.txt go.mod .gitignore \
    .gitattributes";
/// What the entries show of a session; those of others tell what comes again. `learnings` is the document for what was
/// learned; `root` is cut from paths.
#[must_use]
pub fn suggestions(entries: &[Entry], session: &str, learnings: &str, root: &str) -> Vec<Suggestion> {
    let mut lanes: HashMap<(&str, &str), Lane> = HashMap::new();
    let mut repeats: HashMap<String, Repeat> = HashMap::new();
    let mut found: Vec<Suggestion> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.session.is_empty()) {
        let lane = lanes.entry((entry.session.as_str(), entry.agent_id.as_str())).or_default();
        let given = lane.step(entry, learnings, root);
        if let Some((what, error)) = failure(entry) {
            let now = Repeat { error, times: 1, last: entry, edits: lane.edits.len(), sessions: vec![&entry.session] };
            match repeats.get_mut(&what).filter(|repeat| repeat.goes_on(&now)) {
                Some(repeat) => repeat.add(now),
                None => drop(repeats.insert(what, now)),
            }
        } else if entry.outcome == Some(Outcome::Ok) && runs_command(&entry.tool) {
            // It was waited for, or it is fixed.
            repeats.remove(&form(&entry.what));
        }
        if entry.session == session {
            found.extend(given);
        }
    }
    let often = repeats.iter().filter(|(_, repeat)| repeat.times >= OFTEN && repeat.last.session == session);
    found.extend(often.map(|(what, repeat)| repeat.suggestion(what, learnings)));
    found.sort_by_key(|one| one.time);
    let mut seen = std::collections::HashSet::new();
    found.retain(|one| seen.insert(one.id.clone()));
    found
}

/// A failure that comes again, in whichever session.
struct Repeat<'e> {
    error: u64,
    times: usize,
    last: &'e Entry,
    /// Changes that its session had made by then.
    edits: usize,
    sessions: Vec<&'e str>,
}

impl Repeat<'_> {
    /// Whether it is the same failure, and nothing was changed to fix it: what fails while it is worked on is work.
    fn goes_on(&self, now: &Self) -> bool {
        self.error == now.error && (self.last.session != now.last.session || self.edits == now.edits)
    }

    fn add(&mut self, now: Self) {
        self.times += 1;
        (self.last, self.edits) = (now.last, now.edits);
        if !self.sessions.contains(&now.last.session.as_str()) {
            self.sessions.extend(now.sessions);
        }
    }

    fn suggestion(&self, what: &str, learnings: &str) -> Suggestion {
        let how = if self.sessions.len() > 1 { format!("in {} sessions", self.sessions.len()) } else { format!("{OFTEN} times in one session") };
        let reason = format!("{} failed the same way {how}", code(what));
        let one = Suggestion::new(SuggestionKind::Again, &[what, &format!("{:x}", self.error)], self.last.time, learnings, &reason);
        one.with([failure_line(self.last)], &format!("- {} fails with {}: say why, and what to do.", code(what), code(&self.last.said)))
    }
}

/// What one agent of a session did, in order.
#[derive(Default)]
struct Lane<'e> {
    /// Failures that are not fixed yet, by command.
    failed: HashMap<String, FailedCommand<'e>>,
    /// Every file that was changed, and after which call; without a name where a command changed it.
    edits: Vec<(usize, &'e str)>,
    /// Denials, each with what was denied and by which rule.
    denied: Vec<(usize, &'e Entry)>,
    /// The last call, while nothing is known of its end.
    open: Option<&'e Entry>,
    /// The call that was open when the person said something.
    stopped: Option<&'e Entry>,
    calls: usize,
    /// How many changes there were when the turn began.
    turn: usize,
}

struct FailedCommand<'e> {
    last: &'e Entry,
    /// How often it came with the same error.
    times: usize,
    /// How many changes there were when its turn began, when it failed for the first time, and for the last.
    turn: usize,
    before: usize,
    until: usize,
}

impl<'e> Lane<'e> {
    fn step(&mut self, entry: &'e Entry, learnings: &str, root: &str) -> Vec<Suggestion> {
        let mut found: Vec<Suggestion> = self.corrected(entry, learnings, root).into_iter().collect();
        match Moment::of(&entry.event) {
            Moment::BeforeCall => {
                self.calls += 1;
                self.open = Some(entry);
                if entry.held == Some(Held::Deny) && !entry.rules.is_empty() {
                    self.denied.push((self.calls, entry));
                    self.open = None;
                }
            }
            Moment::Refused => {
                self.denied.push((self.calls, entry));
                self.open = None;
            }
            // A prompt that a machine wrote is no correction.
            Moment::Prompt => self.stopped = self.open.take().filter(|_| entry.said.is_empty()),
            Moment::TurnEnd | Moment::SubagentEnd | Moment::SessionStart | Moment::SessionEnd => (self.open, self.turn) = (None, self.edits.len()),
            _ => match entry.outcome {
                Some(Outcome::Ok) => found.extend(self.worked(entry, learnings, root)),
                Some(Outcome::Failed) => self.fails(entry),
                // The person stopped it: what they say next is what counts.
                Some(Outcome::Interrupted) => self.open = Some(entry),
                None => drop(self.close(entry)),
            },
        }
        found
    }

    /// A person said something right behind a call that did not come to its end. What comes after the prompt tells whether
    /// it did not: a call that only took long, while the person wrote, ends then.
    fn corrected(&mut self, entry: &Entry, learnings: &str, root: &str) -> Option<Suggestion> {
        let call = self.stopped.take()?;
        if entry.call == call.call && matches!(entry.outcome, Some(Outcome::Ok | Outcome::Failed)) {
            return None;
        }
        // What only looks or waits is stopped because it was enough.
        if runs_command(&call.tool) && is_answer(&form(&call.what)) {
            return None;
        }
        let what = subject(call, root);
        let how = if call.held == Some(Held::Ask) { "was refused" } else { "was stopped" };
        let reason = format!("{what} {how} by the user, who then said what they want");
        let one = Suggestion::new(SuggestionKind::Corrected, &[&call.tool, &form(&what)], entry.time, learnings, &reason);
        Some(one.with([format!("call: {} {what}", call.tool)], &format!("- Not {what}: say what the user wants instead, and why.")))
    }

    fn worked(&mut self, entry: &'e Entry, learnings: &str, root: &str) -> Vec<Suggestion> {
        let call = self.close(entry);
        if writes_file(&entry.tool) {
            self.edits.push((self.calls, inside(&entry.path, root)));
        }
        if !runs_command(&entry.tool) {
            return Vec::new();
        }
        if call.is_some_and(|call| call.kinds.iter().any(|kind| kind == "write")) {
            self.edits.push((self.calls, ""));
        }
        let what = form(&entry.what);
        let fixed = self.failed.remove(&what).and_then(|failed| self.fixed(&failed, entry, &what, learnings));
        fixed.into_iter().chain(self.other_way(entry, &what, learnings)).collect()
    }

    /// It failed, something was changed, and it works. Tests and builds that fail and then pass are how code is written:
    /// only what is easily forgotten counts, a setting, or what took several tries that made no difference.
    fn fixed(&self, failed: &FailedCommand, entry: &Entry, what: &str, learnings: &str) -> Option<Suggestion> {
        let (soon, earlier) = (self.edits.get(failed.until..)?, self.edits.get(failed.turn..failed.before)?);
        // What was at work before it failed, or is what failed, is no cause: it is being written.
        let is_cause = |path: &str| !path.is_empty() && !earlier.iter().any(|(_, before)| *before == path) && !is_named(what, path);
        let mut changed: Vec<&str> = Vec::new();
        for (_, path) in soon.iter().filter(|(at, path)| self.calls - at <= SOON && is_cause(path)) {
            if !changed.contains(path) {
                changed.push(path);
            }
        }
        let is_setting = |path: &&str| SETTINGS.split(' ').any(|end| path.ends_with(end)) && !is_test(path);
        let settings: Vec<&str> = changed.iter().copied().filter(is_setting).collect();
        let telling = !settings.is_empty() || failed.times >= OFTEN;
        let cause = if settings.is_empty() { changed } else { settings };
        if cause.is_empty() || !telling {
            return None;
        }
        let files = cause.iter().take(NAMED).map(|path| code(path)).collect::<Vec<_>>().join(", ");
        let reason = format!("{} failed, and works since {files} changed", code(what));
        let evidence = [failure_line(failed.last), format!("changed: {files}"), format!("worked: {}", code(&entry.what))];
        let one = Suggestion::new(SuggestionKind::Fixed, &[what], entry.time, learnings, &reason);
        Some(one.with(evidence, &format!("- {} fails with {}: fixed in {files}.", code(what), code(&failed.last.said))))
    }

    fn fails(&mut self, entry: &'e Entry) {
        self.close(entry);
        let Some((what, error)) = failure(entry) else { return };
        let edits = self.edits.len();
        let known = self.failed.entry(what).or_insert(FailedCommand { last: entry, times: 0, turn: self.turn, before: edits, until: edits });
        known.times = if known.last.error == Some(error) { known.times + 1 } else { 1 };
        (known.last, known.until) = (entry, edits);
    }

    /// What was done instead of what was denied just before: the same kind of command, called otherwise.
    fn other_way(&mut self, entry: &Entry, what: &str, learnings: &str) -> Option<Suggestion> {
        let calls = self.calls;
        self.denied.retain(|(at, _)| calls - at <= SOON);
        let same = |denied: &str| denied != what && families(denied).iter().all(|family| families(what).contains(family));
        let at = self.denied.iter().rposition(|(_, denied)| runs_command(&denied.tool) && same(&form(&denied.what)))?;
        let (_, denied) = self.denied.remove(at);
        let rule = denied.rules.iter().max_by_key(|rule| rule.tier).map_or("the client", |rule| rule.name.as_str());
        let (not, instead) = (form(&denied.what), code(&entry.what));
        let reason = format!("{} is denied ({}); {instead} was the way that worked", code(&not), code(rule));
        let one = Suggestion::new(SuggestionKind::Denied, &[rule, &words(&not, 3)], entry.time, learnings, &reason);
        Some(one.with([format!("denied: {}", code(&denied.what)), format!("worked: {instead}")], &format!("- Not {}: {instead}.", code(&not))))
    }

    /// A call came to its end; gives its beginning.
    fn close(&mut self, entry: &Entry) -> Option<&'e Entry> {
        self.open.take_if(|open| open.call == entry.call || open.input == entry.input)
    }
}

/// A command that failed, and its error. What says nothing is an answer, as is what git calls no error (exit code 1).
fn failure(entry: &Entry) -> Option<(String, u64)> {
    if entry.outcome != Some(Outcome::Failed) || !runs_command(&entry.tool) || entry.exit.is_some_and(|exit| STOPPED.contains(&exit)) {
        return None;
    }
    let what = form(&entry.what);
    let silent = entry.said.is_empty() || entry.said.starts_with("Exit code ");
    let answers = silent || is_answer(&what) || (program(&what) == "git" && entry.exit == Some(1));
    (!answers).then_some((what, entry.error?))
}

fn failure_line(entry: &Entry) -> String {
    let exit = entry.exit.map_or_else(String::new, |exit| format!(" (exit {exit})"));
    format!("failed: {}{exit}: {}", code(&entry.what), code(&entry.said))
}

fn subject(entry: &Entry, root: &str) -> String {
    code(if entry.path.is_empty() { &entry.what } else { inside(&entry.path, root) })
}

fn inside<'t>(path: &'t str, root: &str) -> &'t str {
    path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

/// A command without what does not make it another one: where it runs, where its output goes, how much of it is shown.
fn form(command: &str) -> String {
    let mut text = command.trim();
    while let Some((_, rest)) = text.split_once("&&").filter(|(front, _)| front.starts_with("cd ")) {
        text = rest.trim_start();
    }
    let shown = text.find(" | tail").or_else(|| text.find(" | head")).or_else(|| text.find(" | grep"));
    let text = shown.and_then(|at| text.get(..at)).unwrap_or(text);
    let words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "2>&1" | ">/dev/null" | "2>/dev/null")).collect();
    words.join(" ")
}

/// The program of a command: its first word that is no assignment, without a folder.
fn program(form: &str) -> &str {
    let first = form.split(' ').find(|word| !word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_')));
    let first = first.unwrap_or(form);
    if first.starts_with("./") { first } else { first.rsplit('/').next().unwrap_or(first) }
}

/// The commands of a line, as far as they are visible without parsing the shell language.
fn commands(form: &str) -> impl Iterator<Item = &str> {
    form.split(['|', ';', '&', '\n']).map(str::trim).filter(|command| !command.is_empty())
}

/// The description of a program, if there is one.
fn described(name: &str) -> Option<Program<'static>> {
    Policy::programs_of(gate::BUILT_IN)?.find(name)
}

/// Whether the failure of a program is an answer (nothing was found, two files differ) or a slip (there is no such file).
fn answers(name: &str) -> bool {
    holds(SHELL_WORDS, name) || described(name).is_some_and(|program| program.is(ProgramWay::Answers))
}

/// Whether the first word of a program says what it does.
fn has_verbs(name: &str) -> bool {
    const VERBS: [ProgramWay; 4] = [ProgramWay::Verbs, ProgramWay::Make, ProgramWay::Just, ProgramWay::Task];
    described(name).is_some_and(|program| !program.subcommands.is_empty() || VERBS.iter().any(|way| program.is(*way)))
}

/// Whether one of its commands may have failed to say something.
fn is_answer(form: &str) -> bool {
    commands(form).any(|command| answers(program(command)) || command.starts_with("! "))
}

/// What its commands are, without what they are called with.
fn families(form: &str) -> Vec<(&str, &str)> {
    let family = |command| {
        let program = program(command);
        let mut words = command.split(' ').skip_while(move |word| *word != program && !word.ends_with(program)).skip(1);
        (program, words.find(|word| !word.starts_with('-')).filter(|_| has_verbs(program)).unwrap_or(""))
    };
    commands(form).map(family).filter(|(program, _)| !answers(program)).collect()
}

/// Whether a command names a file.
fn is_named(form: &str, path: &str) -> bool {
    form.split(|c: char| c.is_whitespace() || "'\"=:(),<>".contains(c)).any(|word| {
        let word = word.trim_start_matches("./");
        !word.is_empty() && (word == path || path.strip_suffix(word).is_some_and(|folder| folder.ends_with('/')))
    })
}

/// The first words of a command.
fn words(form: &str, most: usize) -> String {
    form.split(' ').take(most).collect::<Vec<_>>().join(" ")
}
