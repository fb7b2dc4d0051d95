//! Secrets that come into a file of the repository from a file on the disk, and files that git ignores or does not. The
//! secrets are made up, and put together here.

use crate::support::Scratch;

/// A GitHub token with a valid checksum.
const TOKEN: [&str; 2] = ["ghp", "_FJ6kPU9541PZwIpm3EXYNHnBq6GDyx21l8sz"];

/// A repository that ignores `.env`, in which one is.
fn scratch(ignores: &str) -> Scratch {
    let scratch = Scratch::new().with_work();
    let token = TOKEN.concat();
    scratch.write(".gitignore", ignores);
    scratch.write(".env", &format!("PORT=3000\nGITHUB_TOKEN={token}\n"));
    scratch.write(".env.example", "PORT=\nGITHUB_TOKEN=\n");
    scratch.write("../home/.token", &token);
    scratch.write("notes.txt", &format!("use {token}\n"));
    scratch.write("config.ini", "token = @T@\n");
    scratch.write("README.md", "# it\n");
    scratch
}

fn check(scratch: &Scratch, commands: &[&str], expected: &[&str]) {
    for command in commands {
        let command = command.replace("TOKEN", &TOKEN.concat());
        let said = scratch.bash(&command).short();
        assert!(expected.iter().any(|expected| said.starts_with(expected)), "{command}: {said}");
    }
}

#[test]
fn what_comes_from_a_file_of_secrets_is_stopped() {
    let scratch = scratch(".env\n");
    let copied = [
        "cp .env config.ini",
        "cp -f ./.env src.txt",
        "mv .env settings.conf",
        "cat .env >> README.md",
        "cat .env > deploy.txt",
        "cat < .env > deploy.txt",
        "cat .env | tee deploy.txt",
        "tee deploy.txt < .env",
        "install -m 600 .env conf.txt",
        "cp ~/.token token.txt",
        "cat ~/.token > token.txt",
        "echo \"t=$(cat .env)\" >> README.md",
        "sed 's/PORT/HTTP_PORT/' .env > app.conf",
        "grep -v PORT .env > app.conf",
        "tail -n 1 .env >> README.md",
        "awk 1 .env > app.conf",
    ];
    check(&scratch, &copied, &["deny", "ask"]);
}

#[test]
fn what_brings_no_secret_is_free() {
    let scratch = scratch(".env\n*.bak\n");
    let harmless = [
        "cp .env .env.bak",
        "cp .env.example .env",
        "cp README.md docs.md",
        "cp .env.example config.ini",
        "cat .env.example >> README.md",
        "sed 's/=.*/=/' .env > .env.sample",
        "cut -d= -f1 .env > names.txt",
        "cp .env /tmp/backup",
        "mv notes.txt old-notes.txt",
        "sed -i 's/@T@/$TOKEN_NAME/' config.ini",
        "sed -i '/TOKEN/d' notes.txt",
        "sed -i 's/TOKEN/${GITHUB_TOKEN}/' notes.txt",
    ];
    check(&scratch, &harmless, &["free"]);
}

#[test]
fn what_an_editing_program_is_told_is_looked_at() {
    let scratch = scratch(".env\n");
    let edits = [
        "sed -i 's/@T@/TOKEN/' config.ini",
        "sed -i.bak -e 's|@T@|TOKEN|' config.ini",
        "perl -pi -e 's/\\@T\\@/TOKEN/' config.ini",
        "perl -i -pe 's/x/TOKEN/' config.ini",
        "jq -n '.t=\"TOKEN\"' > a.json",
        "jq '.t=\"TOKEN\"' package.json > a.json",
        "yq -i '.t = \"TOKEN\"' a.yml",
        "ed -s config.ini <<< $'1i\\nt=TOKEN\\n.\\nw'",
        "ruby -i -pe 'gsub(/@T@/, \"TOKEN\")' config.ini",
        "awk '{print \"TOKEN\"}' config.ini > b.ini",
        "sed 's/@T@/TOKEN/' config.ini > b.ini",
        "sed 's/@T@/TOKEN/' config.ini | tee b.ini",
        "printf 't=%s\\n' TOKEN > b.ini",
        "python3 -c \"open('b.ini','w').write('TOKEN')\"",
    ];
    check(&scratch, &edits, &["deny", "ask"]);
}

#[test]
fn a_file_for_secrets_is_spared_only_where_git_ignores_it() {
    // Another one than is in the files.
    let other = ["gho", "_1rfpGpHCAJIetkzssuN5scLgOWFBFU0qyY4w"].concat();
    for (ignores, file, expected) in [
        (".env\n", ".env", "free"),
        ("", ".env", "deny"),
        (".pypirc\n", ".pypirc", "free"),
        ("", ".pypirc", "deny"),
        ("", ".netrc", "deny"),
        (".env*\n!.env.example\n", ".env.local", "free"),
        (".env*\n!.env.example\n", ".env.example", "deny"),
        ("*\n", "src/a.py", "deny"),
    ] {
        let said = scratch(ignores).bash(&format!("printf 'T=%s' {other} > {file}"));
        assert!(said.short().starts_with(expected), "{file} with {ignores:?}: {}", said.short());
    }
}
