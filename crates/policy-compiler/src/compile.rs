//! From the texts of all layers to one compiled policy, or to all their mistakes. Reads no file.

mod automaton;
mod glob;
pub mod pattern;
mod programs;
mod quick;

use std::collections::HashMap;

use toml::de::DeValue;

use super::examples::{ProgramExamples, RuleExamples};
use super::mistake::PolicyMistake;
use super::schema::{self, Checker};
use super::validate::{PolicyDocument, ValidationScope, validate};
use pattern::Patterns;
use policy::{Layer, LayerFile, Parts};
use programs::Described;
pub use quick::compile_quickly;

#[derive(Clone, Copy, Debug)]
pub struct PolicySource<'a> {
    pub layer: Layer,
    pub path: &'a str,
    pub text: &'a str,
}

#[derive(Clone, Debug, Default)]
pub struct Input<'a> {
    pub build: &'a str,
    pub compiled_at: u64,
    /// Built-in packs: `policies/git.toml` and its text.
    pub packs: &'a [(&'a str, &'a str)],
    /// Descriptions of programs: `policies/programs/git.toml` and its text.
    pub programs: &'a [(&'a str, &'a str)],
    /// The layers' files that are there.
    pub layers: &'a [PolicySource<'a>],
    /// The identities of the layers' files, absent ones too.
    pub files: Vec<LayerFile<'a>>,
    /// Every pack holds, also one that is off by default.
    pub all_packs: bool,
}

/// Keeps the texts that a compiled policy borrows and no file contains as they are.
pub type Texts = elsa::FrozenVec<String>;

/// A compiled policy, and what only the cold binary needs of it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What [`policy::Policy::open`] reads.
    pub bytes: Vec<u8>,
    /// The rules with their examples, upper layers first.
    pub rules: Vec<RuleExamples>,
    /// Examples of the programs that are described.
    pub programs: Vec<ProgramExamples>,
    /// The waivers, without what they waive.
    pub waivers: Vec<WaiverEnd>,
}

/// A waiver and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverEnd {
    pub rule: String,
    /// `portcullis.toml:30`
    pub place: String,
    /// The last day on which it holds, in days since 1970-01-01 (UTC).
    pub until: i64,
}

impl Compiled {
    /// Waivers that are past their end on the day `today`, in days since 1970-01-01 (UTC).
    pub fn waivers_past(&self, today: i64) -> impl Iterator<Item = &WaiverEnd> {
        self.waivers.iter().filter(move |waiver| waiver.until < today)
    }
}

impl<'a> Input<'a> {
    /// The text of a file by the path that mistakes name it with.
    pub fn text_of(&self, path: &str) -> Option<&'a str> {
        let built_in = self.packs.iter().chain(self.programs).find(|(known, _)| *known == path).map(|(_, text)| *text);
        built_in.or_else(|| self.layers.iter().find(|source| source.path == path).map(|source| source.text))
    }

    /// All mistakes as people read them, one after the other.
    pub fn render(&self, mistakes: &[PolicyMistake], colour: bool) -> String {
        let shown: Vec<String> = mistakes.iter().map(|mistake| mistake.render(self.text_of(&mistake.path).unwrap_or(""), colour)).collect();
        shown.join("\n\n")
    }
}

/// Compiles a policy.
///
/// # Errors
///
/// Every mistake of every file, in the order of the files.
pub fn compile(input: &Input) -> Result<Compiled, Vec<PolicyMistake>> {
    let mut mistakes = Vec::new();
    let mut whole = true;
    let mut parsed = |path: &str, text| schema::parse(path, text).map_err(|mistake| mistakes.push(mistake)).inspect_err(|()| whole = false).ok();
    let mut sources: Vec<PolicySource> =
        input.packs.iter().map(|(path, text)| PolicySource { layer: Layer::BuiltIn, path, text }).chain(input.layers.iter().copied()).collect();
    sources.sort_by_key(|source| source.layer);
    let ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect();
    let documents: Vec<PolicyDocument> = sources
        .iter()
        .filter_map(|PolicySource { layer, path, text }| Some(PolicyDocument { layer: *layer, path, ends: ends(text), table: parsed(path, text)? }))
        .collect();
    let programs: Vec<(&str, &str, DeValue)> = input.programs.iter().filter_map(|(path, text)| Some((*path, *text, parsed(path, text)?))).collect();

    let texts = Texts::default();
    let mut patterns = Patterns::new(&texts);
    let digest = digest(input.layers);
    let head = Parts { build: input.build, compiled_at: input.compiled_at, layers: input.files.clone(), digest: &digest, ..Parts::default() };
    let scope = ValidationScope { whole, all_packs: input.all_packs, ready: &HashMap::new() };
    let (mut parts, rules, found) = validate(head, &documents, &scope, &mut patterns);
    mistakes.extend(found);

    let mut described = Described::default();
    for (path, text, table) in &programs {
        described.shipped(table, text, &mut Checker { path, mistakes: &mut mistakes });
    }
    for document in documents.iter().filter(|document| document.layer != Layer::BuiltIn) {
        // The same project in two work trees describes its programs twice.
        let again =
            documents.iter().take_while(|other| !std::ptr::eq(*other, document)).any(|other| other.layer == Layer::Project && document.layer == Layer::Project);
        let text = input.text_of(document.path).unwrap_or("");
        if !again {
            described.house(&document.table, text, &mut Checker { path: document.path, mistakes: &mut mistakes });
        }
    }
    if !mistakes.is_empty() {
        let order = |path: &str| {
            let known = sources.iter().map(|source| source.path).chain(input.programs.iter().map(|(path, _)| *path));
            known.into_iter().position(|known| known == path)
        };
        mistakes.sort_by_key(|mistake| (order(&mistake.path), mistake.span.start));
        return Err(mistakes);
    }

    let waivers = parts.waivers.iter().map(|waiver| WaiverEnd { rule: waiver.rule.to_owned(), place: waiver.place.to_owned(), until: waiver.until }).collect();
    (parts.programs, parts.starts, parts.named) = (described.programs, described.starts, described.named);
    parts.secrets = described.secrets;
    Ok(Compiled { bytes: parts.seal(), rules, programs: described.examples, waivers })
}

/// A name for what the layers say (FNV-1a, 64 bits): two policies that look alike to a person have the same. Proves nothing.
fn digest(layers: &[PolicySource]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for source in layers {
        for byte in [source.layer as u8].iter().copied().chain(source.text.bytes()).chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests;
