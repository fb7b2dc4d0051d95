//! A policy file: compiled to what can be read again, or refused with a place for every mistake.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy_compiler::compile::{Input, PolicySource, compile};
use policy::{Layer, Policy};

fuzz_target!(|text: &str| {
    for layer in [Layer::Organisation, Layer::Project] {
        let layers = [PolicySource { layer, path: "portcullis.toml", text }];
        // Without the shipped packs, which would take most of the time.
        let input = Input { layers: &layers, ..Input::default() };
        match compile(&input) {
            Ok(compiled) => {
                let policy = Policy::open(&compiled.bytes).expect("what was compiled can be opened");
                assert_eq!(policy.all_rules().expect("its rules can be read").len(), compiled.rules.len());
            }
            Err(mistakes) => {
                assert!(!mistakes.is_empty());
                assert!(!input.render(&mistakes, false).is_empty());
            }
        }
    }
});
