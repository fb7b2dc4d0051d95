//! `portcullis log export`: sends the record to a receiver of OpenTelemetry logs, or prints it in a form that others read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::place::Place;
use crate::cli::refusal::Refusal;
use crate::cli::terminal::{say, say_json, shown, tell};
use crate::record::export::{COLUMNS, ExportLine, host, is_trial};
use crate::record::feed::{FeedPosition, RecordFeed};
use crate::record::http::{self, HttpAddress};
use crate::record::otlp;
use actions::shown::{escaped, escaped_json};
use gate::BUILD;
use gate::record::hash;
use gate::world::{record, system};

const NOT: &str = "nothing more was exported";
/// Lines of one request.
const BATCH: usize = 500;
/// How often new lines are looked for.
const BEAT: Duration = Duration::from_secs(1);
/// Tries of a request, if the command does not follow.
const TRIES: u32 = 5;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A form of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// As they were recorded: a JSON object each
    Jsonl,
    /// Events of OCSF 1.6 (API Activity), a JSON object each
    Ocsf,
    /// Comma-separated values with a line of names
    Csv,
}

/// What keeps a command running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServiceManager {
    Systemd,
    Launchd,
}

#[derive(Args, Debug)]
pub struct ExportArguments {
    /// Send to a receiver of OpenTelemetry logs (OTLP over HTTP), for example `http://127.0.0.1:4318`
    #[arg(long, value_name = "URL", required_unless_present = "format", conflicts_with = "format")]
    otlp: Option<String>,
    /// Print in this form instead
    #[arg(long, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// Write into this file instead of standard output
    #[arg(short, long, value_name = "FILE", requires = "format")]
    output: Option<PathBuf>,
    /// The records of all repositories of this user
    #[arg(long)]
    all: bool,
    /// Wait for new lines, until the command is ended
    #[arg(long)]
    follow: bool,
    /// Forget what was sent to this receiver before, and send all that is kept
    #[arg(long, requires = "otlp")]
    from_start: bool,
    /// Only say how many lines would be sent
    #[arg(long, requires = "otlp", conflicts_with = "follow")]
    dry_run: bool,
    /// Print a unit that keeps this command running, and do nothing else
    #[arg(long, value_name = "MANAGER", requires = "otlp")]
    print_unit: Option<ServiceManager>,
    /// Print JSON about what was sent
    #[arg(long, requires = "otlp")]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The receiver cannot be reached, or refuses.
pub fn run(arguments: &ExportArguments) -> Result<ExitCode, Refusal> {
    let place = Place::at(None)?;
    if let Some(manager) = arguments.print_unit {
        return unit(manager, arguments, &place);
    }
    let folders = folders(arguments.all, &place);
    if folders.is_empty() && !arguments.follow {
        return Err(Refusal::new(NOT, "nothing is recorded here yet", "run an agent with Portcullis in this repository first, or use `--all`"));
    }
    match (&arguments.otlp, arguments.format) {
        (Some(address), _) => send(address, arguments, &place),
        (None, Some(format)) => print(format, arguments, &place),
        (None, None) => Err(Refusal::usage(NOT, "no form is named", "use `--otlp URL` or `--format jsonl`")),
    }
}

/// The folders with a record.
fn folders(all: bool, place: &Place) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = if all {
        let below = |state: &PathBuf| std::fs::read_dir(state).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
        place.world.states.iter().flat_map(below).collect()
    } else {
        place.around.memory.clone()
    };
    folders.retain(|folder| record::current(std::slice::from_ref(folder)).is_some());
    folders.sort();
    folders
}

/// A record on its way to a receiver.
struct ExportJob {
    folder: PathBuf,
    feed: RecordFeed,
    position: FeedPosition,
    file: PathBuf,
    /// Kept as long as the command runs.
    _lock: File,
}

impl ExportJob {
    fn begin(folder: &Path, address: &HttpAddress, from_start: bool) -> Result<Self, Refusal> {
        let refused = |error: std::io::Error| Refusal::new(NOT, format!("`{}`: {error}", folder.display()), "make the state folder writable");
        let name = format!("export-{:016x}", hash(format!("{}{}", address.authority, address.path).as_bytes()));
        let lock = record::open(&folder.join(format!("{name}.lock"))).map_err(refused)?;
        if lock.try_lock().is_err() {
            return Err(Refusal::new(NOT, "another process sends this record to the same receiver", "end the other one, or let it do the work"));
        }
        let file = folder.join(format!("{name}.json"));
        let known = FeedPosition::read(&file);
        if known.is_none() && file.exists() && !from_start {
            return Err(Refusal::new(
                NOT,
                format!("`{}` cannot be read; a later version may have written it", file.display()),
                "use that version, or send all again with `--from-start`",
            ));
        }
        let position = if from_start { FeedPosition::default() } else { known.unwrap_or_default() };
        let feed = RecordFeed::after(folder, &position).map_err(unreadable)?;
        if feed.gap {
            tell(&format!(
                "portcullis: the last line that was sent of {} is no longer kept, so lines after it may be missing; all that is kept is sent",
                shown(folder)
            ));
        }
        Ok(Self { folder: folder.to_path_buf(), feed, position, file, _lock: lock })
    }
}

fn unreadable(error: std::io::Error) -> Refusal {
    Refusal::new(NOT, error, "make the files of the record readable")
}

fn send(text: &str, arguments: &ExportArguments, place: &Place) -> Result<ExitCode, Refusal> {
    let address = HttpAddress::read(text, otlp::PATH).map_err(|why| {
        Refusal::usage(NOT, why, "write it like `http://127.0.0.1:4318`; for TLS run an OpenTelemetry collector on this machine, which sends on")
    })?;
    let mut jobs: Vec<ExportJob> = Vec::new();
    let (mut sent, mut rejected) = (0, 0);
    loop {
        for folder in folders(arguments.all, place) {
            if !jobs.iter().any(|job| job.folder == folder) {
                jobs.push(ExportJob::begin(&folder, &address, arguments.from_start)?);
            }
        }
        for job in &mut jobs {
            loop {
                let lines = job.feed.batch(BATCH).map_err(unreadable)?;
                if lines.is_empty() {
                    break;
                }
                sent += lines.len() as u64;
                if arguments.dry_run {
                    continue;
                }
                let refused = deliver(&address, &lines, arguments.follow)?;
                rejected += refused;
                for line in &lines {
                    job.position.pass(line);
                }
                job.position.rejected += refused;
                job.position.write(&job.file, text).map_err(|error| Refusal::new(NOT, error, "make the state folder writable"))?;
            }
        }
        if !arguments.follow {
            break;
        }
        sleep(BEAT);
    }
    let unreadable: u64 = jobs.iter().map(|job| job.feed.unreadable).sum();
    if arguments.json {
        say_json(&json!({ "to": text, "sent": sent, "rejected": rejected, "unreadable": unreadable, "records": jobs.len(), "dry_run": arguments.dry_run }));
    } else {
        let word = if arguments.dry_run { "would be sent" } else { "sent" };
        let refused = if rejected > 0 { format!("; the receiver refused {rejected} of them, which are not sent again") } else { String::new() };
        let bad = if unreadable > 0 { format!("; {unreadable} lines cannot be read and were left out") } else { String::new() };
        say(&format!("{sent} lines {word} to {}{refused}{bad}", escaped(text)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends lines until the receiver has them. Returns how many it refused for good.
fn deliver(address: &HttpAddress, lines: &[ExportLine], follow: bool) -> Result<u64, Refusal> {
    let resource = [("service.name", "portcullis".to_owned()), ("service.version", BUILD.to_owned()), ("host.name", host())];
    let now = u64::try_from(system::now_ns()).unwrap_or(0);
    let body = otlp::request(lines, &resource, BUILD, now);
    let mut pause = Duration::from_secs(1);
    for attempt in 1.. {
        let (why, wish) = match http::post(address, otlp::TYPE, &body) {
            Ok(answer) if (200..300).contains(&answer.status) => {
                let taken = otlp::answer(&answer.body);
                if !taken.message.is_empty() {
                    tell(&format!("portcullis: the receiver says: {}", escaped(&taken.message)));
                }
                return Ok(taken.rejected);
            }
            // These alone say that the same request may work later (OTLP/HTTP, failures).
            Ok(answer) if matches!(answer.status, 429 | 502 | 503 | 504) => (format!("it answers {}", answer.status), answer.retry_after),
            Ok(answer) => {
                let fix = "check the address and what the receiver takes: logs, as binary protobuf, at `/v1/logs`";
                return Err(Refusal::new(NOT, format!("the receiver refuses the lines ({})", answer.status), fix));
            }
            Err(error) => (error.to_string(), None),
        };
        if !follow && attempt >= TRIES {
            return Err(Refusal::new(
                NOT,
                format!("the receiver `{}` cannot be reached: {why}", address.authority),
                "start it and run this again; it continues where it stopped",
            ));
        }
        if attempt == 1 {
            tell(&format!("portcullis: the receiver cannot be reached ({}); trying again", escaped(&why)));
        }
        sleep(wish.map_or(pause, Duration::from_secs).min(LONGEST_PAUSE));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(0)
}

fn print(format: ExportFormat, arguments: &ExportArguments, place: &Place) -> Result<ExitCode, Refusal> {
    let refused = |error: std::io::Error| Refusal::new(NOT, error, "name a file that you can write");
    let mut out: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(BufWriter::new(File::create(path).map_err(refused)?)),
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    let mut write = |text: &str| writeln!(out, "{text}").map_err(|error| (error.kind() == std::io::ErrorKind::BrokenPipe, error));
    let ended = |(gone, error): (bool, std::io::Error)| if gone { Ok(ExitCode::SUCCESS) } else { Err(refused(error)) };
    if format == ExportFormat::Csv
        && let Err(error) = write(&COLUMNS.join(","))
    {
        return ended(error);
    }
    let mut feeds: Vec<(PathBuf, RecordFeed)> = Vec::new();
    loop {
        for folder in folders(arguments.all, place) {
            if !feeds.iter().any(|(known, _)| *known == folder) {
                feeds.push((folder.clone(), RecordFeed::after(&folder, &FeedPosition::default()).map_err(unreadable)?));
            }
        }
        for (_, feed) in &mut feeds {
            for line in std::iter::from_fn(|| feed.batch(1).map(|mut lines| lines.pop()).transpose()) {
                let line = line.map_err(unreadable)?;
                // A call that Portcullis made up says nothing of an agent.
                if is_trial(&line.entry) && format != ExportFormat::Jsonl {
                    continue;
                }
                let text = match format {
                    ExportFormat::Jsonl => escaped_json(&line.text).into_owned(),
                    ExportFormat::Ocsf => escaped_json(&line.ocsf().to_string()).into_owned(),
                    ExportFormat::Csv => line.csv(),
                };
                if let Err(error) = write(&text) {
                    return ended(error);
                }
            }
        }
        if !arguments.follow {
            break;
        }
        sleep(BEAT);
    }
    Ok(ExitCode::SUCCESS)
}

/// A unit that keeps the command running.
fn unit(manager: ServiceManager, arguments: &ExportArguments, place: &Place) -> Result<ExitCode, Refusal> {
    let address = arguments.otlp.as_deref().unwrap_or_default();
    HttpAddress::read(address, otlp::PATH).map_err(|why| Refusal::usage("no unit was printed", why, "write it like `http://127.0.0.1:4318`"))?;
    let program = std::env::current_exe().map_err(|error| Refusal::new("no unit was printed", error, "start the program by its path"))?;
    let program = program.display().to_string();
    let folder = if arguments.all { None } else { Some(place.cwd.display().to_string()) };
    let mut words = vec![program.as_str(), "log", "export", "--otlp", address, "--follow"];
    if arguments.all {
        words.push("--all");
    }
    match manager {
        ServiceManager::Systemd => {
            // `%` begins a specifier (systemd.unit(5)), and quotes keep a word whole.
            let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$"));
            let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
            let folder = folder.map_or_else(|| "%h".to_owned(), |folder| folder.replace('%', "%%"));
            say("# ~/.config/systemd/user/portcullis-export.service; then: systemctl --user enable --now portcullis-export");
            say("[Unit]\nDescription=Portcullis: sends the record of decisions to a receiver of OpenTelemetry logs\n");
            say(&format!("[Service]\nExecStart={}\nWorkingDirectory={}\nRestart=on-failure\nRestartSec=30\n", escaped(&words.join(" ")), escaped(&folder)));
            say("[Install]\nWantedBy=default.target");
        }
        ServiceManager::Launchd => {
            let xml = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let words: Vec<String> = words.iter().map(|word| format!("    <string>{}</string>", escaped(&xml(word)))).collect();
            let folder = folder.or_else(|| place.world.homes.first().map(|home| home.display().to_string())).unwrap_or_else(|| "/".to_owned());
            say("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- ~/Library/LaunchAgents/dev.portcullis.export.plist; then: launchctl load -w that file -->");
            say("<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">");
            say(&format!(
                "<plist version=\"1.0\">\n<dict>\n  <key>Label</key><string>dev.portcullis.export</string>\n  <key>ProgramArguments</key>\n  <array>\n{}\n  </array>\n  <key>WorkingDirectory</key><string>{}</string>\n  <key>KeepAlive</key><true/>\n  <key>ThrottleInterval</key><integer>30</integer>\n</dict>\n</plist>",
                words.join("\n"),
                escaped(&xml(&folder))
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
