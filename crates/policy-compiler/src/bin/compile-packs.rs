//! Compiles each file of `policies/` and writes it to `policies/compiled/`, from where `crates/gate/build.rs` takes it. One
//! file for each, so that branches merge.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use policy_compiler::compile::{Input, compile};
use policy_compiler::packs::{PACKS, PROGRAMS, compiled};

#[expect(dead_code, reason = "the build scripts use the rest")]
#[path = "../../../policy/form.rs"]
mod form;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let none = &[][..];
    let packs = PACKS.iter().map(|pack| (pack, std::slice::from_ref(pack), none));
    let inputs = packs.chain(PROGRAMS.iter().map(|file| (file, none, std::slice::from_ref(file))));
    for ((path, text), packs, programs) in inputs {
        let input = Input { packs, programs, all_packs: true, ..Input::default() };
        let written = compile(&input).map_err(|mistakes| input.render(&mistakes, false)).and_then(|policy| {
            let mut source = form::Fnv::default();
            source.add(path, text.as_bytes());
            let file = root.join(compiled(path));
            let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
            folder
                .and_then(|()| fs::write(&file, [&source.0.to_le_bytes()[..], &policy.bytes].concat()))
                .map_err(|error| format!("{}: {error}", file.display()))
        });
        if let Err(why) = written {
            #[expect(clippy::print_stderr, reason = "a program of contributors")]
            {
                eprintln!("{why}");
            }
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
