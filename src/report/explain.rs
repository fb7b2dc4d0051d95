//! A whole judgement as text for people: how the call was read, which rules match, the verdict and the answer.

use std::fmt::Write as _;

use actions::shown::escaped;
use actions::word::Word;
use actions::{Action, Change, Deed};
use gate::answer::HookAnswer;
use gate::notes::Note;
use gate::underline::{Underlined, underlined};
use policy::verdict::{self, Look, Verdict};
use policy::{Rule, Tier};

/// Everything that is known of one judgement.
#[derive(Debug)]
pub struct Explanation<'a> {
    pub event: &'a str,
    pub tool: &'a str,
    /// The folder in which it starts.
    pub cwd: &'a str,
    pub mode: &'a str,
    pub agent: &'a str,
    /// The folder whose policy holds, and why that one.
    pub root: (&'a str, &'a str),
    pub digest: &'a str,
    /// What the shell would refuse of the command line, each as a clause.
    pub refused: &'a [String],
    pub actions: &'a [Action],
    /// Which rules looked at what.
    pub looks: &'a [Look],
    /// All rules, for their places.
    pub rules: &'a [Rule<'a>],
    pub verdict: &'a Verdict,
    /// The text in which actions and findings have their spans, if there is one.
    pub command: Option<&'a str>,
    pub answer: &'a HookAnswer,
    /// What the hook would leave behind; explaining leaves nothing.
    pub notes: &'a [Note],
    /// Changes with which nothing holds it.
    pub passes: &'a [WayThrough],
    /// Minutes for which a pause lets everything continue, if there is one.
    pub paused: Option<u64>,
}

/// A change with which a stopped call passes. It was judged as the call was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayThrough {
    /// How it differs, as a clause.
    pub how: String,
    /// The changed command, or what a person adds or does.
    pub text: String,
}

impl Explanation<'_> {
    /// The judgement as text. `emphasis` sets the headings off.
    pub fn text(&self, emphasis: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        let (root, why) = self.root;
        let _ = writeln!(
            text,
            "{} {} {} in {}, mode {}, agent {}",
            emphasis("judged"),
            escaped(self.event),
            escaped(self.tool),
            escaped(self.cwd),
            escaped(self.mode),
            escaped(self.agent)
        );
        let _ = writeln!(text, "  policy of {} ({why}), digest {}", escaped(root), self.digest);
        let _ = writeln!(text, "{}", emphasis("read as"));
        for (at, action) in self.actions.iter().enumerate() {
            let _ = writeln!(text, "  {} {:<6} {}", at + 1, action.deed.kind(), action.shown());
            let mut more = |what: &str| {
                let _ = writeln!(text, "           {}", escaped(what));
            };
            if !action.via.is_empty() {
                more(&format!("via {}", action.via.join(" > ")));
            }
            if let Some(from) = action.from {
                more(&format!("done by action {}", from + 1));
            }
            for unknown in unknowns(action) {
                more(&format!("unknown: {unknown}"));
            }
        }
        if self.actions.is_empty() {
            text.push_str("  no program is run, and no file, address or ref is changed\n");
        }
        for clause in self.refused {
            let _ = writeln!(text, "  {}", escaped(clause));
        }
        let _ = writeln!(text, "{}", emphasis("rules"));
        self.rules_text(&mut text);
        let _ = writeln!(text, "{} {}", emphasis("verdict"), self.verdict_text());
        let _ = writeln!(text, "{} {}", emphasis("answer"), self.answer_text());
        for WayThrough { how, text: changed } in self.passes {
            let lines: Vec<String> = changed.lines().map(|line| escaped(line).into_owned()).collect();
            let _ = match lines.as_slice() {
                [line] => writeln!(text, "{} {line} ({})", emphasis("would pass:"), escaped(how)),
                _ => writeln!(text, "{} {}:\n  | {}", emphasis("would pass:"), escaped(how), lines.join("\n  | ")),
            };
        }
        let _ = write!(text, "{} {}", emphasis("notes"), self.notes_text());
        text
    }

    fn rules_text(&self, text: &mut String) {
        for (at, _) in self.actions.iter().enumerate() {
            let looks = || self.looks.iter().filter(move |look| look.action == at);
            for look in looks().filter(|look| look.answer != verdict::Answer::No) {
                let place = self.rules.iter().find(|rule| rule.name == look.rule).map_or("", |rule| rule.place);
                let _ = write!(text, "  {} {:<5} `{}` ({place})", at + 1, answer(look.answer), look.rule);
                if let Some(waiver) = &look.waived {
                    let _ = write!(text, ", waived by {waiver}");
                }
                text.push('\n');
                let finding = self.verdict.findings.iter().find(|finding| finding.rule == look.rule);
                finding.filter(|_| look.waived.is_none()).into_iter().for_each(|finding| self.finding_text(text, finding));
            }
            let no: Vec<&str> = looks().filter(|look| look.answer == verdict::Answer::No).map(|look| look.rule.as_str()).collect();
            if !no.is_empty() {
                let _ = writeln!(text, "  {} no    {}", at + 1, no.join(", "));
            }
        }
        // Sections of the policy look at all actions together.
        let of_sections = self.verdict.findings.iter().filter(|finding| self.looks.iter().all(|look| look.rule != finding.rule));
        let before = text.len();
        for finding in of_sections {
            let _ = writeln!(text, "  * {:<5} `{}` ({}): {}", answer(finding.answer), finding.rule, finding.place, escaped(&finding.action));
            self.finding_text(text, finding);
        }
        if self.looks.is_empty() && text.len() == before {
            text.push_str("  no rule applies to these actions\n");
        }
    }

    fn verdict_text(&self) -> String {
        let shadowed = self.verdict.findings.iter().any(|finding| finding.shadow && finding.tier > self.verdict.tier);
        let watching = if shadowed { " (rules in shadow mode are stricter)" } else { "" };
        match self.verdict.holding().next() {
            Some(finding) => format!("{} (tier {}), by `{}`{watching}", tier(self.verdict.tier), self.verdict.tier as u8, finding.rule),
            None => format!("{} (tier {}){watching}", tier(self.verdict.tier), self.verdict.tier as u8),
        }
    }

    /// What the hook would leave behind.
    fn notes_text(&self) -> String {
        let what = |note: &Note| match note {
            Note::LastRefusal(_) => "the refusal, for `explain --last`".to_owned(),
            Note::Written(files) => format!("written by this session: {}", escaped(&files.join(", "))),
            Note::Tell { rule, .. } => format!("a note of `{rule}`, which the model reads after the call, once a session"),
            Note::Phase(to) => format!("the work moves to the phase `{}`", escaped(&to.to)),
            Note::Tried(_) => "the denied try, to notice circles".to_owned(),
            Note::Record(_) => "a line in the record".to_owned(),
        };
        format!("the hook would keep {}; explain keeps nothing", self.notes.iter().map(what).collect::<Vec<_>>().join("; "))
    }

    fn answer_text(&self) -> String {
        if let Some(minutes) = self.paused {
            return format!("nothing is printed: Portcullis is paused for {minutes} more min");
        }
        let HookAnswer { code, stdout, stderr, .. } = self.answer;
        let said = if stdout.is_empty() { stderr } else { stdout };
        if said.is_empty() {
            return format!("exit {code}, nothing is printed: the client continues by its own rules");
        }
        let stream = if stdout.is_empty() { "standard error" } else { "standard output" };
        let lines: Vec<String> = said.trim_end().lines().map(|line| format!("  | {line}")).collect();
        format!("exit {code}, on {stream}:\n{}", lines.join("\n"))
    }

    /// What a rule concluded, and why.
    fn finding_text(&self, text: &mut String, finding: &verdict::Finding) {
        let watches = if finding.shadow { "; in shadow mode" } else { "" };
        let note = if finding.tell { ", with a note" } else { "" };
        let _ = writeln!(text, "          {}{note}{watches}: {}", tier(finding.tier), escaped(&finding.reason));
        if let Some(Underlined { line, below }) = self.command.zip(finding.span).and_then(|(command, span)| underlined(command, span)) {
            // Its own mark, so that a line of the command cannot pass for one of ours.
            let _ = writeln!(text, "          > {line}\n            {below}");
        }
        if let (verdict::Answer::Maybe, Some(unread)) = (finding.answer, &finding.unread) {
            let _ = writeln!(text, "          not known before it runs: {}", escaped(unread));
        }
    }
}

pub const fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Free => "free",
        Tier::Metered => "metered",
        Tier::Supervised => "supervised",
        Tier::Prohibited => "prohibited",
    }
}

pub const fn answer(answer: verdict::Answer) -> &'static str {
    match answer {
        verdict::Answer::No => "no",
        verdict::Answer::Maybe => "maybe",
        verdict::Answer::Yes => "yes",
    }
}

/// What is not known of an action, each as a clause.
pub fn unknowns(action: &Action) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    if !action.sure {
        found.push("whether it runs at all".to_owned());
    }
    let mut word = |of: &str, word: &Word| {
        if word.has_hole() || word.multi {
            found.push(format!("{of}{word}"));
        }
    };
    match &action.deed {
        Deed::Run(run) => {
            run.words.iter().for_each(|each| word("", each));
            run.exported.iter().chain(&run.env).for_each(|(name, value)| word(&format!("{name}="), value));
            if let Some(hiding) = run.may_hide_flags.as_ref().filter(|_| run.words.is_empty()) {
                word("options in ", hiding);
            }
        }
        Deed::Write(write) => {
            word("where: ", &write.path.word);
            if matches!(write.change, Change::Unknown | Change::AppendUnknown | Change::Copy { .. } | Change::Edited(_)) {
                found.push("the text".to_owned());
            }
        }
        Deed::Delete(delete) => word("where: ", &delete.path.word),
        Deed::Read(read) => word("where: ", &read.path.word),
        Deed::Fetch { url, method } => {
            word("", url);
            if let Some(method) = method {
                word("method ", method);
            }
        }
        Deed::Push(push) => {
            push.remote.iter().for_each(|remote| word("remote ", remote));
            push.target.iter().for_each(|target| word("ref ", target));
            if !push.sure {
                found.push("how the ref changes".to_owned());
            }
        }
        Deed::Opaque { why, .. } => found.push((*why).to_owned()),
        Deed::Query(query) => {
            query.host.iter().for_each(|host| word("host ", host));
            query.database.iter().for_each(|database| word("database ", database));
        }
        Deed::Call(_) | Deed::Spawn { .. } | Deed::Commit(_) => {}
    }
    found.dedup();
    found
}
