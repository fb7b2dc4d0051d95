//! What the tools of all clients are called. What each takes is in [`super`].

/// What a known tool is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ToolKind {
    /// It takes a command line, or the words of a command.
    Shell,
    /// It writes a whole file.
    WholeWriter,
    /// It replaces a text in a file.
    Replacer,
    /// It replaces several texts in a file.
    ManyReplacer,
    /// It writes a cell of a notebook.
    NotebookWriter,
    /// It does one of several things to a file, by its fields.
    Editor,
    /// It takes a patch.
    Patcher,
    /// It shows a file.
    Reader,
    /// It starts a sub-agent.
    Spawner,
    /// It touches neither files nor commands; its texts are data.
    Quiet,
    /// Anything else.
    Other,
}

/// What a tool is, by its name in any client. Those of Auggie, Cursor and `OpenHands` are documented, the others recorded.
pub(super) fn kind(tool: &str) -> ToolKind {
    match tool {
        // Claude Code, Gemini CLI and Qwen Code, Codex, Copilot CLI and `OpenCode`, droid, Cline, Vibe, Cursor, Auggie, `OpenHands`.
        "Bash" | "PowerShell" | "Monitor" | "run_shell_command" | "shell" | "local_shell" | "exec_command" | "bash" | "powershell" | "Execute"
        | "run_commands" | "file_system.bash" | "Shell" | "launch-process" | "terminal" => ToolKind::Shell,
        // Claude Code and Kimi Code, Gemini CLI and Qwen Code, droid, Copilot CLI, `OpenCode`, Vibe, Auggie.
        "Write" | "write_file" | "Create" | "create" | "write" | "file_system.write_file" | "save-file" => ToolKind::WholeWriter,
        // Claude Code, Kimi Code and droid, Gemini CLI, Qwen Code, Copilot CLI and `OpenCode`, Vibe, Cursor.
        "Edit" | "replace" | "edit" | "file_system.search_replace" | "StrReplace" => ToolKind::Replacer,
        "MultiEdit" => ToolKind::ManyReplacer,
        "NotebookEdit" => ToolKind::NotebookWriter,
        // Cline, Auggie, and `OpenHands` with Anthropic's names.
        "editor" | "str-replace-editor" | "file_editor" | "str_replace_editor" | "str_replace_based_edit_tool" => ToolKind::Editor,
        // Codex and Cline, droid, `OpenCode`.
        "apply_patch" | "ApplyPatch" | "patch" => ToolKind::Patcher,
        // Claude Code, Kimi Code and droid, Gemini CLI and Qwen Code, Copilot CLI, `OpenCode`.
        "Read" | "read_file" | "view" | "read" => ToolKind::Reader,
        // Claude Code and Kimi Code, droid, Copilot CLI and `OpenCode`, Qwen Code, Cline, Codex, Gemini CLI, Vibe.
        "Agent" | "Task" | "task" | "agent" | "spawn_agent" | "collaborationspawn_agent" | "invoke_agent" | "agents.spawn" => ToolKind::Spawner,
        "Glob"
        | "Grep"
        | "LS"
        | "TodoWrite"
        | "TaskCreate"
        | "TaskGet"
        | "TaskUpdate"
        | "TaskList"
        | "TaskStop"
        | "AskUserQuestion"
        | "EnterPlanMode"
        | "ExitPlanMode"
        | "WebSearch"
        | "ToolSearch"
        | "ListMcpResourcesTool"
        | "ReadMcpResourceTool"
        | "Skill"
        | "LSP"
        | "EnterWorktree"
        | "ExitWorktree"
        | "glob"
        | "search_file_content"
        | "grep_search"
        | "list_directory"
        | "google_web_search"
        | "write_todos"
        | "update_plan" => ToolKind::Quiet,
        _ => ToolKind::Other,
    }
}
