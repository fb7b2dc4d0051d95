//! How a call is read, by the canonical name of its function. What an effect means is in `effects`.

use super::Language;
use super::functions::{JAVASCRIPT, METHODS, OTHERS, PATH_METHODS, PERL, PHP, PYTHON, RUBY, Table};

/// How the arguments of a call are read. Numbers are places of arguments, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Text for a shell comes first.
    Shell,
    /// `subprocess.run(args, shell=…)`
    Process,
    /// A program, then its arguments as a list that begins with the name again.
    ExecList,
    /// A program, then its arguments one by one, beginning with the name again.
    ExecArgs,
    /// As the two before, with a mode in front.
    SpawnList,
    SpawnArgs,
    /// Every argument is a word of the command; lists are taken apart.
    Argv,
    /// Text for a shell, then options.
    NodeShell,
    /// A program, a list of arguments, options.
    NodeSpawn,
    /// A module for node, a list of arguments.
    NodeFork,
    /// A list, or an object with `cmd` and `args`, or a program and such an object.
    KeyedSpawn,
    /// One text is for the shell, several are a program and its arguments.
    Words,
    /// As `Words`, the command in one argument.
    Popen,
    /// A path, a mode; in Ruby a path that begins with `|` is a command.
    Open,
    /// A path, flags by name.
    OpenFlags,
    PerlOpen,
    /// A handle, a path, flags by name.
    PerlSysopen,
    /// A path, the text.
    WriteText {
        append: bool,
    },
    /// A path here, the text is not known.
    WriteAt(usize),
    /// An open file, the text.
    HandleText,
    /// Every argument is a path.
    Delete {
        recursive: bool,
    },
    /// A path, options with `recursive`.
    DeleteOption,
    /// A path, another one.
    Move,
    /// The receiver is the path.
    PathWrite {
        append: bool,
    },
    PathTouch,
    PathOpen,
    PathDelete {
        recursive: bool,
    },
    /// The receiver is moved to the first argument.
    PathMove,
    /// The receiver comes to be by a link.
    PathLink,
    /// Options as words, then paths: `rm("-rf", …)`, `cp("-r", from, to)`.
    ShellRm,
    ShellMove,
    ShellCopy,
    /// Program text of the same language.
    Code,
    /// Program text where it is a literal, anything else is a function.
    CodeText,
    /// Every member is a program: `sh.git("push")`.
    Program,
}

fn find(table: Table, name: &str) -> Option<Effect> {
    table.iter().find(|(known, _)| *known == name).map(|(_, effect)| *effect)
}

/// What the function of this full name does.
pub(super) fn function(language: Language, name: &str) -> Option<Effect> {
    match language {
        Language::Python => find(PYTHON, name).or_else(|| name.strip_prefix("sh.").filter(|rest| !rest.contains('.')).map(|_| Effect::Program)),
        Language::JavaScript => find(JAVASCRIPT, name),
        Language::Ruby => find(RUBY, name),
        Language::Perl => find(PERL, name),
        Language::Php => find(PHP, name),
        Language::Awk => None,
        // Short names mean other things in other languages.
        Language::Unknown if matches!(name, "copy" | "move" | "link" | "rm" | "cp" | "mv" | "touch" | "truncate" | "capture" | "sh" | "trash" | "del") => None,
        Language::Unknown => [PYTHON, JAVASCRIPT, RUBY, PERL, PHP, OTHERS].into_iter().find_map(|table| find(table, name)),
    }
}

/// What a method of this name does on a receiver that is not known.
pub(super) fn method(name: &str) -> Option<Effect> {
    find(METHODS, name)
}

/// What a method does on a path object.
pub(super) fn path_method(name: &str) -> Option<Effect> {
    find(PATH_METHODS, name)
}

/// Methods without arguments that only path objects have.
pub(super) fn bare_method(name: &str, arguments: usize) -> Option<Effect> {
    match name {
        "unlink" | "rmdir" if arguments == 0 => Some(Effect::PathDelete { recursive: false }),
        "rmtree" if arguments == 0 => Some(Effect::PathDelete { recursive: true }),
        _ => None,
    }
}

/// The one name under which the tables know a function.
pub(super) fn canonical(language: Language, name: &str, stars: &[String]) -> String {
    let mut name = name.to_owned();
    match language {
        Language::Python => {
            if !name.contains('.')
                && let Some(module) = stars.iter().find(|module| function(language, &format!("{module}.{name}")).is_some())
            {
                return format!("{module}.{name}");
            }
            if let Some(rest) = name.strip_prefix("asyncio.subprocess.") {
                return format!("asyncio.{rest}");
            }
        }
        Language::JavaScript | Language::Unknown => {
            if let Some(rest) = name.strip_prefix("node:") {
                name = rest.to_owned();
            }
            for module in ["fs/promises", "fs.promises", "graceful-fs", "fs-extra", "fse", "promises"] {
                if let Some(rest) = name.strip_prefix(module)
                    && rest.starts_with('.')
                {
                    return format!("fs{}", rest.strip_prefix(".promises").unwrap_or(rest));
                }
            }
        }
        Language::Ruby | Language::Perl => {
            for prefix in ["Kernel.", "Process.", "CORE.GLOBAL.", "CORE.", "Object.", "self."] {
                if let Some(rest) = name.strip_prefix(prefix)
                    && matches!(rest, "system" | "exec" | "spawn" | "eval" | "open" | "unlink" | "rename" | "rmdir")
                {
                    return rest.to_owned();
                }
            }
        }
        Language::Php | Language::Awk => {}
    }
    name
}
