//! The entries of a client in a JSON file, for `cli::settings`.

use serde_json::{Map, Value, json};

use crate::cli::settings::EntryForm;
use clients::WiredEvent;
use clients::settings::shape::{Flaw, PathStep};
use clients::wiring::forms::{self, HookPath};
use clients::wiring::{ClientWiring, HookForm};

/// The entries of one client that start this hook.
pub(super) struct ClientEntries<'h> {
    pub wiring: &'static ClientWiring,
    pub hook: HookPath<'h>,
}

impl EntryForm for ClientEntries<'_> {
    fn events(&self) -> &'static [WiredEvent] {
        self.wiring.client.wired()
    }

    fn handler(&self, event: WiredEvent, _found: Option<&Value>) -> Value {
        // A path that fits into no line is refused before.
        forms::handler(self.wiring, event, self.hook).unwrap_or_default()
    }

    fn is_ours(&self, handler: &Map<String, Value>) -> bool {
        forms::started_by(handler).is_some()
    }

    fn has_groups(&self) -> bool {
        self.wiring.form != HookForm::Handlers
    }

    fn has_comments(&self) -> bool {
        matches!(self.wiring.form, HookForm::Groups { comments: true, .. })
    }

    fn head(&self) -> Map<String, Value> {
        let versioned = self.wiring.form == HookForm::Handlers;
        Map::from_iter(versioned.then(|| ("version".to_owned(), json!(1))))
    }

    /// The form that is needed to add an entry. What else a client refuses is not known.
    fn flaw(&self, text: &Value) -> Option<Flaw> {
        let at = |keys: &[&str]| keys.iter().map(|key| PathStep::Key((*key).to_owned())).collect();
        let root = text.as_object()?;
        if !self.head().is_empty() && !root.contains_key("version") {
            return Some(Flaw { at: at(&["version"]), what: "there is no `version`, so the client ignores the file: add `\"version\": 1`".to_owned() });
        }
        let hooks = root.get("hooks")?;
        let Some(events) = hooks.as_object() else {
            return Some(Flaw { at: at(&["hooks"]), what: "`hooks` is not an object, so no hook can be added".to_owned() });
        };
        let events = events.iter().filter(|(event, _)| self.events().iter().any(|wired| wired.event == *event));
        events.filter(|(_, list)| !list.is_array()).map(|(event, _)| Flaw { at: at(&["hooks", event]), what: format!("`hooks.{event}` is not a list") }).next()
    }
}
