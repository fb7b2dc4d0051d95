//! Tool calls to actions: the one place that knows what the tools of all clients are called and what they take. It is here and
//! not with the clients because most names are shared by several of them, and a call is read by its tool whoever sent it.
//! A tool that is not known is looked into by the names of its arguments.

mod kind;
mod served;

use std::borrow::Cow;

use super::shell::{Setting, Shell};
use super::word::{Word, is_one};
use super::{Action, Call, Change, Deed, Delete, Read, Write, code, lookup::Lookups, path::Path};
use crate::json::Json;
use crate::program::{Programs, ToolEffect};
use kind::{ToolKind, kind};

/// Levels of an unknown tool's input that are looked into.
const MAX_LEVELS: usize = 16;

/// The shell tool that does not wait for the command's end.
const WATCHER: &str = "Monitor";
/// The tool of Qwen Code 0.24.4 that calls another one, by `name` and `arguments`.
const CALLER: &str = "tool_call";
/// Arguments that hold a command line or the words of a command, without `_` and `-`.
const COMMANDS: &str = "command cmd commandline script argv commands cmds";
/// Arguments that name the folder in which a command starts, without `_` and `-`: Gemini CLI 0.61.0 `dir_path`, Qwen Code
/// 0.24.4 `directory`, Kimi Code 2.1.0 and Auggie 0.36.0 `cwd`, `OpenCode` 1.18.33 `workdir` (observed, or read in the bundle).
const FOLDERS: &str = "dirpath directory cwd workdir workingdirectory workingdir";
/// Arguments that name the file that a known tool reads or changes, without `_` and `-`.
const FILES: &str = "path filepath filename targetfile notebookpath absolutepath uri";
/// Arguments that hold the new text of such a file, without `_` and `-`.
const TEXTS: &str = "content contents text newstring newtext newstr filetext filecontent body patch diff codeedit newsource";
/// Arguments that hold the old text, where only a part is replaced.
const OLD_TEXTS: &str = "oldstring oldtext oldstr";
/// Arguments that hold a patch, without `_` and `-`.
const PATCHES: &str = "command input patch patchtext";
/// Arguments that name a file, without `_` and `-`.
const PATHS: &str = "path file filepath filename targetfile target destination dest oldpath newpath from to source notebookpath absolutepath relativepath \
    relativeworkspacepath directory folder uri";

/// A tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The host's name for the tool.
    pub name: String,
    /// Its input.
    pub input: Json,
}

impl ToolCall {
    /// The call of a shell tool.
    pub fn command(line: &str) -> Self {
        Self::with("Bash", &[("command", line)])
    }

    /// The call of a tool that writes a whole file.
    pub fn write(path: &str, text: &str) -> Self {
        Self::with("Write", &[("file_path", path), ("content", text)])
    }

    /// The call of a tool that reads a file.
    pub fn read(path: &str) -> Self {
        Self::with("Read", &[("file_path", path)])
    }

    /// The call of a tool that starts a sub-agent.
    pub fn spawn(agent: &str, prompt: &str) -> Self {
        Self::with("Agent", &[("subagent_type", agent), ("prompt", prompt)])
    }

    fn with(name: &str, input: &[(&str, &str)]) -> Self {
        let input = input.iter().map(|(key, text)| ((*key).to_owned(), Json::Text((*text).to_owned()))).collect();
        Self { name: name.to_owned(), input: Json::Object(input) }
    }
}

/// What a tool call would do.
///
/// With what must be looked up to know it better: then it is read again, until nothing is asked.
pub fn of(call: &ToolCall, setting: &Setting, programs: &Programs, lookups: Lookups) -> (Vec<Action>, Lookups) {
    let mut reader = ToolReader { shell: Shell::new(setting, programs, lookups), setting, programs, only_looks: false };
    reader.tool(&call.name, &call.input);
    reader.shell.finish()
}

pub use served::{KnownTool, server, tool};

/// True if a tool takes a command.
pub fn is_shell(tool: &str) -> bool {
    kind(tool) == ToolKind::Shell
}

/// The folder that a call of a shell tool names for its command, as it is written. `None`: it begins in the session's.
pub fn folder(call: &ToolCall) -> Option<&str> {
    folder_of(&call.input)
}

fn folder_of(input: &Json) -> Option<&str> {
    fields(input, FOLDERS).find_map(|(_, folder)| if let Json::Text(folder) = folder { Some(folder.as_str()) } else { None })
}

/// True if a tool runs a command to its end.
pub fn runs_command(tool: &str) -> bool {
    is_shell(tool) && tool != WATCHER
}

/// True if a tool changes a file that it names.
pub fn writes_file(tool: &str) -> bool {
    matches!(kind(tool), ToolKind::WholeWriter | ToolKind::Replacer | ToolKind::ManyReplacer | ToolKind::NotebookWriter | ToolKind::Editor | ToolKind::Patcher)
}

/// The command line of a call of a shell tool: the text in which the spans of its actions are.
pub fn command_line(call: &ToolCall) -> Option<&str> {
    match call.input.get("command").or_else(|| call.input.get("cmd")) {
        _ if !is_shell(&call.name) => None,
        Some(Json::Text(line)) => Some(line),
        None => only_command(&call.input),
        Some(_) => None,
    }
}

/// The command of a list of one.
fn only_command(input: &Json) -> Option<&str> {
    match input.get("commands") {
        Some(Json::List(list)) => match list.as_slice() {
            [Json::Text(line)] => Some(line),
            _ => None,
        },
        _ => None,
    }
}

/// The file that a call writes as a whole, and its text. `None`: the call does something else.
#[must_use]
pub fn whole_write(call: &ToolCall) -> Option<(&str, &str)> {
    fn text<'j>((_, value): (&'j str, &'j Json)) -> Option<&'j str> {
        if let Json::Text(text) = value { Some(text.as_str()) } else { None }
    }
    let is_whole = kind(&call.name) == ToolKind::WholeWriter && call.input.text("mode") != Some("append");
    is_whole.then(|| Some((fields(&call.input, FILES).find_map(text)?, fields(&call.input, TEXTS).find_map(text)?)))?
}

/// The call that a call of [`CALLER`] makes. `None`: it makes none, or in a form that is not known.
fn called(call: &ToolCall) -> Option<ToolCall> {
    let name = call.input.text("name").filter(|name| call.name == CALLER && *name != CALLER)?;
    let input = match call.input.get("arguments")? {
        Json::Text(text) => Json::read(text.as_bytes()).ok()?,
        input => input.clone(),
    };
    Some(ToolCall { name: name.to_owned(), input })
}

/// Why the call of a known tool cannot be judged by its input: a field that says what it does is missing, or is not of the
/// form that the tool takes. `None` if it can be judged. What a client makes of such a call is not known.
#[must_use]
pub fn malformed(call: &ToolCall) -> Option<String> {
    if let Some(inner) = called(call) {
        return malformed(&inner);
    }
    let ToolCall { name, input } = call;
    match kind(name) {
        ToolKind::Shell => command_fault(name, input),
        ToolKind::WholeWriter => file_fault(input).or_else(|| texts_fault(input, false, "content")),
        ToolKind::Replacer | ToolKind::ManyReplacer => file_fault(input).or_else(|| texts_fault(input, true, "new_string")),
        ToolKind::NotebookWriter => file_fault(input).or_else(|| fields(input, TEXTS).find_map(|(key, value)| text_fault(key, value))),
        ToolKind::Editor | ToolKind::Reader => file_fault(input),
        ToolKind::Patcher => {
            fields(input, PATCHES).find_map(|(key, value)| (!is_command(value)).then(|| no_text(key))).or_else(|| missing(input, PATCHES, "command"))
        }
        ToolKind::Spawner => fields(input, "prompt subagenttype").find_map(|(key, value)| text_fault(key, value)),
        _ if name == "WebFetch" => fields(input, "url").find_map(|(key, value)| text_fault(key, value)).or_else(|| missing(input, "url", "url")),
        ToolKind::Quiet | ToolKind::Other => None,
    }
}

/// The fields of an input whose names, without `_` and `-`, are in `names`. A field that is `null` is not there.
fn fields<'j>(input: &'j Json, names: &'static str) -> impl Iterator<Item = (&'j str, &'j Json)> {
    let entries = if let Json::Object(entries) = input { entries.as_slice() } else { &[] };
    entries.iter().filter(|(key, value)| *value != Json::Null && is_one(names, &plain_key(key))).map(|(key, value)| (key.as_str(), value))
}

fn missing(input: &Json, names: &'static str, usual: &str) -> Option<String> {
    fields(input, names).next().is_none().then(|| format!("it has no `{usual}`"))
}

fn no_text(key: &str) -> String {
    format!("its `{key}` is not a text")
}

fn text_fault(key: &str, value: &Json) -> Option<String> {
    (!matches!(value, Json::Text(_))).then(|| no_text(key))
}

/// True for a command line, and for the words of a command.
fn is_command(value: &Json) -> bool {
    match value {
        Json::Text(_) => true,
        Json::List(list) => !list.is_empty() && list.iter().all(|item| item.scalar().is_some()),
        _ => false,
    }
}

/// True for several commands, each a line, or a program with its arguments.
fn are_commands(value: &Json) -> bool {
    let one = |item: &Json| matches!(item, Json::Text(_)) || item.get("command").is_some_and(|command| matches!(command, Json::Text(_)));
    matches!(value, Json::List(list) if list.iter().all(one))
}

fn command_fault(name: &str, input: &Json) -> Option<String> {
    // `local_shell` has them one level below, and Claude Code's Monitor can watch a socket in place of a command.
    let input = input.get("action").unwrap_or(input);
    if let Some((key, _)) = fields(input, COMMANDS).find(|(key, value)| !(is_command(value) || *key == "commands" && are_commands(value))) {
        return Some(no_text(key));
    }
    if let Some(fault) = fields(input, FOLDERS).find_map(|(key, value)| text_fault(key, value)) {
        return Some(fault);
    }
    let other = (name == "Monitor" && input.get("ws").is_some()) || input.get("restart") == Some(&Json::Bool(true));
    if other && fields(input, "command").next().is_none() { None } else { missing(input, COMMANDS, "command") }
}

fn file_fault(input: &Json) -> Option<String> {
    fields(input, FILES).find_map(|(key, value)| text_fault(key, value)).or_else(|| missing(input, FILES, "file_path"))
}

/// What is wrong with the new text of a file. With `edits`, a part of it can be replaced, or several.
fn texts_fault(input: &Json, edits: bool, usual: &str) -> Option<String> {
    if let Some(fault) = fields(input, TEXTS).chain(fields(input, OLD_TEXTS)).find_map(|(key, value)| text_fault(key, value)) {
        return Some(fault);
    }
    match input.get("edits").filter(|edits| **edits != Json::Null) {
        Some(Json::List(list)) if edits => {
            list.iter().find_map(|edit| missing(edit, OLD_TEXTS, "old_string").or_else(|| texts_fault(edit, false, "new_string")))
        }
        Some(_) => Some("its `edits` is not a list".to_owned()),
        None if edits && fields(input, "newstring").next().is_some() => missing(input, OLD_TEXTS, "old_string"),
        None => missing(input, TEXTS, usual),
    }
}

struct ToolReader<'p> {
    shell: Shell<'p>,
    setting: &'p Setting,
    programs: &'p Programs<'p>,
    /// The tool is known to change nothing.
    only_looks: bool,
}

impl ToolReader<'_> {
    fn tool(&mut self, name: &str, input: &Json) {
        if name == CALLER
            && let Some(inner) = called(&ToolCall { name: name.to_owned(), input: input.clone() })
        {
            self.act(Deed::Call(call(name, input, KnownTool::default())));
            return self.tool(&inner.name, &inner.input);
        }
        match kind(name) {
            ToolKind::Shell if self.shell_tool(name, input) => {}
            ToolKind::WholeWriter => self.known_file(name, input, whole),
            ToolKind::Replacer => self.known_file(name, input, |input| edit(input).map(|edit| Change::Edits(vec![edit]))),
            ToolKind::ManyReplacer => self.known_file(name, input, edits),
            ToolKind::NotebookWriter => self.known_file(name, input, |input| {
                let new = input.text("new_source").unwrap_or("").to_owned();
                Some(Change::Patch { added: new, removed: String::new() })
            }),
            ToolKind::Reader => self.shown(input),
            ToolKind::Editor if input.text("command") == Some("view") => self.shown(input),
            ToolKind::Editor => self.known_file(name, input, |input| Some(edited(input))),
            _ if matches!(name, "Grep" | "grep" | "search_file_content") => {
                self.act(Deed::Call(call(name, input, KnownTool::default())));
                let shows = input.text("output_mode").is_none_or(|mode| mode == "content") && (name != "Grep" || input.get("output_mode").is_some());
                let folder = input.text("path").unwrap_or("");
                // A glob without a folder fits at any depth, and what is searched is then hidden or not as the program likes.
                let files = input.text("glob").filter(|glob| !glob.starts_with('*') && !glob.contains(['{', '!']));
                for path in [Some(folder), files].into_iter().flatten().filter(|path| shows && !path.is_empty()) {
                    self.act(Deed::Read(Read { shown: true, ..Path::known(&self.setting.cwd, path).into() }));
                }
            }
            ToolKind::Patcher => match only_text(input, PATCHES) {
                Some(text) if self.shell.patch(text, None) => {}
                Some(text) => self.shell.line(text),
                None => self.unknown(name, input),
            },
            _ if name == "WebFetch" => {
                if let Some(url) = input.text("url") {
                    self.act(Deed::Fetch { url: Word::lit(url), method: Some(Word::lit("GET")) });
                }
            }
            ToolKind::Spawner => {
                let text = |names: &[&str]| names.iter().find_map(|key| input.text(key)).unwrap_or("").to_owned();
                self.act(Deed::Spawn {
                    agent: text(&["subagent_type", "agent_type", "agent_name", "config_name"]),
                    prompt: text(&["prompt", "task", "message"]),
                });
            }
            ToolKind::Quiet => self.act(Deed::Call(call(name, input, KnownTool::default()))),
            _ => self.unknown(name, input),
        }
    }

    /// A shell tool's command: a line, or the words of one program. Returns false if the call has no command.
    fn shell_tool(&mut self, name: &str, input: &Json) -> bool {
        let Some(command) = input.get("command").or_else(|| input.get("cmd")) else { return self.several_commands(input) };
        self.starting_in(input, |shell| {
            match command {
                Json::Text(line) if name == "PowerShell" => shell.powershell(line),
                Json::Text(line) => shell.call(line),
                Json::List(list) => shell.command(words(list)),
                _ => return false,
            }
            // Which of two the client takes is not known.
            match input.get("cmd").filter(|other| *other != command) {
                Some(Json::Text(line)) => shell.line(line),
                Some(Json::List(list)) => shell.command(words(list)),
                _ => {}
            }
            true
        })
    }

    /// Commands of which each begins in the same folder. Returns false if the call has none.
    fn several_commands(&mut self, input: &Json) -> bool {
        let Some(Json::List(list)) = input.get("commands") else { return false };
        let only = only_command(input);
        let here = self.setting.cwd.clone();
        for item in list {
            let folder = fields(input, FOLDERS).next().is_some().then_some(input);
            let work = |shell: &mut Shell| match item {
                Json::Text(line) if only.is_some() => shell.call(line),
                Json::Text(line) => shell.line(line),
                _ => match (item.text("command"), arguments(item)) {
                    (Some(program), Some(words)) => shell.command([vec![Word::lit(program)], words].concat()),
                    (Some(line), None) => shell.line(line),
                    _ => {}
                },
            };
            match folder {
                Some(input) => self.starting_in(input, work),
                None if only.is_some() => work(&mut self.shell),
                None => self.shell.starting_in(&here, work),
            }
        }
        true
    }

    /// Does `work` in the folder that the input names for the command, as if the command began with `cd`.
    fn starting_in<T>(&mut self, input: &Json, work: impl FnOnce(&mut Shell) -> T) -> T {
        match folder_of(input) {
            Some(folder) if !folder.is_empty() => self.shell.starting_in(&home(folder, self.setting.home.as_deref()), work),
            _ => work(&mut self.shell),
        }
    }

    /// A file of which the text comes to the model.
    fn shown(&mut self, input: &Json) {
        for (_, path) in fields(input, FILES) {
            if let Json::Text(path) = path {
                self.act(Deed::Read(Read { shown: true, ..Path::known(&self.setting.cwd, path).into() }));
            }
        }
    }

    fn known_file(&mut self, name: &str, input: &Json, change: impl Fn(&Json) -> Option<Change>) {
        match (input.text("file_path").or_else(|| only_text(input, FILES)), change(input)) {
            (Some(path), Some(change)) => {
                let path = Path::known(&self.setting.cwd, path);
                self.act(Deed::Write(Write { path, change }));
            }
            // Not the form that is known: its parts may still say what it does.
            _ => self.unknown(name, input),
        }
    }

    fn act(&mut self, deed: Deed) {
        self.shell.add(deed);
    }

    /// A tool that is not known.
    fn unknown(&mut self, name: &str, input: &Json) {
        let known = served::tool(name, self.programs);
        self.act(Deed::Call(call(name, input, known)));
        if known.does == Some(ToolEffect::Reads) && known.shipped {
            // What it looks for is no command and no query.
            self.only_looks = true;
        } else if let Some(text) = served::typed(name, input) {
            self.starting_in(input, |shell| shell.line(&text));
        } else if let Some(words) = served::command(name, input, self.programs) {
            self.starting_in(input, |shell| shell.command(words));
        }
        self.look_into(&name.to_ascii_lowercase(), input, 0);
    }

    fn look_into(&mut self, tool: &str, input: &Json, level: usize) {
        if level > MAX_LEVELS {
            self.act(Deed::Opaque { text: tool.to_owned(), why: "its input is nested too deep to be read" });
            return;
        }
        match input {
            Json::List(items) => {
                for item in items {
                    self.look_into(tool, item, level + 1);
                }
            }
            Json::Object(entries) => {
                for (key, value) in entries {
                    let key = plain_key(key);
                    match value {
                        Json::Text(text) => self.argument(tool, &key, text, input),
                        Json::List(list) if list.iter().all(|item| item.scalar().is_some()) && is_one("command cmd argv", &key) => {
                            self.starting_in(input, |shell| shell.command(words(list)));
                        }
                        Json::List(list) if list.iter().all(|item| item.scalar().is_some()) && is_one("commands cmds scripts", &key) => {
                            self.starting_in(input, |shell| list.iter().filter_map(Json::scalar).for_each(|line| shell.line(&line)));
                        }
                        Json::List(list) if is_one("paths files filepaths filenames targets", &key) && (deletes(tool) || tool.contains("read")) => {
                            for path in list {
                                if let Json::Text(path) = path {
                                    self.file(tool, &key, path, input);
                                }
                            }
                        }
                        other => self.look_into(tool, other, level + 1),
                    }
                }
            }
            _ => {}
        }
    }

    fn argument(&mut self, tool: &str, key: &str, text: &str, siblings: &Json) {
        if self.only_looks && !is_one(PATHS, key) && !is_one("url uri endpoint href", key) {
            return;
        }
        match key {
            "command" | "cmd" | "commandline" | "script" | "shell" | "shellcommand" | "bash" | "exec" | "runcommand" | "bashcommand" | "terminalcommand"
            | "clicommand" => {
                self.starting_in(siblings, |shell| match arguments(siblings) {
                    // No program has blanks in its name: the server starts a shell.
                    Some(words) if text.contains(char::is_whitespace) || words.is_empty() => shell.line(&line(text, &words)),
                    Some(words) => shell.command([vec![Word::lit(text)], words].concat()),
                    None => shell.line(text),
                });
            }
            "program" | "executable" | "binary" | "exe" if !text.contains(char::is_whitespace) && arguments(siblings).is_some() => {
                let words = arguments(siblings).unwrap_or_default();
                self.starting_in(siblings, |shell| shell.command([vec![Word::lit(text)], words].concat()));
            }
            "code" | "source" | "program" | "javascript" | "python" | "pythoncode" | "javascriptcode" | "jscode" | "rubycode" | "shellcode" | "bashcode"
                if key != "source" || tool.contains("run") || tool.contains("eval") || tool.contains("exec") =>
            {
                let language =
                    siblings.text("language").or_else(|| siblings.text("lang")).unwrap_or(key.strip_suffix("code").unwrap_or(key)).to_ascii_lowercase();
                let language = match language.as_str() {
                    "python" | "py" | "python3" => code::Language::Python,
                    "javascript" | "js" | "typescript" | "ts" | "node" => code::Language::JavaScript,
                    "ruby" | "rb" => code::Language::Ruby,
                    "perl" => code::Language::Perl,
                    "php" => code::Language::Php,
                    "bash" | "sh" | "shell" | "zsh" => return self.shell.line(text),
                    _ => code::Language::Unknown,
                };
                for found in code::scan(text, language) {
                    self.shell.found(found, None);
                }
            }
            "sql" | "query" | "statement" | "statements" | "sqlquery" | "rawsql" | "sqlstatement" => {
                self.shell.command(vec![Word::lit("sql"), Word::lit(text)]);
                // `query` alone is also what one searches for.
                let language = self.shell.served_language(tool).or_else(|| key.contains("sql").then_some("sql"));
                if let Some(language) = language {
                    self.shell.served_query(language, text, tool);
                }
            }
            "url" | "uri" | "endpoint" | "href" if text.contains("://") => {
                let method = siblings.text("method").map(|method| Word::lit(method.to_ascii_uppercase()));
                self.act(Deed::Fetch { url: Word::lit(text), method });
            }
            _ if is_one(PATHS, key) => self.file(tool, key, text, siblings),
            _ => {}
        }
    }

    /// A path among the arguments of an unknown tool: its name and the other arguments show what the tool does with it.
    fn file(&mut self, tool: &str, key: &str, text: &str, siblings: &Json) {
        let text = text.strip_prefix("file://").unwrap_or(text);
        let path = Path::known(&self.setting.cwd, &home(text, self.setting.home.as_deref()));
        let says = |words: &[&str]| words.iter().any(|word| tool.contains(word));
        let content = ["content", "contents", "text", "data", "new_string", "newText", "new_str", "file_text", "body", "edits", "patch", "diff", "code_edit"]
            .iter()
            .find_map(|key| siblings.get(key));
        let source = matches!(key, "source" | "from" | "oldpath");
        if deletes(tool) || (source && says(&["move", "rename"])) {
            self.act(Deed::Delete(Delete { path, recursive: true, moved: says(&["move", "rename"]) }));
        } else if content.is_some()
            || (!source
                && says(&["write", "create", "edit", "save", "append", "update", "put", "replace", "insert", "move", "rename", "copy", "patch", "upload"]))
        {
            let change = match content {
                Some(Json::List(list)) => edits_of(list).map_or(Change::Unknown, Change::Edits),
                Some(Json::Text(text)) if siblings.get("old_string").is_none() && siblings.get("old_str").is_none() => Change::Whole(text.clone()),
                _ => Change::Unknown,
            };
            self.act(Deed::Write(Write { path, change }));
        } else {
            self.act(Deed::Read(Read { shown: true, ..path.into() }));
        }
    }
}

/// True if a tool's name says that it deletes.
fn deletes(tool: &str) -> bool {
    ["delete", "remove", "unlink", "rmdir", "trash"].iter().any(|word| tool.contains(word))
}

/// A command line and further words for it.
fn line(text: &str, words: &[Word]) -> String {
    words.iter().fold(text.to_owned(), |line, word| format!("{line} '{}'", word.to_string().replace('\'', "'\\''")))
}

fn home(text: &str, home: Option<&str>) -> String {
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => format!("{home}/{rest}"),
        _ => text.to_owned(),
    }
}

/// `args` beside a `command`.
fn arguments(siblings: &Json) -> Option<Vec<Word>> {
    match siblings.get("args").or_else(|| siblings.get("arguments"))? {
        Json::List(list) => Some(words(list)),
        Json::Text(text) => Some(text.split_whitespace().map(Word::lit).collect()),
        _ => None,
    }
}

fn words(list: &[Json]) -> Vec<Word> {
    list.iter().map(|word| word.scalar().map_or_else(Word::unknown, Word::lit)).collect()
}

/// Keys are compared without case, `_` and `-`.
fn plain_key(key: &str) -> Cow<'_, str> {
    if key.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return key.into();
    }
    key.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect::<String>().into()
}

/// The text of the one field whose name is in `names`. `None` if there are several, or none that is a text.
fn only_text<'j>(input: &'j Json, names: &'static str) -> Option<&'j str> {
    let mut found = fields(input, names);
    match (found.next()?.1, found.next()) {
        (Json::Text(text), None) => Some(text),
        _ => None,
    }
}

/// The text of a whole file, or one that Kimi Code 2.1.0 puts at its end (read in the bundle).
fn whole(input: &Json) -> Option<Change> {
    let text = input.text("content").or_else(|| only_text(input, TEXTS))?.to_owned();
    Some(if input.text("mode") == Some("append") { Change::Append(text) } else { Change::Whole(text) })
}

/// What an editor with several ways does to a file.
fn edited(input: &Json) -> Change {
    let numbered = |front: &str| -> Vec<&str> {
        let Json::Object(entries) = input else { return Vec::new() };
        let is_part = |key: &str| plain_key(key).strip_prefix(front).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        entries.iter().filter(|(key, _)| is_part(key)).filter_map(|(_, value)| if let Json::Text(text) = value { Some(text.as_str()) } else { None }).collect()
    };
    if let Some(edit) = edit(input).filter(|(old, ..)| !old.is_empty()) {
        return Change::Edits(vec![edit]);
    }
    let (old, new) = (numbered("oldstr"), numbered("newstr"));
    if !old.is_empty() && old.len() == new.len() {
        return Change::Edits(old.into_iter().zip(new).map(|(old, new)| (old.to_owned(), new.to_owned(), false)).collect());
    }
    if let Some(Json::List(list)) = input.get("str_replace_entries") {
        return edits_of(list).map_or(Change::Unknown, Change::Edits);
    }
    match (only_text(input, TEXTS), fields(input, "insertline").next()) {
        (Some(added), Some(_)) => Change::Patch { added: added.to_owned(), removed: String::new() },
        (Some(text), None) => Change::Whole(text.to_owned()),
        (None, _) => Change::Unknown,
    }
}

fn edit(input: &Json) -> Option<(String, String, bool)> {
    // Some clients take the word for the value.
    let everywhere = fields(input, "replaceall changeall").next().and_then(|(_, value)| value.scalar()).as_deref() == Some("true");
    let text = |names| fields(input, names).find_map(|(_, value)| if let Json::Text(text) = value { Some(text.clone()) } else { None });
    Some((text(OLD_TEXTS)?, text("newstring newtext newstr")?, everywhere))
}

fn edits_of(list: &[Json]) -> Option<Vec<(String, String, bool)>> {
    list.iter().map(edit).collect()
}

fn edits(input: &Json) -> Option<Change> {
    match input.get("edits")? {
        Json::List(edits) => edits_of(edits).map(Change::Edits),
        _ => None,
    }
}

/// A call with all scalars of its input.
fn call(tool: &str, input: &Json, known: KnownTool) -> Call {
    let mut args = Vec::new();
    scalars(input, &mut String::new(), 0, &mut args);
    Call { tool: tool.to_owned(), args, does: known.does, described: known.described }
}

fn scalars(value: &Json, pointer: &mut String, level: usize, out: &mut Vec<(String, String)>) {
    if level > MAX_LEVELS {
        return;
    }
    let mut below = |name: &str, value: &Json| {
        let length = pointer.len();
        pointer.push('/');
        // RFC 6901, section 3.
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        scalars(value, pointer, level + 1, out);
        pointer.truncate(length);
    };
    match value {
        Json::Object(entries) => entries.iter().for_each(|(name, value)| below(name, value)),
        Json::List(items) => items.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value)),
        other => {
            if let Some(text) = other.scalar() {
                out.push((pointer.clone(), text));
            }
        }
    }
}
