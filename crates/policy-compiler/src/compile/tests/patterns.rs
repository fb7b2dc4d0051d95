//! Compiled patterns against what they should match: by tables, and against two other implementations.

use globset::GlobBuilder;

use crate::compile::Texts;
use crate::compile::automaton::{PatternMode, automaton};
use crate::compile::pattern::Patterns;
use actions::wire::{lay_down, read_back};
use policy::pattern::{Automaton, PathAnchor, Pattern};

/// Walks a table over a text.
fn found(table: &Automaton, text: &str) -> bool {
    let mut state = table.start;
    for byte in text.bytes() {
        if table.anywhere && table.is_found(state) {
            return true;
        }
        state = table.step(state, table.class(byte));
    }
    (table.anywhere && table.is_found(state)) || table.is_found(table.step(state, table.width))
}

fn holds(pattern: &Pattern, text: &str) -> bool {
    pattern.table.as_ref().map_or(pattern.source == text, |table| found(table, text))
}

#[test]
fn text_patterns() {
    // pattern, texts that match, texts that do not
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("push", &["push"], &["pus", "push ", "Push", ""]),
        ("", &[""], &["a"]),
        ("*", &["", "a", "a/b\nc", "ä"], &[]),
        ("+*", &["+", "+main"], &["main", "a+"]),
        ("a?c", &["abc", "aäc", "a🦀c", "a/c"], &["ac", "abbc"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
        ("[!a-c]x", &["dx", "äx"], &["ax", "x"]),
        ("[^a-c]x", &["dx"], &["bx"]),
        ("[]a]", &["]", "a"], &["b"]),
        ("[a-]", &["-", "a"], &["b"]),
        (r"[\]]", &["]"], &["\\"]),
        ("{a,bc}d", &["ad", "bcd"], &["d", "abcd"]),
        ("{a,b{c,}}", &["a", "bc", "b"], &["c", ""]),
        ("x{,y}", &["x", "xy"], &["y"]),
        ("x{,x}x", &["xx", "xxx"], &["x", "xxxx"]),
        ("*{a,b,c,d,e,f,g,h,i,j,k,l,m}*{1,2,3,4,5}*", &["xa-5", "m1"], &["1m", "z1"]),
        ("{[,],b}", &[",", "b"], &["["]),
        (r"\*", &["*"], &["a", r"\*"]),
        (r"a\{b", &["a{b"], &["a\\{b"]),
        ("HEAD~*", &["HEAD~1"], &["HEAD"]),
        ("(?i)Force", &["force", "FORCE"], &["forc"]),
        ("(?i)[a-c]?*", &["Bx", "bxyz"], &["dx"]),
        ("/^a+$/", &["a", "aaa"], &["", "ab"]),
        ("/b/", &["b", "abc"], &["ac", "B"]),
        ("/b/i", &["aBc"], &["ac"]),
        ("/a.c/", &["xa\ncx"], &["ac"]),
        (r"/\bfoo\b/", &["a foo b", "foo"], &["food"]),
        ("/", &["/"], &["", "a"]),
        ("//", &["//"], &["/"]),
        ("/etc", &["/etc"], &["etc", "/etc/"]),
        ("ä*", &["ä", "äb"], &["a"]),
    ];
    let texts = Texts::default();
    let mut patterns = Patterns::new(&texts);
    for (source, matching, other) in cases {
        let pattern = patterns.text(source).unwrap();
        for text in *matching {
            assert!(holds(&pattern, text), "`{source}` must match `{text}`");
        }
        for text in *other {
            assert!(!holds(&pattern, text), "`{source}` must not match `{text}`");
        }
    }
}

#[test]
fn only_texts_without_wildcards_are_literal() {
    let cases = [("push", Some("push")), (r"a\*", Some("a*")), ("a*", None), ("(?i)a", None), ("{a,b}", None), ("/a/", None), ("a]}", Some("a]}"))];
    let texts = Texts::default();
    for (source, literal) in cases {
        assert_eq!(Patterns::new(&texts).text(source).unwrap().literal(), literal, "{source}");
    }
}

#[test]
fn content_patterns_are_found_anywhere_and_know_lines() {
    let cases = [
        ("secret", "a secret b", true),
        ("^import", "x\nimport y", true),
        ("^import", "x import y", false),
        ("a.b", "a\nb", false),
        ("(?i)KEY$", "key\nx", true),
        ("", "", true),
    ];
    let texts = Texts::default();
    for (source, text, expected) in cases {
        assert_eq!(holds(&Patterns::new(&texts).content(source).unwrap(), text), expected, "{source} on {text}");
    }
}

#[test]
fn path_patterns() {
    use PathAnchor::{Absolute, Anywhere, Binaries, Config, GitDirectory, Here, Home, Repository, State, Temporary};
    // pattern, anchor, literals, stem, texts behind the anchor that match, texts that do not
    type Case = (&'static str, PathAnchor, &'static [&'static str], Option<&'static str>, &'static [&'static str], &'static [&'static str]);
    let cases: &[Case] = &[
        ("src/main.rs", Repository, &["src", "main.rs"], Some("src/main.rs"), &["src/main.rs"], &["src/main_rs", "main.rs"]),
        ("src/", Repository, &["src"], Some("src"), &["src"], &["src/a"]),
        ("src/*.rs", Repository, &["src", ".rs"], Some("src"), &["src/a.rs", "src/.rs"], &["src/a/b.rs", "src"]),
        ("src/*", Repository, &["src"], Some("src"), &["src/a"], &["src", "src/", "src/a/b"]),
        ("a/**", Repository, &["a"], Some("a"), &["a/b", "a/b/c"], &["a", "a/", "ab"]),
        ("a/**/", Repository, &["a"], Some("a"), &["a/b"], &["a"]),
        ("a/**/b", Repository, &["a", "b"], Some("a"), &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/xb", "a/b/c"]),
        ("*", Repository, &[], None, &["a"], &["", "a/b"]),
        ("a?c/x", Repository, &["c", "x"], None, &["abc/x", "aäc/x"], &["a/c/x"]),
        ("[!a]x", Repository, &["x"], None, &["bx"], &["ax", "/x"]),
        ("[+-9]x", Repository, &["x"], None, &["-x", "1x"], &["/x"]),
        ("*.{js,ts}", Repository, &[".js", ".ts"], None, &["a.js", "a.ts"], &["a.rs"]),
        (
            "**/{a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p}/**",
            Anywhere,
            &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"],
            None,
            &["/p/x", "/y/a/b/x"],
            &["/a", "/y/z"],
        ),
        ("(?i)Readme*", Repository, &["Readme"], None, &["README.md", "readme"], &["read"]),
        ("~", Home, &[], Some(""), &[""], &["a"]),
        ("~/", Home, &[], Some(""), &[""], &["a"]),
        ("~/.ssh/**", Home, &[".ssh"], Some(".ssh"), &[".ssh/id"], &[".ssh", "id"]),
        ("/", Absolute, &[], Some("/"), &["/"], &["", "/a"]),
        ("/etc", Absolute, &["etc"], Some("/etc"), &["/etc"], &["etc", "/etc/x"]),
        ("/etc/**", Absolute, &["etc"], Some("/etc"), &["/etc/x"], &["/etc", "/x/etc/y"]),
        ("/*", Absolute, &[], None, &["/a"], &["/", "/a/b"]),
        ("**", Anywhere, &[], None, &["/a", "/a/b"], &["/"]),
        ("**/.env*", Anywhere, &[".env"], None, &["/.env", "/a/.env.x"], &["/a/x.env", "/.env/a"]),
        ("**/.git/**", Anywhere, &[".git"], None, &["/.git/a", "/a/.git/b/c"], &["/a/.git", "/a/x.git/b"]),
        ("<binaries>/portcullis*", Binaries, &["portcullis"], None, &["portcullis-hook"], &["x"]),
        ("<state>/**", State, &[], None, &["a", "a/b"], &[""]),
        ("<config>", Config, &[], Some(""), &[""], &["a"]),
        ("<policy>", PathAnchor::Policy, &[], Some(""), &[""], &["a"]),
        ("<temporary>/a", Temporary, &["a"], Some("a"), &["a"], &[]),
        ("<git>/config", GitDirectory, &["config"], Some("config"), &["config"], &["x"]),
        (".", Here, &[], Some(""), &[""], &["a"]),
        ("<here>", Here, &[], Some(""), &[""], &["a"]),
        ("./a", Here, &["a"], Some("a"), &["a"], &["b"]),
        (r"a\*b", Repository, &["a*b"], Some("a*b"), &["a*b"], &["axb"]),
        ("...", Repository, &["..."], Some("..."), &["..."], &["a"]),
    ];
    let texts = Texts::default();
    let mut patterns = Patterns::new(&texts);
    for (source, anchor, literals, stem, matching, other) in cases {
        let made = patterns.path(source).unwrap();
        let [path] = made.as_slice() else { panic!("`{source}` makes {} patterns", made.len()) };
        assert_eq!((path.anchor, path.literals.as_slice(), path.stem, path.source), (*anchor, *literals, *stem, *source), "{source}");
        for text in *matching {
            assert!(holds(&path.pattern, text), "`{source}` must match `{text}`");
        }
        for text in *other {
            assert!(!holds(&path.pattern, text), "`{source}` must not match `{text}`");
        }
    }
}

#[test]
fn braces_in_paths_may_begin_at_several_places() {
    let texts = Texts::default();
    let made = Patterns::new(&texts).path("{~,/root}/.{ssh,aws}/*").unwrap();
    let places: Vec<_> = made.iter().map(|path| (path.anchor, path.stem)).collect();
    let expected = [(PathAnchor::Home, ".ssh"), (PathAnchor::Home, ".aws"), (PathAnchor::Absolute, "/root/.ssh"), (PathAnchor::Absolute, "/root/.aws")];
    assert_eq!(places, expected.map(|(anchor, stem)| (anchor, Some(stem))));
}

#[test]
fn bad_patterns() {
    let texts = Texts::default();
    let mut patterns = Patterns::new(&texts);
    let cases = [
        ("{a", "never closed"),
        ("[a", "never closed"),
        ("[]", "never closed"),
        (r"a\", "at the end escapes nothing"),
        ("{a}", "only one alternative"),
        ("{}", "only one alternative"),
        ("[z-a]", "backwards"),
        ("[ä]", "ASCII"),
        ("/(/", "unclosed group"),
        (r"/\p{Greek}/", "Unicode"),
        ("/(?u)\\bx/", "Unicode"),
        ("*a??????????????????", "is larger than 256 kB"),
        ("/a.{40}x/", "is larger than 256 kB"),
        ("/((((a{90}){90}){90}){90})/", "is larger than 256 kB"),
        ("{a,{a,{a,{a,{a,{a,{a,{a,{a,{a,b}}}}}}}}}}", "more than 8 deep"),
    ];
    for (source, expected) in cases {
        let fault = patterns.text(source).unwrap_err();
        assert!(fault.what.contains(expected) && !fault.fix.is_empty(), "{source}: {fault:?}");
    }
    let long = "x".repeat(5000);
    assert!(patterns.text(&long).unwrap_err().what.contains("longer than"));
    let paths = [
        ("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}", "more than 256"),
        ("", "empty"),
        ("a//b", "two slashes"),
        ("a/../b", "`..`"),
        ("a**b", "must be a whole path component"),
        ("<nowhere>/a", "unknown place"),
        ("~root/a", "home folder of a user"),
    ];
    for (source, expected) in paths {
        let fault = patterns.path(source).unwrap_err();
        assert!(fault.what.contains(expected) && !fault.fix.is_empty(), "{source}: {fault:?}");
    }
}

#[test]
fn nothing_matches_never() {
    let texts = Texts::default();
    let never = Patterns::new(&texts).never("<protected>");
    assert!(["", "a", "<protected>"].iter().all(|text| !holds(&never, text)));
}

#[test]
fn tables_are_small() {
    let texts = Texts::default();
    let mut patterns = Patterns::new(&texts);
    let states = |pattern: Pattern| pattern.table.map(|table| table.next.len() / 2 / (usize::from(table.width) + 1));
    // Dead, found, and one state for each byte in front of the star.
    for (source, expected) in [("*", 3), ("ab*", 5), ("/b/", 3), ("/a{500}/", 502), ("/(a|b|ab)*c/", 3)] {
        assert_eq!(states(patterns.text(source).unwrap()), Some(expected), "{source}");
    }
}

/// A generator of numbers (xorshift) that gives the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.below(from.len())]
    }

    fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.pick(pieces)).collect()
    }
}

const ROUNDS: usize = 500;
const TEXTS_A_ROUND: usize = 40;

#[test]
fn globs_agree_with_globset() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let pieces = ["a", "b", "ab", ".", "*", "?", "[ab]", "[!a]", "[a-c.]", "{a,b}", "{ab,*.a}", "{,a}", "-", r"\*"];
    let mut matched = 0;
    for _ in 0..ROUNDS {
        let mut glob = numbers.text(&pieces, 6);
        // Two stars in a row mean something else to the oracle only with slashes, which these texts do not have.
        glob = glob.replace("**", "*");
        let insensitive = numbers.below(4) == 0;
        let oracle = GlobBuilder::new(&glob).case_insensitive(insensitive).empty_alternates(true).build().unwrap().compile_matcher();
        let texts = Texts::default();
        let own = Patterns::new(&texts).text(&format!("{}{glob}", if insensitive { "(?i)" } else { "" })).unwrap();
        for _ in 0..TEXTS_A_ROUND {
            let text = numbers.text(&["a", "b", "A", ".", "c", "*", "-", "ab"], 5);
            let expected = oracle.is_match(&text);
            matched += usize::from(expected);
            assert_eq!(holds(&own, &text), expected, "`{glob}` on `{text}`");
        }
    }
    assert!(matched > ROUNDS, "the texts hardly ever match: {matched}");
}

#[test]
fn path_globs_agree_with_globset() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let names = ["a", "b", "*", "**", "?", "a*", "*b", "[ab]", "{a,b}", "{a,b}*", "a?", "**", "{a,b/a}", "{ab,*/b?}", "*{a,{b,ab}}"];
    let mut matched = 0;
    for _ in 0..ROUNDS {
        let count = 1 + numbers.below(4);
        let glob: Vec<&str> = (0..count).map(|_| numbers.pick(&names)).collect();
        let glob = format!("/{}", glob.join("/"));
        let oracle = GlobBuilder::new(&glob).literal_separator(true).build().unwrap().compile_matcher();
        let texts = Texts::default();
        let own = Patterns::new(&texts).path(&glob).unwrap();
        for _ in 0..TEXTS_A_ROUND {
            // Paths are clean: names between slashes are not empty.
            let text: String = (0..=numbers.below(4)).map(|_| numbers.pick(&["/a", "/b", "/ab", "/ba", "/c"])).collect();
            let expected = oracle.is_match(&text);
            matched += usize::from(expected);
            assert_eq!(own.iter().any(|path| holds(&path.pattern, &text)), expected, "`{glob}` on `{text}`");
        }
    }
    assert!(matched > ROUNDS, "the texts hardly ever match: {matched}");
}

#[test]
fn regular_expressions_agree_with_regex() {
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    let pieces = ["a", "b", "c", ".", "a*", "(ab)+", "(a|bc)", "[^a]", "b?", r"\b", "^", "$", r"\w", r"\s", "a{2,3}", "(?i:A)", r"\B", "|", "a+?", r"\n"];
    let mut matched = [0, 0];
    for round in 0..ROUNDS {
        let (anywhere, any_case, lines) = (round % 2 == 0, round % 3 == 0, round % 5 == 0);
        let regex = numbers.text(&pieces, 6);
        let oracle = regex::bytes::RegexBuilder::new(&if anywhere { regex.clone() } else { format!(r"\A(?:{regex})\z") })
            .unicode(false)
            .case_insensitive(any_case)
            .multi_line(lines)
            .dot_matches_new_line(!lines)
            .build();
        // A bad expression is bad to both.
        let Ok(oracle) = oracle else {
            assert!(automaton(&regex, PatternMode { anywhere, any_case, lines }).is_err(), "{regex}");
            continue;
        };
        let own = automaton(&regex, PatternMode { anywhere, any_case, lines }).unwrap();
        for _ in 0..TEXTS_A_ROUND {
            let text = numbers.text(&["a", "b", "A", "c", "B", " ", "\n", "bc", "ä"], 6);
            let expected = oracle.is_match(text.as_bytes());
            matched[usize::from(anywhere)] += usize::from(expected);
            assert_eq!(found(&own, &text), expected, "`{regex}` ({anywhere} {any_case} {lines}) on {text:?}");
        }
    }
    assert!(matched.iter().all(|count| *count > ROUNDS / 2), "the texts hardly ever match: {matched:?}");
}

#[test]
fn a_pattern_survives_the_wire() {
    let pattern = Pattern { source: "a*", table: None };
    assert_eq!(read_back(&lay_down(&pattern)), Some(pattern));
}
