//! Which function does what, for every language. Data only; what an effect means is in `effects`.

use super::Language;

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
    WriteText { append: bool },
    /// A path here, the text is not known.
    WriteAt(usize),
    /// An open file, the text.
    HandleText,
    /// Every argument is a path.
    Delete { recursive: bool },
    /// A path, options with `recursive`.
    DeleteOption,
    /// A path, another one.
    Move,
    /// The receiver is the path.
    PathWrite { append: bool },
    PathTouch,
    PathOpen,
    PathDelete { recursive: bool },
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

use Effect::{
    Argv, Code, CodeText, Delete, DeleteOption, ExecArgs, ExecList, HandleText, KeyedSpawn, Move, NodeFork, NodeShell, NodeSpawn, Open,
    OpenFlags, PathDelete, PathLink, PathMove, PathOpen, PathTouch, PathWrite, PerlOpen, PerlSysopen, Popen, Process, Program, Shell,
    ShellCopy, ShellMove, ShellRm, SpawnArgs, SpawnList, Words, WriteAt, WriteText,
};

const GONE: Effect = Delete { recursive: false };
const GONE_BELOW: Effect = Delete { recursive: true };
const WRITTEN: Effect = WriteText { append: false };
const APPENDED: Effect = WriteText { append: true };

type Table = &'static [(&'static str, Effect)];

const PYTHON: Table = &[
    ("os.system", Shell), ("os.popen", Shell), ("posix.system", Shell), ("nt.system", Shell), ("subprocess.getoutput", Shell),
    ("subprocess.getstatusoutput", Shell), ("commands.getoutput", Shell), ("commands.getstatusoutput", Shell),
    ("asyncio.create_subprocess_shell", Shell), ("invoke.run", Shell), ("fabric.api.local", Shell), ("IPython.system", Shell),
    ("subprocess.run", Process), ("subprocess.call", Process), ("subprocess.check_call", Process), ("subprocess.check_output", Process),
    ("subprocess.Popen", Process), ("pexpect.run", Process), ("pexpect.spawn", Process), ("pexpect.popen_spawn.PopenSpawn", Process),
    ("pty.spawn", Process), ("asyncio.create_subprocess_exec", Argv), ("os.execv", ExecList), ("os.execvp", ExecList),
    ("os.execve", ExecList), ("os.execvpe", ExecList), ("os.posix_spawn", ExecList), ("os.posix_spawnp", ExecList), ("os.execl", ExecArgs),
    ("os.execlp", ExecArgs), ("os.execle", ExecArgs), ("os.execlpe", ExecArgs), ("os.spawnv", SpawnList), ("os.spawnvp", SpawnList),
    ("os.spawnve", SpawnList), ("os.spawnvpe", SpawnList), ("os.spawnl", SpawnArgs), ("os.spawnlp", SpawnArgs), ("os.spawnle", SpawnArgs),
    ("os.spawnlpe", SpawnArgs), ("os.remove", GONE), ("os.unlink", GONE), ("os.rmdir", GONE), ("os.removedirs", GONE),
    ("shutil.rmtree", GONE_BELOW), ("send2trash.send2trash", GONE_BELOW), ("send2trash", GONE_BELOW), ("os.rename", Move),
    ("os.renames", Move), ("os.replace", Move), ("shutil.move", Move), ("shutil.copy", WriteAt(1)), ("shutil.copy2", WriteAt(1)),
    ("shutil.copyfile", WriteAt(1)), ("shutil.copytree", WriteAt(1)), ("os.symlink", WriteAt(1)), ("os.link", WriteAt(1)),
    ("os.truncate", WriteAt(0)), ("urllib.request.urlretrieve", WriteAt(1)), ("open", Open), ("io.open", Open), ("codecs.open", Open),
    ("gzip.open", Open), ("bz2.open", Open), ("lzma.open", Open), ("aiofiles.open", Open), ("tarfile.open", Open),
    ("zipfile.ZipFile", Open), ("io.FileIO", Open), ("os.open", OpenFlags), ("exec", Code), ("eval", Code),
];

const JAVASCRIPT: Table = &[
    ("child_process.exec", NodeShell), ("child_process.execSync", NodeShell), ("child_process.spawn", NodeSpawn),
    ("child_process.spawnSync", NodeSpawn), ("child_process.execFile", NodeSpawn), ("child_process.execFileSync", NodeSpawn),
    ("child_process.fork", NodeFork), ("cross-spawn", NodeSpawn), ("cross-spawn.sync", NodeSpawn), ("cross-spawn.spawn", NodeSpawn),
    ("execa", NodeSpawn), ("execa.execa", NodeSpawn), ("execa.execaSync", NodeSpawn), ("execa.sync", NodeSpawn),
    ("execa.command", NodeShell), ("execa.commandSync", NodeShell), ("execa.execaCommand", NodeShell),
    ("execa.execaCommandSync", NodeShell), ("execa.shell", NodeShell), ("tinyexec.x", NodeSpawn), ("tinyexec.exec", NodeSpawn),
    ("shelljs.exec", NodeShell), ("shelljs.rm", ShellRm), ("shelljs.mv", ShellMove), ("shelljs.cp", ShellCopy), ("Deno.Command", KeyedSpawn),
    ("Deno.run", KeyedSpawn), ("Bun.spawn", KeyedSpawn), ("Bun.spawnSync", KeyedSpawn), ("bun.spawn", KeyedSpawn),
    ("bun.spawnSync", KeyedSpawn), ("process.execve", ExecList), ("fs.writeFile", WRITTEN), ("fs.writeFileSync", WRITTEN),
    ("fs.outputFile", WRITTEN), ("fs.outputFileSync", WRITTEN), ("fs.writeJson", WriteAt(0)), ("fs.writeJsonSync", WriteAt(0)),
    ("fs.writeJSON", WriteAt(0)), ("fs.writeJSONSync", WriteAt(0)), ("fs.outputJson", WriteAt(0)), ("fs.outputJsonSync", WriteAt(0)),
    ("fs.appendFile", APPENDED), ("fs.appendFileSync", APPENDED), ("fs.truncate", WriteAt(0)), ("fs.truncateSync", WriteAt(0)),
    ("fs.createWriteStream", WriteAt(0)), ("fs.open", Open), ("fs.openSync", Open), ("fs.rm", DeleteOption), ("fs.rmSync", DeleteOption),
    ("fs.rmdir", DeleteOption), ("fs.rmdirSync", DeleteOption), ("fs.unlink", GONE1), ("fs.unlinkSync", GONE1), ("fs.remove", GONE1_BELOW),
    ("fs.removeSync", GONE1_BELOW), ("fs.emptyDir", GONE1_BELOW), ("fs.emptyDirSync", GONE1_BELOW), ("rimraf", GONE1_BELOW),
    ("rimraf.rimraf", GONE1_BELOW), ("rimraf.sync", GONE1_BELOW), ("rimraf.rimrafSync", GONE1_BELOW), ("rimraf.native", GONE1_BELOW),
    ("del", GONE1_BELOW), ("del.sync", GONE1_BELOW), ("del.deleteAsync", GONE1_BELOW), ("del.deleteSync", GONE1_BELOW), ("trash", GONE1_BELOW),
    ("fs.rename", Move), ("fs.renameSync", Move), ("fs.move", Move), ("fs.moveSync", Move), ("fs.copyFile", WriteAt(1)),
    ("fs.copyFileSync", WriteAt(1)), ("fs.cp", WriteAt(1)), ("fs.cpSync", WriteAt(1)), ("fs.copy", WriteAt(1)), ("fs.copySync", WriteAt(1)),
    ("fs.symlink", WriteAt(1)), ("fs.symlinkSync", WriteAt(1)), ("fs.link", WriteAt(1)), ("fs.linkSync", WriteAt(1)),
    ("Deno.writeTextFile", WRITTEN), ("Deno.writeTextFileSync", WRITTEN), ("Deno.writeFile", WriteAt(0)), ("Deno.writeFileSync", WriteAt(0)),
    ("Deno.create", WriteAt(0)), ("Deno.createSync", WriteAt(0)), ("Deno.truncate", WriteAt(0)), ("Deno.truncateSync", WriteAt(0)),
    ("Deno.remove", DeleteOption), ("Deno.removeSync", DeleteOption), ("Deno.rename", Move), ("Deno.renameSync", Move),
    ("Deno.copyFile", WriteAt(1)), ("Deno.copyFileSync", WriteAt(1)), ("Deno.symlink", WriteAt(1)), ("Deno.link", WriteAt(1)),
    ("Bun.write", WRITTEN), ("bun.write", WRITTEN), ("eval", Code), ("Function", CodeText), ("vm.runInThisContext", Code),
    ("vm.runInNewContext", Code), ("vm.runInContext", Code), ("vm.Script", Code), ("setTimeout", CodeText), ("setInterval", CodeText),
];

/// In JavaScript a path is followed by options or a callback, not by further paths.
const GONE1: Effect = DeleteOption;
const GONE1_BELOW: Effect = GONE_BELOW;

const RUBY: Table = &[
    ("system", Words), ("exec", Words), ("spawn", Words), ("sh", Words), ("IO.popen", Popen), ("Open3.capture2", Words),
    ("Open3.capture2e", Words), ("Open3.capture3", Words), ("Open3.popen2", Words), ("Open3.popen2e", Words), ("Open3.popen3", Words),
    ("Open3.pipeline", Words), ("PTY.spawn", Words), ("PTY.getpty", Words), ("open", Open), ("File.open", Open), ("File.new", Open),
    ("IO.read", Open), ("IO.readlines", Open), ("File.write", WRITTEN), ("IO.write", WRITTEN), ("File.binwrite", WRITTEN), ("IO.binwrite", WRITTEN),
    ("File.delete", GONE), ("File.unlink", GONE), ("Dir.rmdir", GONE), ("Dir.delete", GONE), ("Dir.unlink", GONE), ("File.rename", Move),
    ("File.truncate", WriteAt(0)), ("File.symlink", WriteAt(1)), ("File.link", WriteAt(1)), ("FileUtils.rm", GONE), ("FileUtils.rm_f", GONE),
    ("FileUtils.remove", GONE), ("FileUtils.remove_file", GONE), ("FileUtils.safe_unlink", GONE), ("FileUtils.rmdir", GONE),
    ("FileUtils.rm_r", GONE_BELOW), ("FileUtils.rm_rf", GONE_BELOW), ("FileUtils.rmtree", GONE_BELOW), ("FileUtils.remove_dir", GONE_BELOW),
    ("FileUtils.remove_entry", GONE_BELOW), ("FileUtils.remove_entry_secure", GONE_BELOW), ("FileUtils.mv", Move), ("FileUtils.move", Move),
    ("FileUtils.cp", WriteAt(1)), ("FileUtils.copy", WriteAt(1)), ("FileUtils.cp_r", WriteAt(1)), ("FileUtils.copy_file", WriteAt(1)),
    ("FileUtils.copy_entry", WriteAt(1)), ("FileUtils.install", WriteAt(1)), ("FileUtils.ln", WriteAt(1)), ("FileUtils.ln_s", WriteAt(1)),
    ("FileUtils.ln_sf", WriteAt(1)), ("FileUtils.touch", APPENDED), ("rm_rf", GONE_BELOW), ("rm_r", GONE_BELOW), ("rm_f", GONE), ("rm", GONE),
    ("mv", Move), ("cp", WriteAt(1)), ("cp_r", WriteAt(1)), ("ln_sf", WriteAt(1)), ("eval", Code), ("instance_eval", CodeText),
    ("class_eval", CodeText), ("module_eval", CodeText),
];

const PERL: Table = &[
    ("system", Words), ("exec", Words), ("readpipe", Shell), ("capture", Words), ("capturex", Argv), ("systemx", Argv),
    ("IPC.System.Simple.system", Words), ("IPC.System.Simple.capture", Words), ("open", PerlOpen), ("sysopen", PerlSysopen),
    ("IO.File.new", Open), ("unlink", GONE), ("rmdir", GONE), ("rmtree", GONE_BELOW), ("remove_tree", GONE_BELOW),
    ("File.Path.rmtree", GONE_BELOW), ("File.Path.remove_tree", GONE_BELOW), ("rename", Move), ("move", Move), ("mv", Move),
    ("File.Copy.move", Move), ("copy", WriteAt(1)), ("cp", WriteAt(1)), ("File.Copy.copy", WriteAt(1)), ("symlink", WriteAt(1)),
    ("link", WriteAt(1)), ("truncate", WriteAt(0)), ("write_file", WRITTEN), ("write_text", WRITTEN), ("append_file", APPENDED),
    ("File.Slurp.write_file", WRITTEN), ("POSIX.system", Words), ("eval", Code),
];

const PHP: Table = &[
    ("system", Shell), ("exec", Shell), ("shell_exec", Shell), ("passthru", Shell), ("popen", Shell), ("proc_open", Process),
    ("pcntl_exec", NodeSpawn), ("Process", Argv), ("Process.fromShellCommandline", Shell), ("Process.run", Process), ("file_put_contents", WRITTEN),
    ("fopen", Open), ("gzopen", Open), ("SplFileObject", Open), ("fwrite", HandleText), ("fputs", HandleText), ("unlink", GONE1), ("rmdir", GONE1),
    ("rename", Move), ("move_uploaded_file", WriteAt(1)), ("copy", WriteAt(1)), ("symlink", WriteAt(1)), ("link", WriteAt(1)),
    ("touch", WriteAt(0)), ("File.put", WRITTEN), ("File.delete", GONE), ("File.deleteDirectory", GONE_BELOW), ("eval", Code),
    ("assert", CodeText), ("create_function", CodeText),
];

/// Methods whose name alone says what they do, whatever they are called on.
const METHODS: Table = &[
    ("system", Shell), ("popen", Shell), ("getoutput", Shell), ("check_call", Process), ("check_output", Process), ("Popen", Process),
    ("create_subprocess_shell", Shell), ("create_subprocess_exec", Argv), ("execSync", NodeShell), ("execFileSync", NodeSpawn),
    ("spawnSync", NodeSpawn), ("execFile", NodeSpawn), ("writeFileSync", WRITTEN), ("appendFileSync", APPENDED), ("writeTextFile", WRITTEN),
    ("rmSync", DeleteOption), ("rmdirSync", DeleteOption), ("unlinkSync", DeleteOption), ("renameSync", Move), ("copyFileSync", WriteAt(1)),
    ("rmtree", GONE_BELOW), ("rm_rf", GONE_BELOW), ("write_text", PathWrite { append: false }), ("write_bytes", PathWrite { append: false }),
    ("instance_eval", CodeText), ("class_eval", CodeText),
];

/// Methods of path objects.
const PATH_METHODS: Table = &[
    ("write_text", PathWrite { append: false }), ("write_bytes", PathWrite { append: false }), ("write", PathWrite { append: false }),
    ("binwrite", PathWrite { append: false }), ("spew", PathWrite { append: false }), ("spew_utf8", PathWrite { append: false }),
    ("spew_raw", PathWrite { append: false }), ("append", PathWrite { append: true }), ("append_utf8", PathWrite { append: true }),
    ("touch", PathTouch), ("open", PathOpen), ("unlink", PathDelete { recursive: false }), ("delete", PathDelete { recursive: false }),
    ("rmdir", PathDelete { recursive: false }), ("remove", PathDelete { recursive: false }), ("rmtree", PathDelete { recursive: true }),
    ("remove_tree", PathDelete { recursive: true }), ("rename", PathMove), ("replace", PathMove), ("move", PathMove),
    ("symlink_to", PathLink), ("hardlink_to", PathLink), ("make_symlink", PathLink), ("writer", PathTouch),
];

fn find(table: Table, name: &str) -> Option<Effect> {
    table.iter().find(|(known, _)| *known == name).map(|(_, effect)| *effect)
}

/// What the function of this full name does.
pub(super) fn function(language: Language, name: &str) -> Option<Effect> {
    match language {
        Language::Python => find(PYTHON, name).or_else(|| name.strip_prefix("sh.").filter(|rest| !rest.contains('.')).map(|_| Program)),
        Language::JavaScript => find(JAVASCRIPT, name),
        Language::Ruby => find(RUBY, name),
        Language::Perl => find(PERL, name),
        Language::Php => find(PHP, name),
        Language::Awk => None,
        Language::Unknown => [PYTHON, JAVASCRIPT, RUBY, PERL, PHP].into_iter().find_map(|table| find(table, name)),
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
        "unlink" | "rmdir" if arguments == 0 => Some(PathDelete { recursive: false }),
        "rmtree" if arguments == 0 => Some(PathDelete { recursive: true }),
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
