//! The functions of each language and what they do, by their full names. Data, and the names under which it is found.

use super::Language;
use Effect::{Argv, Code, CodeText, Delete, ExecArgs, ExecList, HandleText, Move, Open, PerlOpen, Shell, Spawn, Touch, Words, Write, WriteAt};

/// How the arguments of a call are read. Numbers are places of arguments, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Text for a shell or a list of words, then options.
    Shell,
    /// A program at this place, then its arguments as a list that begins with the name again.
    ExecList(usize),
    /// The same, its arguments one by one.
    ExecArgs(usize),
    /// Every argument is a word of the command; lists are taken apart.
    Argv,
    /// A program or a list, a list of further arguments, options that may hold both as `cmd` and `args`.
    Spawn,
    /// One text is for the shell, several are a program and its arguments.
    Words,
    /// A path, a mode at this place.
    Open(usize),
    PerlOpen,
    /// A path, the text, which may be added to what is there.
    Write(bool),
    /// A path at this place, the text is not known.
    WriteAt(usize),
    /// A path that comes to be, empty if it is new.
    Touch,
    /// An open file, the text.
    HandleText,
    /// One or several paths, with all that is below, and options.
    Delete(bool),
    /// A path, another one.
    Move,
    /// Program text of the same language.
    Code,
    /// Program text where it is a literal, anything else is a function.
    CodeText,
}

const WRITE: Effect = Write(false);
const APPEND: Effect = Write(true);
const GONE: Effect = Delete(false);
const GONE_BELOW: Effect = Delete(true);

/// Effects and the names of their functions, between blanks.
type Table = &'static [(Effect, &'static str)];

const PYTHON: Table = &[
    (Shell, "os.system os.popen posix.system nt.system subprocess.getoutput subprocess.getstatusoutput commands.getoutput"),
    (Shell, "commands.getstatusoutput asyncio.create_subprocess_shell invoke.run fabric.api.local IPython.system"),
    (Shell, "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen pexpect.run pexpect.spawn pty.spawn"),
    (Argv, "asyncio.create_subprocess_exec"),
    (ExecList(0), "os.execv os.execvp os.execve os.execvpe os.posix_spawn os.posix_spawnp"),
    (ExecArgs(0), "os.execl os.execlp os.execle os.execlpe"),
    (ExecList(1), "os.spawnv os.spawnvp os.spawnve os.spawnvpe"),
    (ExecArgs(1), "os.spawnl os.spawnlp os.spawnle os.spawnlpe"),
    (GONE, "os.remove os.unlink os.rmdir os.removedirs"),
    (GONE_BELOW, "shutil.rmtree send2trash.send2trash"),
    (Move, "os.rename os.renames os.replace shutil.move"),
    (WriteAt(1), "shutil.copy shutil.copy2 shutil.copyfile shutil.copytree os.symlink os.link urllib.request.urlretrieve"),
    (WriteAt(0), "os.truncate os.chmod"),
    (Open(1), "open io.open codecs.open gzip.open bz2.open lzma.open aiofiles.open tarfile.open zipfile.ZipFile io.FileIO os.open"),
    (Code, "exec eval"),
];

const JAVASCRIPT: Table = &[
    (Shell, "child_process.exec child_process.execSync execa.command execa.commandSync execa.execaCommand execa.execaCommandSync shelljs.exec"),
    (Spawn, "child_process.spawn child_process.spawnSync child_process.execFile child_process.execFileSync cross-spawn cross-spawn.sync"),
    (Spawn, "cross-spawn.spawn execa execa.execa execa.execaSync execa.sync tinyexec.x tinyexec.exec"),
    (Spawn, "Deno.Command Deno.run Bun.spawn Bun.spawnSync bun.spawn bun.spawnSync"),
    (ExecList(0), "process.execve"),
    (WRITE, "fs.writeFile fs.writeFileSync fs.outputFile fs.outputFileSync Deno.writeTextFile Deno.writeTextFileSync Bun.write bun.write"),
    (APPEND, "fs.appendFile fs.appendFileSync"),
    (WriteAt(0), "fs.writeJson fs.writeJsonSync fs.writeJSON fs.writeJSONSync fs.outputJson fs.outputJsonSync fs.truncate fs.truncateSync"),
    (WriteAt(0), "fs.chmod fs.chmodSync fs.createWriteStream Deno.writeFile Deno.writeFileSync Deno.create Deno.createSync Deno.truncate Deno.truncateSync"),
    (HandleText, "fs.writeSync"),
    (Open(1), "fs.open fs.openSync Deno.open Deno.openSync"),
    (GONE, "fs.rm fs.rmSync fs.rmdir fs.rmdirSync fs.unlink fs.unlinkSync Deno.remove Deno.removeSync"),
    (GONE_BELOW, "fs.remove fs.removeSync fs.emptyDir fs.emptyDirSync rimraf rimraf.rimraf rimraf.sync rimraf.rimrafSync rimraf.native"),
    (GONE_BELOW, "del del.sync del.deleteAsync del.deleteSync trash"),
    (Move, "fs.rename fs.renameSync fs.move fs.moveSync Deno.rename Deno.renameSync"),
    (WriteAt(1), "fs.copyFile fs.copyFileSync fs.cp fs.cpSync fs.copy fs.copySync fs.symlink fs.symlinkSync fs.link fs.linkSync"),
    (WriteAt(1), "Deno.copyFile Deno.copyFileSync Deno.symlink Deno.link"),
    (Code, "eval vm.runInThisContext vm.runInNewContext vm.runInContext vm.Script"),
    (CodeText, "Function setTimeout setInterval"),
];

const RUBY: Table = &[
    (Words, "system exec spawn sh IO.popen Open3.capture2 Open3.capture2e Open3.capture3 Open3.popen2 Open3.popen2e Open3.popen3"),
    (Words, "Open3.pipeline PTY.spawn PTY.getpty"),
    (Open(1), "open File.open File.new IO.read IO.readlines"),
    (WRITE, "File.write IO.write File.binwrite IO.binwrite"),
    (GONE, "File.delete File.unlink Dir.rmdir Dir.delete Dir.unlink FileUtils.rm FileUtils.rm_f FileUtils.remove FileUtils.remove_file"),
    (GONE, "FileUtils.safe_unlink FileUtils.rmdir rm rm_f"),
    (GONE_BELOW, "FileUtils.rm_r FileUtils.rm_rf FileUtils.rmtree FileUtils.remove_dir FileUtils.remove_entry"),
    (GONE_BELOW, "FileUtils.remove_entry_secure rm_rf rm_r"),
    (Move, "File.rename FileUtils.mv FileUtils.move mv"),
    (WriteAt(0), "File.truncate"),
    (WriteAt(1), "File.symlink File.link FileUtils.cp FileUtils.copy FileUtils.cp_r FileUtils.copy_file FileUtils.copy_entry FileUtils.install"),
    (WriteAt(1), "FileUtils.ln FileUtils.ln_s FileUtils.ln_sf cp cp_r ln_sf"),
    (Touch, "FileUtils.touch"),
    (Code, "eval"),
    (CodeText, "instance_eval class_eval module_eval"),
];

const PERL: Table = &[
    (Words, "system exec capture IPC.System.Simple.system IPC.System.Simple.capture POSIX.system"),
    (Argv, "capturex systemx"),
    (Shell, "readpipe"),
    (PerlOpen, "open"),
    (Open(1), "IO.File.new"),
    (GONE, "unlink rmdir"),
    (GONE_BELOW, "rmtree remove_tree File.Path.rmtree File.Path.remove_tree"),
    (Move, "rename move mv File.Copy.move"),
    (WriteAt(1), "copy cp File.Copy.copy symlink link sysopen"),
    (WriteAt(0), "truncate"),
    (WRITE, "write_file write_text File.Slurp.write_file"),
    (APPEND, "append_file"),
    (Code, "eval"),
];

const PHP: Table = &[
    (Shell, "system exec shell_exec passthru popen Process.fromShellCommandline"),
    (Shell, "proc_open Process Process.run"),
    (Spawn, "pcntl_exec"),
    (WRITE, "file_put_contents File.put"),
    (Open(1), "fopen gzopen SplFileObject"),
    (HandleText, "fwrite fputs"),
    (GONE, "unlink rmdir File.delete"),
    (GONE_BELOW, "File.deleteDirectory"),
    (Move, "rename"),
    (WriteAt(1), "move_uploaded_file copy symlink link"),
    (Touch, "touch"),
    (Code, "eval"),
    (CodeText, "assert create_function"),
];

/// Lua, which is only met as an unknown language.
const OTHERS: Table = &[(Shell, "os.execute io.popen")];

/// Methods whose name alone says what they do, whatever they are called on.
const METHODS: Table = &[
    (Shell, "system popen getoutput create_subprocess_shell execSync"),
    (Shell, "check_call check_output Popen"),
    (Argv, "create_subprocess_exec"),
    (Spawn, "execFileSync spawnSync execFile"),
    (WRITE, "writeFileSync writeTextFile"),
    (APPEND, "appendFileSync"),
    (GONE, "rmSync rmdirSync unlinkSync"),
    (Move, "renameSync"),
    (WriteAt(1), "copyFileSync"),
    (GONE_BELOW, "rmtree rm_rf"),
    (CodeText, "instance_eval class_eval"),
];

/// Methods of path objects, which are the first argument then.
const PATH_METHODS: Table = &[
    (WRITE, "write_text write_bytes write binwrite spew spew_utf8 spew_raw"),
    (APPEND, "append append_utf8"),
    (Touch, "touch"),
    (Open(1), "open"),
    (GONE, "unlink delete rmdir remove"),
    (GONE_BELOW, "rmtree remove_tree"),
    (Move, "rename replace move"),
    (WriteAt(0), "symlink_to hardlink_to make_symlink"),
];

fn is_one(names: &str, name: &str) -> bool {
    names.split(' ').any(|known| known == name)
}

fn find(table: Table, name: &str) -> Option<Effect> {
    table.iter().find(|(_, names)| is_one(names, name)).map(|(effect, _)| *effect)
}

pub(super) fn function(language: Language, name: &str) -> Option<Effect> {
    /// Short names mean other things in other languages.
    const UNSURE: &str = "copy move link rm cp mv touch truncate capture sh trash del";
    let tables = match language {
        Language::Python => &[PYTHON][..],
        Language::JavaScript => &[JAVASCRIPT],
        Language::Ruby => &[RUBY],
        Language::Perl => &[PERL],
        Language::Php => &[PHP],
        Language::Awk | Language::Sed | Language::Cron => &[],
        Language::Unknown if is_one(UNSURE, name) => &[],
        Language::Unknown => &[PYTHON, JAVASCRIPT, RUBY, PERL, PHP, OTHERS],
    };
    tables.iter().find_map(|table| find(table, name))
}

/// What a method of this name does on a receiver that is not known.
pub(super) fn method(name: &str) -> Option<Effect> {
    find(METHODS, name)
}

pub(super) fn path_method(name: &str) -> Option<Effect> {
    find(PATH_METHODS, name)
}

/// Functions whose outcome is text that was hidden in the source.
const DECODERS: &str = "b64decode b32decode b16decode b85decode a85decode decodebytes unhexlify fromhex decompress atob base64_decode gzinflate \
    gzuncompress gzdecode str_rot13 hex2bin convert_uudecode decode64 strict_decode64 urlsafe_decode64 decode_base64 unpack fromCharCode inflate";

/// Whether the outcome of a function is text that was hidden in the source.
pub(super) fn decodes(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    is_one(DECODERS, last) || matches!(name, "marshal.loads" | "pickle.loads")
}

/// Functions whose outcome is their first argument, as far as it matters here.
const KEEPERS: &str = "os.path.expanduser os.path.abspath os.path.normpath os.path.realpath os.fspath os.fsencode str String bytes list tuple Array \
    shlex.quote escapeshellarg escapeshellcmd File.expand_path Shellwords.escape path.normalize realpath shlex.split Shellwords.split \
    Shellwords.shellwords util.promisify promisify functools.partial partial compile";

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
        Language::Php | Language::Awk | Language::Sed | Language::Cron => &[],
    };
    let found = aliases.iter().find_map(|(from, to)| name.strip_prefix(from).map(|rest| format!("{to}{rest}")));
    found.unwrap_or_else(|| name.to_owned())
}
