//! Calls of tool servers that stand for a command line: their names say the program and what it does (`git_push`), their
//! arguments are its options and operands (`{"force": true}`), or they type into a terminal. Knows no program: names and options
//! are those that are described.

use super::{COMMANDS, FILES, FOLDERS, TEXTS, plain_key};
use crate::json::Json;
use crate::program::{Program, ProgramWay, Programs, Takes, ToolEffect};
use crate::word::{Word, is_one};

/// Arguments that hold what a call says and not what it does, without `_` and `-`.
const SAID: &str = "message m title subject description summary reason author email comment note id sessionid terminalid requestid";
/// Arguments whose value says what is done, without `_` and `-`.
const MODES: &str = "mode action operation op type kind method subcommand resettype";
/// Arguments that hold words of the command line as they are.
const WORDS: &str = "args arguments flags options extraargs argv params";
/// Words of a tool's name that say that it types into a terminal: one of each.
const TYPES: &str = "send write type input paste stdin";
const TERMINALS: &str = "input keys stdin terminal term pty tty tmux screen shell bash powershell process console terminalsession repl";
/// Arguments beside a text that show that it is typed into a page.
const ELSEWHERE: &str = "selector element ref locator xpath uid x y";

/// The words of a tool's name, in small letters.
fn tokens(tool: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in tool.chars() {
        if !c.is_alphanumeric() || (c.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            words.push(String::new());
        }
        if let Some(last) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            last.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Words of a server's name that belong together, at most.
const MOST_WORDS: usize = 3;
/// In front of a server's name, where its tools are described; alone, where the first words of other tools are.
const SERVER: &str = "mcp:";

/// `noVerify`, `no_verify`: `no-verify`.
fn dashed(key: &str) -> String {
    tokens(key).join("-")
}

/// The description of the tools of a server, by one word of its name or several.
pub fn server<'a>(name: &str, programs: &Programs<'a>) -> Option<Program<'a>> {
    let words = tokens(name);
    // `chrome-devtools` before `chrome`.
    let runs = (1..=words.len()).rev().flat_map(|length| words.windows(length));
    runs.filter(|run| run.len() <= MOST_WORDS).find_map(|run| programs.exactly(&format!("{SERVER}{}", run.join("_"))))
}

/// What is known of a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownTool {
    /// What it does: as the description of its server says, or else as the first word of its name does.
    pub does: Option<ToolEffect>,
    /// The tools of its server are described.
    pub described: bool,
    /// They are described by Portcullis itself, so that a tool which only reads can be believed.
    pub shipped: bool,
}

/// What is known of a tool (`mcp__server__tool`).
pub fn tool(name: &str, programs: &Programs) -> KnownTool {
    let Some((server, own)) = name.split_once("__").and_then(|(_, rest)| rest.split_once("__")) else { return KnownTool::default() };
    let own = tokens(own);
    let server = self::server(server, programs);
    let shipped = server.as_ref().is_some_and(|server| !server.is(ProgramWay::House));
    let described = server.as_ref().and_then(|server| ToolEffect::among(&server.subcommand(&own.join("_"))?.ways));
    let by_name = || own.first().and_then(|verb| ToolEffect::among(&programs.exactly(SERVER)?.subcommand(verb)?.ways));
    let does = match described {
        // A policy may only say that a tool does more.
        Some(ToolEffect::Reads) if !shipped => by_name().or(described),
        None if !shipped => by_name(),
        described => described,
    };
    KnownTool { does, described: server.is_some(), shipped }
}

/// The command that a call stands for, as words. `None`: its name says no program with a subcommand of its.
pub(super) fn command(tool: &str, input: &Json, programs: &Programs) -> Option<Vec<Word>> {
    let (server, own) = tool.rsplit_once("__").unwrap_or(("", tool));
    let (server, own) = (tokens(server), tokens(own));
    let described = |word: &String| Some((word.clone(), programs.find(word).filter(|program| !program.subcommands.is_empty())?));
    let (name, program) = own.iter().chain(&server).find_map(described)?;
    let verbs: Vec<&String> = own.iter().filter(|word| **word != name).collect();
    // `cherry_pick` before `cherry`
    let pair = verbs.windows(2).map(|pair| pair.iter().map(|word| word.as_str()).collect::<Vec<_>>().join("-")).find(|pair| program.has_subcommand(pair));
    let verb = pair.or_else(|| verbs.iter().find(|word| program.has_subcommand(word)).map(|word| (*word).clone()))?;
    let mut line =
        ServedLine { program: program.subcommand(&verb)?, front: Vec::new(), flags: Vec::new(), first: Vec::new(), operands: Vec::new(), behind: Vec::new() };
    for word in verbs.iter().filter(|word| !verb.split('-').any(|part| part == word.as_str())) {
        line.done(word);
    }
    line.arguments(input, 0);
    let ServedLine { front, flags, first, operands, behind, .. } = line;
    let dashes = if behind.is_empty() { Vec::new() } else { vec![Word::lit("--")] };
    Some([vec![Word::lit(name), Word::lit(verb)], front, flags, first, operands, dashes, behind].concat())
}

/// The parts of a command line while they are collected.
struct ServedLine<'a> {
    program: Program<'a>,
    /// A subcommand of the subcommand.
    front: Vec<Word>,
    flags: Vec<Word>,
    /// The operand that is in front of the others.
    first: Vec<Word>,
    operands: Vec<Word>,
    /// Files.
    behind: Vec<Word>,
}

impl ServedLine<'_> {
    /// A word that says what is done: `hard`, `drop`.
    fn done(&mut self, word: &str) {
        let option = format!("--{}", dashed(word));
        if self.program.has_subcommand(word) {
            self.front.push(Word::lit(word));
        } else if self.option(&option).is_some() {
            self.flags.push(Word::lit(option));
        }
    }

    fn option(&self, name: &str) -> Option<Takes> {
        self.program.options.iter().find(|opt| opt.names.contains(&name)).map(|opt| opt.takes)
    }

    fn arguments(&mut self, input: &Json, level: usize) {
        /// Objects in objects are looked into so deep.
        const MAX_LEVEL: usize = 4;
        let Json::Object(entries) = input else { return };
        for (key, value) in entries {
            let option = format!("--{}", dashed(key));
            let plain = plain_key(key);
            match value {
                Json::Object(_) if level < MAX_LEVEL => self.arguments(value, level + 1),
                Json::List(list) => {
                    let words = list.iter().map(|item| item.scalar().map_or_else(Word::unknown, Word::lit));
                    if is_one(WORDS, &plain) { self.operands.extend(words) } else { self.behind.extend(words) }
                }
                Json::Text(text) if is_one(WORDS, &plain) => self.operands.extend(text.split_whitespace().map(Word::lit)),
                Json::Bool(true) => self.flags.push(Word::lit(option)),
                Json::Text(text) if text == "true" => self.flags.push(Word::lit(option)),
                Json::Text(text) if text.is_empty() || text == "false" || is_one(SAID, &plain) => {}
                Json::Text(text) if is_one(MODES, &plain) => self.done(text),
                Json::Text(text) if self.option(&option) == Some(Takes::Value) => self.flags.push(Word::lit(format!("{option}={text}"))),
                Json::Text(text) if plain == "remote" => self.first.push(Word::lit(text.as_str())),
                // Where it runs, and what it writes.
                Json::Text(_) if is_one(FOLDERS, &plain) || is_one(TEXTS, &plain) || matches!(&*plain, "repopath" | "repository" | "repo" | "path") => {}
                Json::Text(text) if is_one(FILES, &plain) => self.behind.push(Word::lit(text.as_str())),
                Json::Text(text) => self.operands.push(Word::lit(text.as_str())),
                _ => {}
            }
        }
    }
}

/// The text that a call types into a terminal. `None`: it types into none, or not text.
pub(super) fn typed(tool: &str, input: &Json) -> Option<String> {
    let own = tokens(tool.rsplit_once("__").map_or(tool, |(_, own)| own));
    let is = |words: &'static str| own.iter().any(|word| is_one(words, word));
    let Json::Object(entries) = input else { return None };
    if !is(TYPES) || !is(TERMINALS) || entries.iter().any(|(key, _)| is_one(ELSEWHERE, &plain_key(key)) || is_one(COMMANDS, &plain_key(key))) {
        return None;
    }
    entries.iter().find_map(|(key, value)| match value {
        Json::Text(text) if is_one("input inputtext text keys chars data content value string", &plain_key(key)) => Some(text.replace('\r', "\n")),
        _ => None,
    })
}
