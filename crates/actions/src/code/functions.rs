//! The functions of each language and what they do, by their full names: the effects, and how they are found in the table.

use super::{CallEffect, Language};
use crate::word::is_one;

/// The functions of each language, as data.
pub(super) const TABLE: &str = include_str!("../../../../policies/functions.txt");

/// The effect of a function, and the place among its arguments that it speaks of.
fn find(kind: &str, name: &str) -> Option<(CallEffect, usize)> {
    // What is of one kind is in a paragraph of its own.
    let lines = TABLE.split("\n\n").find(|paragraph| paragraph.starts_with(kind))?.lines();
    let (head, _) = lines.filter_map(|line| line.split_once(": ")).find(|(_, names)| is_one(names, name))?;
    let mut named = head.split(' ').skip(1);
    let (named, place) = (named.next()?, named.next().unwrap_or("0"));
    let (_, effect) = CallEffect::NAMES.iter().find(|(known, _)| *known == named)?;
    Some((*effect, place.parse().unwrap_or(0)))
}

/// The client of the command line that speaks to the databases to which a function connects.
pub(super) fn client(language: Language, name: &str) -> Option<&'static str> {
    let language = if language == Language::Unknown { "other" } else { language.name() };
    let lines = TABLE.split("\n\n").find(|paragraph| paragraph.starts_with(language))?.lines();
    let (head, _) = lines.filter_map(|line| line.split_once(": ")).find(|(_, names)| is_one(names, name))?;
    head.split(' ').nth(2)
}

/// The word of the command line for a service of a program, where it has another one.
pub(super) fn service(program: &str, service: &str) -> Option<&'static str> {
    client(Language::Unknown, &format!("{program}/{service}"))
}

/// The same as [`client`], by the scheme of an address.
pub(super) fn client_of_scheme(scheme: &str) -> Option<&'static str> {
    client(Language::Unknown, &format!("{scheme}:"))
}

pub(super) fn function(language: Language, name: &str) -> Option<(CallEffect, usize)> {
    /// Short names mean other things in other languages.
    const UNSURE: &str = "copy move link rm cp mv touch truncate capture sh trash del load chmod chown utime";
    match language {
        Language::Unknown if is_one(UNSURE, name) => None,
        Language::Unknown => ["other", "python", "javascript", "ruby", "perl", "php", "lua"].iter().find_map(|language| find(language, name)),
        known => find(known.name(), name),
    }
}

/// What a method of this name does on a receiver that is not known.
pub(super) fn method(name: &str) -> Option<(CallEffect, usize)> {
    find("method", name)
}

pub(super) fn path_method(name: &str) -> Option<(CallEffect, usize)> {
    find("path", name)
}

/// Functions whose outcome is text that was hidden in the source.
const DECODERS: &str = "b64decode b32decode b16decode b85decode a85decode decodebytes unhexlify fromhex decompress atob base64_decode gzinflate \
    gzuncompress gzdecode str_rot13 hex2bin convert_uudecode decode64 strict_decode64 urlsafe_decode64 decode_base64 unpack fromCharCode inflate";

/// Whether the outcome of a function is text that was hidden in the source.
pub(super) fn decodes(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    is_one(DECODERS, last) || matches!(name, "marshal.loads" | "pickle.loads")
}

/// Functions whose outcome are the files that a pattern names.
const PATTERNS: &str = "glob glob.glob glob.iglob glob.sync glob.globSync globSync fs.globSync fast-glob.sync fg.sync globby.sync Dir.glob Pathname.glob \
    bsd_glob File.Glob.bsd_glob Sys.glob";
/// Functions whose outcome are the names in a folder.
const LISTINGS: &str = "os.listdir fs.readdirSync Dir.children Dir.entries Dir.each_child scandir readdir";

/// Whether the outcome of a function are names of files.
pub(super) fn lists(name: &str) -> bool {
    takes_pattern(name) || is_one(LISTINGS, name)
}

pub(super) fn takes_pattern(name: &str) -> bool {
    is_one(PATTERNS, name)
}

/// Methods that give each element to a function.
const EACH: &str = "each forEach map each_entry";

pub(super) fn gives_each(name: &str) -> bool {
    is_one(EACH, name)
}

/// Functions whose outcome is their first argument, as far as it matters here.
const KEEPERS: &str = "os.path.expanduser os.path.abspath os.path.normpath os.path.realpath os.fspath os.fsencode str String bytes list tuple Array \
    shlex.quote escapeshellarg escapeshellcmd File.expand_path Shellwords.escape path.normalize realpath shlex.split Shellwords.split \
    Shellwords.shellwords util.promisify promisify functools.partial partial compile URL URI URI.parse text sqlalchemy.text sqlalchemy.sql.text psycopg.sql.SQL psycopg2.sql.SQL sql.SQL";

pub(super) fn keeps(name: &str) -> bool {
    is_one(KEEPERS, name)
}

/// The one name under which the tables know a function. `stars` are modules whose members need no prefix.
pub(super) fn canonical(language: Language, name: &str, stars: &[String]) -> String {
    let name = name.strip_prefix("node:").unwrap_or(name);
    if !name.contains('.')
        && let Some(full) = stars.iter().map(|module| format!("{module}.{name}")).find(|full| function(language, full).is_some())
    {
        return full;
    }
    let aliases: &[(&str, &str)] = match language {
        Language::Python => &[("asyncio.subprocess.", "asyncio.")],
        Language::JavaScript | Language::Unknown => {
            &[("fs/promises.", "fs."), ("fs.promises.", "fs."), ("graceful-fs.", "fs."), ("fs-extra.", "fs."), ("fse.", "fs."), ("promises.", "fs.")]
        }
        Language::Ruby | Language::Perl => &[("Kernel.", ""), ("Process.", ""), ("CORE.GLOBAL.", ""), ("CORE.", ""), ("Object.", ""), ("self.", "")],
        Language::Jvm => &[("java.nio.file.", ""), ("java.io.", ""), ("java.lang.", ""), ("kotlin.io.", ""), ("sys.process.", ""), ("scala.sys.process.", "")],
        Language::Julia => &[("Base.Filesystem.", ""), ("Base.", "")],
        Language::Lua => &[("_G.", "")],
        Language::Php | Language::Awk | Language::Sed | Language::Cron => &[],
    };
    let found = aliases.iter().find_map(|(from, to)| name.strip_prefix(from).map(|rest| format!("{to}{rest}")));
    found.unwrap_or_else(|| name.to_owned())
}
