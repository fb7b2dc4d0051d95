//! Texts made of the seeds: spliced, cut, repeated, wrapped and joined, the same ones for the same number.

/// A source of numbers that are the same in every run (splitmix64, by its published constants).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }
}

/// What a shell gives a meaning to, and some words.
const TOKENS: &[&str] = &[
    "$(",
    "$((",
    "))",
    "`",
    "\"",
    "'",
    "\\",
    "\\\n",
    "\n",
    ";",
    "&",
    "|",
    "&&",
    "||",
    "<<E\n",
    "\nE\n",
    "<<'E'\n",
    "<<-E\n",
    ">",
    "<",
    ">&",
    "&>",
    ">&-",
    "<(",
    ">(",
    "${",
    "${x:-",
    "${x/",
    "}",
    "{",
    "{ ",
    "( ",
    " )",
    "(",
    ")",
    "((",
    "[[ ",
    " ]]",
    "[",
    "]",
    "a[",
    "=",
    "x=",
    "x=(",
    "x+=(",
    " ",
    "\t",
    "#",
    " #",
    "$",
    "$'",
    "$\"",
    "!",
    "! ",
    "time ",
    "if ",
    "; then ",
    "; fi",
    "else ",
    "elif ",
    "while ",
    "; do ",
    "; done",
    "until ",
    "for x in ",
    "for ((;;)) ",
    "case x in ",
    "x) ",
    ";; ",
    "esac",
    "function f ",
    "f() ",
    "coproc ",
    "select x in ",
    "aa",
    "ba",
    "cy 'd'",
    "$x",
    "*",
    "?(",
    "@(",
    "!(",
    "+(",
    "~",
    "\r",
    "$[",
    "<<<",
    "export ",
    "declare ",
    "eval ",
    "in ",
    "do ",
    "then ",
    "-p ",
    "2>",
    "{fd}>",
    "é",
    "=~ ",
    "%",
    "/",
    ":",
    "-",
    "@",
    "^",
    ",",
    "||\n",
    "<<A <<B\n",
    "A\n",
    "B\n",
    "E)",
    "\nE)",
];

/// What only zsh gives a meaning to.
const ZSH_TOKENS: &[&str] = &[
    "&|",
    "&!",
    ">>|",
    ">&|",
    "=(",
    "=aa",
    "repeat 2 ",
    "foreach x (",
    "; end",
    "${(e)",
    "${(f)",
    "${(s.:.)",
    "$x[1]",
    "$x[",
    "() {",
    "} always {",
    "noglob ",
    "nocorrect ",
    "- ",
    "for x (a b) ",
    "if ((1)) {",
    "while ((0)) {",
    "(.)",
    "**/",
    "^",
    "~",
    "$+",
    "${+",
    "$^x",
    "$=x",
    "$~x",
    "${${",
    "}}",
    "<->",
    ":h",
    ":gs/a/b/",
    "{",
    "}",
    ";|",
    "alias -g G=",
    " G ",
    "alias -s t=",
    "setopt shwordsplit; ",
    "select x (",
    "case x { ",
    "$'\\",
    "typeset ",
    "print -r ",
];

/// Ways to put a text into another one.
const WRAPS: &[(&str, &str)] = &[
    ("aa $(", ")"),
    ("aa \"$(", ")\""),
    ("ba `", "`"),
    ("{ ", "; }"),
    ("( ", " )"),
    ("cat <<E\n", "\nE\n"),
    ("if aa; then ", "; fi"),
    ("aa $((", "))"),
    ("((", "))"),
    ("ba \"${x:-", "}\""),
    ("x=(", ")"),
    ("f() { ", "; }; f"),
    ("while aa; do ", "; break; done"),
    ("case a in a) ", ";; esac"),
];

/// Longer texts teach nothing more.
const MAX_CHARS: usize = 400;

/// The text of this number.
pub(crate) fn text(number: u64, seeds: &[String], zsh: bool) -> String {
    let mut numbers = Numbers(number);
    let mut text: Vec<char> = numbers.one_of(seeds).chars().collect();
    for _ in 0..*numbers.one_of(&[1, 1, 1, 2, 2, 3, 4]) {
        let (kind, at) = (numbers.below(100), numbers.below(text.len() + 1));
        match kind {
            0..35 => {
                let tokens = if zsh && numbers.below(2) == 0 { ZSH_TOKENS } else { TOKENS };
                let token = *numbers.one_of(tokens);
                text.splice(at..at, token.chars());
            }
            35..55 => {
                let end = (at + numbers.one_of(&[1, 1, 1, 2, 3, 5])).min(text.len());
                text.drain(at..end);
            }
            55..70 => {
                let end = (at + 1 + numbers.below(11)).min(text.len());
                let copy = text[at..end].to_vec();
                let to = numbers.below(text.len() + 1);
                text.splice(to..to, copy);
            }
            70..85 => {
                let other: Vec<char> = numbers.one_of(seeds).chars().collect();
                let start = numbers.below(other.len() + 1);
                let end = (start + 1 + numbers.below(19)).min(other.len());
                text.splice(at..at, other[start..end].iter().copied());
            }
            85..93 => {
                text.extend(numbers.one_of(&["\n", "; ", " && ", " | "]).chars());
                text.extend(numbers.one_of(seeds).chars());
            }
            _ => {
                let (open, close) = numbers.one_of(WRAPS);
                text = open.chars().chain(text).chain(close.chars()).collect();
            }
        }
    }
    text.truncate(MAX_CHARS);
    // They keep the log's commands and words apart.
    text.into_iter().filter(|c| !matches!(c, '\0' | '\u{1d}'..='\u{1f}')).collect()
}
