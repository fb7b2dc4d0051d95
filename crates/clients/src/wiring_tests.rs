//! The entries of the table agree with the clients; what is written for a client is read back as ours.

use serde_json::Value;

use super::forms::{self, HookPath, StartedHook};
use super::{HookForm, WIRINGS, calls};
use crate::Invocation;
use crate::{CLIENTS, Moment};

const HOOKS: [HookPath; 4] = [
    HookPath::Installed("/usr/local/bin/portcullis-hook"),
    HookPath::Installed("/home/a b/it's/portcullis-hook"),
    HookPath::Installed("/home/a \"b\" $c/portcullis-hook"),
    HookPath::Committed(".codex/portcullis-hook"),
];

#[test]
fn lines_and_handlers_are_read_back() {
    for wiring in WIRINGS {
        for hook in HOOKS {
            let expected = match hook {
                HookPath::Installed(path) => StartedHook { program: path.to_owned(), committed: false },
                HookPath::Committed(path) => StartedHook { program: path.to_owned(), committed: true },
            };
            for event in wiring.client.wired() {
                let line = forms::line(wiring, *event, hook).unwrap();
                assert_eq!(forms::started(&line), Some(expected.clone()), "{line}");
                assert!(wiring.own_seconds(*event) < wiring.waits_for(*event) && wiring.own_seconds(*event) > 0);
                let handler = forms::handler(wiring, *event, hook).unwrap();
                assert_eq!(forms::started_by(handler.as_object().unwrap()), Some(expected.clone()), "{handler}");
                assert_eq!(forms::line_of(handler.as_object().unwrap()), Some(line.as_str()));
            }
        }
    }
    for other in ["echo portcullis-hook", "/bin/true", "sh -c '/a/portcullis-hook X'", "/a/other && /a/portcullis-hook"] {
        assert_eq!(forms::started(other), None, "{other}");
    }
    assert_eq!(forms::shell_word("/a'b\"c"), None);
}

#[test]
fn each_client_is_wired_or_has_settings_of_its_own() {
    let names: Vec<&str> = WIRINGS.iter().map(|wiring| wiring.client.name()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for client in CLIENTS.iter().filter(|client| client.settings_files().is_none() && !client.programs().is_empty()) {
        assert!(names.contains(&client.name()), "{client:?} has no entry in the table");
    }
    for wiring in WIRINGS {
        let tried = wiring.tried();
        assert!(tried.is_some_and(crate::WiredEvent::is_guarding), "{wiring:?}");
        assert_eq!(wiring.project.is_some(), wiring.script.is_some(), "{wiring:?}");
        assert_eq!(matches!(wiring.form, HookForm::Programs), wiring.waits_fixed, "{wiring:?}");
    }
}

#[test]
fn a_made_up_call_is_the_clients_own() {
    for wiring in WIRINGS {
        let event = wiring.tried().unwrap();
        let text = calls::made_up(wiring, "echo \"@folder@\" 'x'", "/a b", "trial");
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{wiring:?}: {error}"));
        let name = wiring.client.name();
        let read = Invocation::new(Some(event.event), Some(name)).read(text.as_bytes()).unwrap();
        assert_eq!((read.client.name(), read.certain, read.moment), (name, true, Moment::BeforeCall));
        assert_eq!((read.session.as_str(), read.cwd.as_deref()), ("trial", Some("/a b")), "{wiring:?}");
        // A recorded call without the name on the command line is recognised too, or by nobody else's name.
        assert!(read.tool.is_some(), "{wiring:?}");
    }
}
