//! One entry for each client that `init` can wire, beside Claude Code.

use super::{ClientWiring, FailureGuard, HomeFolder, HookForm, Knowledge, OffSwitch, OffValue, ProjectTrust, ReplacedBy};
use crate::Moment;

/// Seconds that clients wait for the hook, as for Claude Code.
const WAITS: u32 = 60;

/// What most entries have in common.
const BASE: ClientWiring = ClientWiring {
    client: &crate::codex::Codex,
    title: "",
    known: Knowledge::Documented,
    home: HomeFolder { variable: None, below: "", folder: "", sign: "" },
    user: "",
    project: None,
    local: None,
    script: None,
    form: HookForm::Groups { comments: false, named: false, program: false },
    guard: FailureGuard::Line,
    waits: WAITS,
    waits_fixed: false,
    waits_less: &[],
    milliseconds: false,
    package: None,
    switches: &[],
    replaced_by: None,
    signs: &[],
    lacks: &[],
    also_reads: &[],
    trust: None,
    confirm: None,
    call: "",
};

const fn home(variable: Option<&'static str>, folder: &'static str) -> HomeFolder {
    HomeFolder { variable, below: "", folder, sign: "" }
}

/// All of them, in alphabetical order of their names on the command line.
pub const WIRINGS: &[ClientWiring] = &[AUGGIE, CLINE, CODEX, COPILOT, CURSOR, DROID, GEMINI, KIMI, OPENCODE, OPENHANDS, QWEN, VIBE];

/// Augment's CLI. It starts `command` with `args` and no shell (read in the program). Hooks must also be allowed by the
/// account's organisation (read: a flag `enableHooks`).
const AUGGIE: ClientWiring = ClientWiring {
    client: &crate::auggie::Auggie,
    title: "Auggie",
    known: Knowledge::Read((0, 36, 0)),
    home: home(None, ".augment"),
    user: "settings.json",
    project: Some(".augment/settings.json"),
    local: Some(".augment/settings.local.json"),
    script: Some(".augment/portcullis-hook"),
    form: HookForm::Groups { comments: false, named: false, program: true },
    milliseconds: true,
    package: Some("@augmentcode/auggie"),
    signs: &[".augment"],
    call: r#"{"hook_event_name":"PreToolUse","conversation_id":@session@,"workspace_roots":[@folder@],"cwd":@folder@,"tool_name":"launch-process","tool_input":{"command":@command@,"cwd":@folder@,"wait":true}}"#,
    ..BASE
};

/// Cline's CLI starts each file of a name that it knows, and stops waiting after 30 seconds (both read in 3.0.65).
const CLINE: ClientWiring = ClientWiring {
    client: &crate::cline::Cline,
    title: "Cline",
    known: Knowledge::Run((3, 0, 65)),
    home: home(Some("CLINE_DIR"), ".cline"),
    user: "hooks",
    project: Some(".clinerules/hooks"),
    // Other files in `.clinerules` are instructions to the model.
    script: Some(".clinerules/hooks/portcullis-hook"),
    form: HookForm::Programs,
    guard: FailureGuard::File,
    waits: 30,
    waits_fixed: true,
    package: Some("cline"),
    signs: &[".clinerules", ".cline"],
    call: r#"{"clineVersion":"","hookName":"tool_call","timestamp":"2026-01-01T00:00:00.000Z","taskId":@session@,"sessionContext":{"rootSessionId":@session@},"workspaceRoots":[@folder@],"workspaceInfo":{"rootPath":@folder@},"userId":"portcullis","agent_id":"agent_portcullis","parent_agent_id":null,"iteration":1,"tool_call":{"id":"call_portcullis","name":"run_commands","input":{"commands":[@command@]}}}"#,
    ..BASE
};

/// `OpenAI`'s Codex CLI. It starts a hook only after a person trusted its hash, also one of the person's own (run).
const CODEX: ClientWiring = ClientWiring {
    client: &crate::codex::Codex,
    title: "Codex",
    known: Knowledge::Run((0, 171, 0)),
    home: home(Some("CODEX_HOME"), ".codex"),
    user: "hooks.json",
    project: Some(".codex/hooks.json"),
    script: Some(".codex/portcullis-hook"),
    // Documented: three seconds at the most when a session ends.
    waits_less: &[(Moment::SessionEnd, 3)],
    package: Some("@openai/codex"),
    switches: &[
        OffSwitch { user: "config.toml", project: Some(".codex/config.toml"), keys: &["features", "hooks"], value: OffValue::False },
        OffSwitch { user: "config.toml", project: Some(".codex/config.toml"), keys: &["features", "codex_hooks"], value: OffValue::False },
    ],
    signs: &[".codex"],
    // Its list of changes for 0.169.0, and run: without it a project's hooks are passed over.
    trust: Some(ProjectTrust { file: "config.toml", table: "projects", key: "trust_level", value: "trusted" }),
    confirm: Some("start `codex` in this folder, trust the folder if it asks, type `/hooks`, look at the hooks of Portcullis and trust them"),
    call: r#"{"session_id":@session@,"turn_id":"turn_portcullis","transcript_path":null,"cwd":@folder@,"hook_event_name":"PreToolUse","model":"none","permission_mode":"default","tool_name":"Bash","tool_input":{"command":@command@},"tool_use_id":"call_portcullis"}"#,
    ..BASE
};

/// GitHub's Copilot CLI reads each JSON file of a folder. It denies if the hook fails or cannot be started (run).
const COPILOT: ClientWiring = ClientWiring {
    client: &crate::copilot::Copilot,
    title: "Copilot CLI",
    known: Knowledge::Run((1, 0, 102)),
    home: home(Some("COPILOT_HOME"), ".copilot"),
    user: "hooks/portcullis.json",
    project: Some(".github/hooks/portcullis.json"),
    script: Some(".github/portcullis-hook"),
    form: HookForm::OwnFile,
    guard: FailureGuard::Client,
    package: Some("@github/copilot"),
    switches: &[
        OffSwitch { user: "settings.json", project: Some(".github/copilot/settings.json"), keys: &["disableAllHooks"], value: OffValue::True },
        OffSwitch { user: "config.json", project: Some(".github/copilot/settings.local.json"), keys: &["disableAllHooks"], value: OffValue::True },
        OffSwitch { user: "hooks/portcullis.json", project: Some(".github/hooks/portcullis.json"), keys: &["disableAllHooks"], value: OffValue::True },
    ],
    signs: &[".github/hooks", ".github/copilot"],
    also_reads: &[".claude/settings.json", ".claude/settings.local.json"],
    // Its list of changes.
    lacks: &[((1, 0, 57), "allows a call if the hook crashes"), ((1, 0, 70), "does not deny on exit 2")],
    call: r#"{"sessionId":@session@,"timestamp":1767225600000,"cwd":@folder@,"toolName":"bash","toolArgs":{"command":@command@,"description":"a call that Portcullis made up"}}"#,
    ..BASE
};

/// Cursor. `failClosed` denies if the hook fails (its documentation; it was not run).
const CURSOR: ClientWiring = ClientWiring {
    client: &crate::cursor::Cursor,
    title: "Cursor",
    known: Knowledge::Documented,
    home: home(None, ".cursor"),
    user: "hooks.json",
    project: Some(".cursor/hooks.json"),
    script: Some(".cursor/portcullis-hook"),
    form: HookForm::Handlers,
    guard: FailureGuard::Key("failClosed"),
    signs: &[".cursor"],
    call: r#"{"conversation_id":@session@,"generation_id":"generation_portcullis","model":"none","hook_event_name":"preToolUse","cursor_version":"none","workspace_roots":[@folder@],"cwd":@folder@,"tool_name":"Shell","tool_input":{"command":@command@,"working_directory":@folder@},"tool_use_id":"call_portcullis"}"#,
    ..BASE
};

/// Factory's droid. Comments, `hooks.json` and the switch were read in 0.215.0, the rest was run.
const DROID: ClientWiring = ClientWiring {
    client: &crate::droid::Droid,
    title: "droid",
    known: Knowledge::Run((0, 215, 0)),
    home: HomeFolder { variable: Some("FACTORY_HOME_OVERRIDE"), below: ".factory", folder: ".factory", sign: "" },
    user: "settings.json",
    project: Some(".factory/settings.json"),
    local: Some(".factory/settings.local.json"),
    script: Some(".factory/portcullis-hook"),
    form: HookForm::Groups { comments: true, named: false, program: false },
    switches: &[OffSwitch { user: "settings.json", project: Some(".factory/settings.json"), keys: &["hooks", "hooksDisabled"], value: OffValue::True }],
    replaced_by: Some(ReplacedBy::EventIn("hooks.json")),
    signs: &[".factory"],
    call: r#"{"session_id":@session@,"transcript_path":"/dev/null","cwd":@folder@,"permission_mode":"auto-low","hook_event_name":"PreToolUse","tool_name":"Execute","tool_input":{"command":@command@,"summary":"a call that Portcullis made up","riskLevel":"low","riskLevelReason":"none"}}"#,
    ..BASE
};

/// Google's Gemini CLI. It removes comments before it reads its settings. A hook that exits with 1, or that is killed, allows the
/// call (run).
const GEMINI: ClientWiring = ClientWiring {
    client: &crate::gemini::Gemini,
    title: "Gemini CLI",
    known: Knowledge::Run((0, 61, 0)),
    home: HomeFolder { variable: Some("GEMINI_CLI_HOME"), below: ".gemini", folder: ".gemini", sign: "" },
    user: "settings.json",
    project: Some(".gemini/settings.json"),
    script: Some(".gemini/portcullis-hook"),
    form: HookForm::Groups { comments: true, named: true, program: false },
    milliseconds: true,
    package: Some("@google/gemini-cli"),
    switches: &[
        OffSwitch { user: "settings.json", project: Some(".gemini/settings.json"), keys: &["hooksConfig", "enabled"], value: OffValue::False },
        OffSwitch { user: "settings.json", project: Some(".gemini/settings.json"), keys: &["hooksConfig", "disabled"], value: OffValue::Named },
    ],
    signs: &[".gemini"],
    call: r#"{"session_id":@session@,"transcript_path":"/dev/null","cwd":@folder@,"hook_event_name":"BeforeTool","timestamp":"2026-01-01T00:00:00.000Z","tool_name":"run_shell_command","tool_input":{"command":@command@,"description":"a call that Portcullis made up"}}"#,
    ..BASE
};

/// Moonshot's Kimi Code. No hooks of a project are known.
const KIMI: ClientWiring = ClientWiring {
    client: &crate::kimi::Kimi,
    title: "Kimi Code",
    known: Knowledge::Run((2, 1, 0)),
    home: home(Some("KIMI_CODE_HOME"), ".kimi-code"),
    user: "config.toml",
    form: HookForm::Tables { event: "event", named: false },
    package: Some("@moonshot-ai/kimi-code"),
    signs: &[".kimi-code"],
    call: r#"{"hook_event_name":"PreToolUse","session_id":@session@,"cwd":@folder@,"client_type":"kimi_code_cli","tool_name":"Bash","tool_input":{"command":@command@,"description":"a call that Portcullis made up"},"tool_call_id":"call_portcullis"}"#,
    ..BASE
};

/// `OpenCode` has no command hooks: a plugin starts the hook. It calls plugins without a limit of time (run).
const OPENCODE: ClientWiring = ClientWiring {
    client: &crate::opencode::OpenCode,
    title: "OpenCode",
    known: Knowledge::Run((1, 18, 33)),
    home: HomeFolder { variable: Some("XDG_CONFIG_HOME"), below: "", folder: ".config", sign: "opencode/" },
    user: "opencode/plugins/portcullis.js",
    project: Some(".opencode/plugins/portcullis.js"),
    script: Some(".opencode/portcullis-hook"),
    form: HookForm::Plugin,
    guard: FailureGuard::File,
    package: Some("opencode-ai"),
    signs: &[".opencode", "opencode.json", "opencode.jsonc"],
    call: r#"{"event":"tool.execute.before","input":{"tool":"bash","sessionID":@session@,"callID":"call_portcullis"},"output":{"args":{"command":@command@,"description":"a call that Portcullis made up"}},"directory":@folder@,"worktree":@folder@}"#,
    ..BASE
};

/// `OpenHands`. A project's file is found first, and then the person's is not read (read in the SDK).
const OPENHANDS: ClientWiring = ClientWiring {
    client: &crate::openhands::OpenHands,
    title: "OpenHands",
    known: Knowledge::Read((1, 21, 0)),
    home: home(None, ".openhands"),
    user: "hooks.json",
    project: Some(".openhands/hooks.json"),
    script: Some(".openhands/portcullis-hook"),
    replaced_by: Some(ReplacedBy::ProjectFile),
    signs: &[".openhands"],
    call: r#"{"event_type":"PreToolUse","tool_name":"terminal","tool_input":{"command":@command@},"session_id":@session@,"working_dir":@folder@,"metadata":{}}"#,
    ..BASE
};

/// Alibaba's Qwen Code, made from Gemini CLI. A time-out below 1000 counts seconds (read in 0.24.4), the rest was run.
const QWEN: ClientWiring = ClientWiring {
    client: &crate::qwen::Qwen,
    title: "Qwen Code",
    known: Knowledge::Run((0, 24, 4)),
    home: home(Some("QWEN_HOME"), ".qwen"),
    user: "settings.json",
    project: Some(".qwen/settings.json"),
    script: Some(".qwen/portcullis-hook"),
    form: HookForm::Groups { comments: true, named: true, program: false },
    package: Some("@qwen-code/qwen-code"),
    switches: &[OffSwitch { user: "settings.json", project: Some(".qwen/settings.json"), keys: &["disableAllHooks"], value: OffValue::True }],
    signs: &[".qwen"],
    call: r#"{"session_id":@session@,"transcript_path":"/dev/null","cwd":@folder@,"hook_event_name":"PreToolUse","timestamp":"2026-01-01T00:00:00.000Z","permission_mode":"default","prompt_id":"prompt_portcullis","tool_name":"run_shell_command","tool_input":{"command":@command@,"description":"a call that Portcullis made up","is_background":false},"tool_use_id":"toolu_portcullis","tool_call_id":"call_portcullis"}"#,
    ..BASE
};

/// Mistral's Vibe. With `strict` it denies on every failure of the hook, also if it takes too long (run). It reads a project's
/// file only if the person trusts the folder.
const VIBE: ClientWiring = ClientWiring {
    client: &crate::vibe::Vibe,
    title: "Vibe",
    known: Knowledge::Run((3, 0, 2)),
    home: home(Some("VIBE_HOME"), ".vibe"),
    user: "hooks.toml",
    project: Some(".vibe/hooks.toml"),
    script: Some(".vibe/portcullis-hook"),
    form: HookForm::Tables { event: "type", named: true },
    guard: FailureGuard::Key("strict"),
    package: Some("mistral-vibe"),
    replaced_by: Some(ReplacedBy::SameName),
    signs: &[".vibe"],
    call: r#"{"session_id":@session@,"transcript_path":"/dev/null","cwd":@folder@,"parent_session_id":null,"hook_event_name":"pre_tool","tool_name":"file_system.bash","tool_call_id":"call_portcullis","tool_input":{"command":@command@}}"#,
    ..BASE
};
