//! Valid rules, in the compiled form that every door decides by. Files as written are `policy::schema`'s.
//! Touches no file; knows neither hosts nor JSON.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

#[cfg(feature = "cold")]
pub mod compile;
#[cfg(feature = "cold")]
pub mod examples;
#[cfg(feature = "cold")]
pub mod mistake;
#[cfg(feature = "cold")]
pub mod packs;
pub mod pattern;
#[cfg(feature = "cold")]
pub mod schema;
#[cfg(feature = "cold")]
pub mod validate;
pub mod wire;

use crate::action::PushKind;
use crate::action::program::Programs;
use pattern::{PathPattern, Pattern};
use wire::{Bytes, Table, Wire, key, wire_enum, wire_struct};

/// The first bytes of a compiled policy: what it is, and the fingerprint of the form that this build reads. Bytes of
/// another form would open, and say something else.
pub const MAGIC: &[u8] = concat!("portcullis policy ", env!("PORTCULLIS_FORM"), "\n").as_bytes();

/// What an action costs. The tier is the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Goes on; nothing is said.
    Free = 1,
    /// Goes on within a limit.
    Metered,
    /// A person approves it.
    Supervised,
    /// Denied, in every mode, at every door.
    Prohibited,
}
wire_enum!(Tier { Free, Metered, Supervised, Prohibited });

/// Where a rule comes from; an upper layer stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Packs compiled into the binaries.
    BuiltIn,
    /// The machine's administrator.
    Organisation,
    /// The person.
    User,
    /// Committed in the repository.
    Project,
    /// In the work tree, not committed.
    Local,
}
wire_enum!(Layer { BuiltIn, Organisation, User, Project, Local });

/// A rule: `when` and `conditions` and not `unless`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule<'a> {
    /// Its name, which is also its id.
    pub name: &'a str,
    /// The pack it stands in, or the layer's name.
    pub pack: &'a str,
    /// `policies/git.toml:12`
    pub place: &'a str,
    /// The layer it comes from.
    pub layer: Layer,
    /// What it decides.
    pub tier: Tier,
    /// Its verdict is shown and left in the last-refusal file, but nothing is held.
    pub shadow: bool,
    /// Lower layers may waive it.
    pub open: bool,
    /// The actions it speaks of.
    pub when: When<'a>,
    /// Actions it does not mean.
    pub unless: Option<When<'a>>,
    /// What must be true of the world.
    pub conditions: Conditions<'a>,
    /// Only for these agent types; empty: for all.
    pub for_agents: Vec<Pattern<'a>>,
    /// Why.
    pub reason: &'a str,
    /// What to do instead.
    pub instead: &'a str,
}
wire_struct!(Rule { name, pack, place, layer, tier, shadow, open, when, unless, conditions, for_agents, reason, instead });

/// Which actions: any of the tables of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum When<'a> {
    /// A program is run.
    Run(Vec<RunWhen<'a>>),
    /// A file is written.
    Write(Vec<FileWhen<'a>>),
    /// A file is deleted.
    Delete(Vec<FileWhen<'a>>),
    /// A file is read.
    Read(Vec<FileWhen<'a>>),
    /// An address is fetched.
    Fetch(Vec<FetchWhen<'a>>),
    /// A tool is called.
    Call(Vec<CallWhen<'a>>),
    /// A sub-agent is started.
    Spawn(Vec<SpawnWhen<'a>>),
    /// A remote ref is changed.
    Push(Vec<PushWhen<'a>>),
    /// Something could not be read.
    Opaque(Vec<OpaqueWhen<'a>>),
}

/// Keys of `run`. All must hold; a list holds if any of it does; an empty list is not asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunWhen<'a> {
    /// The program's name, without a folder.
    pub program: Vec<Pattern<'a>>,
    /// `push`, `remote set-url`.
    pub subcommand: Vec<Pattern<'a>>,
    /// Any of these options is given: name, and a pattern on its value.
    pub any_flag: Vec<(&'a str, Option<Pattern<'a>>)>,
    /// All of them are.
    pub all_flags: Vec<(&'a str, Option<Pattern<'a>>)>,
    /// None of them is.
    pub no_flag: Vec<&'a str>,
    /// Any operand is one of these.
    pub arg: Vec<Pattern<'a>>,
    /// A second such list, for the operand that belongs to the first (a key and its value).
    pub and_arg: Vec<Pattern<'a>>,
    /// No operand is one of these.
    pub no_arg: Vec<Pattern<'a>>,
    /// At least as many operands.
    pub min_args: u8,
    /// `NAME=value` in front, exported or given by `env`.
    pub env: Vec<Pattern<'a>>,
    /// The program whose output it reads.
    pub stdin_from: Vec<Pattern<'a>>,
}
wire_struct!(RunWhen { program, subcommand, any_flag, all_flags, no_flag, arg, and_arg, no_arg, min_args, env, stdin_from });

/// Keys of `write`, `delete` and `read`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileWhen<'a> {
    /// Where.
    pub path: Vec<PathPattern<'a>>,
    /// The file does not exist yet.
    pub new: Option<bool>,
    /// Patterns over the text that the change brings in.
    pub adds: Vec<Pattern<'a>>,
    /// What is found by `adds` on a line where one of these is found too does not count.
    pub unless: Vec<Pattern<'a>>,
    /// The path lies outside the repository.
    pub outside_repo: Option<bool>,
    /// With all below it (`delete` only).
    pub recursive: Option<bool>,
    /// Moved away rather than removed (`delete` only).
    pub moved: Option<bool>,
    /// After it no settings file would start the gate as it is wired now.
    pub loses_gate: Option<bool>,
    /// After it the policy would hold less than before.
    pub weakens_policy: Option<bool>,
}
wire_struct!(FileWhen { path, new, adds, unless, outside_repo, recursive, moved, loses_gate, weakens_policy });

/// Keys of `fetch`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchWhen<'a> {
    /// The host name, without the port.
    pub host: Vec<Pattern<'a>>,
    /// The whole address.
    pub url: Vec<Pattern<'a>>,
    /// `GET`, `POST`, …
    pub method: Vec<Pattern<'a>>,
}
wire_struct!(FetchWhen { host, url, method });

/// Keys of `call`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallWhen<'a> {
    /// `mcp__server__tool`
    pub tool: Vec<Pattern<'a>>,
    /// JSON pointer and what its value must be; all must hold.
    pub args: Vec<(&'a str, ValueTest<'a>)>,
}
wire_struct!(CallWhen { tool, args });

/// A test on a value of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueTest<'a> {
    /// Its text.
    Text(Pattern<'a>),
    /// Its number: the comparison and the decimal number on its right.
    Number(Comparison, &'a str),
}

/// A comparison of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}
wire_enum!(Comparison { Less, AtMost, More, AtLeast });

/// Keys of `spawn`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpawnWhen<'a> {
    /// The agent's type.
    pub agent: Vec<Pattern<'a>>,
    /// Patterns over its prompt.
    pub prompt: Vec<Pattern<'a>>,
}
wire_struct!(SpawnWhen { agent, prompt });

/// Keys of `push`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PushWhen<'a> {
    /// The ref in the remote, without `refs/heads/`.
    pub refs: Vec<Pattern<'a>>,
    /// The remote's name or address.
    pub remote: Vec<Pattern<'a>>,
    /// How the ref changes.
    pub kind: Vec<PushKind>,
}
wire_struct!(PushWhen { refs, remote, kind });
wire_enum!(PushKind { Create, FastForward, NonFastForward, Delete });

/// Keys of `opaque`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpaqueWhen<'a> {
    /// Why it could not be read.
    pub why: Vec<Pattern<'a>>,
}
wire_struct!(OpaqueWhen { why });

/// `where`: what must be true of the world. Empty lists and `None` are not asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions<'a> {
    /// The current branch.
    pub branch: Vec<Pattern<'a>>,
    /// The branch that the action is about (a push's target, else the current one) is protected.
    pub protected_branch: Option<bool>,
    /// The work tree has uncommitted changes.
    pub dirty: Option<bool>,
    /// The agent's type; the main agent is `main`.
    pub agent: Vec<Pattern<'a>>,
    /// The host's permission mode.
    pub mode: Vec<Pattern<'a>>,
}
wire_struct!(Conditions { branch, protected_branch, dirty, agent, mode });

/// A waiver: the rule does not hold for these actions until a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiver<'a> {
    /// The rule's name.
    pub rule: &'a str,
    /// The actions that are waived.
    pub when: When<'a>,
    /// Why.
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
    /// Which layer.
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
    /// Names of branches that are protected.
    pub protected: Vec<Pattern<'a>>,
    /// How programs read their arguments.
    pub programs: Programs<'a>,
    rules: Table<'a>,
    waivers: Table<'a>,
}

/// The key under which every rule is found.
const ALL: &str = "all";

impl<'a> Policy<'a> {
    /// Reads the head of a compiled policy; none if these bytes are not one.
    #[must_use]
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        let mut from = Bytes(bytes.strip_prefix(MAGIC)?);
        Some(Self {
            build: Wire::get(&mut from)?,
            compiled_at: Wire::get(&mut from)?,
            layers: Wire::get(&mut from)?,
            digest: Wire::get(&mut from)?,
            protected: Wire::get(&mut from)?,
            programs: Programs(Wire::get(&mut from)?),
            rules: Wire::get(&mut from)?,
            waivers: Wire::get(&mut from)?,
        })
    }

    /// Rules that may speak of an action with one of these keys (see [`When::keys`]), each once.
    /// None if a record is damaged.
    #[must_use]
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
    #[must_use]
    pub fn all_rules(&self) -> Option<Vec<Rule<'a>>> {
        self.rules_for(&[ALL])
    }

    /// Waivers of a rule.
    #[must_use]
    pub fn waivers_of(&self, rule: &str) -> Option<Vec<Waiver<'a>>> {
        let found: Option<Vec<Waiver>> = self.waivers.find(key(rule)).map(|mut bytes| Waiver::get(&mut bytes)).collect();
        found.map(|waivers| waivers.into_iter().filter(|waiver| waiver.rule == rule).collect())
    }
}

impl When<'_> {
    /// Under which keys a rule with this table is found: `run git push` or `run git` for a program known by name, `run`
    /// for any, `write`, `delete`, … for the others.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        match self {
            Self::Run(tables) => tables.iter().flat_map(run_keys).collect(),
            other => vec![other.kind().to_owned()],
        }
    }

    /// The name of the table.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Write(_) => "write",
            Self::Delete(_) => "delete",
            Self::Read(_) => "read",
            Self::Fetch(_) => "fetch",
            Self::Call(_) => "call",
            Self::Spawn(_) => "spawn",
            Self::Push(_) => "push",
            Self::Opaque(_) => "opaque",
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

impl<'a> Wire<'a> for When<'a> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Run(tables) => (0u8.put(out), tables.put(out)),
            Self::Write(tables) => (1u8.put(out), tables.put(out)),
            Self::Delete(tables) => (2u8.put(out), tables.put(out)),
            Self::Read(tables) => (3u8.put(out), tables.put(out)),
            Self::Fetch(tables) => (4u8.put(out), tables.put(out)),
            Self::Call(tables) => (5u8.put(out), tables.put(out)),
            Self::Spawn(tables) => (6u8.put(out), tables.put(out)),
            Self::Push(tables) => (7u8.put(out), tables.put(out)),
            Self::Opaque(tables) => (8u8.put(out), tables.put(out)),
        };
    }

    fn get(from: &mut Bytes<'a>) -> Option<Self> {
        Some(match u8::get(from)? {
            0 => Self::Run(Wire::get(from)?),
            1 => Self::Write(Wire::get(from)?),
            2 => Self::Delete(Wire::get(from)?),
            3 => Self::Read(Wire::get(from)?),
            4 => Self::Fetch(Wire::get(from)?),
            5 => Self::Call(Wire::get(from)?),
            6 => Self::Spawn(Wire::get(from)?),
            7 => Self::Push(Wire::get(from)?),
            8 => Self::Opaque(Wire::get(from)?),
            _ => return None,
        })
    }
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
    /// See [`Policy::build`].
    pub build: &'a str,
    /// See [`Policy::compiled_at`].
    pub compiled_at: u64,
    /// See [`Policy::layers`].
    pub layers: Vec<LayerFile<'a>>,
    /// See [`Policy::digest`].
    pub digest: &'a str,
    /// See [`Policy::protected`].
    pub protected: Vec<Pattern<'a>>,
    /// All programs.
    pub programs: Vec<crate::action::program::Program<'a>>,
    /// All rules, upper layers first.
    pub rules: Vec<Rule<'a>>,
    /// All waivers.
    pub waivers: Vec<Waiver<'a>>,
}

impl Parts<'_> {
    /// Lays the policy down as bytes that [`Policy::open`] reads.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        self.build.put(&mut out);
        self.compiled_at.put(&mut out);
        self.layers.put(&mut out);
        self.digest.put(&mut out);
        self.protected.put(&mut out);
        let mut programs = wire::TableWriter::default();
        for program in &self.programs {
            programs.add(program.names.iter().map(|name| key(name)), program);
        }
        programs.put(&mut out);
        let mut rules = wire::TableWriter::default();
        for rule in &self.rules {
            rules.add(rule.when.keys().iter().map(|name| key(name)).chain([key(ALL)]), rule);
        }
        rules.put(&mut out);
        let mut waivers = wire::TableWriter::default();
        for waiver in &self.waivers {
            waivers.add([key(waiver.rule)], waiver);
        }
        waivers.put(&mut out);
        out
    }
}
