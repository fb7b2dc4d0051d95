//! The files in which clients declare tool servers. Reads none of them.

/// A file that declares tool servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerFile {
    /// Below the repository's root, or below the person's home.
    pub path: &'static str,
    /// It is in the person's home.
    pub at_home: bool,
    /// The key of the table of servers.
    pub key: &'static str,
}

/// The files that Claude Code 2.1, Cursor, VS Code, Gemini CLI, Qwen Code, Codex, `OpenCode`, Copilot CLI and droid document.
pub const SERVER_FILES: &[ServerFile] = &[
    ServerFile { path: ".mcp.json", at_home: false, key: "mcpServers" },
    ServerFile { path: ".cursor/mcp.json", at_home: false, key: "mcpServers" },
    ServerFile { path: ".vscode/mcp.json", at_home: false, key: "servers" },
    ServerFile { path: ".gemini/settings.json", at_home: false, key: "mcpServers" },
    ServerFile { path: ".qwen/settings.json", at_home: false, key: "mcpServers" },
    ServerFile { path: ".factory/mcp.json", at_home: false, key: "mcpServers" },
    ServerFile { path: ".codex/config.toml", at_home: false, key: "mcp_servers" },
    ServerFile { path: "opencode.json", at_home: false, key: "mcp" },
    ServerFile { path: ".claude.json", at_home: true, key: "mcpServers" },
    ServerFile { path: ".cursor/mcp.json", at_home: true, key: "mcpServers" },
    ServerFile { path: ".gemini/settings.json", at_home: true, key: "mcpServers" },
    ServerFile { path: ".qwen/settings.json", at_home: true, key: "mcpServers" },
    ServerFile { path: ".factory/mcp.json", at_home: true, key: "mcpServers" },
    ServerFile { path: ".copilot/mcp-config.json", at_home: true, key: "mcpServers" },
    ServerFile { path: ".codex/config.toml", at_home: true, key: "mcp_servers" },
    ServerFile { path: ".config/opencode/opencode.json", at_home: true, key: "mcp" },
];
