//! Anthropic's Claude Code. Its contract as documented and observed with version 2.1.329; `PreSkillShellCommand` as observed
//! with 2.1.332.

use std::path::{Path, PathBuf};

use actions::json::{Json, quoted};

use crate::moment::NotWired::{NotNeeded, ReplacesClient, SeenByCall, TooFrequent};
use crate::moment::{Moment, UnwiredEvent, WiredEvent};
use crate::{Client, Event, Held, HookAnswer, SettingsFiles, TranscriptForm, Variables};

/// Anthropic's Claude Code.
pub struct ClaudeCode;

/// The name on the hook's command line.
pub const NAME: &str = "claude-code";
/// The event by which an entry is tried: the one before each tool call.
pub const TRIED: &str = "PreToolUse";
/// The event when a settings file changed.
pub const SETTINGS_CHANGED: &str = "ConfigChange";

/// The variable with the project's folder, which the client also replaces in settings.
pub const PROJECT_DIR: &str = "CLAUDE_PROJECT_DIR";
/// The variable with the folder of a plugin, which the client also replaces in the plugin's settings.
pub const PLUGIN_ROOT: &str = "CLAUDE_PLUGIN_ROOT";

/// The hook as a plugin's settings start it.
pub const PLUGIN_COMMAND: &str = "${CLAUDE_PLUGIN_ROOT}/bin/portcullis-hook";
/// The person's own settings for one project, from its root.
pub const LOCAL_SETTINGS: &str = ".claude/settings.local.json";

/// What a client lacks before a version.
#[derive(Clone, Copy, Debug)]
pub struct Lack {
    /// The first version that has it.
    pub before: (u32, u32, u32),
    /// Such a client starts Portcullis all the same.
    pub starts: bool,
    /// What does not hold there, as a clause about the client.
    pub what: &'static str,
}

/// The program.
pub const PROGRAM_NAME: &str = "claude";
/// Options of the program, and variables (with `=`), with which it drops the hooks of a person's and a project's settings
/// (observed on 2.1.329).
pub const DROPPING: [&str; 4] = ["--bare", "--safe-mode", "CLAUDE_CODE_SIMPLE=", "CLAUDE_CODE_SAFE_MODE="];
/// Events on which the answer of another hook counts beside ours: it can allow a call that would be asked about, or change its
/// input (documented for 2.1.329).
pub const ANSWERED: [&str; 2] = ["PreToolUse", "PermissionRequest"];

/// The keys of an answer with which a hook allows a call, and the one with which it changes the input (documented for 2.1.329).
pub const ALLOWING: [&str; 2] = ["permissionDecision", "behavior"];
pub const CHANGING: &str = "updatedInput";

/// The folder in which a home has the transcripts of a project: its path with `-` for everything but letters and digits
/// (observed on 2.1.329).
pub fn transcripts(home: &Path, project: &Path) -> PathBuf {
    let name: String = project.to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    home.join(".claude/projects").join(name)
}

/// True for a session's transcript; others in the folder are its sub-agents'.
pub fn is_transcript(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "jsonl") && path.file_stem().is_some_and(|stem| !stem.to_string_lossy().starts_with("agent-"))
}

/// What older clients lack.
pub const LACKING: [Lack; 4] = [
    Lack { before: (2, 1, 139), starts: false, what: "does not support `args` in hooks, so it does not start Portcullis" },
    Lack {
        before: (2, 1, 211),
        starts: true,
        what: "reads `settings.local.json` only in the folder in which a session starts: run `portcullis init` in each linked work tree",
    },
    // Its documentation, and measured with this version.
    Lack { before: (2, 1, 295), starts: true, what: "ignores `onFailure`: calls are allowed if the hook cannot be started, fails or is stopped" },
    // Observed: 2.1.329 does not know the event, 2.1.332 does.
    Lack { before: (2, 1, 330), starts: true, what: "has no `PreSkillShellCommand`: the `!` lines of skills and commands run unseen" },
];

/// Its settings files.
pub const SETTINGS: SettingsFiles = SettingsFiles {
    #[cfg(not(target_os = "macos"))]
    managed: "/etc/claude-code/managed-settings.json",
    #[cfg(target_os = "macos")]
    managed: "/Library/Application Support/ClaudeCode/managed-settings.json",
    folder: ".claude",
    shared: "settings.json",
    local: "settings.local.json",
};

/// Every event that `init` wires. Observing ones have no `onFailure`: they must never disturb the agent's work, and on `Stop`
/// and `SubagentStop` the client would ignore it (documented for 2.1.329).
pub const WIRED: &[WiredEvent] = &[
    WiredEvent::new(TRIED, Moment::BeforeCall, true),
    WiredEvent::new("PermissionRequest", Moment::Permission, true),
    // The `!` lines of skills and commands, which fire no `PreToolUse` (observed with 2.1.332). Clients that do not know the
    // event pass over its entries (observed with 2.1.329).
    WiredEvent::new("PreSkillShellCommand", Moment::BeforeCall, true),
    WiredEvent::new(SETTINGS_CHANGED, Moment::SettingsChanged, false),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("PostToolUseFailure", Moment::AfterFailure, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
    // Only teams have it. Exit 2 keeps the task open (documented for 2.1.329).
    WiredEvent::new("TaskCompleted", Moment::TaskEnd, false),
];

/// Those of them that clients with the same form have too.
pub(crate) const COMMON: &[WiredEvent] = &[
    WiredEvent::new(TRIED, Moment::BeforeCall, true),
    WiredEvent::new("PermissionRequest", Moment::Permission, true),
    WiredEvent::new("PostToolUse", Moment::AfterCall, true),
    WiredEvent::new("UserPromptSubmit", Moment::Prompt, false),
    WiredEvent::new("SessionStart", Moment::SessionStart, false),
    WiredEvent::new("SessionEnd", Moment::SessionEnd, false),
    WiredEvent::new("Stop", Moment::TurnEnd, false),
    WiredEvent::new("SubagentStop", Moment::SubagentEnd, false),
];

/// The other events of 2.1.329.
const UNWIRED: &[UnwiredEvent] = &[
    // In the mode `auto` alone. It is recorded where a person wires it.
    UnwiredEvent::new("PermissionDenied", Moment::Refused, SeenByCall),
    UnwiredEvent::new("PostToolBatch", Moment::Other, SeenByCall),
    UnwiredEvent::new("UserPromptExpansion", Moment::Other, NotNeeded),
    UnwiredEvent::new("Setup", Moment::Other, NotNeeded),
    UnwiredEvent::new("StopFailure", Moment::Other, NotNeeded),
    UnwiredEvent::new("SubagentStart", Moment::Other, SeenByCall),
    UnwiredEvent::new("TeammateIdle", Moment::Other, NotNeeded),
    UnwiredEvent::new("TaskCreated", Moment::Other, SeenByCall),
    UnwiredEvent::new("PreCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("PostCompact", Moment::Other, NotNeeded),
    UnwiredEvent::new("PreModelSwitch", Moment::Other, NotNeeded),
    UnwiredEvent::new("PostModelSwitch", Moment::Other, NotNeeded),
    UnwiredEvent::new("Notification", Moment::Other, NotNeeded),
    UnwiredEvent::new("InstructionsLoaded", Moment::Other, NotNeeded),
    UnwiredEvent::new("CwdChanged", Moment::Other, NotNeeded),
    UnwiredEvent::new("FileChanged", Moment::Other, NotNeeded),
    UnwiredEvent::new("DirectoryAdded", Moment::Other, NotNeeded),
    // A command hook prints the folder of the new work tree (documented for 2.1.329).
    UnwiredEvent::new("WorktreeCreate", Moment::Other, ReplacesClient),
    UnwiredEvent::new("WorktreeRemove", Moment::Other, NotNeeded),
    UnwiredEvent::new("Elicitation", Moment::Other, NotNeeded),
    UnwiredEvent::new("ElicitationResult", Moment::Other, NotNeeded),
    UnwiredEvent::new("MessageDisplay", Moment::Other, TooFrequent),
];

/// Fields that other clients with the same events send and this one does not: Codex 0.169.0, Kimi Code 2.1.0, and both Kimi
/// and Qwen Code 0.24.4 (recorded).
const FOREIGN: [&str; 3] = ["turn_id", "client_type", "tool_call_id"];

impl Client for ClaudeCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn programs(&self) -> &'static [&'static str] {
        &["claude", "claude-code"]
    }

    fn transcript(&self) -> Option<TranscriptForm> {
        Some(TranscriptForm::ClaudeCode)
    }

    fn wired(&self) -> &'static [WiredEvent] {
        WIRED
    }

    fn unwired(&self) -> &'static [UnwiredEvent] {
        UNWIRED
    }

    fn variables(&self) -> Variables {
        Variables {
            project: Some(PROJECT_DIR),
            plugin: Some(PLUGIN_ROOT),
            config: Some("CLAUDE_CONFIG_DIR"),
            attended: Some("CLAUDE_CODE_SESSION_ATTENDED"),
            agent: "CLAUDECODE",
        }
    }

    fn settings_files(&self) -> Option<&'static SettingsFiles> {
        Some(&SETTINGS)
    }

    /// Before each call it says in which mode it is; GitHub Copilot CLI 1.0.102, which also reads this client's settings and
    /// sends the same form, does not (recorded).
    fn has_signs(&self, moment: Moment, payload: &Json) -> bool {
        let Json::Object(fields) = payload else { return false };
        let is_foreign = |(name, _): &(String, Json)| FOREIGN.contains(&name.as_str());
        !fields.iter().any(is_foreign) && (moment != Moment::BeforeCall || payload.get("permission_mode").is_some())
    }

    /// It prompts on `ask` unless it runs unattended or nobody is asked in the mode: in `bypassPermissions` no prompt is
    /// promised, `dontAsk` denies what it would ask (documented for 2.1.329). A mode of another name is not known to ask.
    /// `ask` is documented for `PreToolUse` alone.
    fn can_ask(&self, event: &Event, attended: bool) -> bool {
        event.name == TRIED && attended && matches!(event.mode.as_str(), "default" | "acceptEdits" | "plan" | "auto")
    }

    /// Where nobody can be asked, it denies (documented for 2.1.240, observed with 2.1.332 in print mode).
    fn asks_at_permission(&self) -> bool {
        true
    }

    /// Observed with 2.1.329: `additionalContext` on `Stop` continues the turn.
    fn takes_context(&self, moment: Moment) -> bool {
        matches!(moment, Moment::SessionStart | Moment::Prompt | Moment::AfterCall | Moment::AfterFailure | Moment::TurnEnd)
    }

    /// `continue: false` ends the turn, whatever else is answered (documented for 2.1.329). Observed with 2.1.332: no `Stop` event
    /// follows, the person reads the reason and the model does not, and print mode ends with 0 and an empty result. 2.1.197 takes
    /// the denial alone, and continues.
    fn stop(&self, moment: Moment, reason: &str) -> HookAnswer {
        if moment != Moment::BeforeCall {
            return self.denial(moment, reason);
        }
        let reason = quoted(reason);
        let object = format!(
            "{{\"continue\":false,\"stopReason\":{reason},\"hookSpecificOutput\":{{\"hookEventName\":\"{TRIED}\",\"permissionDecision\":\"deny\",\"permissionDecisionReason\":{reason}}}}}\n"
        );
        HookAnswer::json(object, Some(Held::Deny))
    }

    fn question(&self, reason: &str) -> HookAnswer {
        let object = format!(
            "{{\"hookSpecificOutput\":{{\"hookEventName\":\"{TRIED}\",\"permissionDecision\":\"ask\",\"permissionDecisionReason\":{}}}}}\n",
            quoted(reason)
        );
        HookAnswer::json(object, Some(Held::Ask))
    }
}

/// What the client sends before it runs `command` in its shell tool, in the form in which it was recorded. `why` is the
/// description that goes with it.
#[must_use]
pub fn before_command(command: &str, why: &str, cwd: &str, mode: &str, session: &str) -> String {
    let [command, why, cwd, mode, session] = [command, why, cwd, mode, session].map(quoted);
    format!(
        r#"{{"session_id":{session},"transcript_path":"/dev/null","cwd":{cwd},"permission_mode":{mode},"hook_event_name":"{TRIED}","tool_name":"Bash","tool_input":{{"command":{command},"description":{why}}},"tool_use_id":"toolu_portcullis"}}"#
    )
}

/// What the client sends when settings changed that are a person's own for one repository.
#[must_use]
pub fn settings_changed(cwd: &str, session: &str) -> String {
    let [cwd, session] = [cwd, session].map(quoted);
    format!(r#"{{"session_id":{session},"transcript_path":"/dev/null","cwd":{cwd},"hook_event_name":"{SETTINGS_CHANGED}","source":"local_settings"}}"#)
}
