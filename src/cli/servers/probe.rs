//! Starts a tool server and asks it for its tools: JSON-RPC, a line a message, as the Model Context Protocol 2025-06-18
//! says of the transport over standard input and output.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::declared::{DeclaredServer, ServerStart};

/// How long a server may take until it has listed its tools. The first start of one can fetch a package.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pages of a list of tools that are asked for, at most.
const MAX_PAGES: u64 = 100;

/// A tool as its server describes it.
#[derive(Clone, Debug)]
pub(super) struct ListedTool {
    pub(super) name: String,
    /// Over its description and the form of its input.
    pub(super) digest: String,
}

/// The tools of a server, which is started in `root` and ended again.
///
/// # Errors
///
/// Why it could not be asked.
pub(super) fn tools(server: &DeclaredServer, root: &Path) -> Result<Vec<ListedTool>, String> {
    let ServerStart::Program { words, env } = &server.start else {
        return Err("it is no program of this machine; only such a server can be started".to_owned());
    };
    let (program, arguments) = words.split_first().ok_or("its declaration names no program")?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("`{program}` did not start: {error}"))?;
    let listed = listed(&mut child);
    // It is of no use any more, whether it ends by itself or not.
    let _ = child.kill();
    let _ = child.wait();
    listed
}

fn listed(child: &mut Child) -> Result<Vec<ListedTool>, String> {
    let (mut input, output) = (child.stdin.take().ok_or("it has no input")?, child.stdout.take().ok_or("it has no output")?);
    let (lines, answers) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    let end = Instant::now() + PATIENCE;
    let mut ask = |id: u64, method: &str, parameters: Value| -> Result<Value, String> {
        writeln!(input, "{}", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }))
            .map_err(|_| format!("it did not answer `{method}`"))?;
        loop {
            let line = answers.recv_timeout(end.saturating_duration_since(Instant::now())).map_err(|_| format!("it did not answer `{method}`"))?;
            // Some servers write other lines there too.
            let Ok(answer) = serde_json::from_str::<Value>(&line) else { continue };
            if answer.get("id").and_then(Value::as_u64) != Some(id) {
                continue;
            }
            if id == 0 {
                writeln!(input, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).map_err(|error| error.to_string())?;
            }
            return answer.get("result").cloned().ok_or_else(|| format!("it refused `{method}`"));
        }
    };
    let client = json!({ "name": "portcullis", "version": env!("CARGO_PKG_VERSION") });
    ask(0, "initialize", json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client }))?;
    let (mut tools, mut cursor) = (Vec::new(), None);
    for page in 1..=MAX_PAGES {
        let parameters = cursor.take().map_or_else(|| json!({}), |cursor: Value| json!({ "cursor": cursor }));
        let answer = ask(page, "tools/list", parameters)?;
        for tool in answer.get("tools").and_then(Value::as_array).into_iter().flatten() {
            let name = tool.get("name").and_then(Value::as_str).ok_or("a tool has no name")?;
            let digest = git2::Oid::hash_object(git2::ObjectType::Blob, tool.to_string().as_bytes()).map_err(|error| error.message().to_owned())?;
            tools.push(ListedTool { name: name.to_owned(), digest: digest.to_string() });
        }
        cursor = answer.get("nextCursor").filter(|next| next.is_string()).cloned();
        if cursor.is_none() {
            break;
        }
    }
    Ok(tools)
}
