//! `[[program]]` in a layer's file: what is compiled, what is refused and where, and what `portcullis test` says of examples.

use policy::{Layer, Policy};
use policy_compiler::compile::{Input, PolicySource, compile};
use policy_compiler::packs::{PACKS, PROGRAMS};
use portcullis::cli::test::{ExamplesOutcome, run_programs};

/// The mistakes of a project's policy; or what its examples give.
fn compiled(text: &str) -> Result<ExamplesOutcome, String> {
    let layers = [PolicySource { layer: Layer::Project, path: "portcullis.toml", text }];
    let input = Input { build: "", compiled_at: 0, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    let compiled = compile(&input).map_err(|mistakes| input.render(&mistakes, false))?;
    let mut outcome = ExamplesOutcome::default();
    run_programs(&compiled.programs, &Policy::open(&compiled.bytes).unwrap(), &mut outcome);
    Ok(outcome)
}

#[test]
fn mistakes_have_a_place() {
    let cases = [
        ("[[program]]\nname = \"git\"\n", "the program `git` is described twice: here and at policies/programs/git.toml"),
        ("[[program]]\nname = \"a\"\noperands = [\"argw\"]\n", "unknown role `argw`"),
        ("[[program]]\nname = \"a\"\nprints = [{ as = \"name\" }]\n", "`prints` is not allowed in a policy"),
        ("[[program]]\nname = \"a\"\nsets_up = [\"init\"]\n", "`sets_up` is not allowed in a policy"),
        ("[[program]]\nname = \"a\"\n[[program.subcommand]]\nname = \"b\"\nprints = [{ as = \"name\" }]\n", "`prints` is not allowed in a policy"),
        ("[[program]]\nname = \"a\"\noption = [\"-x\"]\n", "unknown key `option`"),
        ("[[program]]\noperands = [\"argv\"]\n", "`program` needs `name`"),
        ("[[program]]\nname = \"a\"\n[[program]]\nname = \"a\"\n", "the program `a` is described twice: here and at portcullis.toml:3"),
        ("[[program]]\nname = \"a\"\nexamples = { \"a b\" = 1 }\n", "an example does not say which command it runs"),
    ];
    for (text, expected) in cases {
        let said = compiled(&format!("schema = 1\n{text}")).unwrap_err();
        assert!(said.contains(expected) && said.contains("portcullis.toml:"), "{text}\n{said}");
    }
}

#[test]
fn examples_are_tried() {
    let described = "schema = 1\n[[program]]\nname = \"acme-run\"\noptions = [\"-c|--cpu=\"]\noperands = [\"argv\"]\n[program.examples]\n";
    let right = "\"acme-run --cpu 4 git push\" = \"git push\"\n\"acme-run --cpu 4\" = \"\"\n";
    let outcome = compiled(&format!("{described}{right}")).unwrap();
    assert!(outcome.examples == 2 && outcome.failures.is_empty(), "{:#?}", outcome.failures);
    let wrong = "\"acme-run 4 git push\" = \"git push\"\n\"acme-run git push\" = \"\"\n";
    assert_eq!(compiled(&format!("{described}{wrong}")).unwrap().failures.len(), 2);
}
