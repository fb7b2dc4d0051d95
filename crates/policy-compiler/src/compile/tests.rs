//! Tests of the way from text to compiled policy.

mod approval;
mod layers;
mod mistakes;
mod patterns;
mod programs;

use super::{Compiled, Input, PolicySource, compile};
use policy::Layer;

/// A rule that is right, to be changed by a case.
const RULE: &str = r#"
[[rule]]
name = "force-push"
tier = 4
run = { program = "git", subcommand = "push", any_flag = "--force" }
reason = "it drops commits"
instead = "$ git push"
catches = ["git push --force"]
spares = ["git push"]
"#;

/// Compiles one pack (on by default) and the given layers.
fn with_pack<T>(pack: &str, layers: &[(Layer, &str)], then: impl FnOnce(&Input, Result<Compiled, Vec<super::PolicyMistake>>) -> T) -> T {
    let pack = format!("schema = 1\npack = \"git\"\ndescription = \"d\"\ndefault = true\n{pack}");
    let packs = [("policies/git.toml", pack.as_str()), ("policies/extra.toml", EXTRA)];
    let sources: Vec<PolicySource> = layers.iter().map(|(layer, text)| PolicySource { layer: *layer, path: layer.name(), text }).collect();
    let input = Input { build: "test", compiled_at: 7, packs: &packs, layers: &sources, ..Input::default() };
    let result = compile(&input);
    then(&input, result)
}

/// A pack that is off by default.
const EXTRA: &str = r#"schema = 1
pack = "extra"
description = "d"
default = false
[[rule]]
name = "extra-rule"
tier = 3
open = true
delete = { path = "x" }
reason = "r"
instead = "i"
catches = ["rm x"]
spares = ["rm y"]
"#;
