//! Brings a policy and its signature onto this machine. A person asked for that; no judgement comes here.
//!
//! `git` and `curl` of the machine do it, in an empty folder, without anybody's configuration. A TLS stack of our own would be
//! some thirty crates, and would not know the certificates and proxies that an organisation has set up.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::origin::PolicyAddress;

/// The largest policy, and the largest signature. A layer's file is refused beyond the same size.
const MAX_POLICY: u64 = 1 << 20;
/// How long one program may take, and how often it is looked at.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(10);
/// What the name of a signature ends with, as `ssh-keygen -Y sign` names it.
const SIGNATURE: &str = ".sig";
/// Signs of a program's message that are shown.
const MAX_MESSAGE: usize = 300;
/// Variables that the programs keep: where programs are, and how this machine reaches others.
const KEPT: &[&str] = &[
    "PATH",
    "LANG",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
];

/// What was brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FetchedPolicy {
    pub policy: Vec<u8>,
    /// `None`: nobody asked for it.
    pub signature: Option<Vec<u8>>,
    /// The commit, if it came out of a repository.
    pub commit: Option<String>,
}

/// Brings the policy, and on request its signature.
///
/// # Errors
///
/// Why it could not be brought.
pub(super) fn fetch(address: &PolicyAddress, signed: bool) -> Result<FetchedPolicy, String> {
    let scratch = tempfile::tempdir().map_err(|error| format!("no scratch folder: {error}"))?;
    let folder = scratch.path();
    match address {
        PolicyAddress::File(path) => {
            let signature = signed.then(|| read(Path::new(&format!("{}{SIGNATURE}", path.display())))).transpose()?;
            Ok(FetchedPolicy { policy: read(path)?, signature, commit: None })
        }
        PolicyAddress::Web(address) => {
            let get = |address: &str| from_web(address, folder);
            let signature = signed.then(|| get(&format!("{address}{SIGNATURE}"))).transpose()?;
            Ok(FetchedPolicy { policy: get(address)?, signature, commit: None })
        }
        PolicyAddress::Git { repository, branch, path } => from_git(repository, branch.as_deref(), path, signed, folder),
    }
}

/// The bytes of a regular file of a policy's size.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let found = fs::metadata(path).map_err(|error| format!("`{shown}`: {error}"))?;
    if !found.is_file() || found.len() > MAX_POLICY {
        return Err(format!("`{shown}` is not a file of at most {} MiB", MAX_POLICY >> 20));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("`{shown}`: {error}"))?;
    file.take(MAX_POLICY).read_to_end(&mut bytes).map_err(|error| format!("`{shown}`: {error}"))?;
    Ok(bytes)
}

fn from_web(address: &str, scratch: &Path) -> Result<Vec<u8>, String> {
    let size = MAX_POLICY.to_string();
    let fixed =
        ["--disable", "--proto", "=https", "--proto-redir", "=https", "--tlsv1.2", "--fail", "--silent", "--show-error", "--location", "--max-redirs", "5"];
    let words = fixed.into_iter().chain(["--max-filesize", &size, "--url", address]);
    run("curl", words.map(OsStr::new), scratch).map_err(|why| format!("`{address}`: {why}"))
}

fn from_git(repository: &str, branch: Option<&str>, path: &str, signed: bool, scratch: &Path) -> Result<FetchedPolicy, String> {
    let clone = scratch.join("clone");
    let safe = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "fetch.fsckObjects=true"];
    let words = safe.into_iter().chain(["clone", "--quiet", "--bare", "--depth=1", "--single-branch", "--no-tags", "--template="]);
    let words = words.chain(branch.into_iter().flat_map(|branch| ["--branch", branch])).chain(["--", repository]);
    run("git", words.map(OsStr::new).chain([clone.as_os_str()]), scratch).map_err(|why| format!("`{repository}`: {why}"))?;
    let git = |words: &[&str]| run("git", [OsStr::new("--git-dir"), clone.as_os_str()].into_iter().chain(words.iter().map(OsStr::new)), scratch);
    let blob = |path: &str| git(&["cat-file", "blob", &format!("HEAD:{path}")]).map_err(|why| format!("`{path}` in `{repository}`: {why}"));
    let signature = signed.then(|| blob(&format!("{path}{SIGNATURE}"))).transpose()?;
    let commit = git(&["rev-parse", "HEAD"]).ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| text.trim().to_owned());
    Ok(FetchedPolicy { policy: blob(path)?, signature, commit })
}

/// What a program writes to its standard output.
fn run<'w>(program: &str, words: impl Iterator<Item = &'w OsStr>, scratch: &Path) -> Result<Vec<u8>, String> {
    let (output, errors) = (scratch.join("output"), scratch.join("errors"));
    let file = |path: &Path| File::create(path).map_err(|error| error.to_string());
    let mut command = Command::new(program);
    command.args(words).current_dir(scratch).env_clear().stdin(Stdio::null()).stdout(file(&output)?).stderr(file(&errors)?);
    command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)))).env("HOME", scratch);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_TERMINAL_PROMPT", "0").env("GIT_ASKPASS", "false");
    command.env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh").env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
    let mut child = command.spawn().map_err(|error| format!("`{program}` cannot be started ({error}); install it"))?;
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("`{program}` did not end in {} seconds", PATIENCE.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    if !status.success() {
        let said = read(&errors).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        // Both programs add advice around the line that says why.
        let lines = || said.lines().filter(|line| !line.trim().is_empty());
        let line = lines().find(|line| line.starts_with("fatal: ") || line.starts_with("curl: ")).or_else(|| lines().next_back());
        let last: String = line.unwrap_or("it failed").chars().take(MAX_MESSAGE).collect();
        return Err(format!("`{program}` says: {last}"));
    }
    read(&output).map_err(|_| format!("it is larger than {} MiB", MAX_POLICY >> 20))
}
