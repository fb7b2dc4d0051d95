//! The key with which approvals and checkpoints of the record are signed. `ssh-keygen` signs, asks for the passphrase on the terminal, and speaks to
//! security keys; it gets no agent, so that a key in one signs nothing.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::refusal::Refusal;
use gate::world::World;
use ssh_key::{Algorithm, PrivateKey};

/// Where it is installed. `PATH` is not searched: what is first there might be somebody else's.
const PLACES: &[&str] = &["/usr/bin/ssh-keygen", "/usr/local/bin/ssh-keygen", "/opt/homebrew/bin/ssh-keygen", "/run/current-system/sw/bin/ssh-keygen"];
/// The largest file that can be a key.
const MAX_KEY: u64 = 64 << 10;

/// The key that `approve --setup` makes. `None`: there is no home folder.
pub(in crate::cli) fn usual(world: &World) -> Option<PathBuf> {
    Some(world.configs.first()?.join("approval_key"))
}

/// Checks that only its owner can use a key: it has a passphrase, or it is in a security key.
pub(in crate::cli) fn usable(path: &Path, not: &str) -> Result<(), Refusal> {
    let shown = path.display();
    let unread = |why: String| {
        Refusal::new(not, format!("the key `{shown}` cannot be used: {why}"), "run `portcullis approve --setup` to make one, or name another with `--key`")
    };
    let found = fs::metadata(path).map_err(|error| unread(error.to_string()))?;
    if !found.is_file() || found.len() > MAX_KEY {
        return Err(unread("it is no file of a key".to_owned()));
    }
    let bytes = fs::read(path).map_err(|error| unread(error.to_string()))?;
    let key = PrivateKey::from_openssh(&bytes).map_err(|_| unread("it is no private key in the format of OpenSSH".to_owned()))?;
    let in_hardware = matches!(key.public_key().algorithm(), Algorithm::SkEd25519);
    if key.is_encrypted() || in_hardware {
        return Ok(());
    }
    Err(Refusal::new(
        not,
        format!("the key `{shown}` has no passphrase, so every program of yours could sign with it"),
        format!("give it one (`ssh-keygen -p -f {shown}`), or run `portcullis approve --setup`"),
    ))
}

/// `ssh-keygen` with nothing of the environment that could change what it does.
pub(super) fn ssh_keygen(not: &str) -> Result<Command, Refusal> {
    let Some(program) = PLACES.iter().find(|place| Path::new(place).is_file()) else {
        return Err(Refusal::new(not, "`ssh-keygen` is not installed here", "install OpenSSH, or sign on another machine (`--print`)"));
    };
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin");
    for name in ["HOME", "TERM", "LANG", "USER"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Ok(command)
}

/// Signs a text for a namespace. The passphrase is asked for on the terminal.
pub(in crate::cli) fn sign(key: &Path, text: &str, namespace: &str, not: &str) -> Result<String, Refusal> {
    let refused = |why: String| Refusal::new(not, format!("`ssh-keygen` did not sign: {why}"), "run it again with the right passphrase");
    let mut command = ssh_keygen(not)?;
    command.args(["-Y", "sign", "-n", namespace, "-f"]).arg(key).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| refused(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| refused(error.to_string()))?;
    if !output.status.success() {
        return Err(refused(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|error| refused(error.to_string()))
}
