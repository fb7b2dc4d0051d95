//! A part of a command, underlined in its line. It takes two lines, whatever the command contains.

use std::fmt::Write as _;

use actions::Span;
use actions::shown::is_unseen;

/// Columns of the command that are shown.
const WIDTH: usize = 96;
/// Of these, columns that are kept for the text before the underlined part.
const BEFORE: usize = 32;
/// Columns that are kept for the text after it.
const BEHIND: usize = 12;

/// The line of a command, and what goes below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Underlined {
    /// Control characters are escaped, line ends are shown as `⏎`, and what is cut off as `…`.
    pub line: String,
    /// Blanks and carets.
    pub below: String,
}

/// Shows `span` in its line of `command`. `None` if the span is empty, or is the whole command.
#[must_use]
pub fn underlined(command: &str, span: Span) -> Option<Underlined> {
    let range = span.range();
    let meant = command.get(range.clone())?;
    if meant.trim().is_empty() || meant.trim() == command.trim() {
        return None;
    }
    let before = command.get(..range.start)?;
    let before = before.rsplit('\n').next().unwrap_or(before).trim_start();
    let behind = command.get(range.end..)?;
    let behind = behind.split('\n').next().unwrap_or(behind).trim_end();

    let meant = Shown::front(meant, WIDTH - BEFORE);
    let kept = Shown::front(behind, BEHIND).columns;
    let before = Shown::back(before, WIDTH.saturating_sub(meant.columns + kept));
    let behind = if meant.cut { Shown { cut: true, ..Shown::default() } } else { Shown::front(behind, WIDTH.saturating_sub(meant.columns + before.columns)) };
    let ellipsis = |cut: bool| if cut { "…" } else { "" };
    let line = format!("{}{}{}{}{}", ellipsis(before.cut), before.text, meant.text, behind.text, ellipsis(behind.cut));
    let below = format!("{}{}", " ".repeat(before.columns + usize::from(before.cut)), "^".repeat(meant.columns + usize::from(meant.cut)));
    Some(Underlined { line, below })
}

/// A text as it is shown, up to so many columns.
#[derive(Debug, Default)]
struct Shown {
    text: String,
    columns: usize,
    /// Not all of it.
    cut: bool,
}

impl Shown {
    /// Its first columns.
    fn front(text: &str, most: usize) -> Self {
        let plain = text.bytes().take(most).take_while(|byte| is_plain(*byte)).count();
        let (start, rest) = text.split_at_checked(plain).unwrap_or(("", text));
        let mut shown = Self { text: start.to_owned(), columns: start.len(), cut: false };
        for c in rest.chars() {
            shown.cut |= !shown.add(c, most, false);
            if shown.cut {
                break;
            }
        }
        shown
    }

    /// Its last columns.
    fn back(text: &str, most: usize) -> Self {
        let plain = text.bytes().rev().take(most).take_while(|byte| is_plain(*byte)).count();
        let (rest, end) = text.split_at_checked(text.len() - plain).unwrap_or((text, ""));
        let mut shown = Self { text: String::new(), columns: end.len(), cut: false };
        for c in rest.chars().rev() {
            shown.cut |= !shown.add(c, most, true);
            if shown.cut {
                break;
            }
        }
        shown.text = shown.text.chars().rev().chain(end.chars()).collect();
        shown
    }

    /// Adds a character; its escape is reversed if the whole text is to be. Returns false if there is no room for it.
    fn add(&mut self, c: char, most: usize, reversed: bool) -> bool {
        let before = self.text.len();
        let columns = match c {
            '\n' => {
                self.text.push('⏎');
                1
            }
            '\t' => {
                self.text.push(' ');
                1
            }
            _ if is_unseen(c) => {
                let escaped = c.escape_default();
                let columns = escaped.len();
                if reversed {
                    self.text.extend(escaped.to_string().chars().rev());
                } else {
                    let _ = write!(self.text, "{escaped}");
                }
                columns
            }
            _ => {
                self.text.push(c);
                width(c)
            }
        };
        if self.columns + columns > most {
            self.text.truncate(before);
            return false;
        }
        self.columns += columns;
        true
    }
}

/// A character of one byte and one column.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Columns that a character takes in a terminal (Unicode Standard Annex #11; combining marks take none).
fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97c}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff01}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both lines for the stretch between `«` and `»`.
    fn shown(marked: &str) -> Option<String> {
        let start = marked.find('«').unwrap();
        let end = marked.find('»').unwrap() - '«'.len_utf8();
        let command = marked.replace(['«', '»'], "");
        underlined(&command, Span::of(start..end)).map(|Underlined { line, below }| format!("{line}\n{below}"))
    }

    #[test]
    fn a_stretch_is_shown_in_its_line() {
        for (marked, expected) in [
            ("cd sub && «git push --force»", "cd sub && git push --force\n          ^^^^^^^^^^^^^^^^"),
            ("«rm -rf x»; ls", "rm -rf x; ls\n^^^^^^^^"),
            ("ls\n  if a; then\n    «rm -rf x» && ls\n  fi\n", "rm -rf x && ls\n^^^^^^^^"),
            ("a; «git \\\n  push» -f\nls", "a; git \\⏎  push -f\n   ^^^^^^^^^^^^"),
            ("echo '日本' && «rm 語» x", "echo '日本' && rm 語 x\n               ^^^^^"),
            ("a\tb;\t«rm\tx»", "a b; rm x\n     ^^^^"),
            ("echo \u{1b}[0m; «rm \u{202e}x»", "echo \\u{1b}[0m; rm \\u{202e}x\n                ^^^^^^^^^^^^"),
            ("echo e\u{301}; «rm x»", "echo e\u{301}; rm x\n        ^^^^"),
        ] {
            assert_eq!(shown(marked).as_deref(), Some(expected), "{marked:?}");
        }
    }

    #[test]
    fn what_is_all_of_the_command_or_none_of_it_is_not_underlined() {
        assert_eq!(shown("  «rm -rf x»\n"), None);
        assert_eq!(shown("rm« »-rf x"), None);
        assert_eq!(underlined("日本", Span::of(1..2)), None);
        assert_eq!(underlined("rm", Span::of(1..9)), None);
    }

    #[test]
    fn long_commands_are_cut_around_it() {
        for (front, meant, rest) in [(500, 8, 500), (0, 500, 0), (500, 500, 500), (3, 8, 500), (500, 8, 3), (500, 70, 0)] {
            for c in ["x", "日", "\u{7}", "e\u{301}"] {
                let marked = format!("{}; «{}» {}", c.repeat(front), c.repeat(meant), c.repeat(rest));
                let text = shown(&marked).unwrap();
                let (line, below) = text.split_once('\n').unwrap();
                assert!(below.ends_with('^') && line.chars().map(width).sum::<usize>() <= WIDTH + 2 && below.len() <= WIDTH + 2, "{text}");
            }
        }
    }
}
