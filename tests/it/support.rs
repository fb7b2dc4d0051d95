//! A scratch repository with a home of its own, and the real binaries run in it. The only code of the tests that knows
//! how an event is written and an answer is read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use std::sync::LazyLock;

use clients::{CLIENTS, Client, Invocation};
use gate::call;
use gate::world::World;
use portcullis::deep::Cold;

/// A repository in a temporary folder, with a home beside it.
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// A repository on the branch `main`, made by hand: tests start no git but where they test against it.
    pub(crate) fn new() -> Self {
        // Tests also start the cold binary, which looks at the hook beside it.
        hook_path();
        let scratch = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["repo/.git/objects", "repo/.git/refs/heads", "repo/.git/hooks", "repo/.git/info", "home"] {
            fs::create_dir_all(scratch.folder.path().join(folder)).unwrap();
        }
        scratch.write(".git/HEAD", "ref: refs/heads/main\n");
        scratch.write(".git/config", "[core]\n\trepositoryformatversion = 0\n");
        scratch
    }

    /// Work that is in no commit: a file that was added, and one that git does not know.
    pub(crate) fn with_work(self) -> Self {
        let repository = git2::Repository::open(self.repo()).unwrap();
        let mut index = repository.index().unwrap();
        self.write("work.txt", "work\n");
        index.add_path(Path::new("work.txt")).unwrap();
        index.write().unwrap();
        self.write("new.txt", "new\n");
        self
    }

    /// A file, from the folder around the repository, that git knows and that is changed since.
    pub(crate) fn stage(&self, path: &str) {
        self.write(&format!("../{path}"), "staged\n");
        if let Ok(inside) = Path::new(path).strip_prefix("repo") {
            let repository = git2::Repository::open(self.repo()).unwrap();
            let mut index = repository.index().unwrap();
            // Git takes no path into its own folder.
            if index.add_path(inside).is_err() {
                return;
            }
            index.write().unwrap();
            self.write(inside.to_str().unwrap(), "changed since\n");
        }
    }

    pub(crate) fn repo(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join("repo")
    }

    pub(crate) fn home(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join("home")
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The world as the hook would find it here.
    pub(crate) fn world(&self) -> World {
        let home = self.home();
        World {
            project_dir: Some(self.repo()),
            configs: vec![home.join(".config/portcullis")],
            states: vec![home.join(".local/state/portcullis")],
            state_places: vec![home.join(".local/state/portcullis")],
            binaries: Some(home.join(".local/bin")),
            homes: vec![home],
            temporary: None,
            attended: true,
            plugin: false,
            zsh: true,
        }
    }

    /// Judges a payload in this process, as the cold binary would.
    pub(crate) fn judge(&self, event: &str, input: &str) -> Said {
        judge_in(&self.world(), event, input)
    }

    /// A `PreToolUse` payload.
    pub(crate) fn payload(&self, tool: &str, input: &str, mode: &str) -> String {
        format!(
            r#"{{"session_id":"s","transcript_path":"/t","cwd":{},"permission_mode":"{mode}","hook_event_name":"PreToolUse","tool_name":"{tool}","tool_input":{input},"tool_use_id":"toolu_1"}}"#,
            json(&self.repo().to_string_lossy())
        )
    }

    /// What is said to a Bash command.
    pub(crate) fn bash(&self, command: &str) -> Said {
        self.judge("PreToolUse", &self.payload("Bash", &format!(r#"{{"command":{}}}"#, json(command)), "default"))
    }

    /// A binary of ours in this world: nothing of the environment but what is given here.
    pub(crate) fn command(&self, binary: &str) -> Command {
        let mut command = Command::new(binary);
        command.env_clear().current_dir(self.repo()).env("HOME", self.home()).env("PORTCULLIS_TEST_PASSWORD_HOME", self.home());
        command.env("CLAUDE_PROJECT_DIR", self.repo()).env("PATH", "/usr/bin:/bin");
        command
    }

    /// Runs the hook as a process.
    pub(crate) fn hook(&self, event: &str, input: &[u8]) -> Said {
        run(self.command(hook_path()).arg(event), input)
    }
}

/// The client that sent a recorded payload, and the event, by the name of its file: the client's name is in front, and files of
/// Claude Code have none. Panics if the client has no such event.
pub(crate) fn sender_and_event(file: &str) -> (&'static dyn Client, &str) {
    let named = file.split_once('.').and_then(|(name, rest)| Some((CLIENTS.iter().find(|client| client.name() == name)?, rest)));
    let (client, rest) = named.unwrap_or((&CLIENTS[0], file));
    // Names of events can have dots.
    let ends = rest.match_indices('.').map(|(at, _)| at).chain([rest.len()]);
    let event = ends.map(|end| &rest[..end]).find(|event| client.moment(event).is_some());
    (*client, event.unwrap_or_else(|| panic!("{file}: `{rest}` is no event of {}", client.name())))
}

/// The recorded payloads by the names of their files, the project's folder replaced by the scratch repository.
pub(crate) fn recorded(scratch: &Scratch) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(package().join("tests/events")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("/home/dev/project", &scratch.repo().to_string_lossy());
            let text = text.replace("/home/dev/", &format!("{}/", scratch.home().to_string_lossy()));
            all.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), text);
        }
    }
    assert!(all.len() >= 195, "only {} events were found", all.len());
    all
}

/// As [`Scratch::judge`], in a world of the caller's.
pub(crate) fn judge_in(world: &World, event: &str, input: &str) -> Said {
    let answer = call::answer(&Invocation::new(Some(event), None), input.as_bytes(), world, &Cold).unwrap();
    Said { code: answer.code, stdout: answer.stdout, stderr: answer.stderr }
}

/// The cold binary.
pub(crate) const COLD: &str = env!("CARGO_BIN_EXE_portcullis");

/// The hook beside the cold binary, built by the function that `portcullis install` uses, without what the hook does not
/// link. `portcullis-git` is made beside it.
pub(crate) fn hook_path() -> &'static str {
    static HOOK: LazyLock<String> = LazyLock::new(|| {
        let built = portcullis::cli::install::build::hook_for_tests(package()).unwrap();
        let folder = Path::new(COLD).parent().unwrap();
        assert_eq!(built.parent(), Some(folder), "the hook is not beside the cold binary");
        let git = folder.join("portcullis-git");
        if fs::read_link(&git).is_err() {
            let _ = fs::remove_file(&git);
            let _ = std::os::unix::fs::symlink("portcullis", &git);
        }
        built.to_str().unwrap().to_owned()
    });
    &HOOK
}

/// The cold binary under the name by which git's hooks call it.
pub(crate) fn git_path() -> &'static str {
    static GIT: LazyLock<String> = LazyLock::new(|| Path::new(hook_path()).with_file_name("portcullis-git").to_str().unwrap().to_owned());
    &GIT
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// `free`, `ask RULE…` or `deny RULE…`; rules in the order of the text. A denial by failure is `failure`.
    pub(crate) fn short(&self) -> String {
        let (word, text, mark) = match self.code {
            0 if self.stdout.is_empty() && self.stderr.is_empty() => return "free".to_owned(),
            0 if self.stdout.contains("denied by `") => ("deny", &self.stdout, "denied by `"),
            0 => ("ask", &self.stdout, "asked by `"),
            2 => ("deny", &self.stderr, "denied by `"),
            code => return format!("exit {code}"),
        };
        let rules = rules(text, mark);
        if rules.is_empty() { "failure".to_owned() } else { format!("{word} {}", rules.join(" ")) }
    }
}

/// The rules that refusals or questions name: the one that each explains, and the others of its line `also:`. `mark` is the
/// text before the first. The text may be inside a JSON string.
pub(crate) fn rules<'t>(text: &'t str, mark: &str) -> Vec<&'t str> {
    let of_block = |block: &'t str| {
        let others = ["\nalso: ", "\\nalso: "].iter().find_map(|label| block.split_once(label));
        let others = others.map_or("", |(_, line)| line.split(['\n', '\\']).next().unwrap_or(""));
        block.split('`').take(1).chain(others.split('`').skip(1).step_by(2))
    };
    text.split(mark).skip(1).flat_map(of_block).collect()
}

/// Commits these files alone, as they are.
pub(crate) fn commit_files(repository: &git2::Repository, paths: &[&str], message: &str) {
    let mut index = repository.index().unwrap();
    for path in paths {
        index.add_path(Path::new(path)).unwrap();
    }
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = git2::Signature::now("a", "a@example.org").unwrap();
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    repository.commit(Some("HEAD"), &who, &who, message, &tree, &parent.iter().collect::<Vec<_>>()).unwrap();
}

/// A JSON string.
pub(crate) fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Says that a test needs a program which is not installed here.
pub(crate) fn not_run(program: &str) {
    let _ = writeln!(std::io::stderr(), "not run: {program} is not installed");
}

/// Runs a command with this input; a child that does not read it is no error.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Said {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output: Output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The package's folder.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
