//! Programs that came in some package: what `update` says of each, how a release is installed, and which path `init` writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{COLD, Said, Scratch, hook_path, run};
use gate::world::state;

/// Both programs in a folder of the home; a link where the file system allows it, for they are large.
fn put(scratch: &Scratch, folder: &str) -> PathBuf {
    let folder = scratch.home().join(folder);
    fs::create_dir_all(&folder).unwrap();
    for (from, name) in [(COLD, "portcullis"), (hook_path(), "portcullis-hook")] {
        let to = folder.join(name);
        fs::hard_link(from, &to).or_else(|_| fs::copy(from, &to).map(drop)).unwrap();
    }
    folder.join("portcullis")
}

fn made(scratch: &Scratch, path: &str) {
    let path = scratch.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "{}").unwrap();
}

fn said(scratch: &Scratch, program: &Path, arguments: &[&str]) -> Said {
    run(scratch.command(program.to_str().unwrap()).env_remove("CLAUDE_PROJECT_DIR").args(arguments), b"")
}

#[test]
fn update_knows_how_each_package_is_updated() {
    let wheel = |prefix: &str| format!("{prefix}/lib/python3.13/site-packages/portcullis_gate-0.1.0.dist-info/METADATA");
    for (folder, beside, installed, command) in [
        ("npm/lib/node_modules/portcullis/bin", String::new(), "npm installed it for all projects", "npm install --global ./portcullis-"),
        ("web/node_modules/portcullis/bin", "web/package.json".to_owned(), "for the project ", "npm install --save-dev ./portcullis-"),
        ("env/bin", wheel("env"), "pip installed it", "-m pip install ./portcullis_gate-"),
        ("pipx/venvs/portcullis-gate/bin", wheel("pipx/venvs/portcullis-gate"), "pipx", "pipx install --force ./portcullis_gate-"),
        ("share/uv/tools/portcullis-gate/bin", wheel("share/uv/tools/portcullis-gate"), "uv", "uv tool install --force ./portcullis_gate-"),
        ("brew/Cellar/portcullis/0.1.0/bin", String::new(), "Homebrew", "brew upgrade portcullis"),
        (".cargo/bin", String::new(), "cargo", "cargo binstall --git "),
        ("opt/bin", String::new(), "an archive of a release", "portcullis-*/portcullis install"),
    ] {
        let scratch = Scratch::new();
        let program = put(&scratch, folder);
        if !beside.is_empty() {
            made(&scratch, &beside);
        }
        let found = said(&scratch, &program, &["update", "--json"]);
        let value: Value = serde_json::from_str(&found.stdout).unwrap_or_else(|error| panic!("{error}: {found:?}"));
        assert!(value["installed"].as_str().unwrap().contains(installed), "{folder}: {value}");
        let mut ways: Vec<String> = value["commands"].as_array().unwrap().iter().map(|one| words(&one["command"]).join(" ")).collect();
        ways.extend(value["by_hand"].as_str().map(str::to_owned));
        assert!(ways.iter().any(|way| way.contains(command)), "{folder}: {value}");
        // What a package brought goes with it.
        let kept = said(&scratch, &program, &["uninstall", "--dry-run"]).stdout;
        assert_eq!(kept.contains("a package brought them"), folder != "opt/bin", "{folder}: {kept}");
        // Nothing is run where nobody can be asked.
        let told = said(&scratch, &program, &["update"]);
        assert!(told.code == 0 && told.stdout.contains("to update:") && !told.stdout.contains("updated"), "{folder}: {told:?}");
    }
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_update_of_a_source_tree_pulls_and_installs() {
    let scratch = Scratch::new();
    let program = put(&scratch, ".local/bin");
    let (folder, tree) = (program.parent().unwrap(), scratch.home().join("src/portcullis"));
    fs::create_dir_all(&tree).unwrap();
    state::write(&scratch.world().states, folder, state::SOURCE, tree.as_os_str().as_encoded_bytes()).unwrap();
    for name in ["git", "cargo"] {
        let tool = scratch.home().join("tools").join(name);
        fs::create_dir_all(tool.parent().unwrap()).unwrap();
        fs::write(&tool, format!("#!/bin/sh\necho \"$PWD: {name} $*\" >>\"$HOME/ran\"\n")).unwrap();
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let update = |arguments: &[&str], agent: bool| {
        let mut command = scratch.command(program.to_str().unwrap());
        command.env_remove("CLAUDE_PROJECT_DIR").env("PATH", scratch.home().join("tools"));
        if agent {
            command.env("CLAUDECODE", "1");
        }
        run(command.arg("update").args(arguments), b"")
    };
    assert_eq!(update(&["--dry-run"], false).code, 0);
    let refused = update(&["--yes"], true);
    assert!(refused.code == 1 && refused.stderr.contains("an agent runs this"), "{refused:?}");
    assert!(!scratch.home().join("ran").exists());
    let done = update(&["--yes"], false);
    assert!(done.code == 0 && done.stdout.contains("updated"), "{done:?}");
    let (tree, prefix) = (tree.display(), scratch.home().join(".local"));
    let ran = fs::read_to_string(scratch.home().join("ran")).unwrap();
    assert_eq!(ran, format!("{tree}: git pull --ff-only\n{tree}: cargo run --release -- install --prefix {}\n", prefix.display()));
    fs::write(scratch.home().join("tools/git"), "#!/bin/sh\nexit 1\n").unwrap();
    let failed = update(&["--yes"], false);
    assert!(failed.code == 1 && failed.stderr.contains("the update stopped"), "{failed:?}");
}

#[test]
fn a_release_is_installed_without_cargo() {
    let scratch = Scratch::new();
    let program = put(&scratch, "unpacked");
    for paper in ["CHANGELOG.md", "LICENSE-MIT"] {
        made(&scratch, &format!("unpacked/{paper}"));
    }
    let before = said(&scratch, &program, &[]);
    assert!(before.stdout.contains(&format!("next: {} install", program.display())), "{before:?}");
    let prefix = scratch.home().join("prefix");
    let arguments = ["install", "--prefix", prefix.to_str().unwrap()];
    let done = said(&scratch, &program, &arguments);
    assert!(done.code == 0 && done.stdout.contains("denied by `force-push`"), "{done:?}");
    for name in ["portcullis", "portcullis-hook", "portcullis-git"] {
        assert!(prefix.join("bin").join(name).exists(), "{name}");
    }
    assert!(said(&scratch, &program, &arguments).stderr.contains("is up to date"));
    let installed = prefix.join("bin/portcullis");
    // The folder of the archive can go.
    fs::remove_dir_all(program.parent().unwrap()).unwrap();
    assert!(said(&scratch, &installed, &["init", "--yes"]).stdout.contains("Portcullis is active"));
    assert!(said(&scratch, &installed, &["update"]).stdout.contains("an archive of a release"));
    fs::remove_file(prefix.join("bin/portcullis-hook")).unwrap();
    let broken = said(&scratch, &installed, &["install"]);
    assert!(broken.code == 1 && broken.stderr.contains("fix: "), "{broken:?}");
}

#[test]
fn git_s_hooks_start_the_program_through_a_script() {
    let scratch = Scratch::new();
    let program = put(&scratch, "package/bin");
    let script = program.with_file_name("portcullis-git");
    fs::write(&script, include_str!("../../xtask/packages/portcullis-git.sh")).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(said(&scratch, &script, &["--version"]).stdout.starts_with("portcullis-git "));
    let wrong = said(&scratch, &script, &["no-such-hook"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("no-such-hook"), "{wrong:?}");
}

#[test]
fn the_settings_name_a_path_that_an_update_keeps() {
    let scratch = Scratch::new();
    let program = put(&scratch, "brew/Cellar/portcullis/0.1.0/bin");
    fs::create_dir_all(scratch.home().join("brew/opt")).unwrap();
    symlink(program.parent().unwrap().parent().unwrap(), scratch.home().join("brew/opt/portcullis")).unwrap();
    assert_eq!(said(&scratch, &program, &["init", "--yes"]).code, 0);
    let settings = fs::read_to_string(scratch.repo().join(".claude/settings.local.json")).unwrap();
    let lasting = scratch.home().join("brew/opt/portcullis/bin/portcullis-hook");
    assert!(settings.contains(lasting.to_str().unwrap()) && !settings.contains("Cellar"), "{settings}");
}

#[test]
fn an_option_decides_about_colours() {
    let scratch = Scratch::new();
    for (arguments, no_color, coloured) in [
        (&["status"][..], false, false),
        (&["status", "--color", "always"], false, true),
        (&["--color", "always", "status"], true, true),
        (&["--color=never", "status"], false, false),
        (&["--color=auto"], true, false),
    ] {
        let mut command = scratch.command(COLD);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let found = run(command.args(arguments), b"");
        assert!(found.code == 0 && found.stdout.contains('\u{1b}') == coloured, "{arguments:?}: {found:?}");
    }
    assert_eq!(run(scratch.command(COLD).args(["--color", "red"]), b"").code, 2);
}
