//! Compiles the files of the layers alone, and takes the shipped packs and descriptions as they were compiled before.

use std::collections::HashMap;

use super::pattern::Patterns;
use super::{Input, PolicySource, Texts, digest};
use crate::packs;
use crate::schema;
use crate::validate::{PolicyDocument, ValidationScope, validate};
use policy::{Layer, Parts, Policy, Rule};

/// Bytes in front of a compiled pack: the fingerprint of its source.
const SOURCE: usize = 8;

/// As [`super::compile`] gives its bytes, without the shipped files being read anew. `pieces` holds the compiled form of each of
/// them. `None`: it cannot be done in this way, because of a mistake or because a layer changes what a shipped file means.
pub fn compile_quickly(input: &Input, pieces: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let open = |path: &str| {
        let (_, bytes) = pieces.iter().find(|(known, _)| *known == path)?;
        Policy::open(bytes.get(SOURCE..)?)
    };
    let mut layers: Vec<PolicySource> = input.layers.to_vec();
    layers.sort_by_key(|source| source.layer);
    let layers: Vec<PolicyDocument> = layers.iter().map(|source| document(*source, source.text)).collect::<Option<_>>()?;
    let has = |key: &str| layers.iter().any(|layer| layer.has(key));
    // A layer's descriptions are compared with all shipped ones.
    if has("program") {
        return None;
    }
    let mut documents = Vec::new();
    let mut ready: HashMap<&str, Vec<Rule>> = HashMap::new();
    let mut keys: HashMap<&str, Vec<u32>> = HashMap::new();
    for (path, text) in input.packs {
        let source = PolicySource { layer: Layer::BuiltIn, path, text };
        // More protected branches change what its patterns match. Packs name the same ones.
        if has("protected") && text.contains("<protected>") {
            documents.push(document(source, text)?);
        } else {
            documents.push(document(source, packs::head(text))?);
            let (own, rules): (Vec<_>, Vec<_>) = open(path)?.keyed_rules()?.into_iter().unzip();
            keys.extend(rules.iter().map(|rule: &Rule| rule.name).zip(own));
            ready.insert(path, rules);
        }
    }
    documents.extend(layers);

    let texts = Texts::default();
    let digest = digest(input.layers);
    let head = Parts { build: input.build, compiled_at: input.compiled_at, layers: input.files.clone(), digest: &digest, keys, ..Parts::default() };
    let scope = ValidationScope { whole: true, all_packs: input.all_packs, ready: &ready };
    let (mut parts, _, mistakes) = validate(head, &documents, &scope, &mut Patterns::new(&texts));
    if !mistakes.is_empty() {
        return None;
    }
    // Packs hold rules, and these that go with a rule.
    for (path, _) in input.packs {
        for mut follow_up in open(path)?.tiers()?.follow_ups {
            if let Some(rule) = parts.rules.iter().find(|rule| rule.name == follow_up.name) {
                follow_up.shadow = rule.shadow;
                parts.tiers.follow_ups.push(follow_up);
            }
        }
    }
    for (path, _) in input.programs {
        let described = open(path)?;
        let [starts, named] = described.programs.lists();
        for (all, own) in [(&mut parts.starts, starts), (&mut parts.named, named)] {
            all.extend(Some(own).filter(|own| !own.is_empty()));
        }
        parts.program_tables.push(described.programs.table());
    }
    parts.try_seal()
}

/// A file as far as `text` goes. `None`: it is no TOML.
fn document<'t>(source: PolicySource<'t>, text: &'t str) -> Option<PolicyDocument<'t>> {
    let ends = source.text.match_indices('\n').map(|(at, _)| at).collect();
    Some(PolicyDocument { layer: source.layer, path: source.path, ends, table: schema::parse(source.path, text).ok()? })
}
