//! How a program reads its arguments, as data: the compiled form of `policies/programs/*.toml`. Knows no rule.

use std::borrow::Cow;

use crate::wire::{Bytes, KeyStart, RECORD, RecordOutput, Table, Wire, key, lay_down, read_back};
use crate::{named_enum, wire_struct, word::is_one};

named_enum! {
    /// What an argument, or the value of an option, is to the program.
    pub enum Role {
        /// Plain data.
        None = "none",
        /// The method of a request; a word that is not in capitals is the next operand.
        Method = "method",
        /// A file that is read.
        Read = "read",
        /// A file that is read and sent to another machine.
        Sent = "sent",
        /// A text that is sent to another machine. Behind `@`, `=@` or `=<` is a file, and `-` is standard input.
        SentText = "sent-text",
        /// A file that is written (made, replaced or changed).
        Write = "write",
        /// A file, or a folder in which files take the place of those of the same names.
        WriteTree = "write-tree",
        /// A file that is deleted.
        Delete = "delete",
        /// A file or folder that is deleted with all below it.
        DeleteTree = "delete-tree",
        /// A file or folder that is moved away with all below it.
        Move = "move",
        /// A file whose mode, owner or times are changed.
        Attributes = "attributes",
        /// A file that comes to be, empty, if it is not there.
        Touch = "touch",
        /// A folder into which files of unknown names are written.
        WriteInto = "write-into",
        /// An address that is fetched.
        Url = "url",
        /// An address that is fetched into a file of its name.
        Download = "download",
        /// The folder in which the rest runs.
        Folder = "folder",
        /// `NAME=value` for the environment of the inner command; a word that is no assignment is the next operand.
        Assignments = "assignments",
        /// Here begins an inner command: this word and all after it.
        Argv = "argv",
        /// This word is an inner command split at blanks, without a shell (`env -S`).
        SplitArgv = "split-argv",
        /// The program of the inner command, whose arguments alone are after (`docker run --entrypoint`).
        Entrypoint = "entrypoint",
        /// An image: if its name is that of a program and the next word is not, it is the program.
        Image = "image",
        /// A part of this machine's files that the inner command sees (`HOST:INSIDE`, `source=HOST,target=INSIDE`).
        Mount = "mount",
        /// This word is a command line for a shell.
        Shell = "shell",
        /// This word and all after it, joined by blanks, are a command line for a shell.
        ShellRest = "shell-rest",
        /// Keys typed into a terminal, together with those in the other operands.
        Keys = "keys",
        /// This word is program text (the program's `language`).
        Code = "code",
        /// This word is a file of commands, run by this program.
        Script = "script",
        /// This word is in the program's own command language, of which only `escapes` are known, or a text for a database
        /// (`query`).
        Commands = "commands",
        /// A file of texts for a database that is read and run.
        Queries = "queries",
    }
}

named_enum! {
    /// What a tool of a server does. The names are those of the [`ProgramWay`]s that say so.
    pub enum ToolEffect {
        /// [`ProgramWay::Reads`]
        Reads = "reads",
        /// [`ProgramWay::Changes`]
        Changes = "changes",
        /// [`ProgramWay::Deletes`]
        Deletes = "deletes",
        /// [`ProgramWay::Publishes`]
        Publishes = "publishes",
        /// [`ProgramWay::Sends`]
        Sends = "sends",
        /// [`ProgramWay::Pays`]
        Pays = "pays",
        /// [`ProgramWay::Runs`]
        Runs = "runs",
        /// [`ProgramWay::Queries`]
        Queries = "queries",
    }
}

impl ToolEffect {
    /// The one that is among these.
    pub fn among(ways: &[ProgramWay]) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| ways.iter().any(|way| way.name() == *name)).map(|(_, effect)| *effect)
    }
}

named_enum! {
    /// Whether an option takes a value.
    pub enum Takes {
        /// None.
        Nothing = "",
        /// One, attached or as the next word.
        Value = "=",
        /// One that must be attached (`-iSUFFIX`, `--color=auto`), or none.
        Attached = "=?",
        /// Two, as the next words; the first is kept.
        Pair = "==",
    }
}

named_enum! {
    /// How options are written.
    pub enum OptionStyle {
        /// `-abc`, `-ovalue`, `--long`, `--long=value`, and unambiguous beginnings of long names (`getopt_long`, git).
        Gnu = "gnu",
        /// As `Gnu`, without abbreviations.
        Exact = "exact",
        /// `-long value`, never bundled (find, java, terraform).
        SingleDash = "single-dash",
        /// `key=value` (dd).
        Keys = "keys",
        /// As `Gnu`, and the first word may be a bundle without a dash (`tar xzf`).
        Bundled = "bundled",
        /// `-Name value`, `-Name:value`, in any case, and any beginning of a name (PowerShell). Of several that begin alike
        /// the first counts.
        Cmdlet = "cmdlet",
        /// `/x`, `/x:value`, `/x/y`, in any case; other words with a slash are operands (cmd).
        Slash = "slash",
    }
}

named_enum! {
    /// What is special about a program.
    pub enum ProgramWay {
        /// Hands on to git what is not its own.
        Git = "git",
        /// Finds files by its tests, as `find` does.
        Find = "find",
        /// Finds files by its first operand, as `fd` does.
        Fd = "fd",
        /// Reads command lines as zsh does.
        Zsh = "zsh",
        /// Reads command lines as PowerShell does.
        PowerShell = "powershell",
        /// Reads command lines as cmd does.
        Cmd = "cmd",
        /// Its inner command is a module: described under `module:` and its name, or else under the name alone.
        Modules = "modules",
        /// `host:path` names a file of another machine.
        HostPaths = "host-paths",
        /// A word of the shell itself: functions and aliases count behind it.
        Keyword = "keyword",
        /// What it is given runs later, and writes elsewhere.
        Later = "later",
        /// Its second operand becomes a link to its first.
        Links = "links",
        /// The files that it writes get standard input.
        CopiesInput = "copies-input",
        /// The files that it writes get the texts of those that it reads or moves.
        Copies = "copies",
        /// The files that it writes are changed by its program text, or by the text on standard input.
        Edits = "edits",
        /// It changes only the form of the files that it writes.
        Formats = "formats",
        /// What it writes to standard output is made by its program text.
        Filters = "filters",
        /// What it reads goes to standard output.
        Shows = "shows",
        /// What it reads goes to another machine; with `host-paths`, only if the last operand is there.
        Sends = "sends",
        /// Some of its calls write what a file holds that they do not name ([`Details::opens`]).
        Opens = "opens",
        /// It is taken to succeed.
        Succeeds = "succeeds",
        /// Runs the rules of a makefile.
        Make = "make",
        /// Runs the recipes of a justfile.
        Just = "just",
        /// Runs the tasks of a Taskfile.
        Task = "task",
        /// Its failure is an answer: nothing was found, two files differ, there is no such file.
        Answers = "answers",
        /// Its first word says what it does, as a subcommand would.
        Verbs = "verbs",
        /// Some of its calls write lines that set up a shell.
        SetsUp = "sets-up",
        /// With `-n`, or `-o noexec`, it reads commands and runs none.
        Checks = "checks",
        /// It runs scripts of a package.
        Scripts = "scripts",
        /// It starts programs of packages, which can be named with a version.
        Packages = "packages",
        /// It writes an archive of folders to standard output.
        Archives = "archives",
        /// With `--extract`, files of an archive take the place of those of the same names.
        Unpacks = "unpacks",
        /// What it runs has the users and folders of a container.
        Container = "container",
        /// What is in the files that it writes is gone.
        Erases = "erases",
        /// A tool that changes nothing; its texts are looked for, and not run.
        Reads = "reads",
        /// A tool that makes or changes what can be changed back.
        Changes = "changes",
        /// A tool that deletes what the service cannot give back.
        Deletes = "deletes",
        /// A tool that makes something public, or brings it into production.
        Publishes = "publishes",
        /// A tool that spends or moves money.
        Pays = "pays",
        /// A tool that runs the command or the code that it is given.
        Runs = "runs",
        /// It sends texts to a database ([`Details::query`]); a tool runs the query that it is given.
        Queries = "queries",
        /// Described by a policy: it counts beside what is said of a program that nobody described.
        House = "house",
    }
}

wire_struct! {
    /// The method of a request.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Method<'a> {
        /// Any of these options; empty: whatever is given.
        pub any: Vec<&'a str>,
        /// There are operands behind the address.
        pub items: bool,
        /// `GET`, `POST`, …; empty: not known.
        pub method: &'a str,
    }
}

wire_struct! {
    /// Scripts of a package's file, by the subcommands that run them.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Scripts<'a> {
        /// `package.json`
        pub file: &'a str,
        /// The key under which they are.
        pub key: &'a str,
        /// Subcommand (`*`: one that is not described) and script: `<operand>` is the first operand, `<subcommand>` the
        /// subcommand itself, `<assigned>` what `set scripts.NAME=LINE` gives; behind `only ` without further operands.
        pub names: Vec<(&'a str, &'a str)>,
    }
}

named_enum! {
    /// What a call writes to standard output.
    pub enum Prints {
        /// Nothing.
        Nothing = "nothing",
        /// One word that begins like a name or is a number ([`super::word::Bound::Name`]).
        Name = "name",
        /// Any number of such words.
        Names = "names",
        /// Any number of paths of files.
        Files = "files",
        /// Its first operand behind the `+`, in which `%` and one of the letters of `text` is a name.
        Format = "format",
        /// The full path of its operand.
        Path = "path",
        /// The last name of the path in its first operand, without the ending in its second.
        LastName = "last-name",
        /// The path in its operand without the last name.
        Folder = "folder",
        /// Its operand, in which the last `XXX` is a name.
        Template = "template",
        /// `text`, in which `<root>`, `<here>`, `<home>`, `<temporary>` and `<cache>` are folders, `<--option>` is the value of an
        /// option, and `*` is a name.
        Text = "text",
        /// Its arguments with blanks between them, as `echo` does.
        Arguments = "arguments",
        /// What `printf` makes of its arguments.
        Printf = "printf",
        /// The text of the file that it names.
        File = "file",
        /// All of standard input.
        Input = "input",
        /// Some lines of standard input.
        Lines = "lines",
        /// Some of the paths of standard input (PowerShell passes on files, and no text).
        Picked = "picked",
        /// The paths below the folder that it reads, else below the present one: one by one by a glob, which is `text`.
        Below = "below",
        /// The files that it names, as far as they are there.
        Listed = "listed",
        /// Where the program is that it names.
        Program = "program",
        /// Standard input, decoded from base64.
        Base64 = "base64",
        /// Standard input, decoded from hexadecimal digits.
        Hex = "hex",
        /// Standard input, each line from its end.
        Reversed = "reversed",
        /// Standard input with characters exchanged by its two operands, as `tr` does.
        Translated = "translated",
    }
}

wire_struct! {
    /// What a call with certain arguments writes to standard output. A call to which none applies writes what is not known.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Printed<'a> {
        /// The names under which it must be called; empty: any of the program's.
        pub called: Vec<&'a str>,
        /// Options that must all be given: `--name`, or `--name=value` for one value, or `--name=*` for any.
        pub with: Vec<&'a str>,
        /// Other options that may be given.
        pub only: Vec<&'a str>,
        /// What the operands must be, in order (`action::printed`); empty: there must be none.
        pub operands: Vec<&'a str>,
        /// The arguments do not matter.
        pub always: bool,
        /// What is written.
        pub what: Prints,
        /// See [`Prints::Format`] and [`Prints::Text`].
        pub text: &'a str,
    }
}

wire_struct! {
    /// An option.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Opt<'a> {
        /// All its names with their dashes (`-f`, `--force`).
        pub names: Vec<&'a str>,
        /// Whether it takes a value.
        pub takes: Takes,
        /// What that value is.
        pub role: Role,
    }
}

wire_struct! {
    /// What the operands are when certain options are given.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OperandForm<'a> {
        /// Options that must all be given.
        pub with: Vec<&'a str>,
        /// Roles in order. `(role, true)` stands for as many operands as the roles after it leave over.
        pub operands: Vec<(Role, bool)>,
        /// What the values of options are in this form alone (`tar -c -f`, `tar -x -f`).
        pub values: Vec<(&'a str, Role)>,
    }
}

wire_struct! {
    /// A program, or a subcommand of one. The first two fields can be read alone.
    #[derive(Clone, Debug)]
    pub struct Program<'a> {
        /// The names under which it is called.
        pub names: Vec<&'a str>,
        /// What is special about it.
        pub ways: Vec<ProgramWay>,
        /// How its options are written.
        pub style: OptionStyle,
        /// Its options; for a program with subcommands, those in front of the subcommand.
        pub options: Vec<Opt<'a>>,
        /// The first form whose `with` is given holds.
        pub forms: Vec<OperandForm<'a>>,
        /// The first operand ends the options.
        pub stops: bool,
        /// What it runs does not run on this machine's files (ssh, containers).
        pub remote: bool,
        /// Reads a command line for a shell from standard input when it has no operand (`sh`).
        pub shell_stdin: bool,
        /// Adds the words of standard input to its inner command (xargs).
        pub appends: bool,
        /// The program that its inner command is for, if that is always the same (`pass git push` is `git push`).
        pub runs: &'a str,
        /// The language of [`Role::Code`] and of text on standard input: `python`, `javascript`, …; empty: none.
        pub language: &'a str,
        /// What is before a command line in [`Role::Commands`] and in text on standard input, in lower case:
        /// `!`, `.shell `. Up to a quote if it ends in one; if it has a bracket, the literals behind it are words.
        pub escapes: Vec<&'a str>,
        /// What few calls ask for, laid down as [`Details`]; empty if the program needs none.
        pub details: Cow<'a, [u8]>,
        /// Its subcommands.
        pub subcommands: Subcommands<'a>,
    }
}

wire_struct! {
    /// How a client of a database is given texts: in the role `commands`, in files of the role `queries`, else on standard input.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct QueryClient<'a> {
        /// `postgres`, `mysql`, `sqlite`, `sql`, `redis`, `mongodb`, `graphql`.
        pub language: &'a str,
        /// The operands are the words of one command.
        pub words: bool,
        /// The first operand is the file of the database.
        pub file: bool,
        /// Texts in arguments are read as those in files: variables of the client and its commands count.
        pub input: bool,
        /// Options with which all texts are one transaction.
        pub one: Vec<&'a str>,
        /// Options with which it stops at the first error; with which it does not.
        pub stops: Vec<&'a str>,
        pub continues: Vec<&'a str>,
        /// Options with which each line is a statement.
        pub lines: Vec<&'a str>,
        /// Options with which no text is run, or nothing is changed.
        pub nothing: Vec<&'a str>,
        /// Options with which the engine refuses changes.
        pub reads: Vec<&'a str>,
        /// The option whose value ends a statement.
        pub delimiter: &'a str,
        /// The option that sets a variable: `NAME=value`.
        pub variable: &'a str,
        /// Options whose value is an address of a server or a host; variables that hold one.
        pub host: Vec<&'a str>,
        pub host_in: Vec<&'a str>,
        /// Options whose value names the database.
        pub database: Vec<&'a str>,
        /// Variables that name a file which is read first.
        pub starts_with: Vec<&'a str>,
        /// What a call with these options or words loses whatever the texts say: `loss option`.
        pub loses: Vec<&'a str>,
    }
}

wire_struct! {
    /// What is said of a program and few calls ask for.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Details<'a> {
        /// All words of calls that write lines which set up a shell (`hook <shell>`), as in [`Printed::operands`]. The lines
        /// are not known, but made to be given to `eval` or `source`.
        pub sets_up: Vec<&'a str>,
        /// Options in front of a subcommand that change nothing of what the subcommand prints.
        pub neutral: Vec<&'a str>,
        /// What it writes to standard output.
        pub prints: Vec<Printed<'a>>,
        /// The methods of its requests: the first that fits.
        pub methods: Vec<Method<'a>>,
        /// The scripts that it runs.
        pub scripts: Option<Scripts<'a>>,
        /// What is before the name of a file that is written, in [`Role::Commands`] and in text on standard input, in lower
        /// case: `\\o `, `into outfile `. Behind `^` only where a command begins, and with `…` for any words between two parts.
        pub writes: Vec<&'a str>,
        /// Variables whose words are options beside its arguments.
        pub options_in: Vec<&'a str>,
        /// Options (`--name=value`) with which the files that it writes become empty.
        pub empties: Vec<&'a str>,
        /// Calls whose output holds no values of what is read, each as words that must all hold: `-q`, `--fields=1`, `!-v` (not
        /// given), `<names>` (the first operand looks for names that are no secrets); else an operand without its blanks, where
        /// `…` at the end is any text that puts nothing back.
        pub hushes: Vec<&'a str>,
        /// Files that calls show without naming them, behind words that must all hold: those of `hushes`, `<none>` (no operand),
        /// `<some>`, `<secret>` (an operand names a secret), and behind `!` what must not hold. `/secret-store` is what is no file of this
        /// machine, `<operands>` for the files that are named.
        pub opens: Vec<&'a str>,
        /// Calls that are given secrets: subcommands, options that must be given, options whose values are secrets
        /// (`-p|--password=`: the next word or what is behind `=`; `=?`: what is attached; `=*`: both), and of the operands
        /// behind the subcommand `<secret>`, `<key>` (what follows is a secret if this says so), `<any>`, `<assigned>` (what is
        /// behind `=` in all of them); `<stdin>`.
        pub secrets: Vec<&'a str>,
        /// How it is given texts for a database.
        pub query: Option<QueryClient<'a>>,
    }
}

/// Subcommands as they are stored: keys of their names, and where their descriptions are. Each description is a record of its
/// own, which is read only when it is asked for; git has a hundred.
#[derive(Clone, Debug)]
pub struct Subcommands<'a> {
    /// Eight bytes a name: its key, and how far in front of the program's record its description begins, both little-endian.
    index: Cow<'a, [u8]>,
    descriptions: Descriptions<'a>,
}

/// Where the descriptions of subcommands are.
#[derive(Clone, Debug)]
enum Descriptions<'a> {
    /// Not laid down yet: each as bytes, with those of its own subcommands in front of it.
    Collected(Vec<Vec<u8>>),
    /// In a table, in front of the record at this place.
    Stored(Table<'a>, u32),
}

impl<'a> Wire<'a> for Subcommands<'a> {
    fn put(&self, out: &mut RecordOutput) {
        self.index.put(out);
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        Some(Self { index: <_>::get(from)?, descriptions: Descriptions::Collected(Vec::new()) })
    }
}

impl<'a> Subcommands<'a> {
    /// None at all.
    pub const EMPTY: Self = Self { index: Cow::Borrowed(&[]), descriptions: Descriptions::Collected(Vec::new()) };

    /// Adds one more to those that are being collected.
    pub fn add(&mut self, program: &Program<'a>) {
        let Descriptions::Collected(all) = &mut self.descriptions else { return };
        let before = all.len();
        all.extend(program.subcommands.collected().iter().cloned());
        all.push(lay_down(program));
        let length = |record: &Vec<u8>| RECORD + record.len();
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let moved = number(all.iter().skip(before).map(length).sum());
        let own = number(all.last().map_or(0, length));
        let mut index = Vec::new();
        for (key, distance) in self.entries() {
            index.extend([key.to_le_bytes(), distance.saturating_add(moved).to_le_bytes()].concat());
        }
        index.extend(program.names.iter().flat_map(|name| [key(name).to_le_bytes(), own.to_le_bytes()].concat()));
        self.index = index.into();
    }

    /// The descriptions that were collected, as records which must be laid down in front of the program's.
    pub fn collected(&self) -> &[Vec<u8>] {
        match &self.descriptions {
            Descriptions::Collected(all) => all,
            Descriptions::Stored(..) => &[],
        }
    }

    /// True if the list is empty.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// All their names. Those that are still being collected cannot be read yet.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        let mut places: Vec<u32> = self.entries().map(|(_, at)| at).collect();
        places.dedup();
        places.into_iter().filter_map(|at| self.at(at)).flat_map(|program| program.names)
    }

    /// The description of this name.
    fn find(&self, name: &str) -> Option<Program<'a>> {
        if self.is_empty() {
            return None;
        }
        let wanted = key(name);
        self.entries().filter(|(key, _)| *key == wanted).filter_map(|(_, at)| self.at(at)).find(|program| program.names.contains(&name))
    }

    /// Whether there is one of this name, without reading the rest of its description.
    fn has(&self, name: &str) -> bool {
        let Descriptions::Stored(table, place) = &self.descriptions else { return false };
        let wanted = key(name);
        let names = |distance: u32| read_back::<Vec<&str>>(table.record(place.checked_sub(distance)?)?);
        !self.is_empty() && self.entries().filter(|(key, _)| *key == wanted).filter_map(|(_, at)| names(at)).any(|names| names.contains(&name))
    }

    fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        self.index.as_chunks::<8>().0.iter().map(|[a, b, c, d, e, f, g, h]| (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h])))
    }

    fn at(&self, distance: u32) -> Option<Program<'a>> {
        let Descriptions::Stored(table, place) = &self.descriptions else { return None };
        Program::stored(table, place.checked_sub(distance)?)
    }
}

/// The key under which a program of this name is found too if it is said where it is given secrets. Every word of a command is
/// looked up by it.
#[must_use]
pub fn hides_key(name: &str) -> u32 {
    KeyStart::EMPTY.and("hides ").and(name).rare()
}

/// All programs that are described.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'a> {
    table: Table<'a>,
    /// Variables whose values are command lines that some program starts, between blanks.
    starts: &'a str,
    /// Variables that name a program by convention, and one of its kind: `PYTHON=python3`, between blanks.
    named: &'a str,
}

impl<'a> Programs<'a> {
    /// Descriptions in a table of a compiled policy. The lists are those of the fields.
    pub fn new(table: Table<'a>, starts: &'a str, named: &'a str) -> Self {
        Self { table, starts, named }
    }

    /// The descriptions.
    pub fn table(&self) -> Table<'a> {
        self.table
    }

    /// The lists, in the order in which [`Programs::new`] takes them.
    pub fn lists(&self) -> [&'a str; 2] {
        [self.starts, self.named]
    }

    /// Whether it is said of the program called `name` where it is given secrets ([`Details::secrets`]).
    pub fn hides(&self, name: &str) -> bool {
        self.table.find(hides_key(name)).is_some_and(|found| !found.is_empty())
    }

    /// Whether the program called `name` prints its arguments.
    pub fn echoes(&self, name: &str) -> bool {
        self.find(name).is_some_and(|program| program.details().prints.iter().any(|printed| matches!(printed.what, Prints::Arguments | Prints::Printf)))
    }

    /// Variables that name a program by convention, and the program.
    pub fn named(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.named.split(' ').filter_map(|one| one.split_once('='))
    }

    /// Whether the value of this variable is a command line that some program starts.
    pub fn starts(&self, variable: &str) -> bool {
        is_one(self.starts, variable)
    }

    /// The description of the program called `name` (without a folder). A table that is damaged has none; who reads it piece
    /// by piece learns of the damage.
    pub fn find(&self, name: &str) -> Option<Program<'a>> {
        self.exactly(name).or_else(|| {
            // `python3.15`, `perl5.36`, `node-22`: another version of the interpreter.
            let plain = name.strip_suffix('t').unwrap_or(name).trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
            let plain = plain.strip_suffix('-').unwrap_or(plain);
            if plain.len() < 2 || plain.len() == name.len() || !name.ends_with(|c: char| c.is_ascii_digit() || c == 't') {
                return None;
            }
            self.exactly(plain).filter(|program| program.shell_stdin || !program.language.is_empty())
        })
    }

    /// The description of the program of exactly this name.
    pub(crate) fn exactly(&self, name: &str) -> Option<Program<'a>> {
        self.table.find(key(name))?.into_iter().filter_map(|at| Program::stored(&self.table, at)).find(|program| program.names.contains(&name))
    }

    /// Whether the program of exactly this name is so, without reading the rest of its description.
    pub fn is(&self, name: &str, way: ProgramWay) -> bool {
        let front = |at: u32| read_back::<(Vec<&str>, Vec<ProgramWay>)>(self.table.record(at)?);
        let found = self.table.find(key(name)).unwrap_or_default();
        found.into_iter().filter_map(front).any(|(names, ways)| names.contains(&name) && ways.contains(&way))
    }
}

impl<'a> Program<'a> {
    /// The description in a table at a place.
    fn stored(table: &Table<'a>, place: u32) -> Option<Self> {
        let mut program: Self = read_back(table.record(place)?)?;
        program.subcommands.descriptions = Descriptions::Stored(*table, place);
        Some(program)
    }

    /// What few calls ask for. That of a description that is still being collected cannot be read yet.
    pub fn details(&self) -> Details<'a> {
        let Cow::Borrowed(bytes) = self.details else { return Details::default() };
        read_back(bytes).unwrap_or_default()
    }

    /// The first of the [`Details`] alone.
    pub fn setups(&self) -> Vec<&'a str> {
        let Cow::Borrowed(bytes) = self.details else { return Vec::new() };
        read_back(bytes).unwrap_or_default()
    }

    /// Whether it is so.
    pub fn is(&self, way: ProgramWay) -> bool {
        self.ways.contains(&way)
    }

    /// Whether it has a subcommand of this name.
    pub fn has_subcommand(&self, name: &str) -> bool {
        self.subcommands.has(name)
    }

    /// The subcommand of this name.
    pub fn subcommand(&self, name: &str) -> Option<Program<'a>> {
        self.subcommands.find(name)
    }
}
