//! The reader against real shells: texts made of seeds are run under bash and zsh in a jail, and every command that a shell
//! tried to start is looked for among those that the reader found in the same text.
//!
//! Short: `cargo test --test trial -- --nocapture`. Long: `PORTCULLIS_TRIAL=30000 cargo test --release --test trial -- --nocapture`
//! (the number is of texts of which the shell ran something). `PORTCULLIS_TRIAL_FROM` starts at another place, `PORTCULLIS_JAIL=required`
//! fails where no jail can be made, `PORTCULLIS_TRIAL_SHOW` names a file for what was missed.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking, and says how it went")]

mod jail;
#[path = "../../crates/shell-reader/tests/it/mutate.rs"]
mod mutate;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;

use actions::lookup::Lookups;
use actions::shell::{Setting, Shell};
use actions::word::{Word, WordPiece};
use actions::{Action, Deed};
use jail::{BATCH, Jail, Ran};
use policy::Policy;
use portcullis::deep::compiling;

/// Texts of the short form of which the shell must have run something.
const SHORT: usize = 2_000;
/// Texts that are read at all, for each one of which the shell runs something.
const PATIENCE: usize = 4;
const WORKERS: u32 = 2;

/// A shell, and how much may be missed.
struct Trial {
    shell: &'static str,
    seeds: &'static str,
    /// Commands missed in silence, for each 30,000 texts.
    misses: usize,
    /// Texts of which something could not be read, in each hundred.
    opaque: usize,
}

#[derive(Default)]
struct Tally {
    texts: usize,
    executed: usize,
    commands: usize,
    exact: usize,
    with_unknowns: usize,
    opaque: usize,
    computed_texts: usize,
    opaque_texts: usize,
    missed: Vec<(u64, String, Vec<String>)>,
    unread: Vec<(u64, String, String)>,
    broken: Vec<String>,
}

#[test]
fn bash_runs_nothing_that_was_not_read() {
    run(&Trial { shell: "bash", seeds: "bash.txt", misses: 20, opaque: 2 });
}

#[test]
fn zsh_runs_nothing_that_was_not_read() {
    run(&Trial { shell: "zsh", seeds: "zsh.txt", misses: 300, opaque: 2 });
}

fn run(trial: &Trial) {
    if !["/bin", "/usr/bin", "/usr/local/bin"].iter().any(|folder| Path::new(folder).join(trial.shell).exists()) {
        println!("\n!!! {} WAS NOT TRIED: it is not installed\n", trial.shell);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let required = std::env::var_os("PORTCULLIS_JAIL").is_some();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let jails: Result<Vec<Jail>, String> = (0..WORKERS).map(|worker| Jail::new(folder.path(), worker, trial.shell)).collect();
    let jails = match jails {
        Ok(jails) => jails,
        Err(why) if required => panic!("{why}"),
        Err(why) => {
            println!("\n!!! {} WAS NOT TRIED: {why}\n", trial.shell);
            return;
        }
    };
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let wanted = number("PORTCULLIS_TRIAL").map_or(SHORT, |wanted| usize::try_from(wanted).unwrap());
    let from = number("PORTCULLIS_TRIAL_FROM").unwrap_or(0);
    let zsh = trial.shell == "zsh";
    let mut seeds = seeds("bash.txt");
    if zsh {
        seeds.extend(self::seeds(trial.seeds));
    }
    let compiled = compiling::built_in().unwrap_or_else(|mistakes| panic!("{mistakes}")).bytes;
    let policy = Policy::open(&compiled).unwrap_or_else(|| panic!("what was just compiled can be opened"));
    let state = Mutex::new((from, Tally::default()));
    std::thread::scope(|scope| {
        for jail in &jails {
            let (state, seeds, policy) = (&state, &seeds, &policy);
            scope.spawn(move || {
                loop {
                    let numbers = {
                        let mut state = state.lock().unwrap();
                        if state.1.executed >= wanted || state.1.texts >= wanted.saturating_mul(PATIENCE) {
                            return;
                        }
                        let first = state.0;
                        state.0 += BATCH as u64;
                        first..state.0
                    };
                    let text = |number| seeds.get(usize::try_from(number).unwrap()).cloned().unwrap_or_else(|| mutate::text(number, seeds, zsh));
                    let texts: Vec<String> = numbers.clone().map(text).collect();
                    let ran = jail.run(trial.shell, &texts);
                    let mut tally = Tally { texts: BATCH, ..Tally::default() };
                    match ran {
                        Ok(ran) => {
                            for (at, ((number, text), ran)) in numbers.zip(texts).zip(ran).enumerate() {
                                let actions = read(&text, &format!("/w/{at}"), trial.shell, policy);
                                compare(&mut tally, number, &text, ran, trial.shell, &actions);
                            }
                        }
                        Err(why) => tally.broken.push(format!("{numbers:?}: {why}")),
                    }
                    state.lock().unwrap().1.add(tally);
                }
            });
        }
    });
    let (_, tally) = state.into_inner().unwrap();
    tally.show(trial.shell, jails.first().map_or("", |jail| jail.way));
    let allowed = (tally.executed * trial.misses).div_ceil(30_000);
    assert!(tally.broken.len() <= tally.texts / BATCH / 50, "too many jails broke: {:?}", tally.broken);
    assert!(tally.executed * 2 >= wanted, "{} ran only {} of {} texts", trial.shell, tally.executed, tally.texts);
    assert!(tally.missed.len() <= allowed, "{} commands that {} ran were missed; {allowed} may be", tally.missed.len(), trial.shell);
    assert!(tally.opaque_texts * 100 <= tally.executed * trial.opaque, "of {} texts something could not be read", tally.opaque_texts);
}

/// Seeds are in a file, with `%%` between them.
fn seeds(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/shell-reader/tests/texts").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.strip_suffix('\n').unwrap_or(&text).split("\n%%\n").map(str::to_owned).collect()
}

fn compare(tally: &mut Tally, number: u64, text: &str, mut ran: Ran, shell: &str, actions: &[Action]) {
    for text in ran.iter_mut().flatten() {
        *text = without_descriptors(text);
    }
    // Bash 5.2 writes the text of a substitution anew, and gives a co-process without a name one that it then runs.
    ran.retain(|command| command.first().is_none_or(|name| name != "COPROC"));
    if shell == "zsh" {
        // It stands for a redirection without a command.
        ran.retain(|command| !matches!(command.as_slice(), [name] if matches!(name.as_str(), "cat" | "more" | "pager")));
    }
    ran.sort();
    ran.dedup();
    if ran.is_empty() {
        return;
    }
    tally.executed += 1;
    let opaque = actions.iter().filter_map(|action| match &action.deed {
        Deed::Opaque { text, why } => Some(format!("{why}: {text}")),
        _ => None,
    });
    // What the reader did not understand counts before what nobody can know.
    let opaque = opaque.max_by_key(|why| !is_computed(why));
    if let Some(why) = &opaque {
        if is_computed(why) {
            tally.computed_texts += 1;
        } else {
            tally.opaque_texts += 1;
        }
        tally.unread.push((number, text.to_owned(), why.clone()));
    }
    let runs: Vec<&[Word]> = actions
        .iter()
        .filter_map(|action| match &action.deed {
            Deed::Run(run) => Some(run.words.as_slice()),
            _ => None,
        })
        .collect();
    for command in ran {
        tally.commands += 1;
        // Git's own programs may be read as git's subcommands.
        let subcommand = command.first().and_then(|name| name.strip_prefix("git-"));
        let spelled = subcommand.map(|subcommand| ["git", subcommand].into_iter().map(str::to_owned).chain(command.iter().skip(1).cloned()).collect());
        let spelled: Vec<String> = spelled.unwrap_or_else(|| command.clone());
        if runs.iter().any(|words| is_exactly(words, &command)) {
            tally.exact += 1;
        } else if runs.iter().any(|words| may_be(words, &command) || may_be(words, &spelled)) {
            tally.with_unknowns += 1;
        } else if opaque.is_some() {
            tally.opaque += 1;
        } else {
            tally.missed.push((number, text.to_owned(), command));
        }
    }
}

/// The reader understood, and says what only running it would show.
fn is_computed(why: &str) -> bool {
    why.contains(" is computed: ") || why.contains(" comes out of a pipe: ")
}

fn read(text: &str, cwd: &str, shell: &str, policy: &Policy) -> Vec<Action> {
    let setting = Setting { cwd: cwd.into(), home: Some("/h".into()), temporary: "/tmp".into(), root: "/w".into(), zsh: shell == "zsh" };
    let mut shell = Shell::new(&setting, &policy.programs, Lookups::default());
    shell.line(text);
    let (mut actions, _) = shell.finish();
    for action in &mut actions {
        let Deed::Run(run) = &mut action.deed else { continue };
        for piece in run.words.iter_mut().flat_map(|word| &mut word.pieces) {
            if let WordPiece::Lit(text) = piece {
                *text = without_descriptors(text);
            }
        }
    }
    actions
}

/// Which number stands for a process substitution is of no matter.
fn without_descriptors(text: &str) -> String {
    let mut stretches = text.split("/dev/fd/").flat_map(|stretch| stretch.split("/proc/self/fd/"));
    let first = stretches.next().unwrap_or_default().to_owned();
    stretches.fold(first, |all, stretch| all + "/dev/fd/" + stretch.trim_start_matches(|c: char| c.is_ascii_digit()))
}

fn is_exactly(words: &[Word], command: &[String]) -> bool {
    words.len() == command.len() && words.iter().zip(command).all(|(word, text)| word.is(text))
}

/// The words with their unknowns can be these.
fn may_be(words: &[Word], command: &[String]) -> bool {
    let Some((word, rest)) = words.split_first() else { return command.is_empty() };
    let several = word.multi || word.pieces.iter().any(|piece| matches!(piece, WordPiece::Glob(_)));
    if several {
        return (0..=command.len()).any(|taken| may_be(rest, &command[taken..]));
    }
    command.split_first().is_some_and(|(text, others)| fits(&word.pieces, text) && may_be(rest, others))
}

fn fits(pieces: &[WordPiece], text: &str) -> bool {
    match pieces.split_first() {
        None => text.is_empty(),
        Some((WordPiece::Lit(known), rest)) => text.strip_prefix(known.as_str()).is_some_and(|text| fits(rest, text)),
        Some((WordPiece::Glob(_) | WordPiece::Any(_), rest)) => {
            // What one of several commands writes ends a line, if it writes anything at all.
            let nothing = rest.split_first().and_then(|(next, others)| match next {
                WordPiece::Lit(known) => known.strip_prefix('\n').map(|known| [&[WordPiece::Lit(known.to_owned())], others].concat()),
                _ => None,
            });
            nothing.is_some_and(|rest| fits(&rest, text)) || text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| fits(rest, &text[at..]))
        }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.texts += other.texts;
        self.executed += other.executed;
        self.commands += other.commands;
        self.exact += other.exact;
        self.with_unknowns += other.with_unknowns;
        self.opaque += other.opaque;
        self.computed_texts += other.computed_texts;
        self.opaque_texts += other.opaque_texts;
        self.missed.extend(other.missed);
        self.unread.extend(other.unread);
        self.broken.extend(other.broken);
    }

    fn show(&self, shell: &str, way: &str) {
        let share = |part: usize, whole: usize| 100.0 * f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole.max(1)).unwrap());
        let mut table = format!("\n{shell}, in a jail of its own {way}\n");
        let mut row = |what: &str, count: usize, whole: usize| {
            let _ = writeln!(table, "{what:<46}{count:>8}{:>9.3} %", share(count, whole));
        };
        row("texts", self.texts, self.texts);
        row("texts of which the shell ran something", self.executed, self.texts);
        row("  a name or a command line in it is computed", self.computed_texts, self.executed);
        row("  not all of it could be read", self.opaque_texts, self.executed);
        row("commands that the shell tried to start", self.commands, self.commands);
        row("  found as they are", self.exact, self.commands);
        row("  found with unknown parts", self.with_unknowns, self.commands);
        row("  \"could not be read\"", self.opaque, self.commands);
        row("  missed in silence", self.missed.len(), self.commands);
        for (number, text, command) in self.missed.iter().take(20) {
            let _ = writeln!(table, "missed {number}: {command:?} of\n    {text:?}");
        }
        for broken in &self.broken {
            let _ = writeln!(table, "broken {broken}");
        }
        println!("{table}");
        if let Some(file) = std::env::var_os("PORTCULLIS_TRIAL_SHOW") {
            let missed = self.missed.iter().map(|(number, text, command)| format!("missed\t{number}\t{text:?}\t{command:?}\n"));
            let unread = self.unread.iter().map(|(number, text, why)| format!("unread\t{number}\t{text:?}\t{why:?}\n"));
            let path = Path::new(&file).with_extension(shell);
            std::fs::write(path, missed.chain(unread).collect::<String>()).unwrap();
        }
    }
}
