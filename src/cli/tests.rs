//! Small readers and writers of the people's door, by tables.

use std::path::Path;

use super::doctor::client::version;
use super::explain::command_line;
use super::init::exclude::{LINES, with, without};
use super::init::plan::{Profile, STARTER};
use super::pause::seconds;
use super::wired::entries;
use crate::deep::flywheel::PAGES_MARK;
use clap::ValueEnum as _;
use gate::BUILD;
use policy::{Layer, Policy};
use policy_compiler::compile::{Input, PolicySource, compile};
use policy_compiler::packs::{PACKS, PROGRAMS};

#[test]
fn the_client_fills_in_its_folders() {
    for (handler, program, args) in [
        (r#""command":"${CLAUDE_PROJECT_DIR}/bin/portcullis-hook","args":["PreToolUse"]"#, "/p p/bin/portcullis-hook", vec!["PreToolUse"]),
        (r#""command":"${CLAUDE_PLUGIN_ROOT}/bin/portcullis-hook","args":["PreToolUse"]"#, "/q/bin/portcullis-hook", vec!["PreToolUse"]),
        (r#""command":"/x/portcullis-hook PreToolUse""#, "/x/portcullis-hook", vec!["-c", "/x/portcullis-hook PreToolUse"]),
    ] {
        let text = format!(r#"{{"hooks":{{"PreToolUse":[{{"matcher":"*","hooks":[{{"type":"command",{handler}}}]}}]}}}}"#);
        let found = entries(&text, Path::new("/p p"), Some(Path::new("/q")));
        assert_eq!(found.len(), 1, "{text}");
        let entry = &found[0];
        assert_eq!(entry.program(), Path::new(program), "{text}");
        assert_eq!(entry.process().get_args().collect::<Vec<_>>(), args, "{text}");
    }
    assert_eq!(entries("{", Path::new("/"), None), []);
}

#[test]
fn lengths_of_time() {
    for (text, expected) in [
        ("10m", Some(600)),
        ("1h30m", Some(5400)),
        ("90s", Some(90)),
        ("0m", Some(0)),
        ("10", None),
        ("", None),
        ("m", None),
        ("1d", None),
        ("-5m", None),
        ("99999999999999999999h", None),
    ] {
        assert_eq!(seconds(text), expected, "{text}");
    }
}

#[test]
fn what_was_added_goes_again() {
    for before in ["# git ls-files --others\n", "*.o\n*.a", "x\n.portcullis/\n", ".portcullis/\n.claude/settings.local.json\n", "a\r\nb\r\n"] {
        let after = with(before, &LINES);
        assert!(LINES.iter().all(|line| after.lines().any(|known| known == *line)), "{after}");
        assert_eq!(with(&after, &LINES), after, "twice");
        assert_eq!(without(&after).as_deref(), Some(before));
    }
    assert_eq!(without(&with("", &LINES)), None);
    let pages = format!("*.o\n{PAGES_MARK}\n/docs/pending.md\n{PAGES_MARK}\n/docs/archive.md\n/mine\n");
    assert_eq!(without(&with(&pages, &LINES)).as_deref(), Some("*.o\n/mine\n"));
}

#[test]
fn lines_of_the_persons_own_stay() {
    let text = format!("{}mine\n", with("x\n", &LINES));
    assert_eq!(without(&text).as_deref(), Some("x\nmine\n"));
    assert_eq!(without(".portcullis/\n").as_deref(), Some(".portcullis/\n"));
}

#[test]
fn several_words_are_quoted_and_one_is_a_line() {
    for (words, line) in [
        (vec!["git push && ls"], "git push && ls"),
        (vec!["git", "push", "--force"], "git push --force"),
        (vec!["echo", "it's", "a b", "", "$X"], r"echo 'it'\''s' 'a b' '' '$X'"),
    ] {
        assert_eq!(command_line(&words.into_iter().map(str::to_owned).collect::<Vec<_>>()), line);
    }
}

#[test]
fn versions_are_numbers() {
    for (text, expected) in [("2.1.329 (Claude Code)\n", Some((2, 1, 329))), ("claude 2", None), ("", None), ("2.1", None)] {
        assert_eq!(version(text), expected, "{text}");
    }
}

#[track_caller]
fn compiles(text: &str) -> usize {
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text }];
    let input = Input { build: BUILD, compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    match compile(&input) {
        Ok(compiled) => compiled.rules.iter().filter(|rule| rule.place.starts_with("portcullis.toml")).count(),
        Err(mistakes) => panic!("{}", input.render(&mistakes, false)),
    }
}

#[test]
fn the_starter_policy_is_valid_as_it_stands_and_with_all_its_examples() {
    assert_eq!(compiles(STARTER), 0);
    let used = |text: &str| -> String {
        let lines = text.lines().map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(compiles(&used(STARTER)), 1);
    // Each alone, too; and every section that a project can have is there.
    let examples: Vec<String> = STARTER.split("\n\n").filter(|part| part.contains("\n#[")).map(used).collect();
    for example in &examples {
        compiles(&format!("schema = 1\n{example}"));
    }
    for section in ["[[rule]]", "[tests-first]", "[flywheel]", "[[limit]]", "[[budget]]", "[[result]]", "[stall]", "[[gate]]", "[pipeline]"] {
        assert!(examples.iter().any(|example| example.contains(&format!("\n{section}\n"))), "{section}");
    }
}

#[test]
fn the_policy_of_each_profile_keeps_its_word() {
    for profile in Profile::value_variants() {
        let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text: profile.text() }];
        let input = Input { build: BUILD, compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
        let compiled = compile(&input).unwrap_or_else(|mistakes| panic!("{}", input.render(&mistakes, false)));
        let own: Vec<_> = compiled.rules.iter().filter(|rule| rule.place.starts_with("portcullis.toml")).cloned().collect();
        let outcome = super::test::run_examples(&own, &Policy::open(&compiled.bytes).unwrap()).unwrap();
        assert!(outcome.failures.is_empty(), "{profile:?}: {:#?}", outcome.failures);
        let screens = if matches!(profile, Profile::Factory) { 4 } else { 2 };
        assert!(profile.text().lines().count() <= 40 * screens, "{profile:?} is too long to be read before it is committed");
    }
}
