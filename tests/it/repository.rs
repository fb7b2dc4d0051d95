//! Where a repository begins and which folder's policy holds, compared with what git itself says about the same
//! scratch repositories.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use gate::world::repository::{Discovery, Repository, anchor, discover, head_branch, same_repository};
use tempfile::TempDir;

const POLICY_NAMES: &[&str] = &["portcullis.toml", ".portcullis/policy.toml"];

/// Folders below a temporary one, made by steps; `@` in a step or an expectation stands for that folder.
struct Scratch {
    root: PathBuf,
    _kept: TempDir,
}

impl Scratch {
    /// Does one step after another:
    /// `git ARGS`, `folder PATH`, `file PATH TEXT`, `link TARGET PATH`, `pipe PATH`, `remove PATH`.
    #[track_caller]
    fn new(steps: &[&str]) -> Self {
        let kept = tempfile::tempdir().expect("a temporary folder");
        let root = fs::canonicalize(kept.path()).expect("its true path");
        let scratch = Self { root, _kept: kept };
        for step in steps {
            let words: Vec<&str> = step.splitn(3, ' ').collect();
            let done = match words.as_slice() {
                ["git", ..] => {
                    let step = scratch.text(step);
                    let args: Vec<&str> = step.split(' ').skip(1).collect();
                    scratch.git(&scratch.root, &args, &[]).map(drop)
                }
                ["folder", path] => fs::create_dir_all(scratch.path(path)).map_err(|error| error.to_string()),
                ["file", path, text] => fs::write(scratch.path(path), scratch.text(text)).map_err(|error| error.to_string()),
                ["link", target, path] => symlink(scratch.text(target), scratch.path(path)).map_err(|error| error.to_string()),
                ["pipe", path] => {
                    let made = Command::new("mkfifo").arg(scratch.path(path)).status().expect("mkfifo starts");
                    made.success().then_some(()).ok_or_else(|| "mkfifo failed".to_owned())
                }
                ["remove", path] => {
                    let path = scratch.path(path);
                    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
                    removed.map_err(|error| error.to_string())
                }
                _ => Err("there is no such step".to_owned()),
            };
            done.unwrap_or_else(|error| panic!("`{step}`: {error}"));
        }
        scratch
    }

    fn text(&self, text: &str) -> String {
        text.replace('@', self.root.to_str().expect("a temporary folder with a readable name"))
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.root.join(self.text(path));
        // `join` would leave a slash at the end for an empty path.
        path.components().collect()
    }

    /// A path as the tables write it.
    fn short(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(rest) if rest.as_os_str().is_empty() => "@".to_owned(),
            Ok(rest) => rest.display().to_string(),
            Err(_) => path.display().to_string(),
        }
    }

    /// What git prints in `folder`, in an environment of nothing but `env`.
    fn git(&self, folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Result<String, String> {
        let config = ["init.defaultBranch=main", "user.name=a", "user.email=a@example.org", "protocol.file.allow=always"];
        let output = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.root)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .envs(env.iter().map(|(name, value)| (name, self.text(value))))
            .current_dir(folder)
            .args(config.iter().flat_map(|entry| ["-c", entry]))
            .args(args)
            .output()
            .expect("git starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn discovered(&self, start: &str) -> String {
        match discover(&self.path(start)) {
            Discovery::Found(found) => self.short(&found.root),
            Discovery::Bare(folder) => format!("bare {}", self.short(&folder)),
            Discovery::None => "none".to_owned(),
            Discovery::Unreadable(fault) => format!("unreadable {}", self.short(&fault.path)),
        }
    }

    #[track_caller]
    fn repository(&self, start: &str) -> Repository {
        match discover(&self.path(start)) {
            Discovery::Found(found) => found,
            other => panic!("no repository at `{start}`: {other:?}"),
        }
    }
}

/// What git says about the same start.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Git {
    /// The same root, git folder and common folder.
    Same,
    /// It refuses to work there, or finds nothing.
    Refuses,
    /// Another root, for a reason that the layout's name tells.
    Root(&'static str),
    /// It cannot be asked: there is no such folder to start it in.
    Unasked,
}

struct Layout {
    name: &'static str,
    steps: &'static [&'static str],
    env: &'static [(&'static str, &'static str)],
    start: &'static str,
    ours: &'static str,
    git: Git,
}

const fn layout(name: &'static str, steps: &'static [&'static str], start: &'static str, ours: &'static str, git: Git) -> Layout {
    Layout { name, steps, env: &[], start, ours, git }
}

const COMMIT: &str = "git -C a commit -q --allow-empty -m x";

const LAYOUTS: &[Layout] = &[
    layout("plain", &["git init -q a"], "a", "a", Git::Same),
    layout("deep", &["git init -q a", "folder a/b/c/d/e/f/g"], "a/b/c/d/e/f/g", "a", Git::Same),
    layout("start is a link into it", &["git init -q a", "folder a/b", "link a/b l"], "l", "a", Git::Same),
    layout("start is a link out of it", &["git init -q a", "git init -q o", "folder o/b", "link @/o/b a/l"], "a/l", "o", Git::Same),
    layout("linked work tree", &["git init -q a", COMMIT, "git -C a worktree add -q @/w", "folder w/b"], "w/b", "w", Git::Same),
    layout("linked work tree inside the first one", &["git init -q a", COMMIT, "git -C a worktree add -q @/a/b/w"], "a/b/w", "a/b/w", Git::Same),
    layout(
        "work tree of a bare repository beside it",
        &["git init -q a", COMMIT, "git clone -q --bare a p/.bare", "file p/.git gitdir: ./.bare", "git -C p worktree add -q w"],
        "p/w",
        "p/w",
        Git::Same,
    ),
    layout("submodule", &["git init -q a", COMMIT, "git init -q b", "git -C b submodule --quiet add @/a s", "folder b/s/t"], "b/s/t", "b/s", Git::Same),
    layout("nested repository", &["git init -q a", "git init -q a/b", "folder a/b/c"], "a/b/c", "a/b", Git::Same),
    layout("empty `.git` folder below", &["git init -q a", "folder a/b/.git"], "a/b", "a", Git::Same),
    layout("empty `.git` folder above", &["folder .git", "git init -q a"], "a", "a", Git::Same),
    layout("no repository", &["folder a/b"], "a/b", "none", Git::Refuses),
    layout("bare", &["git init -q --bare a"], "a", "bare a", Git::Refuses),
    layout("inside a bare one", &["git init -q --bare a"], "a/refs/heads", "bare a", Git::Refuses),
    layout("inside `.git`", &["git init -q a"], "a/.git", "a", Git::Refuses),
    layout("deep inside `.git`", &["git init -q a"], "a/.git/objects/info", "a", Git::Refuses),
    layout("inside the git folder of a linked work tree", &["git init -q a", COMMIT, "git -C a worktree add -q @/w"], "a/.git/worktrees/w", "a", Git::Refuses),
    layout(
        // Git goes by `core.worktree` here; the policy of the repository around it holds for its git folder.
        "inside the git folder of a submodule",
        &["git init -q a", COMMIT, "git init -q b", "git -C b submodule --quiet add @/a s"],
        "b/.git/modules/s",
        "b",
        Git::Root("b/s"),
    ),
    layout("git folder elsewhere", &["git init -q --separate-git-dir=g a", "folder a/b"], "a/b", "a", Git::Same),
    layout("`core.worktree` set", &["git init -q a", "folder e", "git -C a config core.worktree @/e"], "a", "a", Git::Root("e")),
    Layout { env: &[("GIT_DIR", "@/o/.git")], ..layout("`GIT_DIR` set", &["git init -q a", "git init -q o", "folder a/b"], "a/b", "a", Git::Root("a/b")) },
    Layout {
        env: &[("GIT_DIR", "@/o/.git"), ("GIT_WORK_TREE", "@/o")],
        ..layout("`GIT_DIR` and `GIT_WORK_TREE` set", &["git init -q a", "git init -q o"], "a", "a", Git::Root("o"))
    },
    Layout {
        env: &[("GIT_CEILING_DIRECTORIES", "@/a")],
        ..layout("`GIT_CEILING_DIRECTORIES` set", &["git init -q a", "folder a/b"], "a/b", "a", Git::Refuses)
    },
    layout("`.git` is a link", &["git init -q o", "folder a", "link @/o/.git a/.git"], "a", "a", Git::Same),
    layout("`.git` is a link to nothing", &["git init -q a", "folder a/b", "link nowhere a/b/.git"], "a/b", "a", Git::Same),
    layout("SHA-256", &["git init -q --object-format=sha256 a"], "a", "a", Git::Same),
    layout("references in tables", &["git init -q --ref-format=reftable a"], "a", "a", Git::Same),
    layout("`HEAD` on a commit", &["git init -q a", COMMIT, "git -C a checkout -q --detach"], "a", "a", Git::Same),
    layout("`HEAD` is a link", &["git init -q a", "remove a/.git/HEAD", "link refs/heads/main a/.git/HEAD"], "a", "a", Git::Same),
    layout("`HEAD` is no reference", &["git init -q a", "git init -q a/b", "file a/b/.git/HEAD nonsense"], "a/b", "a", Git::Same),
    layout("`refs` is gone", &["git init -q a", "git init -q a/b", "remove a/b/.git/refs"], "a/b", "a", Git::Same),
    layout("`objects` is gone", &["git init -q a", "git init -q a/b", "remove a/b/.git/objects"], "a/b", "a", Git::Same),
    layout("`.git` file leads nowhere", &["git init -q a", "folder a/b", "file a/b/.git gitdir: ../nowhere"], "a/b", "a", Git::Refuses),
    layout("`.git` file is no such file", &["git init -q a", "folder a/b", "file a/b/.git hello"], "a/b", "a", Git::Refuses),
    layout("`.git` is a pipe", &["git init -q a", "folder a/b", "pipe a/b/.git"], "a/b", "a", Git::Same),
    layout("`.git` is a circle", &["git init -q a", "folder a/b", "link .git a/b/.git"], "a/b", "unreadable a/b/.git", Git::Same),
    layout("start does not exist", &["git init -q a"], "a/b/c", "a", Git::Unasked),
    layout("start is a file", &["git init -q a", "file a/f text"], "a/f", "a", Git::Unasked),
    layout("start is below a file", &["git init -q a", "file a/f text"], "a/f/g", "a", Git::Unasked),
    layout("start goes up", &["git init -q a", "folder a/b", "git init -q o"], "a/b/../../o/x", "o", Git::Unasked),
];

#[test]
fn layouts_are_read_as_git_reads_them() {
    let mut wrong = Vec::new();
    for Layout { name, steps, env, start, ours, git } in LAYOUTS {
        let scratch = Scratch::new(steps);
        let found = scratch.discovered(start);
        if found != *ours {
            wrong.push(format!("{name}: we say `{found}`, not `{ours}`"));
        }
        if *git == Git::Unasked {
            continue;
        }
        let folder = scratch.path(start);
        let said = scratch.git(&folder, &["rev-parse", "--show-toplevel"], env).map(|root| scratch.short(Path::new(&root)));
        let expected = match git {
            Git::Root(root) => Some(*root),
            // A fault is ours alone: git passes over what it cannot look at.
            Git::Same => Some(if ours.starts_with("unreadable") { "a" } else { ours }),
            Git::Refuses | Git::Unasked => None,
        };
        if said.as_deref().ok() != expected {
            wrong.push(format!("{name}: git says `{said:?}`, not `{expected:?}`"));
        }
        if *git == Git::Same
            && let Discovery::Found(found) = discover(&folder)
        {
            let args = ["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"];
            let said = scratch.git(&folder, &args, env).unwrap_or_else(|error| panic!("{name}: {error}"));
            let real = |path: &Path| fs::canonicalize(path).expect("a folder that git names");
            let theirs: Vec<PathBuf> = said.lines().map(|line| real(Path::new(line))).collect();
            let ours = vec![real(&found.git_dir), real(&found.common_dir)];
            if ours != theirs {
                wrong.push(format!("{name}: git folders are {theirs:?}, not {ours:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_folder_dug_too_deep_is_no_way_out() {
    let scratch = Scratch::new(&["git init -q a"]);
    let depth = |levels: usize| format!("a{}", "/d".repeat(levels));
    fs::create_dir_all(scratch.path(&depth(400))).expect("a deep folder");
    assert_eq!(scratch.discovered(&depth(200)), "a");
    assert!(scratch.discovered(&depth(400)).starts_with("unreadable a/d/d"));
}

#[test]
fn only_work_trees_of_one_repository_are_the_same() {
    let scratch =
        Scratch::new(&["git init -q a", COMMIT, "git -C a worktree add -q @/w", "git init -q b", "git -C b submodule --quiet add @/a s", "git clone -q a c"]);
    for (one, other, expected) in [("a", "w", true), ("w", "a", true), ("a", "a", true), ("a", "b", false), ("b", "b/s", false), ("a", "c", false)] {
        let same = same_repository(&scratch.repository(one), &scratch.repository(other));
        assert_eq!(same, expected, "{one} and {other}");
    }
}

#[test]
fn the_branch_is_the_one_git_names() {
    for (name, steps, start, expected) in [
        ("no commit yet", &["git init -q a"][..], "a", Some("main")),
        ("with a slash", &["git init -q -b feature/x a"], "a", Some("feature/x")),
        ("on a commit", &["git init -q a", COMMIT, "git -C a checkout -q --detach"], "a", None),
        ("in a linked work tree", &["git init -q a", COMMIT, "git -C a worktree add -q -b side @/w"], "w", Some("side")),
        ("`HEAD` is a link", &["git init -q a", "remove a/.git/HEAD", "link refs/heads/old a/.git/HEAD"], "a", Some("old")),
        ("no branch at all", &["git init -q a", "git -C a symbolic-ref HEAD refs/other/x"], "a", None),
    ] {
        let scratch = Scratch::new(steps);
        assert_eq!(head_branch(&scratch.repository(start)).as_deref(), expected, "{name}");
        let said = scratch.git(&scratch.path(start), &["symbolic-ref", "HEAD"], &[]).unwrap_or_default();
        assert_eq!(said.strip_prefix("refs/heads/"), expected, "{name}: git");
    }
    // Git knows the branch here; the file does not tell, and it must not say `.invalid`.
    let tables = Scratch::new(&["git init -q --ref-format=reftable a"]);
    assert_eq!(head_branch(&tables.repository("a")), None);
}

struct Case {
    name: &'static str,
    steps: &'static [&'static str],
    project: Option<&'static str>,
    cwd: &'static str,
    root: &'static str,
    /// The root of the repository that comes with it.
    repository: Option<&'static str>,
    origin: Option<&'static str>,
}

const fn case(
    name: &'static str,
    steps: &'static [&'static str],
    project: Option<&'static str>,
    cwd: &'static str,
    root: &'static str,
    repository: Option<&'static str>,
) -> Case {
    Case { name, steps, project, cwd, root, repository, origin: None }
}

const RULED: &[&str] = &["git init -q a", "file a/portcullis.toml x", "folder a/b/c"];

const CASES: &[Case] = &[
    case("project is the root", RULED, Some("a"), "a", "a", Some("a")),
    case("project is a folder of it", RULED, Some("a/b"), "a/b/c", "a", Some("a")),
    case("no project is named", RULED, None, "a/b/c", "a", Some("a")),
    case("project is not absolute: none is named", RULED, Some("./b"), "a/b/c", "a", Some("a")),
    case("project is gone", RULED, Some("a/gone"), "a", "a", Some("a")),
    case("cwd is outside", RULED, Some("a"), "@", "a", Some("a")),
    case("cwd is in another repository", &["git init -q a", "git init -q o", "file o/portcullis.toml x"], Some("a"), "o", "a", Some("a")),
    case("a repository made below, gone into", &["git init -q a", "file a/portcullis.toml x", "git init -q a/b"], Some("a"), "a/b", "a", Some("a")),
    case("the same without a named project", &["git init -q a", "file a/portcullis.toml x", "git init -q a/b/c"], None, "a/b/c", "a", Some("a")),
    case(
        "a repository made in the project, which is a folder of one",
        &["git init -q a", "file a/portcullis.toml x", "git init -q a/b"],
        Some("a/b"),
        "a/b",
        "a",
        Some("a"),
    ),
    case("a bare repository made below", &["git init -q a", "file a/portcullis.toml x", "git init -q --bare a/b"], None, "a/b", "a", Some("a")),
    case(
        "a nested repository with a policy of its own",
        &["git init -q a", "file a/portcullis.toml x", "git init -q a/b", "file a/b/portcullis.toml x"],
        Some("a/b"),
        "a/b",
        "a/b",
        Some("a/b"),
    ),
    case("no policy anywhere", &["git init -q a", "git init -q a/b"], Some("a/b"), "a/b", "a/b", Some("a/b")),
    case("no repository", &["folder a/b"], Some("a"), "a/b", "a", None),
    case("no repository, no project", &["folder a/b"], None, "a/b", "a/b", None),
    case("no repository, policy in the project", &["folder a/b", "file a/portcullis.toml x"], Some("a"), "a/b", "a", None),
    case("no repository, policy above the project", &["folder a/b", "file a/portcullis.toml x"], Some("a/b"), "a/b", "a", None),
    case("`.git` was taken away", &["git init -q a", "file a/portcullis.toml x", "folder a/b", "remove a/.git"], Some("a/b"), "a/b", "a", None),
    case("a repository made above the project", &["folder a/b", "file a/b/portcullis.toml x", "git init -q a"], Some("a/b"), "a/b", "a/b", Some("a")),
    case("project named, inside `.git`", RULED, Some("a"), "a/.git/refs", "a", Some("a")),
    case("inside `.git`", RULED, None, "a/.git/refs", "a", Some("a")),
    case(
        "the other name of a policy",
        &["git init -q a", "folder a/.portcullis", "file a/.portcullis/policy.toml x", "git init -q a/b"],
        Some("a/b"),
        "a/b",
        "a",
        Some("a"),
    ),
    Case {
        origin: Some("a"),
        ..case(
            "cwd is in a linked work tree",
            &["git init -q a", "file a/portcullis.toml x", COMMIT, "git -C a worktree add -q @/w", "file w/portcullis.toml x"],
            Some("a"),
            "w",
            "w",
            Some("w"),
        )
    },
    Case {
        origin: Some("a"),
        ..case(
            "the same, neither with a policy",
            &["git init -q a", COMMIT, "git -C a worktree add -q @/a/w", "folder a/w/b"],
            Some("a"),
            "a/w/b",
            "a/w",
            Some("a/w"),
        )
    },
    Case {
        origin: Some("a"),
        ..case(
            "a repository made in a linked work tree",
            &["git init -q a", COMMIT, "git -C a worktree add -q @/w", "git init -q w/b", "git init -q --bare w/b/c"],
            Some("a"),
            "w/b/c",
            "w",
            Some("w"),
        )
    },
    case(
        "cwd is in a linked work tree of a commit without policy",
        &["git init -q a", COMMIT, "git -C a worktree add -q @/w", "file a/portcullis.toml x"],
        Some("a"),
        "w",
        "a",
        Some("a"),
    ),
    case(
        "no project is named, in a linked work tree of a commit without policy",
        &["git init -q a", COMMIT, "git -C a worktree add -q @/w", "file a/portcullis.toml x", "folder w/b"],
        None,
        "w/b",
        "a",
        Some("w"),
    ),
    case(
        "the project is a linked work tree of a commit without policy",
        &["git init -q a", COMMIT, "git -C a worktree add -q @/a/w", "file a/portcullis.toml x"],
        Some("a/w"),
        "a/w",
        "a",
        Some("a/w"),
    ),
    case(
        "the project is a linked work tree with a policy of its own",
        &["git init -q a", COMMIT, "git -C a worktree add -q @/w", "file a/portcullis.toml x", "file w/portcullis.toml x"],
        Some("w"),
        "w",
        "w",
        Some("w"),
    ),
    case("the project is gone, cwd is elsewhere", &["git init -q a", "file a/portcullis.toml x"], Some("gone/b"), "a", "a", Some("a")),
    case("the project is gone, and no policy is anywhere", &["git init -q a", "folder a/b"], Some("gone"), "a/b", "a", Some("a")),
    Case {
        origin: Some("o"),
        ..case(
            "the project is gone, and both have a policy",
            &["git init -q a", "file a/portcullis.toml x", "git init -q o", "file o/portcullis.toml x"],
            Some("o/gone"),
            "a",
            "a",
            Some("a"),
        )
    },
    case(
        "a submodule is not a work tree of the project",
        &["git init -q o", "git -C o commit -q --allow-empty -m x", "git init -q a", "git -C a submodule --quiet add @/o s", "file a/s/portcullis.toml x"],
        Some("a"),
        "a/s",
        "a",
        Some("a"),
    ),
];

#[test]
fn the_anchor_is_not_the_agents_to_move() {
    let mut wrong = Vec::new();
    for Case { name, steps, project, cwd, root, repository, origin } in CASES {
        let scratch = Scratch::new(steps);
        let project = project.map(|path| if path.starts_with("./") { PathBuf::from(path) } else { scratch.path(path) });
        let found = anchor(project.as_deref(), &scratch.path(cwd), POLICY_NAMES).expect("readable folders");
        let short = |path: &Path| scratch.short(path);
        let got = (short(&found.root), found.repository.map(|found| short(&found.root)), found.origin.as_deref().map(short));
        let expected = ((*root).to_owned(), repository.map(str::to_owned), origin.map(str::to_owned));
        if got != expected {
            wrong.push(format!("{name}: {got:?} ({}), not {expected:?}", found.why));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_anchor_that_cannot_be_found_out_is_an_error() {
    for (steps, at, errno) in [
        (&["git init -q a", "folder a/b", "link .git a/b/.git"][..], "a/b/.git", libc::ELOOP),
        (&["git init -q a", "link portcullis.toml a/portcullis.toml", "folder a/b"], "a/portcullis.toml", libc::ELOOP),
        (&["git init -q a", "link nowhere.toml a/portcullis.toml", "folder a/b"], "a/portcullis.toml", libc::ENOENT),
    ] {
        let scratch = Scratch::new(steps);
        let fault = anchor(Some(&scratch.path("a/b")), &scratch.path("a"), POLICY_NAMES).expect_err("links that lead nowhere");
        assert_eq!((scratch.short(&fault.path).as_str(), fault.errno), (at, errno));
    }
}

#[test]
fn policies_below_the_root_are_named() {
    let all: &[&str] =
        &["git init -q .", "folder packages/ai", "file packages/ai/portcullis.toml x", "file portcullis.toml x", "file packages/ai/not-portcullis.toml x"];
    let rows: &[(&[&str], Option<&str>)] = &[
        (&["git add ."], Some("`packages/ai/portcullis.toml` is not read")),
        (&["folder b", "file b/portcullis.toml x", "file c x", "git add -N .", "git add b"], Some("`b/portcullis.toml` and 1 more are not read")),
        (&["git add portcullis.toml packages/ai/not-portcullis.toml"], None),
        (&[], None),
    ];
    for (steps, expected) in rows {
        let scratch = Scratch::new(&[all, steps].concat());
        let Discovery::Found(repository) = discover(&scratch.root) else { panic!("a repository") };
        let note = gate::world::unread::note(&repository);
        assert!(note.as_deref().unwrap_or("").starts_with(expected.unwrap_or("")) && note.is_some() == expected.is_some(), "{steps:?}: {note:?}");
    }
}
