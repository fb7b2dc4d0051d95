//! Valid rules in their compiled form, which the hook, the git hooks and the CI check use. `policy-compiler` reads the
//! policy files. This crate opens no file, and knows neither clients nor JSON.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::disallowed_macros)]

pub mod decide;
pub mod facts;
mod index;
pub mod matcher;
mod meter;
pub mod pattern;
pub mod pipeline;
pub mod secret;
pub mod section;
pub mod table;
pub mod verdict;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::secret::Confidence;
use actions::PushKind;
use actions::program::{Programs, ToolEffect, hides_key};
use actions::wire::{Bytes, Pieces, RECORD, RecordOutput, Sealed, Table, TableWriter, Wire, key, lay_down, read_back, seal, unseal};
use actions::{named_enum, wire_enum, wire_struct};
pub use meter::{Budget, Cost, EveryCall, FleetSection, FollowUp, Limit, Meter, MeterScope, Period, RecordSection, ReleaseAge, ReleaseSection, Stall};
use pattern::{PathPattern, Pattern};
pub use pipeline::{Autonomy, Gate, GateNeed, NeedKind, Pipeline};
pub use section::approval::ApprovalSection;
pub use section::{Exempt, Flywheel, OwnLayout, Pair, Red, TestsFirst, is_run_by, renews_snapshots};
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
    /// The call is allowed, and the model reads the reason after it (tier 1 only).
    pub tell: bool,
    pub when: When<'a>,
    pub unless: Option<When<'a>>,
    pub conditions: Conditions<'a>,
    /// Only for these agent types; empty: for all.
    pub for_agents: Vec<Pattern<'a>>,
    /// What a matching call uses up (tier 2 only).
    pub meter: Option<Meter<'a>>,
    pub reason: &'a str,
    pub instead: &'a str,
}

/// What of a rule is asked for only once its `when` holds.
struct RuleRest<'a> {
    name: &'a str,
    pack: &'a str,
    place: &'a str,
    layer: Layer,
    tier: Tier,
    shadow: bool,
    open: bool,
    tell: bool,
    unless: Option<When<'a>>,
    conditions: Conditions<'a>,
    meter: Option<Meter<'a>>,
    reason: &'a str,
    instead: &'a str,
}
wire_struct!(RuleRest { name, pack, place, layer, tier, shadow, open, tell, unless, conditions, meter, reason, instead });

/// What of a rule most calls say no to. What is asked for after it is a record of its own in front of this one.
struct RuleFront<'a> {
    when: When<'a>,
    for_agents: Vec<Pattern<'a>>,
    /// How far in front the other record begins, in bytes.
    distance: u32,
}
wire_struct!(RuleFront { when, for_agents, distance });

/// A rule of which only that was read which most calls say no to.
#[derive(Clone, Debug)]
pub struct RuleCandidate<'a> {
    pub when: When<'a>,
    pub for_agents: Vec<Pattern<'a>>,
    /// Where the rest of it is.
    rest: (Table<'a>, u32),
}

impl<'a> RuleCandidate<'a> {
    /// The whole rule. `None` if its record is damaged.
    pub fn rule(&self) -> Option<Rule<'a>> {
        let (table, place) = &self.rest;
        whole_rule(self.when.clone(), self.for_agents.clone(), table.record(*place)?)
    }
}

/// A rule of its two parts. `None` if `rest` is no record of one.
fn whole_rule<'a>(when: When<'a>, for_agents: Vec<Pattern<'a>>, rest: &'a [u8]) -> Option<Rule<'a>> {
    let RuleRest { name, pack, place, layer, tier, shadow, open, tell, unless, conditions, meter, reason, instead } = read_back(rest)?;
    Some(Rule { name, pack, place, layer, tier, shadow, open, tell, when, unless, conditions, for_agents, meter, reason, instead })
}

/// A rule of two records that are side by side.
fn rule_of<'a>(rest: &'a [u8], front: &'a [u8]) -> Option<Rule<'a>> {
    let RuleFront { when, for_agents, .. } = read_back(front)?;
    whole_rule(when, for_agents, rest)
}

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
    Query(QueryWhen) = 10u8, "query", QueryWhen::KEYS;
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
        /// Any of them is given for sure: a word that may turn out to be an option does not count, nor a value of which nothing is
        /// known.
        given_flag: Vec<(&'a str, Option<Pattern<'a>>)> = flags,
        /// All of them are.
        all_flags: Vec<(&'a str, Option<Pattern<'a>>)> = flags,
        /// None of them is.
        no_flag: Vec<&'a str> = bare_flags,
        /// Any operand is one of these.
        arg: Vec<Pattern<'a>> = texts_with_protected,
        /// The first operand is one of these: the verb of a program whose verbs are no subcommands to us.
        verb: Vec<Pattern<'a>> = texts,
        /// The subcommand and the operands begin with one of these sequences; for each word, any of its patterns.
        words: Vec<Vec<Vec<Pattern<'a>>>> = word_lists,
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
        /// Files are named by a pattern, or are all in a folder, and that folder is one of these (`write` and `delete`).
        sweeps: Vec<PathPattern<'a>> = paths,
        /// They are looked for in all folders below it.
        deep: Option<bool> = flag,
        /// It is there, and git ignores it; for `write`, git would ignore it.
        ignored: Option<bool> = flag,
        /// It is the git folder of a repository with commits that are on no remote (`delete` only).
        loses_commits: Option<bool> = flag,
        /// Moved away rather than removed (`delete` only).
        moved: Option<bool> = flag,
        /// The file would be larger, in bytes. Only commits tell.
        larger_than: Option<u64> = bytes,
        /// It is written into a commit.
        committed: Option<bool> = flag,
        /// The text of the file comes back as the result of the call (`read` only).
        shown: Option<bool> = flag,
        /// The text of the file goes to another machine (`read` only).
        sent: Option<bool> = flag,
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
    may "attributes": Flag, may "sweeps": Texts, may "deep": Flag, may "ignored": Flag
];
const DELETE: &[Key] = keys![
    may "path": Texts, may "outside_repo": Flag, may "recursive": Flag, may "moved": Flag, may "ignored": Flag, may "loses_commits": Flag, may "sweeps": Texts, may "deep": Flag, may "loses_gate": Flag,
    may "weakens_policy": Flag
];
const READ: &[Key] = keys![may "path": Texts, may "outside_repo": Flag, may "shown": Flag, may "sent": Flag];

table! {
    FetchWhen {
        /// The host name, without the port.
        host: Vec<Pattern<'a>> = texts,
        /// The host is written out. Without it, an address that is computed may be any.
        host_known: Option<bool> = flag,
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
        /// What the tool does.
        does: Vec<ToolEffect> = tool_effects,
        /// The tools of its server are described.
        described: Option<bool> = flag,
        /// A value holds a secret, as sure as one of these.
        secret: Vec<Confidence> = confidences,
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
        /// No other branch or tag that is known here has its commits.
        loses_commits: Option<bool> = flag,
    }
}

table! {
    OpaqueWhen {
        /// Why it could not be read.
        why: Vec<Pattern<'a>> = contents,
    }
}

table! {
    QueryWhen {
        /// What is lost: `database`, `table`, `column`, `all-rows`, `rows`, `definition`, `keys`, `permissions`, `unknown`.
        loses: Vec<Pattern<'a>> = texts,
        /// `postgres`, `mysql`, `sqlite`, `sql`, `redis`, `mongodb`, `graphql`.
        language: Vec<Pattern<'a>> = texts,
        /// The name of what is lost, in lower case.
        name: Vec<Pattern<'a>> = texts,
        /// The client, or the tool.
        program: Vec<Pattern<'a>> = texts,
        /// The host that is named.
        host: Vec<Pattern<'a>> = texts,
        /// The database that is named.
        database: Vec<Pattern<'a>> = texts,
        /// The database is on this machine: its host is a loopback address, or it is a file of the repository or of a temporary
        /// folder.
        local: Option<bool> = flag,
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
        /// The phase of `[pipeline]` in which the work is.
        phase: Vec<Pattern<'a>> = texts,
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
    /// [`Tiers`], laid down: few calls ask for it. Empty: the policy has none of its sections.
    tiers: Cow<'a, [u8]>,
    /// None: nobody can approve what needs a person where nobody can be asked.
    pub approval: Option<ApprovalSection<'a>>,
    rules: Table<'a>,
    waivers: Table<'a>,
}

/// What a compiled policy begins with: lists that are joined, and the rest ([`PolicyHead`]) as a record of its own.
/// `crates/gate/build.rs` reads it too.
type Front<'a> = (Vec<&'a str>, Cow<'a, [u8]>);

/// What is one for the whole policy.
struct PolicyHead<'a> {
    build: &'a str,
    compiled_at: u64,
    layers: Vec<LayerFile<'a>>,
    digest: &'a str,
    protected: Vec<Pattern<'a>>,
    tests_first: Option<TestsFirst<'a>>,
    flywheel: Option<Flywheel<'a>>,
    tiers: Cow<'a, [u8]>,
    approval: Option<ApprovalSection<'a>>,
}
wire_struct!(PolicyHead { build, compiled_at, layers, digest, protected, tests_first, flywheel, tiers, approval });

/// The sections that are about more than one call. Those that call for nothing are laid down as no bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tiers<'a> {
    /// What may be spent.
    pub budgets: Vec<Budget<'a>>,
    /// What must follow certain calls before a turn ends.
    pub follow_ups: Vec<FollowUp<'a>>,
    /// None: circles are not looked for.
    pub stall: Option<Stall<'a>>,
    /// Some rule looks into the answers of calls, or reads prices there.
    pub answers: bool,
    /// Some rule counts calls.
    pub limits: bool,
    /// Limits on all calls.
    pub every_call: Vec<EveryCall<'a>>,
    /// The phases of the work.
    pub pipeline: Option<Pipeline<'a>>,
    /// What must be there before something is done.
    pub gates: Vec<Gate<'a>>,
    /// None: nothing is shared between machines.
    pub fleet: Option<FleetSection<'a>>,
    /// None: the record is kept as usual.
    pub record: Option<RecordSection<'a>>,
    /// None: the organisation's policy has no number and no end.
    pub release: Option<ReleaseSection<'a>>,
}
wire_struct!(Tiers { budgets, follow_ups, stall, answers, limits, every_call, pipeline, gates, fleet, record, release });

impl<'a> Policy<'a> {
    /// Reads the head of a compiled policy that is in memory. `None` if these bytes are not one.
    pub fn open(bytes: &'a [u8]) -> Option<Self> {
        Self::of(Pieces::Memory(bytes))
    }

    /// Reads the head of a compiled policy. `None` if it is not one, or its head is damaged.
    pub fn of(pieces: Pieces<'a>) -> Option<Self> {
        let Sealed { head, tables: [programs, rules, waivers] } = unseal(MAGIC, pieces)?;
        let (lists, rest): Front = read_back(head)?;
        let ([starts, named], Cow::Borrowed(rest)) = (lists.as_slice(), rest) else { return None };
        let PolicyHead { build, compiled_at, layers, digest, protected, tests_first, flywheel, tiers, approval } = read_back(rest)?;
        let programs = Programs::new(programs, starts, named);
        Some(Self { build, compiled_at, layers, digest, protected, programs, tests_first, flywheel, tiers, approval, rules, waivers })
    }

    /// The sections that are about more than one call. `None` if they are damaged.
    pub fn tiers(&self) -> Option<Tiers<'a>> {
        match &self.tiers {
            Cow::Borrowed([]) => Some(Tiers::default()),
            Cow::Borrowed(bytes) => read_back(bytes),
            Cow::Owned(_) => None,
        }
    }

    /// Whether there are limits or budgets.
    pub fn has_meters(&self) -> bool {
        self.tiers().is_none_or(|tiers| tiers.limits || !tiers.budgets.is_empty() || !tiers.every_call.is_empty())
    }

    /// Whether calls are looked at once they have ended.
    pub fn looks_at_ended_calls(&self) -> bool {
        self.tiers()
            .is_none_or(|tiers| tiers.stall.is_some() || tiers.answers || !tiers.follow_ups.is_empty() || tiers.budgets.iter().any(|budget| budget.tokens))
    }

    /// What a compiled policy says of programs, without the rest of it.
    pub fn programs_of(bytes: &'a [u8]) -> Option<Programs<'a>> {
        let Sealed { head, tables: [programs, ..] } = unseal(MAGIC, Pieces::Memory(bytes))?;
        let (lists, _): Front = read_back(head)?;
        let [starts, named] = lists.as_slice() else { return None };
        Some(Programs::new(programs, starts, named))
    }

    /// Where rules are that are found under one of these keys, each once. `None` if the table is damaged.
    pub(crate) fn places_of(&self, keys: &[u32]) -> Option<Vec<u32>> {
        let mut places: Vec<u32> = Vec::new();
        for key in keys {
            places.extend(self.rules.find(*key)?);
        }
        places.sort_unstable();
        places.dedup();
        Some(places)
    }

    /// The rule at a place. `None` if it is damaged.
    pub(crate) fn candidate(&self, place: u32) -> Option<RuleCandidate<'a>> {
        let RuleFront { when, for_agents, distance } = read_back(self.rules.record(place)?)?;
        Some(RuleCandidate { when, for_agents, rest: (self.rules, place.checked_sub(distance)?) })
    }

    /// Rules that are found under one of these keys, each once, upper layers first. `None` if a record is damaged.
    pub fn rules_for(&self, keys: &[&str]) -> Option<Vec<Rule<'a>>> {
        let keys: Vec<u32> = keys.iter().map(|name| key(name)).collect();
        self.places_of(&keys)?.into_iter().map(|place| self.candidate(place)?.rule()).collect()
    }

    /// Every rule, upper layers first.
    pub fn all_rules(&self) -> Option<Vec<Rule<'a>>> {
        let records: Vec<&[u8]> = self.rules.records().collect::<Option<_>>()?;
        records.as_chunks().0.iter().map(|[rest, front]| rule_of(rest, front)).collect()
    }

    /// Every rule with the keys under which it is found, upper layers first.
    pub fn keyed_rules(&self) -> Option<Vec<(Vec<u32>, Rule<'a>)>> {
        let records = self.rules.keyed_records()?;
        records.as_chunks().0.iter().map(|[(_, rest), (keys, front)]| Some((keys.clone(), rule_of(rest, front)?))).collect()
    }

    pub fn waivers_of(&self, rule: &str) -> Option<Vec<Waiver<'a>>> {
        let found: Option<Vec<Waiver>> = self.waivers.find(key(rule))?.into_iter().map(|place| read_back(self.waivers.record(place)?)).collect();
        found.map(|waivers| waivers.into_iter().filter(|waiver| waiver.rule == rule).collect())
    }
}

impl<'a> Wire<'a> for ValueTest<'a> {
    fn put(&self, out: &mut RecordOutput) {
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
    /// Tables of descriptions that are compiled already, in front of the others.
    pub program_tables: Vec<Table<'a>>,
    /// Programs that are given secrets.
    pub secrets: Vec<&'a str>,
    /// Variables whose values programs start.
    pub starts: Vec<&'a str>,
    /// Variables that name programs: `PYTHON=python3`.
    pub named: Vec<&'a str>,
    pub tests_first: Option<TestsFirst<'a>>,
    pub flywheel: Option<Flywheel<'a>>,
    pub approval: Option<ApprovalSection<'a>>,
    pub tiers: Tiers<'a>,
    pub rules: Vec<Rule<'a>>,
    /// The keys under which rules are found that were read back, by name. A pattern that was read back no longer tells them.
    pub keys: HashMap<&'a str, Vec<u32>>,
    pub waivers: Vec<Waiver<'a>>,
}

impl Parts<'_> {
    /// Lays the policy down as bytes that [`Policy::open`] reads. `crates/gate/build.rs` joins several of them.
    pub fn seal(&self) -> Vec<u8> {
        self.try_seal().unwrap_or_default()
    }

    /// As [`Parts::seal`]. `None`: a table of descriptions is damaged.
    pub fn try_seal(&self) -> Option<Vec<u8>> {
        let (mut programs, mut rules, mut waivers) = <(TableWriter, TableWriter, TableWriter)>::default();
        let secrets: HashSet<&str> = self.secrets.iter().copied().collect();
        for table in &self.program_tables {
            programs.append(table)?;
        }
        for program in &self.programs {
            program.subcommands.collected().iter().for_each(|record| programs.add_unnamed(record.clone()));
            let hides = program.names.iter().filter(|name| secrets.contains(*name)).map(|name| hides_key(name));
            programs.add(program.names.iter().map(|name| key(name)).chain(hides), program);
        }
        for rule in &self.rules {
            let keys = self.keys.get(rule.name).cloned().unwrap_or_else(|| index::of_rule(&rule.when));
            let Rule { name, pack, place, layer, tier, shadow, open, tell, when, unless, conditions, for_agents, meter, reason, instead } = rule.clone();
            let rest = lay_down(&RuleRest { name, pack, place, layer, tier, shadow, open, tell, unless, conditions, meter, reason, instead });
            let distance = u32::try_from(RECORD + rest.len()).unwrap_or(u32::MAX);
            rules.add_unnamed(rest);
            rules.add(keys, &RuleFront { when, for_agents, distance });
        }
        for waiver in &self.waivers {
            waivers.add([key(waiver.rule)], waiver);
        }
        let rest = PolicyHead {
            build: self.build,
            compiled_at: self.compiled_at,
            layers: self.layers.clone(),
            digest: self.digest,
            protected: self.protected.clone(),
            tests_first: self.tests_first.clone(),
            flywheel: self.flywheel.clone(),
            approval: self.approval.clone(),
            tiers: if self.tiers == Tiers::default() { Cow::Borrowed(&[]) } else { lay_down(&self.tiers).into() },
        };
        let (starts, named) = (self.starts.join(" "), self.named.join(" "));
        let front: Front = (vec![&starts, &named], lay_down(&rest).into());
        Some(seal(MAGIC, &lay_down(&front), [programs, rules, waivers]))
    }
}
