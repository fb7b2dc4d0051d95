//! TOML texts with our tables, and without them again.

use clients::wiring::forms::HookPath;
use clients::wiring::{ClientWiring, HookForm, WIRINGS};

use super::{read, with, without};

const HOOK: HookPath = HookPath::Installed("/opt/a b/portcullis-hook");

fn in_toml() -> impl Iterator<Item = &'static ClientWiring> {
    WIRINGS.iter().filter(|wiring| matches!(wiring.form, HookForm::Tables { .. }))
}

#[test]
fn tables_are_added_and_taken_out_byte_for_byte() {
    let texts = [
        "",
        "\n",
        "# only a comment",
        "a = 1\n\n\n",
        "a   =   1 # odd\r\n[models.x]\r\n  b = \"\"\"\r\n[[hooks]]\r\n\"\"\"\r\n",
        "[[hooks]]\nname = \"mine\"\ntype = \"pre_tool\"\nevent = \"Stop\"\ncommand = \"true\" # mine\n\n[other]\nx = 1",
    ];
    for wiring in in_toml() {
        let events = wiring.client.wired();
        for text in texts {
            let wired = with(wiring, Some(text), HOOK, events).unwrap();
            assert_eq!(read(wiring, &wired).unwrap().iter().filter(|table| table.started.is_some()).count(), events.len(), "{wired}");
            assert_eq!(with(wiring, Some(&wired), HOOK, events).unwrap(), wired, "a second time changes nothing");
            assert_eq!(without(wiring, &wired).unwrap().as_deref(), Some(text));
            // Something of a person's behind ours stays.
            let more = format!("{wired}\n# mine\n[later]\ny = 2\n");
            assert_eq!(
                without(wiring, &more).unwrap().unwrap(),
                format!("{text}\n# mine\n[later]\ny = 2\n").trim_start_matches(if text.is_empty() { "x" } else { "" })
            );
            // An older entry is replaced.
            let older = wired.replace("/opt/a b/", "/opt/old/");
            assert_eq!(with(wiring, Some(&older), HOOK, events).unwrap(), wired);
            // A program that writes the file again loses comments.
            let rewritten: String = wired.split_inclusive('\n').filter(|line| !line.starts_with("# made by")).collect();
            assert!(!without(wiring, &rewritten).unwrap().unwrap_or_default().contains("portcullis"), "{rewritten}");
        }
        let new = with(wiring, None, HOOK, events).unwrap();
        assert_eq!(without(wiring, &new).unwrap(), None);
    }
}

#[test]
fn texts_that_take_no_table_are_refused_with_the_place() {
    for wiring in in_toml() {
        for (text, at) in [
            ("\u{feff}a = 1\n", (1, 1)),
            ("a = 1\nb = = 2\n", (2, 5)),
            ("hooks = []\n", (1, 9)),
            ("[hooks]\nx = 1\n", (1, 1)),
            ("hooks = [{event = \"Stop\"}]\n", (1, 9)),
        ] {
            let mistake = with(wiring, Some(text), HOOK, wiring.client.wired()).unwrap_err();
            assert_eq!((mistake.line, mistake.column), at, "{text}: {}", mistake.what);
        }
    }
}
