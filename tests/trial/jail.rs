//! A place where any text can be run under a real shell: a root folder of its own that holds the shell and nothing else
//! that can be run, a user of its own, bounds on everything, and where the system allows it a space of processes of its own.
//! Nothing is ever run outside it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Users that nobody is; each worker has one of its own.
const FIRST_USER: u32 = 61_234;
/// Texts in one start of the jail.
pub(crate) const BATCH: usize = 100;
/// Seconds after which a batch is ended from outside. The jail itself gives each text two.
const BATCH_SECONDS: usize = 30 + 2 * BATCH;

/// How the jail is shut. The first that works is taken.
const WAYS: &[(&str, &str)] = &[
    ("root folder, user, processes, network", "unshare --pid --fork --kill-child --net --ipc -- chroot --userspec=USER:USER --groups= ROOT"),
    ("root folder, user", "chroot --userspec=USER:USER --groups= ROOT"),
    ("root folder, processes, network, without being root", "unshare --map-root-user --pid --fork --kill-child --net --ipc -- chroot ROOT"),
];

/// A jail that was tried and holds.
pub(crate) struct Jail {
    root: PathBuf,
    user: u32,
    /// What is shut, for people.
    pub(crate) way: &'static str,
    command: &'static str,
}

/// What a shell ran of one text: each command with its arguments.
pub(crate) type Ran = Vec<Vec<String>>;

impl Jail {
    /// A jail below `folder` for one worker, in which `shell` can be run. The error says what was tried.
    pub(crate) fn new(folder: &Path, worker: u32, shell: &str) -> Result<Self, String> {
        let root = folder.join(format!("{shell}-{worker}"));
        furnish(&root, shell).map_err(|error| format!("the jail cannot be furnished: {error}"))?;
        let mut tried = String::new();
        for (way, command) in WAYS {
            let jail = Self { root: root.clone(), user: FIRST_USER + worker, way, command };
            match jail.run(shell, &["probe 'a b'".to_owned()]) {
                Ok(ran) if ran == [vec![vec!["probe".to_owned(), "a b".to_owned()]]] => return Ok(jail),
                Ok(ran) => _ = write!(tried, "\n  {command}: ran {ran:?}"),
                Err(error) => _ = write!(tried, "\n  {command}: {error}"),
            }
        }
        Err(format!("no jail can be made for {shell}:{tried}"))
    }

    /// Runs each text by itself. The commands are in the order in which they were run.
    pub(crate) fn run(&self, shell: &str, texts: &[String]) -> Result<Vec<Ran>, String> {
        let said = |error: std::io::Error| error.to_string();
        let (inputs, works) = (self.root.join("in"), self.root.join("w"));
        for folder in [&inputs, &works] {
            if folder.exists() {
                fs::remove_dir_all(folder).map_err(said)?;
            }
            fs::create_dir(folder).map_err(said)?;
        }
        self.give(&works)?;
        for (number, text) in texts.iter().enumerate() {
            fs::write(inputs.join(number.to_string()), text).map_err(said)?;
            let work = works.join(number.to_string());
            fs::create_dir(&work).map_err(said)?;
            self.give(&work)?;
        }
        let user = self.user.to_string();
        let line = self.command.replace("USER", &user);
        let root = self.root.to_string_lossy();
        let way = line.split(' ').map(|word| if word == "ROOT" { root.as_ref() } else { word });
        // `timeout` also gives the batch a group of processes of its own.
        let status = Command::new("timeout")
            .args(["--signal=KILL", &BATCH_SECONDS.to_string()])
            .args(way)
            .args(["/bin/bash", "--norc", "--noprofile", "/jail.sh", "0", &texts.len().to_string(), shell])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/h")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(said)?;
        if !works.join("finished").exists() {
            return Err(format!("the jail ended early: {status}"));
        }
        Ok((0..texts.len()).map(|number| logged(&works.join(number.to_string()).join(".log"))).collect())
    }

    /// Hands a folder to the jail's user. Without the right to, the jail runs as we do.
    fn give(&self, path: &Path) -> Result<(), String> {
        if self.command.contains("--userspec") && chown(path, Some(self.user), Some(self.user)).is_err() {
            return Err("only root can".to_owned());
        }
        Ok(())
    }
}

/// The commands of a log. A last one that was cut off is left out.
fn logged(log: &Path) -> Ran {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).replace('\u{1d}', "\n");
    let mut commands: Vec<&str> = text.split('\u{1e}').collect();
    commands.pop();
    commands.into_iter().map(|command| command.split('\u{1f}').map(str::to_owned).collect()).collect()
}

/// Puts into the jail what the shells need, and nothing else.
fn furnish(root: &Path, shell: &str) -> std::io::Result<()> {
    for folder in ["bin", "dev", "z", "h"] {
        fs::create_dir_all(root.join(folder))?;
    }
    let mut needed: Vec<PathBuf> = Vec::new();
    for name in ["bash", shell] {
        let from = ["/bin", "/usr/bin", "/usr/local/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
        let from = from.ok_or_else(|| std::io::Error::other(format!("no {name} here")))?;
        fs::copy(&from, root.join("bin").join(name))?;
        needed.push(from);
    }
    for folder in ["/usr/lib/x86_64-linux-gnu/zsh", "/usr/lib/aarch64-linux-gnu/zsh", "/usr/lib/zsh"] {
        if shell == "zsh"
            && let Ok(versions) = fs::read_dir(folder)
        {
            let modules = versions.flatten().flat_map(|version| ["parameter", "regex"].map(|name| version.path().join(format!("zsh/{name}.so"))));
            needed.extend(modules.filter(|module| module.exists()));
        }
    }
    let locale = Path::new("/usr/lib/locale/C.utf8");
    if let Ok(entries) = fs::read_dir(locale) {
        needed.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    for from in needed {
        let listed = Command::new("ldd").arg(&from).output()?;
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let libraries = listed.split_whitespace().filter(|word| word.starts_with('/')).map(Path::new);
        for path in libraries.chain([from.as_path()]) {
            let to = root.join(path.strip_prefix("/").unwrap_or(path));
            if !to.exists() && !path.ends_with(Path::new("bin").join(shell)) && !path.ends_with("bin/bash") {
                fs::create_dir_all(to.parent().unwrap_or(root))?;
                fs::copy(path, &to)?;
            }
        }
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trial");
    fs::copy(package.join("jail.in"), root.join("jail.sh"))?;
    fs::copy(package.join("jail.zsh"), root.join("z/.zshenv"))?;
    let null = root.join("dev/null");
    let made = Command::new("mknod").args(["-m", "666"]).arg(&null).args(["c", "1", "3"]).stderr(Stdio::null()).status()?;
    if !made.success() || fs::OpenOptions::new().write(true).open(&null).is_err() {
        _ = fs::remove_file(&null);
        fs::write(&null, "")?;
        fs::set_permissions(&null, fs::Permissions::from_mode(0o666))?;
    }
    // For the here-documents of zsh.
    fs::create_dir_all(root.join("tmp"))?;
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o777))?;
    if !root.join("bin/sh").exists() {
        symlink("bash", root.join("bin/sh"))?;
    }
    let made = Command::new("mkfifo").args(["-m", "666"]).arg(root.join("wake")).status()?;
    if made.success() { Ok(()) } else { Err(std::io::Error::other("mkfifo failed")) }
}
