//! `find` and `fd`: what they find is known by folder and name test, what they do with it is among their words.

use super::{Output, Shell, Stdin, inner::replace};
use crate::program::{Program, ProgramWay, Role};
use crate::word::{Bound, Word, WordPiece, is_one};
use crate::{Change, Deed, Delete, arguments};

impl Shell<'_> {
    /// `find`: what it finds is known by its folder and its name test; what it does with it is among its words.
    pub(super) fn find(&mut self, program: &Program, name: &str, words: &[Word], env: Vec<(String, Word)>, stdin: &Stdin) -> Output {
        let args = words.get(1..).unwrap_or(&[]);
        let by_tests = program.is(ProgramWay::Find);
        let arguments = arguments::read(program, args);
        let at = self.note(name, words, &arguments, env.clone(), stdin);
        let operands: Vec<Word> = arguments.operands.iter().filter(|word| !matches!(word.literal(), Some("(" | ")" | "!" | ","))).cloned().collect();
        let (tests, folders) = if by_tests {
            (name_tests(args), operands)
        } else {
            // fd: the first operand is the pattern, the others are folders.
            let extension = arguments.value("--extension").and_then(Word::literal);
            let pattern = operands.first().and_then(Word::literal).and_then(fd_pattern);
            let test = extension.map(|extension| Word::lit(format!("*.{extension}"))).or(pattern);
            (test.filter(|test| !sweeps(test)).into_iter().collect(), operands.get(1..).unwrap_or(&[]).to_vec())
        };
        let folders = if folders.is_empty() { vec![Word::lit(".")] } else { folders };
        let all = [None].into_iter().filter(|_| tests.is_empty());
        let each: Vec<Option<&Word>> = tests.iter().map(Some).chain(all).collect();
        let mut found: Vec<Word> = folders.iter().flat_map(|folder| each.iter().map(|test| found_below(folder, *test))).collect();
        // By age, size or owner: some of all files, not known which.
        let some = tests.is_empty() && arguments.flags.iter().any(|flag| flag.names.iter().any(|name| is_one(NARROWS, name))) && !has_alternatives(args);
        if some {
            for word in &mut found {
                word.push_lit("/");
                word.push(WordPiece::Any(Bound::File));
            }
        }
        // With `-empty` and no way around it, nothing goes that holds anything; links hold nothing either.
        let links =
            arguments.flags.iter().any(|flag| flag.names.iter().any(|name| name.ends_with("type")) && flag.value.as_ref().is_some_and(|value| value.is("l")));
        let empty =
            (arguments.has("-empty") || links) && !args.iter().any(|word| word.literal().is_none_or(|text| matches!(text, "-o" | "-or" | "!" | "-not" | ",")));
        if arguments.has("-delete") && !empty {
            let all = tests.is_empty() && !some;
            // All sources of a language are as much as a folder: what git does not have is lost.
            let recursive = all || tests.iter().any(is_of_people);
            for word in if all { &folders } else { &found } {
                let path = self.path(word);
                self.push(Deed::Delete(Delete { path, recursive, moved: false }), Some(at));
            }
        }
        let deletes = arguments.has("-delete") || arguments.embedded.iter().filter_map(|inner| inner.first()?.literal()).any(|name| self.deletes(name));
        if some && deletes && !args.iter().any(|word| word.prefix().contains(".git")) {
            // Git's own files may be among them.
            for folder in &folders {
                let path = self.path(folder).below(&Word::lit(".git"));
                self.unsurely(|shell| shell.push(Deed::Delete(Delete { path, recursive: true, moved: false }), Some(at)));
            }
        }
        for (role, word) in &arguments.roles {
            if *role == Role::Write {
                self.write(word, Change::Unknown, Some(at));
            }
        }
        for inner in arguments.embedded.clone() {
            for word in &found {
                let mut inner: Vec<Word> = inner.iter().map(|part| with_found(part, word)).collect();
                if !by_tests && !arguments.embedded.iter().flatten().any(|part| part.prefix().contains('{')) {
                    // fd adds what it finds where no place is marked.
                    inner.push(word.clone());
                }
                self.within(name, |shell| shell.invoke(inner, env.clone(), &Stdin::default()));
            }
        }
        Output { items: Some(found), ..Output::unknown() }
    }

    /// Whether a program deletes the files that it is given.
    fn deletes(&self, name: &str) -> bool {
        let roles =
            |program: Program| program.forms.iter().flat_map(|form| form.operands.clone()).any(|(role, _)| matches!(role, Role::Delete | Role::DeleteTree));
        self.programs.find(name).is_some_and(roles)
    }
}

/// Tests of `find` and `fd` that few files pass.
const NARROWS: &str = "-amin -anewer -atime -cmin -cnewer -ctime -gid -group -inum -lname -links -mmin -mtime -newer -newermt -nogroup -nouser -path -perm \
    -regex -iregex -ipath -samefile -size -uid -used -user -Bmin -Btime -newerXY --size --owner --changed-within --changed-before";

/// Whether other files are found too (`-o`).
fn has_alternatives(args: &[Word]) -> bool {
    args.iter().any(|word| word.literal().is_some_and(|text| matches!(text, "-o" | "-or" | ",")))
}

/// The glob of names in which `fd` finds a pattern without anything special in it.
fn fd_pattern(pattern: &str) -> Option<Word> {
    let (front, rest) = pattern.strip_prefix('^').map_or(("*", pattern), |rest| ("", rest));
    let (back, rest) = rest.strip_suffix('$').map_or(("*", rest), |rest| ("", rest));
    let plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    plain.then(|| Word::lit(format!("{front}{rest}{back}")))
}

/// The patterns of which what `find` finds, or acts upon, must fit one. `None`: everything may fit.
fn name_tests(args: &[Word]) -> Vec<Word> {
    let given = |at: usize, names: &[&str]| args.get(at).and_then(Word::literal).is_some_and(|text| names.contains(&text));
    let either = |at: &usize| given(*at, &["-o", "-or", ","]);
    let end = (0..args.len()).find(|at| given(*at, &["-exec", "-execdir", "-ok", "-okdir", "-delete"]));
    // `A -o B -delete` deletes what fits B; brackets hold alternatives together.
    let bracketed = (0..args.len()).any(|at| given(at, &["("]));
    let start = end.filter(|_| !bracketed).and_then(|end| (0..end).rev().find(either)).unwrap_or(0);
    let named = |at: &usize| given(*at, &["-name", "-iname", "-path", "-wholename"]) && !(*at > 0 && given(*at - 1, &["!", "-not"]));
    let tests: Vec<Word> = (start..end.unwrap_or(args.len())).filter(named).filter_map(|at| args.get(at + 1).cloned()).collect();
    let extended = args.iter().position(|word| word.is("-regextype")).and_then(|at| args.get(at + 1)).is_some_and(|kind| !kind.is("emacs"));
    let regex = |at: &usize| given(*at, &["-regex", "-iregex"]) && !(*at > 0 && given(*at - 1, &["!", "-not"]));
    let by_regex = (start..end.unwrap_or(args.len())).find(regex).and_then(|at| args.get(at + 1)?.literal()).and_then(|text| endings(text, extended));
    if let (true, Some(endings)) = (tests.is_empty() && !(start + 1..end.unwrap_or(args.len())).any(|at| either(&at)), by_regex) {
        return if endings.iter().any(sweeps) { Vec::new() } else { endings };
    }
    if (start + 1..end.unwrap_or(args.len())).any(|at| either(&at)) {
        return if tests.iter().any(sweeps) { Vec::new() } else { tests };
    }
    tests.into_iter().find(|test| !sweeps(test)).into_iter().collect()
}

/// The globs of names that a regular expression for whole paths lets through, by their endings: `.*\.py[co]`,
/// `.*\.\(o\|a\)$`. `None`: it says nothing of the ending that is understood.
fn endings(regex: &str, extended: bool) -> Option<Vec<Word>> {
    let (_, ending) = regex.strip_suffix('$').unwrap_or(regex).rsplit_once("\\.").filter(|(front, _)| front.ends_with(".*"))?;
    let (open, or, close) = if extended { ("(", "|", ")") } else { ("\\(", "\\|", "\\)") };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let each: Vec<String> = if let Some(several) = ending.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
        several.split(or).map(str::to_owned).collect()
    } else if let Some((front, letters)) = ending.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        letters.chars().map(|letter| format!("{front}{letter}")).collect()
    } else {
        vec![ending.to_owned()]
    };
    each.iter().all(|ending| plain(ending)).then(|| each.iter().map(|ending| Word::lit(format!("*.{ending}"))).collect())
}

/// Whether a test lets everything through.
fn sweeps(test: &Word) -> bool {
    test.literal().is_some_and(|text| matches!(text, "*" | "**" | "*.*" | "?*"))
}

/// Whether a test lets all sources of a language through.
fn is_of_people(test: &Word) -> bool {
    const SOURCES: &[&str] = &[
        "rs", "py", "js", "jsx", "mjs", "ts", "tsx", "go", "java", "kt", "c", "h", "cc", "cpp", "hpp", "cs", "rb", "php", "swift", "scala", "ex", "exs", "clj",
        "hs", "ml", "vue", "svelte", "sql", "sh",
    ];
    test.literal().and_then(|text| text.strip_prefix("*.")).is_some_and(|extension| SOURCES.contains(&extension))
}

/// What `find FOLDER -name TEST` finds; without a test all that is below.
fn found_below(folder: &Word, test: Option<&Word>) -> Word {
    let mut word = folder.clone();
    word.push_lit("/");
    word.push(WordPiece::Glob("**".to_owned()));
    let Some(test) = test.and_then(Word::literal) else { return word };
    word.push_lit("/");
    for (at, plain) in test.trim_start_matches("*/").trim_start_matches("./").split(['*', '?']).enumerate() {
        if at > 0 {
            word.push(WordPiece::Glob("*".to_owned()));
        }
        word.push_lit(plain);
    }
    word
}

fn with_found(part: &Word, found: &Word) -> Word {
    replace(part, "{}", std::slice::from_ref(found)).into_iter().next().unwrap_or_default()
}
