//! What people see: lines on standard output and standard error, colours, a question, and who is asking.

use std::borrow::Cow;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use actions::shown::{escaped, escaped_json, escaped_lines};
use clients::CLIENTS;

/// A line on standard output. A reader that went away is no fault of the command.
pub fn say(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", harmless(text));
}

/// A report on standard output, whose reader needs all of it.
///
/// # Errors
///
/// It could not be written. A reader that went away is no error.
pub fn print_whole(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", harmless(text)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// A path as a part of one line.
pub fn shown(path: &std::path::Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

pub fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped_lines(text));
}

/// A text in which only our own styles are for the terminal. Texts from outside were escaped where they were put in, for
/// only there a line end of theirs differs from one of ours.
fn harmless(text: &str) -> Cow<'_, str> {
    if !colour() {
        return escaped_lines(text);
    }
    let mut parts = text.split("\u{1b}[");
    let mut out = escaped_lines(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let own = STYLES.iter().find_map(|style| Some((style, part.strip_prefix(style)?)));
        let (style, rest) = own.map_or(("\\u{1b}[", part), |(style, rest)| (*style, rest));
        if own.is_some() {
            out.push_str("\u{1b}[");
        }
        out.push_str(style);
        out.push_str(&escaped_lines(rest));
    }
    out.into()
}

/// What follows `ESC [` in the styles that are written here.
const STYLES: &[&str] = &["0m", "1m", "31m", "32m", "33m"];

/// A line about what happens meanwhile.
pub fn progress(text: &str) {
    tell(&format!("portcullis: {text}"));
}

pub fn say_json(value: &impl serde::Serialize) {
    say(&escaped_json(&serde_json::to_string_pretty(value).unwrap_or_default()));
}

/// A word in quotes, as a shell reads it.
pub fn shell_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// How a text is emphasised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextStyle {
    Bold,
    Good,
    Doubtful,
    Bad,
}

/// `text` in this style, if colours are written here.
pub fn styled(text: &str, style: TextStyle) -> String {
    let code = match style {
        TextStyle::Bold => 1,
        TextStyle::Good => 32,
        TextStyle::Doubtful => 33,
        TextStyle::Bad => 31,
    };
    if colour() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// When colours are written: the option `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    // No line of documentation: with one, the help of each command would explain all three in six lines.
    #[default]
    Auto,
    Always,
    Never,
}

static COLOUR: OnceLock<Colour> = OnceLock::new();

/// Sets when colours are written; the first call counts. Without a call it is [`Colour::Auto`].
pub fn set_colour(when: Colour) {
    let _ = COLOUR.set(when);
}

/// Whether colours are written on standard output. An option says more than the variable (<https://no-color.org>).
fn colour() -> bool {
    match COLOUR.get().copied().unwrap_or_default() {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// True if a person can be asked here.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question, and returns true for yes. An empty line is a yes.
pub fn agreed(question: &str) -> bool {
    let _ = write!(io::stderr().lock(), "{} [Y/n] ", escaped_lines(question));
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.is_ok_and(|bytes| bytes > 0) && matches!(line.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes")
}

/// Asks a question of which an empty line is a no.
pub fn agreed_after_all(question: &str) -> bool {
    let _ = write!(io::stderr().lock(), "{} [y/N] ", escaped_lines(question));
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.is_ok_and(|bytes| bytes > 0) && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// The variable that says that an agent runs this process. `None` if no agent does.
pub fn agent() -> Option<String> {
    let mut names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.find(|name| CLIENTS.iter().any(|client| client.variables().is_of_agent(name)))
}

/// How often a bar is drawn.
const TICK: std::time::Duration = std::time::Duration::from_millis(100);
/// The signs of a bar.
const BAR: usize = 30;

/// A bar on standard error while long work runs; on a terminal only, and not before the work has taken a moment.
#[derive(Debug)]
pub struct Progress {
    done: usize,
    all: usize,
    of: &'static str,
    begun: std::time::Instant,
    drawn: std::time::Instant,
    shown: bool,
}

impl Progress {
    /// Work of so many steps.
    pub fn of(all: usize, of: &'static str) -> Self {
        let now = std::time::Instant::now();
        Self { done: 0, all, of, begun: now, drawn: now, shown: false }
    }

    /// One step is done.
    pub fn step(&mut self) {
        self.advance(1);
    }

    /// So many steps are done.
    pub fn advance(&mut self, steps: usize) {
        self.done += steps;
        if self.drawn.elapsed() < TICK || !io::stderr().is_terminal() {
            return;
        }
        (self.drawn, self.shown) = (std::time::Instant::now(), true);
        let full = BAR * self.done / self.all.max(1);
        let milliseconds = usize::try_from(self.begun.elapsed().as_millis()).unwrap_or(usize::MAX).max(1);
        let rate = self.done.saturating_mul(1000) / milliseconds;
        let bar = format!("{}{}", "█".repeat(full), "░".repeat(BAR.saturating_sub(full)));
        let _ = write!(io::stderr().lock(), "\r\u{1b}[K{bar} {} of {} {}, {rate} a second", self.done, self.all, self.of);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
