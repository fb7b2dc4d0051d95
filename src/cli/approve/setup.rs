//! `approve --setup`: a key of its own for approvals, with a passphrase, and a line in the file of keys that may sign.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::ExitCode;

use super::{account, keys};
use crate::approval::{NAMESPACE, RECORD_NAMESPACE, signers};
use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{TextStyle, can_ask, say, shown, styled};
use ssh_key::PublicKey;

const NOT: &str = "no key was set up";

/// Runs it. `key` is another place for the key.
pub(super) fn run(key: Option<&Path>) -> Result<ExitCode, Refusal> {
    if !can_ask() {
        return Err(Refusal::new(NOT, "there is no terminal here", "a person must run this at a terminal"));
    }
    let place = Place::at(None)?;
    let folder = place.world.configs.first().cloned().ok_or_else(|| Refusal::new(NOT, "there is no home folder", "name the key with `--key`"))?;
    let refused = |error: std::io::Error| Refusal::new(NOT, error, "make the folder of your policy writable");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(refused)?;
    let key = key.map_or_else(|| folder.join("approval_key"), Path::to_path_buf);
    if key.exists() {
        say(&format!("the key {} is there already", shown(&key)));
    } else {
        make(&key)?;
    }
    keys::usable(&key, NOT)?;
    let public = format!("{}.pub", key.display());
    let text = fs::read_to_string(&public).map_err(|error| Refusal::new(NOT, format!("`{public}`: {error}"), "remove the key and run this again"))?;
    let read = PublicKey::from_openssh(text.trim()).map_err(|error| Refusal::new(NOT, format!("`{public}`: {error}"), "remove the key and run this again"))?;
    let file = folder.join("allowed_signers");
    let known = fs::read_to_string(&file).unwrap_or_default();
    // A key of an earlier version may sign approvals alone.
    let missing = |namespace: &&str| signers::principal(&known, read.key_data(), namespace, gate::world::system::now()).is_none();
    let missing: Vec<&str> = [NAMESPACE, RECORD_NAMESPACE].into_iter().filter(missing).collect();
    if !missing.is_empty() {
        let words: Vec<&str> = text.split_whitespace().take(2).collect();
        let by = account().replace([' ', ',', '"', '*', '?', '!'], "-");
        let line = format!("{by} namespaces=\"{}\" {}\n", missing.join(","), words.join(" "));
        let separator = if known.is_empty() || known.ends_with('\n') { "" } else { "\n" };
        let mut out = OpenOptions::new().create(true).append(true).mode(0o600).open(&file).map_err(refused)?;
        out.write_all(format!("{separator}{line}").as_bytes()).map_err(refused)?;
    }
    say(&format!("{} the key {} may sign approvals and checkpoints of the record ({})", styled("ok:", TextStyle::Good), shown(&key), shown(&file)));
    let policy = folder.join("portcullis.toml");
    say(&format!(
        "put this into {} if it is not there yet (an organisation's policy can name a file of its own):\n\n  schema = 1\n\n  [approval]\n  signers = \"{}\"\n",
        shown(&policy),
        file.display()
    ));
    say("then a code of a denied call is approved with `portcullis approve CODE`, which asks for the passphrase.");
    say("do not add the key to an ssh-agent: whoever reaches the agent could sign.");
    Ok(ExitCode::SUCCESS)
}

/// Lets `ssh-keygen` make the key, which asks for its passphrase twice.
fn make(key: &Path) -> Result<(), Refusal> {
    say("a key for approvals is made; give it a passphrase that no program knows:");
    let mut command = keys::ssh_keygen(NOT)?;
    command.args(["-q", "-t", "ed25519", "-C", &format!("portcullis approvals of {}", account()), "-f"]).arg(key);
    let done = command.status().map_err(|error| Refusal::new(NOT, error, "run this again"))?;
    if !done.success() {
        return Err(Refusal::new(NOT, "`ssh-keygen` made none", "run this again"));
    }
    if let Err(refusal) = keys::usable(key, NOT) {
        // Without a passphrase: it is not left behind.
        let _ = fs::remove_file(key);
        let _ = fs::remove_file(format!("{}.pub", key.display()));
        return Err(Refusal { what: NOT.to_owned(), fix: "run this again, and type a passphrase".to_owned(), ..refusal });
    }
    Ok(())
}
