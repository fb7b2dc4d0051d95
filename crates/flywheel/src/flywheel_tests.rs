//! Pages written and read again, whatever is in them; the way of suggestions through the ledger.

use super::ledger::{LedgerStep, What, standings};
use super::page::{INBOX, day, ended, moment, parse, render, without};
use super::pair::suggestions;
use super::{KINDS, Suggestion, best, code, line};
use gate::record::{Entry, Outcome, RecordSource, hash};

/// Numbers that look like chance and are the same in every run.
struct Lot(u64);

impl Lot {
    fn draw(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "a",
            "word",
            "`",
            "``` ",
            "\n",
            "\r\n",
            "\n## ",
            "## x",
            "# y",
            "- ",
            "> ",
            " \u{b7} ",
            "<!--",
            "é",
            "\u{2028}",
            "\t",
            "\u{1b}[31m",
            "*",
            "_",
            "[x](y)",
            "docs/the api.md",
            "for `",
            "UTC",
            "{",
            "}",
            "\"",
            "\\",
            "'",
            "…",
            "日本",
            "&lt;",
            "|",
            "0123456789",
        ];
        (0..self.draw(9)).map(|_| PARTS[self.draw(PARTS.len())]).collect()
    }

    fn suggestion(&mut self) -> Suggestion {
        let kind = KINDS[self.draw(KINDS.len())].1;
        let target = format!("docs/{}.md", line(&self.text()).replace('`', ""));
        let reason = format!("r{}", self.text());
        let evidence: Vec<String> = (0..self.draw(4)).map(|_| format!("e{}", self.text())).collect();
        let paste = if self.draw(2) == 0 { String::new() } else { format!("- {}", self.text()) };
        let time = self.draw(1 << 31) as u64 * 1000;
        Suggestion::new(kind, &[&self.text(), &time.to_string()], time, &target, &reason).with(evidence, &paste)
    }
}

#[test]
fn what_is_written_is_read_again() {
    let mut lot = Lot(7);
    for round in 0..2000 {
        let all: Vec<Suggestion> = (0..lot.draw(5)).map(|_| lot.suggestion()).collect();
        let notes = ["", "\n## A heading of a person\n\nand what they say\n"][lot.draw(2)];
        let text = format!("{INBOX}{}{notes}", all.iter().map(render).collect::<String>());
        let read: Vec<Suggestion> = parse(&text).into_iter().map(|placed| placed.suggestion).collect();
        assert_eq!(read, all, "round {round}: {text}");
        // Each one taken out leaves the others, and what a person wrote, as they are.
        for (at, one) in all.iter().enumerate() {
            let rest: String = all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, one)| render(one)).collect();
            assert_eq!(without(&text, &[one.id.as_str()]), format!("{INBOX}{rest}{notes}"), "round {round}");
        }
        for one in &all {
            let step =
                LedgerStep { suggestion: Some(one.clone()), was: vec!["a".to_owned(), "-".to_owned()], ..LedgerStep::of(What::Captured, &one.id, one.time) };
            assert_eq!(LedgerStep::read(&step.line()), Some(step));
            assert_eq!(parse(&ended(one, &text, "settled")).len(), 1, "round {round}");
            assert_eq!(parse(&ended(one, "", "settled")).len(), 1);
        }
    }
}

#[test]
fn an_inbox_that_an_editor_saved_is_read() {
    let one = Lot(1).suggestion();
    let text = format!("{INBOX}{}", render(&one));
    for other in [text.replace('\n', "\r\n"), text.trim_end().to_owned(), format!("{text}\n\n\n"), text.replace("\n\n", "\n\n\n")] {
        assert_eq!(parse(&other).into_iter().map(|placed| placed.suggestion).collect::<Vec<_>>(), std::slice::from_ref(&one), "{other:?}");
    }
    assert!(parse("## a heading\n\n`zzzzzzzzzz` fixed · 2026-11-21 17:00:00 UTC · for `a`\n").is_empty());
    assert!(parse("## a heading\n\n`0123456789` fixed · 2026-13-21 17:00:00 UTC · for `a`\n").is_empty());
}

#[test]
fn the_same_thing_has_the_same_number() {
    let one = |identity: &str, reason: &str| Suggestion::new(super::SuggestionKind::Drift, &[identity], 1, "a.md", reason).id;
    assert_eq!(one("x", "a, b"), one("x", "a, b, c"));
    assert_ne!(one("x", "a"), one("y", "a"));
    assert_eq!(one("x", "").len(), 10);
}

#[test]
fn steps_lead_to_a_standing() {
    let one = Lot(3).suggestion();
    let step = |what: What| {
        LedgerStep { suggestion: (what == What::Captured).then(|| one.clone()), commit: "c".to_owned(), ..LedgerStep::of(what, &one.id, 5) }.line()
    };
    let of = |whats: &[What]| standings(&whats.iter().map(|what| step(*what)).collect::<String>()).remove(&one.id);
    assert!(of(&[What::Told]).is_none(), "what was never captured");
    assert!(of(&[What::Captured, What::Told]).unwrap().told);
    assert_eq!(of(&[What::Captured, What::Settled]).unwrap().ended, Some((What::Settled, 5)));
    assert_eq!(of(&[What::Captured, What::Settled, What::Reopened]).unwrap().ended, None);
    assert_eq!(of(&[What::Captured, What::Promoted]).unwrap().ended, None, "its commit is still to come");
    let older = [step(What::Captured), step(What::Told).replace("shown", "told"), step(What::Settled).replace("resolved", "settled")].concat();
    let older = &standings(&older)[&one.id];
    assert!(older.told && older.ended == Some((What::Settled, 5)), "the words of earlier versions");
    let torn = format!("{}{{\"v\":1,\"ti\n{}", step(What::Captured), step(What::Dropped));
    assert_eq!(standings(&torn)[&one.id].ended, Some((What::Dropped, 5)));
}

#[test]
fn what_is_named_is_clipped_and_without_secrets() {
    assert_eq!(code("a `b`\n c"), "`a 'b' c`");
    assert!(code(&"é".repeat(500)).chars().count() < 130);
    assert!(!code("curl https://me:Sup3rS3cretW0rd@host").contains("Sup3rS3cretW0rd"));
    assert_eq!((moment(1_795_285_822_000).as_str(), day(0).as_str()), ("2026-11-21 18:30:22", "1970-01-01"));
}

/// Failing and working in turns gives one suggestion, not one a turn; agents do not fix each other's failures.
#[test]
fn lanes_are_kept_apart() {
    let entry = |at: u64, agent: &str, tool: &str, path: &str, what: &str, outcome: Outcome| Entry {
        session: "s".to_owned(),
        agent_id: agent.to_owned(),
        tool: tool.to_owned(),
        path: path.to_owned(),
        what: what.to_owned(),
        outcome: Some(outcome),
        error: (outcome == Outcome::Failed).then(|| hash(b"e")),
        said: "no region".to_owned(),
        ..Entry::new(if outcome == Outcome::Ok { "PostToolUse" } else { "PostToolUseFailure" }, RecordSource::Hot, at)
    };
    let fails = |at, agent| entry(at, agent, "Bash", "", "./deploy.sh", Outcome::Failed);
    let works = |at, agent| entry(at, agent, "Bash", "", "./deploy.sh", Outcome::Ok);
    let edits = |at, agent| entry(at, agent, "Edit", "/r/a.yml", "", Outcome::Ok);
    let count = |entries: &[Entry], session: &str| suggestions(entries, session, "docs/learnings.md", "/r").len();
    let turn = |at| [fails(at, ""), edits(at + 1, ""), works(at + 2, "")];
    let turns: Vec<Entry> = (0..5).flat_map(|at| turn(at * 10)).collect();
    assert_eq!(count(&turns, "s"), 1);
    assert_eq!(count(&[fails(1, ""), edits(2, ""), works(3, "")], "s"), 1);
    assert_eq!(count(&[fails(1, "a"), edits(2, "a"), works(3, "b")], "s"), 0);
    assert_eq!(count(&turns, "another"), 0, "a session is told of its own work");
    assert_eq!(best(turns.iter().map(|_| Lot(9).suggestion()).collect(), 3).len(), 3);
}
