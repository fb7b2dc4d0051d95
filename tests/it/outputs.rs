//! What descriptions say of the output of programs, held against the tools themselves: each is run with odd arguments, and
//! what it writes must be what the reader of commands takes it for.

use std::process::{Command, Stdio};

use actions::lookup::Lookups;
use actions::shell::{Setting, Shell};
use actions::word::{Word, WordPiece};
use actions::{Action, Deed};
use gate::BUILT_IN;
use policy::Policy;

/// Calls whose output is not to be taken for what it is not. They change nothing outside the folder in which they run.
const CALLS: &[&str] = &[
    "date +%F",
    "date +%s",
    "date -u +%Y-%m-%dT%H:%M:%SZ",
    "date +--force",
    "date '+%F --force'",
    "date +%z",
    "date +%Z",
    "date '+%_d%n%t%%'",
    "date -I",
    "date -Iseconds",
    "date -d yesterday +%j",
    "date -d '2001-02-03' +x%-d",
    "date +-%d",
    "TZ='<--force>0' date +%Z",
    "date",
    "date --help",
    "date -R",
    "whoami",
    "whoami --help",
    "hostname",
    "hostname -s",
    "hostname --help",
    "uname",
    "uname -sm",
    "uname -r",
    "uname -a",
    "uname --help",
    "id -u",
    "id -un",
    "id -Gn root",
    "id --help",
    "nproc",
    "nproc --all",
    "nproc --help",
    "getconf LONG_BIT",
    "getconf PATH",
    "uuidgen",
    "uuidgen --help",
    "expr 3 + 4",
    "expr 3 - 9",
    "expr --force : '\\(.*\\)'",
    "expr + --force",
    "seq 3",
    "seq 3 1 5",
    "seq -f --force%g 2",
    "seq -s ' --x ' 2",
    "basename /a/b.txt .txt",
    "basename x/--force",
    "basename / ",
    "basename a//b///",
    "basename .txt .txt",
    "basename -s .c a.c b.c",
    "basename -- --force",
    "basename --help",
    "dirname /a/b",
    "dirname a",
    "dirname /",
    "dirname a//b",
    "dirname -- --force/x",
    "dirname a/b/",
    "realpath .",
    "realpath -m ./x/../y",
    "realpath --relative-to=/ /usr",
    "readlink -f .",
    "readlink -m nothere",
    "mktemp -u",
    "mktemp -u ./a.XXXXXX",
    "mktemp -u -p /tmp",
    "mktemp -u -t b.XXXXXX",
    "mktemp -u --suffix=' --x' c.XXXXXX",
    "mktemp -u -- --force.XXXXXX",
    "printf '%s\\n' a 'b c'",
    "printf -- '--force'",
    "echo -n --force",
    "echo -e 'a\\tb'",
    "echo -- x",
    "pwd",
    "wc -l </dev/null",
    "wc </dev/null",
    "wc -l /dev/null",
    "sha256sum /dev/null",
    "sha256sum </dev/null",
    "printf 'b\\na\\n' | sort",
    "printf 'x--force\\n' | grep -o -- --force",
    "printf 'a\\n' | grep -v b",
    "printf 'a\\n' | head -c 1",
    "printf 'ab\\n' | tail -n 1",
    "printf 'ab' | rev",
    "printf 'ab' | tr a-z b-za",
    "printf 'YWI=' | base64 -d",
    "printf '6162' | xxd -r -p",
    "arch",
    "command -v sh",
    "command -v --help",
    "which sh",
    "type -P sh",
    "git rev-parse HEAD",
    "git rev-parse --short=8 HEAD",
    "git rev-parse --abbrev-ref HEAD",
    "git rev-parse --no-verify",
    "git rev-parse 'HEAD --force'",
    "git rev-parse nothere",
    "git rev-parse -- --force",
    "git rev-parse --is-inside-work-tree",
    "git rev-parse --show-toplevel",
    "git branch --show-current",
    "git branch --format=%(refname:short)",
    "git branch --format=--force",
    "git describe --always",
    "git describe --always --dirty=' --force'",
    "git symbolic-ref --short HEAD",
    "git merge-base HEAD HEAD",
    "git rev-list HEAD",
    "git rev-list --boundary HEAD~0..HEAD",
    "git rev-list --count HEAD",
    "git rev-list --format=--force HEAD",
    "git name-rev --name-only HEAD",
    "git ls-files",
    "git ls-files -- '--*'",
    "git ls-tree --name-only HEAD",
    "git diff --name-only HEAD",
    "git write-tree",
    "git hash-object -t blob /dev/null",
    "whoami; echo --force",
    "git describe --always || echo --force",
    "git rev-parse nothere 2>/dev/null || echo main",
    "date +%F && echo --force",
];

/// The words for which the reader takes `$(call)`.
fn taken(call: &str, folder: &str) -> Vec<Word> {
    let policy = Policy::open(BUILT_IN).unwrap();
    let home = std::env::var("HOME").ok();
    let setting = Setting { cwd: folder.to_owned(), home, temporary: "/tmp".to_owned(), zsh: false, root: folder.to_owned() };
    let mut shell = Shell::new(&setting, &policy.programs, Lookups::default());
    shell.line(&format!("wanted $({call})"));
    let (actions, _) = shell.finish();
    let wanted = |action: &Action| matches!(&action.deed, Deed::Run(run) if run.program == "wanted").then(|| action.deed.clone());
    let Some(Deed::Run(run)) = actions.iter().find_map(wanted) else { panic!("{call}: it is not followed") };
    run.words.get(1..).unwrap_or(&[]).to_vec()
}

/// Whether a real word may be what the reader takes it for.
fn may_be(word: &Word, real: &str) -> bool {
    fn fits(pieces: &[WordPiece], real: &str, begins: bool) -> bool {
        let Some((first, rest)) = pieces.split_first() else { return real.is_empty() };
        match first {
            WordPiece::Lit(text) => real.strip_prefix(text.as_str()).is_some_and(|real| fits(rest, real, false)),
            WordPiece::Any(bound) if !bound.is_open() => {
                let number = real.strip_prefix('-').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
                let named = bound.is_name() && real.chars().next().is_some_and(|first| !"-+:/~".contains(first) || number || !begins);
                named && (1..=real.len()).filter(|end| real.is_char_boundary(*end)).any(|end| fits(rest, &real[end..], false))
            }
            _ => (0..=real.len()).filter(|end| real.is_char_boundary(*end)).any(|end| fits(rest, &real[end..], false)),
        }
    }
    fits(&word.pieces, real, true)
}

/// Whether the real words may be those that the reader takes them for.
fn agree(words: &[Word], real: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return real.is_empty() };
    if first.multi || first.has_hole() {
        // It may be none or several, each of its kind.
        let most = if first.multi { real.len() } else { 1.min(real.len()) };
        let least = usize::from(!first.multi);
        return (least..=most).any(|count| {
            real[..count].iter().all(|one| first.pieces.iter().all(|p| !matches!(p, WordPiece::Any(_))) || may_be(first, one)) && agree(rest, &real[count..])
        });
    }
    real.split_first().is_some_and(|(one, more)| may_be(first, one) && agree(rest, more))
}

#[test]
fn the_tools_write_what_their_descriptions_say() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let run = |text: &str| {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-c", text]).current_dir(&root).stdin(Stdio::null()).stderr(Stdio::null());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env_remove("GIT_DIR").env("TMPDIR", "/tmp");
        command.output()
    };
    let made = "git init -qb main . && echo x > a.txt && git add -A && git -c user.name=a -c user.email=a@b commit -qm 'add x' && echo z > a.txt";
    if !run(made).is_ok_and(|output| output.status.success()) {
        return;
    }
    let mut wrong = Vec::new();
    let mut ran = 0;
    for call in CALLS {
        let program = call.split(['|', ';', '&']).next_back().unwrap_or("").split_whitespace().find(|word| !word.contains('=')).unwrap_or("");
        if !run(&format!("command -v {program}")).is_ok_and(|output| output.status.success()) {
            continue;
        }
        ran += 1;
        // With its standard error away the text is what a substitution takes.
        let text = String::from_utf8_lossy(&run(call).unwrap().stdout).into_owned();
        let real: Vec<&str> = text.split_whitespace().collect();
        let words = taken(call, &root.to_string_lossy());
        if !agree(&words, &real) {
            wrong.push(format!("{call}: it writes {real:?}, and is taken for {words:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran > 60, "only {ran} calls could be made");
}
