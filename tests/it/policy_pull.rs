//! `portcullis policy pull`: an organisation's policy out of real repositories, with real signatures; and what is said and denied
//! once it has ended.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::approvals::{Desk, KEYGEN};
use crate::cli_init::as_person;
use crate::push;
use crate::support::{COLD, Said, Scratch, hook_path, not_run, run};
use gate::judge::today;
use gate::release::day;
use portcullis::git::block::HOOKS;

const GIT: &str = "/usr/bin/git";

/// A machine with a folder for the organisation's policy, and the repository in which it is published.
struct Fleet {
    scratch: Scratch,
}

impl Fleet {
    /// `None`: a program is not installed here.
    fn new() -> Option<Self> {
        if !Path::new(KEYGEN).is_file() || !Path::new(GIT).is_file() {
            not_run("ssh-keygen or git");
            return None;
        }
        let fleet = Self { scratch: Scratch::new() };
        for folder in [fleet.folder(), fleet.published().join("org")] {
            fs::create_dir_all(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fleet.git(&["init", "-q", "-b", "main"]);
        for name in ["key", "other"] {
            Desk::make_key(&fleet.key(name), "");
        }
        let public = fs::read_to_string(fleet.key("key.pub")).unwrap();
        fs::write(fleet.folder().join("allowed_signers"), format!("security namespaces=\"portcullis-policy\" {public}")).unwrap();
        fleet.source(&format!("signers = \"{}\"", fleet.folder().join("allowed_signers").display()));
        Some(fleet)
    }

    fn folder(&self) -> PathBuf {
        self.scratch.home().with_file_name("etc")
    }

    fn policy(&self) -> PathBuf {
        self.folder().join("portcullis.toml")
    }

    fn in_place(&self) -> String {
        fs::read_to_string(self.policy()).unwrap_or_default()
    }

    fn published(&self) -> PathBuf {
        self.scratch.home().with_file_name("published")
    }

    fn key(&self, name: &str) -> PathBuf {
        self.scratch.home().join(name)
    }

    fn source(&self, pin: &str) {
        let address = format!("git+file://{}#org/portcullis.toml", self.published().display());
        fs::write(self.folder().join("source.toml"), format!("schema = 1\nsource = \"{address}\"\n{pin}\n")).unwrap();
    }

    fn git(&self, words: &[&str]) {
        let mut git = Command::new(GIT);
        git.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.scratch.home()).current_dir(self.published());
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"];
        assert!(git.args(who).args(words).stdout(Stdio::null()).status().unwrap().success());
    }

    /// Publishes a policy, signed by a key in a namespace.
    fn publish_as(&self, text: &str, key: &str, namespace: &str) {
        let path = self.published().join("org/portcullis.toml");
        fs::write(&path, text).unwrap();
        let _ = fs::remove_file(path.with_extension("toml.sig"));
        let signed = run(Command::new(KEYGEN).args(["-Y", "sign", "-q", "-n", namespace, "-f"]).arg(self.key(key)).arg(&path), b"");
        assert_eq!(signed.code, 0, "{}", signed.stderr);
        self.commit();
    }

    fn publish(&self, text: &str) {
        self.publish_as(text, "key", "portcullis-policy");
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "policy"]);
    }

    /// A command on this machine.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = as_person(&self.scratch);
        command.env("PORTCULLIS_TEST_ORGANISATION", self.policy()).args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        run(&mut self.command(words), b"")
    }

    fn pull(&self, words: &[&str]) -> Said {
        self.run(&[&["policy", "pull"], words].concat())
    }

    fn hook(&self, event: &str, input: &str) -> Said {
        let mut hook = self.scratch.command(hook_path());
        run(hook.env("PORTCULLIS_TEST_ORGANISATION", self.policy()).arg(event), input.as_bytes())
    }

    fn bash(&self, command: &str) -> Said {
        self.hook("PreToolUse", &self.scratch.payload("Bash", &format!("{{\"command\":\"{command}\"}}"), "default"))
    }
}

/// A policy with a rule of its own that ends in some days.
fn policy(serial: u64, days: i64, more: &str) -> String {
    let release = format!("[release]\nserial = {serial}\nvalid_until = {}\n{more}\n", day(today() + days));
    let rule =
        "[[rule]]\nname = \"house-deploy\"\ntier = 4\nrun = { program = \"acme\" }\nreason = \"r\"\ninstead = \"i\"\ncatches = [\"acme\"]\nspares = [\"ls\"]\n";
    format!("schema = 1\n{release}{rule}")
}

#[test]
fn a_signed_policy_is_put_in_place_and_holds() {
    let Some(fleet) = Fleet::new() else { return };
    fleet.publish(&policy(7, 30, "stale = \"deny\""));
    let said = fleet.pull(&["--dry-run"]);
    assert!(said.code == 0 && said.stdout.contains("+[release]") && said.stdout.contains("--dry-run"), "{said:?}");
    assert!(!fleet.policy().exists());
    let names = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(names(&fleet.folder()).len(), 2, "a dry run leaves nothing");

    let said = fleet.pull(&["--json"]);
    let told: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    assert_eq!((said.code, &told["made"], &told["serial"], &told["change"]), (0, &Value::from(true), &Value::from(7), &Value::from("create")));
    assert!(told["signer"].as_str().unwrap().starts_with("security SHA256:") && told["commit"].as_str().unwrap().len() == 40, "{told}");
    assert_eq!(fleet.in_place(), policy(7, 30, "stale = \"deny\""));
    assert_eq!(fleet.bash("acme").short(), "deny house-deploy");
    assert_eq!(fleet.bash("ls").short(), "free");
    let listed: Value = serde_json::from_str(&fleet.run(&["policy", "--json"]).stdout).unwrap();
    assert_eq!(listed["release"]["serial"], 7);

    let said = fleet.pull(&[]);
    assert!(said.code == 0 && said.stdout.starts_with("nothing to do"), "{said:?}");
    fleet.publish(&policy(8, 40, ""));
    assert_eq!(fleet.pull(&[]).code, 0);
    assert_eq!(fleet.in_place(), policy(8, 40, ""));
    assert_eq!(fs::read_to_string(fleet.folder().join("portcullis.previous.toml")).unwrap(), policy(7, 30, "stale = \"deny\""));
    let doctor = fleet.run(&["doctor", "--json"]);
    assert!(doctor.stdout.contains("the organisation's policy 8, holds until"), "{}", doctor.stdout);
}

#[test]
fn what_is_not_the_newest_policy_of_the_organisation_changes_nothing() {
    type Publishing = Box<dyn Fn(&Fleet)>;
    let Some(fleet) = Fleet::new() else { return };
    let good = policy(7, 30, "");
    fleet.publish(&good);
    assert_eq!(fleet.pull(&[]).code, 0);
    let file = fleet.published().join("org/portcullis.toml");
    let sent = |text: String| -> Publishing { Box::new(move |fleet| fleet.publish(&text)) };
    let altered = |with: fn(&str) -> String| -> Publishing {
        let file = file.clone();
        Box::new(move |fleet| {
            fleet.publish(&policy(9, 30, ""));
            fs::write(&file, with(&fs::read_to_string(&file).unwrap())).unwrap();
            fleet.commit();
        })
    };
    let cases: Vec<(Publishing, &str)> = vec![
        (sent(policy(6, 30, "")), "has the serial 6, and the one in place has 7"),
        (sent(policy(7, 31, "")), "both have the serial 7"),
        (sent(policy(9, -1, "")), "has nothing newer"),
        (sent("schema = 1\n".to_owned()), "no `[release]`"),
        (sent("schema = 1\n[release]\nserial = 9\n".to_owned()), "no `[release]`"),
        (sent(policy(9, 30, "nonsense = 1")), "unknown key `nonsense`"),
        (sent(policy(9, 30, "grace_days = 4000")), "`grace_days` is 4000"),
        (sent(policy(9, 30, "stale = \"maybe\"")), "unknown value of `stale`"),
        (sent(policy(0, 30, "")), "`serial` is 0"),
        (altered(|text| text.get(..text.len() / 2).unwrap().to_owned()), "not of this text"),
        (altered(|text| text.replace("tier = 4", "tier = 1")), "not of this text"),
        (altered(|_| String::new()), "not of this text"),
        (Box::new(|fleet| fleet.publish_as(&policy(9, 30, ""), "other", "portcullis-policy")), "may not sign"),
        (Box::new(|fleet| fleet.publish_as(&policy(9, 30, ""), "key", "portcullis")), "not for `portcullis-policy`"),
        (
            Box::new(|fleet| {
                fleet.publish(&policy(9, 30, ""));
                fs::write(fleet.published().join("org/portcullis.toml.sig"), "").unwrap();
                fleet.commit();
            }),
            "signature cannot be read",
        ),
        (
            Box::new(|fleet| {
                fs::remove_file(fleet.published().join("org/portcullis.toml.sig")).unwrap();
                fleet.commit();
            }),
            "portcullis.toml.sig",
        ),
        (
            Box::new(|fleet| {
                fs::write(fleet.published().join("org/portcullis.toml"), "#".repeat(2 << 20)).unwrap();
                fs::write(fleet.published().join("org/portcullis.toml.sig"), "x").unwrap();
                fleet.commit();
            }),
            "larger than 1 MiB",
        ),
    ];
    for (publish, why) in cases {
        publish(&fleet);
        let said = fleet.pull(&[]);
        assert!(said.code == 1 && said.stderr.contains(why) && said.stderr.contains("\nfix: "), "`{why}`: {said:?}");
        assert_eq!(fleet.in_place(), good, "{why}");
    }
    // The mistake is shown with its place.
    fleet.publish(&policy(9, 30, "nonsense = 1"));
    assert!(fleet.pull(&[]).stderr.contains("portcullis.toml:5"), "{}", fleet.pull(&[]).stderr);
}

#[test]
fn a_digest_pins_the_very_bytes() {
    let Some(fleet) = Fleet::new() else { return };
    let text = policy(3, 30, "");
    let file = fleet.scratch.home().join("policy.toml");
    fs::write(&file, &text).unwrap();
    let sum = run(Command::new("/usr/bin/sha256sum").arg(&file), b"").stdout;
    fleet.source(&format!("digest = \"sha256:{}\"", sum.split(' ').next().unwrap()));
    let from = file.to_str().unwrap();
    fs::write(fleet.policy(), policy(5, 30, "")).unwrap();
    assert_eq!(fleet.pull(&["--from", from]).code, 0);
    assert_eq!(fleet.in_place(), text, "a digest may lead back to an older one");
    fs::write(&file, format!("{text}# more\n")).unwrap();
    let said = fleet.pull(&["--from", from]);
    assert!(said.code == 1 && said.stderr.contains("has the digest sha256:"), "{said:?}");
    assert_eq!(fleet.in_place(), text);
}

/// A server that gives out the files of a folder over TLS, with a certificate of its own.
struct WebServer {
    process: std::process::Child,
    port: u16,
    certificate: PathBuf,
}

impl WebServer {
    /// `None`: a program is not installed here, or no server came up.
    fn start(folder: &Path) -> Option<Self> {
        let (key, certificate) = (folder.join("tls.key"), folder.join("tls.crt"));
        let mut make = Command::new("/usr/bin/openssl");
        make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        make.arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null());
        if !Path::new("/usr/bin/curl").is_file() || !make.status().is_ok_and(|status| status.success()) {
            not_run("curl or openssl");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut serve = Command::new("/usr/bin/openssl");
        serve.args(["s_server", "-quiet", "-WWW", "-accept", &format!("127.0.0.1:{port}"), "-key"]).arg(&key).arg("-cert").arg(&certificate);
        let process = serve.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { process, port, certificate };
        let up = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        up.then_some(server)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_policy_comes_over_https_from_a_server_whose_certificate_is_known() {
    let Some(fleet) = Fleet::new() else { return };
    fleet.publish(&policy(7, 30, ""));
    let Some(server) = WebServer::start(&fleet.published()) else { return };
    let address = format!("https://localhost:{}/org/portcullis.toml", server.port);
    let said = fleet.pull(&["--from", &address]);
    assert!(said.code == 1 && said.stderr.contains("`curl` says: ") && said.stderr.contains("certificate"), "{said:?}");
    let known = |address: &str| run(fleet.command(&["policy", "pull", "--from", address]).env("CURL_CA_BUNDLE", &server.certificate), b"");
    let said = known(&address);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(fleet.in_place(), policy(7, 30, ""));
    // The server's answer to a name that it does not have is a page, and no policy.
    let said = known(&address.replace("portcullis.toml", "nothing.toml"));
    assert_eq!((said.code, fleet.in_place()), (1, policy(7, 30, "")), "{said:?}");
}

#[test]
fn who_may_not_pull_is_told_why() {
    let Some(fleet) = Fleet::new() else { return };
    fleet.publish(&policy(7, 30, ""));
    let said = run(fleet.command(&["policy", "pull", "--dry-run"]).env("CLAUDECODE", "1"), b"");
    assert!(said.code == 1 && said.stderr.contains("an agent runs this"), "{said:?}");
    let source = fleet.folder().join("source.toml");
    let written = fs::read_to_string(&source).unwrap();
    for (text, why) in [
        (written.replace("signers", "singers"), "unknown field `singers`"),
        (written.replace("schema = 1", "schema = 2"), "not known to this version"),
        (written.lines().take(2).collect::<Vec<_>>().join("\n"), "either `digest` or `signers`"),
        (format!("{written}digest = \"sha256:00\"\n"), "either `digest` or `signers`"),
        (written.replace("git+file://", "git+ext::sh -c"), "blank"),
        (written.replace("git+file://", "git+ext::"), "write it like"),
        (written.replace("git+file://", "git+--upload-pack=x"), "write it like"),
        (written.replace("#org/", "#../"), "write it like"),
        (written.replace("git+file://", "git+https://me:word@host"), "holds a name or a password"),
        (written.replace("git+file://", "http://host"), "an address is"),
        (written.replace("git+file://", "git+file:///nowhere"), "`git` says: "),
    ] {
        fs::write(&source, text).unwrap();
        let said = fleet.pull(&[]);
        assert!(said.code == 1 && said.stderr.contains(why), "`{why}`: {said:?}");
    }
    fs::write(&source, &written).unwrap();
    for path in [source.clone(), fleet.folder()] {
        let mode = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode.mode() | 0o002)).unwrap();
        let said = fleet.pull(&[]);
        assert!(said.code == 1 && said.stderr.contains("chmod go-w"), "{said:?}");
        assert!(fleet.run(&["doctor"]).stdout.contains("cannot be pulled"));
        fs::set_permissions(&path, mode).unwrap();
    }
    fs::remove_file(&source).unwrap();
    let said = fleet.pull(&[]);
    assert!(said.code == 1 && said.stderr.contains("source.toml") && said.stderr.contains("docs/organisation.md"), "{said:?}");
    assert!(!fleet.policy().exists());
}

#[test]
fn pulls_at_once_and_pulls_that_are_killed_leave_a_whole_policy() {
    let Some(fleet) = Fleet::new() else { return };
    let (old, new) = (policy(1, 30, ""), policy(2, 30, ""));
    fleet.publish(&old);
    let pulls: Vec<_> = (0..4).map(|_| fleet.command(&["policy", "pull"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()).collect();
    let said: Vec<String> = pulls
        .into_iter()
        .map(|pull| {
            let output = pull.wait_with_output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    assert_eq!(said.iter().filter(|text| text.contains("is in place: ")).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|text| text.starts_with("nothing to do")).count(), 3, "{said:?}");

    fleet.publish(&new);
    for milliseconds in (0..200).step_by(9) {
        let mut pull = fleet.command(&["policy", "pull"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = pull.kill();
        let _ = pull.wait();
        let now = fleet.in_place();
        assert!(now == old || now == new, "after {milliseconds} ms: {now}");
        fs::write(fleet.policy(), &old).unwrap();
    }
    assert_eq!(fleet.pull(&[]).code, 0);
    assert_eq!(fleet.in_place(), new);
}

#[test]
fn a_policy_that_has_ended_is_shown_and_denies_after_its_grace() {
    let Some(fleet) = Fleet::new() else { return };
    let start = format!(
        r#"{{"session_id":"s","transcript_path":"/t","cwd":"{}","hook_event_name":"SessionStart","source":"startup"}}"#,
        fleet.scratch.repo().display()
    );
    let pull = "portcullis policy pull";
    for (days, more, shown, denied) in [
        (0, "stale = \"deny\"\ngrace_days = 0", "", false),
        (-1, "stale = \"deny\"\ngrace_days = 0", "the 0 days of grace are over", true),
        (-3, "stale = \"deny\"\ngrace_days = 3", "in 1 day every call is denied", false),
        (-4, "stale = \"deny\"\ngrace_days = 3", "the 3 days of grace are over", true),
        (-14, "stale = \"deny\"", "in 1 day every call is denied", false),
        (-15, "stale = \"deny\"", "the 14 days of grace are over", true),
        (-400, "stale = \"note\"\ngrace_days = 3", "was valid until", false),
        (-400, "", "was valid until", false),
    ] {
        let name = format!("{days} {more}");
        fs::write(fleet.policy(), policy(5, days, more)).unwrap();
        let said = fleet.hook("SessionStart", &start);
        assert_eq!(said.stdout.contains(pull), !shown.is_empty(), "{name}: {said:?}");
        assert!(said.stdout.contains(shown), "{name}: {said:?}");
        let said = fleet.bash("ls");
        assert_eq!(said.short(), if denied { "deny organisation-policy-stale" } else { "free" }, "{name}");
        assert_eq!(said.stderr.contains(pull), denied, "{name}: {}", said.stderr);
        // Its rules hold all the same.
        assert!(fleet.bash("acme").short().contains("house-deploy"), "{name}");
    }
    // Doctor says it too.
    for (days, shown) in [(-1, "warn release  the organisation's policy 5 was valid until"), (-15, "so every call is denied")] {
        fs::write(fleet.policy(), policy(5, days, "stale = \"deny\"")).unwrap();
        let said = fleet.run(&["doctor"]);
        assert!(said.stdout.contains(shown) && said.stdout.contains(pull), "{days}: {}", said.stdout);
    }
    // Where the organisation only watches, nothing is stopped; a project cannot have the section.
    fs::write(fleet.policy(), format!("mode = \"shadow\"\n{}", policy(5, -400, "stale = \"deny\""))).unwrap();
    assert_eq!(fleet.bash("ls").short(), "free");
    fs::remove_file(fleet.policy()).unwrap();
    fleet.scratch.write("portcullis.toml", "schema = 1\n[release]\nserial = 1\n");
    assert!(fleet.bash("ls").stderr.contains("`[release]` is not allowed in the project layer"));
}

/// What git and `check` say in a clone on a machine with this policy of the organisation.
fn in_git(scratch: &push::Scratch, organisation: &Path, agent: bool, line: &str) -> Said {
    let mut shell = scratch.command("sh", "work");
    shell.env("PORTCULLIS_TEST_ORGANISATION", organisation).env_remove("CLAUDECODE");
    if agent {
        shell.env("CLAUDECODE", "1");
    }
    run(shell.env("COLD", COLD).args(["-ec", line]), b"")
}

#[test]
fn git_hooks_and_check_deny_as_the_organisation_says() {
    let scratch = push::Scratch::new();
    // All that is in this folder is guarded.
    fs::create_dir(scratch.root.join("etc")).unwrap();
    let organisation = scratch.root.join("etc/portcullis.toml");
    for hook in HOOKS {
        scratch.put_hook(hook, &format!("exec DOOR {hook} \"$@\""));
    }
    let commit = "date +%N >>new; git add new; git commit -q -m more";
    let lines = [commit, "git push -q origin HEAD:refs/heads/fresh-$$", "\"$COLD\" check --staged", "\"$COLD\" check --all", "\"$COLD\" check --base HEAD~1"];
    let rule = "organisation-policy-stale";
    for (days, more, denied) in [
        (30, "stale = \"deny\"", false),
        (0, "stale = \"deny\"\ngrace_days = 0", false),
        (-14, "stale = \"deny\"", false),
        (-400, "stale = \"note\"", false),
        (-400, "", false),
        (-1, "stale = \"deny\"\ngrace_days = 0", true),
        (-15, "stale = \"deny\"", true),
    ] {
        fs::write(&organisation, policy(5, days, more)).unwrap();
        for agent in [true, false] {
            for line in lines {
                let said = in_git(&scratch, &organisation, agent, line);
                let text = format!("{}{}", said.stdout, said.stderr);
                assert_eq!((said.code != 0, text.contains(rule)), (denied, denied), "{days} {more} {line}: {said:?}");
                assert_eq!(text.contains("sudo portcullis policy pull"), denied, "{line}: {text}");
                assert_eq!(text.contains("tell the user"), denied && agent, "{line}: {text}");
            }
        }
    }
    // What moves a protected branch on is denied where it is committed, and not once more; what is fetched is free.
    let merged = in_git(&scratch, &organisation, false, "git fetch -q origin; git checkout -q -f main; git merge -q --ff-only topic; git checkout -q topic");
    assert_eq!(merged.code, 0, "{merged:?}");
    // A commit without its hooks is seen after it, and is not pushed.
    let skipped = in_git(&scratch, &organisation, true, "date +%N >>new; git commit -q -a -m more --no-verify");
    assert!(skipped.code == 0 && skipped.stderr.contains(rule), "{skipped:?}");
    // Where the organisation only watches, nothing is stopped.
    fs::write(&organisation, format!("mode = \"shadow\"\n{}", policy(5, -400, "stale = \"deny\""))).unwrap();
    for line in lines {
        assert_eq!(in_git(&scratch, &organisation, true, line).code, 0, "{line}");
    }
}
