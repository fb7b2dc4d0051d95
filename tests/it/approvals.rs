//! Approvals through the real binaries: a person on a terminal, with the key that they made.

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
pub(crate) const PASSPHRASE: &str = "made-up words";
pub(crate) const KEYGEN: &str = "/usr/bin/ssh-keygen";
pub(crate) const SCRIPT: &str = "/usr/bin/script";
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
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) code: String,
}

impl Desk {
    pub(crate) fn new(approval: &str) -> Self {
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

    pub(crate) fn keyed() -> Self {
        Self::new("signers = \"~/.config/portcullis/allowed_signers\"")
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(self.scratch.repo()).unwrap()
    }

    pub(crate) fn policy(&self, approval: &str) {
        fs::write(self.scratch.home().join(".config/portcullis/portcullis.toml"), format!("schema = 1\n{RULE}\n[approval]\n{approval}\n")).unwrap();
    }

    pub(crate) fn make_key(path: &Path, passphrase: &str) {
        let made = Command::new(KEYGEN).args(["-q", "-t", "ed25519", "-a", "1", "-C", "", "-N", passphrase, "-f"]).arg(path).status().unwrap();
        assert!(made.success());
    }

    /// Lets a key sign.
    pub(crate) fn allow(&self, name: &str, public: &Path) {
        let key = fs::read_to_string(public).unwrap();
        let file = self.scratch.home().join(".config/portcullis/allowed_signers");
        let old = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, format!("{old}{name} namespaces=\"portcullis\" {key}")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What the hook says to a command where nobody can be asked.
    pub(crate) fn hook(&self, command: &str, call: &str) -> Said {
        self.hook_in(command, call, &self.scratch.repo(), "PreToolUse", "bypassPermissions")
    }

    pub(crate) fn hook_in(&self, command: &str, call: &str, cwd: &Path, event: &str, mode: &str) -> Said {
        let payload = format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"{mode}","hook_event_name":"{event}","tool_name":"Bash","tool_input":{{"command":{},"description":"{call}"}},"tool_use_id":"{call}"}}"#,
            json(&cwd.to_string_lossy()),
            json(command)
        );
        self.event(event, &payload)
    }

    /// The hook as it is wired, with the time that a client gives it.
    pub(crate) fn event(&self, event: &str, payload: &str) -> Said {
        run(self.scratch.command(hook_path()).args([event, "claude-code", "50"]), payload.as_bytes())
    }

    /// The code of a denied command.
    pub(crate) fn denied(&self, command: &str, call: &str) -> String {
        code_of(&self.hook(command, call))
    }

    /// Runs a command line on a terminal, below no process of the test: a shell starts it and ends at once.
    pub(crate) fn on_terminal(&self, gives: &Path, line: &str, answers: &[(&str, &str)]) -> Shown {
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
    pub(crate) fn approve(&self, code: &str) -> Shown {
        self.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("passphrase", PASSPHRASE)])
    }

    pub(crate) fn approved(&self, code: &str) {
        let shown = self.approve(code);
        assert_eq!(shown.code, "0", "{}", shown.text);
    }

    /// A command of ours without a terminal, as it would run for a person's script.
    pub(crate) fn cold(&self, arguments: &[&str]) -> Said {
        run(self.scratch.command(COLD).env_remove("CLAUDE_PROJECT_DIR").args(arguments), b"")
    }

    pub(crate) fn states(&self) -> serde_json::Value {
        serde_json::from_str(&self.cold(&["approvals", "--json"]).stdout).unwrap()
    }

    pub(crate) fn state_of(&self, code: &str) -> String {
        let all = self.states();
        let found = all["approvals"].as_array().unwrap().iter().find(|one| one["code"] == code);
        found.map_or_else(|| "unknown".to_owned(), |one| one["state"].as_str().unwrap().to_owned())
    }

    /// The folder with the requests.
    pub(crate) fn folder(&self) -> PathBuf {
        let state = self.scratch.home().join(".local/state/portcullis");
        let found = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path().join("approvals")).find(|path| path.is_dir());
        found.unwrap()
    }

    pub(crate) fn record(&self) -> String {
        fs::read_to_string(self.folder().parent().unwrap().join("record.jsonl")).unwrap()
    }
}

/// The code that a denial shows.
pub(crate) fn code_of(said: &Said) -> String {
    assert_eq!(said.code, 2, "{said:?}");
    let (_, rest) = said.stderr.split_once("approval: code ").unwrap_or_else(|| panic!("no code: {}", said.stderr));
    rest[..9].to_owned()
}

/// Without these two no person can be played.
pub(crate) fn can_play() -> bool {
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
    let begun = format!(
        r#"{{"session_id":"t","transcript_path":"/t","cwd":{},"hook_event_name":"SessionStart","source":"startup"}}"#,
        json(&desk.scratch.repo().to_string_lossy())
    );
    assert!(desk.event("SessionStart", &begun).stdout.contains("a call waits for your approval"));
    assert!(desk.cold(&["status"]).stdout.contains("waiting a call waits for your approval"));

    let wrong = desk.on_terminal(Path::new(SCRIPT), &format!("{COLD} approve {code}"), &[("passphrase", "not it")]);
    assert_eq!(wrong.code, "1", "{}", wrong.text);
    assert_eq!(desk.denied("npm publish", "toolu_3"), code);

    let shown = desk.approve(&code);
    assert_eq!(shown.code, "0", "{}", shown.text);
    for part in ["npm publish", "package-publication", "others install what is published", "approved"] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    assert_eq!(desk.state_of(&code), "approved");
    assert!(!desk.event("SessionStart", &begun).stdout.contains("waits for your approval"));
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
    assert!(desk.cold(&["log"]).stdout.contains(&format!("— approved: {code} approver SHA256:")));
    assert!(line.contains(&format!("\"approved\":\"{code} approver SHA256:")) && line.contains("\"tier\":3") && !line.contains("stopped"), "{line}");
    // Nobody approves twice.
    assert!(desk.approve(&code).text.contains("used already"));
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
