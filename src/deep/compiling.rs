//! Compiles policies from the files of the layers, and keeps the result for the hook.

use std::fs;
use std::time::Duration;

use crate::pipeline::seen::signs;
use gate::call::kept_policy;
use gate::failure::Failure;
use gate::world::layers::{self, FoundLayer};
use gate::world::{Surroundings, World, record, state, system};
use gate::{BUILD, PIECES};
use policy::{LayerFile, Policy};
use policy_compiler::compile::{Compiled, Input, PolicySource, compile, compile_quickly};
use policy_compiler::packs::{PACKS, PROGRAMS};

/// Compiles the built-in packs alone.
///
/// # Errors
///
/// All their mistakes, as people read them.
pub fn built_in() -> Result<Compiled, String> {
    let input = Input { build: "", compiled_at: 0, packs: PACKS, programs: PROGRAMS, ..Input::default() };
    compile(&input).map_err(|mistakes| input.render(&mistakes, false))
}

/// How long a process waits for another one that compiles the same policy: tries, and milliseconds between them.
const TURN: (u32, u64) = (400, 20);

/// The bytes of the compiled policy. Of several processes that need it one compiles it, and the others take what it keeps.
///
/// # Errors
///
/// As [`compile_layers`].
pub fn compile_in_turn(found: &[FoundLayer], around: &Surroundings, world: &World) -> Result<Vec<u8>, Failure> {
    let begin = |folder: &std::path::Path| record::open(&folder.join(state::COMPILING));
    let file = record::in_first(&around.memory, begin).ok();
    let waited = file.as_ref().is_some_and(|file| file.try_lock().is_err() && record::lock(file, TURN.0, Duration::from_millis(TURN.1)).is_ok());
    if let Some(bytes) = waited.then(|| kept_policy(found, around, world)).flatten() {
        return Ok(bytes);
    }
    let now = u64::try_from(system::now_ns()).unwrap_or(0);
    let quick = with_input(found, around, now, |_| None, |input| compile_quickly(input, PIECES))?;
    let Some(bytes) = quick else { return compile_layers(found, around, world).map(|compiled| compiled.bytes) };
    keep(&bytes, around, world);
    Ok(bytes)
}

/// Compiles the layers that were found, and writes the cache. A cache that cannot be written costs time, not safety.
///
/// # Errors
///
/// [`Failure::Unreadable`] for a file that cannot be read, [`Failure::PolicyInvalid`] with all mistakes.
pub fn compile_layers(found: &[FoundLayer], around: &Surroundings, world: &World) -> Result<Compiled, Failure> {
    let begun = u64::try_from(system::now_ns()).unwrap_or(0);
    let compiled = match compile_with(found, around, |_| None) {
        Err(Failure::PolicyInvalid(mistakes)) if layers::settled(found, begun) => {
            let _ = state::write(&world.states, &around.root, state::MISTAKES, format!("{}\n{mistakes}", layers::key(found)).as_bytes());
            return Err(Failure::PolicyInvalid(mistakes));
        }
        compiled => compiled?,
    };
    keep(&compiled.bytes, around, world);
    Ok(compiled)
}

/// Writes the cache. A cache that cannot be written costs time, not safety.
fn keep(bytes: &[u8], around: &Surroundings, world: &World) {
    let _ = state::remove(&world.states, &around.root, state::MISTAKES);
    // The mark is there before the policy that needs it, and goes after it.
    let looks = Policy::open(bytes).is_some_and(|policy| policy.tests_first.is_some() || policy.looks_at_ended_calls());
    if looks {
        let _ = state::write(&world.states, &around.root, state::ENDED, b"");
    }
    let signs = Policy::open(bytes).and_then(|policy| signs(&policy));
    if let Some(signs) = &signs {
        let _ = state::write(&world.states, &around.root, state::GATES, signs.as_bytes());
    }
    let _ = state::write_policy(&world.states, &around.root, bytes);
    let section = Policy::open(bytes).and_then(|policy| policy.tiers()).and_then(|tiers| tiers.record);
    let _ = section.map_or_else(|| record::keep(&around.memory, 0, 0), |section| record::keep(&around.memory, section.days, section.megabytes));
    if signs.is_none() {
        let _ = state::remove(&world.states, &around.root, state::GATES);
    }
    if !looks {
        let _ = state::remove(&world.states, &around.root, state::ENDED);
    }
}

/// Compiles layers. `told` can give a text that is used in place of a layer's file, or say that the file does not exist.
///
/// # Errors
///
/// As [`compile_layers`].
pub fn compile_with(found: &[FoundLayer], around: &Surroundings, told: impl Fn(&FoundLayer) -> Option<Option<String>>) -> Result<Compiled, Failure> {
    let begun = u64::try_from(system::now_ns()).unwrap_or(0);
    with_input(found, around, begun, told, |input| compile(input).map_err(|mistakes| Failure::PolicyInvalid(input.render(&mistakes, false))))?
}

/// As [`compile_with`], for those who need no examples.
///
/// # Errors
///
/// As [`compile_layers`].
pub fn bytes_with(found: &[FoundLayer], around: &Surroundings, told: impl Fn(&FoundLayer) -> Option<Option<String>>) -> Result<Vec<u8>, Failure> {
    let now = u64::try_from(system::now_ns()).unwrap_or(0);
    with_input(found, around, now, told, |input| match compile_quickly(input, PIECES) {
        Some(bytes) => Ok(bytes),
        None => compile(input).map(|compiled| compiled.bytes).map_err(|mistakes| Failure::PolicyInvalid(input.render(&mistakes, false))),
    })?
}

/// Reads the files of the layers, and gives them to `work` with what is shipped.
fn with_input<T>(
    found: &[FoundLayer],
    around: &Surroundings,
    compiled_at: u64,
    told: impl Fn(&FoundLayer) -> Option<Option<String>>,
    work: impl FnOnce(&Input) -> T,
) -> Result<T, Failure> {
    let mut texts = Vec::new();
    for file in found {
        let path = file.path.display().to_string();
        let unreadable = |why: String| Failure::Unreadable { path: path.clone(), why };
        let read = || match fs::metadata(&file.path) {
            // Reading a pipe would wait.
            Ok(found) if !found.is_file() => Err(unreadable("it is not a regular file".to_owned())),
            _ => fs::read_to_string(&file.path).map_err(|error| unreadable(error.to_string())),
        };
        let text = match told(file) {
            Some(text) => text,
            None if file.identity.is_empty() => None,
            None => Some(read()?),
        };
        texts.extend(text.map(|text| (file.layer, path, text)));
    }
    let shown = |path: &str| path.strip_prefix(&format!("{}/", around.root.display())).unwrap_or(path).to_owned();
    let texts: Vec<_> = texts.into_iter().map(|(layer, path, text)| (layer, shown(&path), text)).collect();
    let layers: Vec<PolicySource> = texts.iter().map(|(layer, path, text)| PolicySource { layer: *layer, path, text }).collect();
    let paths: Vec<String> = found.iter().map(|file| file.path.display().to_string()).collect();
    let files = found.iter().zip(&paths).map(|(file, path)| LayerFile { layer: file.layer, path, identity: file.identity.clone() }).collect();
    Ok(work(&Input { build: BUILD, compiled_at, packs: PACKS, programs: PROGRAMS, layers: &layers, files, all_packs: false }))
}
