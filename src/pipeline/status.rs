//! Whether the status of a command line is that of a command in it: only then does a success of the call show a success of
//! the command. Everything that is not known to leave the status as it is counts as swallowing it.

use std::path::Path;

use shell_reader::ast::{Command, Compound, Join, Part, RawWord, Script, Simple};
use shell_reader::parse;

/// What a command line says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandStatus {
    /// The command is not in it.
    Absent,
    /// If the call succeeds, the command did.
    Decides,
    /// It is in it, and the status of the call could be another one. Why, as a clause.
    Swallowed(&'static str),
}

/// Where a command line runs.
#[derive(Clone, Copy, Debug)]
pub struct CommandPlace<'p> {
    /// The folder in which it starts.
    pub folder: &'p str,
    /// The top of the work tree, where commands of the policy run.
    pub root: &'p str,
}

/// Builtins that change what later commands mean.
const CHANGING: &[&str] = &[
    "trap", "alias", "unalias", "exec", "eval", "source", ".", "export", "declare", "typeset", "local", "readonly", "unset", "shopt", "enable", "builtin",
    "hash", "function", "pushd", "popd", "exit", "return", "read", "mapfile", "setopt", "unsetopt", "disable", "autoload", "emulate",
];
/// Programs that only say something.
const SAYING: &[&str] = &["echo", "printf", "true"];
/// Programs in front of a command that end with its status.
const PASSING_ON: &[&str] = &["env", "command", "nice", "nohup", "time"];
/// Programs of package managers that find a command in the project, and end with its status.
const FINDERS: &[&[&str]] = &[
    &["npx"],
    &["bunx"],
    &["uvx"],
    &["pnpm", "exec"],
    &["yarn", "exec"],
    &["yarn", "run"],
    &["npm", "exec", "--"],
    &["uv", "run"],
    &["poetry", "run"],
    &["pipenv", "run"],
    &["pdm", "run"],
    &["hatch", "run"],
    &["rye", "run"],
    &["pixi", "run"],
    &["bundle", "exec"],
    &["mise", "exec", "--"],
    &["direnv", "exec", "."],
];
/// Shells of which `-c` runs a text.
const SHELLS: &[&str] = &["bash", "sh", "zsh", "dash"];
/// Texts within texts.
const MAX_DEPTH: usize = 4;

/// What `line` says of `wanted`, which is one command or several joined by `&&`.
pub fn of(line: &str, wanted: &str, place: CommandPlace) -> CommandStatus {
    let Some(wanted) = commands(wanted) else { return CommandStatus::Absent };
    let named = wanted.iter().flatten().all(|word| word.split('/').next_back().is_some_and(|word| line.contains(word.trim_start_matches('\u{1}'))));
    if !named {
        return CommandStatus::Absent;
    }
    let reading = parse::read(line);
    if !reading.faults.is_empty() {
        return CommandStatus::Swallowed("the command line could not be read to its end");
    }
    let here =
        LineWalk { at_root: place.folder == place.root, inside: Path::new(place.folder).starts_with(place.root), root: place.root, pipefail: false, depth: 0 };
    match here.script(&reading.script, &wanted) {
        Ok(true) => CommandStatus::Decides,
        Ok(false) if mentions(&reading.script, &wanted) => CommandStatus::Swallowed("it is within another command"),
        Ok(false) => CommandStatus::Absent,
        Err(_) if !mentions(&reading.script, &wanted) => CommandStatus::Absent,
        Err(why) => CommandStatus::Swallowed(why),
    }
}

/// The commands that a policy names, each as its words. `None`: they are not plain.
fn commands(wanted: &str) -> Option<Vec<Vec<String>>> {
    let reading = parse::read(wanted);
    let plain = |(at, item): (usize, &shell_reader::ast::Item)| {
        let joined = if at == 0 { item.join == Join::Then } else { item.join == Join::And };
        match &item.command {
            Command::Simple(simple) if joined && !item.background && !item.negated && simple.redirects.is_empty() => words(simple),
            _ => None,
        }
    };
    let commands: Option<Vec<Vec<String>>> = reading.script.items.iter().enumerate().map(plain).collect();
    commands.filter(|commands| reading.faults.is_empty() && !commands.is_empty() && commands.iter().all(|words| !words.is_empty()))
}

/// The words of a command with the assignments in front of it. `None`: a word is not written out.
fn words(simple: &Simple) -> Option<Vec<String>> {
    let assigned = simple.assigns.iter().map(|assign| match &assign.value {
        shell_reader::ast::Value::Scalar(word) if assign.subscript.is_none() && !assign.append => Some(format!("{}={}", assign.name, literal(word)?)),
        _ => None,
    });
    assigned.chain(simple.words.iter().map(literal)).collect()
}

/// A word that is written out. What the shell would expand is marked, so that it differs from the same text in quotes.
fn literal(word: &RawWord) -> Option<String> {
    let mut text = String::new();
    for part in &word.parts {
        match part {
            Part::Quoted(quoted) => text.push_str(quoted),
            Part::Text(plain) => {
                if plain.contains(['*', '?', '[', '{', '~']) {
                    text.push('\u{1}');
                }
                text.push_str(plain);
            }
            _ => return None,
        }
    }
    Some(text)
}

/// Whether a wanted command is somewhere in a script, as the words of one of its commands.
fn mentions(script: &Script, wanted: &[Vec<String>]) -> bool {
    fn inner(command: &Command, wanted: &[String]) -> bool {
        match command {
            Command::Simple(simple) => words(simple).is_some_and(|words| {
                let texts = words.iter().filter(|word| word.contains(' ')).map(|text| parse::read(text).script);
                let starts = words.first().is_some_and(|first| !SAYING.contains(&first.as_str()));
                starts
                    && (words.windows(wanted.len().max(1)).any(|window| window == wanted)
                        || (wraps(&words) && texts.into_iter().any(|text| mentions(&text, &[wanted.to_vec()]))))
            }),
            Command::Pipeline(commands) => commands.iter().any(|command| inner(command, wanted)),
            Command::Compound { body, .. } => match body {
                Compound::Subshell(script) | Compound::Group(script) => mentions(script, &[wanted.to_vec()]),
                Compound::If { branches, otherwise } => {
                    branches.iter().any(|(condition, body)| [condition, body].iter().any(|script| mentions(script, &[wanted.to_vec()])))
                        || otherwise.iter().any(|script| mentions(script, &[wanted.to_vec()]))
                }
                Compound::While { condition, body } => [condition, body].iter().any(|script| mentions(script, &[wanted.to_vec()])),
                Compound::For { body, .. } | Compound::Select { body, .. } | Compound::ArithmeticFor { body, .. } => mentions(body, &[wanted.to_vec()]),
                Compound::Case { arms, .. } => arms.iter().any(|arm| mentions(&arm.body, &[wanted.to_vec()])),
                Compound::Test(_) | Compound::Arithmetic(_) => false,
            },
            Command::Function { body, .. } | Command::Coproc { body, .. } => inner(body, wanted),
        }
    }
    wanted.first().is_some_and(|first| script.items.iter().any(|item| inner(&item.command, first)))
}

/// Whether a command may run a text that is one of its words.
fn wraps(words: &[String]) -> bool {
    words.iter().any(|word| word.starts_with('-') && word.ends_with('c')) || words.first().is_some_and(|first| first == "eval")
}

/// What is known where a script is followed.
#[derive(Clone, Copy)]
struct LineWalk<'p> {
    at_root: bool,
    /// The line starts somewhere in the work tree.
    inside: bool,
    root: &'p str,
    pipefail: bool,
    depth: usize,
}

impl LineWalk<'_> {
    /// Whether a success of the script shows one of the wanted commands. `Ok(false)`: they are not in it.
    fn script(mut self, script: &Script, wanted: &[Vec<String>]) -> Result<bool, &'static str> {
        let mut found = 0;
        for (at, item) in script.items.iter().enumerate() {
            let after_set = at > 0 && script.items.get(at - 1).is_some_and(|before| is_set(&before.command));
            if item.background {
                return Err("a part of the line runs in the background");
            }
            if item.negated {
                return Err("`!` reverses a status");
            }
            match item.join {
                Join::Or => return Err("`||` runs only after a failure, and hides it"),
                Join::Then if at > 0 && !after_set => return Err("behind `;` or a line end the status of what is before it is lost"),
                _ => {}
            }
            if found == wanted.len() {
                // All that follows only speaks, and runs only after a success.
                match &item.command {
                    Command::Simple(simple) if simple.redirects.is_empty() && says(simple) => continue,
                    _ => return Err("another command runs after it"),
                }
            }
            match wanted.get(found) {
                Some(next) if self.command(&item.command, next, wanted)? => found += 1,
                _ if found > 0 => return Err("its parts do not run one after another"),
                _ => {
                    if self.nested(item, wanted)? {
                        found = wanted.len();
                    } else {
                        self.before(&item.command)?;
                    }
                }
            }
        }
        Ok(found == wanted.len())
    }

    /// Whether a command is the wanted one.
    fn command(&self, command: &Command, next: &[String], wanted: &[Vec<String>]) -> Result<bool, &'static str> {
        match command {
            Command::Simple(simple) => {
                let Some(words) = words(simple) else { return Ok(false) };
                if !self.same(&words, next) && !self.same(&stripped(&words), next) {
                    return Ok(false);
                }
                if self.at_root { Ok(true) } else { Err("it does not run in the top folder of the work tree") }
            }
            Command::Pipeline(commands) => {
                let inside: Vec<usize> =
                    (0..commands.len()).filter(|at| commands.get(*at).is_some_and(|part| self.command(part, next, wanted).unwrap_or(true))).collect();
                match inside.as_slice() {
                    [] => Ok(false),
                    [0] if self.pipefail && wanted.len() == 1 && self.at_root => Ok(true),
                    _ if self.pipefail => Err("it is not the first part of the pipe"),
                    _ => Err("behind a pipe the status is that of the last part; `set -o pipefail` is missing"),
                }
            }
            _ => Ok(false),
        }
    }

    /// Whether these are the words of the wanted command: the program may be named by another path to the same file.
    fn same(&self, words: &[String], next: &[String]) -> bool {
        let full = |word: &str| match word {
            word if word.starts_with('/') => word.to_owned(),
            word if word.contains('/') => format!("{}/{}", self.root, word.strip_prefix("./").unwrap_or(word)),
            word => word.to_owned(),
        };
        match (words.split_first(), next.split_first()) {
            (Some((program, rest)), Some((wanted, others))) => rest == others && full(program) == full(wanted),
            _ => false,
        }
    }

    /// A group, a subshell or a text for a shell, in which the wanted commands may be.
    fn nested(&self, item: &shell_reader::ast::Item, wanted: &[Vec<String>]) -> Result<bool, &'static str> {
        if self.depth >= MAX_DEPTH {
            return Err("it is too deep within other commands");
        }
        let inner = LineWalk { depth: self.depth + 1, ..*self };
        match &item.command {
            Command::Compound { body: Compound::Subshell(script) | Compound::Group(script), .. } if mentions(script, wanted) => {
                if inner.script(script, wanted)? { Ok(true) } else { Err("it is within another command") }
            }
            Command::Simple(simple) => {
                let Some(words) = words(simple) else { return Ok(false) };
                let Some(text) = text_of_shell(&stripped(&words)) else { return Ok(false) };
                let reading = parse::read(&text);
                if !mentions(&reading.script, wanted) {
                    return Ok(false);
                }
                if reading.faults.is_empty() && (LineWalk { pipefail: false, ..inner }).script(&reading.script, wanted)? {
                    Ok(true)
                } else {
                    Err("it is within another command")
                }
            }
            Command::Pipeline(_) => Ok(false),
            _ => Err("it is within another command"),
        }
    }

    /// Notes what a command in front of the wanted one changes.
    fn before(&mut self, command: &Command) -> Result<(), &'static str> {
        let Command::Simple(simple) = command else {
            return if matches!(command, Command::Pipeline(_)) { Ok(()) } else { Err("a command in front of it may change what it does") };
        };
        if self.inside && goes_to_top(simple) {
            self.at_root = true;
            return Ok(());
        }
        let Some(words) = words(simple) else {
            // A program whose arguments are not written out changes nothing of the shell.
            let program = simple.words.first().and_then(literal);
            let harmless = program.is_some_and(|program| !CHANGING.contains(&program.as_str()) && program != "cd" && program != "set");
            return if harmless && simple.assigns.is_empty() { Ok(()) } else { Err("a command in front of it may change what it does") };
        };
        match words.first().map(String::as_str) {
            Some(_) if !simple.assigns.is_empty() => Err("a variable is set in front of it"),
            Some("cd") => {
                self.at_root = words.len() == 2 && words.get(1).is_some_and(|folder| folder.trim_end_matches('/') == self.root);
                Ok(())
            }
            Some("set") if is_set(command) => {
                self.pipefail |= words.iter().any(|word| word == "pipefail");
                Ok(())
            }
            Some(program) if program == "set" || CHANGING.contains(&program) => Err("a command in front of it may change what it does"),
            _ => Ok(()),
        }
    }
}

/// Whether a command is `cd "$(git rev-parse --show-toplevel)"`.
fn goes_to_top(simple: &Simple) -> bool {
    let [cd, folder] = simple.words.as_slice() else { return false };
    let asked = |script: &Script| match script.items.as_slice() {
        [item] if !item.background && !item.negated => match &item.command {
            Command::Simple(simple) => words(simple).is_some_and(|words| words == ["git", "rev-parse", "--show-toplevel"]),
            _ => false,
        },
        _ => false,
    };
    let parts: Vec<&Part> = folder.parts.iter().filter(|part| !matches!(part, Part::Quoted(text) if text.is_empty())).collect();
    cd.is_text("cd") && simple.assigns.is_empty() && matches!(parts.as_slice(), [Part::Command { script, .. }] if asked(script))
}

fn says(simple: &Simple) -> bool {
    simple.assigns.is_empty() && simple.words.first().and_then(literal).is_some_and(|program| SAYING.contains(&program.as_str()))
}

/// Whether a command only makes the shell stricter: `set -euo pipefail`.
fn is_set(command: &Command) -> bool {
    let Command::Simple(simple) = command else { return false };
    let Some(words) = words(simple).filter(|_| simple.assigns.is_empty()) else { return false };
    let strict = |word: &String| {
        matches!(word.as_str(), "pipefail" | "errexit" | "nounset" | "xtrace")
            || word.strip_prefix('-').is_some_and(|letters| !letters.is_empty() && letters.chars().all(|letter| matches!(letter, 'e' | 'u' | 'x' | 'o' | 'E')))
    };
    words.first().is_some_and(|first| first == "set") && words.len() > 1 && words.iter().skip(1).all(strict)
}

/// A command without the programs in front of it that pass its status on.
fn stripped(words: &[String]) -> Vec<String> {
    let mut rest = words;
    loop {
        rest = match rest {
            [first, more @ ..] if PASSING_ON.contains(&first.as_str()) && more.first().is_some_and(|next| !next.starts_with('-') && !next.contains('=')) => {
                more
            }
            [first, seconds, more @ ..] if first == "timeout" && seconds.starts_with(|sign: char| sign.is_ascii_digit()) && !more.is_empty() => more,
            _ => {
                let found = FINDERS.iter().find(|finder| rest.len() > finder.len() && rest.iter().zip(finder.iter()).all(|(word, known)| word == known));
                match found.and_then(|finder| rest.get(finder.len()..)).filter(|more| more.first().is_some_and(|next| !next.starts_with('-'))) {
                    Some(more) => more,
                    None => return rest.to_vec(),
                }
            }
        };
    }
}

/// The text that `bash -c TEXT` runs.
fn text_of_shell(words: &[String]) -> Option<String> {
    match words {
        [shell, options, text] if SHELLS.contains(&shell.as_str()) && matches!(options.as_str(), "-c" | "-lc" | "-ec" | "-elc" | "-lec") => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
