//! Command lines to actions, by the shipped descriptions of programs: one row for each way in which arguments are read.
//! Nothing here is judged; that is for `tests/cases`.

use std::fmt::Write as _;
use std::process::Command;

use actions::lookup::Lookups;
use actions::program::{Program, Takes};
use actions::shell::{Setting, Shell};
use actions::{Action, Change, Deed, Flag};
use policy::Policy;
use portcullis::deep::compiling;

/// The version of git whose options are described.
const DESCRIBED: (u32, u32) = (2, 47);

/// Subcommands that read their options by hand and know nothing of `--git-completion-helper-all`.
const BY_HAND: &[&str] = &[
    "annotate",
    "bisect",
    "check-ref-format",
    "credential",
    "fast-import",
    "filter-branch",
    "filter-repo",
    "for-each-repo",
    "index-pack",
    "lfs",
    "mailinfo",
    "mergetool",
    "request-pull",
    "rerere",
    "rev-parse",
    "send-email",
    "submodule",
    "subtree",
    "svn",
    "unpack-objects",
    "var",
];

/// Options that take the next word though git's list does not mark them: those whose value may be left out at the end of
/// the line, and those that fetch it themselves.
const UNMARKED: &[&str] = &["--contains", "--no-contains", "--with", "--without", "--merged", "--no-merged", "--points-at", "--file", "--cacheinfo"];

fn policy(bytes: &[u8]) -> Policy<'_> {
    Policy::open(bytes).expect("what was just compiled can be opened")
}

fn compiled() -> Vec<u8> {
    compiling::built_in().unwrap_or_else(|mistakes| panic!("{mistakes}")).bytes
}

#[test]
fn commands_are_read_as_their_programs_read_them() {
    let bytes = compiled();
    let policy = policy(&bytes);
    let setting = Setting { cwd: "/r".into(), home: Some("/h".into()), temporary: "/tmp".into(), root: "/r".into(), zsh: false };
    let mut wrong = String::new();
    for (command, expected) in ROWS {
        let mut shell = Shell::new(&setting, &policy.programs, Lookups::default());
        shell.line(command);
        let found = shell.finish().0.iter().map(shown).collect::<Vec<_>>().join("; ");
        if found != *expected {
            let _ = writeln!(wrong, "{command}\n    expected: {expected}\n    found:    {found}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// An action in one line: a command with the long names of its options, `@` where it runs elsewhere, `?` where it is a guess.
fn shown(action: &Action) -> String {
    let text = match &action.deed {
        Deed::Run(run) => {
            let mut text = run.program.clone();
            if let Some(subcommand) = &run.subcommand {
                let _ = write!(text, " {subcommand}");
            }
            for flag in &run.flags {
                let _ = write!(text, " {}", shown_flag(flag));
            }
            for (name, value) in &run.env {
                let _ = write!(text, " {name}={value}");
            }
            if !run.args.is_empty() {
                let args: Vec<String> = run.args.iter().map(|word| if word.is("") { "''".to_owned() } else { word.to_string() }).collect();
                let _ = write!(text, " ({})", args.join(", "));
            }
            text + if run.remote { " @" } else { "" }
        }
        Deed::Write(write) if matches!(write.change, Change::Attributes { .. }) => format!("mark {}", write.path.word),
        Deed::Write(write) if matches!(write.change, Change::Tree(_)) => format!("write all {}", write.path.word),
        Deed::Write(write) => format!("write {}", write.path.word),
        Deed::Delete(delete) => {
            let kind = if delete.moved { "move" } else { "delete" };
            format!("{kind}{} {}", if delete.recursive { " all" } else { "" }, delete.path.word)
        }
        Deed::Read(read) => format!("read {}", read.path.word),
        Deed::Fetch { url, method } => format!("fetch {}{url}", method.as_ref().map_or(String::new(), |method| format!("{method} "))),
        Deed::Push(push) => format!("push {:?}{}", push.kinds, push.target.as_ref().map_or(String::new(), |target| format!(" {target}"))),
        Deed::Opaque { why, .. } => format!("opaque: {why}"),
        Deed::Query(query) => format!("query of {}: {} {}", query.language, query.loses, query.name),
        other => format!("{other:?}"),
    };
    text + if action.sure { "" } else { " ?" }
}

fn shown_flag(flag: &Flag) -> String {
    let name = flag.names.iter().find(|name| name.starts_with("--")).or(flag.names.first());
    let name = name.map_or("", String::as_str);
    flag.value.as_ref().map_or_else(|| name.to_owned(), |value| format!("{name}={value}"))
}

#[test]
fn every_name_is_found() {
    let bytes = compiled();
    let policy = policy(&bytes);
    let mut names = 0;
    for (_, text) in policy_compiler::packs::PROGRAMS {
        let file: toml::Table = text.parse().expect("a shipped file is TOML");
        for program in file.get("program").and_then(toml::Value::as_array).into_iter().flatten() {
            let listed = match program.get("name") {
                Some(toml::Value::Array(names)) => names.iter().filter_map(toml::Value::as_str).collect(),
                Some(toml::Value::String(name)) => vec![name.as_str()],
                _ => Vec::new(),
            };
            for name in listed {
                assert!(policy.programs.find(name).is_some_and(|program| program.names.contains(&name)), "{name}");
                names += 1;
            }
        }
    }
    assert!(names > 500, "{names} names");
}

#[test]
fn gits_own_list_of_options_is_ours() {
    let Some(version) = git_version() else { return };
    if version < DESCRIBED {
        return;
    }
    let bytes = compiled();
    let policy = policy(&bytes);
    let git = policy.programs.find("git").expect("git is described");
    let scratch = tempfile::tempdir().unwrap();
    Command::new("git").args(["init", "-q"]).current_dir(&scratch).status().unwrap();
    let mut wrong = String::new();
    let mut compared = 0;
    for name in git.subcommands.names().filter(|name| !BY_HAND.contains(name)) {
        let program = git.subcommand(name).expect("it is listed");
        compared += differences(&scratch, &[name], &program, version, &mut wrong);
        for inner in program.subcommands.names() {
            let program = program.subcommand(inner).expect("it is listed");
            compared += differences(&scratch, &[name, inner], &program, version, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(compared > 1000, "{compared} options compared");
}

/// Compares one subcommand's long options; gives how many were compared.
fn differences(scratch: &tempfile::TempDir, names: &[&str], program: &Program, version: (u32, u32), wrong: &mut String) -> usize {
    let output =
        Command::new("git").args(names).arg("--git-completion-helper-all").current_dir(scratch).env("GIT_CEILING_DIRECTORIES", scratch.path()).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut compared = 0;
    for word in text.split_whitespace().filter(|word| word.starts_with("--") && *word != "--") {
        let (option, takes) = word.strip_suffix('=').map_or((word, false), |option| (option, true));
        let opposite = option.strip_prefix("--no-").map_or_else(|| option.replacen("--", "--no-", 1), |rest| format!("--{rest}"));
        let ours = program.options.iter().find(|ours| ours.names.contains(&option));
        compared += 1;
        let complaint = match ours {
            None if program.options.iter().any(|ours| ours.names.contains(&opposite.as_str())) => continue,
            // A newer git may know more.
            None if version > DESCRIBED => continue,
            None => "is not described",
            Some(ours) if takes && ours.takes != Takes::Value => "takes a value",
            Some(ours) if !takes && ours.takes == Takes::Value && !UNMARKED.contains(&option) => "takes no value, or an attached one",
            Some(_) => continue,
        };
        let _ = writeln!(wrong, "git {} {option} {complaint}", names.join(" "));
    }
    compared
}

fn git_version() -> Option<(u32, u32)> {
    let output = Command::new("git").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.split_whitespace().nth(2)?.split('.').map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// Command lines, and what they would do. Every command of a row stands for a way of reading arguments that is easily got
/// wrong: bundles, values attached or behind, beginnings of names, where the options end, which word the command is.
#[rustfmt::skip]
const ROWS: &[(&str, &str)] = &[
    // Git.
    ("git commit -anm x", "git commit --all --no-verify --message=x"),
    ("git commit --no-veri -m x", "git commit --no-verify --message=x"),
    ("git commit --no-verify --verify -m x", "git commit --verify --message=x"),
    ("git commit -m 'a -n b' --amend", "git commit --message=a -n b --amend"),
    ("git commit -F- -q", "git commit --file=- --quiet"),
    ("git commit -Sn -m x", "git commit --gpg-sign=n --message=x"),
    ("git commit -uno -m x", "git commit --untracked-files=no --message=x"),
    ("git -C a -c b.c=d push", "git config once (b.c, d); git push -C=a -c=b.c=d; push []"),
    ("git --git-dir=x --work-tree y status", "git status --git-dir=x --work-tree=y"),
    ("git --no-pager log -3", "git log --no-pager -3"),
    ("git push -f", "git push --force; push [NonFastForward]"),
    ("git push --force --no-force", "git push --no-force; push []"),
    ("git push origin main --force-with-lease=main:abc", "git push --force-with-lease=main:abc (origin, main); push [] main"),
    ("git push --force-w", "git push --force-with-lease; push []"),
    ("git push origin main --forc", "git push --force (origin, main); push [NonFastForward] main"),
    ("git push -uf origin main", "git push --set-upstream --force (origin, main); push [NonFastForward] main"),
    ("git push -o ci.skip origin main", "git push --push-option=ci.skip (origin, main); push [] main"),
    ("git push --receive-pack='rm x' origin", "git push --receive-pack=rm x (origin); push []; rm (x); delete /r/x"),
    ("git-push -f", "git push --force; push [NonFastForward]"),
    ("git merge --no-verify x", "git merge --no-verify (x)"),
    ("git pull --no-verify", "git pull --no-verify"),
    ("git stash -u", "git stash --include-untracked"),
    ("git stash push -m x -- f", "git stash push --message=x -- (f)"),
    ("git stash -- f", "git stash -- (f)"),
    ("git config user.name x", "git config set (user.name, x)"),
    ("git config --global core.hooksPath /dev/null", "git config set --global (core.hookspath, /dev/null)"),
    ("git config set --local core.hooksPath x", "git config set --local (core.hookspath, x)"),
    ("git config --unset a.b", "git config unset --unset (a.b)"),
    ("git remote -v", "git remote --verbose"),
    ("git remote set-url --push origin u", "git remote set-url --push (origin, u)"),
    ("git bisect run sh -c 'rm -rf x'", "git bisect run; sh -c (rm -rf x); rm --recursive --force (x); delete all /r/x"),
    ("git submodule foreach --recursive 'git push -f'", "git submodule foreach --recursive; git push --force; push [NonFastForward]"),
    ("git rebase -x 'git push -f' main", "git rebase --exec=git push -f (main); git push --force; push [NonFastForward]"),
    ("git rebase -i --exec='rm x' HEAD~3", "git rebase --interactive --exec=rm x (HEAD~3); rm (x); delete /r/x"),
    ("git filter-branch --tree-filter 'rm -rf x' HEAD", "git filter-branch --tree-filter=rm -rf x (HEAD); rm --recursive --force (x); delete all /r/x"),
    ("git rm -r --cached x", "git rm -r --cached (x)"),
    ("git rm -rf x y", "git rm -r --force (x, y); delete all /r/x; delete all /r/y"),
    ("git rm -n x", "git rm --dry-run (x)"),
    ("git mv a b", "git mv (a, b); move /r/a; write /r/b; write /r/b/a"),
    ("git worktree add ../w main", "git worktree add (../w, main); write /w"),
    ("git checkout -b t -- f", "git checkout -b=t -- (f); write /r/f"),
    ("git archive -o out.tar HEAD", "git archive --output=out.tar (HEAD); write /r/out.tar"),
    ("git clone --depth 1 https://h/r d", "git clone --depth=1 (https://h/r, d); fetch https://h/r; write /r/d"),
    ("git diff --output=f HEAD", "git diff --output=f (HEAD); write /r/f"),
    ("git log -S needle -n 3 --author me", "git log -S=needle --max-count=3 --author=me"),
    ("git branch -D a b", "git branch -D (a, b)"),
    ("git branch --contains abc", "git branch --contains=abc"),
    ("git reset --hard -q HEAD~1", "git reset --hard --quiet (HEAD~1)"),
    ("git clean -ffdxe keep", "git clean --force --force -d -x --exclude=keep"),
    ("git difftool -x 'rm f' HEAD", "git difftool --extcmd=rm f (HEAD); rm (f); delete /r/f"),
    ("git grep -e a --and -e b", "git grep -e=a --and -e=b"),
    ("git format-patch -o d -3", "git format-patch --output-directory=d -3; write /r/d/…"),
    ("git am -3 < p", "read /r/p; git am --3way"),
    ("git reflog expire --expire=now --all", "git reflog expire --expire=now --all"),
    ("git notes add -m x HEAD", "git notes add --message=x (HEAD)"),
    ("git update-ref -d refs/heads/x", "git update-ref -d (refs/heads/x)"),
    ("git tag -d v1", "git tag --delete (v1)"),
    ("git svn dcommit -r 3", "git svn dcommit --revision=3"),
    ("git help -a", "git help --all"),
    // Files.
    ("rm -rf -- -x", "rm --recursive --force -- (-x); delete all /r/-x"),
    ("rm --recurs x", "rm --recursive (x); delete all /r/x"),
    ("rm --no-preserve-root -r /", "rm --no-preserve-root --recursive (/); delete all /"),
    ("mv -t d a b", "mv --target-directory=d (a, b); write /r/d/a; write /r/d/b; move /r/a; move /r/b"),
    ("mv a b", "mv (a, b); move /r/a; write /r/b; write /r/b/a"),
    ("cp -rt dir a b", "cp --recursive --target-directory=dir (a, b); write /r/dir/a; write /r/dir/b; write all /r/dir; write /r/dir; read /r/a; read /r/b"),
    ("cp --target-directory=dir a", "cp --target-directory=dir (a); write /r/dir/a; read /r/a"),
    ("cp -a a b", "cp --archive (a, b); read /r/a; write all /r/b; write /r/b; write /r/b/a"),
    ("cp -S .bak a b", "cp --suffix=.bak (a, b); read /r/a; write /r/b; write /r/b/a"),
    ("install -m 755 a b", "install --mode=755 (a, b); read /r/a; write /r/b; write /r/b/a"),
    ("install -dm 700 x", "install --directory --mode=700 (x); write /r/x"),
    ("ln -sf a b", "ln --symbolic --force (a, b); read /r/a; write /r/b; write /r/b/a"),
    ("ln -s a", "ln --symbolic (a); write /r/a"),
    ("touch -d yesterday f", "touch --date=yesterday (f); write /r/f"),
    ("touch -c f", "touch --no-create (f); mark /r/f"),
    ("truncate -s 0 f", "truncate --size=0 (f); write /r/f"),
    ("dd if=a of=b bs=1M", "dd if=a of=b bs=1M; read /r/a; write /r/b"),
    ("tee -a f", "tee --append (f); write /r/f"),
    ("chmod +x f", "chmod (+x, f); mark /r/f"),
    ("chmod --reference=a b", "chmod --reference=a (b); mark /r/b"),
    ("chown -R u:g d", "chown --recursive (u:g, d); mark /r/d"),
    ("sed -i.bak s/a/b/ f", "sed --in-place=.bak (s/a/b/, f); write /r/f"),
    ("sed -ne p f", "sed --quiet --expression=p (f); read /r/f"),
    ("sed -n -i -e s/a/b/ f g", "sed --quiet --in-place --expression=s/a/b/ (f, g); write /r/f; write /r/g"),
    ("sed -Ei 's/a/b/' f", "sed --regexp-extended --in-place (s/a/b/, f); write /r/f"),
    ("sed -f s.sed f", "sed --file=s.sed (f); read /r/f"),
    ("sed s/a/b/ f", "sed (s/a/b/, f); read /r/f"),
    (r#"awk '{system("rm x")}' f"#, r#"awk ({system("rm x")}, f); rm (x); delete /r/x; read /r/f"#),
    ("awk -F: -v a=b -f p.awk f", "awk --field-separator=: --assign=a=b --file=p.awk (f); read /r/f"),
    ("gawk -i inplace '{print}' f", "gawk --include=inplace ({print}, f); write /r/f"),
    ("patch --dry-run -p1 < f", "read /r/f; patch --dry-run --strip=1"),
    ("tar -xzf a.tgz -C dir", "tar --extract --gzip --file=a.tgz --directory=dir; read /r/a.tgz; write /r/dir/…"),
    ("tar xzf a.tgz -C dir", "tar --extract --gzip --file=a.tgz --directory=dir; read /r/a.tgz; write /r/dir/…"),
    ("tar czf out.tgz -C dir .", "tar --create --gzip --file=out.tgz --directory=dir (.); write /r/out.tgz; read /r"),
    ("tar cfC out.tgz dir .", "tar --create --file=out.tgz --directory=dir (.); write /r/out.tgz; read /r"),
    ("tar -tf a", "tar --list --file=a; read /r/a"),
    ("tar -cf o --remove-files d", "tar --create --file=o --remove-files (d); write /r/o; delete all /r/d"),
    ("tar -xf a --to-command='rm x'", "tar --extract --file=a --to-command=rm x; rm (x); delete /r/x; read /r/a"),
    ("tar --checkpoint-action=exec=x --checkpoint=1 -cf o a", "tar --checkpoint-action=exec=x --checkpoint=1 --create --file=o (a); x; write /r/o; read /r/a"),
    ("unzip -qo a.zip -d dir", "unzip -q -o -d=dir (a.zip); write /r/dir/…"),
    ("gzip f", "gzip (f); delete /r/f"),
    ("gzip -kc f", "gzip --keep --stdout (f); read /r/f"),
    ("zstd --rm f", "zstd --rm (f); delete /r/f"),
    ("rsync -a --delete src/ dst/", "rsync --archive --del (src/, dst/); read /r/src; delete all /r/dst"),
    ("rsync -avze 'ssh -p 22' src/ h:dst", "rsync --archive --verbose --compress --rsh=ssh -p 22 (src/, h:dst); ssh -p=22; read /r/src"),
    ("rsync -n --delete a b", "rsync --dry-run --del (a, b)"),
    ("sort -uo out in", "sort --unique --output=out (in); write /r/out; read /r/in"),
    ("uniq in out", "uniq (in, out); read /r/in; write /r/out"),
    ("find . -type f -name '*.o' -exec rm {} +", "find -type=f -name=*.o -exec (.); rm (./**/*.o); delete /r/**/*.o"),
    ("find a b -maxdepth 1 -name x -delete", "find -maxdepth=1 -name=x -delete (a, b); delete /r/a/**/x; delete /r/b/**/x"),
    (r"find . -exec sh -c 'rm x' \;", "find -exec (.); sh -c (rm x); rm (x); delete /r/x"),
    ("find . -name '*.c' -fprint out", "find -name=*.c -fprint=out (.); write /r/out"),
    ("fd -e o -x rm", "fd --extension=o --exec; rm (./**/*.o); delete /r/**/*.o"),
    ("fd -HI x d -X rm -f {}", "fd --hidden --no-ignore --exec-batch (x, d); rm --force (d/**/*x*); delete /r/d/**/*x*"),
    ("rg -e rm --pre 'rm x' y", "rg --regexp=rm --pre=rm x (y); rm (x); delete /r/x; read /r/y"),
    ("grep -rn -A 3 -e x -f pats d", "grep --recursive --line-number --after-context=3 --regexp=x --file=pats (d); read /r/pats; read /r/d"),
    ("jq --arg a b .x f", "jq --arg=a (b, .x, f); read /r/.x; read /r/f"),
    ("yq -i .a=1 f", "yq --in-place (.a=1, f); write /r/f"),
    ("split -b 1M --filter='rm x' f", "split --bytes=1M --filter=rm x (f); rm (x); delete /r/x; read /r/f; read /r/f"),
    ("iconv -f a -t b -o out in", "iconv --from-code=a --to-code=b --output=out (in); write /r/out; read /r/in"),
    ("openssl req -newkey rsa:2048 -keyout k -out c", "openssl -newkey=rsa:2048 -keyout=k -out=c (req); write /r/k; write /r/c"),
    ("shred -u f", "shred -u (f); delete /r/f"),
    ("rename s/a/b/ f", "rename (s/a/b/, f); write /r/f"),
    ("mkdir -pm 700 a/b", "mkdir --parents --mode=700 (a/b)"),
    ("sqlite3 -batch db 'drop table x'", "sqlite3 --batch (db, drop table x); write /r/db; query of sqlite: table x"),
    ("ffmpeg -y -i in -c:v x out", "ffmpeg -y -i=in -c:v=x (out); read /r/in; write /r/out"),
    ("Remove-Item -Recurse -Force -Path x", "Remove-Item -Recurse -Force -Path=x; delete all /r/x"),
    ("remove-item x -recurse", "remove-item -Recurse (x); delete all /r/x"),
    ("Set-Content -Path f -Value x", "Set-Content -Path=f -Value=x; write /r/f"),
    // Wrappers.
    ("sudo -u root A=1 rm -rf x", "sudo --user=root; rm --recursive --force A=1 (x); delete all /r/x"),
    ("sudo -nE -- rm x", "sudo --non-interactive --preserve-env --; rm (x); delete /r/x"),
    ("sudo --chdir=d rm x", "sudo --chdir=d; rm (x); delete /r/d/x"),
    ("sudo -e f", "sudo --edit (f); write /r/f"),
    ("su - user -c 'rm x'", "su --command=rm x (-, user); rm (x); delete /r/x"),
    ("env -u A B=1 cmd", "env --unset=A; cmd B=1"),
    ("env -i A=1 rm x", "env --ignore-environment; rm A=1 (x); delete /r/x"),
    ("env - rm x", "env; rm (x); delete /r/x"),
    ("env -C d rm x", "env --chdir=d; rm (x); delete /r/d/x"),
    ("env -S 'A=1 rm -rf' y", "env --split-string; env; rm --recursive --force A=1 (y); delete all /r/y"),
    ("env --split-string='-u A rm' z", "env --split-string; env --unset=A; rm (z); delete /r/z"),
    ("timeout -s KILL 5 rm -rf x", "timeout --signal=KILL (5); rm --recursive --force (x); delete all /r/x"),
    ("timeout --preserve-status -k 3 5s rm x", "timeout --preserve-status --kill-after=3 (5s); rm (x); delete /r/x"),
    ("nice -5 rm x", "nice -5; rm (x); delete /r/x"),
    ("nice -n 5 rm x", "nice --adjustment=5; rm (x); delete /r/x"),
    ("nohup setsid -f rm x", "nohup; setsid --fork; rm (x); delete /r/x"),
    ("time -p rm x", "rm (x); delete /r/x"),
    ("command -v rm", "command -v (rm)"),
    ("command rm x", "command; rm (x); delete /r/x"),
    ("exec -a n rm x", "exec -a=n; rm (x); delete /r/x"),
    ("stdbuf -oL -eL rm x", "stdbuf --output=L --error=L; rm (x); delete /r/x"),
    ("flock /tmp/l -c 'rm x'", "flock --command=rm x (/tmp/l); rm (x); delete /r/x"),
    ("flock -n /tmp/l rm x", "flock --nb (/tmp/l); rm (x); delete /r/x"),
    ("chroot /x rm y", "chroot (/x); rm (y); delete /x/y"),
    ("xargs -n1 -P4 rm", "xargs --max-args=1 --max-procs=4; rm (…); delete …"),
    ("xargs -0rI{} rm {}/x", "xargs --null --no-run-if-empty -I={}; rm (…/x); delete …/x"),
    ("xargs -i rm {}", "xargs --replace; rm (…); delete …"),
    ("find . -name '*.o' | xargs rm -f", "find -name=*.o (.); xargs; rm --force (./**/*.o); delete /r/**/*.o"),
    ("printf 'a b' | xargs rm", "printf (a b); xargs; rm (a, b); delete /r/a; delete /r/b"),
    ("parallel -j4 rm {} ::: a b", "parallel --jobs=4; rm (a); delete /r/a; rm (b); delete /r/b"),
    ("parallel ::: 'rm a' 'rm b'", "parallel; rm (a); delete /r/a; rm (b); delete /r/b"),
    ("echo a | parallel rm", "echo (a); parallel; rm (a); delete /r/a"),
    ("watch -n1 'rm x'", "watch --interval=1; rm (x); delete /r/x"),
    ("watch -x rm x", "watch --exec; rm (x); delete /r/x"),
    ("entr -s 'rm x'", "entr -s (rm x); rm (x); delete /r/x"),
    ("script -qc 'rm x' /dev/null", "script --quiet --command=rm x (/dev/null); rm (x); delete /r/x"),
    ("strace -f -o out rm x", "strace --follow-forks --output=out; write /r/out; rm (x); delete /r/x"),
    ("gdb --args rm x", "gdb --args; rm (x); delete /r/x"),
    ("hyperfine -w 3 'rm x' 'rm y'", "hyperfine --warmup=3 (rm x, rm y); rm (x); delete /r/x; rm (y); delete /r/y"),
    ("tmux new-session -d -s x 'rm y'", "tmux new-session -d -s=x; rm (y); delete /r/y"),
    ("tmux -L s send-keys -t x 'rm y' Enter", "tmux send-keys -L=s -t=x (rm y, Enter); rm (y); delete /r/y"),
    ("screen -dmS n rm x", "screen -d -m -S=n; rm (x); delete /r/x"),
    ("at now <<< 'rm x'", "at (now); rm (x); delete /r/x"),
    ("busybox rm x", "busybox; rm (x); delete /r/x"),
    ("make -C sub -j8 clean", "make --directory=sub --jobs=8 (clean)"),
    ("mise exec node@20 -- rm x", "mise exec -- (node@20); rm (x); delete /r/x"),
    ("poetry run -q rm x", "poetry run --quiet; rm (x); delete /r/x"),
    ("nix-shell -p x --run 'rm y'", "nix-shell --packages --run=rm y (x); rm (y); delete /r/y"),
    ("nix develop -c rm x", "nix develop --command; rm (x); delete /r/x"),
    ("systemd-run --user --scope rm x", "systemd-run --user --scope; rm (x); delete /r/x"),
    ("unshare -rm rm x", "unshare --map-root-user --mount; rm (x); delete /r/x"),
    ("direnv exec . rm x", "direnv exec (.); rm (x); delete /r/x"),
    ("aws-vault exec prof -- rm x", "aws-vault exec (prof); rm (x); delete /r/x"),
    ("ssh -p 22 host rm -rf x", "ssh -p=22 (host); rm --recursive --force (x) @; delete all …/x"),
    ("ssh host -t 'rm x'", "ssh -t (host); rm (x) @; delete …/x"),
    ("ssh -oA=b -Jj u@h -- rm x", "ssh -o=A=b -J=j -- (u@h); rm (x) @; delete …/x"),
    ("ssh host <<< 'rm x'", "ssh (host); rm (x) @; delete …/x"),
    ("wrapped-by-nobody --flag rm x", "wrapped-by-nobody --flag (rm, x)"),
    ("timeout --unknown 5 rm x", "timeout --unknown (5); x ?; rm (x); delete /r/x"),
    // Containers.
    ("docker run -it --rm -v a:b img rm x", "docker run --interactive --tty --rm --volume=a:b (img); rm (x) @; delete …/x"),
    ("docker exec -e A=b -u root c bash -c 'rm x'", "docker exec --env=A=b --user=root (c); bash -c (rm x) @; rm (x) @; delete …/x"),
    ("docker container exec -it c rm x", "docker container exec --interactive --tty (c); rm (x) @; delete …/x"),
    ("docker compose -f a.yml exec -T web rm x", "docker compose exec --file=a.yml --no-tty (web); rm (x) @; delete …/x"),
    ("docker-compose run --rm web rm x", "docker-compose run --rm (web); rm (x) @; delete …/x"),
    ("docker system prune -af", "docker system prune --all --force"),
    ("docker -H h cp c:a b", "docker cp --host=h (c:a, b); write /r/b"),
    ("podman run --rm img", "podman run --rm (img)"),
    ("kubectl exec -it pod -c c -n ns -- rm x", "kubectl exec --stdin --tty --container=c --namespace=ns -- (pod); rm (x) @; delete …/x"),
    ("kubectl -n ns delete pod x --force", "kubectl delete --namespace=ns --force (pod, x)"),
    ("kubectl get pods -n ns -o yaml", "kubectl get --namespace=ns --output=yaml (pods)"),
    // Packages.
    ("npx -y rimraf dist", "npx --yes; rimraf (dist); delete all /r/dist"),
    ("npx -c 'rm -rf x'", "npx --call=rm -rf x; rm --recursive --force (x); delete all /r/x"),
    ("npx --package=foo -- foo bar", "npx --package=foo --; foo (bar)"),
    ("npm exec -- rimraf x", "npm exec --; rimraf (x); delete all /r/x"),
    ("npm --prefix sub run x -- -f", "npm run --prefix=sub (x, --, -f)"),
    ("pnpm -C sub exec rm x", "pnpm exec --dir=sub; rm (x); delete /r/sub/x"),
    ("pnpm dlx rimraf x", "pnpm dlx; rimraf (x); delete all /r/x"),
    ("yarn dlx rimraf x", "yarn dlx; rimraf (x); delete all /r/x"),
    ("uv run --with x rm y", "uv run --with=x; rm (y); delete /r/y"),
    ("uv --directory d run -q rm y", "uv run --directory=d --quiet; rm (y); delete /r/d/y"),
    ("uvx --from x y z", "uvx --from=x; y (z)"),
    ("pipx run rimraf x", "pipx run; rimraf (x); delete all /r/x"),
    ("cargo +nightly run -- rm", "cargo run +stable -- (rm)"),
    ("rustup run nightly rm x", "rustup run (nightly); rm (x); delete /r/x"),
    ("go test -run X -coverprofile c.out ./...", "go test -run=X -coverprofile=c.out (./...); write /r/c.out"),
    // Interpreters.
    ("bash -c 'rm x' name a", "bash -c (rm x, name, a); rm (x); delete /r/x"),
    ("bash -euo pipefail -c 'rm -rf x'", "bash -e -u -o=pipefail -c (rm -rf x); rm --recursive --force (x); delete all /r/x"),
    ("bash +e -O extglob -c 'rm x'", "bash +e -O=extglob -c (rm x); rm (x); delete /r/x"),
    ("bash -norc -lc 'rm x'", "bash --norc --login -c (rm x); rm (x); delete /r/x"),
    ("bash --rcfile f -c 'rm x'", "bash --init-file=f -c (rm x); rm (x); delete /r/x"),
    ("bash s.sh -c 'rm x'", "bash (s.sh, -c, rm x)"),
    ("bash -s -- -y < f", "read /r/f; bash -s -- (-y)"),
    ("curl https://x | sh", "curl (https://x); fetch GET https://x; sh; opaque: a command line comes out of a pipe"),
    ("sh < /dev/null", "sh"),
    ("zsh -fc 'rm x'", "zsh -f -c (rm x); rm (x); delete /r/x"),
    ("fish -c 'rm x'", "fish --command=rm x; rm (x); delete /r/x"),
    ("pwsh -NoProfile -Command 'rm x'", "pwsh -NoProfile -Command; rm (x); delete /r/x"),
    ("cmd /c rm x", "cmd /c; rm (x); delete /r/x"),
    (r#"python3 -Wignore -c 'import os; os.remove("x")'"#, r#"python3 -W=ignore -c=import os; os.remove("x"); delete /r/x"#),
    ("python3 -m json.tool f", "python3 -m; json.tool (f); read /r/f"),
    (r#"python3 - a <<< 'import os; os.remove("x")'"#, "python3 (-, a); delete /r/x"),
    ("echo '{}' | python3 -m json.tool", "echo ({}); python3 -m; json.tool"),
    ("python3 s.py < data", "read /r/data; python3 (s.py)"),
    (r#"node --max-old-space-size=4096 -e 'require("fs").rmSync("x")'"#, r#"node --max-old-space-size=4096 --eval=require("fs").rmSync("x"); delete /r/x"#),
    ("node -pe 1", "node --eval=1"),
    ("node -r ./a b.js -e x", "node --require=./a (b.js, -e, x)"),
    (r#"ruby -rfileutils -e 'FileUtils.rm_rf("x")'"#, r#"ruby -r=fileutils -e=FileUtils.rm_rf("x"); delete all /r/x"#),
    ("perl -pi -e 's/a/b/' f", "perl -p -i -e=s/a/b/ (f); write /r/f"),
    ("perl -i.bak -0777pe 's/a/b/' f", "perl -i=.bak -0 -7 -7 -7 -p -e=s/a/b/ (f); write /r/f"),
    ("perl -ne print f", "perl -n -e=print (f); read /r/f"),
    (r#"php -r 'unlink("x");'"#, r#"php --run=unlink("x");; delete /r/x"#),
    ("deno run --allow-read a.ts -e x", "deno run --allow-read (a.ts, -e, x)"),
    ("bun -e 1", "bun --eval=1"),
    ("claude -p 'rm -rf x' --dangerously-skip-permissions", "claude --print --dangerously-skip-permissions (rm -rf x)"),
    ("codex exec -C d --yolo 'rm x'", "codex exec --cd=d --dangerously-bypass-approvals-and-sandbox (rm x)"),
    // Network.
    ("curl -fsSLo out url", "curl --fail --silent --show-error --location --output=out (url); write /r/out; fetch GET url"),
    ("curl -X DELETE https://h/x", "curl --request=DELETE (https://h/x); fetch DELETE https://h/x"),
    ("curl -d @f -H 'A: b' --output=o https://h", "curl --data=@f --header=A: b --output=o (https://h); write /r/o; fetch POST https://h; read /r/f"),
    ("curl --url https://h -T f", "curl --url=https://h --upload-file=f; fetch PUT https://h; read /r/f"),
    ("wget -qO- https://h", "wget --quiet --output-document=- (https://h); fetch GET https://h"),
    ("wget -nc -O f https://h", "wget --no-clobber --output-document=f (https://h); write /r/f; fetch GET https://h"),
    ("gh api -X DELETE repos/o/r", "gh api --method=DELETE (repos/o/r); fetch DELETE repos/o/r"),
    ("gh pr merge 5 --admin -d", "gh pr merge --admin --delete-branch (5)"),
    ("gh -R o/r release delete v1 --cleanup-tag", "gh release delete --repo=o/r --cleanup-tag (v1)"),
    ("gh repo delete o/r --yes", "gh repo delete --yes (o/r)"),
    ("gh pr create -t 'git push -f' -b x", "gh pr create --title=git push -f --body=x"),
    ("scp -P 22 a h:b", "scp -P=22 (a, h:b); read /r/a"),
    ("nc -e /bin/sh h 1", "nc --exec=/bin/sh (h, 1); sh"),
    // Clouds.
    ("aws s3 rm s3://b --recursive --profile p", "aws s3 rm --recursive --profile=p (s3://b)"),
    ("terraform -chdir=d destroy -auto-approve", "terraform destroy -chdir=d --auto-approve"),
    ("terraform plan -out p", "terraform plan -out=p; write /r/p"),
    // What is between the families.
    ("cargo test -- --test-threads 1", "cargo test -- (--test-threads, 1)"),
    ("git log --since '2 days' --oneline -- a b", "git log --since=2 days --oneline -- (a, b)"),
    ("git pull -r --no-verif", "git pull --rebase --no-verif"),
    ("git am --no-v < p", "read /r/p; git am --no-verify"),
    ("git push --no-verify --dry-r", "git push --no-verify --dry-run"),
    ("head -c 5 f", "head --bytes=5 (f); read /r/f"),
    ("tail -fn 20 log", "tail -f --lines=20 (log); read /r/log"),
    ("ls -la d", "ls -l -a (d)"),
    ("cut -d: -f1 f", "cut --delimiter=: --fields=1 (f); read /r/f"),
    ("lxc exec c -- rm x", "lxc exec (c); rm (x) @; delete …/x"),
    ("retry -t 3 -- rm x", "retry --times=3 --; rm (x); delete /r/x"),
    ("sudo -i", "sudo --login"),
    ("sudo -u u -- env -i A=b timeout 5 nice -n 3 rm x", "sudo --user=u --; env --ignore-environment; timeout A=b (5); nice --adjustment=3 A=b; rm A=b (x); delete /r/x"),
    ("ssh h sudo sh -c 'rm x'", "ssh (h); sudo @; sh -c (rm, x) @; rm @"),
    (r#"sh -c 'exec rm "$@"' _ a b"#, r#"sh -c (exec rm "$@", _, a, b); exec; rm (a, b); delete /r/a; delete /r/b"#),
    (r#"perl -e 'system("rm x")'"#, r#"perl -e=system("rm x"); rm (x); delete /r/x"#),
    (r#"python3 -Bc 'import shutil; shutil.rmtree("x")'"#, r#"python3 -B -c=import shutil; shutil.rmtree("x"); delete all /r/x"#),
    (r#"node --eval='require("fs").unlinkSync("x")'"#, r#"node --eval=require("fs").unlinkSync("x"); delete /r/x"#),
    ("ruby -i.bak -pe '$_.upcase!' f", "ruby -i=.bak -p -e=$_.upcase! (f); write /r/f"),
    (r#"lua -e 'os.execute("rm x")'"#, r#"lua -e=os.execute("rm x"); rm (x); delete /r/x"#),
    ("tar -C d -xf a --strip-components 1", "tar --directory=d --extract --file=a --strip-components=1; read /r/a; write /r/d/…"),
    ("tar --extract --file a --directory=d", "tar --extract --file=a --directory=d; read /r/a; write /r/d/…"),
    ("cpio -idmv -F a", "cpio --extract --make-directories --preserve-modification-time --verbose --file=a; read /r/a"),
    ("unzip a.zip x -d d", "unzip -d=d (a.zip, x); write /r/d/…"),
    ("7z x a.7z", "7z x (a.7z)"),
    ("xz -d f.xz", "xz --decompress (f.xz); delete /r/f.xz"),
    ("bzip2 -k f", "bzip2 --keep (f); read /r/f"),
    ("base64 -d -i f", "base64 --decode --ignore-garbage (f); read /r/f"),
    ("wc -l a b", "wc --lines (a, b); read /r/a; read /r/b"),
    ("stat -c %s f", "stat --format=%s (f)"),
    ("file -b f", "file --brief (f)"),
    ("diff -u a b", "diff -u (a, b); read /r/a; read /r/b"),
    ("cmp a b", "cmp (a, b); read /r/a; read /r/b"),
    ("tree -o out d", "tree -o=out (d); write /r/out"),
    ("pandoc -o out.pdf in.md", "pandoc --output=out.pdf (in.md); write /r/out.pdf; read /r/in.md"),
    ("xxd -r a b", "xxd -r (a, b); read /r/a; write /r/b"),
    ("scp -r h:a .", "scp -r (h:a, .); write /r"),
    ("rclone sync a b --dry-run", "rclone sync --dry-run (a, b)"),
    ("git lfs migrate import --everything --include '*.bin'", "git lfs migrate import --everything --include=*.bin"),
    ("git sparse-checkout set --cone a", "git sparse-checkout set --cone (a)"),
    ("git maintenance run --task gc", "git maintenance run --task=gc"),
    ("git bundle create f.bundle --all", "git bundle create --all (f.bundle); write /r/f.bundle"),
    ("git cat-file -p HEAD", "git cat-file -p (HEAD)"),
    ("git hash-object -w f", "git hash-object -w (f); read /r/f"),
    ("git fetch -p --depth 1 origin", "git fetch --prune --depth=1 (origin)"),
    ("git fetch --upload-pack 'rm x' origin", "git fetch --upload-pack=rm x (origin); rm (x); delete /r/x"),
    ("git ls-remote --heads origin", "git ls-remote --heads (origin)"),
    ("git switch -c t", "git switch --create=t"),
    ("git restore --source HEAD~1 -W -S f", "git restore --source=HEAD~1 --worktree --staged (f); write /r/f"),
    ("git cherry-pick -n abc", "git cherry-pick --no-commit (abc)"),
    ("git revert --no-commit abc", "git revert --no-commit (abc)"),
    ("git submodule deinit -f m", "git submodule deinit --force (m)"),
    ("git replace -d abc", "git replace --delete (abc)"),
    ("git gc --prune=now", "git gc --prune=now"),
    ("git symbolic-ref HEAD refs/heads/x", "git symbolic-ref (HEAD, refs/heads/x)"),
    ("git commit --fixup=amend:abc", "git commit --fixup=amend:abc"),
    ("git add -A -- a", "git add --all -- (a)"),
    ("git rm --cached -r -q a b", "git rm --cached -r --quiet (a, b)"),
];
