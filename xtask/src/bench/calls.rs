//! Calls of an ordinary day, and the repositories in which they are made.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::step::{command, pass};

/// A policy as `init` leaves it, with one rule of the project's own.
const STARTER: &str = r#"schema = 1
[[rule]]
name    = "schema-dropped"
tier    = 3
run     = { program = "npm", subcommand = "run", arg = ["db:drop", "db:reset"] }
reason  = "the development database is shared"
instead = "ask for a database of your own in the team channel"
catches = ["npm run db:drop"]
spares  = ["npm test"]
"#;

/// Sections that keep state, by the name under which their calls are counted.
const SECTIONS: [(&str, &str); 4] = [
    ("limit", "[[limit]]\nname = \"issues\"\ncall = { tool = \"mcp__github__*\" }\nmax = 10000\nper = \"session\"\nscope = \"session\"\n"),
    ("budget", "[[budget]]\nname = \"feature\"\nusd = 1000\nper = \"branch\"\ncosts = [{ call = { tool = \"mcp__github__*\" }, usd = 0.0001 }]\n"),
    ("stall", "[stall]\nrepeat = 60\ncycle = { length = [2, 2], times = 30 }\n"),
    ("approval", ""),
];

/// A call of a tool.
pub(crate) struct MeasuredCall {
    pub(crate) name: &'static str,
    event: &'static str,
    tool: &'static str,
    input: Value,
    mode: &'static str,
}

/// A folder with a home and repositories. What the hook keeps of them is removed with it.
pub(crate) struct Scene {
    folder: TempDir,
    made: Vec<PathBuf>,
}

impl Scene {
    /// Error: the scratch folder cannot be made.
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("home"))?;
        Ok(Self { folder, made: Vec::new() })
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A repository with one commit. `rules`: `None` for no policy file, 0 for the starter policy.
    /// Error: git cannot make it.
    pub(crate) fn repository(&mut self, name: &str, rules: Option<usize>) -> Result<PathBuf> {
        self.repository_under(name, rules.map(policy).as_deref())
    }

    /// The same under a policy.
    /// Error: git cannot make it.
    fn repository_under(&mut self, name: &str, policy: Option<&str>) -> Result<PathBuf> {
        let root = fs::canonicalize(self.folder.path())?.join(name);
        for (file, text) in [
            ("src/lib.py", "def add(a, b):\n    return a + b\n"),
            ("tests/test_lib.py", "from src.lib import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"),
            ("README.md", "# x\n"),
            ("package.json", "{\"name\":\"x\",\"version\":\"1.0.0\",\"scripts\":{\"test\":\"node --test\"}}\n"),
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap_or(&root))?;
            fs::write(path, text)?;
        }
        if let Some(policy) = policy {
            fs::write(root.join("portcullis.toml"), policy)?;
        }
        let git = |arguments: &[&str]| {
            let mut git = command("git");
            pass(git.args(["-c", "user.name=x", "-c", "user.email=x@example.com", "-C"]).arg(&root).args(arguments))
        };
        git(&["init", "--quiet", "--initial-branch", "main"])?;
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message", "first"])?;
        self.made.push(root.clone());
        Ok(root)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let Some(state) = std::env::home_dir().map(|home| home.join(".local/state/portcullis")) else { return };
        for root in &self.made {
            for path in [root.clone(), root.join(".git")] {
                let hash = path
                    .as_os_str()
                    .as_encoded_bytes()
                    .iter()
                    .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
                let _ = fs::remove_dir_all(state.join(format!("{hash:016x}")));
            }
        }
    }
}

/// A policy of so many rules: three fifths on commands of 40 programs, a quarter on files and texts, the rest on calls of tools.
fn policy(rules: usize) -> String {
    if rules == 0 {
        return STARTER.to_owned();
    }
    let mut text = String::from("schema = 1\n");
    for at in 0..rules {
        let (tool, deed) = (at % 40, format!("act{at}"));
        let rule = match at % 20 {
            0..12 => format!(
                "run={{program=\"tool{tool}\",subcommand=\"{deed}\",any_flag=\"--force\"}}\ncatches=[\"tool{tool} {deed} --force\"]\nspares=[\"tool{tool} {deed}\"]"
            ),
            12..17 => format!(
                "write={{path=\"area{at}/**/*.conf\",adds=[\"/forb_{at}_[a-z]+/\"]}}\ncatches=[{{write={{path=\"area{at}/x/a.conf\",text=\"forb_{at}_word\"}}}}]\nspares=[{{write={{path=\"area{at}/x/a.conf\",text=\"fine\"}}}}]"
            ),
            _ => format!(
                "call={{tool=\"mcp__srv{at}__delete_*\"}}\ncatches=[{{call={{tool=\"mcp__srv{at}__delete_x\",args={{}}}}}}]\nspares=[{{call={{tool=\"mcp__srv{at}__get_x\",args={{}}}}}}]"
            ),
        };
        let _ = write!(text, "[[rule]]\nname=\"r{at}\"\ntier=3\nreason=\"no {at}\"\ninstead=\"ask\"\n{rule}\n");
    }
    text
}

/// The calls that are measured, in a repository.
pub(crate) fn everyday(root: &Path) -> Vec<MeasuredCall> {
    let file = |name: &str| root.join(name).display().to_string();
    let shell = |name, line: &str| MeasuredCall {
        name,
        event: "PreToolUse",
        tool: "Bash",
        input: json!({ "command": line, "description": "Runs it" }),
        mode: "default",
    };
    let tool = |name, tool, input| MeasuredCall { name, event: "PreToolUse", tool, input, mode: "default" };
    vec![
        tool("Read", "Read", json!({ "file_path": file("src/lib.py") })),
        tool("MCP call", "mcp__github__create_issue", json!({ "owner": "o", "repo": "r", "title": "A title", "body": "A body of some words" })),
        shell("`ls`", "ls"),
        shell("`git status`", "git status"),
        shell("`cargo test … && git status`", "cargo test --workspace && git status --short"),
        shell("`git push --force`, denied", "cd src && git push --force origin main"),
        shell("`git push`", "git push"),
        shell("`npm test`", "npm test"),
        tool("Edit", "Edit", json!({ "file_path": file("src/lib.py"), "old_string": "return a + b", "new_string": "return b + a", "replace_all": false })),
        tool("Write, 1 kB", "Write", json!({ "file_path": file("docs/notes.txt"), "content": code(1000) })),
        tool("Write, 50 kB", "Write", json!({ "file_path": file("docs/notes.txt"), "content": code(50_000) })),
        MeasuredCall { name: "PostToolUse", event: "PostToolUse", tool: "Bash", input: json!({ "command": "ls" }), mode: "default" },
    ]
}

/// Calls of which a section speaks that keeps state, and the same calls without it, each with its repository.
/// Error: git cannot make one.
pub(crate) fn stateful(places: &mut Scene) -> Result<Vec<(PathBuf, MeasuredCall)>> {
    let mut roots = vec![places.repository("without", Some(0))?];
    for (name, section) in SECTIONS {
        roots.push(places.repository_under(name, Some(&format!("{STARTER}\n{section}")))?);
    }
    let issue = || ("mcp__github__create_issue", json!({ "owner": "o", "repo": "r", "title": "A title", "body": "A body of some words" }));
    let before = |name, (tool, input)| MeasuredCall { name, event: "PreToolUse", tool, input, mode: "default" };
    let after = |name, (tool, input)| MeasuredCall { name, event: "PostToolUse", tool, input, mode: "default" };
    let shell = |name, line: &str, mode| MeasuredCall { name, event: "PreToolUse", tool: "Bash", input: json!({ "command": line }), mode };
    let calls = [
        (0, before("MCP call, without", issue())),
        (1, before("MCP call, a limit", issue())),
        (2, before("MCP call, a budget", issue())),
        (3, before("MCP call, circles", issue())),
        (0, after("its end, without", issue())),
        (1, after("its end, a limit", issue())),
        (2, after("its end, a budget", issue())),
        (3, after("its end, circles", issue())),
        (0, shell("`ls`, without", "ls", "default")),
        (1, shell("`ls`, a limit on other calls", "ls", "default")),
        (2, shell("`ls`, a budget of other calls", "ls", "default")),
        (0, shell("`npm publish`, asked", "npm publish", "default")),
        (4, shell("`npm publish`, waits for an approval", "npm publish", "bypassPermissions")),
    ];
    Ok(calls.into_iter().filter_map(|(root, call)| Some((roots.get(root)?.clone(), call))).collect())
}

/// A command of so many bytes.
pub(crate) fn long_command(bytes: usize) -> MeasuredCall {
    let words = "echo one two three 'four five' && ".repeat(bytes / 34 + 1);
    let line = format!("{}ls", words.get(..(bytes / 34).max(1) * 34).unwrap_or(""));
    MeasuredCall { name: "a command", event: "PreToolUse", tool: "Bash", input: json!({ "command": line }), mode: "default" }
}

/// A write of so many bytes.
pub(crate) fn long_write(root: &Path, bytes: usize) -> MeasuredCall {
    let input = json!({ "file_path": root.join("docs/notes.txt").display().to_string(), "content": code(bytes) });
    MeasuredCall { name: "a write", event: "PreToolUse", tool: "Write", input, mode: "default" }
}

fn code(bytes: usize) -> String {
    let mut text = String::new();
    let mut at = 0;
    while text.len() < bytes {
        let _ = write!(text, "def f{at}(x, y):\n    '''Adds {at} to x.'''\n    return x + y + {at}\n");
        at += 1;
    }
    text.truncate(bytes);
    text
}

impl MeasuredCall {
    pub(crate) const fn event(&self) -> &'static str {
        self.event
    }

    /// Whether it is denied until a person approves it.
    pub(crate) fn waits(&self) -> bool {
        self.mode == "bypassPermissions"
    }

    /// What a client sends. Two calls have two ids: the second event of one call is another matter.
    pub(crate) fn payload(&self, root: &Path, id: u64) -> Vec<u8> {
        let mut event = json!({
            "session_id": "00000000-0000-4000-8000-000000000001",
            "transcript_path": root.join("../home/t.jsonl"),
            "cwd": root,
            "permission_mode": self.mode,
            "hook_event_name": self.event,
            "tool_name": self.tool,
            "tool_input": self.input,
            "tool_use_id": format!("toolu_{id:024}"),
        });
        if self.event == "PostToolUse" {
            event["tool_response"] = json!({ "stdout": "a\nb\n", "stderr": "", "interrupted": false, "isImage": false });
        }
        event.to_string().into_bytes()
    }
}
