//! Which part of a command a refusal underlines.

use crate::support::{Scratch, json, judge_in};

/// Commands, with the part between `«` and `»` that the first finding underlines. None is marked: the whole command is meant.
const MARKED: &[&str] = &[
    "cd sub && «git push --force origin main»",
    "git push --force origin main",
    "  git push --force  ",
    "F=-f; «git push $F origin main»; ls",
    "ls; «git \\\n  push -f» && ls",
    "X=1 «git push -f» >log 2>&1; ls",
    // Behind a wrapper, only what it starts.
    "sudo -u root «git push --force»; ls",
    "find . -name x -exec «git push --force» \\;",
    "ls | xargs «git push --force»",
    // The word that names what is touched.
    "echo x > «.git/config»; ls",
    "rm -rf build «.git» dist",
    "ls; rm -rf «\"$HOME\"»",
    "ls; rm -rf «\"$HOME\"/..»",
    // The word that could not be read.
    "ls; git commit «$X»; ls",
    // Texts within the text, where they are there as they are.
    "sh -c '«git -C sub push origin +main»'; ls",
    "sh -c \"ls; «git push -f»\"; ls",
    "echo $(«git push --force») done",
    "echo \"`«git push --force»`\" done",
    "cat <(«git push -f»)",
    "bash <<EOF\nls\n«git push --force origin main»\nEOF\nls",
    "cat > x.sh <<'EOF'\nls\n  «git push --force origin main»\nEOF\nbash x.sh",
    "if true; then\n  ls\n  «git push --force origin main»\nfi",
    "f() { «git push --force»; }; ls; f",
    "trap '«git push -f»' EXIT; ls",
    "eval '«git push -f»'; ls",
    "eval «git push -f»; ls",
    "sh -c 'sh -c \"«git push -f»\"'; ls",
    // Where they do not, the word that holds them, or the command that led there.
    "echo «`git push --force \\$X`» done",
    "sh -c «\"git push \\\"-f\\\"\"»; ls",
    "alias gp='git push'; ls\n«gp --force»",
    "printf 'git push --force' | «bash»; ls",
    "ls; «python3 -c \"import os; os.system('git push --force')\"»",
    // Characters of several bytes, wide ones, and tabs.
    "echo 日本 && «git push --force»; ls",
    "echo é\t&&\t«git\tpush --force»; ls",
    // A place far from the start.
    "echo 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789; «git push --force»; ls",
];

/// What is over the carets, as it is shown.
fn underlined(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("found: "));
    let (line, below) = (lines.next()?, lines.next()?);
    let carets = below.find('^').filter(|_| below.starts_with(' '))?;
    let length = below.chars().filter(|c| *c == '^').count();
    let wide = |c: char| if ('\u{3041}'..'\u{a4cf}').contains(&c) { 2 } else { 1 };
    let mut column = 0;
    let at = |c: char| {
        column += wide(c);
        (c, column - wide(c))
    };
    Some(line.chars().map(at).filter(|(_, column)| (carets..carets + length).contains(column)).map(|(c, _)| c).collect())
}

#[test]
fn a_refusal_underlines_what_is_meant() {
    let scratch = Scratch::new();
    let world = scratch.world();
    let mut wrong = Vec::new();
    for marked in MARKED {
        let expected = marked.split_once('«').and_then(|(_, rest)| Some(rest.split_once('»')?.0.replace('\n', "⏎").replace('\t', " ")));
        let payload = scratch.payload("Bash", &format!(r#"{{"command":{}}}"#, json(&marked.replace(['«', '»'], ""))), "bypassPermissions");
        let said = judge_in(&world, "PreToolUse", &payload);
        let found = underlined(&said.stderr);
        if said.code != 2 || found != expected {
            wrong.push(format!("{marked:?}\nexpected {expected:?}\nfound    {found:?}\n{}", said.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn other_texts_have_no_places() {
    let scratch = Scratch::new();
    let world = scratch.world();
    for (tool, input) in [
        ("mcp__x__run", r#"{"script":"ls; git push -f"}"#),
        ("mcp__x__run", r#"{"commands":["ls; git push -f","git push -f"],"command":"ls"}"#),
        ("shell", r#"{"command":["bash","-c","ls; git push -f"]}"#),
        ("PowerShell", r#"{"command":"ls; git push -f"}"#),
    ] {
        let said = judge_in(&world, "PreToolUse", &scratch.payload(tool, input, "bypassPermissions"));
        assert!(said.code == 2 && underlined(&said.stderr).is_none(), "{tool} {input}\n{}", said.stderr);
    }
}
