//! Examples of rules: what a rule must catch, spare, or be unsure of. Runs none of them.

use toml::Value;

use actions::PushKind;

use policy::Tier;

/// A rule with its examples, for the tests of the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleExamples {
    pub name: String,
    /// Its pack, or its layer's name.
    pub pack: String,
    /// `policies/git.toml:12`
    pub place: String,
    pub tier: Tier,
    /// Which sentences of which documents ask for it: `seeds:D1.1`.
    pub source: Vec<String>,
    pub instead: Instead,
    /// It must hold for these.
    pub catches: Vec<Example>,
    /// It must not hold for these.
    pub spares: Vec<Example>,
    /// It might hold for these.
    pub unsure: Vec<Example>,
}

/// A program that a policy describes, with its examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramExamples {
    /// The first of its names.
    pub name: String,
    /// `portcullis.toml:12`
    pub place: String,
    /// A command line, and the command that it runs inside; empty: none.
    pub examples: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A command that the gate must not deny.
    Command(String),
    Prose(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub deed: ExampleDeed,
    pub facts: ExampleFacts,
    /// The agent's type. `None`: the main agent.
    pub agent: Option<String>,
    /// The host's permission mode. `None`: the usual one.
    pub mode: Option<String>,
    /// `policies/git.toml:15`
    pub place: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExampleDeed {
    /// A command line, given to the shell tool.
    Command(String),
    /// A file is written. `None`: with a text that is not known.
    Write {
        path: String,
        text: Option<String>,
    },
    Delete {
        path: String,
        recursive: bool,
        moved: bool,
    },
    Read {
        path: String,
    },
    Fetch {
        url: String,
        method: Option<String>,
    },
    Call {
        tool: String,
        args: Value,
    },
    Spawn {
        agent: String,
        prompt: String,
    },
    /// A commit is made. `None`: its message is not known yet.
    Commit {
        message: Option<String>,
        author: String,
        touches: Vec<String>,
        deletes: Vec<String>,
    },
    /// A ref is changed. `None`: the current branch.
    Push {
        target: Option<String>,
        remote: Option<String>,
        kind: PushKind,
    },
}

/// What an example says of the world. What it does not name is not known, or does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExampleFacts {
    pub branch: Option<String>,
    pub phase: Option<String>,
    pub protected_branch: Option<bool>,
    pub dirty: Option<bool>,
    pub loses_gate: Option<bool>,
    pub weakens_policy: Option<bool>,
    pub ignored: Option<bool>,
    pub loses_commits: Option<bool>,
    /// Files that exist, as written.
    pub exists: Vec<String>,
    /// How large the file is that is written.
    pub bytes: Option<u64>,
}
