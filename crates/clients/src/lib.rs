//! Coding clients: their events, how they are recognised, what they send and how they are answered. Each client is one file
//! and one entry in [`CLIENTS`]; nothing else knows an event's name or the JSON of an answer. The names of tools are in
//! `actions::tools`. Strict with nothing but the form: unknown fields and tools are kept, not refused. Does not judge.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod answer;
pub mod claude_code;
mod auggie;
mod cline;
mod codex;
mod copilot;
mod cursor;
#[cfg(feature = "wiring")]
pub mod declared;
mod droid;
mod event;
mod fields;
mod gemini;
mod generic;
mod kimi;
pub mod moment;
mod opencode;
mod openhands;
mod qwen;
#[cfg(feature = "wiring")]
pub mod settings;
pub mod surroundings;
pub mod transcript;
mod vibe;
#[cfg(feature = "wiring")]
pub mod wiring;

use actions::json::{Json, quoted};

pub use answer::{Held, HookAnswer};
pub use event::{Event, Outcome, Sender, UnreadableEvent};
pub use moment::{Moment, MomentKind, UnwiredEvent, WiredEvent};
pub use surroundings::{SettingsFiles, Variables};
pub use transcript::TranscriptForm;

/// All clients that are known. Where nothing names a client, the first whose signs a payload has is its sender. The last one
/// takes what is left.
pub const CLIENTS: &[&dyn Client] = &[
    &claude_code::ClaudeCode,
    &codex::Codex,
    &gemini::Gemini,
    &qwen::Qwen,
    &copilot::Copilot,
    &kimi::Kimi,
    &droid::Droid,
    &vibe::Vibe,
    &cline::Cline,
    &opencode::OpenCode,
    &auggie::Auggie,
    &cursor::Cursor,
    &openhands::OpenHands,
    &generic::Generic,
];

/// Finds how a call ended in lines of a transcript: see [`Client::end_in_transcript`].
pub type EndFinder = fn(&str, &str) -> Option<(Outcome, Option<String>)>;

/// A coding client: everything that Portcullis knows of it.
///
/// What a client does not say otherwise is as most of them do it: the fields and answers of Claude Code, no `ask`.
pub trait Client: Sync {
    /// The name on the hook's command line.
    fn name(&self) -> &'static str;

    /// The events that need an entry in the client's settings, the most frequent first.
    fn wired(&self) -> &'static [WiredEvent];

    /// The other events that the client has.
    fn unwired(&self) -> &'static [UnwiredEvent];

    /// The environment variables that it gives its hooks.
    fn variables(&self) -> Variables {
        Variables::default()
    }

    /// The names of its programs, as the list of processes has them.
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its settings files. `None`: they are not known.
    fn settings_files(&self) -> Option<&'static SettingsFiles> {
        None
    }

    /// The moment of an event. `None`: the client is not known to have it.
    fn moment(&self, event: &str) -> Option<Moment> {
        let wired = self.wired().iter().find(|known| known.event == event).map(|known| known.moment);
        wired.or_else(|| self.unwired().iter().find(|known| known.event == event).map(|known| known.moment))
    }

    /// The event's name and its moment, if the payload can be this client's. `argument` is the event on the command line.
    fn recognise<'p>(&self, payload: &'p Json, _argument: Option<&'p str>) -> Option<(&'p str, Moment)> {
        let event = payload.text("hook_event_name")?;
        let moment = self.moment(event)?;
        self.has_signs(moment, payload).then_some((event, moment))
    }

    /// True if the fields of an event that this client has do not speak for another one.
    fn has_signs(&self, moment: Moment, payload: &Json) -> bool;

    /// Reads a payload of this client.
    ///
    /// # Errors
    ///
    /// [`UnreadableEvent::Missing`]
    fn read(&self, sender: Sender, payload: Json) -> Result<Event, UnreadableEvent> {
        Event::in_common_form(sender, payload)
    }

    /// Why a call failed, by what the tool gave back. `None`: it did not, or the client says it elsewhere. For shells the first
    /// line is `Exit code N`.
    fn failure(&self, _tool: &str, _response: &Json) -> Option<String> {
        None
    }

    /// How a call ended, at [`Moment::AfterCall`]. `None`: the client does not say. `error` is why it failed.
    fn outcome(&self, _tool: &str, error: Option<&str>, _response: &Json) -> Option<Outcome> {
        Some(if error.is_some() { Outcome::Failed } else { Outcome::Ok })
    }

    /// What finds the end of a call in the last lines of the client's transcript, by the call's id, for a client whose events do
    /// not say it: how it ended, and why it failed. `None`: the client has no such place.
    fn end_in_transcript(&self) -> Option<EndFinder> {
        None
    }

    /// True if the client asks a person when [`Client::question`] answers an event. Everything else gets a denial.
    /// `attended`: nothing says that the session has no person.
    fn can_ask(&self, _event: &Event, _attended: bool) -> bool {
        false
    }

    /// True if a person is asked after silence at [`Moment::Permission`], in every mode in which that comes.
    fn asks_at_permission(&self) -> bool {
        false
    }

    /// How it writes down what is said. `None`: it is not known.
    fn transcript(&self) -> Option<TranscriptForm> {
        None
    }

    /// True if the model reads the context that is given at a moment.
    fn takes_context(&self, moment: Moment) -> bool {
        matches!(moment, Moment::SessionStart | Moment::Prompt | Moment::AfterCall | Moment::AfterFailure)
    }

    /// True if a denial at [`Moment::TurnEnd`] makes the agent continue. Most clients that have the event wait for its answer.
    fn holds_turn_end(&self) -> bool {
        true
    }

    /// The denial of what is about to happen.
    fn denial(&self, moment: Moment, reason: &str) -> HookAnswer {
        if moment == Moment::Permission { permission_denied(reason) } else { HookAnswer::exit_two(reason) }
    }

    /// The denial of what is about to happen that also ends the turn, where the client has one.
    fn stop(&self, moment: Moment, reason: &str) -> HookAnswer {
        self.denial(moment, reason)
    }

    /// The answer on which the client asks a person.
    fn question(&self, reason: &str) -> HookAnswer {
        self.denial(Moment::BeforeCall, reason)
    }

    /// A text for the model, and one for the person, beside an event that only informs.
    fn context(&self, event: &Event, model: Option<&str>, person: Option<&str>) -> HookAnswer {
        let person = person.map(|text| format!("\"systemMessage\":{}", quoted(text)));
        // The event's name is part of it: without, clients drop the whole.
        let model = model.map(|text| format!("\"hookSpecificOutput\":{{\"hookEventName\":{},\"additionalContext\":{}}}", quoted(&event.name), quoted(text)));
        let parts: Vec<String> = person.into_iter().chain(model).collect();
        if parts.is_empty() { HookAnswer::nothing() } else { HookAnswer::json(format!("{{{}}}\n", parts.join(",")), None) }
    }
}

impl std::fmt::Debug for dyn Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Claude Code decides `PermissionRequest` by JSON alone, and ignores exit 2 there (documented for 2.1.240, observed with
/// 2.1.329). Codex reads the same JSON (its published schemas).
fn permission_denied(reason: &str) -> HookAnswer {
    let object = format!(
        "{{\"hookSpecificOutput\":{{\"hookEventName\":\"PermissionRequest\",\"decision\":{{\"behavior\":\"deny\",\"message\":{}}}}}}}\n",
        quoted(reason)
    );
    HookAnswer::json(object, Some(Held::Deny))
}

/// How the hook was started: the arguments that the wiring wrote, `portcullis-hook EVENT CLIENT SECONDS`.
#[derive(Clone, Copy, Debug)]
pub struct Invocation<'a> {
    /// The event's name.
    pub event: Option<&'a str>,
    /// The client's name. Older wirings have none, and are Claude Code's.
    pub client: Option<&'a str>,
    /// Seconds that the hook may take: fewer than the client waits. Older wirings have none.
    pub seconds: Option<u32>,
    /// The moment of the event. Without an event the worst is assumed.
    pub moment: Moment,
}

impl<'a> Invocation<'a> {
    /// From the arguments.
    #[must_use]
    pub fn new(event: Option<&'a str>, client: Option<&'a str>) -> Self {
        Self { event, client, seconds: None, moment: event.map_or(Moment::Unknown, Moment::of) }
    }

    /// The client that is named; Claude Code where none is.
    #[must_use]
    pub fn named(&self) -> &'static dyn Client {
        let Some(name) = self.client else { return &claude_code::ClaudeCode };
        CLIENTS.iter().find(|client| client.name() == name).copied().unwrap_or(&generic::Generic)
    }

    /// Reads the event that came with it.
    ///
    /// The client is the one that is named, if the payload can be its; else the first that has the payload's signs. A
    /// payload that is not the named client's gets no question, whoever sent it: a settings file can be read by other clients
    /// than the one for which it was written (GitHub Copilot CLI 1.0.102 reads Claude Code's, observed).
    ///
    /// # Errors
    ///
    /// [`UnreadableEvent`], with the reader's own words.
    pub fn read(&self, input: &[u8]) -> Result<Event, UnreadableEvent> {
        let payload = Json::read(input).map_err(UnreadableEvent::Json)?;
        let named = self.named();
        let recognise = |client: &'static dyn Client| client.recognise(&payload, self.event).map(|(event, moment)| (client, event, moment));
        let (client, event, moment) =
            recognise(named).or_else(|| CLIENTS.iter().find_map(|client| recognise(*client))).ok_or(UnreadableEvent::Missing("hook_event_name"))?;
        let certain = self.client.is_none_or(|name| name == client.name());
        let sender = Sender { client, event: event.to_owned(), moment, certain };
        client.read(sender, payload)
    }
}
