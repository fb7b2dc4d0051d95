//! Every kind of mistake is found, on its line, with a word on how to fix it.

use super::{RULE, with_pack};
use crate::mistake::{PolicyMistake, nearest};
use crate::schema::{self, SpannedValue};
use policy::Layer;

/// The right rule with one line replaced.
fn rule_with(old: &str, new: &str) -> String {
    assert!(RULE.contains(old), "{old}");
    RULE.replacen(old, new, 1)
}

/// The mistakes of a project file; line 1 is `schema = 1`, line 2 is empty, the rule begins on line 3.
fn mistakes(layer: Layer, text: &str) -> Vec<(usize, PolicyMistake)> {
    let text = format!("schema = 1\n{text}");
    with_pack("", &[(layer, &text)], |_, result| result.err().unwrap_or_default().into_iter().map(|mistake| (mistake.line(&text), mistake)).collect())
}

#[test]
fn a_right_rule_has_no_mistake() {
    for layer in [Layer::Organisation, Layer::User, Layer::Project, Layer::Local] {
        assert_eq!(mistakes(layer, RULE), [], "{layer:?}");
    }
}

#[test]
fn notes_and_sources_of_right_rules() {
    for keys in
        ["tier = 1\ntell = true", "tier = 3\ntell = false", "tier = 1", "tier = 4\nsource = \"handbook:4.2\"", "tier = 4\nsource = [\"a-b:D1.1\", \"c:x/y\"]"]
    {
        assert_eq!(mistakes(Layer::Project, &rule_with("tier = 4", keys)), [], "{keys}");
    }
}

/// An `unless` that may hold is no mistake.
#[test]
fn an_unless_that_can_hold() {
    for when in [
        "run = { program = \"git\", arg = [\"list\", \"gc\"] }\nunless = { arg = [\"list\"] }",
        "run = { program = \"git\", min_args = 1 }\nunless = { arg = [\"list\"] }",
        "run = { program = \"git\", min_args = 2 }\nunless = { arg = [\"*.img\"] }",
        "run = { program = \"git\", arg = [\"g*\"] }\nunless = { arg = [\"gc\"] }",
        "run = { program = \"git\", min_args = 2 }\nunless = { verb = [\"list\"] }",
        "run = [{ program = \"git\", arg = [\"gc\"] }, { program = \"hg\" }]\nunless = { arg = [\"list\"] }",
    ] {
        assert_eq!(mistakes(Layer::Project, &rule_with(RUN, when)), [], "{when}");
    }
}

const RUN: &str = r#"run = { program = "git", subcommand = "push", any_flag = "--force" }"#;
const CATCHES: &str = r#"catches = ["git push --force"]"#;

#[test]
fn each_mistake_of_a_rule() {
    // the line that is replaced, its replacement, the line and words of the only mistake, words of its fix
    let cases: &[(&str, &str, usize, &str, &str)] = &[
        (r#"name = "force-push""#, "", 3, "`rule` needs `name`", "add `name"),
        (r#"name = "force-push""#, "name = 3", 4, "`name` is an integer", "write a string"),
        (r#"name = "force-push""#, "name = \"Force_Push\"", 4, "not a name for a rule", "joined by dashes"),
        (r#"name = "force-push""#, "name = \"a--b\"", 4, "not a name for a rule", "joined by dashes"),
        ("tier = 4", "", 3, "`rule` needs `tier`", "add `tier"),
        ("tier = 4", "tier = 5", 5, "there is no tier 5", "4 prohibited"),
        ("tier = 4", "tier = \"4\"", 5, "`tier` is a string", "an integer"),
        ("tier = 4", "tier = 4\nteir = 4", 6, "unknown key `teir`", "did you mean `tier`?"),
        ("tier = 4", "tier = 4\ntell = true", 6, "`tell` is only allowed at tier 1", "write `tier = 1`"),
        ("tier = 4", "tier = 4\ntell = 1", 6, "`tell` is an integer", "`true` or `false`"),
        ("tier = 4", "tier = 4\nsource = \"4.2\"", 6, "`4.2` names no sentence", "`handbook:4.2`"),
        ("tier = 4", "tier = 4\nsource = [\"a:1\", \"a b:2\"]", 6, "`a b:2` names no sentence", "`DOCUMENT:ID`"),
        ("tier = 4", "tier = 4\nlimit = 4", 6, "unknown key `limit` in `rule`", "known here"),
        (RUN, "", 3, "does not say which actions", "`run`, `write`"),
        (RUN, "run = {}\nread = {}", 7, "`read` and `run`", "split it"),
        (RUN, "run = 3", 6, "`run` is an integer", "a table, or a list"),
        (RUN, "run = []", 6, "`run` is empty", "remove the key"),
        (RUN, "run = { program = [\"a\", 3] }", 6, "`program` is an integer", "list of strings"),
        (RUN, "run = { arg = [] }", 6, "`arg` is empty", "remove the key"),
        (RUN, "run = { any_flags = \"-f\" }", 6, "unknown key `any_flags` in `run`", "did you mean `any_flag`?"),
        (RUN, "run = { any_flag = \"force\" }", 6, "does not name an option", "dashes"),
        (RUN, "run = { any_flag = \"--no-*\" }", 6, "does not name an option", "dashes"),
        (RUN, "run = { any_flag = \"--x={\" }", 6, "bad pattern: `{` is never closed", "\\{"),
        (RUN, "run = { words = [\" \"] }", 6, "`words` has an entry without words", "write the words"),
        (RUN, "run = { no_flag = \"--x=y\" }", 6, "`no_flag` does not allow a value", "only the name"),
        (RUN, "run = { min_args = 300 }", 6, "not between 0 and 255", "the number"),
        (RUN, "run = { program = \"<protected>\" }", 6, "is not allowed here", "`refs`"),
        (RUN, "write = { path = \"a//b\" }", 6, "bad pattern: a path pattern has two slashes", "remove one"),
        (RUN, "write = { adds = \"(\" }", 6, "bad pattern: unclosed group", "docs.rs"),
        (RUN, "write = { unless = \"a\" }", 6, "`unless` without `adds`", "exempts lines"),
        (RUN, "read = { recursive = true }", 6, "unknown key `recursive` in `read`", "known here: `path`"),
        (RUN, "write = { new = \"yes\" }", 6, "`new` is a string", "`true` or `false`"),
        (RUN, "push = { kind = \"forced\" }", 6, "unknown kind of push `forced`", "`non-fast-forward`"),
        (RUN, "push = { ref = \"main\" }", 6, "unknown key `ref`", "did you mean `refs`?"),
        (RUN, "call = { args = { a = 1 } }", 6, "not a JSON pointer", "\"/a\""),
        (RUN, "call = { args = { \"/a\" = \">x\" } }", 6, "compares with something that is not a number", "decimal"),
        (RUN, "call = { args = { \"/a\" = [] } }", 6, "not a text, a number or a boolean", "`/regex/`"),
        (RUN, "result = {}\nrun = {}", 6, "unknown key `result` in `rule`", "known here"),
        ("reason =", "unless = {}\nreason =", 7, "`unless` is empty", "exempt everything"),
        ("reason =", "unless = { run = { arg = \"x\" } }\nreason =", 7, "`unless` names the kind `run` again", "the keys of `run`"),
        (RUN, "run = { program = \"git\", arg = [\"gc\"] }\nunless = { arg = [\"list\"] }", 7, "`unless` can never hold", "write `verb`"),
        (RUN, "run = { program = \"git\", verb = [\"gc\"] }\nunless = { arg = [\"l*\", \"status\"] }", 7, "`unless` can never hold", "write `verb`"),
        (RUN, "run = { program = \"git\", min_args = 2 }\nunless = { arg = [\"list\"] }", 7, "`unless` can never hold", "write `verb`"),
        (RUN, "write = { path = \"a\" }\nunless = { unless = \"a\" }", 7, "`unless` without `adds`", "exempts lines"),
        ("reason =", "unless = { path = \"x\" }\nreason =", 7, "unknown key `path` in `unless`", "known here"),
        ("reason =", "where = { phases = \"dev\" }\nreason =", 7, "unknown key `phases`", "`phase`"),
        ("reason =", "where = { dirty = 1 }\nreason =", 7, "`dirty` is an integer", "`true`"),
        ("reason =", "open = true\nreason =", 7, "`open` is not allowed in the project layer", "remove it"),
        ("reason =", "for_agents = \"[\"\nreason =", 7, "bad pattern: `[` is never closed", "\\["),
        (r#"reason = "it drops commits""#, "", 3, "`rule` needs `reason`", "add"),
        (r#"reason = "it drops commits""#, "reason = \" \"", 7, "`reason` is empty", "write a value"),
        (r#"reason = "it drops commits""#, "reason = \"\\u001b[1m\"", 7, "control characters", "terminals"),
        (r#"instead = "$ git push""#, "", 3, "`rule` needs `instead`", "add"),
        (r#"instead = "$ git push""#, "instead = \"$  \"", 8, "the mark of a command and no command", "after `$ `"),
        (CATCHES, "", 3, "`rule` needs `catches`", "add"),
        (CATCHES, "catches = []", 9, "`catches` is empty", "at least one"),
        (CATCHES, "catches = [\"\"]", 9, "an example in `catches` is empty", "a command"),
        (CATCHES, "catches = [3]", 9, "neither a command nor a table", "write"),
        (CATCHES, "catches = [{ agent = \"a\" }]", 9, "does not do exactly one thing", "`command`"),
        (CATCHES, "catches = [{ command = \"a\", read = { path = \"a\" } }]", 9, "does not do exactly one thing", "`command`"),
        (CATCHES, "catches = [{ write = { text = \"a\" } }]", 9, "`write` needs `path`", "add"),
        (CATCHES, "catches = [{ command = \"a\", facts = { brunch = \"a\" } }]", 9, "unknown key `brunch` in `facts`", "`branch`"),
        (CATCHES, "catches = [{ push = { kind = \"force\" } }]", 9, "unknown kind of push", "`create`"),
        (CATCHES, "catches = [{ call = { tool = \"t\", args = { d = 2027-01-01 } } }]", 9, "JSON has no dates", "string"),
        (r#"spares = ["git push"]"#, "", 3, "`rule` needs `spares`", "add"),
        (r#"spares = ["git push"]"#, "spares = [\"a\",\n \"\"]", 11, "an example in `spares` is empty", "a command"),
        (r#"spares = ["git push"]"#, "spares = [\"a\"]\nunsure = []", 11, "`unsure` is empty", "at least one"),
    ];
    for (old, new, line, what, fix) in cases {
        let found = mistakes(Layer::Project, &rule_with(old, new));
        let [(at, mistake)] = found.as_slice() else { panic!("`{new}`: {found:#?}") };
        assert!(at == line && mistake.what.contains(what) && mistake.fix.contains(fix), "`{new}`: line {at}, {mistake:?}");
    }
}

#[test]
fn each_mistake_of_a_file() {
    let waiver = "[[waiver]]\nrule = \"extra-rule\"\ndelete = { path = \"x\" }\nreason = \"r\"\nuntil = 2027-03-31";
    let long = format!("# {}", "x".repeat(1 << 20));
    let cases: &[(Layer, String, usize, &str, &str)] = &[
        (Layer::Project, "schema = 1".into(), 2, "not TOML: duplicate key", "toml.io"),
        (Layer::Project, "a = = 1".into(), 2, "not TOML", "toml.io"),
        (Layer::Project, long, 1, "larger than", "split it"),
        (Layer::Project, "packs = [\"extar\"]".into(), 2, "unknown pack `extar`", "did you mean `extra`?"),
        (Layer::User, "[[shadow]]".into(), 2, "`shadow` names nothing", "add `rule = "),
        (Layer::Project, "mode = \"off\"".into(), 2, "unknown mode `off`", "`enforce`, `shadow`"),
        (Layer::Project, "protected = [\"{\"]".into(), 2, "bad pattern", "\\{"),
        (Layer::Project, "pack = \"x\"".into(), 2, "unknown key `pack`", "`packs`"),
        (Layer::Project, "opens = []".into(), 2, "`opens` is not allowed in the project layer", "organisation"),
        (Layer::User, "disable = [\"git\"]".into(), 2, "`disable` is not allowed in the user layer", "organisation"),
        (Layer::Organisation, "opens = [\"extra-rul\"]".into(), 2, "`opens` names the unknown rule", "`portcullis test`"),
        (Layer::Organisation, "packs = \"extra\"\nopens = [\"extra-rul\"]".into(), 3, "`opens` names the unknown rule", "did you mean `extra-rule`?"),
        (Layer::Organisation, "opens = [3]".into(), 2, "not a list of names", "`[]` locks all"),
        (Layer::Organisation, "disable = [\"gti\"]".into(), 2, "unknown pack `gti`", "`git`"),
        (Layer::Project, "[tests-first]\ntier = 5".into(), 3, "there is no tier 5", "4 prohibited"),
        (Layer::Project, "[tests-first]\ntier = 4\nred = \"maybe\"".into(), 4, "unknown value of `red`", "`when-reported`"),
        (Layer::Project, "[tests-first]\ntier = 4\nlayouts = \"pyton-pytest\"".into(), 4, "unknown layout `pyton-pytest`", "did you mean `python-pytest`?"),
        (Layer::Project, "[tests-first]\ntier = 4\nexempt = [{ path = \"x\" }]".into(), 4, "`exempt` needs `reason`", "add"),
        (Layer::Project, "[tests-first]\ntier = 4\nlevel = 3".into(), 4, "unknown key `level`", ""),
        (
            Layer::Project,
            "[tests-first]\ntier = 4\n[[tests-first.layout]]\nname = \"own\"\nsource = \"src/{steem}.py\"".into(),
            6,
            "unknown variable `{steem}`",
            "docs/tests-first.md",
        ),
        (Layer::Project, "[stall]\nrepeat = 1".into(), 3, "`repeat` is 1", "a number from 2"),
        (Layer::Project, "[[limit]]\nname = \"x\"\nmax = 1\nper = \"1 h\"".into(), 5, "`1 h` is no window", "`1h`"),
        (Layer::Project, waiver.replace("extra-rule", "nothing"), 3, "unknown rule `nothing`", "`portcullis test`"),
        (Layer::Project, waiver.replace("2027-03-31", "\"2027-03-31\""), 6, "`until` is a string", "without quotes"),
        (Layer::Project, waiver.replace("2027-03-31", "2027-03-31T10:00:00"), 6, "`until` is a date or time", "a day like"),
        (Layer::Project, waiver.replace("until = 2027-03-31", ""), 2, "`waiver` needs `until`", "add"),
        (Layer::Project, waiver.replace("reason = \"r\"", ""), 2, "`waiver` needs `reason`", "add"),
        (Layer::Project, waiver.replace("{ path = \"x\" }", "{}"), 4, "is empty", "waive everything"),
        (Layer::Project, waiver.replace("delete = { path = \"x\" }", ""), 2, "a waiver does not say which actions", "add one of"),
        (Layer::Local, waiver.into(), 3, "a waiver is not allowed in the local layer", "only the user layer and the project layer"),
        (Layer::Organisation, waiver.into(), 3, "a waiver is not allowed in the organisation layer", "only the user layer and the project layer"),
    ];
    for (layer, text, line, what, fix) in cases {
        let found = mistakes(*layer, text);
        let Some((at, mistake)) = found.first() else { panic!("`{text}` has no mistake") };
        let shown = text.get(..80).unwrap_or(text);
        assert!(at == line && mistake.what.contains(what) && mistake.fix.contains(fix), "`{shown}`: line {at}, {mistake:?}");
        assert_eq!(found.len(), 1, "`{shown}`: {found:#?}");
    }
}

#[test]
fn each_mistake_of_a_pack() {
    let pack = |text: &str| {
        let packs = [("policies/git.toml", text)];
        let input = super::Input { packs: &packs, ..super::Input::default() };
        super::compile(&input).unwrap_err().iter().map(|mistake| format!("{} {}", mistake.line(text), mistake.what)).collect::<Vec<_>>()
    };
    assert_eq!(pack("schema = 1\npack = \"gti\"\ndescription = \"d\"\ndefault = true"), ["2 the pack `gti` is in the file `git.toml`"]);
    assert_eq!(
        pack("schema = 2\npack = \"git\"\ndescription = \"\"\ndefault = true"),
        ["1 this schema is not known to this version", "3 `description` is empty"]
    );
    let waiver = "schema = 1\npack = \"git\"\ndescription = \"d\"\ndefault = true\n[[waiver]]";
    assert_eq!(pack(waiver), ["5 unknown key `waiver` in a pack"]);
}

#[test]
fn all_mistakes_of_all_files_come_at_once_in_order() {
    let bad = format!("schema = 1\n{}{}", rule_with("tier = 4", "tier = 9"), rule_with("name = \"force-push\"", "name = \"Other\"\nnmae = 1"));
    let layers = [(Layer::Project, bad.as_str()), (Layer::User, "schema = 1\nmode = 3"), (Layer::Local, "]")];
    let found = with_pack("", &layers, |input, result| {
        let mistakes = result.unwrap_err();
        mistakes.iter().map(|mistake| format!("{}:{}", mistake.path, mistake.line(input.text_of(&mistake.path).unwrap()))).collect::<Vec<_>>()
    });
    assert_eq!(found, ["user:2", "project:5", "project:13", "project:14", "local:1"]);
}

#[test]
fn a_file_that_is_not_toml_makes_no_names_unknown() {
    let waiver = "schema = 1\npacks = [\"extar\"]\n[[waiver]]\nrule = \"gone\"\nrun = { program = \"x\" }\nreason = \"r\"\nuntil = 2027-03-31";
    let found = with_pack("=", &[(Layer::Project, waiver)], |_, result| result.unwrap_err().len());
    assert_eq!(found, 1);
}

#[test]
fn damaged_files_give_mistakes_with_places_and_never_a_panic() {
    let whole = format!(
        "schema = 1\n{RULE}where = {{ branch = [\"a{{b,c}}\"] }}\n[[waiver]]\nrule = \"force-push\"\nrun = {{ arg = \"[a-z]ä\" }}\nreason = \"r\"\nuntil = 2027-03-31\n"
    );
    let damage = ["", "\"", "{", "}", "[", "]", "=", "\n", "3", "\\", "ä", "[[rule]]\n", "\u{0}"];
    let mut damaged = 0;
    for (at, _) in whole.char_indices() {
        let with = damage[at % damage.len()];
        let rest = whole[at..].chars().next().map_or(0, char::len_utf8);
        let text = format!("{}{with}{}", &whole[..at], &whole[at + rest..]);
        with_pack("", &[(Layer::Project, &text)], |input, result| {
            for mistake in result.err().unwrap_or_default() {
                damaged += 1;
                assert!(mistake.span.start <= mistake.span.end && mistake.span.end <= text.len(), "{text}\n{mistake:?}");
                assert!(!mistake.what.is_empty() && mistake.render(input.text_of(&mistake.path).unwrap(), false).contains("project"), "{mistake:?}");
            }
        });
    }
    assert!(damaged > 200, "{damaged}");
}

#[test]
fn a_mistake_as_people_read_it() {
    let text = format!("schema = 1\n{}", rule_with("any_flag", "any_flags"));
    let shown = with_pack("", &[(Layer::Project, &text)], |input, result| input.render(&result.unwrap_err(), false));
    let expected = r#"error: unknown key `any_flags` in `run`
 --> project:6:47
  |
6 | run = { program = "git", subcommand = "push", any_flags = "--force" }
  |                                               ^^^^^^^^^
  |
  = help: did you mean `any_flag`?"#;
    assert_eq!(shown, expected);
}

#[test]
fn a_mistake_that_names_two_places() {
    let text = format!("schema = 1\n{RULE}");
    let shown = with_pack(RULE, &[(Layer::Project, &text)], |input, result| input.render(&result.unwrap_err(), false));
    let expected = r#"error: the rule `force-push` is defined twice: here and at policies/git.toml:6
 --> project:4:8
  |
4 | name = "force-push"
  |        ^^^^^^^^^^^^
  |
  = help: give it another name; a rule of another layer cannot be changed, but an open rule can be waived"#;
    assert_eq!(shown, expected);
    let coloured = with_pack(RULE, &[(Layer::Project, &text)], |input, result| input.render(&result.unwrap_err(), true));
    assert!(coloured.contains("\u{1b}["));
}

#[test]
fn near_words_are_suggested_and_far_ones_are_not() {
    let keys = ["program", "any_flag", "all_flags", "arg"];
    let cases = [("any_flags", Some("any_flag")), ("progam", Some("program")), ("args", Some("arg")), ("colour", None), ("", None)];
    for (word, expected) in cases {
        assert_eq!(nearest(word, keys), expected, "{word}");
    }
}

#[test]
fn a_span_beyond_the_text_is_shown_at_its_end() {
    let mistake = PolicyMistake { path: "p.toml".into(), span: 90..99, what: "w\u{1b}[1m".into(), fix: String::new() };
    let shown = mistake.render("ä = 1", false);
    assert!(shown.contains("p.toml:1") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn days_are_counted_from_1970() {
    for (day, expected) in [("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2027-03-31", 20_908), ("2100-03-01", 47_541)] {
        let text = format!("day = {day}");
        let table = schema::parse("p.toml", &text).unwrap();
        let day = SpannedValue { value: &table, span: 0..0 }.get("day").unwrap();
        assert_eq!(day.as_day(), Some(expected), "{text}");
    }
}
