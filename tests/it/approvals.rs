//! Approvals through the real binaries: a person on a terminal, and every way around one that must fail.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use git2::Repository;

use crate::support::{COLD, Said, Scratch, commit_files, git_path, hook_path, json, run};

/// The passphrase of the key that is made up here.
const PASSPHRASE: &str = "made-up words";
const KEYGEN: &str = "/usr/bin/ssh-keygen";
const SCRIPT: &str = "/usr/bin/script";
/// A rule that both doors know.
const RULE: &str = r#"
[[rule]]
name    = "main-push"
tier    = 3
push    = { refs = ["main"] }
reason  = "everybody gets what is on main"
instead = "push a branch"
catches = ["git push origin main"]
spares  = ["git push origin topic"]
"#;

/// A repository with a commit, a home with a key that may sign, and a person's policy that names it.
pub(crate) struct Desk {
    pub(crate) scratch: Scratch,
}

/// What a person sees on a terminal, and the exit code.
struct Shown {
    text: String,
    code: String,
}

impl Desk {
    fn new(approval: &str) -> Self {
        let desk = Self { scratch: Scratch::new() };
        let home = desk.scratch.home();
        fs::create_dir_all(home.join(".config/portcullis")).unwrap();
        Desk::make_key(&home.join(".config/portcullis/approval_key"), PASSPHRASE);
        desk.allow("approver", &home.join(".config/portcullis/approval_key.pub"));
        desk.policy(approval);
        desk.scratch.write("a.txt", "one\n");
        commit_files(&desk.repository(), &["a.txt"], "first");
        desk
    }

    fn keyed() -> Self {
        Self::new("signers = \"~/.config/portcullis/allowed_signers\"")
    }

    fn repository(&self) -> Repository {
        Repository::open(self.scratch.repo()).unwrap()
    }

    fn policy(&self, approval: &str) {
        fs::write(self.scratch.home().join(".config/portcullis/portcullis.toml"), format!("schema = 1\n{RULE}\n[approval]\n{approval}\n")).unwrap();
    }

    fn make_key(path: &Path, passphrase: &str) {
        let made = Command::new(KEYGEN).args(["-q", "-t", "ed25519", "-a", "1", "-C", "", "-N", passphrase, "-f"]).arg(path).status().unwrap();
        assert!(made.success());
    }

    /// Lets a key sign.
    fn allow(&self, name: &str, public: &Path) {
        let key = fs::read_to_string(public).unwrap();
        let file = self.scratch.home().join(".config/portcullis/allowed_signers");
        let old = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, format!("{old}{name} namespaces=\"portcullis\" {key}")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What the hook says to a command where nobody can be asked.
    fn hook(&self, command: &str, call: &str) -> Said {
        self.hook_in(command, call, &self.scratch.repo(), "PreToolUse", "bypassPermissions")
    }

    fn hook_in(&self, command: &str, call: &str, cwd: &Path, event: &str, mode: &str) -> Said {
        let payload = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"{mode}","hook_event_name":"{event}","tool_name":"Bash","tool_input":{{"command":{},"description":"{call}"}},"tool_use_id":"{call}"}}"#,
            json(&cwd.to_string_lossy()),
            json(command)
        );
        self.event(event, &payload)
    }

    /// The hook as it is wired, with the time that a client gives it.
    fn event(&self, event: &str, payload: &str) -> Said {
        run(self.scratch.command(hook_path()).args([event, "claude-code", "50"]), payload.as_bytes())
    }

    /// The code of a denied command.
    fn denied(&self, command: &str, call: &str) -> String {
        code_of(&self.hook(command, call))
    }

    /// Runs a command line on a terminal, below no process of the test: a shell starts it and ends at once.
    fn on_terminal(&self, gives: &Path, line: &str, answers: &[(&str, &str)]) -> Shown {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"exec 3<&0; setsid "$0" -qefc "$1" /dev/null <&3 3<&- &"#]).arg(gives).arg(format!("{line}; echo \"rc=$?\""));
        let home = self.scratch.home();
        command.env_clear().current_dir(self.scratch.repo()).env("HOME", &home).env("PORTCULLIS_TEST_PASSWORD_HOME", &home);
        command.env("PATH", "/usr/bin:/bin").env("USER", "dev").env("SHELL", "/bin/sh").env("NO_COLOR", "1").env("TERM", "dumb");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, chunks) = mpsc::channel();
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut block) {
                let _ = sender.send(String::from_utf8_lossy(&block[..length]).into_owned());
            }
        });
        let (mut text, mut from, mut left) = (String::new(), 0, answers.iter());
        let mut next = left.next();
        while let Ok(chunk) = chunks.recv_timeout(Duration::from_mins(1)) {
            text.push_str(&chunk);
            while let Some((_, answer)) = next.filter(|(prompt, _)| text[from..].contains(prompt)) {
                from = text.len();
                // What was typed before the prompt is thrown away.
                std::thread::sleep(Duration::from_millis(150));
                writeln!(input, "{answer}").unwrap();
                next = left.next();
            }
        }
        child.wait().unwrap();
        let text = text.replace('\r', "");
        let code = text.rsplit_once("rc=").map_or("none", |(_, code)| code.trim()).to_owned();
        Shown { text, code }
    }

    /// A person approves with the key.
    fn approve(&self, code: &str) -> Shown {
        self.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("passphrase", PASSPHRASE)])
    }

    fn approved(&self, code: &str) {
        let shown = self.approve(code);
        assert_eq!(shown.code, "0", "{}", shown.text);
    }

    /// A command of ours without a terminal, as it would run for a person's script.
    fn cold(&self, arguments: &[&str]) -> Said {
        run(self.scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(arguments), b"")
    }

    fn states(&self) -> serde_json::Value {
        serde_json::from_str(&self.cold(&["approvals", "--json"]).stdout).unwrap()
    }

    fn state_of(&self, code: &str) -> String {
        let all = self.states();
        let found = all["approvals"].as_array().unwrap().iter().find(|one| one["code"] == code);
        found.map_or_else(|| "unknown".to_owned(), |one| one["state"].as_str().unwrap().to_owned())
    }

    /// The folder with the requests.
    fn folder(&self) -> PathBuf {
        let state = self.scratch.home().join(".local/state/portcullis");
        let found = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path().join("approvals")).find(|path| path.is_dir());
        found.unwrap()
    }

    fn record(&self) -> String {
        fs::read_to_string(self.folder().parent().unwrap().join("record.jsonl")).unwrap()
    }
}

/// The code that a denial shows.
fn code_of(said: &Said) -> String {
    assert_eq!(said.code, 2, "{said:?}");
    let (_, rest) = said.stderr.split_once("approval: code ").unwrap_or_else(|| panic!("no code: {}", said.stderr));
    rest[..9].to_owned()
}

/// Without these two no person can be played.
fn can_play() -> bool {
    Path::new(KEYGEN).is_file() && Path::new(SCRIPT).is_file()
}

#[test]
fn an_approved_call_runs_once_and_is_denied_again() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let first = desk.hook("npm publish", "toolu_1");
    let code = code_of(&first);
    assert!(first.stderr.contains(&format!("`portcullis approve {code}`")) && first.stderr.contains("within 15 min"), "{}", first.stderr);
    // The same call waits under the same code.
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
    assert_eq!(desk.state_of(&code), "pending");

    let wrong = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("passphrase", "not it")]);
    assert_eq!(wrong.code, "1", "{}", wrong.text);
    assert_eq!(desk.denied("npm publish", "toolu_3"), code);

    let shown = desk.approve(&code);
    assert_eq!(shown.code, "0", "{}", shown.text);
    for part in ["npm publish", "package-publication", "others install what is published", "approved"] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    assert_eq!(desk.state_of(&code), "approved");
    let passed = desk.hook("npm publish", "toolu_4");
    assert_eq!((passed.code, passed.stdout.as_str(), passed.stderr.as_str()), (0, "", ""));
    // The client's second hook on the same call, and the question of the client itself.
    assert_eq!(desk.hook("npm publish", "toolu_4").code, 0);
    assert_eq!(desk.hook_in("npm publish", "toolu_4", &desk.scratch.repo(), "PermissionRequest", "bypassPermissions").stdout, "");
    let again = desk.hook("npm publish", "toolu_5");
    assert_ne!(code_of(&again), code);
    assert!(again.stderr.contains(&format!("{code} was used already")), "{}", again.stderr);
    assert_eq!(desk.state_of(&code), "used");
    let line = desk.record().lines().find(|line| line.contains("\"toolu_4\"")).unwrap().to_owned();
    assert!(line.contains(&format!("\"approved\":\"{code} approver SHA256:")) && line.contains("\"tier\":3") && !line.contains("stopped"), "{line}");
    // Nobody approves twice.
    assert!(desk.approve(&code).text.contains("used already"));
}

#[test]
fn whatever_differs_gets_another_code_and_is_named() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    desk.scratch.write("run.sh", "npm publish\n");
    desk.scratch.write("sub/x", "x");
    let code = desk.denied("bash run.sh --tag a", "toolu_1");
    desk.approved(&code);
    let repo = desk.scratch.repo();
    let differs = |said: Said, what: &str| {
        assert_ne!(code_of(&said), code);
        assert!(said.stderr.contains(&format!("{code} was approved for")) && said.stderr.contains(what), "{what}: {}", said.stderr);
    };
    differs(desk.hook("bash run.sh --tag 'a '", "toolu_2"), "the command");
    differs(desk.hook_in("bash ../run.sh --tag a", "toolu_3", &repo.join("sub"), "PreToolUse", "bypassPermissions"), "the folder");
    let sub = desk.hook_in("npm publish", "toolu_4", &repo.join("sub"), "PreToolUse", "bypassPermissions");
    assert_ne!(code_of(&sub), code);
    // A file that the judgement opened is swapped: a line that is harmless, and back again.
    desk.scratch.write("run.sh", "npm publish\n# more\n");
    differs(desk.hook("bash run.sh --tag a", "toolu_5"), "run.sh");
    desk.scratch.write("run.sh", "npm publish\n");
    // Another branch, at the same commit.
    fs::write(repo.join(".git/refs/heads/other"), fs::read(repo.join(".git/refs/heads/main")).unwrap()).unwrap();
    desk.scratch.write(".git/HEAD", "ref: refs/heads/other\n");
    differs(desk.hook("bash run.sh --tag a", "toolu_6"), "the branch");
    desk.scratch.write(".git/HEAD", "ref: refs/heads/main\n");
    // Another policy.
    desk.scratch.write("portcullis.toml", "schema = 1\nprotected = [\"x\"]\n");
    differs(desk.hook("bash run.sh --tag a", "toolu_7"), "the policy");
    fs::remove_file(repo.join("portcullis.toml")).unwrap();
    // Another client, and another agent of it.
    let agent = format!(
        r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"PreToolUse","tool_name":"Bash","agent_id":"a","agent_type":"deployer","tool_input":{{"command":"bash run.sh --tag a"}},"tool_use_id":"toolu_8"}}"#,
        json(&repo.to_string_lossy())
    );
    differs(desk.event("PreToolUse", &agent), "the agent");
    // All of it as it was: the approval is still there, and used now.
    assert_eq!(desk.hook("bash run.sh --tag a", "toolu_9").code, 0);
}

#[test]
fn more_commits_after_the_approval_are_not_pushed() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let code = desk.denied("git push origin main", "toolu_1");
    desk.approved(&code);
    desk.scratch.write("b.txt", "two\n");
    commit_files(&desk.repository(), &["b.txt"], "second");
    let said = desk.hook("git push origin main", "toolu_2");
    assert_ne!(code_of(&said), code);
    assert!(said.stderr.contains("a commit"), "{}", said.stderr);
    // Another place for the remote of the same name.
    let code = desk.denied("git push origin main", "toolu_3");
    desk.approved(&code);
    desk.scratch.write(".git/config", "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://example.com/other\n");
    assert_ne!(desk.denied("git push origin main", "toolu_4"), code);
}

#[test]
fn of_many_processes_at_once_exactly_one_passes() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let code = desk.denied("npm publish", "toolu_0");
    desk.approved(&code);
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let runs: Vec<_> = (1..=8).map(|at| (at, &desk)).map(|(at, desk)| scope.spawn(move || desk.hook("npm publish", &format!("toolu_{at}")).code)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, 0 | 2)), "{codes:?}");
}

#[test]
fn an_approval_ends_and_is_taken_back() {
    if !can_play() {
        return;
    }
    let desk = Desk::new("signers = \"~/.config/portcullis/allowed_signers\"\nlifetime = \"2s\"");
    let code = desk.denied("npm publish", "toolu_1");
    desk.approved(&code);
    std::thread::sleep(Duration::from_millis(2100));
    let late = desk.hook("npm publish", "toolu_2");
    assert_ne!(code_of(&late), code);
    assert!(late.stderr.contains("its time has ended"), "{}", late.stderr);
    assert_eq!(desk.state_of(&code), "expired");

    desk.policy("signers = \"~/.config/portcullis/allowed_signers\"");
    let code = desk.denied("npm publish", "toolu_3");
    desk.approved(&code);
    let revoked = desk.cold(&["revoke", &code.to_lowercase()]);
    assert_eq!(revoked.code, 0, "{}", revoked.stderr);
    assert_ne!(desk.denied("npm publish", "toolu_4"), code);
    assert_eq!(desk.state_of(&code), "revoked");
    assert!(desk.approve(&code).text.contains("was revoked"));
    // The lifetime of the policy holds also for what was signed before it was shortened.
    let code = desk.denied("npm publish", "toolu_5");
    desk.approved(&code);
    desk.policy("signers = \"~/.config/portcullis/allowed_signers\"\nlifetime = \"1m\"");
    assert_ne!(desk.denied("npm publish", "toolu_6"), code);
}

#[test]
fn a_store_that_was_written_by_hand_allows_nothing() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let code = desk.denied("npm publish", "toolu_1");
    let folder = desk.folder();
    let request: serde_json::Value = serde_json::from_slice(&fs::read(folder.join(format!("{code}.request"))).unwrap()).unwrap();
    let digest = request["digest"].as_str().unwrap();
    let now = gate::world::system::now();
    let statement = format!("portcullis approval, format 1\ncode: {code}\ndigest: {digest}\nfrom: {now}\nuntil: {}\n", now + 600);
    let forge = |way: &str, signature: Option<&str>| {
        let record = serde_json::json!({ "format": 1, "statement": statement, "way": way, "by": "dev", "signature": signature });
        fs::write(folder.join(format!("{code}.approval")), record.to_string()).unwrap();
    };
    let sign = |key: &Path, namespace: &str| {
        let said = run(Command::new(KEYGEN).args(["-Y", "sign", "-n", namespace, "-f"]).arg(key), statement.as_bytes());
        assert_eq!(said.code, 0, "{}", said.stderr);
        said.stdout
    };
    // Nobody signed; the agent's own key; a key that may sign for something else.
    let own = desk.scratch.home().join("agents_key");
    Desk::make_key(&own, "");
    for (way, signature) in
        [("terminal", None), ("key", None), ("key", Some("x".to_owned())), ("key", Some(sign(&own, "portcullis"))), ("key", Some(sign(&own, "git")))]
    {
        forge(way, signature.as_deref());
        let said = desk.hook("npm publish", "toolu_2");
        assert_eq!(said.code, 2);
        assert_eq!(desk.state_of(&code), "invalid");
    }
    // The person is shown what is bound, or nothing: a request that shows something else is no request.
    fs::remove_file(folder.join(format!("{code}.approval"))).unwrap();
    let mut changed = request.clone();
    changed["parts"][0][1] = serde_json::json!("Bash\nnpm publish --dry-run\n{}");
    fs::write(folder.join(format!("{code}.request")), changed.to_string()).unwrap();
    assert_eq!(desk.state_of(&code), "unknown");
    assert!(desk.approve(&code).text.contains("there is no request"));
    assert!(desk.cold(&["approvals"]).stdout.contains("its digest is not that of what it shows"));
    // Damaged and foreign files are named, and count for nothing.
    fs::write(folder.join(format!("{code}.request")), "{").unwrap();
    fs::write(folder.join("note"), "x").unwrap();
    fs::write(folder.join("AAAA-BBBB.approval"), "{}").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("CCCC-DDDD.request")).unwrap();
    let (listed, doctor) = (desk.cold(&["approvals"]).stdout, desk.cold(&["doctor"]).stdout);
    for name in [&format!("{code}.request"), "note", "AAAA-BBBB.approval", "CCCC-DDDD.request"] {
        assert!(listed.contains(name) && doctor.contains(name), "{name}:\n{listed}\n{doctor}");
    }
}

#[test]
fn no_repository_says_who_may_sign() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let own = desk.scratch.home().join("agents_key");
    Desk::make_key(&own, "agents words");
    let public = fs::read_to_string(own.with_extension("pub")).unwrap();
    // A file of keys in the project, where nothing names it.
    for place in ["allowed_signers", ".config/portcullis/allowed_signers", ".portcullis/allowed_signers"] {
        desk.scratch.write(place, &format!("agent {public}"));
    }
    let code = desk.denied("npm publish", "toolu_1");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}", own.display()), &[("passphrase", "agents words")]);
    assert!(shown.code == "1" && shown.text.contains("may not sign"), "{}", shown.text);
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
    // The policy of the project, and the local one.
    for file in ["portcullis.toml", ".portcullis/local.toml"] {
        desk.scratch.write(file, "schema = 1\n[approval]\nsigners = \"/tmp/allowed_signers\"\nterminal = true\n");
        let said = desk.hook("npm publish", "toolu_3");
        assert!(said.code == 2 && said.stderr.contains("`[approval]` is not allowed in the"), "{}", said.stderr);
        assert_eq!(desk.hook("ls", "toolu_4").code, 2);
        fs::remove_file(desk.scratch.repo().join(file)).unwrap();
    }
    // A person's policy that names a file which agents can write.
    desk.policy(&format!("signers = \"{}/allowed_signers\"", desk.scratch.repo().display()));
    let code = desk.denied("npm publish", "toolu_5");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}", own.display()), &[("passphrase", "agents words")]);
    assert!(shown.code == "1" && shown.text.contains("is in the repository"), "{}", shown.text);
    assert!(desk.cold(&["doctor"]).stdout.contains("is in the repository"));
}

#[test]
fn a_key_without_a_passphrase_signs_nothing() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let bare = desk.scratch.home().join("bare");
    Desk::make_key(&bare, "");
    desk.allow("bare", &bare.with_extension("pub"));
    let code = desk.denied("npm publish", "toolu_1");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code} --key {}", bare.display()), &[]);
    assert!(shown.code == "1" && shown.text.contains("has no passphrase"), "{}", shown.text);
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
}

#[test]
fn setup_makes_a_key_with_a_passphrase_and_says_what_to_write() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let folder = desk.scratch.home().join(".config/portcullis");
    for file in ["approval_key", "approval_key.pub", "allowed_signers", "portcullis.toml"] {
        fs::remove_file(folder.join(file)).unwrap();
    }
    let setup = format!("{COLD} approve --setup");
    let bare = desk.on_terminal(Path::new(SCRIPT), &setup, &[("Enter passphrase", ""), ("again", "")]);
    assert!(bare.code == "1" && bare.text.contains("has no passphrase") && !folder.join("approval_key").exists(), "{}", bare.text);
    // Before anybody is named, a code says so.
    let code = desk.denied("npm publish", "toolu_1");
    assert!(desk.approve(&code).text.contains("approve --setup"));
    let made = desk.on_terminal(Path::new(SCRIPT), &setup, &[("Enter passphrase", "new words"), ("again", "new words")]);
    assert_eq!(made.code, "0", "{}", made.text);
    let section =
        made.text.lines().skip_while(|line| line.trim() != "schema = 1").take_while(|line| !line.starts_with("then")).map(str::trim).collect::<Vec<_>>();
    fs::write(folder.join("portcullis.toml"), section.join("\n")).unwrap();
    assert_eq!(fs::metadata(folder.join("approval_key")).unwrap().permissions().mode() & 0o077, 0);
    let code = desk.denied("npm publish", "toolu_2");
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("passphrase", "new words")]);
    assert_eq!(shown.code, "0", "{}", shown.text);
    assert_eq!(desk.hook("npm publish", "toolu_3").code, 0);
    // Again: nothing is made anew.
    let signers = fs::read_to_string(folder.join("allowed_signers")).unwrap();
    let again = desk.on_terminal(Path::new(SCRIPT), &setup, &[]);
    assert!(again.code == "0" && again.text.contains("there already"), "{}", again.text);
    assert_eq!(fs::read_to_string(folder.join("allowed_signers")).unwrap(), signers);
}

#[test]
fn a_signature_from_another_machine_is_pasted() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let elsewhere = tempfile::tempdir().unwrap();
    let key = elsewhere.path().join("id_ed25519");
    Desk::make_key(&key, "");
    desk.allow("elsewhere", &key.with_extension("pub"));
    let code = desk.denied("npm publish", "toolu_1");
    let printed = desk.cold(&["approve", &code, "--print"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let (_, rest) = printed.stdout.split_once("printf '%s' ").unwrap();
    let (statement, _) = rest.split_once(" -f ~/.ssh/id_ed25519").unwrap();
    // The command as it was printed, in the other home.
    let signed = run(Command::new("/bin/sh").args(["-c", &format!("printf '%s' {statement} -f id_ed25519")]).current_dir(elsewhere.path()), b"");
    assert_eq!(signed.code, 0, "{}", signed.stderr);
    let paste = |text: &str| run(desk.scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(["approve", &code, "--signature", "-"]), text.as_bytes());
    for wrong in ["", "x", &signed.stdout.replace('A', "B")] {
        assert_eq!(paste(wrong).code, 1);
    }
    let done = paste(&signed.stdout);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(desk.hook("npm publish", "toolu_2").code, 0);
    // A signature on another statement.
    let other = desk.denied("npm publish --tag x", "toolu_3");
    assert_eq!(desk.cold(&["approve", &other, "--print"]).code, 0);
    let said = run(desk.scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(["approve", &other, "--signature", "-"]), signed.stdout.as_bytes());
    assert!(said.code == 1 && said.stderr.contains("not of this text"), "{}", said.stderr);
}

#[test]
fn agents_cannot_approve() {
    if !can_play() {
        return;
    }
    let desk = Desk::new("terminal = true");
    let code = desk.denied("npm publish", "toolu_1");
    // At the gate, in every form.
    for line in [
        format!("portcullis approve {code}"),
        format!("portcullis revoke {code}"),
        "portcullis approve --setup".to_owned(),
        format!("script -qc 'portcullis approve {code}' /dev/null"),
        format!("tmux new-session -d 'portcullis approve {code}'"),
        format!("tmux send-keys -t 0 'portcullis approve {code}' Enter"),
        format!("expect -c 'spawn portcullis approve {code}; expect type; send approve'"),
        format!("echo 'portcullis approve {code}' | at now"),
        format!("at now <<< 'portcullis approve {code}'"),
        format!("screen -dm portcullis approve {code}"),
        format!("setsid env -i portcullis approve {code}"),
        format!("python3 -c 'import pty; pty.spawn([\"portcullis\", \"approve\", \"{code}\"])'"),
        "echo x > ~/.local/state/portcullis/1/approvals/K7QM-2XRD.approval".to_owned(),
        "rm ~/.local/state/portcullis/1/approvals/K7QM-2XRD.used".to_owned(),
        "echo x >> ~/.config/portcullis/allowed_signers".to_owned(),
        "cat ~/.config/portcullis/approval_key".to_owned(),
        "ssh-keygen -Y sign -n portcullis -f ~/.ssh/id_ed25519 statement".to_owned(),
        "ssh-add ~/.config/portcullis/approval_key".to_owned(),
    ] {
        let said = desk.hook(&line, "toolu_2");
        assert!(said.code == 2 && said.stderr.contains("retry: no, not in any form"), "{line}: {said:?}");
    }
    // A sub-agent's call is judged like any other.
    let agent = format!(
        r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"bypassPermissions","hook_event_name":"PreToolUse","tool_name":"Bash","agent_id":"a","agent_type":"helper","tool_input":{{"command":"portcullis approve {code}"}},"tool_use_id":"toolu_8"}}"#,
        json(&desk.scratch.repo().to_string_lossy())
    );
    assert!(desk.event("PreToolUse", &agent).stderr.contains("not in any form"));
    // And where the gate did not see it: the command itself refuses. A terminal that a program gives is doubted.
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("type the word", "approve")]);
    assert!(shown.code == "1" && shown.text.contains("`script` is above this process"), "{}", shown.text);
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("CLAUDECODE=1 {COLD} approve {code}"), &[("type the word", "approve")]);
    assert!(shown.code == "1" && shown.text.contains("an agent runs this"), "{}", shown.text);
    // The variable is taken away, but the shell above has it.
    let line = format!("CLAUDECODE=1 sh -c 'env -u CLAUDECODE {COLD} approve {code}; true'");
    let shown = desk.on_terminal(Path::new(SCRIPT), &line, &[("type the word", "approve")]);
    assert!(shown.text.contains("`CLAUDECODE` is set for the process"), "{}", shown.text);
    let claude = desk.scratch.home().join("claude");
    fs::copy("/bin/sh", &claude).unwrap();
    let shown = desk.on_terminal(Path::new(SCRIPT), &format!("{} -c '{COLD} approve {code}; true'", claude.display()), &[("type the word", "approve")]);
    assert!(shown.text.contains("is an agent's"), "{}", shown.text);
    // No terminal at all.
    assert!(desk.cold(&["approve", &code]).stderr.contains("there is no terminal here"));
    assert_eq!(desk.denied("npm publish", "toolu_3"), code);
}

#[test]
fn a_multiplexer_is_no_terminal_of_a_person() {
    const TMUX: &str = "/usr/bin/tmux";
    if !can_play() || !Path::new(TMUX).is_file() {
        return;
    }
    let desk = Desk::new("terminal = true");
    let code = desk.denied("npm publish", "toolu_1");
    let (socket, seen) = (desk.scratch.home().join("tmux"), desk.scratch.home().join("seen"));
    let tmux = |arguments: &[&str]| {
        let mut command = Command::new(TMUX);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", desk.scratch.home()).env("TERM", "screen").env("LC_ALL", "C.UTF-8");
        command.env("PORTCULLIS_TEST_PASSWORD_HOME", desk.scratch.home()).env("SHELL", "/bin/sh");
        run(command.arg("-S").arg(&socket).args(["-f", "/dev/null"]).args(arguments).current_dir(desk.scratch.repo()), b"")
    };
    let line = format!("{COLD} approve {code} 2> {}; sleep 0.2", seen.display());
    let made = tmux(&["new-session", "-d", "-x", "80", "-y", "20", &line]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    // Standard error is a file there, so that no question can be asked; and with a terminal, tmux is doubted.
    let line = format!("{COLD} approve {code}; sleep 5");
    tmux(&["new-session", "-d", "-s", "typed", "-x", "200", "-y", "20", &line]);
    let mut pane = String::new();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        pane = tmux(&["capture-pane", "-p", "-J", "-t", "typed"]).stdout;
        if pane.contains("tmux") {
            break;
        }
    }
    tmux(&["kill-server"]);
    assert!(pane.contains("`tmux` is above this process"), "{pane}");
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
}

#[test]
fn a_person_types_a_word_where_their_own_policy_allows_it() {
    if !can_play() {
        return;
    }
    let desk = Desk::new("terminal = true");
    // A terminal by its name, which is what can be seen of one.
    let xterm = desk.scratch.home().join("xterm");
    fs::copy(SCRIPT, &xterm).unwrap();
    let code = desk.denied("npm publish", "toolu_1");
    let no = desk.on_terminal(&xterm, &format!("{COLD} approve {code}"), &[("type the word", "yes")]);
    assert!(no.code == "1" && no.text.contains("the word was not typed"), "{}", no.text);
    let shown = desk.on_terminal(&xterm, &format!("{COLD} approve {code}"), &[("type the word", "approve")]);
    assert_eq!(shown.code, "0", "{}", shown.text);
    assert_eq!(desk.hook("npm publish", "toolu_2").code, 0);
    assert!(desk.record().contains("without a key"));
    // Without that line of the policy a typed word counts for nothing, also one that was typed before.
    let code = desk.denied("npm publish", "toolu_3");
    let shown = desk.on_terminal(&xterm, &format!("{COLD} approve {code}"), &[("type the word", "approve")]);
    assert_eq!(shown.code, "0", "{}", shown.text);
    desk.policy("terminal = false");
    assert_eq!(desk.hook("npm publish", "toolu_4").code, 2);
}

#[test]
fn what_would_be_lost_is_kept_and_comes_back() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    desk.scratch.write("a.txt", "changed\n");
    let head = desk.repository().refname_to_id("HEAD").unwrap();
    let code = desk.denied("git reset --hard", "toolu_1");
    let index = fs::read(desk.scratch.repo().join(".git/index")).unwrap();
    let shown = desk.approve(&code);
    assert_eq!(shown.code, "0", "{}", shown.text);
    assert!(shown.text.contains(&format!("git stash apply refs/portcullis/kept/{code}/work")), "{}", shown.text);
    assert_eq!(fs::read(desk.scratch.repo().join(".git/index")).unwrap(), index);
    let repository = desk.repository();
    let kept = repository.find_reference(&format!("refs/portcullis/kept/{code}/work")).unwrap().peel_to_commit().unwrap();
    assert_eq!(kept.parent_id(0).unwrap(), head);
    let blob = kept.tree().unwrap().get_name("a.txt").unwrap().id();
    assert_eq!(repository.find_blob(blob).unwrap().content(), b"changed\n");
    assert_eq!(repository.refname_to_id(&format!("refs/portcullis/kept/{code}/head")).unwrap(), head);
    // More work than was approved to be lost.
    desk.scratch.write("a.txt", "changed again\n");
    let said = desk.hook("git reset --hard", "toolu_2");
    assert_ne!(code_of(&said), code);
    assert!(said.stderr.contains("uncommitted work"), "{}", said.stderr);
    desk.scratch.write("a.txt", "changed\n");
    assert_eq!(desk.hook("git reset --hard", "toolu_3").code, 0);
    // Taken back, nothing is left behind.
    desk.scratch.write("a.txt", "third\n");
    let code = desk.denied("git reset --hard", "toolu_4");
    desk.approved(&code);
    assert_eq!(desk.cold(&["revoke", &code]).code, 0);
    assert!(repository.references_glob(&format!("refs/portcullis/kept/{code}/*")).unwrap().next().is_none());
}

#[test]
fn gits_hooks_use_the_same_approvals() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let id = desk.repository().refname_to_id("refs/heads/main").unwrap();
    let zero = "0".repeat(40);
    let push = |line: &str| {
        let mut command = desk.scratch.command(git_path());
        run(command.env("CLAUDECODE", "1").args(["pre-push", "origin", "https://example.com/r"]), line.as_bytes())
    };
    let line = format!("refs/heads/main {id} refs/heads/main {zero}\n");
    let said = push(&line);
    assert_eq!(said.code, 1, "{}", said.stderr);
    let code = said.stderr.split_once("approval: code ").unwrap().1[..9].to_owned();
    desk.approved(&code);
    assert_eq!(push(&line).code, 0);
    assert_eq!(push(&line).code, 1);
    // A push that was approved as a call goes through its hook once, with these commits.
    let code = desk.denied("git push origin main", "toolu_1");
    desk.approved(&code);
    assert_eq!(desk.hook("git push origin main", "toolu_2").code, 0);
    desk.scratch.write("b.txt", "two\n");
    let first = fs::read(desk.scratch.repo().join(".git/refs/heads/main")).unwrap();
    commit_files(&desk.repository(), &["b.txt"], "second");
    let second = desk.repository().refname_to_id("refs/heads/main").unwrap();
    assert_eq!(push(&format!("refs/heads/main {second} refs/heads/main {zero}\n")).code, 1);
    fs::write(desk.scratch.repo().join(".git/refs/heads/main"), first).unwrap();
    assert_eq!(push(&line).code, 0);
    assert_eq!(push(&line).code, 1);
}

#[test]
fn a_person_is_told_by_a_program_of_their_own() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let (program, seen) = (desk.scratch.home().join("notify-me"), desk.scratch.home().join("seen"));
    fs::write(&program, format!("#!/bin/sh\necho \"$* $PORTCULLIS_CODE $(pwd) [$CLAUDECODE]\" >> {}\n", seen.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let signers = "signers = \"~/.config/portcullis/allowed_signers\"";
    desk.policy(&format!("{signers}\nnotify = [\"~/notify-me\", \"a; touch /tmp/x\"]"));
    let code = desk.denied("npm publish", "toolu_1");
    assert_eq!(desk.denied("npm publish", "toolu_2"), code);
    let mut text = String::new();
    for _ in 0..100 {
        std::thread::sleep(Duration::from_millis(50));
        text = fs::read_to_string(&seen).unwrap_or_default();
        if !text.is_empty() {
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(text, format!("a; touch /tmp/x {code} package-publication {code} / []\n"));
    assert_eq!(fs::read_to_string(&seen).unwrap().lines().count(), 1);
    // Never one of the repository, and never one that is looked for.
    desk.scratch.write("notify-me", "#!/bin/sh\ntouch ../told\n");
    fs::set_permissions(desk.scratch.repo().join("notify-me"), fs::Permissions::from_mode(0o755)).unwrap();
    desk.policy(&format!("{signers}\nnotify = [\"{}/notify-me\"]", desk.scratch.repo().display()));
    desk.denied("npm publish --tag y", "toolu_3");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!desk.scratch.repo().join("../told").exists());
    desk.policy(&format!("{signers}\nnotify = [\"notify-me\"]"));
    assert!(desk.hook("ls", "toolu_4").stderr.contains("is not a full path"));
}

#[test]
fn where_the_client_can_ask_it_asks_and_nothing_waits() {
    if !can_play() {
        return;
    }
    let desk = Desk::keyed();
    let asked = desk.hook_in("npm publish", "toolu_1", &desk.scratch.repo(), "PreToolUse", "default");
    assert!(asked.code == 0 && asked.stdout.contains("\"permissionDecision\":\"ask\""), "{asked:?}");
    assert!(desk.states()["approvals"].as_array().unwrap().is_empty());
    // What is prohibited gets no code.
    let said = desk.hook("git push --force origin main", "toolu_2");
    assert!(said.code == 2 && !said.stderr.contains("approval: code"), "{}", said.stderr);
    assert!(desk.states()["approvals"].as_array().unwrap().is_empty());
}

#[test]
fn the_worked_example_of_the_document_is_true() {
    if !can_play() {
        return;
    }
    let page = fs::read_to_string(crate::support::package().join("docs/approvals.md")).unwrap();
    let desk = Desk::keyed();
    let policies = crate::docs::blocks(&page, "toml");
    assert!(policies.len() == 2 && policies.iter().all(|policy| policy.contains("[approval]")));
    for policy in &policies {
        fs::write(desk.scratch.home().join(".config/portcullis/portcullis.toml"), policy).unwrap();
        assert_eq!(desk.hook("ls", "toolu_0").code, 0, "{policy}");
    }
    fs::write(desk.scratch.home().join(".config/portcullis/portcullis.toml"), &policies[0]).unwrap();
    let denied = desk.hook("npm publish", "toolu_1");
    let code = code_of(&denied);
    let listed = desk.cold(&["approvals"]).stdout;
    let shown = desk.approve(&code).text;
    let shown = shown.split("in the repository, bound to").next().unwrap().to_owned();
    let other = desk.hook("npm publish --tag x", "toolu_2").stderr;
    assert_eq!(desk.hook("npm publish", "toolu_3").code, 0);
    let again = desk.hook("npm publish", "toolu_4").stderr;
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    for said in [denied.stderr, listed, shown, last(&other), last(&again)] {
        let said = said.replace(&code, "K7QM-2XRD").replace(&*desk.scratch.repo().to_string_lossy(), "/home/me/project");
        let found = crate::docs::blocks(&page, "text").iter().any(|block| block.trim_end() == said.trim_end());
        assert!(found, "docs/approvals.md does not show:\n{said}");
    }
    // The commands of the page are commands.
    for command in crate::docs::blocks(&page, "console").iter().flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>()) {
        let words = command.strip_prefix("$ portcullis ").unwrap().replace("K7QM-2XRD", "AAAA-AAAA");
        let said = desk.cold(&words.split(' ').collect::<Vec<_>>());
        assert_ne!(said.code, 2, "{command}: {}", said.stderr);
    }
}
