//! `portcullis init --client` for each client, as a process: what it writes is started as the client would start it, and
//! `--undo` leaves every file as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clients::wiring::{ClientWiring, HookForm, WIRINGS, calls};
use portcullis::cli::init::scope::Scope;
use portcullis::cli::wiring::trust;
use serde_json::Value;

use crate::cli_init::{PORTCULLIS, as_person, files, portcullis};
use crate::support::{Said, Scratch, hook_path, not_run, package, run};

/// A command that changes nothing, and one that drops commits.
const CALLS: [(&str, bool); 2] = [("git status --short", false), ("git push --force origin main", true)];

#[track_caller]
pub(crate) fn good(said: &Said) {
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
}

/// The file or folder with the hooks of a client.
pub(crate) fn hooks_path(scratch: &Scratch, wiring: &ClientWiring, scope: Scope) -> PathBuf {
    match scope {
        Scope::User => scratch.home().join(wiring.home.folder).join(wiring.user),
        Scope::Project => scratch.repo().join(wiring.project.unwrap()),
        _ => scratch.repo().join(wiring.local.unwrap()),
    }
}

fn scopes(wiring: &ClientWiring) -> Vec<Scope> {
    let project = wiring.project.map(|_| Scope::Project);
    let local = wiring.local.map(|_| Scope::Local);
    [Some(Scope::User), project, local].into_iter().flatten().collect()
}

/// Files of a person's own that a client could have there, by the form of its hooks.
fn texts(wiring: &ClientWiring) -> Vec<Option<String>> {
    let event = wiring.tried().unwrap().event;
    let group = r#"{ "matcher": "x",   "hooks": [ {"type":"command","command":"/usr/bin/true"} ] }"#;
    let texts: Vec<String> = match wiring.form {
        HookForm::Groups { comments, .. } => {
            let mut texts = vec![
                "{}".to_owned(),
                format!("{{\r\n\t\"model\" : \"x\",\r\n\t\"hooks\": {{ \"{event}\": [\r\n\t\t{group}\r\n\t] }}\r\n}}\r\n"),
                "{\"env\":{\"A\":\"b\"}}".to_owned(),
            ];
            if comments {
                texts.push(format!(
                    "// mine\n{{\n   // before\n   \"theme\": \"x\", /* between */ \"hooks\": {{ // hooks\n      \"{event}\": [ /* first */ {group} // last\n      ]\n   }} // behind\n   /* end */\n}}\n"
                ));
                texts.insert(0, "{ // nothing\n}".to_owned());
            }
            texts
        }
        HookForm::Handlers => vec![
            "{\"version\":1}".to_owned(),
            format!("{{\n    \"version\": 1,\n    \"hooks\": {{\n        \"{event}\": [{{ \"command\": \"true\" }}],\n        \"other\": []\n    }}\n}}"),
        ],
        HookForm::Tables { event: key, .. } => vec![
            String::new(),
            format!("# mine\r\nmodel   = \"x\" # odd\r\n\r\n[[hooks]]\r\nname = \"mine\"\r\n{key} = \"{event}\"\r\ncommand = 'true'\r\n\r\n[other]\r\nx = 1"),
        ],
        HookForm::OwnFile | HookForm::Plugin | HookForm::Programs => Vec::new(),
    };
    std::iter::once(None).chain(texts.into_iter().map(Some)).collect()
}

/// The process that a client starts before a tool call, read from the file as it is.
pub(crate) fn started(scratch: &Scratch, wiring: &ClientWiring, path: &Path) -> Command {
    let event = wiring.tried().unwrap();
    let line = |line: &str| {
        let mut command = scratch.command("/bin/sh");
        command.args(["-c", line]);
        command
    };
    let text = || fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut command = match wiring.form {
        HookForm::Programs => {
            let file = [format!("{}.sh", event.event), event.event.to_owned()]
                .into_iter()
                .map(|name| path.join(name))
                .find(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("portcullis")));
            let mut command = scratch.command("/bin/sh");
            command.arg(file.unwrap());
            command
        }
        HookForm::Plugin => {
            let script = format!(
                "import {{ Portcullis }} from {};\n\
                 const call = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n",
                serde_json::to_string(&path.to_string_lossy()).unwrap()
            );
            // A plugin is a module; node needs that ending.
            let module = script.replace("require('node:fs')", "(await import('node:fs'))")
                + "const hooks = await Portcullis(call);\n\
                   try { await hooks[call.event](call.input, call.output) } catch (error) { console.error(error.message); process.exit(2) }\n";
            let mut command = scratch.command("node");
            command.args(["--input-type=module", "-e", &module]);
            command
        }
        HookForm::Tables { event: key, .. } => {
            let table: toml::Table = text().trim_start_matches('\u{feff}').parse().unwrap();
            let hooks = table["hooks"].as_array().unwrap().clone();
            let is_ours = |hook: &toml::Value| hook[key].as_str() == Some(event.event) && hook["command"].as_str().unwrap().contains("portcullis-hook");
            line(hooks.iter().find(|hook| is_ours(hook)).unwrap()["command"].as_str().unwrap())
        }
        _ => {
            let text = text();
            let value: Value = jsonc_parser::parse_to_serde_value(text.trim_start_matches('\u{feff}'), &jsonc_parser::ParseOptions::default()).unwrap();
            let list = value["hooks"][event.event].as_array().unwrap().clone();
            let handlers = list.iter().flat_map(|element| element["hooks"].as_array().cloned().unwrap_or_else(|| vec![element.clone()]));
            let ours = handlers.into_iter().find(|handler| handler.to_string().contains("portcullis-hook")).unwrap();
            match ours["args"].as_array() {
                Some(args) => {
                    let mut command = scratch.command(ours["command"].as_str().unwrap());
                    command.args(args.iter().map(|argument| argument.as_str().unwrap()));
                    command
                }
                None => line(ours["command"].as_str().or_else(|| ours["bash"].as_str()).unwrap()),
            }
        }
    };
    command.env_remove("CLAUDE_PROJECT_DIR");
    command
}

/// What a client sends before a command: as recorded, if there is a sample, else as it is documented.
pub(crate) fn call(wiring: &ClientWiring, command: &str, folder: &Path) -> String {
    let made = calls::made_up(wiring, command, &folder.to_string_lossy(), "s");
    // Cline's payloads call the event otherwise than its files.
    let event = if wiring.form == HookForm::Programs { "tool_call" } else { wiring.tried().unwrap().event };
    let prefix = format!("{}.{event}.", wiring.client.name());
    let samples = fs::read_dir(package().join("tests/events")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(&prefix) && !name.contains("in-subagent")
    });
    let shell = "touch ran";
    let mut samples: Vec<PathBuf> = samples.collect();
    samples.sort();
    let recorded = samples.into_iter().filter_map(|path| fs::read_to_string(path).ok()).find(|text| text.contains(shell));
    let Some(recorded) = recorded else { return made };
    let quoted = serde_json::to_string(command).unwrap();
    let inner = quoted.trim_matches('"');
    let text = recorded.replace("touch ran; echo tool output", inner).replace(shell, inner);
    text.replace("/home/dev/project", &folder.to_string_lossy())
}

/// True if the client does not run the tool on this answer, by what was seen of it (`docs/clients.md`).
pub(crate) fn denies(said: &Said) -> bool {
    let text = "denied by `force-push`";
    (said.code == 2 && said.stderr.contains(text)) || (said.code == 0 && said.stdout.contains(text))
}

fn tries(scratch: &Scratch, wiring: &ClientWiring, path: &Path, folder: &Path) {
    if wiring.form == HookForm::Plugin && Command::new("node").arg("--version").output().is_err() {
        return not_run("node");
    }
    for (command, is_denied) in CALLS {
        let said = run(started(scratch, wiring, path).current_dir(folder), call(wiring, command, folder).as_bytes());
        assert_eq!(denies(&said), is_denied, "{wiring:?} {command}: {said:?}");
        assert!(is_denied || said.code == 0, "{wiring:?} {command}: {said:?}");
    }
}

/// Confirms the hooks of clients that want that, as a person would in the client.
pub(crate) fn confirm(scratch: &Scratch, wiring: &ClientWiring, path: &Path) {
    if wiring.confirm.is_none() {
        return;
    }
    let value: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut rows = Vec::new();
    for (event, groups) in value["hooks"].as_object().unwrap() {
        for (group, element) in groups.as_array().unwrap().iter().enumerate() {
            for (index, handler) in element["hooks"].as_array().unwrap().iter().enumerate() {
                let snake: String =
                    event.chars().flat_map(|sign| if sign.is_uppercase() { vec!['_', sign.to_ascii_lowercase()] } else { vec![sign] }).collect();
                let key = format!("{}:{}:{group}:{index}", path.display(), snake.trim_start_matches('_'));
                let hash = trust::hash_of(event, element.get("matcher"), handler);
                rows.push(format!("[hooks.state.{}]\ntrusted_hash = \"{hash}\"\n", serde_json::to_string(&key).unwrap()));
            }
        }
    }
    if let Some(trust) = wiring.trust {
        let root = serde_json::to_string(&scratch.repo().to_string_lossy()).unwrap();
        rows.push(format!("[{}.{root}]\n{} = \"{}\"\n", trust.table, trust.key, trust.value));
    }
    let folder = scratch.home().join(wiring.home.folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), rows.concat()).unwrap();
}

/// The findings of `doctor` about a client, each as `state text`.
pub(crate) fn findings(said: &Said, part: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", said.stdout, said.stderr));
    let all = value["findings"].as_array().unwrap().iter().filter(|finding| finding["part"] == part);
    all.map(|finding| format!("{} {}", finding["state"].as_str().unwrap(), finding["text"].as_str().unwrap())).collect()
}

#[test]
fn each_client_is_wired_tried_checked_and_unwired_byte_for_byte() {
    for wiring in WIRINGS {
        for scope in scopes(wiring) {
            let mut texts = texts(wiring);
            if scope != Scope::User {
                // The project gets copies of large programs, so there the text with the most in it is enough.
                texts = texts.split_off(texts.len() - 1);
            }
            let last = texts.len() - 1;
            for (at, text) in texts.into_iter().enumerate() {
                let scratch = Scratch::new();
                let path = hooks_path(&scratch, wiring, scope);
                // What is beside the hooks is a person's own.
                let beside = if wiring.form == HookForm::Programs { path.join("notes.txt") } else { path.with_file_name("notes.txt") };
                fs::create_dir_all(beside.parent().unwrap()).unwrap();
                fs::write(&beside, "mine\n").unwrap();
                if let Some(text) = &text {
                    fs::write(&path, text).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
                }
                if wiring.form == HookForm::Programs {
                    fs::write(path.join(wiring.tried().unwrap().event), "#!/bin/sh\necho mine\n").unwrap();
                }
                let state = || (files(&scratch.repo()), files_of_person(&scratch));
                let before = state();
                let (name, scope_name) = (wiring.client.name(), scope.name());
                let init = ["init", "--yes", "--client", name, "--scope", &scope_name];
                good(&portcullis(&scratch, &init));
                let wired = state();
                assert_ne!(wired, before, "{wiring:?} {scope_name}");
                let again = portcullis(&scratch, &init);
                good(&again);
                assert!(again.stdout.starts_with("nothing to do: "), "{}", again.stdout);
                assert_eq!(state(), wired, "a second time changes nothing");
                tries(&scratch, wiring, &path, &scratch.repo());
                if at == last {
                    let config = scratch.home().join(wiring.home.folder).join("config.toml");
                    let before = fs::read(&config).ok();
                    confirm(&scratch, wiring, &path);
                    let said = portcullis(&scratch, &["doctor", "--json"]);
                    let found = findings(&said, name);
                    assert!(found.iter().all(|finding| finding.starts_with("ok ")) && found.len() >= 3, "{wiring:?} {scope_name}: {found:#?}");
                    good(&said);
                    match before {
                        Some(bytes) => fs::write(config, bytes).unwrap(),
                        None => {
                            let _ = fs::remove_file(&config);
                            let _ = fs::remove_dir(config.parent().unwrap());
                        }
                    }
                }
                let undo = ["init", "--yes", "--undo", "--client", name];
                good(&portcullis(&scratch, &undo));
                assert_eq!(state(), before, "{wiring:?} {scope_name}: {text:?}");
                let again = portcullis(&scratch, &undo);
                assert!(again.code == 0 && again.stdout.starts_with("nothing to do: "), "{again:?}");
            }
        }
    }
}

/// The files of a home, without those of Portcullis.
fn files_of_person(scratch: &Scratch) -> Vec<(String, u32, Vec<u8>)> {
    let state = scratch.home().join(".local").to_string_lossy().into_owned();
    files(&scratch.home()).into_iter().filter(|(name, _, _)| !name.starts_with(&state)).collect()
}

/// A program of a client on a `PATH` of its own.
pub(crate) fn install(scratch: &Scratch, name: &str, version: &str) -> String {
    let folder = scratch.home().join("bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), format!("#!/bin/sh\necho '{version}'\n")).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.display())
}

#[test]
fn auto_wires_what_is_used_here_and_says_what_it_left_out() {
    let scratch = Scratch::new();
    let refused = portcullis(&scratch, &["init", "--yes", "--client", "auto"]);
    assert!(refused.code == 1 && refused.stderr.contains("no client was found") && refused.stderr.contains("--client NAME"), "{refused:?}");
    install(&scratch, "gemini", "0.61.0");
    let path = install(&scratch, "codex", "codex-cli 0.171.0");
    fs::create_dir_all(scratch.home().join(".qwen/memory")).unwrap();
    scratch.write(".cursor/rules", "");
    let with = |arguments: &[&str]| run(as_person(&scratch).env("PATH", &path).args(arguments), b"");
    let dry = with(&["init", "--client", "auto", "--dry-run"]);
    good(&dry);
    for part in [
        "hooks.json",
        ".gemini/settings.json",
        ".qwen/settings.json",
        "left out: Cursor (cursor): `.cursor` is in this project",
        "left out: droid (droid): not installed",
    ] {
        assert!(dry.stdout.contains(part), "`{part}` in {}", dry.stdout);
    }
    assert!(!dry.stdout.contains("left out: Codex") && !scratch.home().join(".gemini").exists());
    // Without a name, what is used is wired; Claude Code is not here.
    let said = with(&["init", "--yes"]);
    good(&said);
    for part in [
        "Claude Code was not found",
        "Codex, Gemini CLI, Qwen Code: scope user",
        "Codex: not active until you confirm it: start `codex`",
        "active in Gemini CLI, Qwen Code",
    ] {
        assert!(said.stdout.contains(part), "`{part}` in {}", said.stdout);
    }
    assert!(!scratch.repo().join(".claude").exists());
    let value: Value = serde_json::from_str(&with(&["status", "--json"]).stdout).unwrap();
    let wired: BTreeMap<&str, &str> =
        value["wired"].as_array().unwrap().iter().map(|wired| (wired["client"].as_str().unwrap(), wired["scope"].as_str().unwrap())).collect();
    assert_eq!(wired, BTreeMap::from([("codex", "user"), ("gemini", "user"), ("qwen", "user")]));
    assert!(with(&["status"]).stdout.contains("wired   Codex, scope user, "), "{}", with(&["status"]).stdout);
    good(&with(&["init", "--yes", "--undo", "--client", "auto"]));

    // With Claude Code, that is wired, and the others are named.
    install(&scratch, "claude", "2.1.332 (Claude Code)");
    let said = with(&["init", "--yes", "--no-policy"]);
    good(&said);
    let note = "also here, and not protected by this: Codex, Gemini CLI, Qwen Code; `portcullis init --client auto`";
    assert!(said.stdout.contains(note) && said.stdout.contains("Portcullis is active, also in running sessions"), "{}", said.stdout);
    let doctor = with(&["doctor", "--json"]);
    good(&doctor);
    assert!(findings(&doctor, "codex").iter().any(|finding| finding.starts_with("warn Codex 0.171.0 is used on this machine")), "{}", doctor.stdout);
    let undo = with(&["init", "--yes", "--undo"]);
    good(&undo);
    let several = with(&["init", "--yes", "--client", "claude-code,gemini", "--json"]);
    let value: Value = serde_json::from_str(&several.stdout).unwrap();
    let clients = value["clients"].as_array().unwrap();
    assert_eq!(clients.iter().map(|client| client["client"].as_str().unwrap()).collect::<Vec<_>>(), ["claude-code", "gemini"]);
    assert!(clients.iter().all(|client| client["refusal"].as_str().unwrap().starts_with("denied by `force-push`")), "{value}");
    let undo = with(&["init", "--yes", "--undo"]);
    assert!(undo.stdout.contains("Portcullis stays in Gemini CLI"), "{}", undo.stdout);
}

#[test]
fn a_scope_that_a_client_does_not_have_is_said() {
    let scratch = Scratch::new();
    let said = portcullis(&scratch, &["init", "--yes", "--client", "kimi", "--scope", "project"]);
    assert!(said.code == 0 && said.stdout.contains("Kimi Code is not known to have hooks of a project; your own for all projects are used"), "{said:?}");
    assert!(scratch.home().join(".kimi-code/config.toml").exists());
    let said = portcullis(&scratch, &["init", "--yes", "--client", "codex", "--scope", "local"]);
    assert!(said.code == 0 && said.stdout.contains("no settings of one person for one project"), "{said:?}");
    assert!(!scratch.repo().join("portcullis.toml").exists());
    good(&portcullis(&scratch, &["init", "--yes", "--client", "codex", "--profile", "solo"]));
    assert!(fs::read_to_string(scratch.repo().join("portcullis.toml")).unwrap().contains("schema = 1"));
    fs::remove_file(scratch.repo().join("portcullis.toml")).unwrap();
    let said = portcullis(&scratch, &["init", "--yes", "--client", "codex", "--scope", "managed"]);
    assert!(said.code == 1 && said.stderr.contains("cannot write an administrator's settings of Codex"), "{said:?}");
    let said = portcullis(&scratch, &["init", "--yes", "--client", "generic"]);
    assert!(said.code == 1 && said.stderr.contains("portcullis-hook PreToolUse generic 50"), "{said:?}");
    let said = portcullis(&scratch, &["init", "--client", "nobody"]);
    assert!(said.code == 2 && said.stderr.contains("possible values: auto, "), "{said:?}");
    // Both are judged from one project folder, and what one of them needs stays.
    good(&portcullis(&scratch, &["init", "--yes", "--client", "claude-code,gemini", "--scope", "project"]));
    good(&portcullis(&scratch, &["init", "--yes", "--undo", "--client", "gemini", "--scope", "project"]));
    assert!(scratch.repo().join(".portcullis/bin/portcullis-hook").exists() && scratch.repo().join("portcullis.toml").exists());
    good(&portcullis(&scratch, &["init", "--yes", "--undo", "--client", "auto"]));
    assert!(!scratch.repo().join(".portcullis").exists() && !scratch.repo().join("portcullis.toml").exists() && !scratch.repo().join(".gemini").exists());
}

#[test]
fn settings_that_cannot_be_read_are_left_alone() {
    for wiring in WIRINGS {
        let (texts, place) = match wiring.form {
            HookForm::Tables { .. } => (vec!["a = = 1\n", "hooks = 3\n"], ":1:"),
            HookForm::Groups { comments: true, .. } => (vec!["{ \"a\": 1, }", "{ \"hooks\": []}", "[]", ""], ":1:"),
            HookForm::Groups { .. } | HookForm::Handlers => (vec!["\u{feff}{\n}", "{\n  // mine\n}", "{\n \"version\": 1, \"hooks\": 3}"], ""),
            HookForm::OwnFile | HookForm::Plugin => (vec!["somebody else's"], "did not make it"),
            HookForm::Programs => continue,
        };
        for text in texts {
            let scratch = Scratch::new();
            let path = hooks_path(&scratch, wiring, Scope::User);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            let before = files_of_person(&scratch);
            let said = portcullis(&scratch, &["init", "--yes", "--client", wiring.client.name()]);
            assert!(said.code == 1 && said.stderr.contains("was left as it is") && said.stderr.contains(place), "{wiring:?} {text}: {said:?}");
            assert_eq!(files_of_person(&scratch), before);
        }
    }
}

/// What a hook that is missing or crashes means: the line, the file or the client denies.
#[test]
fn a_hook_that_cannot_be_started_denies() {
    let scratch = Scratch::new();
    let tools = scratch.home().join("my tools (old)");
    fs::create_dir_all(&tools).unwrap();
    for name in ["portcullis", "portcullis-hook"] {
        fs::copy(Path::new(hook_path()).with_file_name(name), tools.join(name)).unwrap();
    }
    let there = |arguments: &[&str]| run(scratch.command(tools.join("portcullis").to_str().unwrap()).env_remove("CLAUDE_PROJECT_DIR").args(arguments), b"");
    let names: Vec<&str> = WIRINGS.iter().map(|wiring| wiring.client.name()).collect();
    good(&there(&["init", "--yes", "--client", &names.join(",")]));
    let answers = |what: &str| {
        for wiring in WIRINGS.iter().filter(|wiring| matches!(wiring.guard, clients::wiring::FailureGuard::Line | clients::wiring::FailureGuard::File)) {
            if wiring.form == HookForm::Plugin && Command::new("node").arg("--version").output().is_err() {
                continue;
            }
            let path = hooks_path(&scratch, wiring, Scope::User);
            let said = run(&mut started(&scratch, wiring, &path), call(wiring, "git status", &scratch.repo()).as_bytes());
            // A plugin shows what the hook said before its end.
            let text = if wiring.form == HookForm::Plugin { "" } else { "denied: Portcullis could not be started" };
            let denied = said.stderr.contains(text) && !said.stderr.trim().is_empty() && said.code == 2;
            assert!(denied || said.stdout.contains("\"cancel\":true"), "{what} {wiring:?}: {said:?}");
        }
    };
    for (what, text) in [("crashes", "#!/bin/sh\nkill -SEGV $$\n"), ("exits with 1", "#!/bin/sh\nexit 1\n"), ("has another format", "\u{7f}ELF")] {
        fs::remove_file(tools.join("portcullis-hook")).unwrap();
        fs::write(tools.join("portcullis-hook"), text).unwrap();
        fs::set_permissions(tools.join("portcullis-hook"), fs::Permissions::from_mode(0o755)).unwrap();
        answers(what);
    }
    fs::remove_file(tools.join("portcullis-hook")).unwrap();
    answers("is missing");
}

/// One `git` command that must succeed.
fn git(scratch: &Scratch, folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", scratch.home()).current_dir(folder);
    let said = run(git.args(["-c", "user.name=A", "-c", "user.email=a@b"]).args(arguments), b"");
    assert_eq!(said.code, 0, "{arguments:?}: {}", said.stderr);
    said.stdout
}

/// Every linked work tree, and one that is made later, is protected by one `init`; git sees no change in any of them.
#[test]
fn all_linked_work_trees_are_reached() {
    let scratch = Scratch::new();
    scratch.write("a.txt", "a\n");
    git(&scratch, &scratch.repo(), &["add", "a.txt"]);
    git(&scratch, &scratch.repo(), &["commit", "-q", "-m", "a"]);
    let tree = |at: usize| scratch.home().join(format!("trees/tree {at}"));
    let add = |at: usize| git(&scratch, &scratch.repo(), &["worktree", "add", "-q", "-b", &format!("b{at}"), tree(at).to_str().unwrap()]);
    for at in 0..5 {
        add(at);
    }
    let names: Vec<&str> = std::iter::once("claude-code").chain(WIRINGS.iter().map(|wiring| wiring.client.name())).collect();
    // From one of the linked ones.
    good(&run(as_person(&scratch).current_dir(tree(3)).args(["init", "--yes", "--no-policy", "--client", &names.join(",")]), b""));
    confirm(&scratch, ClientWiring::named("codex").unwrap(), &scratch.home().join(".codex/hooks.json"));
    add(5);
    for folder in (0..6).map(tree).chain([scratch.repo()]) {
        assert_eq!(git(&scratch, &folder, &["status", "--porcelain"]), "", "{}", folder.display());
        for wiring in WIRINGS.iter().filter(|wiring| wiring.form != HookForm::Plugin) {
            tries(&scratch, wiring, &hooks_path(&scratch, wiring, Scope::User), &folder);
        }
        let doctor = run(as_person(&scratch).current_dir(&folder).args(["doctor", "--json"]), b"");
        good(&doctor);
        let value: Value = serde_json::from_str(&doctor.stdout).unwrap();
        assert_eq!(value["state"], "ok", "{}", doctor.stdout);
        let status = run(as_person(&scratch).current_dir(&folder).args(["status", "--json"]), b"");
        let value: Value = serde_json::from_str(&status.stdout).unwrap();
        assert_eq!((value["wired"].as_array().unwrap().len(), &value["active"]), (names.len(), &true.into()), "{}", status.stdout);
    }
    good(&run(as_person(&scratch).current_dir(tree(1)).args(["init", "--yes", "--undo", "--client", "auto"]), b""));
    let status = run(as_person(&scratch).current_dir(tree(4)).args(["status", "--json"]), b"");
    let value: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(value["wired"].as_array().unwrap().len(), 0, "{}", status.stdout);
}

/// Killed at each of its writes, `init` leaves nothing that a second run does not finish; so does `--undo`.
#[test]
fn a_run_that_is_killed_can_be_run_again() {
    if Command::new("strace").arg("-V").output().is_err() {
        return not_run("strace");
    }
    // A project has copies of large programs, so there not each write is tried.
    for (scope, step) in [("user", 1), ("project", 9)] {
        let arguments = ["--yes", "--client", "claude-code,codex,vibe,cline", "--scope", scope];
        let scratch = Scratch::new();
        let state = || {
            let mut all = files(&scratch.repo());
            all.extend(files_of_person(&scratch));
            all.retain(|(name, _, _)| !name.rsplit('/').next().is_some_and(|name| name.starts_with(".portcullis-")));
            all
        };
        let before = state();
        let init = |undo: bool, killed: Option<usize>| -> Said {
            let mut words: Vec<&str> = vec!["init"];
            words.extend(undo.then_some("--undo"));
            words.extend(arguments);
            let Some(at) = killed else { return portcullis(&scratch, &words) };
            let calls = if undo { "unlink,unlinkat,rename,renameat,renameat2" } else { "rename,renameat,renameat2" };
            let inject = format!("inject={calls}:signal=KILL:when={at}");
            let mut command = scratch.command("/usr/bin/strace");
            run(command.env_remove("CLAUDE_PROJECT_DIR").args(["-qq", "-o", "/dev/null", "-e", &inject, PORTCULLIS]).args(words), b"")
        };
        good(&init(false, None));
        let wired = state();
        for undo in [true, false] {
            let (from, to) = if undo { (&wired, &before) } else { (&before, &wired) };
            let mut kills = 0;
            for when in (1..).step_by(step) {
                if init(undo, Some(when)).code == 0 {
                    break;
                }
                kills += 1;
                // No file is half of anything.
                for (name, _, bytes) in state() {
                    assert!(from.iter().chain(to.iter()).any(|(other, _, text)| *other == name && *text == bytes), "{name} after kill {when}");
                }
                good(&init(undo, None));
                assert!(state() == *to, "after kill {when}: {:?}", state().iter().map(|(name, _, _)| name).collect::<Vec<_>>());
                good(&init(!undo, None));
                let now = state();
                let differs = |one: &[(String, u32, Vec<u8>)], other: &[(String, u32, Vec<u8>)]| {
                    one.iter()
                        .filter(|file| !other.contains(file))
                        .map(|(name, mode, text)| format!("{name} {mode:o} {}", String::from_utf8_lossy(text).chars().take(3000).collect::<String>()))
                        .collect::<Vec<_>>()
                };
                assert!(now == *from, "{:#?} {:#?}", differs(&now, from), differs(from, &now));
            }
            assert!(kills >= 2, "{kills}");
            good(&init(undo, None));
        }
    }
}

/// The hash is the one that Codex 0.171.0 itself names for these entries (`hooks/list` of its server).
#[test]
fn the_hash_of_a_hook_is_the_clients_own() {
    let hash = |event: &str, command: &str, timeout: u32| {
        trust::hash_of(event, None, &serde_json::json!({ "type": "command", "command": command, "timeout": timeout }))
    };
    assert_eq!(hash("PreToolUse", "/x/portcullis-hook PreToolUse codex 50", 60), "sha256:5fd0f4f847927d88bc8a8622ac647223e8f40292cab8aeaa1d37fa7784b63983");
    assert_eq!(hash("SessionEnd", "/x/portcullis-hook SessionEnd codex 2", 3), "sha256:201b5faebd6be6e397adb53b1b4e233a06a1125402aed0af2c8f1d54c529fd31");
}

/// A person can move a client's configuration; that is no sign of an agent, and `init` follows it.
#[test]
fn configuration_that_was_moved_is_found() {
    for wiring in WIRINGS {
        let Some(variable) = wiring.home.variable else { continue };
        let scratch = Scratch::new();
        let moved = scratch.home().join("moved");
        let with = |arguments: &[&str]| run(as_person(&scratch).env(variable, &moved).args(arguments), b"");
        let path = moved.join(wiring.home.below).join(wiring.user);
        good(&with(&["init", "--yes", "--client", wiring.client.name()]));
        assert!(path.exists() && !hooks_path(&scratch, wiring, Scope::User).exists(), "{}", path.display());
        good(&with(&["init", "--yes", "--undo", "--client", wiring.client.name()]));
        assert!(!path.exists(), "{variable}");
    }
}
