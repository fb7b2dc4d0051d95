//! Our reading of git's options against git itself: what `--git-completion-helper-all` and `-h` say of each subcommand that
//! is described, in every form in which an option can be written; and pushes and deletions tried in scratch repositories,
//! where what is lost must have been held.
//!
//! Short and long are one: it takes some seconds. `PORTCULLIS_GIT_SHOW=1` lists every wrong reading.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use actions::arguments::{self, ParsedArguments};
use actions::program::Program;
use actions::word::Word;
use gate::BUILT_IN;
use policy::Policy;

use crate::support::Scratch;

/// Git in a folder, with nothing of the machine's configuration.
fn git(folder: &Path, args: &[&str]) -> (bool, String) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(args).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder);
    for (name, value) in [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_EDITOR", "true")] {
        command.env(name, value);
    }
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@example.org");
    }
    let output = command.output().unwrap();
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// What an option takes, as git says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Attached,
}

/// Long options with their values, and short ones with theirs and their long name.
struct Said {
    long: Vec<(String, bool)>,
    short: Vec<(String, Takes)>,
}

fn said(folder: &Path, path: &[&str]) -> Option<Said> {
    let (works, text) = git(folder, &[path, &["--git-completion-helper-all"]].concat());
    let long: Vec<(String, bool)> = text
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(|word| (word.trim_end_matches('=').to_owned(), word.ends_with('=')))
        .collect();
    if !works || long.is_empty() || text.contains("usage:") || text.contains("fatal:") {
        return None;
    }
    let (_, usage) = git(folder, &[path, &["-h"]].concat());
    // An option whose value may be left out at the end of the line alone (`--contains`) is listed as one without.
    let valued = |name: &str| {
        let forms = [format!("--{} <", &name[2..]), format!("--[no-]{} <", &name[2..])];
        usage.lines().filter(|line| line.starts_with("    -")).any(|line| forms.iter().any(|form| line.contains(form.as_str())))
    };
    let long = long.into_iter().map(|(name, value)| (name.clone(), value || valued(&name))).collect();
    let short = usage.lines().filter_map(|line| {
        let line = line.strip_prefix("    -")?;
        let letter = line.chars().next().filter(char::is_ascii_alphanumeric)?;
        // The description is after two blanks.
        let form = line.split("  ").next()?.get(1..)?;
        let takes = if form.contains("[=<") || form.contains("[<") || form.contains("[=(") {
            Takes::Attached
        } else if form.contains(" <") || form.starts_with('<') || form.contains(" (") {
            Takes::Value
        } else {
            Takes::Nothing
        };
        (form.is_empty() || form.starts_with([',', ' ', '<', '['])).then(|| (format!("-{letter}"), takes))
    });
    Some(Said { long, short: short.collect() })
}

fn read(program: &Program, path: &[&str], words: &[&str]) -> ParsedArguments {
    let words: Vec<Word> = path.iter().chain(words).map(|word| Word::lit(*word)).collect();
    arguments::read(program, &words)
}

/// Whether the option was read with this value, and the operand as no option and no value.
fn right(read: &ParsedArguments, name: &str, value: Option<&str>, given: bool) -> bool {
    let found = read.flags.iter().filter(|flag| flag.names.iter().any(|known| known == name)).collect::<Vec<_>>();
    let valued = found.last().is_some_and(|flag| flag.value.as_ref().and_then(Word::literal) == value);
    let operand = read.operands.iter().chain(&read.subcommand).filter(|word| word.is("OPERAND")).count();
    let swallowed = read.operands.iter().chain(&read.subcommand).any(|word| word.is("VALUE"));
    (if given { valued } else { found.is_empty() }) && operand == 1 && !swallowed
}

#[test]
fn git_reads_its_options_as_we_do() {
    let scratch = tempfile::tempdir().unwrap();
    git(scratch.path(), &["init", "-q"]);
    let policy = Policy::open(BUILT_IN).unwrap();
    let program = policy.programs.find("git").unwrap();
    let mut wrong = Vec::new();
    let (mut options, mut readings) = (0, 0);
    let mut paths: Vec<Vec<String>> = Vec::new();
    for name in program.subcommands.names() {
        paths.push(vec![name.to_owned()]);
        let inner = program.subcommand(name).unwrap();
        paths.extend(inner.subcommands.names().map(|inner| vec![name.to_owned(), inner.to_owned()]));
    }
    for path in &paths {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let Some(said) = said(scratch.path(), &path) else { continue };
        let names: BTreeSet<&str> = said.long.iter().map(|(name, _)| name.as_str()).collect();
        let mut check = |words: &[&str], name: &str, value: Option<&str>, given: bool| {
            readings += 1;
            if !right(&read(&program, &path, words), name, value, given) {
                wrong.push(format!("git {} {}", path.join(" "), words.join(" ")));
            }
        };
        for (name, value) in &said.long {
            options += 1;
            let joined = format!("{name}=VALUE");
            if *value {
                check(&[&joined, "OPERAND"], name, Some("VALUE"), true);
                check(&[name, "VALUE", "OPERAND"], name, Some("VALUE"), true);
                check(&["OPERAND", name, "VALUE"], name, Some("VALUE"), true);
            } else if !name.starts_with("--no-") {
                check(&[name, "OPERAND"], name, None, true);
                check(&["OPERAND", name], name, None, true);
            }
            let no = format!("--no-{}", name.trim_start_matches("--"));
            // With a value of its own it is an option for itself (`--no-contains COMMIT`).
            if names.contains(no.as_str()) && !name.starts_with("--no-") && !said.long.contains(&(no.clone(), true)) {
                let set: Vec<&str> = if *value { vec![joined.as_str()] } else { vec![name.as_str()] };
                check(&[&set[..], &[no.as_str(), "OPERAND"]].concat(), name, None, false);
            }
            // The shortest beginning that is no other option's.
            let unique = (3..name.len()).filter_map(|end| name.get(..end)).find(|short| {
                names
                    .iter()
                    .filter(|other| other.starts_with(short) || other.strip_prefix("--no-").is_some_and(|rest| format!("--{rest}").starts_with(short)))
                    .count()
                    == 1
                    && !"--no-".starts_with(short)
            });
            if let Some(short) = unique.filter(|_| !name.starts_with("--no-")) {
                match value {
                    true => check(&[short, "VALUE", "OPERAND"], name, Some("VALUE"), true),
                    false => check(&[short, "OPERAND"], name, None, true),
                }
            }
        }
        for (letter, takes) in &said.short {
            options += 1;
            let joined = format!("{letter}VALUE");
            match takes {
                Takes::Nothing => check(&[letter, "OPERAND"], letter, None, true),
                Takes::Value => {
                    check(&[&joined, "OPERAND"], letter, Some("VALUE"), true);
                    check(&[letter, "VALUE", "OPERAND"], letter, Some("VALUE"), true);
                }
                Takes::Attached => {
                    check(&[letter, "OPERAND"], letter, None, true);
                    check(&[&joined, "OPERAND"], letter, Some("VALUE"), true);
                }
            }
            // A cluster, with a letter in front that takes nothing.
            if let Some((front, _)) = said.short.iter().find(|(other, takes)| *takes == Takes::Nothing && other != letter) {
                let cluster = format!("{front}{}", letter.trim_start_matches('-'));
                match takes {
                    Takes::Value => check(&[&cluster, "VALUE", "OPERAND"], letter, Some("VALUE"), true),
                    _ => check(&[&cluster, "OPERAND"], letter, None, true),
                }
            }
        }
    }
    println!("{} subcommands, {options} options, {readings} readings, {} wrong", paths.len(), wrong.len());
    if std::env::var_os("PORTCULLIS_GIT_SHOW").is_some() {
        println!("{}", wrong.join("\n"));
    }
    // Other versions of git have options that ours does not; their names are read, and a value as one operand more.
    assert!(options > 500 && wrong.len() * 50 < readings, "{} of {readings} readings are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A repository whose remote is behind on `side`, ahead on `main`, and has a branch `old` that nothing else holds.
fn repositories() -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let (repo, remote) = (scratch.repo(), scratch.home().join("remote.git"));
    std::fs::remove_dir_all(repo.join(".git")).unwrap();
    let run = |args: &[&str]| {
        let (works, text) = git(&repo, args);
        assert!(works, "git {args:?}: {text}");
    };
    let remote_name = remote.to_string_lossy().into_owned();
    assert!(git(&scratch.home(), &["init", "-q", "--bare", "-b", "main", &remote_name]).0);
    run(&["init", "-q", "-b", "main"]);
    run(&["commit", "-q", "--allow-empty", "-m", "one"]);
    run(&["branch", "side"]);
    run(&["commit", "-q", "--allow-empty", "-m", "two"]);
    run(&["tag", "v1"]);
    run(&["remote", "add", "origin", &remote_name]);
    run(&["push", "-q", "origin", "main", "main:old", "side", "v1"]);
    run(&["reset", "-q", "--hard", "HEAD^"]);
    run(&["commit", "-q", "--allow-empty", "-m", "other"]);
    run(&["config", "push.default", "current"]);
    (scratch, remote)
}

fn refs(folder: &Path) -> Vec<(String, String)> {
    let (_, text) = git(folder, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    text.lines().filter_map(|line| line.split_once(' ')).map(|(name, commit)| (name.to_owned(), commit.to_owned())).collect()
}

/// Whether a tag went away, or a branch whose commits no other ref has, or a ref no longer holds what it held.
fn lost(before: &[(String, String)], folder: &Path) -> bool {
    let after = refs(folder);
    before.iter().any(|(name, commit)| match after.iter().find(|(known, _)| known == name) {
        None => name.starts_with("refs/tags/") || !git(folder, &["rev-list", "--max-count=1", commit, "--not", "--all"]).1.trim().is_empty(),
        Some((_, now)) => now != commit && !git(folder, &["merge-base", "--is-ancestor", commit, now]).0,
    })
}

/// Ways to push but with a lease, which holds what a rewritten branch needs; which of them lose something is git's to say.
const PUSHES: &[&str] = &[
    "git push",
    "git push origin",
    "git push origin main",
    "git push origin side",
    "git push -f",
    "git push --force origin main",
    "git push --forc origin main",
    "git push --fo origin main",
    "git push origin main --force",
    "git push origin -f main",
    "git push -uf origin main",
    "git push -fu origin main",
    "git push -vqf origin main",
    "git push -qo x origin +main",
    "git push origin +main",
    "git push origin +main:main",
    "git push origin +refs/heads/main:refs/heads/main",
    "git push origin +HEAD",
    "git push origin HEAD:old",
    "git push origin +HEAD:old",
    "git push origin :old",
    "git push origin :refs/heads/old",
    "git push origin :",
    "git push origin +:",
    "git push -d origin old",
    "git push --delete origin old",
    "git push --del origin old",
    "git push origin --delete old",
    "git push origin old --delete",
    "git push -qd origin old",
    "git push origin :v1",
    "git push origin -d tag v1",
    "git push origin tag v1",
    "git push -f origin HEAD:refs/tags/v1",
    "git push origin HEAD:refs/tags/v1",
    "git push --mirror",
    "git push --mirror origin",
    "git push --mir origin",
    "git push --prune origin 'refs/heads/*'",
    "git push --prune origin main side",
    "git push --all --prune origin",
    "git push --all origin",
    "git push --branches -f origin",
    "git push --tags -f origin",
    "git push --no-force origin main",
    "git push --force --no-force origin main",
    "git push --no-force --force origin main",
    "git push --repo=origin -f main",
    "git push --repo origin --force",
    "git push --end-of-options origin +main",
    "git push --end-of-options origin main",
    "git push -- origin +main",
    "git push -f -- origin main",
    "git push --dry-run -f origin main",
    "git push -nf origin main",
    "git -c push.default=matching push -f",
    "git -c remote.origin.push=+main push",
    "git -c remote.origin.push=+refs/heads/*:refs/heads/* push origin",
    "git -c remote.origin.mirror=true push origin",
    "git -c alias.p='push -f' p",
    "git -c alias.p='push -f' p origin main",
    "git -C . push -f",
    "git --git-dir=.git push -f origin main",
    "git --no-pager -c a.b=c push -f origin main",
    "git send-pack --force ../home/remote.git main",
    "git send-pack ../home/remote.git +main",
    "git push ../home/remote.git +main",
    "git push --receive-pack=git-receive-pack -f origin main",
    "git push --recurse-submodules=no -f origin main",
    "git push --signed=no -f origin main",
    "git push -4f origin main",
    "git push --follow-tags --atomic -f origin main",
    "git push -ofoo=bar origin +main",
    "git push --thin -f origin main",
    "git push --no-verify -f origin main",
];

#[test]
fn what_a_push_loses_was_held() {
    let mut wrong = Vec::new();
    let mut losing = 0;
    for command in PUSHES {
        let (scratch, remote) = repositories();
        let verdict = scratch.bash(command).short();
        let before = refs(&remote);
        let folder = scratch.repo();
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command).current_dir(&folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &folder);
        shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").output().unwrap();
        let lost = lost(&before, &remote);
        losing += usize::from(lost);
        if lost && verdict == "free" {
            wrong.push(format!("{command}: something was lost"));
        }
        let forceless = !["-f", "--fo", "+", "-d", "--del", " :", "mir", "prune", "-nf", "-uf", "qf"].iter().any(|mark| command.contains(mark));
        if !lost && verdict != "free" && forceless {
            wrong.push(format!("{command}: nothing was lost, and it is held: {verdict}"));
        }
    }
    println!("{} pushes, {losing} of them lose something, {} read wrongly", PUSHES.len(), wrong.len());
    assert!(losing > 20 && wrong.is_empty(), "{losing} lose something; {}", wrong.join("\n"));
}
