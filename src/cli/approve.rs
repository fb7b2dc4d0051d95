//! `portcullis approve`: shows a person what a denied call would do, and lets them sign that it may take place once.

pub(super) mod keys;
mod setup;

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::approvals::{KnownPlace, find, rule_line};
use super::place::Place;
use super::refusal::Refusal;
use super::terminal::{TextStyle, agent, can_ask, print_whole, say, shell_word, styled};
use crate::approval::statement::ApprovalStatement;
use crate::approval::store::{self, ApprovalRecord, ApprovalWay, FORMAT, KnownRequest};
use crate::approval::{NAMESPACE, approver, kept, parts, person, signature};
use crate::deep::approval::signers_of;
use actions::json::quoted;
use actions::shown::{escaped, escaped_lines};
use gate::world::{layers, system};
use policy::section::approval::LIFETIME;
use policy::{ApprovalSection, Policy};

/// What was not done.
const NOT: &str = "nothing was approved";
/// The word that a person types where no key is used.
const WORD: &str = "approve";
/// The longest signature that is pasted.
const MAX_PASTED: u64 = 16 << 10;

#[derive(Args, Debug)]
pub struct ApproveArguments {
    /// The code that the denial shows
    #[arg(required_unless_present = "setup", conflicts_with = "setup")]
    code: Option<String>,
    /// Sign with this key (default: the one that `--setup` made)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print what is to be signed on another machine, and the command for it
    #[arg(long, conflicts_with_all = ["setup", "signature"])]
    print: bool,
    /// Take a signature that was made on another machine (`-`: from standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["setup", "key"])]
    signature: Option<PathBuf>,
    /// Make a key for approvals, and say what to put into the policy
    #[arg(long)]
    setup: bool,
}

/// Runs the command.
///
/// # Errors
///
/// An agent asks, the code is not known, or nothing could be signed.
pub fn run(arguments: &ApproveArguments) -> Result<ExitCode, Refusal> {
    refuse_agents(NOT)?;
    if arguments.setup {
        return setup::run(arguments.key.as_deref());
    }
    let KnownPlace { place, known } = find(arguments.code.as_deref().unwrap_or_default(), NOT)?;
    let bytes = place.policy()?;
    let section = Policy::open(&bytes).and_then(|policy| policy.approval);
    let code = known.request.code.clone();
    may_be_approved(&known, &place, section.as_ref())?;
    let Some(section) = section else { return Err(not_set_up(&known)) };
    if arguments.print {
        return printed(&known, &section, &place);
    }
    show(&known);
    let kept = keep(&known, &place)?;
    let done = match &arguments.signature {
        Some(file) => pasted(file, &known, &section, &place),
        None => signed(arguments.key.as_deref(), &known, &section, &place),
    };
    let record = done.map(|record| ApprovalRecord { kept: kept.clone(), ..record });
    let stored = record.and_then(|record| {
        let signer = approver(&record, &code, &known.request.digest, Some(&section), &signers_of(Some(&section), &place.around, &place.world))
            .map_err(|why| Refusal::new(NOT, why, "`portcullis doctor` checks who may sign; docs/approvals.md says how to set it up"))?;
        store::approve(&place.around.memory, &code, &record).map_err(|error| Refusal::new(NOT, error, "make the state folder writable"))?;
        Ok((signer, record))
    });
    let (signer, record) = match stored {
        Ok(stored) => stored,
        Err(refusal) => {
            forget(&kept, &code, &place);
            return Err(refusal);
        }
    };
    let until = ApprovalStatement::read(&record.statement).map_or(0, |statement| statement.until);
    let minutes = until.saturating_sub(system::now()).div_ceil(60);
    say(&format!(
        "{} {code}, by {}: the same call is allowed once, within {minutes} min; `portcullis revoke {code}` takes it back",
        styled("approved", TextStyle::Good),
        escaped(&signer)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Only a person approves, and signs.
pub(super) fn refuse_agents(not: &str) -> Result<(), Refusal> {
    let fix = "a person must run this at a terminal of their own";
    if let Some(variable) = agent() {
        return Err(Refusal::new(not, format!("an agent runs this (`{variable}` is set)"), fix));
    }
    match person::agent_above(&person::above()) {
        Some(why) => Err(Refusal::new(not, why, fix)),
        None => Ok(()),
    }
}

/// What keeps a request from being approved.
fn may_be_approved(known: &KnownRequest, place: &Place, section: Option<&ApprovalSection>) -> Result<(), Refusal> {
    let code = &known.request.code;
    let again = "let the agent send the call again; it gets a new code";
    if known.used.is_some() {
        return Err(Refusal::new(NOT, format!("the approval {code} was used already, and stands for one run"), again));
    }
    if known.revoked {
        return Err(Refusal::new(NOT, format!("{code} was revoked"), again));
    }
    if known.late {
        return Err(Refusal::new(NOT, format!("{code} waited for more than a day"), again));
    }
    if parts::policy(&layers::look(&place.around.layers)?) != known.request.parts.text("policy") {
        return Err(Refusal::new(NOT, format!("the policy, or Portcullis itself, changed since {code} was asked for"), again));
    }
    let counts = |record: &ApprovalRecord| approver(record, code, &known.request.digest, section, &signers_of(section, &place.around, &place.world)).is_ok();
    if known.approval.as_ref().is_some_and(counts) {
        return Err(Refusal::new("nothing was changed", format!("{code} is approved already"), format!("`portcullis revoke {code}` takes it back")));
    }
    Ok(())
}

fn not_set_up(known: &KnownRequest) -> Refusal {
    Refusal::new(
        NOT,
        format!("nobody may approve {} yet: neither the organisation's nor the user's policy has `[approval]`", known.request.code),
        "run `portcullis approve --setup`, which makes a key and says what to put into your policy; or do yourself what the agent wants",
    )
}

/// What the request is about, from what its digest is made of.
fn show(known: &KnownRequest) {
    let parts = &known.request.parts;
    let heading = |text: &str| styled(text, TextStyle::Bold);
    let (tool, call) = parts.text("call").split_once('\n').unwrap_or_default();
    let (command, input) = call.rsplit_once('\n').unwrap_or((call, ""));
    say(&format!("{} ({})", heading("this would run, once:"), escaped(tool)));
    say(&indented(command));
    // What else the tool is given, where the command is not all.
    if !input.is_empty() && !["command", "cmd"].iter().any(|key| input == format!("{{{}:{},}}", quoted(key), quoted(command))) {
        say(&format!("{}\n{}", heading("the whole input:"), indented(input)));
    }
    say(&format!("{} {}", heading("in:"), escaped(parts.text("folder").lines().next().unwrap_or_default())));
    say(&format!("{} {}", heading("by:"), escaped(parts.text("agent"))));
    say(&heading("stopped by:"));
    say(&indented(parts.text("rules").trim_end()));
    if let Some(cost) = Some(parts.text("cost")).filter(|cost| !cost.is_empty()) {
        say(&format!("{} {}", heading("it costs:"), escaped(cost)));
    }
    if let Some(git) = Some(parts.text("git").trim_end()).filter(|git| !git.is_empty()) {
        say(&heading("in the repository, bound to:"));
        say(&indented(git));
    }
    if let Some(files) = Some(parts.text("files").trim_end()).filter(|files| !files.is_empty()) {
        say(&heading("with these files as they are now:"));
        let names: Vec<&str> = files.lines().map(|line| line.split_once("  ").map_or(line, |(_, path)| path)).collect();
        say(&indented(&names.join("\n")));
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}", escaped_lines(line))).collect::<Vec<_>>().join("\n")
}

/// Keeps what git can keep, and says where.
fn keep(known: &KnownRequest, place: &Place) -> Result<Vec<String>, Refusal> {
    let git = known.request.parts.text("git");
    let Some(repository) = &place.around.repository else { return Ok(Vec::new()) };
    let changes_files = known.request.parts.text("paths").lines().any(|line| line.starts_with("delete ") || line.starts_with("write "));
    if git.lines().count() < 2 && !changes_files {
        return Ok(Vec::new());
    }
    let kept = kept::keep(&repository.git_dir, &known.request.code, git).map_err(|why| {
        Refusal::new(NOT, format!("what could be lost could not be kept: {why}"), "make the repository writable, or make a backup and do it yourself")
    })?;
    if !kept.is_empty() {
        say(&styled("kept before it runs, and how to get it back:", TextStyle::Bold));
        for one in &kept {
            say(&format!("  {}: {}", escaped(&one.what), escaped(&one.back)));
        }
        say("  files that git does not track are not kept");
    }
    Ok(kept.into_iter().map(|one| one.name).collect())
}

fn forget(kept: &[String], code: &str, place: &Place) {
    if let Some(repository) = place.around.repository.as_ref().filter(|_| !kept.is_empty()) {
        let _ = kept::forget(&repository.git_dir, code);
    }
}

/// The statement on a request that begins now.
fn statement(known: &KnownRequest, section: &ApprovalSection) -> ApprovalStatement {
    let parts = &known.request.parts;
    let call = parts.text("call");
    let call = call.rsplit_once('\n').map_or(call, |(command, _)| command);
    let from = system::now();
    ApprovalStatement {
        code: known.request.code.clone(),
        digest: known.request.digest.clone(),
        from,
        until: from + u64::from(section.lifetime.max(1)),
        about: vec![call.replace('\n', " ⏎ "), parts.text("folder").lines().next().unwrap_or_default().to_owned(), rule_line(known)],
    }
}

pub(super) fn account() -> String {
    std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned())
}

/// Signs here: with a key, or with a typed word where the policy allows that.
fn signed(key: Option<&Path>, known: &KnownRequest, section: &ApprovalSection, place: &Place) -> Result<ApprovalRecord, Refusal> {
    if !can_ask() {
        return Err(Refusal::new(NOT, "there is no terminal here", "a person must run this at a terminal, or sign elsewhere (`--print`)"));
    }
    let by = account();
    let usual = keys::usual(&place.world);
    let with_key = key.is_some() || !section.terminal || (!section.signers.is_empty() && usual.as_ref().is_some_and(|path| path.is_file()));
    if !with_key {
        if let Some(doubt) = person::doubt(&person::above()) {
            let fix = "set up a key (`portcullis approve --setup`), which works in every terminal";
            return Err(Refusal::new(NOT, format!("without a key it must be sure that a person types here: {doubt}"), fix));
        }
        typed(&format!("type the word `{WORD}` to allow this once: "), WORD)?;
        return Ok(ApprovalRecord {
            format: FORMAT,
            statement: statement(known, section).text(),
            way: ApprovalWay::Terminal,
            signature: None,
            by,
            kept: Vec::new(),
        });
    }
    if section.signers.is_empty() {
        return Err(Refusal::new(NOT, "the policy names no `signers`", "name the file of keys in `[approval]`; docs/approvals.md shows it"));
    }
    let Some(key) = key.map(Path::to_path_buf).or(usual) else {
        return Err(Refusal::new(NOT, "there is no home folder for a key", "name the key with `--key`"));
    };
    keys::usable(&key, NOT)?;
    let text = statement(known, section).text();
    let signature = keys::sign(&key, &text, NAMESPACE, NOT)?;
    Ok(ApprovalRecord { format: FORMAT, statement: text, way: ApprovalWay::Key, signature: Some(signature), by, kept: Vec::new() })
}

/// Asks for a word on the person's own terminal.
fn typed(question: &str, word: &str) -> Result<(), Refusal> {
    let refused = |why: String| Refusal::new(NOT, why, "run it again to decide anew");
    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|error| refused(error.to_string()))?;
    write!(terminal, "{}", escaped_lines(question)).map_err(|error| refused(error.to_string()))?;
    let mut line = String::new();
    BufReader::new(terminal.take(256)).read_line(&mut line).map_err(|error| refused(error.to_string()))?;
    if line.trim() == word { Ok(()) } else { Err(refused("the word was not typed".to_owned())) }
}

/// Prints what a person signs elsewhere.
fn printed(known: &KnownRequest, section: &ApprovalSection, place: &Place) -> Result<ExitCode, Refusal> {
    let code = &known.request.code;
    let text = statement(known, section).text();
    store::print(&place.around.memory, code, &text).map_err(|error| Refusal::new(NOT, error, "make the state folder writable"))?;
    show(known);
    let minutes = section.lifetime.div_ceil(60);
    say(&format!("to approve it within {minutes} min, run this where your key is:\n"));
    print_whole(&format!("printf '%s' {} | ssh-keygen -Y sign -n {} -f ~/.ssh/id_ed25519\n", shell_word(&text), NAMESPACE))
        .map_err(|error| Refusal::new(NOT, error, "write it to a terminal"))?;
    say(&format!("then paste the signature here, and end it with Ctrl-D:\n\n  portcullis approve {code} --signature -"));
    Ok(ExitCode::SUCCESS)
}

/// A signature that was made elsewhere.
fn pasted(file: &Path, known: &KnownRequest, section: &ApprovalSection, place: &Place) -> Result<ApprovalRecord, Refusal> {
    let code = &known.request.code;
    let unread = |error: std::io::Error| Refusal::new(NOT, format!("`{}`: {error}", file.display()), "name the file with the signature, or `-`");
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(MAX_PASTED).read_to_string(&mut text).map_err(unread)?;
    } else {
        let file = std::fs::File::open(file).map_err(unread)?;
        file.take(MAX_PASTED).read_to_string(&mut text).map_err(unread)?;
    }
    let Some(statement) = store::printed(&place.around.memory, code) else {
        return Err(Refusal::new(NOT, format!("nothing was printed to be signed for {code}"), format!("run `portcullis approve {code} --print`")));
    };
    let fix = format!("sign what `portcullis approve {code} --print` printed last");
    signature::verified(&statement, &text).map_err(|why| Refusal::new(NOT, why, fix))?;
    debug_assert!(section.lifetime > 0 || LIFETIME > 0);
    Ok(ApprovalRecord { format: FORMAT, statement, way: ApprovalWay::Key, signature: Some(text), by: account(), kept: Vec::new() })
}
