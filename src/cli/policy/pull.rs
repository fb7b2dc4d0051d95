//! `portcullis policy pull`: puts the organisation's newest policy in place, if it is the organisation's, newer, and without
//! mistakes. Otherwise nothing changes, and the last good one stays.

mod fetch;
pub mod origin;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use self::fetch::{FetchedPolicy, fetch};
use self::origin::{PolicyOrigin, PolicyPin};
use crate::approval::signers::SignersFile;
use crate::approval::{POLICY_NAMESPACE, signature};
use crate::cli::files::{self, Edit};
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{self, progress, say, say_json};
use gate::BUILD;
use gate::judge::today;
use gate::release::{day, stale};
use gate::world::{organisation_policy, record, system};
use policy::{Layer, Policy};
use policy_compiler::compile::{Input, PolicySource, compile};
use policy_compiler::packs::{PACKS, PROGRAMS};

/// Of two pulls at once the second waits: tries, and milliseconds between them.
const TURN: (u32, u64) = (1500, 100);
/// The file whose lock a pull holds, beside the policy.
const LOCK: &str = ".pull.lock";
/// The policy that was in place before the last pull, beside it.
const BEFORE: &str = "portcullis.previous.toml";

#[derive(Args, Debug)]
pub struct PullArguments {
    /// Take it from here in place of the address in `source.toml`; what it is known by stays
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// Fetch and check it, show the change, and make none
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is known of a policy that passed all checks.
struct VerifiedPolicy {
    text: String,
    serial: Option<u64>,
    until: Option<i64>,
    digest: String,
    /// Who signed it.
    signer: Option<String>,
}

fn refused(why: impl std::fmt::Display, fix: &str) -> Refusal {
    Refusal::new("the organisation's policy stays as it is", why, fix)
}

/// Runs the command.
///
/// # Errors
///
/// The policy could not be brought, is not the organisation's, is older than the one in place, has ended, or has mistakes.
pub fn run(arguments: &PullArguments) -> Result<ExitCode, Refusal> {
    if let Some(variable) = terminal::agent() {
        return Err(refused(format!("an agent runs this (`{variable}` is set)"), "a person or the administrator must run this"));
    }
    let path = organisation_policy();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let origin = PolicyOrigin::read(folder, arguments.from.as_deref())
        .map_err(|why| refused(why, "docs/organisation.md shows a `source.toml`: the address, and `signers` or `digest`"))?;
    // The lock ends with the process, however that ends.
    let _lock = if arguments.dry_run { None } else { Some(lock(folder)?) };
    if !arguments.json {
        progress(&format!("fetching {}", terminal::shown(Path::new(&origin.shown))));
    }
    let fetched = fetch(&origin.address, matches!(origin.pin, PolicyPin::Signers(_)))
        .map_err(|why| refused(why, "check the address in `source.toml` and the way to it, then run this again"))?;
    let new = checked(&fetched, &origin)?;
    let edit = Edit::of(&path, files::FILE, |_| Ok(Some(new.text.clone().into_bytes())))?;
    let before = edit.before.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(serial_of);
    newer(&new, before, &edit, &origin.pin)?;
    if !arguments.dry_run && edit.changes() {
        if let Some(old) = &edit.before {
            let kept = folder.join(BEFORE);
            files::put(&kept, old, files::FILE).map_err(|error| refused(format!("`{}`: {error}", kept.display()), "run this as the owner (`sudo`)"))?;
        }
        edit.apply()?;
    }
    let made = !arguments.dry_run && edit.changes();
    if arguments.json {
        say_json(&json!({
            "made": made, "change": edit.kind(), "path": path, "source": origin.shown, "commit": fetched.commit, "serial": new.serial, "serial_before": before,
            "valid_until": new.until.map(day), "digest": format!("sha256:{}", new.digest), "signer": new.signer, "difference": edit.difference(),
        }));
    } else {
        tell(arguments.dry_run, &new, &edit);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(dry_run: bool, new: &VerifiedPolicy, edit: &Edit) {
    let number = new.serial.map(|serial| format!(" {serial}")).unwrap_or_default();
    let until = new.until.map(|until| format!(", holds until {}", day(until))).unwrap_or_default();
    let by = new.signer.as_ref().map_or_else(|| format!("sha256:{}", new.digest), |signer| format!("signed by {signer}"));
    let shown = actions::shown::escaped(&by).into_owned();
    if !edit.changes() {
        return say(&format!("nothing to do: the policy{number} is in place ({shown}{until})"));
    }
    if dry_run {
        say(edit.difference().trim_end());
        return say(&format!("the policy{number} would be put in place ({shown}{until}); nothing was changed (--dry-run)"));
    }
    say(&format!("the policy{number} is in place: {} ({shown}{until})", edit.path.display()));
    if edit.before.is_some() {
        say(&format!("the one before it is in {}", edit.path.with_file_name(BEFORE).display()));
    }
}

/// Waits until no other pull runs.
fn lock(folder: &Path) -> Result<File, Refusal> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(&path);
    let file = file.map_err(|error| refused(format!("`{}`: {error}", path.display()), "run this as the owner of that folder (`sudo`)"))?;
    record::lock(&file, TURN.0, Duration::from_millis(TURN.1)).map_err(|_| refused("another pull still runs", "run this again when it has ended"))?;
    Ok(file)
}

/// That it is the organisation's policy, and that it has no mistakes.
fn checked(fetched: &FetchedPolicy, origin: &PolicyOrigin) -> Result<VerifiedPolicy, Refusal> {
    let digest = Sha256::digest(&fetched.policy).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let text = std::str::from_utf8(&fetched.policy).map_err(|_| refused("what came is no text", "check the address in `source.toml`"))?;
    let signer = match &origin.pin {
        PolicyPin::Digest(wanted) if *wanted == digest => None,
        PolicyPin::Digest(wanted) => {
            let why = format!("what came has the digest sha256:{digest}, and `source.toml` says sha256:{wanted}");
            return Err(refused(why, "if that is the new policy, the administrator writes its digest into `source.toml`"));
        }
        PolicyPin::Signers(path) => {
            let untrusted =
                |why: String| refused(why, "the policy needs a signature by `ssh-keygen -Y sign -n portcullis-policy` of a key in the file of signers");
            let allowed = SignersFile { path: Some(path.clone()), outside: Vec::new() }.text().map_err(untrusted)?;
            let signed = fetched.signature.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
            Some(signature::signer_in(POLICY_NAMESPACE, text, signed, &allowed, false, system::now()).map_err(untrusted)?)
        }
    };
    let layers = [PolicySource { layer: Layer::Organisation, path: &origin.shown, text }];
    let input = Input { build: BUILD, packs: PACKS, programs: PROGRAMS, layers: &layers, ..Input::default() };
    let compiled = compile(&input).map_err(|mistakes| {
        let why = format!("it has mistakes:\n{}", input.render(&mistakes, false));
        Refusal { why, ..refused("", "fix it where it is published, with a higher `serial`, then run this again") }
    })?;
    let release = Policy::open(&compiled.bytes).and_then(|policy| policy.tiers()?.release);
    let (serial, until) = release.as_ref().map_or((None, None), |release| (Some(release.serial), release.until));
    if signer.is_some() && until.is_none() {
        let why = "it is known by a signature, and has no `[release]` with `serial` and `valid_until`: any older one would pass for it";
        return Err(refused(why, "publish it with `[release]`, then run this again"));
    }
    if let Some(ended) = release.as_ref().and_then(|release| stale(release, today())) {
        return Err(refused(format!("the source has nothing newer: {ended}"), "ask whoever publishes it for a new one, with a higher `serial`"));
    }
    Ok(VerifiedPolicy { text: text.to_owned(), serial, until, digest, signer })
}

/// The number of the policy in place.
fn serial_of(text: &str) -> Option<u64> {
    let table: toml::Table = text.parse().ok()?;
    table.get("release")?.get("serial")?.as_integer()?.try_into().ok()
}

/// That a signed policy is no older than the one in place. A digest names the very bytes, so it may lead back.
fn newer(new: &VerifiedPolicy, before: Option<u64>, edit: &Edit, pin: &PolicyPin) -> Result<(), Refusal> {
    let (Some(serial), Some(before), PolicyPin::Signers(_)) = (new.serial, before, pin) else { return Ok(()) };
    if serial < before {
        let why = format!("what came has the serial {serial}, and the one in place has {before}: somebody may be sending an old policy");
        return Err(refused(why, "publish the policy with a higher `serial`; or name its digest in `source.toml` in place of the signers"));
    }
    if serial == before && edit.changes() {
        let why = format!("what came differs from the one in place, and both have the serial {serial}");
        return Err(refused(why, "publish each change with a higher `serial`"));
    }
    Ok(())
}
