//! How the work grows with the size of the input and with the depth of nesting: it must stay in proportion to the bytes,
//! and end with an answer.
//!
//! Short: the time of two sizes of each shape, in this process. Long, as instructions of the optimised hook under valgrind
//! (with `debug-assertions`, since the shipped one keeps its deadline whatever the environment says):
//!
//! ```text
//! CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true cargo build --release --no-default-features --bin portcullis-hook
//! PORTCULLIS_HOOK=target/release/portcullis-hook PORTCULLIS_GROWTH=1000,10000,100000,1000000 cargo test --test measure work -- --nocapture
//! ```
//!
//! `PORTCULLIS_SHAPE` names the shapes that are wanted, with `|` between them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Scratch, json};

/// Bytes of the two sizes that the short form compares.
const SIZES: [usize; 2] = [1_000, 8_000];
/// How much more a byte of the larger one may cost; eight times as much is the square. Time is a rough measure.
const MOST: f64 = 5.0;
/// How much more instructions a byte of 1 MB may cost than one of 10 kB.
const MOST_INSTRUCTIONS: f64 = 2.0;
/// Tries of one size; the quickest counts.
const TRIES: usize = 4;
/// Depths of nesting.
const DEPTHS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

/// A text of about `size` bytes.
type Shape = fn(usize) -> String;

/// `unit` again and again.
fn again(unit: &str, size: usize) -> String {
    unit.repeat(size / unit.len() + 1)
}

/// What `unit` makes of each number.
fn counted(size: usize, unit: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    let mut at = 0;
    while text.len() < size {
        text.push_str(&unit(at));
        at += 1;
    }
    text
}

/// `open`, then `unit` again and again, then `close`.
fn around(open: &str, unit: &str, close: &str, size: usize) -> String {
    format!("{open}{}{close}", again(unit, size))
}

const COMMANDS: &[(&str, Shape)] = &[
    ("plain commands", |size| again("ls -la src; ", size)),
    ("other commands", |size| counted(size, |at| format!("tool{at} --flag{at} file{at}\n"))),
    ("one long word", |size| format!("echo {}", again("a", size))),
    ("one long program name", |size| again("a", size)),
    ("many words", |size| format!("echo {}", again("a ", size))),
    ("many operands of rm", |size| around("rm ", "a ", "", size)),
    ("many files of cp", |size| around("cp ", "a ", "folder", size)),
    ("many options", |size| around("git commit ", "-v ", "", size)),
    ("single quotes", |size| again("echo 'it is' ", size)),
    ("double quotes", |size| again("echo \"it is\" ", size)),
    ("one long quoted text", |size| around("git commit -m \"", "a `x` $y ", "\"", size)),
    ("escapes in dollar quotes", |size| around("echo $'", "\\x41\\n", "'", size)),
    ("a here-document", |size| around("cat > f <<'EOF'\n", "line of text\n", "EOF\n", size)),
    ("a here-document with expansions", |size| around("cat > f <<EOF\n", "line $x `y` $(z)\n", "EOF\n", size)),
    ("many here-documents", |size| again("cat <<A\nx\nA\n", size)),
    ("here-documents on one line", |size| format!("cat {}\n{}", again("<<A ", size / 2), again("A\n", size / 2))),
    ("a here-document that never ends", |size| around("cat <<EOF\n", "EO\n", "", size)),
    ("a here-document for a shell", |size| around("bash <<'EOF'\n", "ls -la\n", "EOF\n", size)),
    ("pipes", |size| around("cat f ", "| sort ", "", size)),
    ("pipes with output", |size| around("echo one two ", "| cat ", "", size)),
    ("and chains", |size| around("true", " && ls", "", size)),
    ("or chains", |size| around("true", " || ls", "", size)),
    ("or chains of assignments", |size| counted(size, |at| format!("x{at}=1 || y{at}=2\n"))),
    ("assignments", |size| counted(size, |at| format!("x{at}=1\n"))),
    ("assigned and used", |size| counted(size, |at| format!("x{at}=value; echo $x{at}\n"))),
    ("one variable assigned and used", |size| again("x=value; echo $x; ", size)),
    ("one variable used often", |size| format!("x={}; echo {}", again("v", size / 2), again("$x ", size / 2))),
    ("one variable used often in one word", |size| format!("x={}; echo \"{}\"", again("v", size / 2), again("$x", size / 2))),
    ("exported and run", |size| counted(size, |at| format!("export x{at}=value; ls\n"))),
    ("exported, then run", |size| format!("{}{}", counted(size / 2, |at| format!("export x{at}=value\n")), again("ls\n", size / 2))),
    ("everything exported", |size| format!("set -a\n{}", counted(size, |at| format!("x{at}=v; ls\n")))),
    ("assignments in front", |size| format!("{}ls", counted(size, |at| format!("x{at}=1 ")))),
    ("assignments that grow", |size| format!("x=a; {}echo $x", again("x=$x$x; ", size))),
    ("appended text", |size| around("", "x+=abc; ", "echo $x", size)),
    ("appended text, used", |size| again("x+=abc; echo $x; ", size)),
    ("an array that grows", |size| around("", "a+=(x); ", "echo ${a[@]}", size)),
    ("substitutions", |size| again("echo $(ls); ", size)),
    ("substitutions in one word", |size| around("echo \"", "$(ls)", "\"", size)),
    ("substitutions with assignments", |size| counted(size, |at| format!("x{at}=$(echo value)\n"))),
    ("subshells with assignments", |size| counted(size, |at| format!("x{at}=1; (ls)\n"))),
    ("backticks", |size| again("echo `ls`; ", size)),
    ("backticks that never end", |size| again("` ", size)),
    ("braces", |size| again("echo {a,b,c}; ", size)),
    ("braces in one word", |size| around("echo ", "{a,b}", "", size)),
    ("open braces", |size| around("echo ", "{a,", "", size)),
    ("a long range", |size| around("echo ", "{1..1000000} ", "", size)),
    ("one array", |size| around("a=(", "word ", "); echo ${a[@]}", size)),
    ("array elements", |size| counted(size, |at| format!("a[{at}]=x; "))),
    ("arithmetic", |size| around("echo $((", "1+", "1))", size)),
    ("arithmetic commands", |size| again("((x=1+2)); ", size)),
    ("open arithmetic", |size| again("$((a ", size)),
    ("subscripts", |size| again("a[$(a[", size)),
    ("case", |size| around("case $x in ", "a) ls;; ", "esac", size)),
    ("many cases", |size| again("case $x in a) ls;; esac; ", size)),
    ("comments", |size| again("# a comment 'with a quote\n", size)),
    ("one long comment", |size| format!("# {}", again("text ", size))),
    ("globs", |size| around("ls ", "*.rs ", "", size)),
    ("globs in one word", |size| around("rm ", "*a?", "", size)),
    ("open brackets", |size| around("ls ", "[a", "", size)),
    ("git commands", |size| again("git status; git log; ", size)),
    ("git commands with configuration", |size| again("git -c user.name=x -c core.editor=vi commit -m x; ", size)),
    ("one git command with configuration", |size| around("git ", "-c user.name=x ", "status", size)),
    ("git aliases that name each other", |size| format!("git {} a0", counted(size, |at| format!("-c alias.a{at}=a{} ", at + 1)))),
    ("refspecs", |size| counted(size, |at| if at == 0 { "git push origin".to_owned() } else { format!(" b{at}") })),
    ("a python text", |size| around("python3 -c '", "x = 1 + 2\n", "'", size)),
    ("a python text with calls", |size| around("python3 -c '", "import os; os.system(\"ls\")\n", "'", size)),
    ("a python text with variables", |size| format!("python3 -c '{}'", counted(size, |at| format!("x{at} = \"a\" + x{}\n", at.saturating_sub(1))))),
    ("a python text with functions", |size| format!("python3 -c '{}'", counted(size, |at| format!("def f{at}(x):\n  f{}(x)\n", at + 1)))),
    ("open parentheses in a python text", |size| around("python3 -c '", "os.system(", "'", size)),
    ("a node text", |size| around("node -e \"", "require('fs').rmSync('x');\n", "\"", size)),
    ("an awk text", |size| around("awk '", "{ print $1 } ", "'", size)),
    ("backslashes", |size| around("echo ", "\\\\", "", size)),
    ("line continuations", |size| around("echo ", "a\\\n", "", size)),
    ("cd chains", |size| around("true", " && cd sub", " && rm x", size)),
    ("cd up and down", |size| around("true", " && cd a && cd ..", " && rm x", size)),
    ("functions", |size| format!("{}f0", counted(size, |at| format!("f{at}() {{ f{}; }}\n", at + 1)))),
    ("functions that call themselves twice", |size| around("f() { f; f; }; ", "f; ", "", size)),
    ("functions that call others twice", |size| format!("{}f0", counted(size, |at| format!("f{at}() {{ f{0}; f{0}; }}\n", at + 1)))),
    ("one function called often", |size| around("f() { ls; }; ", "f; ", "", size)),
    ("one long function called often", |size| format!("f() {{ {} }}; {}", again("ls; ", size / 2), again("f; ", size / 2))),
    ("for loops", |size| again("for x in a b; do ls $x; done; ", size)),
    ("a loop over many words", |size| around("for x in ", "a ", "; do ls $x; done", size)),
    ("loops within loops", |size| format!("{} ls {}", again("for x in a b c d; do ", size.min(2_000)), again("; done", size.min(600)))),
    ("while read", |size| around("while read x; do echo $x; done <<EOF\n", "line\n", "EOF\n", size)),
    ("aliases", |size| format!("shopt -s expand_aliases\n{}a0", counted(size, |at| format!("alias a{at}=a{}\n", at + 1)))),
    ("aliases that grow", |size| format!("shopt -s expand_aliases\n{}a0", counted(size, |at| format!("alias a{at}='a{0} a{0}'\n", at + 1)))),
    ("eval", |size| again("eval 'ls -la'; ", size)),
    ("one long eval", |size| around("eval '", "ls -la; ", "'", size)),
    ("bash -c", |size| again("bash -c 'ls -la'; ", size)),
    ("here-strings", |size| again("cat <<< text; ", size)),
    ("redirects", |size| again("ls > f; ", size)),
    ("redirects of one command", |size| around("ls ", "> f ", "", size)),
    ("written, then read", |size| counted(size, |at| format!("echo x > f{at}; cat f{at}\n"))),
    ("written, then run", |size| counted(size, |at| format!("echo ls > f{at}; bash f{at}\n"))),
    ("one file written, then run", |size| again("echo ls > f; bash f; ", size)),
    ("one long file run often", |size| format!("cat > f <<'EOF'\n{}EOF\n{}", again("# text\n", size / 2), again("bash f\n", size / 2))),
    ("a file appended to", |size| again("echo ls >> f; ", size)),
    ("files written in branches", |size| counted(size, |at| format!("echo x > f{at} || true; if x; then echo y > g{at}; fi\n"))),
    ("process substitutions", |size| again("cat <(ls); ", size)),
    ("links", |size| counted(size, |at| format!("ln -s a{at} b{at}; cat b{at}\n"))),
    ("an environment list", |size| format!("env {}ls", counted(size, |at| format!("A{at}=1 ")))),
    ("environments", |size| again("env A=1 B=2 ls; ", size)),
    ("traps", |size| again("trap 'ls' EXIT; ", size)),
    ("traps in subshells", |size| again("(trap 'ls' EXIT); ", size)),
    ("xargs", |size| around("printf '", "a\\n", "' | xargs rm", size)),
    ("xargs line by line", |size| around("printf '", "a\\n", "' | xargs -I{} rm {}", size)),
    ("find", |size| around("find . ", "-name x -o ", "-name y -delete", size)),
    ("find with commands", |size| around("find . ", "-exec rm {} ; ", "", size)),
    ("a pipe into a filter", |size| around("echo ", "abc ", "| rev | tr a b | base64 -d", size)),
    ("positional parameters", |size| format!("set -- {}; echo \"$@\" $1 $2", again("a ", size))),
    ("shifts", |size| format!("set -- {}; {}", again("a ", size / 2), again("shift; ", size / 2))),
    ("parameters shown often", |size| format!("set -- {}; {}", again("a ", size / 2), again("ls \"$@\"; ", size / 2))),
    ("replacements", |size| around("x=aaaa; echo ", "${x//a/bb}", "", size)),
    ("replacements that grow", |size| format!("x=aa; {}", again("x=${x//a/aa}; ", size))),
    ("substrings of one text", |size| format!("x={}; {}", again("v", size / 2), again("y=${x:1}; ", size / 2))),
    ("defaults", |size| again("echo ${x:-a}; ", size)),
    ("tests", |size| again("[[ -f x && $y == z ]]; ", size)),
    ("one test", |size| around("[[ a", " && a", " ]]", size)),
    ("ifs", |size| again("if a; then b; else c; fi; ", size)),
    ("one if", |size| around("if a; then b; ", "elif c; then d; ", "fi", size)),
    ("ifs with assignments", |size| counted(size, |at| format!("if a; then x{at}=1; fi\n"))),
    ("closing parentheses", |size| again(") ", size)),
    ("operators", |size| again("&& || ; | ", size)),
    ("quotes that alternate", |size| again("'\"", size)),
    ("dollars", |size| again("$", size)),
    ("open expansions", |size| again("${", size)),
    ("ampersands", |size| again("a& ", size)),
    ("null bytes", |size| again("a\0", size)),
    ("private characters", |size| again("\u{f8ff} ", size)),
    ("ssh", |size| again("ssh host ls; ", size)),
    ("sudo chains", |size| around("", "sudo ", "ls", size)),
    ("make", |size| around("make ", "A=1 ", "", size)),
    ("printf", |size| around("printf '", "%s", "' a b c", size)),
    ("printf with words", |size| around("printf '%s\\n' ", "a ", "", size)),
    ("a sed text", |size| around("sed -e '", "s/a/b/;", "' f", size)),
];

/// Nesting: what opens, what is inside and what closes.
const NESTS: &[(&str, &str, &str, &str)] = &[
    ("$(", "$(", "ls", ")"),
    ("quoted $(", "echo \"$(", "ls", ")\""),
    ("(", "( ", "ls", " )"),
    ("((", "((", "1", "))"),
    ("{", "{ ", "ls;", " };"),
    ("${x:-", "${x:-", "y", "}"),
    ("quoted ${x:-", "echo \"${x:-", "y", "}\""),
    ("$((", "$((", "1", "))"),
    ("`", "`", "ls", "`"),
    ("if", "if ", "ls", "; then ls; fi"),
    ("then", "if a; then ", "ls", "; fi"),
    ("while", "while ", "ls", "; do ls; done"),
    ("for", "for x in a b; do ", "ls", "; done"),
    ("case", "case x in x) ", "ls", ";; esac"),
    ("[[ (", "[[ ( ", "x", " ) ]]"),
    ("( in [[", "( ", "x", " )"),
    ("bash -c", "bash -c ", "ls", ""),
    ("eval", "eval ", "ls", ""),
    ("sudo", "sudo ", "ls", ""),
    ("<(", "cat <(", "ls", ")"),
    ("function", "f() { ", "ls;", " }; f"),
    ("brace expansion", "{a,", "b", "}"),
    ("subscript", "a[", "1", "]"),
    ("pipe into a group", "ls | { ", "ls;", " }"),
    ("here-document", "cat <<A\n$(", "ls", ")\nA\n"),
    ("!", "! ", "ls", ""),
    ("coproc", "coproc ", "ls", ""),
    ("negation", "time ", "ls", ""),
    ("python parentheses", "(", "1", ")"),
];

fn nested((name, open, middle, close): &(&str, &str, &str, &str), depth: usize) -> String {
    let text = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
    match *name {
        "python parentheses" => format!("python3 -c 'print{text}'"),
        "( in [[" => format!("[[ {text} ]]"),
        _ => text,
    }
}

/// A tool and its input, of about so many bytes.
type Input = fn(usize) -> (&'static str, String);
/// A name, and payloads of about so many bytes.
type Payloads<'s> = Vec<(String, Box<dyn Fn(usize) -> String + 's>)>;

/// Tool inputs that are no command.
const INPUTS: &[(&str, Input)] = &[
    ("a written file", |size| ("Write", format!(r#"{{"file_path":"/x/f","content":{}}}"#, json(&again("a line of text\n", size))))),
    ("escapes", |size| ("Write", format!(r#"{{"file_path":"/x/f","content":"{}"}}"#, again("\\u0041\\n", size)))),
    ("edits", |size| {
        (
            "MultiEdit",
            format!(r#"{{"file_path":"/x/f","edits":[{}{{"old_string":"a","new_string":"b"}}]}}"#, again(r#"{"old_string":"a","new_string":"b"},"#, size)),
        )
    }),
    ("a patch", |size| {
        (
            "apply_patch",
            format!(r#"{{"input":{}}}"#, json(&around("*** Begin Patch\n*** Update File: f\n@@\n", "-old\n+new\n same\n", "*** End Patch\n", size))),
        )
    }),
    ("a patch of many files", |size| {
        ("apply_patch", format!(r#"{{"input":{}}}"#, json(&around("*** Begin Patch\n", "*** Add File: f\n+new\n", "*** End Patch\n", size))))
    }),
    ("a unified patch", |size| {
        ("Bash", format!(r#"{{"command":{}}}"#, json(&around("git apply <<'EOF'\n", "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n", "EOF\n", size))))
    }),
    ("keys of an unknown tool", |size| ("mcp__a__b", format!("{{{}\"z\":1}}", counted(size, |at| format!("\"k{at}\":\"v\","))))),
    ("a list of an unknown tool", |size| ("mcp__a__b", format!("{{\"a\":[{}1]}}", again("\"x\",", size)))),
    ("commands of an unknown tool", |size| ("mcp__a__b", format!("{{\"commands\":[{}\"ls\"]}}", again("\"ls -la\",", size)))),
    ("JSON nesting", |size| ("mcp__a__b", format!("{{\"a\":{}1{}}}", "[".repeat(size / 2), "]".repeat(size / 2)))),
    ("words of a command", |size| ("Bash", format!("{{\"command\":[{}\"ls\"]}}", again("\"ls\",", size)))),
];

fn payloads(scratch: &Scratch) -> Payloads<'_> {
    let bash = |text: String| scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(&text)), "default");
    let mut all: Payloads = Vec::new();
    for (name, shape) in COMMANDS {
        all.push(((*name).to_owned(), Box::new(move |size| bash(shape(size)))));
    }
    for nest in NESTS {
        let unit = nest.1.len() + nest.3.len();
        all.push((format!("nested {}", nest.0), Box::new(move |size| bash(nested(nest, size / unit + 1)))));
    }
    for (name, input) in INPUTS {
        all.push((
            (*name).to_owned(),
            Box::new(move |size| {
                let (tool, input) = input(size);
                scratch.payload(tool, &input, "default")
            }),
        ));
    }
    let one = std::env::var("PORTCULLIS_SHAPE").ok();
    all.retain(|(name, _)| one.as_ref().is_none_or(|one| one.split('|').any(|one| name == one)));
    all
}

/// The quickest of some tries.
fn time(scratch: &Scratch, payload: &str) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..TRIES {
        let begun = Instant::now();
        let said = scratch.judge("PreToolUse", payload);
        least = least.min(begun.elapsed());
        assert!([0, 2].contains(&said.code));
        if least > Duration::from_millis(300) {
            break;
        }
    }
    least
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn nanoseconds(scratch: &Scratch, payload: &str) -> f64 {
    time(scratch, payload).as_nanos() as f64 / payload.len() as f64
}

/// Instructions of the hook under valgrind, and how it ended.
fn instructions(scratch: &Scratch, hook: &str, payload: &str) -> (u64, Option<i32>) {
    let input = scratch.home().join("payload");
    fs::write(&input, payload).unwrap();
    let mut command = scratch.command("/usr/bin/valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--main-stacksize=8388608", hook, "PreToolUse"]);
    // The deadline is for wall time, of which valgrind takes fifty times as much.
    command.env("PORTCULLIS_TEST_NO_DEADLINE", "1");
    let output = command.stdin(File::open(&input).unwrap()).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let counted = said.lines().find_map(|line| line.split("Collected : ").nth(1)?.split_whitespace().next()?.parse().ok());
    (counted.unwrap_or_else(|| panic!("valgrind says nothing: {said}")), output.status.code())
}

#[test]
fn work_grows_with_the_input_alone() {
    let scratch = Scratch::new();
    let mut wrong = Vec::new();
    if let (Ok(hook), Ok(sizes)) = (std::env::var("PORTCULLIS_HOOK"), std::env::var("PORTCULLIS_GROWTH")) {
        let sizes: Vec<usize> = sizes.split(',').map(|size| size.parse().unwrap()).collect();
        for (name, make) in payloads(&scratch) {
            let mut line = format!("{name:<42}");
            let mut costs = Vec::new();
            for &size in &sizes {
                let payload = make(size);
                let (count, code) = instructions(&scratch, &hook, &payload);
                assert!([Some(0), Some(2)].contains(&code), "{name}, {size}: {code:?}");
                #[expect(clippy::cast_precision_loss, reason = "a rate")]
                let cost = count as f64 / payload.len() as f64;
                costs.push((size, cost));
                let _ = write!(line, " {cost:>10.0}");
            }
            println!("{line}");
            let of = |wanted| costs.iter().find(|(size, _)| *size == wanted).map(|(_, cost)| *cost);
            if let (Some(small), Some(large)) = (of(10_000), of(1_000_000))
                && large > small * MOST_INSTRUCTIONS
            {
                wrong.push(format!("{name}: {small:.0} instructions a byte become {large:.0}"));
            }
        }
    } else {
        let sizes: Vec<usize> = std::env::var("PORTCULLIS_SIZES").map_or(SIZES.to_vec(), |sizes| sizes.split(',').map(|size| size.parse().unwrap()).collect());
        for (name, make) in payloads(&scratch) {
            // A busy machine is asked again.
            let tries: Vec<Vec<f64>> = (0..TRIES)
                .map(|_| sizes.iter().map(|size| nanoseconds(&scratch, &make(*size))).collect())
                .scan(false, |done, costs: Vec<f64>| {
                    let go_on = !*done;
                    *done = costs.last().unwrap() <= &(costs[0] * MOST);
                    go_on.then_some(costs)
                })
                .collect();
            let costs = tries.last().unwrap();
            let shown: Vec<String> = costs.iter().map(|cost| format!("{cost:>9.0}")).collect();
            println!("{name:<42} {} ns a byte", shown.join(" "));
            // Text that is made of other text may grow as it likes, up to the bound that ends all reading.
            let bounded = name.starts_with("one variable used often") || matches!(name.as_str(), "assignments that grow" | "substrings of one text");
            if !bounded && costs.last().unwrap() > &(costs[0] * MOST) {
                wrong.push(format!("{name}: {} ns a byte", shown.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "these grow faster than their input:\n{}", wrong.join("\n"));
}

#[test]
fn nesting_ends_with_an_answer() {
    let scratch = Scratch::new();
    for nest in NESTS {
        for depth in DEPTHS {
            let said = scratch.bash(&nested(nest, depth));
            assert!(matches!(said.short().split(' ').next(), Some("free" | "ask" | "deny")), "{} {depth}: {said:?}", nest.0);
        }
    }
}
