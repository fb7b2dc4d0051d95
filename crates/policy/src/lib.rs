//! Valid rules in their compiled form, which the hook, the git hooks and the CI check use. `policy-compiler` reads the
//! policy files. This crate opens no file, and knows neither clients nor JSON.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod decide;
pub mod facts;
pub mod matcher;
pub mod pattern;
pub mod secret;
mod section;
pub mod table;
pub mod verdict;

use crate::secret::Confidence;
use actions::PushKind;
use actions::program::Programs;
use actions::wire::{Bytes, Table, Wire, key};
use actions::{named_enum, wire_enum, wire_struct};
use pattern::{PathPattern, Pattern};
pub use section::{Exempt, Flywheel, OwnLayout, Pair, Red, TestsFirst, renews_snapshots};
use table::{Key, kinds, table};

/// The first bytes of a compiled policy: what it is, and the fingerprint of the form that this build reads. Bytes of
/// another form would open, and say something else.
pub const MAGIC: &[u8] = concat!("portcullis policy ", env!("PORTCULLIS_FORM"), "\n").as_bytes();

/// What an action costs. The tier is the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Allowed; nothing is printed.
    Free = 1,
    /// Allowed within a limit.
    Metered,
    /// A person approves it.
    Supervised,
    /// Denied, in every mode, by every hook and check.
    Prohibited,
}
wire_enum!(Tier { Free, Metered, Supervised, Prohibited });

named_enum! {
    /// Where a rule comes from; an upper layer is first.
    #[derive(PartialOrd, Ord)]
    pub enum Layer {
        /// Packs compiled into the binaries.
        BuiltIn = "built-in",
        /// The machine's administrator.
        Organisation = "organisation",
        User = "user",
        /// Committed in the repository.
        Project = "project",
        /// In the work tree, not committed.
        Local = "local",
    }
}

/// A rule: `when` and `conditions` and not `unless`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule<'a> {
    /// Its name, which is also its id.
    pub name: &'a str,
    /// The pack it is in, or the layer's name.
    pub pack: &'a str,
    /// `policies/git.toml:12`
    pub place: &'a str,
    pub layer: Layer,
    pub tier: Tier,
    /// Its verdict is shown and left in the last-refusal file, but nothing is stopped.
    pub shadow: bool,
    /// Lower layers may waive it.
    pub open: bool,
    pub when: When<'a>,
    pub unless: Option<When<'a>>,
    pub conditions: Conditions<'a>,
    /// Only for these agent types; empty: for all.
    pub for_agents: Vec<Pattern<'a>>,
    pub reason: &'a str,
    pub instead: &'a str,
}
wire_struct!(Rule { name, pack, place, layer, tier, shadow, open, when, unless, conditions, for_agents, reason, instead });

kinds! {
    Run(RunWhen) = 0u8, "run", RunWhen::KEYS;
    Write(FileWhen) = 1u8, "write", WRITE;
    Delete(FileWhen) = 2u8, "delete", DELETE;
    Read(FileWhen) = 3u8, "read", READ;
    Fetch(FetchWhen) = 4u8, "fetch", FetchWhen::KEYS;
    Call(CallWhen) = 5u8, "call", CallWhen::KEYS;
    Spawn(SpawnWhen) = 6u8, "spawn", SpawnWhen::KEYS;
    Push(PushWhen) = 7u8, "push", PushWhen::KEYS;
    Opaque(OpaqueWhen) = 8u8, "opaque", OpaqueWhen::KEYS;
    Commit(CommitWhen) = 9u8, "commit", CommitWhen::KEYS;
}

table! {
    /// Keys of `run`. All must hold; a list holds if any of it does; an empty list is not asked.
    RunWhen {
        /// The program's name, without a folder.
        program: Vec<Pattern<'a>> = texts,
        /// `push`, `remote set-url`.
        subcommand: Vec<Pattern<'a>> = texts,
        /// Any of these options is given: name, and a pattern on its value.
        any_flag: Vec<(&'a str, Option<Pattern<'a>>)> = flags,
        /// All of them are.
        all_flags: Vec<(&'a str, Option<Pattern<'a>>)> = flags,
        /// None of them is.
        no_flag: Vec<&'a str> = bare_flags,
        /// Any operand is one of these.
        arg: Vec<Pattern<'a>> = texts_with_protected,
        /// A second such list, for the operand that belongs to the first (a key and its value).
        and_arg: Vec<Pattern<'a>> = texts_with_protected,
        /// No operand is one of these.
        no_arg: Vec<Pattern<'a>> = texts_with_protected,
        /// At least as many operands.
        min_args: u8 = count,
        /// `NAME=value` in front, exported or given by `env`.
        env: Vec<Pattern<'a>> = texts,
        /// The program whose output it reads.
        stdin_from: Vec<Pattern<'a>> = texts,
    }
}

table! {
    /// Keys of `write`, `delete` and `read`.
    FileWhen {
        /// Where.
        path: Vec<PathPattern<'a>> = paths,
        new: Option<bool> = flag,
        /// Patterns over the text that the change brings in.
        adds: Vec<Pattern<'a>> = contents,
        /// What is found by `adds` on a line where one of these is found too does not count.
        unless: Vec<Pattern<'a>> = contents,
        /// The change brings in a secret, as sure as one of these.
        secret: Vec<Confidence> = confidences,
        /// The change brings in the marks of a merge.
        conflict: Option<bool> = flag,
        /// The change brings in the path of the person's home folder.
        names_home: Option<bool> = flag,
        /// The path lies outside the repository.
        outside_repo: Option<bool> = flag,
        /// With all below it; for `write`, that is a change of owners, modes or times (`chmod -R`).
        recursive: Option<bool> = flag,
        /// Only the owner, the mode or the times change (`write` only).
        attributes: Option<bool> = flag,
        /// Moved away rather than removed (`delete` only).
        moved: Option<bool> = flag,
        /// The file would be larger, in bytes. Only commits tell.
        larger_than: Option<u64> = bytes,
        /// It is written into a commit.
        committed: Option<bool> = flag,
        /// After it no settings file would start the gate as it is wired now.
        loses_gate: Option<bool> = flag,
        /// After it the policy would allow more than before.
        weakens_policy: Option<bool> = flag,
    }
}

/// Keys of `write`; it, `delete` and `read` share one struct.
const WRITE: &[Key] = keys![
    may "path": Texts, may "new": Flag, may "adds": Texts, may "secret": Texts, may "conflict": Flag, may "names_home": Flag, may "unless": Texts,
    may "outside_repo": Flag, may "larger_than": Number, may "committed": Flag, may "loses_gate": Flag, may "weakens_policy": Flag, may "recursive": Flag,
    may "attributes": Flag
];
const DELETE: &[Key] = keys![
    may "path": Texts, may "outside_repo": Flag, may "recursive": Flag, may "moved": Flag, may "loses_gate": Flag, may "weakens_policy": Flag
];
const READ: &[Key] = keys![may "path": Texts, may "outside_repo": Flag];

table! {
    FetchWhen {
        /// The host name, without the port.
        host: Vec<Pattern<'a>> = texts,
        url: Vec<Pattern<'a>> = texts,
        /// `GET`, `POST`, …
        method: Vec<Pattern<'a>> = texts,
    }
}

table! {
    CallWhen {
        /// `mcp__server__tool`
        tool: Vec<Pattern<'a>> = texts,
        /// JSON pointer and what its value must be; all must hold.
        args: Vec<(&'a str, ValueTest<'a>)> = args,
    }
}

/// A test on a value of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTest<'a> {
    Text(Pattern<'a>),
    /// Its number: the comparison and the decimal number on its right.
    Number(Comparison, &'a str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}
wire_enum!(Comparison { Less, AtMost, More, AtLeast });

table! {
    SpawnWhen {
        /// The agent's type.
        agent: Vec<Pattern<'a>> = texts,
        prompt: Vec<Pattern<'a>> = contents,
    }
}

table! {
    PushWhen {
        /// The ref in the remote, without `refs/heads/`.
        refs: Vec<Pattern<'a>> = texts_with_protected,
        /// The remote's name or address.
        remote: Vec<Pattern<'a>> = texts,
        /// How the ref changes.
        kind: Vec<PushKind> = push_kinds,
    }
}

table! {
    OpaqueWhen {
        /// Why it could not be read.
        why: Vec<Pattern<'a>> = contents,
    }
}

table! {
    CommitWhen {
        /// Patterns over the message, as it is committed.
        message: Vec<Pattern<'a>> = contents,
        /// `Name <address>`
        author: Vec<Pattern<'a>> = texts,
        /// A file that is added or changed.
        touches: Vec<PathPattern<'a>> = paths,
        /// A file that goes away, or is moved away.
        deletes: Vec<PathPattern<'a>> = paths,
    }
}

table! {
    /// `where`: what must be true of the world. Empty lists and `None` are not asked.
    Conditions {
        branch: Vec<Pattern<'a>> = texts_with_protected,
        /// The branch that the action is about (a push's target, else the current one) is protected.
        protected_branch: Option<bool> = flag,
        dirty: Option<bool> = flag,
        /// The agent's type; the main agent is `main`.
        agent: Vec<Pattern<'a>> = texts,
        mode: Vec<Pattern<'a>> = texts,
    }
}

/// A waiver: the rule does not hold for these actions until a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiver<'a> {
    pub rule: &'a str,
    pub when: When<'a>,
    pub reason: &'a str,
    /// The last day on which it holds, in days since 1970-01-01 (UTC).
    pub until: i64,
    /// `portcullis.toml:30`
    pub place: &'a str,
}
wire_struct!(Waiver { rule, when, reason, until, place });

/// A file of a layer as it was when the policy was compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFile<'a> {
    pub layer: Layer,
    /// Its full path.
    pub path: &'a str,
    /// Device, inode, size, time of change and of status change in nanoseconds; empty: there was no such file.
    pub identity: Vec<u64>,
}
wire_struct!(LayerFile { layer, path, identity });

/// A compiled policy, read as it is needed.
#[derive(Clone, Debug)]
pub struct Policy<'a> {
    /// The build that compiled it; another build's is stale.
    pub build: &'a str,
    /// When, in nanoseconds since 1970.
    pub compiled_at: u64,
    /// The files it was made from, absent ones too.
    pub layers: Vec<LayerFile<'a>>,
    /// A digest of the layers' texts, for people.
    pub digest: &'a str,
    pub protected: Vec<Pattern<'a>>,
    /// How programs read their arguments.
    pub programs: Programs<'a>,
    /// None: changes are not judged for their tests.
    pub tests_first: Option<TestsFirst<'a>>,
    /// None: nothing is suggested, and learnings are files like others.
    pub flywheel: Option<Flywheel<'a>>,
    rules: Table<'a>,
    waivers: Table<'a>,
}
wire_struct!(Policy { programs, rules, waivers, build, compiled_at, layers, digest, protected, tests_first, flywheel });

/// The key of rules on writes that change only owners, modes or times.
pub(crate) const MODES: &str = "write modes";
/// The key under which every rule is found.
const ALL: &str = "all";

impl<'a> Policy<'a> {
    /// Reads the head of a compiled policy. `None` if these bytes are not one.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        Self::get(&mut Bytes(bytes.strip_prefix(MAGIC)?))
    }

    /// What a policy says of programs, without the rest of it.
    pub fn programs_of(bytes: &'a [u8]) -> Option<Programs<'a>> {
        Programs::get(&mut Bytes(bytes.strip_prefix(MAGIC)?))
    }

    /// Rules that may speak of an action with one of these keys (see [`When::keys`]), each once.
    /// None if a record is damaged.
    pub fn rules_for(&self, keys: &[impl AsRef<str>]) -> Option<Vec<Rule<'a>>> {
        let mut rules: Vec<Rule<'a>> = Vec::new();
        for name in keys {
            for mut bytes in self.rules.find(key(name.as_ref())) {
                let rule = Rule::get(&mut bytes)?;
                if !rules.iter().any(|known| known.place == rule.place && known.name == rule.name) {
                    rules.push(rule);
                }
            }
        }
        Some(rules)
    }

    /// Every rule, upper layers first.
    pub fn all_rules(&self) -> Option<Vec<Rule<'a>>> {
        self.rules_for(&[ALL])
    }

    pub fn waivers_of(&self, rule: &str) -> Option<Vec<Waiver<'a>>> {
        let found: Option<Vec<Waiver>> = self.waivers.find(key(rule)).map(|mut bytes| Waiver::get(&mut bytes)).collect();
        found.map(|waivers| waivers.into_iter().filter(|waiver| waiver.rule == rule).collect())
    }
}

impl When<'_> {
    /// Under which keys a rule with this table is found: `run git push` or `run git` for a program known by name, `run`
    /// for any, `write`, `delete`, … for the others. Rules that speak only of modes are not looked at for other writes.
    pub fn keys(&self) -> Vec<String> {
        let modes = |table: &FileWhen| table.attributes == Some(true) || table.recursive == Some(true);
        match self {
            Self::Write(tables) if tables.iter().all(modes) => vec![MODES.to_owned()],
            Self::Run(tables) => tables.iter().flat_map(run_keys).collect(),
            other => vec![other.kind().to_owned()],
        }
    }
}

/// Under which keys a table of `run` is found. A table for one program and certain subcommands need not be looked at for
/// others; where the subcommand of a command is not known, all tables of the program are (`run git ?`).
fn run_keys(table: &RunWhen) -> Vec<String> {
    let literals = |patterns: &[Pattern]| -> Option<Vec<String>> {
        let all: Option<Vec<String>> = patterns.iter().map(|pattern| pattern.literal().map(str::to_owned)).collect();
        all.filter(|all| !all.is_empty())
    };
    let Some(programs) = literals(&table.program) else { return vec!["run".to_owned()] };
    let Some(subcommands) = literals(&table.subcommand) else { return programs.iter().map(|program| format!("run {program}")).collect() };
    let with = |program: &String| {
        subcommands.iter().map(move |subcommand| format!("run {program} {subcommand}")).chain([format!("run {program} ?")]).collect::<Vec<_>>()
    };
    programs.iter().flat_map(with).collect()
}

impl<'a> Wire<'a> for ValueTest<'a> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(pattern) => (0u8.put(out), pattern.put(out)),
            Self::Number(comparison, number) => (1u8.put(out), (*comparison, *number).put(out)),
        };
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        match u8::get(from)? {
            0 => Pattern::get(from).map(Self::Text),
            1 => <(Comparison, &str)>::get(from).map(|(comparison, number)| Self::Number(comparison, number)),
            _ => None,
        }
    }
}

/// What a compiled policy is made of.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    pub build: &'a str,
    pub compiled_at: u64,
    pub layers: Vec<LayerFile<'a>>,
    pub digest: &'a str,
    pub protected: Vec<Pattern<'a>>,
    pub programs: Vec<actions::program::Program<'a>>,
    /// Where programs are given secrets.
    pub secrets: Vec<actions::program::Secrets<'a>>,
    /// Variables whose values programs start.
    pub starts: Vec<&'a str>,
    /// Variables that name programs: `PYTHON=python3`.
    pub named: Vec<&'a str>,
    pub tests_first: Option<TestsFirst<'a>>,
    pub flywheel: Option<Flywheel<'a>>,
    pub rules: Vec<Rule<'a>>,
    pub waivers: Vec<Waiver<'a>>,
}

impl Parts<'_> {
    /// Lays the policy down as bytes that [`Policy::open`] reads. The tables are first: `crates/gate/build.rs` joins those of
    /// several policies.
    pub fn seal(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        Programs::lay_down(&self.programs, &self.starts.join(" "), &self.named.join(" "), &self.secrets, &mut out);
        let mut rules = actions::wire::TableWriter::default();
        for rule in &self.rules {
            rules.add(rule.when.keys().iter().map(|name| key(name)).chain([key(ALL)]), rule);
        }
        rules.put(&mut out);
        let mut waivers = actions::wire::TableWriter::default();
        for waiver in &self.waivers {
            waivers.add([key(waiver.rule)], waiver);
        }
        waivers.put(&mut out);
        self.build.put(&mut out);
        self.compiled_at.put(&mut out);
        self.layers.put(&mut out);
        self.digest.put(&mut out);
        self.protected.put(&mut out);
        self.tests_first.put(&mut out);
        self.flywheel.put(&mut out);
        out
    }
}
