//! Variables that get one of several known values on the branches of a condition: a command that names one is followed with
//! each of them. Only for what the call itself says: a stored script is judged by what is certain.

use std::collections::BTreeMap;

use super::{Output, Shell, Stdin, state::Variable};
use crate::word::Word;
use shell_reader::ast::{Part, Script, Simple};

/// More values than this are not distinguished.
const MAX_VALUES: usize = 4;
/// In one command so many variables are looked at.
const MAX_VARIABLES: usize = 2;

/// What a branch made of each variable, and what the variable was before. `None`: not known.
pub(super) type BranchValues = BTreeMap<String, (Option<Word>, Option<Word>)>;

impl Shell<'_> {
    /// Follows a part that may not run; gives the variables that it sets.
    pub(super) fn branch(&mut self, script: &Script, stdin: &Stdin) -> BranchValues {
        let before = self.state.mark();
        self.state.branches += 1;
        self.script(script, stdin);
        self.state.branches -= 1;
        let values = if self.stored { BranchValues::new() } else { self.state.scalars_since(&before) };
        self.state.join(&before);
        values
    }

    /// Notes the values that variables have behind branches of which one ran; or behind none of them, if not `complete`.
    pub(super) fn one_of(&mut self, branches: &[BranchValues], complete: bool) {
        let names: Vec<String> = branches.iter().flat_map(BTreeMap::keys).cloned().collect();
        for name in names {
            let old = branches.iter().find_map(|branch| branch.get(&name)).and_then(|(_, old)| old.clone());
            let ends = branches.iter().map(|branch| branch.get(&name).map_or_else(|| old.clone(), |(new, _)| new.clone()));
            let all: Option<Vec<Word>> = ends.chain((!complete).then(|| old.clone())).collect();
            let Some(mut values) = all.filter(|values| values.iter().all(|value| value.literal().is_some())) else { continue };
            values.sort_by(|one, other| one.literal().cmp(&other.literal()));
            values.dedup_by(|one, other| one.literal() == other.literal());
            if values.len() <= MAX_VALUES {
                self.state.choose(&name, values);
            }
        }
    }

    /// Follows a command once for each value of a variable in it. `None`: it names none that has several.
    pub(super) fn chosen(&mut self, simple: &Simple, stdin: &Stdin) -> Option<Output> {
        if !self.state.has_choices() || self.stored || simple.words.is_empty() || self.choosing >= MAX_VARIABLES {
            return None;
        }
        let mut named =
            simple.words.iter().flat_map(|word| &word.parts).filter_map(|part| if let Part::Parameter(named) = part { Some(&named.name) } else { None });
        let (name, values) = named.find_map(|name| Some((name.clone(), self.state.choices(name)?)))?;
        self.choosing += 1;
        let before = self.state.mark();
        for value in &values {
            let one = self.state.mark();
            self.state.put(&name, Variable::Scalar(Word { multi: true, ..value.clone() }));
            self.state.branches += 1;
            self.simple(simple, stdin);
            self.state.branches -= 1;
            self.state.join(&one);
        }
        self.choosing -= 1;
        self.state.join(&before);
        self.state.choose(&name, values);
        Some(Output::unknown())
    }
}
