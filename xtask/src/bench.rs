//! What the gate costs: calls in pairs with programs that do nothing, counts by stage, and how the work grows.

pub(crate) mod calls;
mod counts;
mod page;
mod pairs;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::hook;
use crate::order;
use crate::step::{RunState, Step, command, output, pass};
use crate::workspace::{HOOK, HOOK_PROFILE, hook_member, target};
use calls::{Scene, everyday, long_command, long_write};
use counts::candidate;
use pairs::{StartedProgram, at_once, compare, evict, renew};

/// Texts of each shell's trial in the long form.
const TRIAL: &str = "30000";
/// Bytes of the inputs in the long form.
const GROWTH: &str = "1000,10000,100000,1000000";
/// Rules of the policies with which growth is measured.
const RULES: [usize; 4] = [10, 100, 1000, 5000];
/// Calls of which growth with rules is measured.
const GROWN: [&str; 3] = ["Read", "`ls`", "Write, 1 kB"];
/// Bytes of the inputs with which growth is measured.
const INPUTS: [usize; 5] = [1000, 10_000, 100_000, 1_000_000, 10_000_000];
/// Hooks that run at once.
const AT_ONCE: [usize; 4] = [1, 2, 4, 8];
/// A program of another that does nothing.
const EMPTY: &str = "#![no_main]\n#[unsafe(no_mangle)]\npub extern \"C\" fn main() -> i32 { 0 }\n";

#[derive(Args, Clone)]
pub(crate) struct BenchArguments {
    /// Run the long forms too: an hour or more
    #[arg(long)]
    long: bool,
    /// Measure another gate in the same run, started without arguments; can be given several times
    #[arg(long, value_name = "NAME=PATH")]
    peer: Vec<String>,
    /// Rounds in which each program is started once
    #[arg(long, value_name = "NUMBER", default_value_t = 400)]
    rounds: usize,
    /// Measure this installed hook, instead of installing one
    #[arg(long, value_name = "PATH")]
    hook: Option<PathBuf>,
    /// Keep the counts as those that CI goes by
    #[arg(long)]
    keep: bool,
}

pub(crate) fn steps(arguments: &BenchArguments) -> Vec<Step> {
    let (measured, counted) = (arguments.clone(), arguments.clone());
    let mut steps = vec![
        Step::action("calls", move |state| calls(state, &measured)),
        Step::action("counts", move |state| count(state, counted.hook.as_deref(), counted.keep)),
        Step::action("startup", |state| hook::startup(hook::shipped(state)?)),
        Step::command("cargo test --locked --test measure -- --nocapture"),
    ];
    if arguments.long {
        steps.push(Step::action("growth in instructions", |_| growth()));
        steps.push(
            Step::command("cargo test --locked --release --test trial -- --nocapture").with("PORTCULLIS_TRIAL", TRIAL).with("PORTCULLIS_JAIL", "required"),
        );
    }
    steps
}

/// The step of CI: nothing may have become dearer.
/// Error: something has, or the hook cannot be built.
pub(crate) fn check_counts(state: &mut RunState) -> Result<()> {
    count(state, None, false)
}

/// Counts everyday calls, and keeps the counts or compares them with those that were kept.
fn count(state: &mut RunState, hook: Option<&Path>, keep: bool) -> Result<()> {
    let mut places = Scene::new()?;
    let hook = with_symbols(state, hook, &places)?;
    let repository = places.repository("starter", Some(0))?;
    let mut counted = counts::count(&hook, &places, &repository)?;
    counted.extend(counts::count_stateful(&hook, &mut places)?);
    println!("{}\n{}", page::counted(&counted), page::by_stage(&counted));
    if keep { counts::keep(&counted) } else { counts::check(&counted) }
}

/// A hook that has its symbols, beside the cold binary of the same build.
fn with_symbols(state: &mut RunState, hook: Option<&Path>, places: &Scene) -> Result<PathBuf> {
    if let Some(hook) = hook {
        return Ok(fs::canonicalize(hook)?);
    }
    let cold = hook::shipped(state)?.hook.with_file_name("portcullis");
    let folder = places.path("bin");
    fs::create_dir_all(&folder)?;
    fs::copy(cold, folder.join("portcullis"))?;
    let own = folder.join(HOOK);
    fs::copy(order::hook_with_symbols()?, &own)?;
    Ok(own)
}

/// Measures calls in pairs, and writes the page.
fn calls(state: &mut RunState, arguments: &BenchArguments) -> Result<()> {
    let mut places = Scene::new()?;
    let folder = places.path("bin");
    fs::create_dir_all(&folder)?;
    let shipped = match &arguments.hook {
        Some(hook) => fs::canonicalize(hook)?,
        None => hook::shipped(state)?.hook.clone(),
    };
    // A copy that can be put out of the page cache.
    let hook = folder.join(HOOK);
    fs::copy(&shipped, &hook)?;
    fs::copy(shipped.with_file_name("portcullis"), folder.join("portcullis"))?;
    let peers: Vec<(String, PathBuf)> = arguments
        .peer
        .iter()
        .map(|peer| peer.split_once('=').map(|(name, path)| (name.to_owned(), PathBuf::from(path))).with_context(|| format!("`{peer}` is not NAME=PATH")))
        .collect::<Result<_>>()?;
    let repositories = [("no policy", None), ("starter policy", Some(0)), ("1,000 rules", Some(1000))];
    let roots: Vec<PathBuf> = repositories.iter().enumerate().map(|(at, (_, rules))| places.repository(&format!("r{at}"), *rules)).collect::<Result<_>>()?;

    // Gates may keep files for a repository under the same names, so each has its own.
    let mut of_peers: Vec<Vec<PathBuf>> = Vec::new();
    for peer in 0..peers.len() {
        let own = repositories.iter().enumerate().skip(1).map(|(at, (_, rules))| places.repository(&format!("p{peer}{at}"), *rules));
        of_peers.push(own.collect::<Result<_>>()?);
    }

    let mut text = machine();
    let empty = empty(&places)?;
    let mut drawn: Vec<(String, Vec<f64>)> = Vec::new();
    let names: Vec<String> = [HOOK.to_owned()].into_iter().chain(peers.iter().map(|(name, _)| name.clone())).collect();
    for (title, evicted) in [("After a reboot", true), ("Right after the installation", false)] {
        for program in [&hook].into_iter().chain(peers.iter().map(|(_, path)| path)) {
            if evicted {
                evict(program)?;
            } else if program == &hook {
                renew(program)?;
            }
        }
        let mut rows = Vec::new();
        for (at, call) in everyday(&roots[0]).iter().enumerate() {
            let in_each = |roots: &[PathBuf]| roots.iter().map(|root| everyday(root).swap_remove(at)).collect::<Vec<_>>();
            let of_each = in_each(&roots);
            let of_each_peer: Vec<Vec<_>> = of_peers.iter().map(|roots| in_each(roots)).collect();
            let plain = |program: &Path, arguments: &[&str]| StartedProgram {
                program: program.to_path_buf(),
                arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
                home: places.home(),
                root: roots[0].clone(),
                call,
            };
            let mut all = vec![plain(Path::new("/bin/true"), &[]), plain(&empty, &[])];
            all.extend(roots.iter().zip(&of_each).map(|(root, call)| candidate(&hook, &places, root, call)));
            for ((_, path), (roots, calls)) in peers.iter().zip(of_peers.iter().zip(&of_each_peer)) {
                all.extend(roots.iter().zip(calls).map(|(root, call)| StartedProgram { root: root.clone(), call, ..plain(path, &[]) }));
            }
            let figures = compare(arguments.rounds, &all)?;
            rows.push([call.name.to_owned()].into_iter().chain(figures.iter().skip(1).map(page::ratio)).collect::<Vec<_>>());
            println!("{title}: {}", rows.last().map(|row| row.join(" ")).unwrap_or_default());
            if !evicted {
                let own = figures.get(3).map_or(0.0, |figures| figures.ratio);
                let others = peers.iter().enumerate().filter_map(|(at, _)| figures.get(5 + at * 2)).map(|figures| figures.ratio);
                drawn.push((call.name.to_owned(), [own].into_iter().chain(others).collect()));
            }
        }
        let mut head = vec!["call", "empty program", "no policy", "starter policy", "1,000 rules"];
        let heads: Vec<String> = names.iter().skip(1).flat_map(|name| [format!("{name}, starter"), format!("{name}, 1,000 rules")]).collect();
        head.extend(heads.iter().map(String::as_str));
        write!(text, "## {title}\n\n{}\n", page::table(&head, &rows))?;
    }
    page::draw(&names, &drawn)?;

    let counted = counts::count(&hook, &places, &roots[1])?;
    write!(text, "## Counts\n\nWith the starter policy.\n\n{}\n", page::counted(&counted))?;
    let stateful = counts::count_stateful(&hook, &mut places)?;
    write!(
        text,
        "Calls of which limits, budgets and circles speak, beside the same calls without them. Where a call waits for an approval, the\nfull program is started; its system calls are counted, and its instructions are not.\n\n{}\n",
        page::counted(&stateful)
    )?;
    if counted.iter().any(|(_, counts)| counts.stages.len() > 1 && counts.stages.values().filter(|count| **count > 0).count() > 1) {
        write!(text, "Instructions by stage:\n\n{}\n", page::by_stage(&counted))?;
    }
    text += &grown(&mut places, &hook, arguments.rounds)?;
    page::write(&text)
}

/// How the time grows with rules, with the input and with hooks at once.
fn grown(places: &mut Scene, hook: &Path, rounds: usize) -> Result<String> {
    let mut text = String::from("## Growth\n\nThe median time of a call, in microseconds, by the rules of the policy:\n\n");
    let mut grown = Vec::new();
    for rules in RULES {
        let root = places.repository(&format!("g{rules}"), Some(rules))?;
        let calls: Vec<_> = everyday(&root).into_iter().filter(|call| GROWN.contains(&call.name)).collect();
        grown.push((rules, root, calls));
    }
    // The first call compiles the policy. A cold binary that is not optimised may need several.
    let mut late = Vec::new();
    for (rules, root, calls) in &grown {
        let tries: Vec<f64> =
            calls.iter().take(1).cycle().take(4).map(|call| candidate(hook, places, root, call).run(pairs::unique())).collect::<Result<_>>()?;
        if tries.last().is_none_or(|last| *last > 1e6) {
            println!("{rules} rules are not compiled within a call");
            late.push(*rules);
        }
    }
    grown.retain(|(rules, ..)| !late.contains(rules));
    let all: Vec<_> = grown.iter().flat_map(|(_, root, calls)| calls.iter().map(|call| candidate(hook, places, root, call))).collect();
    let figures = compare(rounds / 2 + 1, &all)?;
    let rows: Vec<Vec<String>> = grown
        .iter()
        .zip(figures.chunks(GROWN.len()))
        .map(|((rules, ..), figures)| [rules.to_string()].into_iter().chain(figures.iter().map(|figures| format!("{:.0}", figures.time))).collect())
        .collect();
    text += &page::table(&["rules", "Read", "`ls`", "Write, 1 kB"], &rows);

    text += "\nBy the bytes of the input, in milliseconds (`portcullis-hook` refuses more than it can read in time):\n\n";
    let root = places.repository("input", Some(0))?;
    let mut rows = Vec::new();
    for bytes in INPUTS {
        let (command, written) = (long_command(bytes), long_write(&root, bytes));
        let figures = compare(if bytes > 100_000 { 5 } else { 40 }, &[candidate(hook, places, &root, &command), candidate(hook, places, &root, &written)])?;
        rows.push([bytes.to_string()].into_iter().chain(figures.iter().map(|figures| format!("{:.1}", figures.time / 1000.0))).collect::<Vec<_>>());
    }
    text += &page::table(&["bytes", "a command", "a write"], &rows);

    text += "\nBy the hooks that run at once, in calls a second:\n\n";
    let all = everyday(&root);
    let one = all.iter().find(|call| call.name == "`ls`").context("there is no `ls`")?;
    let rows = AT_ONCE.iter().map(|many| Ok(vec![many.to_string(), format!("{:.0}", at_once(rounds, *many, &candidate(hook, places, &root, one))?)]));
    text += &page::table(&["at once", "calls a second"], &rows.collect::<Result<Vec<_>>>()?);
    Ok(text)
}

/// A static program that does nothing. Where there is no static target, one of this machine.
fn empty(places: &Scene) -> Result<PathBuf> {
    let (source, program) = (places.path("empty.rs"), places.path("empty"));
    fs::write(&source, EMPTY)?;
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let build = |target: &[&str]| {
        let mut rustc = command("rustc");
        rustc.args(["--edition", "2024", "-C", "opt-level=3", "-C", "panic=abort", "-C", "strip=symbols"]).args(target).arg("-o").arg(&program).arg(&source);
        pass(&mut rustc)
    };
    build(&["--target", &triple, "-C", "relocation-model=static"]).or_else(|_| build(&[]))?;
    Ok(program)
}

/// When and on what was measured.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| output(command(program).args(arguments)).map(|text| text.trim().to_owned()).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let release = said("uname", &["-r"]);
    let version: Vec<&str> = release.split('.').take(2).collect();
    format!("Measured on {}, on {cores} cores, {} {}.\n\n", said("date", &["-u", "+%Y-%m-%d"]), said("uname", &["-s"]), version.join("."))
}

/// Counts the instructions of the optimised hook by the size of its input. The shipped hook keeps its deadline whatever the
/// environment says, and valgrind takes fifty times as long; debug assertions let the deadline be switched off.
fn growth() -> anyhow::Result<()> {
    let (package, folder) = (hook_member()?.name, target().join("growth"));
    let mut build = command("cargo");
    build.args(["build", "--locked", "--profile", HOOK_PROFILE, "--package", &package, "--no-default-features", "--bin", HOOK]);
    pass(build.env("CARGO_PROFILE_HOOK_DEBUG_ASSERTIONS", "true").env("CARGO_TARGET_DIR", &folder))?;
    let mut measure = command("cargo");
    measure.args(["test", "--locked", "--test", "measure", "work", "--", "--nocapture"]);
    pass(measure.env("PORTCULLIS_HOOK", folder.join(HOOK_PROFILE).join(HOOK)).env("PORTCULLIS_GROWTH", GROWTH))
}
