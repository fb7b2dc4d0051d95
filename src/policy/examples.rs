//! Examples of rules: what a rule must catch, spare, or be unsure of. Runs none of them.

use crate::action::PushKind;

use super::Tier;

/// A rule with its examples, for the tests of the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleExamples {
    /// The rule's name.
    pub name: String,
    /// Its pack, or its layer's name.
    pub pack: String,
    /// `policies/git.toml:12`
    pub place: String,
    /// What it decides.
    pub tier: Tier,
    /// What to do instead.
    pub instead: Instead,
    /// It must hold for these.
    pub catches: Vec<Example>,
    /// It must not hold for these.
    pub spares: Vec<Example>,
    /// It might hold for these.
    pub unsure: Vec<Example>,
}

/// What to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A command that the gate must not deny.
    Command(String),
    /// Words.
    Prose(String),
}

/// One example.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What would be done.
    pub deed: Deed,
    /// What is true of the world.
    pub facts: ExampleFacts,
    /// The agent's type; none: the main agent.
    pub agent: Option<String>,
    /// The host's permission mode; none: the usual one.
    pub mode: Option<String>,
    /// `policies/git.toml:15`
    pub place: String,
}

/// What an example does.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// A command line, given to the shell tool.
    Command(String),
    /// A file is written; none: with a text that is not known.
    Write { path: String, text: Option<String> },
    /// A file is deleted.
    Delete { path: String, recursive: bool, moved: bool },
    /// A file is read.
    Read { path: String },
    /// An address is fetched.
    Fetch { url: String, method: Option<String> },
    /// A tool is called.
    Call { tool: String, args: Argument },
    /// A sub-agent is started.
    Spawn { agent: String, prompt: String },
    /// A ref is changed; none: the current branch.
    Push { target: Option<String>, remote: Option<String>, kind: PushKind },
}

/// What an example says of the world. What it does not name is not known, or does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExampleFacts {
    /// The current branch.
    pub branch: Option<String>,
    /// That branch is protected.
    pub protected_branch: Option<bool>,
    /// There are uncommitted changes.
    pub dirty: Option<bool>,
    /// The change loses the gate.
    pub loses_gate: Option<bool>,
    /// The change weakens the policy.
    pub weakens_policy: Option<bool>,
    /// Files that exist, as written.
    pub exists: Vec<String>,
}

/// A value among the arguments of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A list.
    List(Vec<Argument>),
    /// A table, in the order of the file.
    Table(Vec<(String, Argument)>),
}

impl Argument {
    /// Every scalar with its JSON pointer (RFC 6901).
    #[must_use]
    pub fn scalars(&self) -> Vec<(String, String)> {
        let mut scalars = Vec::new();
        self.collect(String::new(), &mut scalars);
        scalars
    }

    fn collect(&self, pointer: String, scalars: &mut Vec<(String, String)>) {
        match self {
            Self::Text(text) => scalars.push((pointer, text.clone())),
            Self::Integer(number) => scalars.push((pointer, number.to_string())),
            Self::Float(number) => scalars.push((pointer, number.to_string())),
            Self::Boolean(flag) => scalars.push((pointer, flag.to_string())),
            Self::List(list) => list.iter().enumerate().for_each(|(at, value)| value.collect(format!("{pointer}/{at}"), scalars)),
            Self::Table(table) => {
                for (key, value) in table {
                    value.collect(format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), scalars);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Argument;

    #[test]
    fn scalars_are_named_by_pointers() {
        let list = Argument::List(vec![Argument::Integer(1), Argument::Boolean(true)]);
        let table = Argument::Table(vec![("a/b".into(), list), ("c".into(), Argument::Text("x".into()))]);
        let expected = [("/a~1b/0", "1"), ("/a~1b/1", "true"), ("/c", "x")];
        assert_eq!(table.scalars(), expected.map(|(pointer, text)| (pointer.to_owned(), text.to_owned())));
    }
}
