//! The compiled policy as a file that is read piece by piece: whatever becomes of it, a call is judged rightly or denied.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Scratch, hook_path, run};
use actions::wire::is_intact;
use policy::MAGIC;

/// A rule of the project, beside the built-in ones.
const POLICY: &str = r#"schema = 1
[[rule]]
name    = "stage-dropped"
tier    = 4
run     = { program = "stagectl", arg = "drop" }
reason  = "the stage is shared"
instead = "ask the team"
catches = ["stagectl drop"]
spares  = ["stagectl list"]
"#;
/// Bytes that are changed, spread over the file.
const CHANGED: usize = 24;

fn call(scratch: &Scratch, command: &str) -> String {
    scratch.hook("PreToolUse", scratch.payload("Bash", &format!(r#"{{"command":"{command}"}}"#), "default").as_bytes()).short()
}

/// The compiled policy of the only repository.
fn kept(scratch: &Scratch) -> PathBuf {
    let folders = fs::read_dir(scratch.home().join(".local/state/portcullis")).unwrap();
    folders.map(|folder| folder.unwrap().path().join("policy")).find(|path| path.is_file()).unwrap()
}

fn is_right(scratch: &Scratch, about: &str) {
    for (command, right) in [("stagectl drop", "deny stage-dropped"), ("git push --force", "deny force-push"), ("ls", "free")] {
        let said = call(scratch, command);
        assert!(said == right || said == "failure", "{about}: `{command}` is {said}");
    }
}

#[test]
fn a_damaged_policy_is_compiled_anew_or_denies() {
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    is_right(&scratch, "as it is");
    // A policy file as young as what was compiled from it proves nothing.
    std::thread::sleep(std::time::Duration::from_millis(60));
    is_right(&scratch, "compiled again");
    let whole = fs::read(kept(&scratch)).unwrap();
    assert!(is_intact(MAGIC, &whole));
    for number in 0..CHANGED {
        let at = (number * 7919 + number * number * 104_729) % whole.len();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (number % 8);
        assert!(!is_intact(MAGIC, &bytes), "byte {at} is covered by no checksum");
        fs::write(kept(&scratch), &bytes).unwrap();
        is_right(&scratch, &format!("byte {at} is another"));
    }
    for length in [0, 1, MAGIC.len(), MAGIC.len() + 40, 4096, 65536, whole.len() / 2, whole.len() - 1] {
        fs::write(kept(&scratch), &whole[..length]).unwrap();
        is_right(&scratch, &format!("cut to {length} bytes"));
    }
    let path = kept(&scratch);
    fs::rename(&path, path.with_extension("other")).unwrap();
    std::os::unix::fs::symlink(path.with_extension("other"), &path).unwrap();
    is_right(&scratch, "behind a link");
}

#[test]
fn eight_calls_right_after_a_change_are_judged_rightly() {
    let scratch = Scratch::new();
    for round in 0..2 {
        scratch.write("portcullis.toml", &format!("{POLICY}# {round}\n"));
        let said: Vec<(&str, String)> = std::thread::scope(|scope| {
            let calls = ["ls", "stagectl drop"].repeat(4);
            let started: Vec<_> = calls.into_iter().map(|command| (command, scope.spawn(|| call(&scratch, command)))).collect();
            started.into_iter().map(|(command, call)| (command, call.join().unwrap())).collect()
        });
        for (command, said) in said {
            assert_eq!(said, if command == "ls" { "free" } else { "deny stage-dropped" }, "`{command}` in round {round}");
        }
    }
}

#[test]
fn without_a_home_that_can_be_written_to_it_is_kept_in_memory() {
    if !Path::new("/dev/shm").is_dir() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("portcullis.toml", POLICY);
    let payload = scratch.payload("Bash", r#"{"command":"stagectl drop"}"#, "default");
    let hook = || {
        let mut command = scratch.command(hook_path());
        command.arg("PreToolUse").env("HOME", "/dev/null/home").env("PORTCULLIS_TEST_PASSWORD_HOME", "/dev/null/home");
        run(&mut command, payload.as_bytes()).short()
    };
    assert_eq!(hook(), "deny stage-dropped");
    let user = std::os::unix::fs::MetadataExt::uid(&fs::metadata(scratch.repo()).unwrap());
    let name = gate::world::state::folder_name(&scratch.repo());
    let folder = PathBuf::from(format!("/dev/shm/portcullis-{user}")).join(name);
    assert!(folder.join("policy").is_file(), "{} has no policy", folder.display());
    assert_eq!(hook(), "deny stage-dropped");
    fs::remove_dir_all(folder).unwrap();
}
