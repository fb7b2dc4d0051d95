//! The git hooks, driven by the real git against a real remote: what is pushed, and whether it arrives.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::cli_init::PORTCULLIS;
use crate::support::{Said, git_path, rules, run};

/// A hook as the help text shows it.
const HOOK: &str = "exec DOOR pre-push \"$@\"";
/// What every scratch folder begins with: `work` on the branch `topic`, and `main`, `topic` and `v1` pushed.
const BEGIN: &str = "git init -q --bare remote.git && git init -q work && cd work && git remote add origin ../remote.git
    echo 1 >a && git add a && git commit -qm 1 && echo 2 >a && git commit -qam 2 && git tag v1 && git switch -qc topic && echo 3 >a && git commit -qam 3
    git push -q origin main topic v1 && git branch -q --set-upstream-to=origin/topic";
/// Another person pushes to `topic` meanwhile.
pub(crate) const MEANWHILE: &str =
    "git clone -q -b topic ../remote.git ../other && cd ../other && git commit -q --allow-empty -m theirs && git push -q && cd ../work";
/// A commit on top.
const ADD: &str = "git commit -q --allow-empty -m more";
/// The last commit is made anew.
const REWRITE: &str = "git commit -q --amend -m anew";

/// A folder with repositories, and a home.
pub(crate) struct Scratch {
    pub(crate) root: PathBuf,
    _kept: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(kept.path()).unwrap();
        fs::create_dir(root.join("home")).unwrap();
        let scratch = Self { root, _kept: kept };
        let said = scratch.shell("", BEGIN);
        assert_eq!(said.code, 0, "{}", said.stderr);
        scratch
    }

    fn hook(&self, text: &str) {
        self.put_hook("pre-push", text);
    }

    /// Puts a hook into the repository `work`.
    pub(crate) fn put_hook(&self, name: &str, text: &str) {
        let path = self.root.join("work/.git/hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{}\n", text.replace("DOOR", git_path()))).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A program in this world, run by an agent: a test never asks on the terminal it happens to be started on.
    pub(crate) fn command(&self, program: &str, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(self.root.join(folder));
        command.env("HOME", self.root.join("home")).env("PORTCULLIS_TEST_PASSWORD_HOME", self.root.join("home")).env("CLAUDECODE", "1");
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .env("ROOT", &self.root);
        for (name, value) in [("AUTHOR", "a"), ("COMMITTER", "c")] {
            command.env(format!("GIT_{name}_NAME"), value).env(format!("GIT_{name}_EMAIL"), "a@example.org");
        }
        for (at, (key, value)) in [("init.defaultBranch", "main"), ("advice.graftFileDeprecated", "false"), ("push.default", "upstream")].iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command.env("GIT_CONFIG_COUNT", "3");
        command
    }

    pub(crate) fn shell(&self, folder: &str, line: &str) -> Said {
        run(self.command("sh", folder).args(["-ec", line]), b"")
    }

    fn remote_refs(&self) -> String {
        self.shell("remote.git", "git for-each-ref").stdout
    }

    /// Does `before` without the hook and `push` with it: `arrives`, `up to date`, `refused` with the rules that are named,
    /// `unjudged` or `git refuses`.
    #[track_caller]
    fn pushed(&self, before: &str, hook: &str, push: &str) -> String {
        let prepared = self.shell("work", before);
        assert_eq!(prepared.code, 0, "{before}: {}", prepared.stderr);
        self.hook(hook);
        let refs = self.remote_refs();
        let said = self.shell("work", push);
        let changed = refs != self.remote_refs();
        let rules = rules(&said.stderr, "denied by `");
        match (said.code, changed, rules.as_slice()) {
            (0, true, []) => "arrives".to_owned(),
            (0, false, []) => "up to date".to_owned(),
            (1, false, []) if said.stderr.contains("could not judge") => "unjudged".to_owned(),
            (1, false, []) => "git refuses".to_owned(),
            (1, false, rules) => format!("refused {}", rules.join(" ")),
            _ => format!("{said:?}"),
        }
    }
}

#[track_caller]
fn check(cases: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (before, push, expected) in cases {
        let got = Scratch::new().pushed(before, HOOK, push);
        if got != *expected {
            wrong.push(format!("`{before}`, `{push}`: expected {expected}, got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_only_adds_arrives() {
    check(&[
        (ADD, "git push", "arrives"),
        (ADD, "git push --force origin topic", "arrives"),
        (ADD, "git push origin +topic", "arrives"),
        ("true", "git push", "up to date"),
        (REWRITE, "git push --dry-run --force", "up to date"),
        ("true", "git push origin topic:new", "arrives"),
        ("git tag v2", "git push origin v2", "arrives"),
        ("git tag -a v2 -m v2", "git push --follow-tags --force", "arrives"),
        // Brought together by a merge, the old commits stay.
        (&format!("{MEANWHILE}; git pull -q --no-rebase"), "git push", "up to date"),
        (&format!("{MEANWHILE}; {ADD}; git pull -q --no-rebase --no-edit"), "git push", "arrives"),
    ]);
}

#[test]
fn what_drops_commits_is_refused_however_it_is_said() {
    check(&[
        (REWRITE, "git push --force origin topic", "refused force-push"),
        (REWRITE, "git push -fu origin topic", "refused force-push"),
        (REWRITE, "git push origin +topic", "refused force-push"),
        (REWRITE, "git push --force ../remote.git topic", "refused force-push"),
        (REWRITE, "git push --mirror", "refused force-push protected-remote-branch-deletion remote-ref-deletion"),
        (REWRITE, "git push --all --force", "refused force-push"),
        (REWRITE, "git -c alias.x='push --force' x origin topic", "refused force-push"),
        (&format!("{REWRITE}; git config alias.y '!git push -f'"), "git y", "refused force-push"),
        (&format!("{REWRITE}; git config remote.origin.push +refs/heads/*:refs/heads/*"), "git push", "refused force-push"),
        (
            &format!("{REWRITE}; git config remote.origin.mirror true"),
            "git push origin",
            "refused force-push protected-remote-branch-deletion remote-ref-deletion",
        ),
        (REWRITE, "cd .. && git --git-dir=work/.git --work-tree=home push -f $ROOT/remote.git topic", "refused force-push"),
        ("git worktree add -q -b side ../side topic", "cd ../side && git commit -q --amend -m anew && git push -f origin side:topic", "refused force-push"),
        ("git tag -f v1", "git push --force origin v1", "refused force-push"),
        ("git tag -f -a v1 -m v1 v1", "git push origin +refs/tags/v1", "refused force-push"),
        // What git lays over commits here does not hold in the remote.
        (&format!("{REWRITE}; git replace --graft HEAD origin/topic"), "git push -f", "refused force-push"),
        (&format!("{REWRITE}; echo $(git rev-parse HEAD origin/topic) >.git/info/grafts"), "git push -f", "refused force-push"),
        // One of several.
        (&format!("git branch new; {REWRITE}"), "git push --force origin new topic", "refused force-push"),
    ]);
}

#[test]
fn deletions_are_refused_by_their_own_rules() {
    check(&[
        ("true", "git push origin --delete topic", "refused remote-ref-deletion"),
        ("true", "git push origin :topic", "refused remote-ref-deletion"),
        ("true", "git push origin :refs/tags/v1", "refused remote-ref-deletion"),
        ("git switch -q main; git branch -qD topic", "git push --prune origin 'refs/heads/*'", "refused remote-ref-deletion"),
        // Another branch has the commits of `main`.
        ("true", "git push origin --delete main", "refused protected-remote-branch-deletion"),
        // Git does not tell the hook which refs a mirror deletes, or that it does.
        ("git branch -qD main", "git -c remote.origin.mirror=true push origin", "refused protected-remote-branch-deletion remote-ref-deletion"),
        ("git branch -qD main; git config remote.origin.mirror true", "git push", "refused protected-remote-branch-deletion remote-ref-deletion"),
        ("git branch -qD main", "git push --mirror", "refused protected-remote-branch-deletion remote-ref-deletion"),
    ]);
}

#[test]
fn a_lease_passes_where_it_holds_and_the_branch_is_not_protected() {
    check(&[
        (REWRITE, "git push --force-with-lease", "arrives"),
        (REWRITE, "git push --force-with-lease origin topic", "arrives"),
        (REWRITE, "git push --force-with-lease=topic origin topic", "arrives"),
        (REWRITE, "git push --force-with-lease=topic:$(git rev-parse origin/topic) origin topic", "arrives"),
        (REWRITE, "git push --force-with-lease=topic:origin/topic ../remote.git topic", "arrives"),
        (&format!("{REWRITE}; git config alias.z 'push --force-with-lease'"), "git z", "arrives"),
        ("git tag -f v1", "git push --force-with-lease=refs/tags/v1:main origin v1", "arrives"),
        (REWRITE, "git push --force-with-lease --force", "refused force-push"),
        (REWRITE, "git push --force-with-lease origin +topic", "refused force-push"),
        (&format!("git switch -q main; {REWRITE}"), "git push --force-with-lease origin main", "refused force-push"),
        (&format!("{MEANWHILE}; {REWRITE}"), "git push --force-with-lease", "git refuses"),
        // A hidden force switches git's own look at the lease off, but not this one.
        (&format!("{MEANWHILE}; {REWRITE}; git config remote.origin.push +refs/heads/topic"), "git push --force-with-lease", "refused force-push"),
    ]);
}

#[test]
fn where_git_asks_no_hook_the_hot_door_holds() {
    let hot = |scratch: &Scratch, command: &str| {
        let said = run(scratch.command(PORTCULLIS, "work").args(["explain", "--json", command]), b"");
        let told: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let found = told["verdict"]["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap());
        found.filter(|rule| !rule.starts_with("hooks-")).collect::<Vec<_>>().join(" ")
    };
    for (before, push, hook, expected) in [
        (REWRITE, "git send-pack --force ../remote.git topic", "arrives", "force-push"),
        (REWRITE, "git push -f --no-verify origin topic", "arrives", "force-push"),
        (REWRITE, "git -c core.hooksPath=/dev/null push -f origin topic", "arrives", "force-push"),
        (ADD, "git send-pack ../remote.git topic", "arrives", ""),
        // Both see these.
        (REWRITE, "git push --force origin topic", "refused force-push", "force-push"),
        (REWRITE, "git -c alias.x='push --force' x origin topic", "refused force-push", "force-push"),
        (&format!("{REWRITE}; git config remote.origin.push +refs/heads/*:refs/heads/*"), "git push", "refused force-push", "force-push"),
        (&format!("{REWRITE}; git config alias.y 'push -f'"), "git y origin topic", "refused force-push", "force-push"),
        ("true", "git push origin --delete topic", "refused remote-ref-deletion", "remote-ref-deletion"),
        (ADD, "git push origin topic", "arrives", ""),
    ] {
        let scratch = Scratch::new();
        let prepared = scratch.shell("work", before);
        assert_eq!(prepared.code, 0, "{before}: {}", prepared.stderr);
        assert_eq!(hot(&scratch, push), expected, "{push}");
        assert_eq!(scratch.pushed("true", HOOK, push), hook, "{push}");
    }
}

#[test]
fn a_hook_that_calls_the_door_further_in_sees_the_lease_too() {
    for hook in ["DOOR pre-push \"$@\"; exit $?", "sh -c 'DOOR pre-push \"$@\"; exit $?' hook \"$@\""] {
        assert_eq!(Scratch::new().pushed(REWRITE, hook, "git push --force-with-lease"), "arrives", "{hook}");
        assert_eq!(Scratch::new().pushed(REWRITE, hook, "git push --force"), "refused force-push", "{hook}");
    }
}

#[test]
fn commits_that_are_not_here_count_as_dropped_and_the_text_says_what_to_do() {
    for push in ["git push", "git push --force"] {
        let scratch = Scratch::new();
        assert_eq!(scratch.pushed(&format!("{MEANWHILE}; {ADD}"), HOOK, push), "refused force-push", "{push}");
        let said = scratch.shell("work", push);
        assert!(said.stderr.contains("note: the remote has commits on `topic` that are not in this repository"), "{}", said.stderr);
    }
}

#[test]
fn shallow_clones_and_sha256_are_read() {
    let clone = "git clone -q --depth 1 -b topic file://$ROOT/remote.git ../shallow; rm -rf .git; mv ../shallow/.git .; git commit -q --allow-empty -m more";
    assert_eq!(Scratch::new().pushed(clone, HOOK, "git push"), "arrives");
    let sha256 = "rm -rf .git ../remote.git; git init -q --bare --object-format=sha256 ../remote.git; git init -q --object-format=sha256; git remote add origin ../remote.git
        git switch -qc topic; git add a; git commit -qm 1; git push -q -u origin topic";
    for (before, push, expected) in
        [(ADD, "git push", "arrives"), (REWRITE, "git push --force", "refused force-push"), (REWRITE, "git push --force-with-lease", "arrives")]
    {
        assert_eq!(Scratch::new().pushed(&format!("{sha256}; {before}"), HOOK, push), expected, "{push}");
    }
}

#[test]
fn the_policy_of_the_repository_holds() {
    let rule = "[[rule]]\nname = \"frozen-ref\"\ntier = 4\npush = { refs = \"frozen/*\" }\nreason = \"it is frozen\"\ninstead = \"push to another branch\"\n\
        catches = [{ push = { ref = \"frozen/1\", kind = \"create\" } }]\nspares = [{ push = { ref = \"topic\", kind = \"create\" } }]\n";
    let policy = |text: &str| format!("cat >portcullis.toml <<'END'\nschema = 1\n{text}\nEND\n{REWRITE}");
    for (text, push, expected) in [
        (rule, "git push origin topic:frozen/1", "refused frozen-ref"),
        // Neither another work tree nor a project that the environment names moves the anchor.
        (rule, "cd .. && git --git-dir=work/.git --work-tree=home push $ROOT/remote.git topic:frozen/1", "refused frozen-ref"),
        (rule, "CLAUDE_PROJECT_DIR=$ROOT/home git push origin topic:frozen/1", "refused frozen-ref"),
        (rule, "git push origin topic:new", "arrives"),
        ("protected = [\"topic\"]", "git push --force-with-lease", "refused force-push"),
        ("nonsense = 1", "git push origin topic:new", "unjudged"),
    ] {
        assert_eq!(Scratch::new().pushed(&policy(text), HOOK, push), expected, "{text} {push}");
    }
}

#[test]
fn the_command_line_and_its_faults() {
    let scratch = Scratch::new();
    let line = format!("refs/heads/topic {} refs/heads/topic {}\n", "1".repeat(40), "2".repeat(40));
    for (folder, args, input, code, text) in [
        ("work", &["--version"][..], "", 0, ""),
        ("work", &["--help"], "", 0, ""),
        ("work", &["pre-push", "origin", "../remote.git"], "", 0, ""),
        ("work", &[], "", 2, "the name of a hook is missing"),
        ("work", &["post-checkout"], "", 2, "the hook `post-checkout` is not supported by this version"),
        ("work", &["pre-commit", "a"], "", 2, "`pre-commit` takes nothing"),
        ("work", &["pre-push", "a", "b", "c"], "", 2, "usage: portcullis-git HOOK"),
        ("work", &["pre-push", "origin"], "nonsense\n", 1, "why: git's description of the push could not be read: line 1, `nonsense`"),
        ("home", &["pre-push", "origin"], &line, 1, "why: the repository could not be read: there is no repository"),
        // Started by nobody who pushes: what forces is not seen, so a person decides.
        ("work", &["pre-push", "origin"], &line, 1, "denied by `force-push`"),
        ("work", &["pre-push"], &line, 1, "\nunsure: "),
        ("home", &["pre-commit"], "", 1, "why: the repository could not be read: there is no repository"),
        ("home", &["prepare-commit-msg", "x"], "", 0, ""),
        ("home", &["reference-transaction", "committed"], "", 0, ""),
    ] {
        let said = run(scratch.command(git_path(), folder).args(args), input.as_bytes());
        assert_eq!(said.code, code, "{args:?}: {said:?}");
        assert!(said.stderr.contains(text) && said.stderr.is_empty() == text.is_empty(), "{args:?}: {said:?}");
    }
}
