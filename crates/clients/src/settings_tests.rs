//! Settings texts judged, by themselves and as edits.

use super::entry::starts_gate;
use super::{SettingsEffect, SettingsReading, judge, worsened};

/// The entry of the gate on one event, in the exec form.
fn entry(event: &str) -> String {
    format!(r#"{{"type":"command","command":"/p/portcullis-hook","args":["{event}"],"timeout":10,"onFailure":"block"}}"#)
}

fn groups(handlers: &str) -> String {
    format!(r#"[{{"matcher":"*","hooks":[{handlers}]}}]"#)
}

/// A text that wires all guarding events; `on_pre` are the handlers on `PreToolUse`, `more` is before `hooks`.
fn text(on_pre: &str, more: &str) -> String {
    let [request, skill, change] = ["PermissionRequest", "PreSkillShellCommand", "ConfigChange"].map(|event| groups(&entry(event)));
    format!(r#"{{{more}"hooks":{{"PreToolUse":{},"PermissionRequest":{request},"PreSkillShellCommand":{skill},"ConfigChange":{change}}}}}"#, groups(on_pre))
}

fn wired() -> String {
    text(&entry("PreToolUse"), "")
}

#[track_caller]
fn effect(text: &str) -> SettingsEffect {
    match judge(text) {
        SettingsReading::Read(effect) => effect,
        SettingsReading::Unreadable(why) => panic!("{why}: {text}"),
    }
}

#[test]
fn a_whole_gate_has_no_faults() {
    let whole = SettingsEffect { gate_entries: 1, whole: true, faults: Vec::new() };
    let shell = |command: &str| format!(r#"{{"type":"command","command":{command:?},"onFailure":"block"}}"#);
    for text in [
        wired(),
        format!("\u{feff}{}\n", wired()),
        wired().replace(r#""matcher":"*","#, ""),
        wired().replace(r#""matcher":"*""#, r#""matcher":"""#),
        wired().replace("/p/", "${CLAUDE_PROJECT_DIR}/.portcullis/bin/"),
        wired().replace("/p/", "/with a blank/"),
        text(&shell("/p/portcullis-hook PreToolUse"), ""),
        text(&shell("'/a b/portcullis-hook' PreToolUse"), ""),
        text(&shell("/p/portcullis-hook PreToolUse claude-code"), ""),
        wired().replace(r#"["PreToolUse"]"#, r#"["PreToolUse","claude-code"]"#),
        text(&shell("\"$CLAUDE_PROJECT_DIR\"/bin/portcullis-hook PreToolUse"), ""),
        text(&shell("\"${CLAUDE_PROJECT_DIR}/bin/portcullis-hook\" PreToolUse"), ""),
        text(&entry("PreToolUse"), r#""disableAllHooks":false,"allowManagedHooksOnly":true,"#),
    ] {
        assert_eq!(effect(&text), whole, "{text}");
    }
}

#[test]
fn a_text_without_the_gate_is_no_fault() {
    for text in ["{}", r#"{"model":"opus","permissions":{"allow":["Bash(*)"],"deny":[]}}"#, r#"{"hooks":{"Stop":[]}}"#] {
        assert_eq!(effect(text), SettingsEffect { gate_entries: 0, whole: false, faults: Vec::new() }, "{text}");
        assert_eq!(worsened(None, text), None, "{text}");
    }
}

/// The handler of `PreToolUse` changed: (from, to, the fault, whether it still counts as an entry of the gate).
#[test]
fn a_weakened_entry_is_named() {
    let cases = [
        (r#""timeout":10"#, r#""timeout":10,"async":true"#, "runs in the background (`async`)", false),
        (r#""timeout":10"#, r#""timeout":10,"asyncRewake":true"#, "runs in the background (`asyncRewake`)", false),
        (r#""timeout":10"#, r#""timeout":10,"once":true"#, "runs only once", false),
        (r#""timeout":10"#, r#""timeout":10,"if":"Bash(git *)""#, "has a condition", false),
        (r#""timeout":10"#, r#""timeout":1"#, "`timeout` of 1 seconds", true),
        (r#""timeout":10"#, r#""timeout":1.5"#, "`timeout` of 1.5 seconds", true),
        (r#""timeout":10"#, r#""timeout":86400"#, "`timeout` of 86400 seconds", true),
        (r#""timeout":10"#, r#""timeout":0"#, "`timeout` that is not a number above 0", true),
        (r#""timeout":10"#, r#""timeout":-3"#, "`timeout` that is not a number above 0", true),
        (r#""timeout":10"#, r#""timeout":"10""#, "`timeout` that is not a number above 0", true),
        (r#","onFailure":"block""#, "", "has no `\"onFailure\": \"block\"`", true),
        (r#""onFailure":"block""#, r#""onFailure":"continue""#, "has no `\"onFailure\": \"block\"`", true),
        (r#""onFailure":"block""#, r#""onFailure":"Block""#, "neither `continue` nor `block`", true),
        (r#""args":["PreToolUse"]"#, r#""args":[]"#, "does not pass its event", false),
        (r#""args":["PreToolUse"]"#, r#""args":["PostToolUse"]"#, "does not pass its event", false),
        (r#""args":["PreToolUse"],"#, "", "does not pass its event", false),
        (r#""args":["PreToolUse"]"#, r#""args":"PreToolUse""#, "`args` that is not a list of texts", false),
        (r#""type":"command""#, r#""type":"prompt""#, "is not of the type `command`", false),
        (r#""type":"command","#, "", "has no `type` that is known", false),
        ("/p/portcullis-hook", "portcullis-hook", "not started by its full path", false),
        ("/p/portcullis-hook", "./portcullis-hook", "not started by its full path", false),
        ("/p/portcullis-hook", "${HOME}/portcullis-hook", "not started by its full path", false),
        (r#"/p/portcullis-hook","args":["PreToolUse"]"#, r#"/p/portcullis-hook PreToolUse || true""#, "through another command", false),
        (r#"/p/portcullis-hook","args":["PreToolUse"]"#, r#"/p/portcullis-hook PreToolUse x""#, "for another client", false),
        (r#"/p/portcullis-hook","args":["PreToolUse"]"#, r#"/p/portcullis-hook PreToolUse claude-code x""#, "not a number of seconds", false),
        (r#"/p/portcullis-hook","args":["PreToolUse"]"#, r#"/p/portcullis-hook PreToolUse claude-code 5 x""#, "a shell line", false),
        (r#""args":["PreToolUse"]"#, r#""args":["PreToolUse","claude-code","50"]"#, "may take 50 seconds", false),
        (r#""args":["PreToolUse"]"#, r#""args":["PreToolUse","codex"]"#, "for another client", false),
        (r#"/p/portcullis-hook","args":["PreToolUse"]"#, r#"env PATH=/x /p/portcullis-hook PreToolUse""#, "through another command", false),
        (r#"/p/portcullis-hook","args":["PreToolUse"]"#, r#"/bin/sh","args":["-c","/p/portcullis-hook PreToolUse; true"]"#, "through another command", false),
    ];
    for (from, to, fault, counts) in cases {
        let changed = text(&entry("PreToolUse").replacen(from, to, 1), "");
        assert_ne!(changed, wired(), "{from}");
        let effect = effect(&changed);
        assert!(effect.faults.iter().any(|text| text.contains(fault)), "{fault}: {effect:?}");
        assert_eq!((effect.gate_entries, effect.whole), (usize::from(counts), counts), "{changed}");
        let why = worsened(Some(&wired()), &changed).unwrap_or_default();
        assert!(why.contains(fault), "{why:?}: {changed}");
        // The way back is no harm, nor is any other edit while it lasts.
        assert_eq!(worsened(Some(&changed), &wired()), None, "{changed}");
        assert_eq!(worsened(Some(&changed), &changed.replacen('{', r#"{"model":"opus","#, 1)), None, "{changed}");
    }
    let with_if = |rule: &str| text(&entry("PreToolUse").replace(r#""timeout""#, &format!(r#""if":"{rule}","timeout""#)), "");
    assert!(worsened(Some(&with_if("Bash(git *)")), &with_if("Bash(svn *)")).is_some());
    let narrowed = wired().replacen(r#""matcher":"*""#, r#""matcher":"Bash""#, 1);
    assert_eq!(effect(&narrowed).faults, [r#"the entry of Portcullis for `PreToolUse` sees only calls that the matcher "Bash" selects"#]);
    assert_eq!((effect(&narrowed).gate_entries, effect(&narrowed).whole), (0, false));
}

#[test]
fn switches_and_wrong_values_are_named() {
    let cases = [
        (r#""disableAllHooks":true"#, "switches every hook off"),
        (r#""disableAllHooks":"true""#, "neither true nor false"),
        (r#""disableAllHooks":1"#, "neither true nor false"),
        (r#""permissions":{"deny":"Bash"}"#, "`permissions.deny` is not a list of texts"),
        (r#""permissions":[]"#, "`permissions` is not an object"),
        (r#""model":5"#, "`model` is not a text"),
        (r#""PreToolUse":[]"#, "must be inside of `hooks`"),
        (r#""pre_tool_use":[]"#, "must be inside of `hooks`"),
        (r#""enabledPlugins":{"portcullis@market":false}"#, "turns the plugin `portcullis@market` off"),
        (r#""env":{"PATH":"/tmp"}"#, "`env` sets `PATH`"),
        (r#""env":{"HOME":"/tmp"}"#, "`env` sets `HOME`"),
        (r#""env":{"LD_PRELOAD":"/tmp/x.so"}"#, "`env` sets `LD_PRELOAD`"),
        (r#""env":{"LD_AUDIT":"/tmp/x.so"}"#, "`env` sets `LD_AUDIT`"),
        (r#""env":{"XDG_STATE_HOME":"/tmp"}"#, "`env` sets `XDG_STATE_HOME`"),
        (r#""env":{"GIT_CONFIG_COUNT":"1"}"#, "`env` sets `GIT_CONFIG_COUNT`"),
        (r#""env":{"GIT_DIR":"/tmp"}"#, "`env` sets `GIT_DIR`"),
        (r#""env":{"CLAUDE_CODE_SIMPLE":"1"}"#, "`env` sets `CLAUDE_CODE_SIMPLE`"),
        (r#""env":{"CLAUDE_CONFIG_DIR":"/tmp"}"#, "`env` sets `CLAUDE_CONFIG_DIR`"),
        (r#""env":{"PORTCULLIS_HOME":"/tmp"}"#, "`env` sets `PORTCULLIS_HOME`"),
    ];
    for (member, fault) in cases {
        let changed = text(&entry("PreToolUse"), &format!("{member},"));
        let faults = effect(&changed).faults;
        assert!(faults.len() == 1 && faults.iter().all(|text| text.contains(fault)), "{fault}: {faults:?}");
        // The same in a file that never held the gate: settings of all files are merged.
        for (before, after) in [(Some(wired()), changed.clone()), (None, format!("{{{member}}}")), (Some("{}".to_owned()), format!("{{{member}}}"))] {
            let why = worsened(before.as_deref(), &after).unwrap_or_default();
            assert!(why.contains(fault), "{why:?}: {after}");
        }
        assert_eq!(worsened(Some(&changed), &changed), None);
    }
    for member in [
        r#""allowManagedHooksOnly":true"#,
        r#""allowManagedHooksOnly":"no""#,
        r#""strictPluginOnlyCustomization":true"#,
        r#""strictPluginOnlyCustomization":["skills","hooks"]"#,
    ] {
        assert!(worsened(None, &format!("{{{member}}}")).is_some_and(|why| why.contains("all other settings")), "{member}");
    }
    assert_eq!(worsened(None, r#"{"strictPluginOnlyCustomization":["skills"],"allowManagedHooksOnly":false}"#), None);
}

#[test]
fn a_broken_hook_on_any_event_is_named() {
    let cases = [
        (r#""PostToolUse":{}"#, "`hooks.PostToolUse` is not a list"),
        (r#""PostToolUse":[{"matcher":["Bash"],"hooks":[]}]"#, "a matcher on `PostToolUse` is not a text"),
        (r#""PostToolUse":[{"matcher":"Bash"}]"#, "has no list `hooks`"),
        (r#""PostToolUse":[{"hooks":[{"type":"shell","command":"x"}]}]"#, "has no `type` that is known"),
        (r#""PostToolUse":[{"hooks":[{"type":"command"}]}]"#, "has no text `command`"),
        (r#""PostToolUse":[{"hooks":[{"type":"command","command":"x","timeout":0}]}]"#, "not a number above 0"),
        (r#""PostToolUse":[{"hooks":[{"hooks":[]}]}]"#, "has no `type` that is known"),
        (r#""PreToolUse ":[]"#, "misspelt event"),
    ];
    for (member, fault) in cases {
        let changed = wired().replacen(r#""hooks":{"#, &format!(r#""hooks":{{{member},"#), 1);
        let why = worsened(Some(&wired()), &changed).unwrap_or_default();
        assert!(why.contains(fault), "{why:?}: {changed}");
    }
}

#[test]
fn an_edit_that_loses_the_gate_is_named() {
    let second = text(&format!("{},{}", entry("PreToolUse"), entry("PreToolUse").replace("/p/", "/q/")), "");
    let observing = wired().replacen(r#""hooks":{"#, &format!(r#""hooks":{{"PostToolUse":{},"#, groups(&entry("PostToolUse"))), 1);
    let plugin = r#"{"enabledPlugins":{"portcullis@market":true}}"#;
    let broken = wired().replacen('{', "{ // mine\n", 1);
    let other = r#"{"type":"command","command":"/usr/bin/true","timeout":10}"#;
    let cases = [
        (wired(), "{}".to_owned(), "the entry of Portcullis for `PreToolUse` is missing"),
        (wired(), r#"{"hooks":{}}"#.to_owned(), "is missing"),
        (wired(), text("", ""), "the entry of Portcullis for `PreToolUse` is missing"),
        (wired(), text(other, ""), "the entry of Portcullis for `PreToolUse` is missing"),
        (wired(), wired().replace("ConfigChange", "Notification"), "`ConfigChange` is missing"),
        (wired(), wired().replacen("/p/", "/tmp/", 1), "the entry of Portcullis for `PreToolUse` no longer starts `/p/portcullis-hook`"),
        (second, wired(), "is missing"),
        (observing, wired(), "the entry of Portcullis for `PostToolUse` is missing"),
        (plugin.to_owned(), "{}".to_owned(), "no longer turns the plugin `portcullis@market` on"),
        (wired(), String::new(), "empty"),
        (wired(), " \n".to_owned(), "empty"),
        (wired(), wired().replacen('{', "{ // note\n", 1), "not JSON"),
        (wired(), wired() + "}", "not JSON"),
        (wired(), "[]".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "{,}".to_owned(), "not JSON"),
        (wired(), format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)), "not JSON"),
        (broken, "{}".to_owned(), "is missing"),
        (wired(), wired().trim_end_matches('}').to_owned(), "not JSON"),
        // The last of two keys counts, here as in the client.
        (wired(), format!("{},\"hooks\":{{}}}}", wired().strip_suffix('}').unwrap_or_default()), "is missing"),
    ];
    for (before, after, fault) in cases {
        let why = worsened(Some(&before), &after).unwrap_or_default();
        assert!(why.contains(fault), "{why:?}: {after}");
        assert_eq!(worsened(Some(&before), &before).is_some(), matches!(judge(&before), SettingsReading::Unreadable(_)), "{before}");
    }
}

#[test]
fn an_edit_beside_the_gate_is_no_harm() {
    let other = r#"{"type":"command","command":"/usr/bin/lint","timeout":1,"async":true,"if":"Bash(git *)"}"#;
    let cases = [
        text(&entry("PreToolUse"), r#""model":"opus","permissions":{"allow":["Bash(*)"],"defaultMode":"acceptEdits"},"#),
        text(&entry("PreToolUse"), r#""env":{"GIT_EDITOR":"true","NODE_ENV":"test","ENV":"dev","EDITOR":"vi","CI":"1"},"#),
        text(&entry("PreToolUse"), r#""enabledPlugins":{"other@market":false,"portcullis@market":true},"#),
        text(&format!("{other},{}", entry("PreToolUse")), ""),
        text(&format!("{},{other}", entry("PreToolUse")), ""),
        wired().replacen(r#""PreToolUse":["#, &format!(r#""PreToolUse":[{{"matcher":"Bash","hooks":[{other}]}},"#), 1),
        wired().replacen(r#""hooks":{"#, r#""hooks":{"NewEvent":5,"Notification":[],"#, 1),
        wired().replace(r#""matcher":"*","#, ""),
        wired().replace(r#""timeout":10"#, r#""timeout":20"#),
        wired().replace(',', ",\n\t"),
        // What an entry of an older version becomes.
        wired().replace(r#"["PreToolUse"]"#, r#"["PreToolUse","claude-code"]"#),
    ];
    for after in cases {
        assert_ne!(after, wired());
        assert_eq!(worsened(Some(&wired()), &after), None, "{after}");
    }
    for (before, after) in [(None, ""), (Some(""), ""), (Some("{}"), "\n"), (Some("{ // x\n}"), "{}"), (Some("{,}"), r#"{"model":"opus"}"#)] {
        assert_eq!(worsened(before, after), None, "{before:?} to {after:?}");
    }
}

#[test]
fn a_changed_value_of_a_fault_is_a_new_fault() {
    let with = |path: &str| text(&entry("PreToolUse"), &format!(r#""env":{{"PATH":"{path}"}},"#));
    assert_eq!(worsened(Some(&with("/usr/bin")), &with("/usr/bin")), None);
    let why = worsened(Some(&with("/usr/bin")), &with("/tmp/secret")).unwrap_or_default();
    assert!(why.contains("`PATH`") && !why.contains("secret"), "{why:?}");
}

#[test]
fn the_gate_is_known_by_its_program() {
    let cases = [
        ("/p/portcullis-hook", true),
        ("portcullis-hook", true),
        ("/a b/portcullis-hook", true),
        ("${CLAUDE_PLUGIN_ROOT}/bin/portcullis-hook", true),
        ("/p/portcullis-hook PreToolUse", true),
        ("\"$CLAUDE_PROJECT_DIR\"/bin/portcullis-hook PreToolUse", true),
        ("'/a b/portcullis-hook' PreToolUse", true),
        ("/p/portcullis-hook-old", false),
        ("/p/portcullis-hook/x", false),
        ("grep portcullis-hook", false),
        ("/usr/bin/test -x /p/portcullis-hook", false),
        ("X=1 /p/portcullis-hook", false),
        ("/p/portcullis-hook PreToolUse; true", false),
        ("", false),
    ];
    for (command, expected) in cases {
        assert_eq!(starts_gate(command), expected, "{command}");
    }
}
